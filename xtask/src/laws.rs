//! The laws of the codecs, judged over recorded exchanges, one at a time:
//!
//! 1. Nothing is lost at home: `write(read(x)) ≡ x` as JSON, up to the dialect's listed spellings.
//! 2. The conversation survives: `read(write(r)) = r`.
//! 3. Losses are honest: what is written in another dialect and read again says the same, but for
//!    what was declared lost.
//! 4. A stream is its answer: folding its events says what an independent reading of it says.
//! 5. Chunking is invisible: any split of the bytes gives the same events.
//! 6. Never a panic, whatever becomes of the bytes.
//!
//! [`judge()`] knows a record by its format alone, so new recordings are judged without new code.

mod across;
mod facts;
mod judge;
mod mangle;
mod oracles;
mod spellings;

use bytes::Bytes;
use ir::{Dialect, Event, Finish, Grammar, Inbound, Seed};
use wire::{EventReader, Origin, Splitter};

pub(crate) use judge::{Law, Ruling, Verdict, judge};

use testkit::Case;

/// Returns the dialect of a record, where it is one of ours.
pub(crate) fn dialect(case: &Case) -> Option<Dialect> {
    match case.api.as_str() {
        "chat" => Some(Dialect::OpenaiChat),
        "responses" => Some(Dialect::OpenaiResponses),
        "messages" => Some(Dialect::AnthropicMessages),
        "generateContent" => Some(Dialect::Gemini),
        "converse" => Some(Dialect::BedrockConverse),
        // The first version of Cohere's API is another dialect, which nobody speaks here.
        "cohere-chat" if case.path.contains("v2") => Some(Dialect::CohereV2),
        "ollama-chat" => Some(Dialect::Ollama),
        _ => None,
    }
}

/// Returns the dialect as clients speak it, where they do.
pub(crate) fn inbound(dialect: Dialect) -> Option<Inbound> {
    Inbound::ALL.into_iter().find(|inbound| inbound.dialect() == dialect)
}

/// Returns the origin of an answer of a provider.
pub(crate) fn origin(dialect: Dialect, provider: &str) -> Origin {
    Origin { dialect, family: provider.into(), seed: Seed(7) }
}

/// Reads a stream that comes in these pieces into events.
pub(crate) fn events(dialect: Dialect, provider: &str, pieces: &[Bytes]) -> Vec<Event> {
    let mut splitter = Splitter::new(dialect);
    let mut reader = EventReader::new(&origin(dialect, provider));
    let mut out = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        // Bytes that are no frames end the stream: what comes after them would be guesswork.
        while let Ok(Some(frame)) = splitter.next_frame() {
            reader.read(&frame, &mut out);
        }
    }
    if let Some(frame) = splitter.finish() {
        reader.read(&frame, &mut out);
    }
    reader.end(&mut out);
    out
}

/// Returns which rule of the grammar a stream breaks.
pub(crate) fn grammatical(events: &[Event]) -> Result<(), String> {
    let mut grammar = Grammar::default();
    for event in events {
        grammar.step(event).map_err(|broken| format!("{broken} at {event:?}"))?;
    }
    if grammar.ended() { Ok(()) } else { Err("the stream has no end".to_owned()) }
}

/// Returns why an answer stopped, in the words every dialect has; whoever calls tools stops for
/// them.
fn stop(finish: Option<&Finish>, calls: bool) -> &'static str {
    match finish {
        Some(Finish::Length) => "length",
        Some(Finish::ContentFilter | Finish::Refusal) => "filtered",
        _ if calls => "tool calls",
        _ => "stop",
    }
}
