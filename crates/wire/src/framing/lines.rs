//! Lines of JSON (`application/x-ndjson`): a frame a line.

use bytes::BytesMut;

use super::BadFraming;
use crate::sse::{FRAME_LIMIT, Frame};

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub struct Splitter {
    held: BytesMut,
    /// Where the search for the next line end goes on.
    searched: usize,
}

impl Splitter {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Cuts off the next complete line.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BadFraming> {
        match memchr::memchr(b'\n', &self.held[self.searched..]) {
            Some(found) => Ok(Some(self.cut(self.searched + found + 1))),
            None if self.held.len() > FRAME_LIMIT => {
                Err(BadFraming(format!("a line of the stream is larger than {FRAME_LIMIT} bytes")))
            }
            None => {
                self.searched = self.held.len();
                Ok(None)
            }
        }
    }

    /// Returns what is left when the stream ends: a line whose end never came.
    pub fn finish(&mut self) -> Option<Frame> {
        let left = self.held.len();
        (left > 0).then(|| self.cut(left))
    }

    fn cut(&mut self, end: usize) -> Frame {
        self.searched = 0;
        let raw = self.held.split_to(end).freeze();
        let start = if raw.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let text = raw[start..].trim_ascii();
        let data = (!text.is_empty()).then(|| raw.slice_ref(text));
        Frame { raw, event: None, data }
    }
}

#[cfg(test)]
mod tests {
    use super::Splitter;

    #[test]
    fn a_line_is_a_frame_wherever_the_bytes_are_cut() {
        for size in 1..8 {
            let mut splitter = Splitter::default();
            let mut seen = Vec::new();
            for piece in b"{\"a\":1}\r\n\n{\"b\":2}".chunks(size) {
                splitter.push(piece);
                while let Some(frame) = splitter.next_frame().unwrap() {
                    seen.extend(frame.data);
                }
            }
            seen.extend(splitter.finish().and_then(|frame| frame.data));
            assert_eq!(seen, ["{\"a\":1}", "{\"b\":2}"], "{size}");
        }
    }
}
