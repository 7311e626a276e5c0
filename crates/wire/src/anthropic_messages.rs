//! Anthropic's `/messages`, and what other hosts speak after it.
//!
//! Sources: Anthropic's OpenAPI description, and recorded traffic. Spellings that mean the same are
//! read into one and written as one:
//!
//! - `null` and an absent field; an empty list of citations and none; no input of a call and `{}`;
//! - a string and a list with one text, in `system`, messages and results; no content of a result
//!   and an empty one;
//! - a `system` message at the very beginning and the field `system`;
//! - results in a message of their own and in front of the user's next words; a result behind words
//!   and in the next message (the API joins messages of one role itself);
//! - no `type` of a tool, `null` and `custom`; `stream: false` and none;
//! - a document of base64 with the media type `text/plain`, and one of text;
//! - `output_format` and `output_config.format`;
//! - an empty `metadata` or `output_config` and none;
//! - no signature of thoughts and an empty one;
//! - in usage, counts of nothing and none.
//!
//! Decisions where another dialect says what this one cannot:
//!
//! - The first turn need not be the user's: nothing is put into the user's mouth, and the host's own
//!   words say what it wants. A result without its call is left to the host likewise.
//! - Instructions before the first other turn are the field `system`; later ones become the user's
//!   words, since few models take the role `system` among the messages.
//! - The name of a schema only labels it, so leaving it out is no loss.

pub mod count;
pub mod events;
pub mod failure;
pub mod request;
pub mod response;

mod answer;
mod assistant;
mod blocks;
mod output;
mod tools;
mod turns;
mod usage;
mod user;

use ir::{Dialect, Opaque};

use crate::fields::Value;

const HERE: Dialect = Dialect::AnthropicMessages;

fn opaque(value: Value<'_, '_>) -> Opaque {
    Opaque { dialect: HERE, raw: value.keep() }
}
