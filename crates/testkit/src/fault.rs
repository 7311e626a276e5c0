//! The ways a provider misbehaves: a closed list, each named after what the client sees, each
//! with the real behaviour it stands for. How a fault is played is in `provider::spoil`.
//!
//! `n` counts the events of a stream that follow its first one, which carries no content. The
//! end of the stream is never among them, so a cut always comes before it. An unstreamed answer
//! has two halves instead of events.

use std::fmt;
use std::time::Duration;

use crate::Spelling;

/// Declares the faults, their names, and the argument a name may carry, from one table.
macro_rules! faults {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal $variant:ident $(($($field:ty),+))? = $argument:expr;
    )+) => {
        /// A way in which a provider misbehaves.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fault {
            $( $(#[doc = $doc])+ $variant $(($($field),+))?, )+
        }

        impl Fault {
            /// The name of every fault, in the order of the documentation.
            pub const ALL_NAMES: &[&str] = &[$($name),+];

            /// Returns the fault's name, without its argument.
            pub fn name(&self) -> &'static str {
                match self { $( Self::$variant { .. } => $name, )+ }
            }

            /// Returns, for every fault, its name and the behaviour it stands for.
            pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
                [$(($name, concat!($($doc),+).trim_ascii())),+].into_iter()
            }

            fn argument_of(name: &str) -> Option<Argument> {
                match name { $( $name => Some($argument), )+ _ => None }
            }
        }
    };
}

