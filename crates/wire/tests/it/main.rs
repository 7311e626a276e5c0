//! The laws of the codecs, over recorded traffic, over small cases of our own and over generated
//! conversations.
//!
//! 1. Nothing is lost at home: `write(read(x)) ≡ x` as JSON, up to the dialect's listed spellings.
//! 2. The conversation survives: `read(write(r)) = r`.
//! 3. Losses are honest: what is written and read again differs exactly at the declared losses. With
//!    one dialect everything has a home, so the tests demand that no loss is declared.
//! 4. A stream is its answer: folding the events is reading the whole.
//! 5. Chunking is invisible: any split of the bytes gives the same events.
//! 6. Never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "a test that cannot go on says so by panicking"
)]

mod anthropic_messages;
mod bedrock;
mod built;
mod check;
mod cohere;
mod embeddings;
mod failures;
mod fit;
mod gemini;
mod generated;
mod laws;
mod ollama;
mod openai_chat;
mod openai_responses;
mod oracle;
mod recorded;
mod small;
mod spelling;
mod undo;
