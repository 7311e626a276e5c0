//! What of a request's body a script can see. Lenient on purpose: a provider that answers
//! recordings is asked in every dialect, and the gateway's own reader is what is under test.

use serde_json::Value;

/// Where the dialects keep their turns, and where a turn keeps its text.
const TURNS: [&str; 3] = ["messages", "input", "contents"];
const TEXTS: [&str; 2] = ["content", "parts"];

/// What a request asks, as far as a script cares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ask {
    /// Whether the body is a JSON object at all.
    pub(super) is_json: bool,
    /// The model it names.
    pub(super) model: Option<String>,
    /// The text of the last user message.
    pub(super) said: Option<String>,
    /// Who spoke last.
    pub(super) last_role: Option<String>,
    /// The bytes of text in all turns.
    pub(super) size: usize,
    /// Whether the answer is to be streamed.
    pub(super) mode: Mode,
}

/// How the answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mode {
    /// In one JSON body.
    #[default]
    Whole,
    /// As events, without a word on usage.
    Streamed,
    /// As events, with usage at the end.
    StreamedWithUsage,
}

impl Ask {
    /// Reads what is there; what is not JSON asks nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return Self::default() };
        let turns = TURNS.iter().find_map(|name| body.get(*name));
        let (said, last_role, size) = match turns {
            Some(Value::Array(turns)) => (last_said(turns), last_role(turns), size(turns)),
            Some(Value::String(text)) => (Some(text.clone()), Some("user".to_owned()), text.len()),
            _ => (None, None, 0),
        };
        let is_true = |value: Option<&Value>| value.and_then(Value::as_bool) == Some(true);
        let with_usage =
            body.get("stream_options").and_then(|options| options.get("include_usage"));
        let mode = match (is_true(body.get("stream")), is_true(with_usage)) {
            (false, _) => Mode::Whole,
            (true, false) => Mode::Streamed,
            (true, true) => Mode::StreamedWithUsage,
        };
        let model = body.get("model").and_then(Value::as_str).map(str::to_owned);
        Self { is_json: true, model, said, last_role, size, mode }
    }
}

fn last_said(turns: &[Value]) -> Option<String> {
    turns.iter().rev().find(|turn| role(turn) == Some("user")).map(text)
}

fn last_role(turns: &[Value]) -> Option<String> {
    turns.last().and_then(role).map(str::to_owned)
}

fn size(turns: &[Value]) -> usize {
    turns.iter().map(|turn| text(turn).len()).sum()
}

fn role(turn: &Value) -> Option<&str> {
    turn.get("role").and_then(Value::as_str)
}

fn text(turn: &Value) -> String {
    let content = TEXTS.iter().find_map(|name| turn.get(*name));
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> Option<String> {
        Ask::read(body.as_bytes()).said
    }

    #[test]
    fn the_last_user_message_is_what_was_said() {
        let body = r#"{"messages":[{"role":"user","content":"one"},{"role":"user","content":"two"},
            {"role":"assistant","content":"three"}]}"#;
        assert_eq!(said(body).as_deref(), Some("two"));
        assert_eq!(Ask::read(body.as_bytes()).last_role.as_deref(), Some("assistant"));
        assert_eq!(Ask::read(body.as_bytes()).size, "onetwothree".len());
    }

    #[test]
    fn text_is_found_in_parts_and_in_other_dialects() {
        for body in [
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url"}]}]}"#,
            r#"{"input":"hi"}"#,
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
        ] {
            assert_eq!(said(body).as_deref(), Some("hi"), "{body}");
        }
    }

    #[test]
    fn usage_is_sent_only_in_a_stream_that_asks_for_it() {
        let mode = |body: &str| Ask::read(body.as_bytes()).mode;
        assert_eq!(mode(r#"{"stream_options":{"include_usage":true}}"#), Mode::Whole);
        assert_eq!(mode(r#"{"stream":true}"#), Mode::Streamed);
        let with = r#"{"stream":true,"stream_options":{"include_usage":true}}"#;
        assert_eq!(mode(with), Mode::StreamedWithUsage);
    }

    #[test]
    fn what_is_not_json_asks_nothing() {
        assert_eq!(Ask::read(b"model=gpt"), Ask::default());
        assert_eq!(Ask::read(b"[1]"), Ask::default());
    }
}
