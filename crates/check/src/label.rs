//! Labels: an answer that is exactly one word of a list.

use crate::checks::Wrong;
use crate::{Finding, contains};

/// A label that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    name: String,
    folded: String,
}

/// Compiles the labels that are allowed.
pub(crate) fn compile(names: &[String]) -> Result<Vec<Label>, Vec<Wrong>> {
    let mut labels: Vec<Label> = Vec::new();
    let mut wrongs = Vec::new();
    if names.is_empty() {
        let help = "name the labels, or leave `labels` out";
        wrongs.push(Wrong::new("labels", "no answer is allowed").help(help));
    }
    for name in names {
        let folded = fold(name);
        if folded.is_empty() {
            wrongs.push(Wrong::new("labels", "a label without a letter or a digit"));
        } else if let Some(same) = labels.iter().find(|label| label.folded == folded) {
            let why = format!("`{name}` and `{}` are the same label", same.name);
            let help = "case, white space and a final stop do not count";
            wrongs.push(Wrong::new("labels", why).help(help));
        }
        labels.push(Label { name: name.clone(), folded });
    }
    if wrongs.is_empty() { Ok(labels) } else { Err(wrongs) }
}

/// Checks that a text is one of the labels.
pub(crate) fn check(labels: &[Label], text: &str) -> Finding {
    let check = "labels";
    let folded = fold(text);
    if let Some(label) = labels.iter().find(|label| label.folded == folded) {
        return Finding::pass(check, format!("`{}`", label.name));
    }
    let lower = text.to_lowercase();
    let inside: Vec<&str> = labels
        .iter()
        .filter(|label| lower.contains(&label.folded))
        .map(|label| label.name.as_str())
        .collect();
    let size = text.trim().chars().count();
    match inside.as_slice() {
        [] => Finding::fail(check, format!("{size} characters, no label among them")),
        inside => {
            let inside = contains::listed(inside);
            Finding::fail(check, format!("{size} characters, not a label alone: {inside}"))
        }
    }
}

/// Folds case, white space, and the quotes, marks and stops around a label.
fn fold(text: &str) -> String {
    let around = |c: char| c.is_whitespace() || "\"'`*_.!,;:“”‘’«»「」。،؛！，".contains(c);
    let words: Vec<&str> = text.trim_matches(around).split_whitespace().collect();
    words.join(" ").to_lowercase()
}
