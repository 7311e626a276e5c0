//! One distinct error answer of a provider: recorded, or reported in a public issue.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::case::{Code, decode};

/// An error answer, with the class it should be read as.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ErrorCase {
    /// The provider that answered.
    pub provider: String,
    /// The kind of endpoint; reports do not name it.
    #[serde(default)]
    pub api: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// Whether it came inside a stream that had begun well.
    pub mid_stream: bool,
    /// Whether a stream was asked for; reports do not say.
    #[serde(default)]
    pub is_stream_request: Option<bool>,
    /// What the error is, such as `context_length_exceeded`.
    #[serde(rename = "cls")]
    pub class: String,
    /// The provider's word for the kind of error.
    #[serde(default, rename = "type")]
    pub kind: Option<Code>,
    /// The provider's code.
    #[serde(default)]
    pub code: Option<Code>,
    /// What the provider said; in reports it stands in the body alone.
    #[serde(default)]
    pub message: Option<String>,
    /// The headers that matter.
    pub headers: BTreeMap<String, String>,
    /// The body as the record spells it; [`ErrorCase::body_bytes`] has the bytes.
    pub body: String,
    /// How the body is spelled: `utf-8` or `base64`; reports are text.
    #[serde(default)]
    pub encoding: Option<String>,
    /// How often it was recorded.
    #[serde(default)]
    pub count: Option<u32>,
    /// The records that show it.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Where it was taken from: a repository's file, or an issue's address.
    pub source: String,
    /// How real the bytes are: `wire`, …, or `reported_in_issue`.
    pub capture: String,
    /// Whether it looks written by hand.
    #[serde(default)]
    pub maybe_synthetic: bool,
}

impl ErrorCase {
    /// Returns the body as it was on the wire.
    pub fn body_bytes(&self) -> Result<Bytes, base64::DecodeError> {
        decode(&self.body, self.encoding.as_deref().unwrap_or("utf-8"))
    }
}
