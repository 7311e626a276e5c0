//! Streams: frames to events, and events to frames.
//!
//! The reader forgives what recorded hosts do: pings anywhere, spaces behind the JSON, a call
//! without arguments, a whole message in place of a stream, deltas of a block that never began, no
//! `message_stop` once a stop reason was said. Blocks of kinds it has no name for are gathered and
//! told whole. It does not forgive a stream that ends without a stop reason: that is a cut.

mod gather;
mod read;
mod whole;
mod write;

pub use read::Reader;
pub use write::{Writer, failure_frame};
