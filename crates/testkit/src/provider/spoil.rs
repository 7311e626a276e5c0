//! Lays a fault over a good answer: the one place that says what each fault does. Changes of the
//! bytes alone, which leave the HTTP message in order, are in `rewrite`.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::dialect::{Dialect, Wrong};
use super::exchange::{Act, Exchange, Head, Step};
use super::rewrite::{GARBAGE, divide};

use crate::{Fault, Spelling};

const JSON: &str = "application/json";
const HTML: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n\
    <body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n\
    <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
const LOG_IN: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n\
    <body><form action=\"/login\"><input name=\"user\"></form></body></html>\n";
/// An error as OpenRouter passes it on, with the status in the body.
const ERROR: &str = r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"provider_name":"scripted","raw":"upstream connect error"}}}"#;
const TRACE: &str = "Traceback (most recent call last):\n  File \"/srv/engine/worker.py\", line 312, \
    in step\n    raise RuntimeError(\"CUDA error\")\nRuntimeError: CUDA error";
/// How many pieces an unstreamed answer comes in when it comes slowly.
const DRIBBLES: usize = 8;
/// The time between two bytes that drip.
const DRIP: Duration = Duration::from_millis(100);
/// An oversized frame: so many pieces of so many bytes.
const OVERSIZED: (usize, usize) = (48, 1 << 20);

