//! Writing JSON objects field by field into one buffer, raw texts as they are.

use ir::{Extras, RawJson};
use serde::Serialize;

/// An object being written; [`object`] closes it.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

/// Writes an object.
pub(crate) fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, first: true });
    out.push(b'}');
}

/// Writes a list, item by item.
pub(crate) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Writes any serialisable value.
pub(crate) fn value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("invariant: plain values serialise into a Vec");
}

impl Object<'_> {
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        value(self.out, key);
        self.out.push(b':');
        self.out
    }

    /// Writes a plain field.
    pub(crate) fn field(&mut self, key: &str, plain: &(impl Serialize + ?Sized)) {
        let out = self.key(key);
        value(out, plain);
    }

    /// Writes a plain field when there is something to say.
    pub(crate) fn optional(&mut self, key: &str, plain: Option<&(impl Serialize + ?Sized)>) {
        if let Some(plain) = plain {
            self.field(key, plain);
        }
    }

    /// Writes a kept text.
    pub(crate) fn raw(&mut self, key: &str, raw: &RawJson) {
        self.key(key).extend_from_slice(raw.text().as_bytes());
    }

    /// Writes a field by a function of its own.
    pub(crate) fn with(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.key(key));
    }

    /// Writes a nested object.
    pub(crate) fn nest(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        object(self.key(key), fill);
    }

    /// Writes what a reader could not name.
    pub(crate) fn extras(&mut self, extras: &Extras) {
        for (key, raw) in extras.iter() {
            self.raw(key, raw);
        }
    }
}
