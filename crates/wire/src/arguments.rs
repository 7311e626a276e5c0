//! A call's arguments as a JSON object, for dialects that take no text.
//!
//! The object is the model's own text wherever that is one, so that no number changes its digits.

use ir::{CallKind, ToolCall};
use serde_json::value::RawValue;

use crate::json;
use crate::losses::Losses;
use crate::undo::FREE_TEXT;

/// Returns the text of an object that says what a call's arguments say: free text, and what is no
/// object, stands in its one field.
pub(crate) fn object(call: &ToolCall, path: &str, losses: &mut Losses) -> String {
    let text = call.arguments.0.trim();
    if call.kind == CallKind::Custom {
        return wrapped(&call.arguments.0);
    }
    if text.is_empty() {
        return "{}".to_owned();
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) if raw.get().starts_with('{') => raw.get().to_owned(),
        _ => {
            losses.because(path, "the arguments are no JSON object, and stand here in one");
            wrapped(text)
        }
    }
}

/// Returns the arguments as dialects that take a text spell none: an empty object, where others may
/// say nothing at all.
pub(crate) fn said(call: &ToolCall, home: bool) -> &str {
    let nothing = !home && call.kind == CallKind::Function && call.arguments.0.trim().is_empty();
    if nothing { "{}" } else { &call.arguments.0 }
}

/// Returns an object with free text in its one field.
pub(crate) fn wrapped(text: &str) -> String {
    let mut out = Vec::new();
    json::object(&mut out, |object| object.field(FREE_TEXT, text));
    String::from_utf8(out).expect("invariant: JSON written from text is text")
}
