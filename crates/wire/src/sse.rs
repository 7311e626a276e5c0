//! Server-sent events as the WHATWG HTML standard reads them (§9.2.6), whatever the network does
//! to the bytes: any chunking, LF, CR or CRLF, a byte order mark, comments, several `data:` lines,
//! no blank line after the last event.
//!
//! A [`Frame`] keeps its exact bytes, comments and blank lines included, so that a stream can be
//! passed on byte for byte: the frames of a stream, joined, are the stream.

use bytes::{Bytes, BytesMut};

/// The largest frame taken, in bytes; a provider that never ends an event is cut off here.
pub const FRAME_LIMIT: usize = 16 << 20;

/// What may stand before a stream and belongs to no event.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event as it came, or a run of bytes that carries none (a comment, a stray blank line).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The exact bytes, up to and with the blank line.
    pub raw: Bytes,
    /// The event's name, when it has one.
    pub event: Option<String>,
    /// The event's data; `None` when the frame carries no event.
    pub data: Option<Bytes>,
}

/// A frame grew over [`FRAME_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {FRAME_LIMIT} bytes")]
pub struct FrameTooLarge;

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct Splitter {
    held: BytesMut,
    /// Where the search for the next line end goes on.
    searched: usize,
    /// Where the line being read begins.
    line: usize,
}

impl Splitter {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Cuts off the next complete frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameTooLarge> {
        while let Some((end, next)) = self.line_end() {
            let blank = end == self.line;
            self.line = next;
            self.searched = next;
            if blank {
                return Ok(Some(self.cut(next)));
            }
        }
        if self.held.len() > FRAME_LIMIT { Err(FrameTooLarge) } else { Ok(None) }
    }

    /// Returns what is left when the stream ends: an event whose blank line never came.
    pub fn finish(&mut self) -> Option<Frame> {
        let left = self.held.len();
        (left > 0).then(|| self.cut(left))
    }

    /// Finds the end of the line being read and the start of the next one. A CR at the very end of
    /// what is held may be half of a CRLF, so it waits for the next byte.
    fn line_end(&mut self) -> Option<(usize, usize)> {
        let Some(found) = memchr::memchr2(b'\n', b'\r', &self.held[self.searched..]) else {
            self.searched = self.held.len();
            return None;
        };
        let end = self.searched + found;
        match (self.held[end], self.held.get(end + 1)) {
            (b'\n', _) => Some((end, end + 1)),
            (_, Some(b'\n')) => Some((end, end + 2)),
            (_, Some(_)) => Some((end, end + 1)),
            (_, None) => {
                self.searched = end;
                None
            }
        }
    }

    fn cut(&mut self, end: usize) -> Frame {
        self.line = 0;
        self.searched = 0;
        Frame::parse(self.held.split_to(end).freeze())
    }
}

impl Frame {
    /// Reads the fields of a complete frame.
    pub fn parse(raw: Bytes) -> Self {
        let mut event = None;
        let mut data: Option<Data> = None;
        for line in lines(&raw) {
            let (name, value) = field(&raw[line.clone()], line.start);
            match name {
                b"event" => event = Some(String::from_utf8_lossy(&raw[value]).into_owned()),
                b"data" => data = Some(Data::add(data, &raw, value)),
                _ => {}
            }
        }
        let data = data.map(|data| match data {
            Data::One(range) => raw.slice(range),
            Data::Many(joined) => joined.into(),
        });
        Self { raw, event, data }
    }

    /// Returns whether the frame is no event and holds lines of no field that the standard knows:
    /// bytes gone astray, which no reader is meant to see.
    pub fn is_astray(&self) -> bool {
        let known = |line: std::ops::Range<usize>| {
            let (name, _) = field(&self.raw[line.clone()], line.start);
            matches!(name, b"" | b"event" | b"id" | b"retry")
        };
        self.data.is_none() && !lines(&self.raw).all(known)
    }

    /// Returns a stream's first frame without the byte order mark that may stand before it: not
    /// every reader further on knows to leave it out.
    #[must_use]
    pub fn unmarked(self) -> Self {
        match self.raw.starts_with(BYTE_ORDER_MARK) {
            true => Self { raw: self.raw.slice(BYTE_ORDER_MARK.len()..), ..self },
            false => self,
        }
    }

    /// Returns a stream's last event with the blank line that never came: a reader further on would
    /// throw the event away without it.
    #[must_use]
    pub fn closed(self) -> Self {
        if self.data.is_none() {
            return self;
        }
        let missing: &[u8] = if self.raw.ends_with(b"\n") { b"\n" } else { b"\n\n" };
        Self { raw: [&self.raw[..], missing].concat().into(), ..self }
    }
}

/// The data of a frame: nearly always one line, which is then a slice and not a copy.
enum Data {
    One(std::ops::Range<usize>),
    Many(Vec<u8>),
}

impl Data {
    fn add(before: Option<Self>, raw: &[u8], value: std::ops::Range<usize>) -> Self {
        let mut joined = match before {
            None => return Self::One(value),
            Some(Self::One(first)) => raw[first].to_vec(),
            Some(Self::Many(joined)) => joined,
        };
        joined.push(b'\n');
        joined.extend_from_slice(&raw[value]);
        Self::Many(joined)
    }
}

/// Iterates over the lines of a frame, without their ends and without a byte order mark.
fn lines(raw: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut at = if raw.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    std::iter::from_fn(move || {
        if at >= raw.len() {
            return None;
        }
        let end = memchr::memchr2(b'\n', b'\r', &raw[at..]).map_or(raw.len(), |found| at + found);
        let line = at..end;
        at = end + 1 + usize::from(raw[end..].starts_with(b"\r\n"));
        Some(line)
    })
}

/// Splits a line at its colon; a line that begins with one is a comment and has an empty name.
fn field(line: &[u8], start: usize) -> (&[u8], std::ops::Range<usize>) {
    let end = start + line.len();
    match memchr::memchr(b':', line) {
        None => (line, end..end),
        Some(colon) => {
            let space = usize::from(line.get(colon + 1) == Some(&b' '));
            (&line[..colon], start + colon + 1 + space..end)
        }
    }
}

/// Writes an event with JSON as its data. What a provider wrote over several lines stands in one:
/// a line end is white space there, since in a text of JSON it is escaped.
pub fn write(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(b"data: ");
    let start = out.len();
    out.extend_from_slice(data);
    for byte in &mut out[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
#[path = "sse/tests.rs"]
mod tests;
