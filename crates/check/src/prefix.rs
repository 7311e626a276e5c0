//! Whether the beginning of a streamed answer is one that may go out.
//!
//! A stream is held only until this is decided, so it is decided by the first characters: JSON by
//! its bracket and its first key, a call by its tool's name, text by not being a refusal.

use serde_json::Value;

use crate::refusal::{self, Beginning};
use crate::{Shape, Wanted};

/// More white space than this before an answer is an answer that never begins.
const MOST_SPACE: usize = 1_000;

/// Text that begins like a refusal is held for so many characters.
const HELD: usize = 80;

/// What can be said of an answer's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing yet.
    Undecided,
    /// It is a valid beginning.
    Valid,
    /// It is not, for this reason, which quotes nothing.
    Invalid(String),
}

/// Judges the beginning of an answer: the text so far, and the tool that is being called.
pub fn prefix(wanted: &Wanted, text: &str, called: Option<&str>) -> Prefix {
    if let Some(name) = called {
        let offered = wanted.hosted_tools || wanted.tools.iter().any(|tool| tool.name == name);
        return if offered { Prefix::Valid } else { invalid("the tool was not offered") };
    }
    let begun = text.trim_start();
    if begun.is_empty() {
        let endless = text.len() > MOST_SPACE;
        return if endless { invalid("white space and no end of it") } else { Prefix::Undecided };
    }
    match &wanted.shape {
        Shape::Text => of_text(begun),
        Shape::Json => of_json(begun, &Value::Null),
        Shape::Schema(schema) => of_json(begun, schema.said()),
    }
}

/// Judges the beginning of an answer of which nothing more comes: JSON that had not begun by then never
/// does, and a text that only might have become a refusal is none.
pub fn prefix_at_end(wanted: &Wanted, text: &str, called: Option<&str>) -> Prefix {
    match prefix(wanted, text, called) {
        Prefix::Undecided if wanted.shape == Shape::Text => Prefix::Valid,
        Prefix::Undecided => invalid("it ended before its JSON had begun"),
        decided => decided,
    }
}

fn of_text(text: &str) -> Prefix {
    match refusal::beginning(text) {
        Beginning::Refuses => invalid("begins as a refusal"),
        Beginning::MayRefuse if text.chars().count() < HELD => Prefix::Undecided,
        Beginning::MayRefuse | Beginning::Answers => Prefix::Valid,
    }
}

fn of_json(text: &str, schema: &Value) -> Prefix {
    let of_type = schema.get("type").and_then(Value::as_str);
    match (text.as_bytes().first(), of_type) {
        (Some(b'{'), None | Some("object")) => first_key(&text[1..], schema),
        (Some(b'['), None | Some("array")) => Prefix::Valid,
        (_, None | Some("object" | "array")) => invalid("begins with another bracket or none"),
        // A bare text or number begins in too many ways to be held for.
        (_, Some(_)) => Prefix::Valid,
    }
}

/// Judges an object by its first key, once that is complete.
fn first_key(inside: &str, schema: &Value) -> Prefix {
    let inside = inside.trim_start();
    match inside.chars().next() {
        None => return Prefix::Undecided,
        Some('}') => return Prefix::Valid,
        Some('"') => {}
        Some(_) => return invalid("an object without a quoted key"),
    }
    let Some(end) = end_of_string(inside) else { return Prefix::Undecided };
    let Ok(key) = serde_json::from_str::<String>(&inside[..end]) else {
        return invalid("its first key is no JSON");
    };
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false))
        && schema.get("patternProperties").is_none();
    let properties = schema.get("properties").and_then(Value::as_object);
    match properties.filter(|_| closed) {
        Some(known) if !known.contains_key(&key) => invalid("its first key is not of the schema"),
        _ => Prefix::Valid,
    }
}

/// Returns the length of the string that a text begins with, its quotes included.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn invalid(why: &str) -> Prefix {
    Prefix::Invalid(why.to_owned())
}

#[cfg(test)]
mod tests;
