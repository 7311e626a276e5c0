//! One recorded exchange: a request to a provider and the answer that came. The fields are those
//! of the recording format; fields it may gain are ignored.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

/// A recorded exchange.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Case {
    /// The record's id, of sixteen hex digits.
    pub id: String,
    /// The repository that published the recording.
    pub source_repo: String,
    /// The file of that repository it was taken from.
    pub source_path: String,
    /// The commit it was taken at.
    pub commit: String,
    /// The licence it came under.
    pub licence: String,
    /// The provider that was asked, such as `openrouter`.
    pub provider: String,
    /// The kind of endpoint, such as `chat`, `messages` or `generateContent`.
    pub api: String,
    /// The host that was asked.
    pub host: String,
    /// The request's method.
    pub method: String,
    /// The request's path, with its query.
    pub path: String,
    /// The request's headers; secrets are redacted.
    #[serde(default)]
    pub request_headers: BTreeMap<String, String>,
    /// The request's body, where it was kept.
    #[serde(default)]
    pub request_body: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers.
    #[serde(default)]
    pub response_headers: BTreeMap<String, String>,
    /// The answer's body as the record spells it; [`Case::body_bytes`] has the bytes.
    pub response_body: String,
    /// How the body is spelled: `utf-8`, or `base64` for binary event streams.
    pub response_body_encoding: String,
    /// How real the bytes are: only `wire` has them as they were received.
    pub capture: String,
    /// How the body is framed: `json`, `sse`, `eventstream`, `ndjson` or `text`.
    #[serde(default)]
    pub framing: String,
    /// Whether the answer was streamed.
    #[serde(default)]
    pub is_stream: bool,
    /// Whether tools were offered or called.
    #[serde(default)]
    pub has_tools: bool,
    /// Whether images were sent.
    #[serde(default)]
    pub has_images: bool,
    /// Whether a JSON schema was asked for.
    #[serde(default)]
    pub has_json_schema: bool,
    /// Whether reasoning was asked for or given.
    #[serde(default)]
    pub has_reasoning: bool,
    /// Whether the answer is an error, whatever its status.
    #[serde(default)]
    pub is_error: bool,
    /// The error, where the answer is one.
    #[serde(default)]
    pub error: Option<CaseError>,
    /// The model that was asked.
    #[serde(default)]
    pub model: Option<String>,
    /// The day of the recording.
    #[serde(default)]
    pub date: String,
    /// What the record shows, such as `req_tools`.
    #[serde(default)]
    pub features: Vec<String>,
    /// The sizes of the recorder's socket reads, where it kept them.
    #[serde(default)]
    pub response_chunk_lens: Option<Vec<usize>>,
    /// Whether the record looks written by hand.
    #[serde(default)]
    pub maybe_synthetic: bool,
}

impl Case {
    /// Returns the answer's body as it was on the wire.
    pub fn body_bytes(&self) -> Result<Bytes, base64::DecodeError> {
        decode(&self.response_body, &self.response_body_encoding)
    }

    /// Returns the value of a response header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.response_headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Returns the bytes of a recorded body.
pub(super) fn decode(body: &str, encoding: &str) -> Result<Bytes, base64::DecodeError> {
    match encoding {
        "base64" => STANDARD.decode(body).map(Bytes::from),
        _ => Ok(Bytes::copy_from_slice(body.as_bytes())),
    }
}

/// The error inside a recorded answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CaseError {
    /// The provider's word for the kind of error.
    #[serde(default, rename = "type")]
    pub kind: Option<Code>,
    /// The provider's code.
    #[serde(default)]
    pub code: Option<Code>,
    /// What the provider said.
    #[serde(default)]
    pub message: String,
    /// Whether it came inside a stream that had begun well.
    #[serde(default)]
    pub mid_stream: bool,
}

/// An error code: providers write words, and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Code {
    /// A number, such as 502.
    Number(i64),
    /// A word, such as `invalid_api_key`.
    Word(String),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => word.fmt(f),
        }
    }
}
