//! The tree of a document: values with their places, before anybody asks what they should be.
//! Subtrees are shared, so an alias costs nothing here; what it expands to is counted in `build`.

use std::sync::Arc;

use crate::path::{Path, Step};
use crate::problem::Place;
use crate::scalar::Kind;

/// A value and where it stands. A block map or list under a key stands where its key stands.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) value: Value,
}

/// What a value is in the file.
#[derive(Clone)]
pub(crate) enum Value {
    Scalar(Arc<Scalar>),
    List(Arc<Vec<Node>>),
    Map(Arc<Vec<Entry>>),
}

/// A key, where it stands, and what it holds.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Place,
    pub(crate) value: Node,
}

/// A scalar with its exact text. No `Debug`: a text may be a secret.
pub(crate) enum Scalar {
    /// Unquoted: the text decides what it is.
    Plain(String),
    /// Quoted or a block: always text.
    Quoted(String),
    /// Holds the value of a variable: becomes what its place asks for, and only `written` is ever
    /// shown.
    Filled { written: String, text: String },
}

impl Scalar {
    /// Returns the text to work with.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Quoted(text) | Self::Filled { text, .. } => text,
        }
    }

    /// Returns the text as the file has it, safe to be shown.
    pub(crate) fn written(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Quoted(text) => text,
            Self::Filled { written, .. } => written,
        }
    }
}

impl Node {
    /// Returns what the value can be read as, preferred first.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        match &self.value {
            Value::List(_) => vec![Kind::List],
            Value::Map(_) => vec![Kind::Map],
            Value::Scalar(scalar) => match &**scalar {
                Scalar::Plain(text) => vec![Kind::of(text)],
                Scalar::Quoted(_) => vec![Kind::Text],
                Scalar::Filled { text, .. } => vec![Kind::Text, Kind::of(text)],
            },
        }
    }

    /// Returns the scalar, when it is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Returns the entries, none when it is no map.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Scalar(_) | Value::List(_) => &[],
        }
    }

    /// Returns the entry of a key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Returns the value a path leads to, or the deepest one on the way.
    pub(crate) fn deepest(&self, path: &Path) -> &Self {
        let mut node = self;
        for step in &path.0 {
            let below = match (step, &node.value) {
                (Step::Key(key), Value::Map(_)) => node.entry(key).map(|entry| &entry.value),
                (Step::Index(index), Value::List(items)) => items.get(*index),
                _ => None,
            };
            let Some(below) = below else { return node };
            node = below;
        }
        node
    }

    /// Returns whether the value of a variable is anywhere in here.
    pub(crate) fn is_filled(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => matches!(**scalar, Scalar::Filled { .. }),
            Value::List(items) => items.iter().any(Self::is_filled),
            Value::Map(entries) => entries.iter().any(|entry| entry.value.is_filled()),
        }
    }

    /// Returns the same tree with what the file says in place of the values of variables.
    pub(crate) fn unfilled(&self) -> Self {
        let value = match &self.value {
            Value::List(items) => Value::List(Arc::new(items.iter().map(Self::unfilled).collect())),
            Value::Map(entries) => {
                let unfilled = |entry: &Entry| Entry {
                    key: entry.key.clone(),
                    at: entry.at,
                    value: entry.value.unfilled(),
                };
                Value::Map(Arc::new(entries.iter().map(unfilled).collect()))
            }
            Value::Scalar(scalar) => match &**scalar {
                Scalar::Filled { written, .. } => {
                    Value::Scalar(Arc::new(Scalar::Quoted(written.clone())))
                }
                Scalar::Plain(_) | Scalar::Quoted(_) => Value::Scalar(Arc::clone(scalar)),
            },
        };
        Self { at: self.at, value }
    }
}
