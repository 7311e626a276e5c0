//! Lays a fault over a good answer: the one place that says what each fault does.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::chat;
use super::exchange::{Act, Exchange, Head, Step};

use crate::Fault;

const JSON: &str = "application/json";
const HTML: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n\
    <body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n\
    <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
/// An error as OpenRouter passes it on, with the status in the body.
const ERROR: &str = r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"provider_name":"scripted","raw":"upstream connect error"}}}"#;
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";
/// What OpenRouter sends before unstreamed JSON while it waits.
const BLANK_LINE: &[u8] = b"\n         \n";
/// The head of a gzip stream, then bytes that begin no UTF-8 sequence.
const GARBAGE: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x4a\xff\xfe\x80\xc0\xf5\
    \x00\x0a\x0d\xbf\x92\x53\xb2\xb2\x8a\x8e\x05\x00\x9c\xd1";
/// How many pieces an unstreamed answer comes in when it comes slowly.
const DRIBBLES: usize = 8;

/// A good answer, before a fault is laid over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Good {
    /// Its status and headers.
    pub(super) head: Head,
    /// Its events, or its one body.
    pub(super) frames: Vec<Bytes>,
    /// Which of the two.
    pub(super) kind: Kind,
}

/// Whether an answer can be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One body.
    Whole,
    /// Events, each a frame.
    Events,
}

/// Returns what happens to a request that would have been answered well.
pub(super) fn spoil(fault: &Fault, good: Good) -> Act {
    Act::Answer(match fault {
        Fault::Refuse => return Act::Reset,
        Fault::NeverAnswer => return Act::Hang,
        Fault::Status(status, body) => {
            let body = body.clone().unwrap_or_else(|| usual_error(*status));
            Exchange::whole(Head::of(*status, JSON), Bytes::from(body))
        }
        Fault::Html503 => Exchange::whole(Head::of(503, "text/html"), Bytes::from(HTML)),
        Fault::ErrorIn200 => error_in_200(),
        Fault::HeadersThenSilence => Exchange { head: good.head, steps: vec![Step::Hang] },
        Fault::CutBeforeFirstToken => good.until(0, Step::Break),
        Fault::CutAfter(n) => good.until(*n, Step::Break),
        Fault::SilenceAfter(n) => good.until(*n, Step::Hang),
        Fault::ErrorAfter(_) if good.kind == Kind::Whole => error_in_200(),
        Fault::ErrorAfter(n) => {
            good.until(*n, Step::Send(Bytes::from(format!("data: {ERROR}\n\n"))))
        }
        Fault::SlowChunks(pause) => good.slowed(*pause),
        Fault::Empty
        | Fault::NoDone
        | Fault::NoFinish
        | Fault::BrokenJson
        | Fault::KeepAliveComments
        | Fault::Crlf
        | Fault::OneByteAtATime
        | Fault::Garbage => good.rewritten(fault).exchange(),
    })
}

impl Good {
    /// Returns the answer with nothing laid over it.
    pub(super) fn exchange(self) -> Exchange {
        let steps = self.frames.into_iter().map(Step::Send).collect();
        Exchange { head: self.head, steps }
    }

    /// Keeps the first event and n more, never the last, and then does what is said.
    fn until(self, n: usize, then: Step) -> Exchange {
        let mut frames = self.pieces(2);
        frames.truncate(n.saturating_add(1).min(frames.len().saturating_sub(1)));
        let steps = frames.into_iter().map(Step::Send).chain([then]).collect();
        Exchange { head: self.head, steps }
    }

    fn slowed(self, pause: Duration) -> Exchange {
        let frames = self.pieces(DRIBBLES).into_iter();
        let mut steps: Vec<_> =
            frames.flat_map(|frame| [Step::Wait(pause), Step::Send(frame)]).collect();
        if !steps.is_empty() {
            steps.remove(0);
        }
        Exchange { head: self.head, steps }
    }

    /// Returns the events, or the one body in so many parts.
    fn pieces(&self, parts: usize) -> Vec<Bytes> {
        match self.kind {
            Kind::Events => self.frames.clone(),
            Kind::Whole => self.frames.iter().flat_map(|body| divide(body, parts)).collect(),
        }
    }

    /// Changes the bytes of the answer, and leaves the HTTP message in order.
    fn rewritten(self, fault: &Fault) -> Self {
        let Self { head, frames, kind } = self;
        let frames = match (fault, kind) {
            (Fault::Empty, _) => Vec::new(),
            (Fault::Garbage, _) => vec![Bytes::from_static(GARBAGE)],
            (Fault::OneByteAtATime, _) => {
                frames.iter().flat_map(|frame| divide(frame, frame.len())).collect()
            }
            (Fault::BrokenJson, Kind::Whole) => {
                frames.iter().flat_map(|body| divide(body, 2)).take(1).collect()
            }
            (Fault::BrokenJson, Kind::Events) => break_second(frames),
            (Fault::KeepAliveComments, Kind::Whole) => {
                [BLANK_LINE; 3].map(Bytes::from_static).into_iter().chain(frames).collect()
            }
            (Fault::KeepAliveComments, Kind::Events) => with_comments(frames),
            (Fault::Crlf, Kind::Events) => frames.iter().map(crlf).collect(),
            (Fault::NoDone, Kind::Events) => frames.into_iter().filter(|f| !is_done(f)).collect(),
            (Fault::NoFinish, Kind::Events) => {
                frames.into_iter().take_while(|f| !is_done(f) && !finishes(f)).collect()
            }
            _ => frames,
        };
        Self { head, frames, kind }
    }
}

fn error_in_200() -> Exchange {
    Exchange::whole(Head::of(200, JSON), Bytes::from(ERROR))
}

