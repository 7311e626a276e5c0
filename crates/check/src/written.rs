//! The `check:` of a task as it is written in `routing.yaml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of a task's answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// What becomes of an answer that does not pass.
    #[serde(default)]
    pub mode: Mode,
    /// The answer has text or calls a tool.
    #[serde(default)]
    pub non_empty: bool,
    /// The answer ended by itself: not cut for its length, not filtered.
    #[serde(default)]
    pub finish: bool,
    /// The answer is JSON; where the caller asked for a schema, it fits the schema.
    #[serde(default)]
    pub json: bool,
    /// An answer that is nearly JSON is mended: fences and prose around it, trailing commas, single
    /// quotes, brackets left open at the end of an answer that was not cut.
    #[serde(default)]
    pub repair: bool,
    /// The answer is exactly one of these; case, white space and a final stop do not count.
    pub labels: Option<Vec<String>>,
    /// The language of the answer as its ISO 639-1 code, such as `ar`.
    pub language: Option<String>,
    /// The Unicode script of most letters of the answer, such as `Arabic`.
    pub script: Option<String>,
    /// How long the answer may be.
    pub length: Option<WrittenLength>,
    /// The answer is no refusal.
    #[serde(default)]
    pub refusal: bool,
    /// A regular expression the answer matches; `^` and `$` anchor it to the whole.
    pub matches: Option<String>,
    /// Texts that stand in the answer.
    #[serde(default)]
    pub must_contain: Vec<String>,
    /// Texts that do not stand in the answer.
    #[serde(default)]
    pub must_not_contain: Vec<String>,
    /// Every tool that is called was offered, and its arguments fit its schema.
    #[serde(default)]
    pub tools: bool,
}

/// What becomes of an answer that does not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It goes out; what was found is recorded.
    #[default]
    Observe,
    /// It is held until it passes; otherwise the next model is asked.
    Enforce,
}

impl Mode {
    /// Returns the word of the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }
}

/// How long an answer may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenLength {
    /// At least this much.
    pub least: Option<u64>,
    /// At most this much.
    pub most: Option<u64>,
    /// What is counted; words where nothing is said.
    #[serde(default)]
    pub unit: Unit,
    /// The answer is as long as its prompt asks, in words such as "in 100 words" or "in two
    /// sentences": words and characters within a quarter, sentences and paragraphs within one, items
    /// of a list exactly. A prompt that asks for no length, or for several, is no matter.
    #[serde(default)]
    pub from_prompt: bool,
}

/// What a length counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Words; a Chinese character, a kana or a Thai letter counts as one.
    #[default]
    Words,
    /// Characters but white space.
    Characters,
    /// Sentences.
    Sentences,
    /// Paragraphs.
    Paragraphs,
    /// Items of a list.
    Items,
}

impl Unit {
    /// Returns the word of the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Characters => "characters",
            Self::Sentences => "sentences",
            Self::Paragraphs => "paragraphs",
            Self::Items => "items",
        }
    }
}
