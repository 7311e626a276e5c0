//! Amazon Bedrock's `converse`, the client half: spoken to it, never to us.
//!
//! Sources: Amazon's published service model (`bedrock-runtime`, 2023-09-30) and recorded traffic.
//! The model stands in the path, and so does whether the answer is a stream. Messages alternate and
//! begin with the user's; what stands next to each other with the same role is one message. No
//! client speaks this dialect, so what a request kept of its own dialect has no home here.
//!
//! Read into one: a text with citations and a citation that follows its text in a block of its own;
//! an empty text and none; `cacheReadInputTokens` and `cacheReadInputTokenCount`.

pub mod events;
pub mod request;
pub mod response;

mod additional;
mod media;
mod message;
mod points;
mod toolbox;