fn usual_error(status: u16) -> String {
    let (message, kind, code) = match status {
        401 => ("Incorrect API key provided.", "invalid_request_error", Some("invalid_api_key")),
        404 => ("The model does not exist.", "invalid_request_error", Some("model_not_found")),
        429 => ("Rate limit reached for requests.", "requests", Some("rate_limit_exceeded")),
        529 => ("Overloaded", "overloaded_error", None),
        400..500 => ("The request is not acceptable.", "invalid_request_error", None),
        _ => ("The server had an error while processing your request.", "server_error", None),
    };
    chat::error(message, kind, code)
}

fn divide(body: &Bytes, parts: usize) -> impl Iterator<Item = Bytes> {
    let size = body.len().div_ceil(parts.max(1)).max(1);
    body.chunks(size).map(|part| body.slice_ref(part)).collect::<Vec<_>>().into_iter()
}

/// The first event carries no content; losing it would break less than a word lost half-way.
fn break_second(mut frames: Vec<Bytes>) -> Vec<Bytes> {
    let at = usize::from(frames.len() > 1);
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

fn is_done(frame: &Bytes) -> bool {
    data(frame) == Some(b"[DONE]")
}

fn finishes(frame: &Bytes) -> bool {
    let Some(Ok(Value::Object(chunk))) = data(frame).map(serde_json::from_slice) else {
        return false;
    };
    let choices = chunk.get("choices").and_then(Value::as_array).map(Vec::as_slice);
    let finished = |choice: &Value| choice.get("finish_reason").is_some_and(|why| !why.is_null());
    choices.unwrap_or_default().iter().any(finished)
}

fn data(frame: &Bytes) -> Option<&[u8]> {
    let mut lines = frame.split(|byte| *byte == b'\n');
    lines.find_map(|line| line.strip_prefix(b"data:")).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n\n";
    const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"é\"}}]}\n\n";
    const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    const USAGE: &str = "data: {\"choices\":[],\"usage\":{}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    fn stream() -> Good {
        let frames = [ROLE, WORD, WORD, FINISH, USAGE, DONE].map(Bytes::from).to_vec();
        Good { head: Head::of(200, "text/event-stream"), frames, kind: Kind::Events }
    }

    fn whole() -> Good {
        let frames = vec![Bytes::from("{\"id\":\"abc\"}")];
        Good { head: Head::of(200, JSON), frames, kind: Kind::Whole }
    }

    /// Writes the steps as text: sends as they are, the others in angle brackets.
    fn steps(fault: &Fault, good: Good) -> Vec<String> {
        let Act::Answer(exchange) = spoil(fault, good) else { return vec!["<no answer>".into()] };
        let text = |step| match step {
            Step::Send(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Step::Wait(pause) => format!("<wait {}>", pause.as_millis()),
            Step::Hang => "<hang>".to_owned(),
            Step::Break => "<break>".to_owned(),
        };
        exchange.steps.into_iter().map(text).collect()
    }

    #[test]
    fn n_counts_the_events_after_the_first() {
        assert_eq!(steps(&Fault::CutBeforeFirstToken, stream()), [ROLE, "<break>"]);
        assert_eq!(steps(&Fault::CutAfter(1), stream()), [ROLE, WORD, "<break>"]);
        assert_eq!(steps(&Fault::SilenceAfter(2), stream()), [ROLE, WORD, WORD, "<hang>"]);
    }

    #[test]
    fn a_cut_always_comes_before_the_end() {
        let cut = steps(&Fault::CutAfter(usize::MAX), stream());
        assert_eq!(cut, [ROLE, WORD, WORD, FINISH, USAGE, "<break>"]);
        assert_eq!(steps(&Fault::CutAfter(9), whole()), ["{\"id\":", "<break>"]);
    }

    #[test]
    fn an_error_in_the_stream_is_its_last_event() {
        let error = format!("data: {ERROR}\n\n");
        assert_eq!(steps(&Fault::ErrorAfter(1), stream()), [ROLE, WORD, &error]);
        assert_eq!(steps(&Fault::ErrorAfter(1), whole()), [ERROR]);
    }

    #[test]
    fn the_end_of_a_stream_goes_missing_in_parts() {
        assert_eq!(steps(&Fault::NoDone, stream()), [ROLE, WORD, WORD, FINISH, USAGE]);
        assert_eq!(steps(&Fault::NoFinish, stream()), [ROLE, WORD, WORD]);
        assert_eq!(steps(&Fault::NoFinish, whole()), ["{\"id\":\"abc\"}"]);
    }

    #[test]
    fn slow_pieces_have_pauses_between_them() {
        let slow = steps(&Fault::SlowChunks(Duration::from_millis(5)), whole());
        assert_eq!(slow[..3], ["{\"", "<wait 5>", "id"]);
        assert_eq!(slow.len(), 11);
    }

    #[test]
    fn lines_end_in_crlf_once() {
        let first = steps(&Fault::Crlf, stream()).concat();
        assert_eq!(first.matches("\r\n").count(), 12);
        assert!(!first.contains("\r\r"));
    }

    #[test]
    fn one_byte_at_a_time_loses_none() {
        let frames = stream().rewritten(&Fault::OneByteAtATime).frames;
        assert!(frames.iter().all(|frame| frame.len() == 1));
        assert_eq!(frames.concat(), stream().frames.concat());
    }

    #[test]
    fn broken_json_breaks_one_event() {
        let broken = steps(&Fault::BrokenJson, stream());
        assert_eq!(broken[0], ROLE);
        assert!(WORD.starts_with(broken[1].trim_end()) && broken[1].ends_with("\n\n"));
        assert_eq!(broken[2..], [WORD, FINISH, USAGE, DONE]);
        assert_eq!(steps(&Fault::BrokenJson, whole()), ["{\"id\":"]);
    }
}
