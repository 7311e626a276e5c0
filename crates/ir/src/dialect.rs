//! Wire languages by name, what differs between the hosts that speak one, and what got lost
//! between two of them. No codec lives here: those are in `wire`.

use serde::Deserialize;

use crate::RawJson;

/// A wire language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's `/chat/completions`, and what dozens of hosts speak after it.
    OpenaiChat,
}

impl Dialect {
    /// Every dialect, in the order of the documentation.
    pub const ALL: [Self; 1] = [Self::OpenaiChat];

    /// Returns the name used in records, configuration and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
        }
    }

    /// Finds a dialect by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

/// What a host does differently from its dialect: a closed list, each read in exactly one
/// function, each with the host that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Whether the host must be asked for usage at the end of a stream.
    pub stream_usage: StreamUsage,
}

/// How a host reports usage in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamUsage {
    /// Only when `stream_options.include_usage` asks for it (OpenAI).
    #[default]
    Ask,
    /// Always, unasked (Mistral: in the chunk that finishes).
    Always,
}

/// Something that must travel on untouched and only its own dialect understands.
#[derive(Debug, Clone, PartialEq)]
pub struct Opaque {
    /// The dialect it was spelled in.
    pub dialect: Dialect,
    /// Its text as it came.
    pub raw: RawJson,
}

/// A field that had no home in the dialect it was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Where it stood, as a JSON path.
    pub path: String,
    /// Why it could not be said.
    pub why: String,
}
