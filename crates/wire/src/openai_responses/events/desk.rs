//! What a stream is written to: its frames, and the finished items that its last frame repeats.

use std::collections::HashMap;

use ir::{Extras, Opaque};

use super::super::item::Shell;
use super::super::made::Maker;
use super::super::output::{self, Standing};
use super::frames::Frames;

/// What is written to: the frames, and the finished items of the answer's last frame.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) frames: Frames,
    pub(super) maker: Maker,
    /// The items in the order of their places, empty where one is not finished.
    pub(super) items: Vec<Vec<u8>>,
    /// What items say beside their content, by their first part.
    pub(super) shells: HashMap<u32, Shell>,
}

impl Desk {
    /// Gives an item its place.
    pub(super) fn place(&mut self) -> usize {
        self.items.push(Vec::new());
        self.items.len() - 1
    }

    /// Returns what the item of a part says beside its content.
    pub(super) fn shell(&self, first: u32, kind: &str) -> Shell {
        let shell = self.shells.get(&first).filter(|shell| shell.kind == kind);
        shell.cloned().unwrap_or_default()
    }

    /// Finishes an item.
    pub(super) fn done(&mut self, index: usize, item: Vec<u8>, out: &mut Vec<u8>) {
        self.frames.item(out, "response.output_item.done", index, &item);
        self.items[index] = item;
    }

    /// Writes an item that comes whole.
    pub(super) fn whole(&mut self, item: Vec<u8>, out: &mut Vec<u8>) {
        let index = self.place();
        self.frames.item(out, "response.output_item.added", index, &item);
        self.done(index, item, out);
    }

    /// Writes empty thoughts that hold a carrier of the item after them.
    pub(super) fn sealed(&mut self, carrier: &Opaque, out: &mut Vec<u8>) {
        let id = self.maker.item("rs", self.items.len());
        self.whole(output::sealed(&id, carrier), out);
    }
}

/// An id, and whether it was made here.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: String,
    made: bool,
}

impl Named {
    pub(super) fn of(shell: &Extras, prefix: &str, index: usize, maker: Maker) -> Self {
        let own = shell.get("id").and_then(|raw| raw.value().as_str().map(str::to_owned));
        let made = own.is_none();
        Self { id: own.unwrap_or_else(|| maker.item(prefix, index)), made }
    }

    /// Makes what an item's end says of itself agree with its beginning.
    pub(super) fn settle(&self, shell: &mut Extras) -> Standing {
        shell.0.retain(|(name, _)| name != "id");
        let status =
            if shell.get("status").is_none() && self.made { Some("completed") } else { None };
        Standing { id: Some(self.id.clone()), status }
    }
}
