//! OpenAI's `/chat/completions`, and what dozens of hosts speak after it.
//!
//! Sources: OpenAI's published OpenAPI description, and recorded traffic of the hosts where they
//! differ from it. Spellings that mean the same are read into one and written as one:
//!
//! - `null` and an absent field; an empty list of parts and none; a string content and a list with
//!   one text; the prompt-cache mark of a message and that of its one text;
//! - `max_tokens` and `max_completion_tokens`; `tool_choice: any` and `required`;
//!   `response_format: {type: text}` and none; `stream: false`, `exclude: false` and nothing;
//! - `reasoning` and `reasoning_content`, and either beside `reasoning_details` that repeat it;
//! - a call without an id and one with an id that was made for it.

pub mod events;
pub mod failure;
pub mod request;
pub mod response;

mod cache;
mod citation;
mod content;
pub(crate) mod custom;
mod message;
mod thoughts;
mod usage;
