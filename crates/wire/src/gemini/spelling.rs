//! Names of fields: Google takes each in camel case and in snake case, and writes camel case.

use std::borrow::Cow;

use ir::Extras;
use serde_json::value::RawValue;

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;

/// Returns the name under which a field stands, if it stands there under either.
fn stands<'n>(fields: &Fields<'_, '_>, name: &'n str) -> Option<Cow<'n, str>> {
    if fields.peek(name).is_some() {
        return Some(Cow::Borrowed(name));
    }
    let snake = snake(name)?;
    fields.peek(&snake).is_some().then_some(Cow::Owned(snake))
}

/// Spells a name in snake case, where that is another name.
fn snake(name: &str) -> Option<String> {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    Some(out)
}

/// Takes a field under either name.
pub(super) fn take<'a, T>(
    fields: &mut Fields<'a, '_>,
    name: &str,
    read: impl FnOnce(Value<'a, '_>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    match stands(fields, name) {
        Some(name) => fields.take(&name, read),
        None => Ok(None),
    }
}

/// Takes a field under either name when it is of the kind the reader understands.
pub(super) fn take_if<'a, T>(
    fields: &mut Fields<'a, '_>,
    name: &str,
    wanted: impl FnOnce(Value<'a, '_>) -> bool,
    read: impl FnOnce(Value<'a, '_>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    match stands(fields, name) {
        Some(name) => fields.take_if(&name, wanted, read),
        None => Ok(None),
    }
}

/// Takes a text under either name; any other kind of value stays.
pub(super) fn take_text(
    fields: &mut Fields<'_, '_>,
    name: &str,
) -> Result<Option<String>, DecodeError> {
    take_if(fields, name, |text| text.is_string(), |text| text.string())
}

/// Looks at a field under either name.
pub(super) fn peek<'a>(fields: &Fields<'a, '_>, name: &str) -> Option<&'a RawValue> {
    stands(fields, name).and_then(|name| fields.peek(&name))
}

/// Reads a list, or the one item that stands where a list should.
pub(super) fn each<'a, T>(
    value: Value<'a, '_>,
    mut read: impl FnMut(Value<'a, '_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    if value.is_object() { Ok(vec![read(value)?]) } else { value.each(read) }
}

/// Moves fields into the extras of what they stand in, named after it.
pub(super) fn nested(extras: &mut Extras, parent: &str, rest: Extras) {
    extras.0.extend(rest.0.into_iter().map(|(name, raw)| (format!("{parent}.{name}"), raw)));
}

/// Writes the extras that [`nested`] moved out of `parent`.
pub(super) fn write_nested(object: &mut Object<'_>, parent: &str, extras: &Extras) {
    for (name, raw) in extras.iter() {
        if let Some(name) = name.strip_prefix(parent).and_then(|name| name.strip_prefix('.')) {
            object.raw(name, raw);
        }
    }
}

/// Returns whether [`nested`] moved something out of `parent`.
pub(super) fn has_nested(parent: &str, extras: &Extras) -> bool {
    let of = |name: &str| name.strip_prefix(parent).is_some_and(|name| name.starts_with('.'));
    extras.iter().any(|(name, _)| of(name))
}
