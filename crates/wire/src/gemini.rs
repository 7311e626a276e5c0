//! Google's `generateContent`, as the Gemini API and Vertex AI speak it.
//!
//! Sources: Google's discovery document, the official SDK, recorded traffic. The model and whether to
//! stream stand in the path: a request is read without them, and none is written.
//!
//! Spellings that mean the same are read into one and written as one:
//! - a name in snake case and in camel case; `null` and an absent field;
//! - one content, one part, one tool and a list with it; an empty list and none;
//! - the roles `user`, `function`, `tool` and none; a role of the system instruction, which means nothing;
//! - contents of the model that follow each other and one with all their parts, joined where a text
//!   or a thought goes on; an empty text of the model's without a signature and none; function responses
//!   that follow each other, in one content or in several, or with other parts beside them;
//! - a thought or a signature without a text and one with an empty text; a response of a function that
//!   is not there and an empty one; an absent candidate index and its place;
//! - function declarations that follow each other, in one tool or in several;
//! - `parameters` in Google's words and `parametersJsonSchema`; `responseSchema` and
//!   `responseJsonSchema`; types by name in any case and by number; `nullable` and the type `null`;
//! - `thinkingLevel` and the mode of calling in any case; `responseMimeType: text/plain` and none; an empty
//!   `generationConfig` or `toolConfig` and none; a total count that is the sum and none.

pub mod events;
pub mod failure;
pub mod request;
pub mod response;

mod call;
mod grounding;
mod part;
mod schema;
mod settings;
mod signature;
mod spelling;
mod tools;
mod turns;
mod usage;

use ir::{Dialect, Opaque, Seed};

use crate::fields::Value;

const HERE: Dialect = Dialect::Gemini;

fn opaque(value: Value<'_, '_>) -> Opaque {
    Opaque { dialect: HERE, raw: value.keep() }
}

/// Makes ids for the calls that came without one.
#[derive(Debug, Default)]
struct Ids {
    seed: Seed,
    made: usize,
}

impl Ids {
    fn new(seed: Seed) -> Self {
        Self { seed, made: 0 }
    }

    fn make(&mut self) -> String {
        self.made += 1;
        self.seed.call_id(self.made - 1)
    }
}
