//! The frames of a stream: named, numbered, one JSON object each.

use ir::{Failure, RawJson};

use super::super::failure;
use crate::failures::Context;
use crate::json::{self, Object};
use crate::sse;

/// Numbers the frames of one stream.
#[derive(Debug, Default)]
pub(super) struct Frames {
    sent: u64,
}

impl Frames {
    /// Writes the next frame.
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        kind: &str,
        fill: impl FnOnce(&mut Object<'_>),
    ) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'\n');
        let mut data = Vec::with_capacity(256);
        json::object(&mut data, |frame| {
            frame.field("type", kind);
            frame.field("sequence_number", &self.sent);
            fill(frame);
        });
        sse::write(out, &data);
        self.sent += 1;
    }

    /// Writes a frame about a piece of an item: of its content, of its summary, or its only one.
    pub(super) fn of(
        &mut self,
        out: &mut Vec<u8>,
        kind: &str,
        place: &Place<'_>,
        fill: impl FnOnce(&mut Object<'_>),
    ) {
        self.write(out, kind, |frame| {
            frame.field("item_id", place.item);
            frame.field("output_index", &place.index);
            if let Some((name, at)) = place.piece {
                frame.field(name, &at);
            }
            fill(frame);
        });
    }

    /// Writes the frame that begins or ends an item.
    pub(super) fn item(&mut self, out: &mut Vec<u8>, kind: &str, index: usize, item: &[u8]) {
        self.write(out, kind, |frame| {
            frame.field("output_index", &index);
            frame.with("item", |out| out.extend_from_slice(item));
        });
    }

    /// Writes the frame that ends the stream badly. The official SDK raises its `APIError` for any
    /// frame with an `error`, and for no other: `response.failed` would pass as an event, and the
    /// published fields beside it alone as well.
    pub(super) fn failure(&mut self, failure: &Failure, context: &Context, out: &mut Vec<u8>) {
        let (_, body) = failure::write(failure, context);
        let body: Option<RawJson> =
            String::from_utf8(body).ok().and_then(|text| RawJson::parse(text).ok());
        let error = body.map(|body| body.value()["error"].to_string());
        self.write(out, "error", |frame| {
            frame.field("code", failure.kind.code());
            frame.field("message", &failure.message);
            frame.field("param", &failure.param);
            if let Some(error) = error {
                frame.with("error", |out| out.extend_from_slice(error.as_bytes()));
            }
        });
    }
}

/// Where a piece stands.
#[derive(Debug)]
pub(super) struct Place<'i> {
    /// The id of its item.
    pub(super) item: &'i str,
    /// Its item's place in the answer.
    pub(super) index: usize,
    /// Its number in the item, and what it is numbered among.
    pub(super) piece: Option<(&'static str, usize)>,
}

/// Writes the frame that ends a stream badly, when nothing is known of the frames before it.
pub fn failure_frame(failure: &Failure, context: &Context, out: &mut Vec<u8>) {
    Frames::default().failure(failure, context, out);
}
