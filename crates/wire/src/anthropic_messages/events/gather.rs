//! A block whose kind has no name here, while it streams: its start and every delta applied to it,
//! so that in the end it is the block the whole answer would hold.

use ir::{Opaque, RawJson};
use serde_json::{Map, Value, json};

use super::super::HERE;

/// A block being gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    block: Map<String, Value>,
    /// The text of its input, which comes in pieces of JSON.
    input: String,
}

impl Gathered {
    /// Begins with what the block said at its start.
    pub(super) fn new(start: &str) -> Self {
        Self { block: serde_json::from_str(start).unwrap_or_default(), input: String::new() }
    }

    /// Applies a delta: pieces of JSON are the input, a citation joins the others, a text grows,
    /// and anything else is set.
    pub(super) fn grow(&mut self, delta: &str) {
        let delta: Map<String, Value> = serde_json::from_str(delta).unwrap_or_default();
        for (name, value) in delta {
            match (name.as_str(), value) {
                ("type", _) | (_, Value::Null) => {}
                ("partial_json", Value::String(piece)) => self.input.push_str(&piece),
                ("citation", citation) => match self.block.get_mut("citations") {
                    Some(Value::Array(all)) => all.push(citation),
                    _ => drop(self.block.insert("citations".to_owned(), json!([citation]))),
                },
                (_, value) => match (self.block.get_mut(&name), value) {
                    (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
                    (_, value) => drop(self.block.insert(name, value)),
                },
            }
        }
    }

    /// Returns the block.
    pub(super) fn done(mut self) -> Opaque {
        if !self.input.is_empty() {
            let input = serde_json::from_str(&self.input).unwrap_or(Value::String(self.input));
            self.block.insert("input".to_owned(), input);
        }
        let raw = RawJson::parse(Value::Object(self.block).to_string());
        Opaque { dialect: HERE, raw: raw.expect("invariant: a Value prints as JSON") }
    }
}
