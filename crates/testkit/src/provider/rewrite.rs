//! Changes the bytes of a good answer and leaves the HTTP message in order: the faults that a
//! proxy would not notice.

use bytes::Bytes;
use serde_json::{Value, json};

use super::dialect::{Dialect, json_of};
use super::exchange::Head;
use super::spoil::{Good, Kind};

use crate::Fault;

const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";
/// What OpenRouter sends before unstreamed JSON while it waits.
const BLANK_LINE: &[u8] = b"\n         \n";
/// The head of a gzip stream, then bytes that begin no UTF-8 sequence.
pub(super) const GARBAGE: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x4a\xff\xfe\x80\xc0\xf5\
    \x00\x0a\x0d\xbf\x92\x53\xb2\xb2\x8a\x8e\x05\x00\x9c\xd1";

impl Good {
    /// Changes the bytes of the answer.
    pub(super) fn rewritten(self, fault: &Fault) -> Self {
        let Self { dialect, mut head, frames, kind } = self;
        let frames = match (fault, kind) {
            (Fault::Empty, _) => Vec::new(),
            (Fault::Garbage, _) => vec![Bytes::from_static(GARBAGE)],
            (Fault::WrongType, _) => {
                retype(&mut head);
                frames
            }
            (Fault::OneByteAtATime, _) => {
                frames.iter().flat_map(|frame| divide(frame, frame.len())).collect()
            }
            (Fault::NoUsage, _) => frames.iter().filter_map(without_usage).collect(),
            (Fault::BrokenJson | Fault::MalformedAfter(_), Kind::Whole) => {
                frames.iter().flat_map(|body| divide(body, 2)).take(1).collect()
            }
            // The first event carries no content; losing it would break less than a word lost
            // half-way.
            (Fault::BrokenJson, Kind::Events) => broken_at(frames, 1),
            (Fault::MalformedAfter(n), Kind::Events) => broken_at(frames, n.saturating_add(1)),
            (Fault::KeepAliveComments, Kind::Whole) => {
                [BLANK_LINE; 3].map(Bytes::from_static).into_iter().chain(frames).collect()
            }
            (Fault::KeepAliveComments, Kind::Events) => with_comments(frames),
            (Fault::Crlf, Kind::Events) => frames.iter().map(crlf).collect(),
            (Fault::NoDone, Kind::Events) => {
                frames.into_iter().filter(|frame| !Dialect::is_end(frame)).collect()
            }
            (Fault::NoFinish, Kind::Events) => {
                let ends = |frame: &Bytes| Dialect::is_end(frame) || Dialect::finishes(frame);
                frames.into_iter().take_while(|frame| !ends(frame)).collect()
            }
            (Fault::DuplicateStart, Kind::Events) => {
                frames.first().cloned().into_iter().chain(frames).collect()
            }
            (Fault::UsageAfterEnd, Kind::Events) => usage_after_end(dialect, &frames),
            _ => frames,
        };
        Self { dialect, head, frames, kind }
    }
}

/// Cuts a body into so many parts.
pub(super) fn divide(body: &Bytes, parts: usize) -> impl Iterator<Item = Bytes> + use<> {
    let size = body.len().div_ceil(parts.max(1)).max(1);
    body.chunks(size).map(|part| body.slice_ref(part)).collect::<Vec<_>>().into_iter()
}

fn retype(head: &mut Head) {
    for (name, value) in &mut head.headers {
        if name.eq_ignore_ascii_case("content-type") {
            "text/plain; charset=utf-8".clone_into(value);
        }
    }
}

fn broken_at(mut frames: Vec<Bytes>, at: usize) -> Vec<Bytes> {
    let at = at.min(frames.len().saturating_sub(1));
    if let Some(frame) = frames.get_mut(at) {
        *frame = Bytes::from([&frame[..frame.len() / 2], b"\n\n"].concat());
    }
    frames
}

fn with_comments(frames: Vec<Bytes>) -> Vec<Bytes> {
    let quiet = [KEEP_ALIVE, b"\n"].map(Bytes::from_static);
    frames.into_iter().flat_map(|frame| quiet.clone().into_iter().chain([frame])).collect()
}

fn crlf(frame: &Bytes) -> Bytes {
    let mut lines = Vec::with_capacity(frame.len() + 4);
    for (at, byte) in frame.iter().enumerate() {
        if *byte == b'\n' && !frame[..at].ends_with(b"\r") {
            lines.push(b'\r');
        }
        lines.push(*byte);
    }
    Bytes::from(lines)
}

/// Takes usage out of an event or a body; an event that was nothing else is gone.
fn without_usage(frame: &Bytes) -> Option<Bytes> {
    let is_event = frame.starts_with(b"data:") || frame.starts_with(b"event:");
    let json = if is_event { json_of(frame) } else { serde_json::from_slice(frame).ok() };
    let Some(Value::Object(mut told)) = json else { return Some(frame.clone()) };
    let had = told.remove("usage").is_some_and(|usage| !usage.is_null());
    if let Some(Value::Object(message)) = told.get_mut("message") {
        message.remove("usage");
    }
    let bare = told.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if had && bare {
        return None;
    }
    let told = Value::Object(told);
    let dialect = if told.get("type").is_some() { Dialect::Messages } else { Dialect::Chat };
    Some(if is_event { dialect.event(&told) } else { Bytes::from(told.to_string()) })
}

fn usage_after_end(dialect: Dialect, frames: &[Bytes]) -> Vec<Bytes> {
    let usage = match dialect {
        Dialect::Chat => json!({
            "id": "chatcmpl-scripted", "object": "chat.completion.chunk", "choices": [],
            "usage": {"prompt_tokens": 4, "completion_tokens": 8, "total_tokens": 12},
        }),
        Dialect::Messages => json!({
            "type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
            "usage": {"output_tokens": 8},
        }),
    };
    frames.iter().filter_map(without_usage).chain([dialect.event(&usage)]).collect()
}
