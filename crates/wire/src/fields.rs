//! A cursor over the fields of a JSON object: take what you know, and [`Fields::rest`] is what you
//! must carry. Every error knows its path and byte; nothing is copied until it is kept.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use ir::{Extras, RawJson};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::decode::{DecodeError, Why};

/// Where a value stands; built on the stack, printed only in an error.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(Path::Root, key) => f.write_str(key),
            Path::Key(parent, key) => write!(f, "{parent}.{key}"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// One JSON value, with where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a, 'p> {
    pub(crate) raw: &'a RawValue,
    body: &'a [u8],
    path: Path<'p>,
}

/// The fields of one object.
pub(crate) struct Fields<'a, 'p> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
    body: &'a [u8],
    path: Path<'p>,
}

/// Parses a body that is to be an object.
pub(crate) fn body(bytes: &[u8]) -> Result<Fields<'_, 'static>, DecodeError> {
    let read: Result<Entries<'_>, _> = serde_json::from_slice(bytes);
    match read {
        Ok(Entries(entries)) => of(entries, bytes),
        // Only now is it worth knowing whether it is something else or nothing at all.
        Err(error) if error.is_data() => {
            let raw: &RawValue = serde_json::from_slice(bytes)
                .map_err(|error| DecodeError::syntax(bytes, &error))?;
            Err(Value { raw, body: bytes, path: Path::Root }.expected("an object"))
        }
        Err(error) => Err(DecodeError::syntax(bytes, &error)),
    }
}

/// Takes the entries of a body that were read already.
pub(crate) fn of<'a>(
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
    body: &'a [u8],
) -> Result<Fields<'a, 'static>, DecodeError> {
    if let Some(at) = repeated(&entries) {
        let (key, raw) = &entries[at];
        return Err(DecodeError {
            path: key.to_string(),
            byte: byte_of(body, raw),
            why: Why::Twice,
        });
    }
    Ok(Fields { entries, body, path: Path::Root })
}

impl<'a, 'p> Value<'a, 'p> {
    /// Returns an error at this value.
    pub(crate) fn error(&self, why: Why) -> DecodeError {
        DecodeError { path: self.path.to_string(), byte: byte_of(self.body, self.raw), why }
    }

    pub(crate) fn expected(&self, expected: &'static str) -> DecodeError {
        self.error(Why::Expected { expected, found: self.kind() })
    }

    /// Names the kind of the value as a reader would.
    pub(crate) fn kind(&self) -> &'static str {
        match self.raw.get().as_bytes()[0] {
            b'"' => "a string",
            b'{' => "an object",
            b'[' => "a list",
            b'n' => "null",
            b't' | b'f' => "a boolean",
            _ => "a number",
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.raw.get() == "null"
    }

    pub(crate) fn is_string(&self) -> bool {
        self.raw.get().starts_with('"')
    }

    pub(crate) fn is_list(&self) -> bool {
        self.raw.get().starts_with('[')
    }

    pub(crate) fn is_object(&self) -> bool {
        self.raw.get().starts_with('{')
    }

    fn parse<T: Deserialize<'a>>(&self, expected: &'static str) -> Result<T, DecodeError> {
        serde_json::from_str(self.raw.get()).map_err(|_| self.expected(expected))
    }

    pub(crate) fn string(&self) -> Result<String, DecodeError> {
        self.parse("a string")
    }

    pub(crate) fn text(&self) -> Result<Cow<'a, str>, DecodeError> {
        self.parse::<Borrowed<'a>>("a string").map(|text| text.0)
    }

    pub(crate) fn bool(&self) -> Result<bool, DecodeError> {
        self.parse("a boolean")
    }

    pub(crate) fn number(&self) -> Result<Number, DecodeError> {
        self.parse("a number")
    }

    pub(crate) fn count(&self) -> Result<u64, DecodeError> {
        self.parse("a whole number, 0 or more")
    }

    /// Opens the value as an object; a key that stands twice is an error.
    pub(crate) fn object(&self) -> Result<Fields<'a, 'p>, DecodeError> {
        let Entries(entries) = self.parse("an object")?;
        if let Some(at) = repeated(&entries) {
            let (key, raw) = &entries[at];
            let path = Path::Key(&self.path, key).to_string();
            return Err(DecodeError { path, byte: byte_of(self.body, raw), why: Why::Twice });
        }
        Ok(Fields { entries, body: self.body, path: self.path })
    }

    /// Reads the value as a list, item by item.
    pub(crate) fn each<T>(
        &self,
        mut read: impl FnMut(Value<'a, '_>) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let items: Vec<&'a RawValue> = self.parse("a list")?;
        let item =
            |(at, raw)| read(Value { raw, body: self.body, path: Path::Index(&self.path, at) });
        items.into_iter().enumerate().map(item).collect()
    }

    pub(crate) fn keep(&self) -> RawJson {
        RawJson::keep(self.raw)
    }
}

