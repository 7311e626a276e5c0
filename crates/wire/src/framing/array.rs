//! A list of JSON values that grows while it is sent: what Google streams to who does not ask for
//! server-sent events. A frame is an item with what stands before it; the frames, joined, are the list.

use bytes::BytesMut;

use super::BadFraming;
use crate::sse::{self, FRAME_LIMIT, Frame};

/// Cuts a stream that is either such a list or server-sent events; its first byte that is not blank
/// tells.
#[derive(Debug, Default)]
pub struct Splitter {
    kind: Kind,
    held: BytesMut,
    list: List,
    events: sse::Splitter,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    List,
    Events,
}

/// How far the list has come, in what is held.
#[derive(Debug, Default)]
struct List {
    /// Whether its opening bracket was met.
    begun: bool,
    /// Where the item being read begins.
    item: Option<usize>,
    depth: usize,
    quoted: bool,
    escaped: bool,
    searched: usize,
}

impl Splitter {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.kind == Kind::Events {
            return self.events.push(bytes);
        }
        self.held.extend_from_slice(bytes);
        if self.kind == Kind::Unknown {
            let blank = |byte: &u8| byte.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(byte);
            match bytes.iter().find(|byte| !blank(byte)) {
                None => {}
                Some(b'[') => self.kind = Kind::List,
                Some(_) => {
                    self.kind = Kind::Events;
                    self.events.push(&self.held.split());
                }
            }
        }
    }

    /// Returns whether the stream is a list, as far as is known.
    pub fn is_list(&self) -> bool {
        self.kind == Kind::List
    }

    /// Cuts off the next complete frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BadFraming> {
        match self.kind {
            Kind::Unknown => Ok(None),
            Kind::Events => self.events.next_frame().map_err(|error| BadFraming(error.to_string())),
            Kind::List => match self.list.item_end(&self.held) {
                Some((start, end)) => Ok(Some(self.cut(start, end))),
                None if self.held.len() > FRAME_LIMIT => Err(BadFraming(format!(
                    "an item of the stream is larger than {FRAME_LIMIT} bytes"
                ))),
                None => Ok(None),
            },
        }
    }

    /// Returns what is left when the stream ends: the end of the list, or an item whose end never came.
    pub fn finish(&mut self) -> Option<Frame> {
        if self.kind == Kind::Events {
            return self.events.finish();
        }
        let left = self.held.len();
        let start = self.list.item.unwrap_or(left);
        (left > 0).then(|| self.cut(start, left))
    }

    fn cut(&mut self, start: usize, end: usize) -> Frame {
        self.list = List { begun: self.list.begun, ..List::default() };
        let raw = self.held.split_to(end).freeze();
        let data = (start < end).then(|| raw.slice(start..));
        Frame { raw, event: None, data }
    }
}

impl List {
    /// Finds the item being read, when it is complete.
    fn item_end(&mut self, held: &[u8]) -> Option<(usize, usize)> {
        while let Some(byte) = held.get(self.searched) {
            let at = self.searched;
            self.searched += 1;
            if self.quoted {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.quoted = false,
                    _ => {}
                }
                if self.quoted || self.depth > 0 {
                    continue;
                }
                return self.item.map(|start| (start, at + 1));
            }
            match byte {
                b'[' if !self.begun => self.begun = true,
                b'{' | b'[' => {
                    self.item.get_or_insert(at);
                    self.depth += 1;
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return self.item.map(|start| (start, at + 1));
                    }
                }
                _ if self.depth > 0 => self.quoted = *byte == b'"',
                // Between items, or the end of one that is neither an object nor a list.
                b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' => {
                    if let Some(start) = self.item {
                        return Some((start, at));
                    }
                }
                _ if !self.begun => {}
                byte => {
                    self.item.get_or_insert(at);
                    self.quoted = *byte == b'"';
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Splitter;

    fn frames(stream: &[u8], size: usize) -> (Vec<String>, Vec<u8>) {
        let (mut splitter, mut seen, mut raw) = (Splitter::default(), Vec::new(), Vec::new());
        let mut take = |frame: crate::sse::Frame| {
            raw.extend_from_slice(&frame.raw);
            seen.extend(frame.data.map(|data| String::from_utf8(data.to_vec()).unwrap()));
        };
        for piece in stream.chunks(size) {
            splitter.push(piece);
            while let Some(frame) = splitter.next_frame().unwrap() {
                take(frame);
            }
        }
        splitter.finish().into_iter().for_each(take);
        (seen, raw)
    }

    #[test]
    fn an_item_is_a_frame_wherever_the_bytes_are_cut() {
        let list = b"\n[{\"a\":\"]},\\\"{\",\"b\":[1,{}]}\n,\r\n{\"c\":2}, 7,\"x,y\" ,[ ]]\n";
        for size in 1..9 {
            let (seen, raw) = frames(list, size);
            let expected =
                ["{\"a\":\"]},\\\"{\",\"b\":[1,{}]}", "{\"c\":2}", "7", "\"x,y\"", "[ ]"];
            assert_eq!(seen, expected, "{size}");
            assert_eq!(raw, list, "{size}");
        }
    }

    #[test]
    fn what_begins_otherwise_is_events_and_half_an_item_is_told() {
        for size in 1..9 {
            assert_eq!(frames(b"\r\ndata: [1]\r\n\r\ndata: 2", size).0, ["[1]", "2"], "{size}");
            assert_eq!(frames(b"[{\"a\":1},{\"b\":", size).0, ["{\"a\":1}", "{\"b\":"], "{size}");
            assert_eq!(frames(b"[]", size).0, [""; 0], "{size}");
            assert_eq!(frames(b" ", size).0, [""; 0], "{size}");
        }
    }
}
