//! Texts and patterns that an answer must hold, or must not.

use crate::Finding;
use crate::checks::Pattern;

/// Checks that a pattern matches.
pub(crate) fn matches(pattern: &Pattern, text: &str) -> Finding {
    let check = "matches";
    // A line end at the end is nobody's intention, and `$` would stumble over it.
    if pattern.0.is_match(text.trim()) {
        return Finding::pass(check, "the pattern matches");
    }
    Finding::fail(check, format!("the pattern does not match {} bytes", text.len()))
}

/// Checks that every text stands in the answer.
pub(crate) fn must(texts: &[String], text: &str) -> Finding {
    let check = "must_contain";
    let missing: Vec<&str> =
        texts.iter().map(String::as_str).filter(|wanted| !text.contains(wanted)).collect();
    if missing.is_empty() {
        return Finding::pass(check, format!("all {} are there", texts.len()));
    }
    Finding::fail(check, format!("missing: {}", listed(&missing)))
}

/// Checks that none of the texts stands in the answer.
pub(crate) fn must_not(texts: &[String], text: &str) -> Finding {
    let check = "must_not_contain";
    let there: Vec<&str> =
        texts.iter().map(String::as_str).filter(|unwanted| text.contains(unwanted)).collect();
    if there.is_empty() {
        return Finding::pass(check, format!("none of {} is there", texts.len()));
    }
    Finding::fail(check, format!("there: {}", listed(&there)))
}

pub(crate) fn listed(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
