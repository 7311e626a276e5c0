//! OpenAI's `/responses`, and what xAI, OpenRouter, Azure, Bedrock, DeepSeek, Hugging Face and
//! llama.cpp speak after it.
//!
//! Sources: OpenAI's published OpenAPI description, and recorded traffic of the hosts where they
//! differ from it. The dialect lists *items*; the conversation has turns. Items of the model between
//! two inputs (messages, calls, thoughts, pictures, whatever is newer) are one turn, whose parts
//! stand in the order of the items. What a message, a call or a picture said beside its content (its
//! id, its status, its phase) is kept among the turn's extras as `item_N`, N being the number of its
//! first part: there a whole answer and a stream can both put it. Thoughts carry their whole item, once,
//! when it is complete; in an answer their id is kept as well, so that a stream can name them before.
//!
//! Spellings that mean the same are read into one and written as one:
//! - `null` and an absent field; `input` as a string and as one message; an empty `input` and none;
//! - `instructions` and one plain text of the system at the head of the input;
//! - a string content and a list with one text; `type: message` and a role alone;
//! - an output as a string and as a list with one text; arguments as an object and as its text;
//! - `annotations: []` and none; `text: {format: {type: text}}` and none; `stream: false` and none;
//! - the order of `include`; `status: completed` of an item without an id, and none;
//! - in answers, a field that says its default (see `response::DEFAULTS`) and none; counts of
//!   nothing and none; ids that were made here and none.

pub mod events;
pub mod failure;
pub mod request;
pub mod response;

mod content;
mod input;
mod item;
mod made;
mod output;
mod said;
mod settings;
mod tools;
mod usage;
