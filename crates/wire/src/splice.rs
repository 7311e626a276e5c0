//! Editing named members of a JSON object in place: every other byte stays as it came.
//!
//! A body that was parsed and printed again has other key orders, numbers and escapes, and a
//! reordered tool schema is a prompt-cache miss at the provider. So the text is cut at the spans of
//! the values and only the named ones are replaced, added or removed.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use crate::decode::{DecodeError, Why};
use crate::fields::{self, Entries, Fields, repeated};

/// The members of a JSON object, with where each value stands in its text.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    body: &'a [u8],
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Members<'a> {
    /// Reads the members of an object; a member that stands twice is an error, since nobody can
    /// say which one the provider would take.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, DecodeError> {
        let Entries(entries) = serde_json::from_slice(body).map_err(|error| {
            if error.is_data() {
                let why = Why::Expected { expected: "an object", found: "something else" };
                DecodeError { path: String::new(), byte: 0, why }
            } else {
                DecodeError::syntax(body, &error)
            }
        })?;
        let members = Self { body, entries };
        match repeated(&members.entries) {
            Some(at) => Err(members.error(&members.entries[at].0, at, Why::Twice)),
            None => Ok(members),
        }
    }

    /// Returns the members for a reader.
    pub(crate) fn fields(&self) -> Result<Fields<'a, 'static>, DecodeError> {
        fields::of(self.entries.clone(), self.body)
    }

    /// Looks a member up; `null` counts as not there.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        let (_, raw) = self.entries.iter().find(|(known, _)| known == key)?;
        (raw.get() != "null").then_some(*raw)
    }

    /// States what is wrong with a member.
    pub(crate) fn wrong(&self, key: &str, why: Why) -> DecodeError {
        let at = self.position(key).unwrap_or(0);
        self.error(key, at, why)
    }

    fn error(&self, key: &str, at: usize, why: Why) -> DecodeError {
        let byte = if self.entries.is_empty() { 0 } else { self.span(at).start };
        DecodeError { path: key.to_owned(), byte, why }
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|(known, _)| known == key)
    }

    fn span(&self, at: usize) -> Range<usize> {
        let text = self.entries[at].1.get();
        let start = text.as_ptr() as usize - self.body.as_ptr() as usize;
        start..start + text.len()
    }

    /// Returns the text with the edits made.
    pub(crate) fn edit(&self, edits: &[Edit<'_>]) -> Vec<u8> {
        let gone = |edit: &Edit<'_>| match edit {
            Edit::Remove(key) => self.position(key),
            Edit::Set(..) => None,
        };
        let gone: Vec<usize> = edits.iter().filter_map(gone).collect();
        let mut cuts: Vec<(Range<usize>, Cow<'_, str>)> =
            self.removals(&gone).into_iter().map(|range| (range, Cow::Borrowed(""))).collect();
        let mut added = String::new();
        for edit in edits {
            let Edit::Set(key, json) = edit else { continue };
            match self.position(key) {
                Some(at) => cuts.push((self.span(at), Cow::Borrowed(json))),
                None => added.push_str(&format!("{}:{json},", serde_json::Value::from(*key))),
            }
        }
        if !added.is_empty() {
            if gone.len() == self.entries.len() {
                added.pop();
            }
            cuts.push((self.open()..self.open(), Cow::Owned(added)));
        }
        cuts.sort_by_key(|(range, _)| (range.start, range.end));
        paste(self.body, &cuts)
    }

    /// Returns the offset after the opening brace.
    fn open(&self) -> usize {
        self.body.iter().position(|byte| *byte == b'{').map_or(0, |at| at + 1)
    }

    /// Returns the spans to cut so that the members at `gone` leave with one comma each.
    fn removals(&self, gone: &[usize]) -> Vec<Range<usize>> {
        let kept = |at: &usize| !gone.contains(at);
        let first = (0..self.entries.len()).find(kept);
        let mut cuts = Vec::new();
        match first {
            None if self.entries.is_empty() => {}
            None => cuts.push(self.open()..self.span(self.entries.len() - 1).end),
            Some(0) => {}
            Some(first) => {
                // The gap before a value begins with its comma: no key stands before that.
                let end = self.span(first - 1).end;
                let comma = self.body[end..].iter().position(|byte| *byte == b',').unwrap_or(0);
                cuts.push(self.open()..end + comma + 1);
            }
        }
        let later = gone.iter().filter(|at| first.is_some_and(|first| **at > first));
        cuts.extend(later.map(|at| self.span(at - 1).end..self.span(*at).end));
        cuts
    }
}

/// One edit of one member.
pub(crate) enum Edit<'e> {
    /// Give the member this JSON text as its value, adding the member when it is not there.
    Set(&'e str, Cow<'e, str>),
    /// Take the member out.
    Remove(&'e str),
}

fn paste(body: &[u8], cuts: &[(Range<usize>, Cow<'_, str>)]) -> Vec<u8> {
    let grown: usize = cuts.iter().map(|(_, text)| text.len()).sum();
    let mut out = Vec::with_capacity(body.len() + grown);
    let mut at = 0;
    for (range, text) in cuts {
        out.extend_from_slice(&body[at..range.start.max(at)]);
        out.extend_from_slice(text.as_bytes());
        at = range.end.max(at);
    }
    out.extend_from_slice(&body[at..]);
    out
}

#[cfg(test)]
#[path = "splice/tests.rs"]
mod tests;
