//! How big a document may become once its aliases are written out.

use super::{Hopeless, Place, Tree};

/// How many values a document may hold.
const NODES: usize = 100_000;

/// How many bytes of text a document may hold.
pub(super) const TEXT: usize = 16 << 20;

/// How deep maps and lists may lie in each other.
const DEPTH: usize = 64;

/// What a value takes up, with all it holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    nodes: usize,
    text: usize,
    /// How many maps and lists lie in each other.
    pub(super) depth: usize,
}

impl Size {
    /// A map or list that holds nothing yet.
    pub(super) const COLLECTION: Self = Self { nodes: 1, text: 0, depth: 1 };

    pub(super) fn scalar(text: usize) -> Self {
        Self { nodes: 1, text, depth: 0 }
    }

    /// Takes a value into a map or list.
    pub(super) fn hold(&mut self, inner: Self) {
        self.nodes = self.nodes.saturating_add(inner.nodes);
        self.text = self.text.saturating_add(inner.text);
        self.depth = self.depth.max(inner.depth.saturating_add(1));
    }
}

impl Tree<'_> {
    /// Counts a value in, and gives up when the document has become too big.
    pub(super) fn count(&mut self, size: Size, at: Place) -> Result<(), Hopeless> {
        self.total.hold(size);
        let message = match (self.total.nodes > NODES, self.total.text > TEXT) {
            (false, false) => return Ok(()),
            (true, _) => format!("the document holds more than {NODES} values"),
            (_, true) => format!("the document holds more than {} MiB of text", TEXT >> 20),
        };
        let path = self.path();
        let help = "aliases count as often as they are used".to_owned();
        self.refuse(at, &path, message, Some(help));
        Err(Hopeless)
    }

    /// Gives up when a value `below` deep would lie too deep here.
    pub(super) fn depth(&mut self, below: usize, at: Place) -> Result<(), Hopeless> {
        if self.open.len() + below <= DEPTH {
            return Ok(());
        }
        let path = self.path();
        let message = format!("maps and lists lie more than {DEPTH} deep in each other");
        self.refuse(at, &path, message, None);
        Err(Hopeless)
    }
}