faults! {
    /// An error status with this body (none: a usual one), as when a provider throttles (429)
    /// or is overloaded (529).
    "status" Status(u16, Option<String>) = Number(429, |n| Fault::status(narrow(n)));
    /// The connection is reset before a byte of the answer: a process that died behind a load
    /// balancer, or one whose queue is full.
    "refuse" Refuse = Nothing(Fault::Refuse);
    /// The request is read and nothing ever comes: a worker that hangs with its socket open.
    "never_answer" NeverAnswer = Nothing(Fault::NeverAnswer);
    /// The head of the answer comes at once and no body follows: a proxy that says 200 before its
    /// model has begun, and a model that never does.
    "headers_then_silence" HeadersThenSilence = Nothing(Fault::HeadersThenSilence);
    /// The connection drops after the first event, which names only the role: a worker lost while
    /// it read the prompt.
    "cut_before_first_token" CutBeforeFirstToken = Nothing(Fault::CutBeforeFirstToken);
    /// The connection drops after n more events: a worker or load balancer restarted mid-answer.
    "cut_after" CutAfter(usize) = Number(2, |n| Fault::CutAfter(count(n)));
    /// Nothing more comes after n more events and the connection stays open: a stalled worker.
    "silence_after" SilenceAfter(usize) = Number(2, |n| Fault::SilenceAfter(count(n)));
    /// An error event comes after n more events, then the stream ends: how OpenRouter and Groq
    /// report an upstream that fails once the status 200 is out.
    "error_after" ErrorAfter(usize) = Number(2, |n| Fault::ErrorAfter(count(n)));
    /// Status 200 with an error for a body: OpenRouter when its upstream fails early.
    "error_in_200" ErrorIn200 = Nothing(Fault::ErrorIn200);
    /// A well-formed answer without a word in it: models at times end their turn at once.
    "empty" Empty = Nothing(Fault::Empty);
    /// The stream has its finish reason and ends without `[DONE]`: MiniMax, Cerebras, Perplexity.
    "no_done" NoDone = Nothing(Fault::NoDone);
    /// The stream ends cleanly, but before its finish reason and `[DONE]`: a proxy that turned a
    /// lost upstream into a proper end.
    "no_finish" NoFinish = Nothing(Fault::NoFinish);
    /// Status 503 with a page of HTML: nginx, Cloudflare or Envoy answering for a dead upstream.
    "html_503" Html503 = Nothing(Fault::Html503);
    /// JSON that breaks off inside a string although the HTTP message is complete: a proxy that
    /// cut at its buffer's size.
    "broken_json" BrokenJson = Nothing(Fault::BrokenJson);
    /// A pause (in milliseconds, by name) before every further event: a model under load.
    "slow_chunks" SlowChunks(Duration) = Number(50, |n| Fault::SlowChunks(Duration::from_millis(n)));
    /// Comments and blank lines before and between the events, blank lines before unstreamed
    /// JSON: DeepSeek and OpenRouter keep the connection alive so while they queue.
    "keep_alive_comments" KeepAliveComments = Nothing(Fault::KeepAliveComments);
    /// Lines end in CR LF: Gemini, Vertex and Perplexity.
    "crlf" Crlf = Nothing(Fault::Crlf);
    /// Every byte comes in a write of its own: a network that cuts inside UTF-8 and line ends.
    "one_byte_at_a_time" OneByteAtATime = Nothing(Fault::OneByteAtATime);
    /// Bytes that are no text under the right content type: a compressed body whose
    /// `content-encoding` a proxy has lost.
    "garbage" Garbage = Nothing(Fault::Garbage);
    /// After n more events every byte comes alone, with pauses, and no frame is ever complete: a
    /// worker that is swapping, or a client of the provider's own that is starved.
    "drip_after" DripAfter(usize) = Number(2, |n| Fault::DripAfter(count(n)));
    /// The stream ends cleanly after n more events: a proxy that lost its upstream and closes in
    /// order.
    "end_after" EndAfter(usize) = Number(2, |n| Fault::EndAfter(count(n)));
    /// After n more events the JSON of one breaks off, and the stream goes on as if nothing were
    /// wrong: two workers writing to one socket.
    "malformed_after" MalformedAfter(usize) = Number(2, |n| Fault::MalformedAfter(count(n)));
    /// Bytes that are no text come after n more events, and then the end.
    "garbage_after" GarbageAfter(usize) = Number(2, |n| Fault::GarbageAfter(count(n)));
    /// After n more events a frame begins that has no line end for 48 MiB: a runaway tool call, or
    /// a file that was never meant to be served.
    "oversized_after" OversizedAfter(usize) = Number(2, |n| Fault::OversizedAfter(count(n)));
    /// An event says after n more events that the rate limit is met, then the stream ends.
    "rate_limit_after" RateLimitAfter(usize) = Number(2, |n| Fault::RateLimitAfter(count(n)));
    /// An event says after n more events that the provider is overloaded, then the stream ends:
    /// Anthropic's documented `overloaded_error`.
    "overloaded_after" OverloadedAfter(usize) = Number(2, |n| Fault::OverloadedAfter(count(n)));
    /// Status 200, the right content type, and not a byte of body.
    "empty_body" EmptyBody = Nothing(Fault::EmptyBody);
    /// Status 200 with a page of HTML: the log-in page of a proxy in between.
    "html_200" Html200 = Nothing(Fault::Html200);
    /// A good answer that says it is plain text: servers behind a proxy that guesses types.
    "wrong_type" WrongType = Nothing(Fault::WrongType);
    /// The first event comes twice: a proxy that tried again behind an answer that had begun.
    "duplicate_start" DuplicateStart = Nothing(Fault::DuplicateStart);
    /// Nothing is said of what was used, whoever asks: many servers of one's own.
    "no_usage" NoUsage = Nothing(Fault::NoUsage);
    /// What was used is told after the stream's end: a proxy that appends what it counted.
    "usage_after_end" UsageAfterEnd = Nothing(Fault::UsageAfterEnd);
    /// Status 429 that tells how long to wait, in the spelling of this name.
    "throttle" Throttle(Spelling) = Word("seconds", |word| Spelling::parse(word).map(Fault::Throttle));
    /// Status 401 with a message that quotes the credential it refuses.
    "quoted_key" QuotedKey = Nothing(Fault::QuotedKey);
    /// Status 500 with a stack trace and the name of a machine beside the message: FastAPI, Triton
    /// and others in debug mode.
    "stack_trace" StackTrace = Nothing(Fault::StackTrace);
}

