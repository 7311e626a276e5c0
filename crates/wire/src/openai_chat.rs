//! OpenAI's `/chat/completions`, and what dozens of hosts speak after it.
//!
//! Sources: OpenAI's published OpenAPI description, and recorded traffic of the hosts where they
//! differ from it. Spellings that mean the same are read into one and written as one: `null` and an
//! absent field; an empty list of parts and none; a string content and a list with one text; `max_tokens` and
//! `max_completion_tokens`; `reasoning` and `reasoning_content`; `tool_choice: any` and `required`;
//! `response_format: {type: text}` and none.

pub mod events;
pub mod failure;
pub mod head;
pub mod request;
pub mod response;

mod message;
mod usage;
