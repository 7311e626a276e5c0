//! A picture while it is written.

use ir::{Extras, Image, Source};

use super::super::{item, output};
use super::desk::{Desk, Named};

/// A picture while it is written: it comes whole, when its last byte is there.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) part: u32,
    media_type: String,
    base64: String,
}

impl Picture {
    /// Opens a picture.
    pub(super) fn open(part: u32, media_type: &str) -> Self {
        Self { part, media_type: media_type.to_owned(), base64: String::new() }
    }

    /// Takes more of its bytes.
    pub(super) fn say(&mut self, base64: &str) {
        self.base64.push_str(base64);
    }

    /// Writes it.
    pub(super) fn close(self, desk: &mut Desk, out: &mut Vec<u8>) {
        let mut shell = desk.shell(self.part, item::PICTURE).rest;
        let named = Named::of(&shell, "ig", desk.items.len(), desk.maker);
        let standing = named.settle(&mut shell);
        let source = Source::Inline { media_type: self.media_type, base64: self.base64 };
        let extras = Extras::default();
        let image = Image { source, detail: None, cache: None, extras };
        if let Some(item) = output::picture(&standing, &image, &shell) {
            desk.whole(item, out);
        }
    }
}
