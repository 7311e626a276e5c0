//! How a recorded body is cut when it is played again. Joined, the pieces are the body, but for
//! [`Cut::Drop`], which stands for a provider that broke down half-way.

use std::time::Duration;

use bytes::Bytes;

use super::Case;

/// How a recorded body is cut into writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// One write, with its length announced.
    Whole,
    /// One write an event.
    Event,
    /// The socket reads the recorder saw; events, where it kept none.
    Rec,
    /// A write every so many bytes; 1 cuts inside UTF-8 and line ends.
    Every(usize),
    /// Events, with a pause of [`Cut::PAUSE`] between them.
    Slow,
    /// The first half of the events; then the connection closes.
    Drop,
}

impl Cut {
    /// The pause between events under [`Cut::Slow`].
    pub const PAUSE: Duration = Duration::from_millis(20);

    /// Reads `whole`, `event`, `rec`, a number of bytes, `slow` or `drop`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "whole" => Some(Self::Whole),
            "event" => Some(Self::Event),
            "rec" => Some(Self::Rec),
            "slow" => Some(Self::Slow),
            "drop" => Some(Self::Drop),
            size => size.parse().ok().filter(|size| *size > 0).map(Self::Every),
        }
    }

    /// Returns the cut that is closest to what the provider did.
    pub fn usual(case: &Case) -> Self {
        if case.is_stream { Self::Event } else { Self::Whole }
    }
}

impl Case {
    /// Returns the answer's body cut into its writes.
    pub fn pieces(&self, cut: Cut) -> Result<Vec<Bytes>, base64::DecodeError> {
        let body = self.body_bytes()?;
        Ok(match cut {
            Cut::Whole => vec![body],
            Cut::Event | Cut::Slow => self.events(body),
            Cut::Rec => match &self.response_chunk_lens {
                Some(sizes) => sized(body, sizes),
                None => self.events(body),
            },
            Cut::Every(size) => every(&body, size),
            Cut::Drop => {
                let mut events = self.events(body);
                events.truncate((events.len() / 2).max(1));
                events
            }
        })
    }

    fn events(&self, body: Bytes) -> Vec<Bytes> {
        match self.framing.as_str() {
            "eventstream" => binary_events(body),
            "ndjson" => lines(body),
            _ => sse_events(body),
        }
    }
}

/// Returns the events of a stream of this content type, where it is one.
pub(crate) fn events_of(content_type: &str, body: Bytes) -> Option<Vec<Bytes>> {
    let is = |kind: &str| content_type.starts_with(kind);
    if is("text/event-stream") {
        return Some(sse_events(body));
    }
    if is("application/vnd.amazon.eventstream") {
        return Some(binary_events(body));
    }
    is("application/x-ndjson").then(|| lines(body))
}

fn lines(body: Bytes) -> Vec<Bytes> {
    after(body, &[b"\n"])
}

/// A binary event begins with its own length; what does not read as one stays in one piece.
fn binary_events(mut rest: Bytes) -> Vec<Bytes> {
    // A frame has a prelude of 12 bytes and a checksum of 4.
    const SHORTEST: usize = 16;
    let mut events = Vec::new();
    while let Some(length) = rest.first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if !(SHORTEST..=rest.len()).contains(&length) {
            break;
        }
        events.push(rest.split_to(length));
    }
    events.extend(Some(rest).filter(|rest| !rest.is_empty()));
    events
}

/// Returns server-sent events, each with the blank line that ends it; what follows the last blank
/// line is a piece too.
fn sse_events(body: Bytes) -> Vec<Bytes> {
    after(body, &[b"\n\n", b"\r\n\r\n"])
}

fn after(mut rest: Bytes, ends: &[&[u8]]) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut at = 1;
    while at < rest.len() {
        if ends.iter().any(|end| rest[..at].ends_with(end)) {
            pieces.push(rest.split_to(at));
            at = 0;
        }
        at += 1;
    }
    pieces.extend(Some(rest).filter(|rest| !rest.is_empty()));
    pieces
}

fn sized(mut rest: Bytes, sizes: &[usize]) -> Vec<Bytes> {
    let mut pieces: Vec<_> =
        sizes.iter().map(|size| rest.split_to((*size).min(rest.len()))).collect();
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn every(body: &Bytes, size: usize) -> Vec<Bytes> {
    body.chunks(size.max(1)).map(|piece| body.slice_ref(piece)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: &[Bytes]) -> Vec<&str> {
        pieces.iter().filter_map(|piece| std::str::from_utf8(piece).ok()).collect()
    }

    #[test]
    fn events_end_after_a_blank_line() {
        let body = Bytes::from("data: a\n\ndata: b\r\n\r\n: c\n\ndata: d");
        let pieces = sse_events(body);
        assert_eq!(texts(&pieces), ["data: a\n\n", "data: b\r\n\r\n", ": c\n\n", "data: d"]);
    }

    #[test]
    fn recorded_reads_keep_the_rest() {
        let pieces = sized(Bytes::from("abcdefg"), &[2, 3]);
        assert_eq!(texts(&pieces), ["ab", "cde", "fg"]);
    }

    #[test]
    fn binary_events_keep_what_is_no_event() {
        let mut body = vec![0, 0, 0, 16];
        body.extend([7; 12]);
        body.extend([0, 0, 0, 3, 9]);
        let pieces = binary_events(Bytes::from(body));
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [16, 5]);
    }

    #[test]
    fn a_mode_is_read_as_the_replay_server_reads_it() {
        assert_eq!(Cut::parse("rec"), Some(Cut::Rec));
        assert_eq!(Cut::parse("7"), Some(Cut::Every(7)));
        assert_eq!(Cut::parse("0"), None);
        assert_eq!(Cut::parse("often"), None);
    }

    #[test]
    fn pieces_of_every_case_join_to_its_body() -> Result<(), base64::DecodeError> {
        if super::super::require("cutting every record").is_none() {
            return Ok(());
        }
        for case in super::super::cases(&|case| case.is_stream) {
            for cut in [Cut::Event, Cut::Rec, Cut::Every(7)] {
                assert_eq!(case.pieces(cut)?.concat(), case.body_bytes()?, "{} {cut:?}", case.id);
            }
        }
        Ok(())
    }
}
