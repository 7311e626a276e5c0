//! What differs between the two dialects that scripts speak: errors, and where a stream ends.

use bytes::Bytes;
use serde_json::{Value, json};

/// A dialect that scripts speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAI's chat completions.
    Chat,
    /// Anthropic's messages.
    Messages,
}

/// What went wrong, in both dialects' words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrong {
    /// The statuses it goes with.
    statuses: &'static [u16],
    /// What is said.
    pub(super) message: &'static str,
    /// OpenAI's type and code.
    chat: (&'static str, Option<&'static str>),
    /// Anthropic's type.
    messages: &'static str,
}

const INVALID: &str = "invalid_request_error";

/// Errors by status; the last row is for every other one.
const WRONG: [Wrong; 10] = [
    wrong(
        &[401],
        "Incorrect API key provided.",
        (INVALID, Some("invalid_api_key")),
        "authentication_error",
    ),
    wrong(
        &[402],
        "You exceeded your current quota, please check your plan and billing details.",
        ("insufficient_quota", Some("insufficient_quota")),
        "billing_error",
    ),
    wrong(
        &[403],
        "The project does not have access to this model.",
        (INVALID, Some("model_not_allowed")),
        "permission_error",
    ),
    wrong(
        &[404],
        "The model does not exist.",
        (INVALID, Some("model_not_found")),
        "not_found_error",
    ),
    wrong(
        &[408, 504],
        "The model did not answer in time.",
        ("timeout", Some("timeout")),
        "timeout_error",
    ),
    wrong(&[413], "The request is too large.", (INVALID, None), "request_too_large"),
    wrong(
        &[429],
        "Rate limit reached for requests.",
        ("requests", Some("rate_limit_exceeded")),
        "rate_limit_error",
    ),
    wrong(&[529], "Overloaded", ("overloaded_error", None), "overloaded_error"),
    wrong(&[400, 405, 406, 409, 422], "The request is not acceptable.", (INVALID, None), INVALID),
    wrong(
        &[],
        "The server had an error while processing your request.",
        ("server_error", None),
        "api_error",
    ),
];

const fn wrong(
    statuses: &'static [u16],
    message: &'static str,
    chat: (&'static str, Option<&'static str>),
    messages: &'static str,
) -> Wrong {
    Wrong { statuses, message, chat, messages }
}

impl Wrong {
    /// Returns what usually goes with a status.
    pub(super) fn with(status: u16) -> &'static Self {
        let by_status = WRONG.iter().find(|wrong| wrong.statuses.contains(&status));
        let other =
            &WRONG[if (400..500).contains(&status) { WRONG.len() - 2 } else { WRONG.len() - 1 }];
        by_status.unwrap_or(other)
    }
}

impl Dialect {
    /// Says which dialect is spoken at a path.
    pub(super) fn at(path: &str) -> Self {
        if path.ends_with("/messages") { Self::Messages } else { Self::Chat }
    }

    /// Writes an error with a message of its own.
    pub(super) fn error(self, wrong: &Wrong, message: &str) -> Value {
        match self {
            Self::Chat => json!({"error": {
                "message": message, "type": wrong.chat.0, "param": null, "code": wrong.chat.1,
            }}),
            Self::Messages => json!({
                "type": "error", "error": {"type": wrong.messages, "message": message},
                "request_id": "req_scripted",
            }),
        }
    }

    /// Writes an event.
    pub(super) fn event(self, data: &Value) -> Bytes {
        match (self, data.get("type").and_then(Value::as_str)) {
            (Self::Messages, Some(kind)) => Bytes::from(format!("event: {kind}\ndata: {data}\n\n")),
            _ => Bytes::from(format!("data: {data}\n\n")),
        }
    }

    /// Says whether an event is the end of its stream.
    pub(super) fn is_end(frame: &Bytes) -> bool {
        data(frame) == Some(b"[DONE]") || kind(frame).as_deref() == Some("message_stop")
    }

    /// Says whether an event tells why the answer ends.
    pub(super) fn finishes(frame: &Bytes) -> bool {
        let Some(chunk) = json_of(frame) else { return false };
        let choices = chunk.get("choices").and_then(Value::as_array).map(Vec::as_slice);
        let finished =
            |choice: &Value| choice.get("finish_reason").is_some_and(|why| !why.is_null());
        choices.unwrap_or_default().iter().any(finished)
            || kind(frame).as_deref() == Some("message_delta")
    }
}

/// Returns the JSON of an event.
pub(super) fn json_of(frame: &Bytes) -> Option<Value> {
    serde_json::from_slice(data(frame)?).ok()
}

fn kind(frame: &Bytes) -> Option<String> {
    json_of(frame)?.get("type")?.as_str().map(str::to_owned)
}

fn data(frame: &Bytes) -> Option<&[u8]> {
    let mut lines = frame.split(|byte| *byte == b'\n');
    lines.find_map(|line| line.strip_prefix(b"data:")).map(<[u8]>::trim_ascii)
}
