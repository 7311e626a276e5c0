use super::asked::asked;
use super::{Band, Length};
use crate::Unit;
use crate::Unit::{Characters, Items, Paragraphs, Sentences, Words};

fn asks(prompt: &str, least: u64, most: u64, unit: Unit) {
    assert_eq!(asked(prompt), [Band { least, most, unit }], "{prompt}");
}

fn asks_nothing(prompt: &str) {
    assert_eq!(asked(prompt), [], "{prompt}");
}

#[test]
fn english_asks() {
    asks("Explain it in 100 words.", 75, 125, Words);
    asks("Summarize this in two sentences.", 1, 3, Sentences);
    asks("Summarise it in one sentence", 1, 2, Sentences);
    asks("Give me 3 bullet points about cats", 3, 3, Items);
    asks("Write a 200-word essay on rain.", 150, 250, Words);
    asks("Answer in at most 50 words.", 0, 63, Words);
    asks("Keep it under 280 characters", 0, 350, Characters);
    asks("Use at least three paragraphs.", 2, u64::MAX, Paragraphs);
    asks("Answer with 50 words or less", 0, 63, Words);
    asks("Write between 100 and 200 words.", 75, 250, Words);
    asks("Reply in 2-3 short sentences", 1, 4, Sentences);
    asks("Write 1,000 words on bees.", 750, 1250, Words);
}

#[test]
fn other_languages_ask() {
    asks("Fasse das in 100 Wörtern zusammen.", 75, 125, Words);
    asks("Antworte in höchstens zwei Sätzen.", 0, 3, Sentences);
    asks("Erkläre es in einem Satz.", 1, 2, Sentences);
    asks("Nenne es in drei Stichpunkten", 3, 3, Items);
    asks("Résume ce texte en deux phrases.", 1, 3, Sentences);
    asks("Explique en moins de 100 mots", 0, 125, Words);
    asks("Resume esto en 50 palabras.", 37, 63, Words);
    asks("Explícalo en una frase", 1, 2, Sentences);
    asks("请用100字概括。", 75, 125, Characters);
    asks("用两句话总结", 1, 3, Sentences);
    asks("请写一篇300字左右的短文", 225, 375, Characters);
    asks("总结成文，不超过200字", 0, 250, Characters);
    asks("用三个要点说明", 3, 3, Items);
    asks("لخص النص في 100 كلمة", 75, 125, Words);
    asks("اشرح ذلك في جملتين", 1, 3, Sentences);
    asks("أجب في جملة واحدة", 1, 2, Sentences);
    asks("لخص في ثلاث نقاط", 3, 3, Items);
}

#[test]
fn numbers_that_are_no_length_are_no_matter() {
    asks_nothing("What are the 100 words used most in English?");
    asks_nothing("Correct the following two sentences: I is. You am.");
    asks_nothing("List 5 cities, each in 10 words.");
    asks_nothing("Give me 3 ideas with 2 sentences per idea.");
    asks_nothing("How many words are in this text?");
    asks_nothing("Translate the first two sentences of the text.");
    asks_nothing("Sort this set of five words: a, b, c, d, e.");
    asks_nothing("The clusters have two points and a distance of 4 points.");
    asks_nothing("Pick the ending of a five-sentence story.");
    asks_nothing("A story consists of exactly 5 sentences, which one is missing?");
    asks_nothing("Provide:\n1. A title\n2. Give me two sentences on its use\n3. A price");
    asks_nothing("这篇文章有300字吗？");
}

#[test]
fn several_lengths_are_not_judged() {
    let length = Length { fixed: None, from_prompt: true };
    let prompt = "Answer in 3 bullet points, in at most 50 words.";
    let found = super::check(&length, prompt, "No.");
    assert!(found.passed);
    assert_eq!(found.why, "the prompt asks for 2 lengths, none is judged");
}

#[test]
fn a_configured_length_holds_beside_the_one_asked_for() {
    let fixed = Some(Band { least: 0, most: 5, unit: Words });
    let length = Length { fixed, from_prompt: true };
    let check = |prompt: &str, passes: bool, why: &str| {
        let found = super::check(&length, prompt, "One two three four.");
        assert_eq!((found.passed, found.why.as_str()), (passes, why));
    };
    check("Go on.", true, "4 words, at most 5 configured");
    let both = "4 words, at most 5 configured; 1 sentences, 1 to 2 asked for";
    check("In one sentence, please.", true, both);
    check("Go on in at least 10 words.", false, "4 words, at least 7 asked for");
}