use Argument::{Nothing, Number, Word};

/// What may follow a fault's name, after a colon.
enum Argument {
    /// No argument.
    Nothing(Fault),
    /// A number, and the one that is meant when none is written.
    Number(u64, fn(u64) -> Fault),
    /// A word, and the one that is meant when none is written.
    Word(&'static str, fn(&str) -> Option<Fault>),
}

impl Fault {
    /// Returns the fault of answering with an error status and a usual error body.
    pub fn status(status: u16) -> Self {
        Self::Status(status, None)
    }

    /// Reads a fault by name, with its argument after a colon: `refuse`, `cut_after:5`,
    /// `status:529`, `slow_chunks:200`.
    pub fn parse(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault { text: text.to_owned() };
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let fault = match (Self::argument_of(name), argument) {
            (Some(Nothing(fault)), None) => Some(fault),
            (Some(Number(usual, make)), None) => Some(make(usual)),
            (Some(Number(_, make)), Some(number)) => number.parse().ok().map(make),
            (Some(Word(usual, make)), word) => make(word.unwrap_or(usual)),
            _ => None,
        };
        fault.ok_or_else(unknown)
    }
}

impl fmt::Display for Fault {
    /// Writes the fault as [`Fault::parse`] reads it; a body of one's own is not written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Status(status, _) => write!(f, ":{status}"),
            Self::CutAfter(n)
            | Self::SilenceAfter(n)
            | Self::ErrorAfter(n)
            | Self::DripAfter(n)
            | Self::EndAfter(n)
            | Self::MalformedAfter(n)
            | Self::GarbageAfter(n)
            | Self::OversizedAfter(n)
            | Self::RateLimitAfter(n)
            | Self::OverloadedAfter(n) => write!(f, ":{n}"),
            Self::Throttle(spelling) => write!(f, ":{}", spelling.name()),
            Self::SlowChunks(pause) => write!(f, ":{}", pause.as_millis()),
            _ => Ok(()),
        }
    }
}

fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn narrow(n: u64) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// A text that names no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFault {
    text: String,
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Fault::ALL_NAMES.join(", ");
        write!(f, "no fault is written “{}”; there are {names}", self.text)
    }
}

impl std::error::Error for UnknownFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_names_its_fault() -> Result<(), UnknownFault> {
        for name in Fault::ALL_NAMES {
            let fault = Fault::parse(name)?;
            assert_eq!(fault.name(), *name);
            assert_eq!(Fault::parse(&fault.to_string())?, fault);
        }
        Ok(())
    }

    #[test]
    fn every_fault_says_what_it_stands_for() {
        for (name, about) in Fault::all() {
            assert!(about.len() > 20 && about.ends_with('.'), "{name}: {about}");
        }
    }

    #[test]
    fn an_argument_follows_a_colon() {
        assert_eq!(Fault::parse("cut_after:5"), Ok(Fault::CutAfter(5)));
        assert_eq!(Fault::parse("status:529"), Ok(Fault::status(529)));
        assert_eq!(
            Fault::parse("throttle:http_date").map(|f| f.to_string()).as_deref(),
            Ok("throttle:http_date")
        );
        assert_eq!(Fault::parse("slow_chunks:7"), Ok(Fault::SlowChunks(Duration::from_millis(7))));
    }

    #[test]
    fn what_names_no_fault_is_refused_with_the_names() {
        for text in
            ["", "reset", "refuse:1", "cut_after:", "cut_after:many", "Refuse", "throttle:some"]
        {
            let said = Fault::parse(text).map_err(|unknown| unknown.to_string());
            assert!(said.is_err_and(|said| said.contains("never_answer")), "{text}");
        }
    }
}
