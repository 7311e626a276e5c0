//! Streams: frames to events, and events to frames.
//!
//! The reader forgives what recorded hosts do: usage in the finish chunk, in a chunk of its own, in
//! every chunk or under `x_groq`; a finish said twice, or never before `[DONE]`; no `[DONE]`; tool
//! calls without index, with index -1, with new ids under an old index, with ids and names
//! repeated; thoughts under two names at once, and once more in `reasoning_details`. It does not
//! forgive a stream that ends without either a finish or `[DONE]`: that is a cut.

mod details;
mod plain;
mod read;
mod speaker;
mod write;

pub use read::Reader;
pub use write::{Writer, failure_frame};
