use ir::Finish;

use super::{Beginning, OPENINGS, SHORT, beginning};
use crate::Answer;

fn refuses(text: &str) {
    assert_eq!(beginning(text), Beginning::Refuses, "{text}");
}

fn answers(text: &str) {
    let answer = Answer { text: text.into(), ..Answer::default() };
    assert!(super::check(&answer).passed, "{text}");
}

#[test]
fn a_refusal_is_told_in_many_languages() {
    refuses("I'm sorry, but I can't help with that.");
    refuses("I’m sorry, but I cannot assist with that request.");
    refuses("I can't help with that.");
    refuses("I cannot provide instructions for making weapons.");
    refuses("I'm unable to assist with that.");
    refuses("Sorry, I can't comply with this request.");
    refuses("As an AI language model, I cannot generate that content.");
    refuses("I must respectfully decline to write that.");
    refuses("I won't help you with hurting anyone.");
    refuses("I'm not able to help with this request.");
    refuses("**I apologize, but I cannot engage in this.**");
    refuses("Es tut mir leid, aber ich kann Ihnen dabei nicht helfen.");
    refuses("Leider kann ich diese Anfrage nicht beantworten.");
    refuses("Je suis désolé, mais je ne peux pas vous aider avec cela.");
    refuses("Lo siento, pero no puedo ayudar con eso.");
    refuses("Desculpe, mas não posso ajudar com isso.");
    refuses("Mi dispiace, ma non posso aiutarti con questa richiesta.");
    refuses("Het spijt me, maar ik kan je daar niet mee helpen.");
    refuses("Извините, но я не могу помочь с этим запросом.");
    refuses("很抱歉，我无法提供这方面的帮助。");
    refuses("对不起，我不能协助您完成这个请求。");
    refuses("作为一个人工智能助手，我无法提供此类信息。");
    refuses("申し訳ありませんが、そのご要望にはお応えできません。");
    refuses("죄송하지만 그 요청은 도와드릴 수 없습니다.");
    refuses("عذرًا، لا أستطيع مساعدتك في هذا الطلب.");
    refuses("آسف، لا يمكنني تقديم هذه المعلومات.");
}

#[test]
fn what_only_sounds_like_one_is_an_answer() {
    answers("I can't recommend this book enough!");
    answers("I cannot help but admire how the light falls.");
    answers("I can't believe it is already Friday.");
    answers("I'm sorry to hear that you are unwell. Rest and drink water.");
    answers("I'm sorry for your loss. She will be missed.");
    answers("Sorry for the confusion! The result is 42.");
    answers("I apologize for the mistake. The capital is Canberra.");
    answers("Unfortunately, the shop cannot provide refunds after thirty days.");
    answers("Thank you for your order. It cannot be shipped today.");
    answers("I won't go into detail here: the answer is yes.");
    answers("I could not find the file in the folder.");
    answers("I don't have that information in the documents.");
    answers("\"I'm sorry, Dave. I'm afraid I can't do that\" is said by HAL 9000.");
    answers("Ich kann das Buch nicht genug empfehlen.");
    answers("Leider regnet es heute, nimm einen Schirm mit.");
    answers("Lo siento mucho por tu pérdida.");
    answers("抱歉让您久等了，答案是四十二。");
    answers("The model says: I can't help with that.");
}

#[test]
fn a_long_text_goes_on_to_something() {
    let text = format!("I can't help with that. {}", "But this may be of use. ".repeat(SHORT / 20));
    answers(&text);
}

#[test]
fn a_refusal_said_apart_counts_at_once() {
    let apart = Answer { refusal: Some("No.".into()), ..Answer::default() };
    assert!(!super::check(&apart).passed);
    let ended = Answer { finish: Some(&Finish::Refusal), ..Answer::default() };
    assert!(!super::check(&ended).passed);
}

#[test]
fn every_opening_is_in_the_spelling_it_is_compared_in() {
    for opening in OPENINGS {
        assert_eq!(super::fold(opening), opening);
    }
}
