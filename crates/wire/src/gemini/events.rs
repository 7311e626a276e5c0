//! Streams: frames to events, and events to frames.
//!
//! Every frame is a whole answer with what is new. Texts of one kind that follow each other are one
//! part; a text with a signature is a part of its own, since the signature must come back on it. A
//! candidate may say why it ended more than once, even before its end: the last word counts, and is
//! said when the bytes end. Bytes that end before any such word are a cut.

mod partial;
mod read;
mod speaker;
mod write;

pub use read::Reader;
pub use write::{Writer, failure_frame};
