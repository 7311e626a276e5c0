//! Amazon's binary event stream (`application/vnd.amazon.eventstream`), a frame a message.
//!
//! A message is: its length, the length of its headers and a checksum of both (four bytes each,
//! big-endian), the headers, the payload, a checksum of all before it. A header is a name (one
//! byte of length), a byte for its type, and a value. A frame's event is the header `:event-type`;
//! where the message tells an error instead, it is `exception:` and the header that names the
//! error. Its data is the payload.

use bytes::{Buf, Bytes, BytesMut};

use super::BadFraming;
use crate::sse::{FRAME_LIMIT, Frame};

/// What the event of a frame begins with when the message tells an error.
pub const EXCEPTION: &str = "exception:";

/// Two lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum at a message's end.
const TRAILER: usize = 4;

/// Cuts a stream of bytes into messages.
#[derive(Debug, Default)]
pub struct Splitter {
    held: BytesMut,
}

impl Splitter {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Cuts off the next complete message.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BadFraming> {
        let Some((mut prelude, _)) = self.held.split_at_checked(PRELUDE) else { return Ok(None) };
        let sum = crc32fast::hash(&prelude[..PRELUDE - TRAILER]);
        let (length, headers) = (size(prelude.get_u32()), size(prelude.get_u32()));
        if sum != prelude.get_u32() {
            return Err(BadFraming("the checksum of a message's lengths is wrong".to_owned()));
        }
        if length > FRAME_LIMIT {
            let said = format!("a message of the stream is larger than {FRAME_LIMIT} bytes");
            return Err(BadFraming(said));
        }
        let payload = PRELUDE.saturating_add(headers);
        let Some(end) = length.checked_sub(TRAILER).filter(|end| *end >= payload) else {
            return Err(BadFraming("a message is shorter than its parts".to_owned()));
        };
        if self.held.len() < length {
            return Ok(None);
        }
        let raw = self.held.split_to(length).freeze();
        if crc32fast::hash(&raw[..end]) != raw.slice(end..).get_u32() {
            return Err(BadFraming("the checksum of a message is wrong".to_owned()));
        }
        let event = event(raw.slice(PRELUDE..payload))?;
        let data = Some(raw.slice(payload..end)).filter(|data| !data.is_empty());
        Ok(Some(Frame { raw, event, data }))
    }
}

fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Reads what a message's headers say it is.
fn event(mut headers: Bytes) -> Result<Option<String>, BadFraming> {
    let (mut kind, mut exception, mut error) = (None, None, None);
    while headers.has_remaining() {
        let Some((name, value)) = header(&mut headers) else {
            return Err(BadFraming("a message's headers are cut short".to_owned()));
        };
        let Some(value) = value else { continue };
        let text = || Some(String::from_utf8_lossy(&value).into_owned());
        match name.as_ref() {
            b":event-type" => kind = text(),
            b":exception-type" => exception = text(),
            b":error-code" => error = text(),
            _ => {}
        }
    }
    let told = exception.or(error).map(|told| format!("{EXCEPTION}{told}"));
    Ok(told.or(kind))
}

/// Takes a header: its name, and its value where that is a text.
fn header(headers: &mut Bytes) -> Option<(Bytes, Option<Bytes>)> {
    let length = usize::from(headers.try_get_u8().ok()?);
    let name = take(headers, length)?;
    let length = match headers.try_get_u8().ok()? {
        // True and false are their types.
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        // A long, and a time in milliseconds.
        5 | 8 => 8,
        9 => 16,
        kind @ (6 | 7) => {
            let length = usize::from(headers.try_get_u16().ok()?);
            let value = take(headers, length)?;
            return Some((name, (kind == 7).then_some(value)));
        }
        _ => return None,
    };
    take(headers, length)?;
    Some((name, None))
}

fn take(from: &mut Bytes, length: usize) -> Option<Bytes> {
    (from.len() >= length).then(|| from.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::Splitter;

    /// Writes a message whose headers are texts.
    fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
        let mut head = vec![3, b'x', b'-', b'n', 4, 0, 0, 0, 7];
        for (name, value) in headers {
            head.push(u8::try_from(name.len()).unwrap());
            head.extend_from_slice(name.as_bytes());
            head.push(7);
            head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            head.extend_from_slice(value.as_bytes());
        }
        let length = u32::try_from(12 + head.len() + payload.len() + 4).unwrap();
        let mut out = length.to_be_bytes().to_vec();
        out.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(payload);
        out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
        out
    }

    #[test]
    fn a_message_is_a_frame_wherever_the_bytes_are_cut() {
        let mut stream = message(&[(":event-type", "a"), (":message-type", "event")], b"{}");
        let told = [(":exception-type", "throttlingException"), (":message-type", "exception")];
        stream.extend(message(&told, b"{\"message\":\"slow\"}"));
        stream.extend(message(&[(":error-code", "500"), (":message-type", "error")], b""));
        for size in [1, 2, 5, 13, 1000] {
            let mut splitter = Splitter::default();
            let (mut seen, mut raw) = (Vec::new(), Vec::new());
            for piece in stream.chunks(size) {
                splitter.push(piece);
                while let Some(frame) = splitter.next_frame().unwrap() {
                    raw.extend_from_slice(&frame.raw);
                    seen.push((frame.event.unwrap(), frame.data));
                }
            }
            let data = |text: &'static str| Some(bytes::Bytes::from(text));
            let expected = [
                ("a".to_owned(), data("{}")),
                ("exception:throttlingException".to_owned(), data("{\"message\":\"slow\"}")),
                ("exception:500".to_owned(), None),
            ];
            assert_eq!(seen, expected, "{size}");
            assert_eq!(raw, stream);
        }
    }

    #[test]
    fn a_flipped_bit_is_bad_framing_and_never_a_frame() {
        let good = message(&[(":event-type", "a")], b"{\"a\":1}");
        for at in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[at / 8] ^= 1 << (at % 8);
            let mut splitter = Splitter::default();
            splitter.push(&bad);
            assert!(splitter.next_frame().is_err(), "bit {at}");
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused_before_anything_is_held() {
        for (length, headers) in [(u32::MAX, 0), (15, 0), (16, 1), (0, 0), (100, u32::MAX)] {
            let mut prelude = u32::to_be_bytes(length).to_vec();
            prelude.extend_from_slice(&headers.to_be_bytes());
            prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
            let mut splitter = Splitter::default();
            splitter.push(&prelude);
            assert!(splitter.next_frame().is_err(), "{length} {headers}");
        }
    }
}
