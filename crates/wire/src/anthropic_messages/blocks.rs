//! Lists of content blocks while they are written, where they stand, and the cache marks on them.

use std::fmt;

use ir::{CacheMark, Extras, RawJson};

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::losses::Losses;

/// Blocks written so far. What cannot be said is never added, so that an empty list shows.
#[derive(Default)]
pub(super) struct Blocks {
    bytes: Vec<u8>,
    count: usize,
}

impl Blocks {
    /// Adds a block.
    pub(super) fn add(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        json::object(self.next(), fill);
    }

    /// Adds a block as it came.
    pub(super) fn raw(&mut self, raw: &RawJson) {
        self.next().extend_from_slice(raw.text().as_bytes());
    }

    /// Adds the blocks of another list.
    pub(super) fn join(&mut self, other: &Self) {
        if other.count > 0 {
            self.next().extend_from_slice(&other.bytes);
            self.count += other.count - 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes the list.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        out.extend_from_slice(&self.bytes);
        out.push(b']');
    }

    fn next(&mut self) -> &mut Vec<u8> {
        if self.count > 0 {
            self.bytes.push(b',');
        }
        self.count += 1;
        &mut self.bytes
    }
}

/// Where a part of the conversation stands; printed only in a loss.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) turn: usize,
    pub(super) part: Option<usize>,
}

impl At {
    pub(super) fn part(self, part: usize) -> Self {
        Self { part: Some(part), ..self }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turns[{}]", self.turn)?;
        match self.part {
            Some(part) => write!(f, ".parts[{part}]"),
            None => Ok(()),
        }
    }
}

/// Returns the extras that may be written here; abroad each is a loss.
pub(super) fn at_home<'e>(losses: &mut Losses, at: At, extras: &'e Extras) -> Option<&'e Extras> {
    if extras.is_empty() { None } else { losses.extras(&at.to_string(), extras) }
}

/// Takes a cache mark; one of a newer kind stays among the rest.
pub(super) fn take_cache(fields: &mut Fields<'_, '_>) -> Result<Option<CacheMark>, DecodeError> {
    let mark = fields.take_if(
        "cache_control",
        |mark| read_cache(mark).is_some(),
        |mark| Ok(read_cache(mark)),
    )?;
    Ok(mark.flatten())
}

fn read_cache(mark: Value<'_, '_>) -> Option<CacheMark> {
    let mut fields = mark.object().ok()?;
    let kind = fields.take("type", |kind| kind.text()).ok()??;
    let ttl = fields.take("ttl", |ttl| ttl.string()).ok()?;
    (kind == "ephemeral" && fields.left().next().is_none()).then_some(CacheMark { ttl })
}

pub(super) fn write_cache(block: &mut Object<'_>, cache: Option<&CacheMark>) {
    if let Some(CacheMark { ttl }) = cache {
        block.nest("cache_control", |mark| {
            mark.field("type", "ephemeral");
            mark.optional("ttl", ttl.as_ref());
        });
    }
}

pub(super) fn write_extras(block: &mut Object<'_>, extras: Option<&Extras>) {
    if let Some(extras) = extras {
        block.extras(extras);
    }
}