/// A good answer, before a fault is laid over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Good {
    /// The dialect it speaks.
    pub(super) dialect: Dialect,
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
    let dialect = good.dialect;
    Act::Answer(match fault {
        Fault::Refuse => return Act::Reset,
        Fault::NeverAnswer => return Act::Hang,
        Fault::Status(status, Some(body)) => refusal(*status, body.clone()),
        Fault::Status(status, None) => refusal(*status, usual_error(dialect, *status).to_string()),
        Fault::Throttle(spelling) => throttled(dialect, *spelling),
        Fault::QuotedKey => refusal(401, usual_error(dialect, 401).to_string()),
        Fault::StackTrace => refusal(500, traced(dialect)),
        Fault::Html503 => Exchange::whole(Head::of(503, "text/html"), Bytes::from(HTML)),
        Fault::Html200 => Exchange::whole(Head::of(200, "text/html"), Bytes::from(LOG_IN)),
        Fault::ErrorIn200 => refusal(200, error(dialect).to_string()),
        Fault::EmptyBody => Exchange { head: good.head, steps: Vec::new() },
        Fault::HeadersThenSilence => Exchange { head: good.head, steps: vec![Step::Hang] },
        Fault::CutBeforeFirstToken => good.until(0, [Step::Break]),
        Fault::CutAfter(n) => good.until(*n, [Step::Break]),
        Fault::SilenceAfter(n) => good.until(*n, [Step::Hang]),
        Fault::EndAfter(n) => good.until(*n, []),
        Fault::DripAfter(n) => good.dripping(*n),
        Fault::OversizedAfter(n) => good.oversized(*n),
        Fault::GarbageAfter(n) => good.until(*n, [Step::Send(Bytes::from_static(GARBAGE))]),
        Fault::ErrorAfter(n) => good.telling(*n, &error(dialect)),
        Fault::RateLimitAfter(n) => good.telling(*n, &usual_error(dialect, 429)),
        Fault::OverloadedAfter(n) => good.telling(*n, &usual_error(dialect, 529)),
        Fault::SlowChunks(pause) => good.slowed(*pause),
        Fault::Empty
        | Fault::NoDone
        | Fault::NoFinish
        | Fault::BrokenJson
        | Fault::MalformedAfter(_)
        | Fault::KeepAliveComments
        | Fault::Crlf
        | Fault::OneByteAtATime
        | Fault::WrongType
        | Fault::DuplicateStart
        | Fault::NoUsage
        | Fault::UsageAfterEnd
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
    fn until(self, n: usize, then: impl IntoIterator<Item = Step>) -> Exchange {
        let mut frames = self.pieces(2);
        frames.truncate(n.saturating_add(1).min(frames.len().saturating_sub(1)));
        let steps = frames.into_iter().map(Step::Send).chain(then).collect();
        Exchange { head: self.head, steps }
    }

    /// Keeps the first event and n more, and ends with one that tells an error; an unstreamed
    /// answer is the error.
    fn telling(self, n: usize, error: &Value) -> Exchange {
        if self.kind == Kind::Whole {
            return refusal(200, error.to_string());
        }
        let told = Step::Send(self.dialect.event(error));
        self.until(n, [told])
    }

    /// Lets the rest drip; of an event its line end is kept back, of a body its last byte.
    fn dripping(self, n: usize) -> Exchange {
        let n = if self.kind == Kind::Whole { 0 } else { n.saturating_add(1) };
        let rest = self.frames.get(n).or(self.frames.last()).cloned().unwrap_or_default();
        let rest = rest.slice(..rest.trim_ascii_end().len().saturating_sub(1));
        let drops = divide(&rest, rest.len());
        let drops = drops.flat_map(|drop| [Step::Send(drop), Step::Wait(DRIP)]);
        let kept = self.frames.iter().take(n).cloned().map(Step::Send);
        let steps = kept.chain(drops).chain([Step::Hang]).collect();
        Exchange { head: self.head, steps }
    }

    fn oversized(self, n: usize) -> Exchange {
        let (pieces, size) = OVERSIZED;
        let piece = Step::Send(Bytes::from(vec![b'a'; size]));
        let begun = Step::Send(Bytes::from_static(b"data: {\"text\":\""));
        self.until(n, [begun].into_iter().chain(std::iter::repeat_n(piece, pieces)))
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
}

fn refusal(status: u16, body: String) -> Exchange {
    Exchange::whole(Head::of(status, JSON), Bytes::from(body))
}

fn usual_error(dialect: Dialect, status: u16) -> Value {
    let wrong = Wrong::with(status);
    dialect.error(wrong, wrong.message)
}

/// An error that comes where an answer was promised.
fn error(dialect: Dialect) -> Value {
    match dialect {
        Dialect::Chat => serde_json::from_str(ERROR).unwrap_or_default(),
        Dialect::Messages => usual_error(dialect, 500),
    }
}

fn throttled(dialect: Dialect, spelling: Spelling) -> Exchange {
    let wrong = Wrong::with(429);
    let mut body = dialect.error(wrong, &format!("{}{}", wrong.message, spelling.words()));
    if let Some(details) = spelling.details() {
        body["error"]["status"] = json!("RESOURCE_EXHAUSTED");
        body["error"]["details"] = details;
    }
    let mut exchange = refusal(429, body.to_string());
    exchange.head.headers.extend(spelling.header(Timestamp::now()));
    exchange
}

fn traced(dialect: Dialect) -> String {
    let mut body = usual_error(dialect, 500);
    body["error"]["debug"] = json!({"trace": TRACE, "host": "engine-7.internal.example"});
    body.to_string()
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
        Good {
            dialect: Dialect::Chat,
            head: Head::of(200, "text/event-stream"),
            frames,
            kind: Kind::Events,
        }
    }

    fn whole() -> Good {
        let frames = vec![Bytes::from("{\"id\":\"abc\"}")];
        Good { dialect: Dialect::Chat, head: Head::of(200, JSON), frames, kind: Kind::Whole }
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

    #[test]
    fn a_stream_ends_in_order_too_early() {
        assert_eq!(steps(&Fault::EndAfter(1), stream()), [ROLE, WORD]);
        assert_eq!(steps(&Fault::EndAfter(1), whole()), ["{\"id\":"]);
    }

    #[test]
    fn what_drips_is_never_complete() {
        let drops = steps(&Fault::DripAfter(2), stream());
        assert_eq!(drops[..6], [ROLE, WORD, WORD, "d", "<wait 100>", "a"]);
        assert_eq!(drops.last().map(String::as_str), Some("<hang>"));
        let said: String =
            drops[3..].iter().filter(|drop| !drop.starts_with('<')).cloned().collect();
        assert!(FINISH.starts_with(&said) && !said.contains('\n'));
        assert_eq!(steps(&Fault::DripAfter(3), whole())[..2], ["{", "<wait 100>"]);
    }

    #[test]
    fn an_oversized_frame_has_no_line_end() {
        let frames = steps(&Fault::OversizedAfter(1), stream());
        assert_eq!(frames[..2], [ROLE, WORD]);
        assert!(frames[2..].concat().len() > 40 << 20);
        assert!(!frames[2..].concat().contains('\n'));
    }

    #[test]
    fn a_throttle_tells_its_wait_where_its_spelling_says() {
        for spelling in Spelling::all() {
            let Act::Answer(told) = spoil(&Fault::Throttle(spelling), whole()) else { continue };
            let body = format!("{:?}{:?}", told.head.headers, told.steps);
            let marks = ["retry-after", "ratelimit-reset", "RetryInfo", "again in 1.2s"];
            let marked = marks.iter().any(|mark| body.contains(mark));
            assert_eq!((told.head.status, marked), (429, !spelling.wait().is_zero()), "{body}");
        }
    }

    #[test]
    fn one_event_of_many_is_malformed() {
        let broken = steps(&Fault::MalformedAfter(1), stream());
        assert_eq!(broken[..2], [ROLE, WORD]);
        assert!(WORD.starts_with(broken[2].trim_end()) && broken[2] != WORD);
        assert_eq!(broken[3..], [FINISH, USAGE, DONE]);
    }

    #[test]
    fn usage_goes_missing_or_comes_late() {
        assert_eq!(steps(&Fault::NoUsage, stream()), [ROLE, WORD, WORD, FINISH, DONE]);
        let late = steps(&Fault::UsageAfterEnd, stream());
        assert_eq!(late[..5], [ROLE, WORD, WORD, FINISH, DONE]);
        assert!(late[5].contains("\"usage\":{"));
    }

    #[test]
    fn the_first_event_comes_twice() {
        assert_eq!(steps(&Fault::DuplicateStart, stream())[..3], [ROLE, ROLE, WORD]);
    }
}
