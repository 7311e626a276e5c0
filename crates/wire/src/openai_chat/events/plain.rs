//! The chunk that streams are made of: one choice, one piece of text, and around it only what the
//! chunks before it said. Nearly every chunk is one, so it is read in one pass; any other goes the
//! long way in [`super::read`], which says the same of this one.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::fields::Borrowed;

/// A plain chunk of text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plain<'a> {
    /// Repeated in every chunk, and said by the first.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "object")]
    _object: Option<IgnoredAny>,
    #[serde(rename = "created")]
    _created: Option<IgnoredAny>,
    #[serde(rename = "model")]
    _model: Option<IgnoredAny>,
    /// Padding.
    #[serde(rename = "obfuscation")]
    _obfuscation: Option<IgnoredAny>,
    /// Noted when they change.
    #[serde(borrow)]
    system_fingerprint: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    /// Nothing, in a plain chunk.
    #[serde(rename = "usage")]
    _usage: Option<Never>,
    #[serde(borrow)]
    choices: [Choice<'a>; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    delta: Delta<'a>,
    #[serde(rename = "logprobs")]
    _logprobs: Option<Never>,
    #[serde(rename = "finish_reason")]
    _finish_reason: Option<Never>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delta<'a> {
    #[serde(rename = "role")]
    _role: Option<IgnoredAny>,
    #[serde(borrow)]
    content: Borrowed<'a>,
    #[serde(rename = "refusal")]
    _refusal: Option<Never>,
    #[serde(rename = "tool_calls")]
    _tool_calls: Option<Never>,
    #[serde(rename = "reasoning_content")]
    _reasoning_content: Option<Never>,
}

/// A field that may only be `null` or absent.
#[derive(Deserialize)]
enum Never {}

impl<'a> Plain<'a> {
    /// Reads a chunk, when it is a plain one.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(data).ok()
    }

    /// Returns the candidate and its text.
    pub(super) fn text(&self) -> (u64, &Cow<'a, str>) {
        let [choice] = &self.choices;
        (choice.index, &choice.delta.content.0)
    }

    /// Returns the fields that hosts repeat in every chunk and that count when they change.
    pub(super) fn repeated(&self) -> [(&'static str, Option<&'a RawValue>); 2] {
        [("system_fingerprint", self.system_fingerprint), ("service_tier", self.service_tier)]
    }
}