impl<'a> Fields<'a, '_> {
    /// Takes a field and reads it where it stands; `null` counts as not there.
    pub(crate) fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value<'a, '_>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let Some(at) = self.entries.iter().position(|(key, _)| key == name) else {
            return Ok(None);
        };
        let raw = self.entries.remove(at).1;
        let value = Value { raw, body: self.body, path: Path::Key(&self.path, name) };
        if value.is_null() { Ok(None) } else { read(value).map(Some) }
    }

    /// Takes a field that must be there.
    pub(crate) fn need<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value<'a, '_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let path = Path::Key(&self.path, name).to_string();
        let byte = self.entries.first().map_or(0, |(_, raw)| byte_of(self.body, raw));
        self.take(name, read)?.ok_or(DecodeError { path, byte, why: Why::Missing })
    }

    /// Takes a field only when `wanted` says it is of the kind the reader understands; otherwise
    /// it stays among the rest.
    pub(crate) fn take_if<T>(
        &mut self,
        name: &str,
        wanted: impl FnOnce(Value<'a, '_>) -> bool,
        read: impl FnOnce(Value<'a, '_>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let Some((_, raw)) = self.entries.iter().find(|(key, _)| key == name) else {
            return Ok(None);
        };
        let path = Path::Key(&self.path, name);
        let value = Value { raw, body: self.body, path };
        if value.is_null() || wanted(value) { self.take(name, read) } else { Ok(None) }
    }

    /// Looks at a field without taking it.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, raw)| *raw)
    }

    /// Returns what nobody took.
    pub(crate) fn rest(self) -> Extras {
        let keep = |(key, raw): (Cow<'a, str>, &RawValue)| (key.into_owned(), RawJson::keep(raw));
        Extras(self.entries.into_iter().map(keep).collect())
    }

    /// Iterates over what nobody took yet.
    pub(crate) fn left(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.entries.iter().map(|(key, raw)| (key.as_ref(), *raw))
    }
}

/// A raw value borrows from the body it was parsed from, so its offset is a difference.
fn byte_of(body: &[u8], raw: &RawValue) -> usize {
    let at = (raw.get().as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
    if at <= body.len() { at } else { 0 }
}

/// Finds an entry whose key stood before. A few keys are compared with each other; many, which only
/// somebody malicious sends, go through a set.
pub(crate) fn repeated(entries: &[(Cow<'_, str>, &RawValue)]) -> Option<usize> {
    if entries.len() <= 32 {
        let stood = |at: &usize| entries[..*at].iter().any(|(key, _)| *key == entries[*at].0);
        return (0..entries.len()).find(stood);
    }
    let mut seen = HashSet::with_capacity(entries.len());
    entries.iter().position(|(key, _)| !seen.insert(key.as_ref()))
}

/// An object's entries in order, duplicates included.
pub(crate) struct Entries<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Borrowed(key), raw)) = map.next_entry::<Borrowed<'de>, _>()? {
                    entries.push((key, raw));
                }
                Ok(Entries(entries))
            }
        }
        from.deserialize_map(Visit)
    }
}

/// A string that borrows unless it holds escapes; serde's own `Cow` always copies.
pub(crate) struct Borrowed<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Borrowed<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        from.deserialize_str(Visit).map(Borrowed)
    }
}
