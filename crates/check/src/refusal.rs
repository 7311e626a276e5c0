//! Whether an answer is a refusal: said apart from text, given as the reason why it ended, or a
//! short text that begins with a well-known phrase.
//!
//! A phrase is an inability and what it is about ("I can't help with"): "I can't recommend this
//! book enough" is none. Not finding something, or not knowing it, is an answer.

mod phrases;

use std::sync::LazyLock;

use ir::Finish;
use regex::RegexSet;

use crate::{Answer, Finding};
use phrases::{OPENINGS, PHRASES};

/// Longer texts are no refusals, however they begin: they go on to something.
const SHORT: usize = 600;

/// Phrases are looked for in so many characters from the beginning.
const HEAD: usize = 240;

static REFUSALS: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(PHRASES).expect("invariant: the phrases are tested to compile"));

/// How a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// As a refusal.
    Refuses,
    /// As refusals do and other answers too; more of it would tell.
    MayRefuse,
    /// As no refusal.
    Answers,
}

/// Checks that an answer is no refusal.
pub(crate) fn check(answer: &Answer<'_>) -> Finding {
    let check = "refusal";
    if answer.refusal.is_some() || answer.finish == Some(&Finish::Refusal) {
        return Finding::fail(check, "the model says that it refuses");
    }
    let size = answer.text.trim().chars().count();
    if size > SHORT {
        return Finding::pass(check, format!("{size} characters are too many for a refusal"));
    }
    match beginning(&answer.text) {
        Beginning::Refuses => Finding::fail(check, format!("{size} characters, a refusal")),
        _ => Finding::pass(check, "no phrase of a refusal"),
    }
}

/// Judges how a text begins.
pub(crate) fn beginning(text: &str) -> Beginning {
    let head = fold(text);
    if REFUSALS.is_match(&head) {
        return Beginning::Refuses;
    }
    let begins = |opening: &&str| head.starts_with(*opening) || opening.starts_with(&head);
    if OPENINGS.iter().any(begins) {
        return Beginning::MayRefuse;
    }
    Beginning::Answers
}

/// Returns the beginning of a text in lower case, from its first letter, with plain apostrophes.
fn fold(text: &str) -> String {
    let from_letter = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let head: String = from_letter.chars().take(HEAD).collect();
    head.to_lowercase().replace(['’', '‘', '`'], "'").replace(['\u{a0}', '\n'], " ")
}

#[cfg(test)]
mod tests;
