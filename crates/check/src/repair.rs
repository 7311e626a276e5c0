//! Near-JSON to JSON: what models write around it and into it, taken away.
//!
//! Mended are fences, prose around one value, trailing commas, comments, single quotes, keys
//! without quotes, Python's `True`, `False` and `None`, line ends and stray backslashes in strings,
//! and brackets left open at the very end. Nothing is mended by guessing a value: a string, a key
//! or a list that breaks off stays broken. Of several values in one text none is chosen.

mod mender;

use serde_json::Value;

use mender::mend_at;

/// So many brackets of prose are looked behind for JSON.
const MOST_STARTS: usize = 64;

/// Whether brackets that are open at the end may be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// They may: the answer ended by itself.
    Close,
    /// They may not: the answer was cut, and something is missing.
    Keep,
}

/// Mends a text that is nearly JSON; nothing where it is not near.
///
/// JSON comes back as it is; what comes back always parses; no value is invented.
///
/// ```
/// let answer = "Here it is:\n```json\n{'ok': True, 'n': [1, 2,],}\n```";
/// assert_eq!(check::repair(answer).as_deref(), Some(r#"{"ok":true,"n":[1,2]}"#));
/// assert_eq!(check::repair("no JSON at all"), None);
/// ```
pub fn repair(text: &str) -> Option<String> {
    mend(text, Open::Close)
}

pub(crate) fn mend(text: &str, open: Open) -> Option<String> {
    if parses(text) {
        return Some(text.to_owned());
    }
    let bare = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if let Some(json) = [bare, unfenced(bare)].into_iter().find(|json| parses(json)) {
        return Some(json.to_owned());
    }
    let mut found = None;
    let mut at = 0;
    for _ in 0..MOST_STARTS {
        let Some(offset) = bare[at..].find(['{', '[']) else { return found };
        let start = at + offset;
        let mended = mend_at(bare, start, open);
        let Some((json, end)) = mended.filter(|(json, end)| stands(bare, start, *end, json)) else {
            // What is inside of brackets that are no JSON is a piece of something, and no answer.
            at = start + balanced(&bare[start..])?;
            continue;
        };
        if found.replace(json).is_some() {
            return None;
        }
        at = end;
    }
    None
}

/// Returns the inside of a text that is one fenced block, and any other text as it is.
fn unfenced(text: &str) -> &str {
    let inside = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    let without_info = inside.and_then(|inside| inside.split_once('\n'));
    without_info.map_or(text, |(_, inside)| inside.trim())
}

/// Returns whether a mended value stands for itself: it parses, it holds something, and a list in
/// prose has a place of its own, as `[1]` after a word has not.
fn stands(text: &str, start: usize, end: usize, json: &str) -> bool {
    if !parses(json) || json == "{}" || json == "[]" {
        return false;
    }
    if json.starts_with('{') {
        return true;
    }
    let before = text[..start].trim_end_matches([' ', '\t']);
    let after = text[end..].trim_start_matches([' ', '\t', '`', '.']);
    let begins = before.is_empty() || before.ends_with(['\n', ':']);
    begins && (after.is_empty() || after.starts_with(['\n', '\r']))
}

/// Returns the length of a text up to the bracket that closes its first one.
fn balanced(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(at + c.len_utf8());
        }
    }
    None
}

fn parses(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

#[cfg(test)]
mod tests;
