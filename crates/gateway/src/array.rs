//! Google's stream for clients that did not ask for server-sent events: one JSON array, an element
//! an event.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, Stream};
use hyper::Uri;
use hyper::body::Frame;
use wire::sse::Splitter;

/// Returns whether a client wants its stream as an array.
pub(crate) fn wanted(uri: &Uri) -> bool {
    !uri.query().unwrap_or_default().split('&').any(|pair| pair == "alt=sse")
}

/// Rewrites events as the elements of an array.
pub(crate) fn array(
    events: impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static {
    let mut elements = Elements::default();
    let pieces = events.map(Some).chain(stream::once(async { None }));
    pieces.map(move |piece| {
        let bytes = match piece {
            Some(Ok(frame)) => elements.take(&frame.into_data().unwrap_or_default()),
            Some(Err(never)) => match never {},
            None => elements.end(),
        };
        Ok(Frame::data(bytes))
    })
}

#[derive(Default)]
struct Elements {
    splitter: Splitter,
    begun: bool,
}

impl Elements {
    fn take(&mut self, bytes: &[u8]) -> Bytes {
        self.splitter.push(bytes);
        let mut out = Vec::new();
        // A frame too large was refused where it came in.
        while let Ok(Some(frame)) = self.splitter.next_frame() {
            self.add(frame.data, &mut out);
        }
        out.into()
    }

    fn end(&mut self) -> Bytes {
        let mut out = Vec::new();
        let last = self.splitter.finish().and_then(|frame| frame.data);
        self.add(last, &mut out);
        out.extend_from_slice(if self.begun { b"]" } else { b"[]" });
        out.into()
    }

    fn add(&mut self, data: Option<Bytes>, out: &mut Vec<u8>) {
        let Some(data) = data else { return };
        out.extend_from_slice(if self.begun { b",\r\n" } else { b"[" });
        self.begun = true;
        out.extend_from_slice(&data);
    }
}

#[cfg(test)]
mod tests {
    use super::Elements;

    #[test]
    fn events_become_elements_wherever_they_are_cut() {
        let events = b"data: {\"a\":1}\r\n\r\n: still here\n\ndata: {\"b\":2}\n\n";
        for size in [1, 5, 100] {
            let mut elements = Elements::default();
            let mut out: Vec<u8> = Vec::new();
            events.chunks(size).for_each(|piece| out.extend(elements.take(piece)));
            out.extend(elements.end());
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(read, serde_json::json!([{"a": 1}, {"b": 2}]));
        }
        assert_eq!(&Elements::default().end()[..], b"[]");
    }
}
