//! Streams: frames to events, and events to frames.
//!
//! The reader forgives what recorded hosts do: no `sequence_number`; items that overlap (OpenRouter);
//! contents numbered from 1 (Amazon); thoughts under `reasoning_text` or as a summary; parts, deltas or
//! whole items that only the item's end, or only the answer's end, says; types newer than this program,
//! whose items are kept whole; `[DONE]` after the end. It does not forgive a stream that ends without
//! `response.completed` or `response.incomplete`: that is a cut.
//!
//! The writer emits everything that the official SDK's stream helper accumulates, each item with one id
//! from its first frame to the answer's last.

mod read;
mod write;

mod call;
mod desk;
mod frames;
mod growing;
mod message;
mod picture;
mod thoughts;

pub use frames::failure_frame;
pub use read::Reader;
pub use write::Writer;
