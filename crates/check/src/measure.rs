//! Counting words, characters, sentences, paragraphs and items of a list, as people count them.

use crate::Unit;

/// Words that end in a stop and end no sentence.
const ABBREVIATIONS: [&str; 28] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "approx", "no", "fig", "vol", "inc", "ltd",
    "jr", "sr", "bzw", "ca", "nr", "usw", "evtl", "ggf", "sog", "av", "sra", "cf", "al", "bspw",
];

/// Counts a text.
pub(crate) fn count(unit: Unit, text: &str) -> u64 {
    let count = match unit {
        Unit::Words => words(text),
        Unit::Characters => text.chars().filter(|c| !c.is_whitespace()).count(),
        Unit::Sentences => paragraphs(text).map(|paragraph| sentences(&paragraph)).sum(),
        Unit::Paragraphs => paragraphs(text).count(),
        Unit::Items => items(text),
    };
    count as u64
}

/// Counts words: runs of letters and digits, with the hyphens and apostrophes inside of them.
fn words(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for c in text.chars() {
        if stands_alone(c) {
            count += 1;
            inside = false;
        } else if c.is_alphanumeric() {
            count += usize::from(!inside);
            inside = true;
        } else if c.is_whitespace() || "—–/…，。、！？：；،؛؟".contains(c) {
            inside = false;
        }
    }
    count
}

/// Whether a character counts as a word: those of scripts that put no space between words.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
        && c.is_alphanumeric()
}

/// Returns the blocks between blank lines that say something; headings and rules say nothing.
fn paragraphs(text: &str) -> impl Iterator<Item = String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            blocks.push(String::new());
        } else if let Some(block) = blocks.last_mut()
            && !line.starts_with('#')
        {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks.into_iter().filter(|block| block.contains(char::is_alphanumeric))
}

/// Counts the sentences of a paragraph; what follows the last stop is one too.
fn sentences(paragraph: &str) -> usize {
    let mut count = 0;
    let mut said = false;
    for (at, c) in paragraph.char_indices() {
        let after = &paragraph[at + c.len_utf8()..];
        if c.is_alphanumeric() {
            said = true;
        } else if said && ends(c, &paragraph[..at], after) {
            count += 1;
            said = false;
        }
    }
    count + usize::from(said)
}

/// Whether a character ends a sentence, by what stands before and after it.
fn ends(c: char, before: &str, after: &str) -> bool {
    match c {
        '。' | '！' | '？' | '؟' | '।' => true,
        // An item of a list is a sentence.
        '\n' => marker(after).is_some(),
        '.' | '!' | '?' | '…' => {
            let mut after =
                after.trim_start_matches(['"', '\'', '”', '’', '»', ')', '*', '_', '.']);
            let spaced = after.is_empty() || after.starts_with(char::is_whitespace);
            after = after.trim_start();
            let goes_on = after.starts_with(char::is_lowercase);
            spaced && !goes_on && (c != '.' || !abbreviated(before))
        }
        _ => false,
    }
}

/// Whether a text ends in what takes a stop without ending: a title, an initial, a list's number.
fn abbreviated(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let lower = word.to_lowercase();
    let one_letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let number = before.lines().last().is_some_and(|line| {
        let line = line.trim();
        !line.is_empty() && line.chars().all(|c| c.is_ascii_digit())
    });
    one_letter
        || number
        || word.contains('.') && !word.contains(char::is_numeric)
        || ABBREVIATIONS.contains(&lower.as_str())
}

/// Counts the items of a list: those of its outermost level.
fn items(text: &str) -> usize {
    let indents: Vec<usize> = text.lines().filter_map(marker).collect();
    let outermost = indents.iter().min().copied().unwrap_or(0);
    indents.iter().filter(|indent| **indent <= outermost + 1).count()
}

/// Returns the indentation of a line that begins an item.
pub(crate) fn marker(line: &str) -> Option<usize> {
    let item = line.trim_start();
    let indent = line.len() - item.len();
    let digits = item.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < item.len() && digits.starts_with(['.', ')', '、']);
    let bullet = ["- ", "* ", "+ ", "•", "– ", "· ", "‣", "◦", "・"];
    let bulleted = bullet.iter().any(|bullet| item.starts_with(bullet));
    (bulleted || numbered && !digits[1..].starts_with(|c: char| c.is_ascii_digit()))
        .then_some(indent)
}

#[cfg(test)]
mod tests;
