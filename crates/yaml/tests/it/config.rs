//! A configuration with everything that real ones have.
#![expect(dead_code, reason = "what a field holds is not always the question")]

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// The whole file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The version of the format.
    #[serde(default)]
    pub(crate) version: Option<String>,
    #[serde(default)]
    pub(crate) server: Server,
    #[serde(default)]
    pub(crate) providers: BTreeMap<String, Provider>,
    #[serde(default)]
    pub(crate) tasks: BTreeMap<String, Task>,
    /// By HTTP status.
    #[serde(default)]
    pub(crate) on_status: BTreeMap<u16, Next>,
    /// Sent along as it is.
    #[serde(default)]
    pub(crate) extra: serde_json::Value,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) workers: Option<u32>,
    pub(crate) metrics: bool,
    pub(crate) timeout: Wait,
    pub(crate) ratio: f64,
    pub(crate) limits: Option<Limits>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            port: 4000,
            workers: None,
            metrics: true,
            timeout: Wait(Duration::from_secs(30)),
            ratio: 0.5,
            limits: None,
        }
    }
}

/// Two numbers that a type of its own looks after.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, try_from = "RawLimits")]
pub(crate) struct Limits;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLimits {
    least: u32,
    most: u32,
    #[serde(default)]
    note: Option<String>,
}

impl TryFrom<RawLimits> for Limits {
    type Error = String;

    fn try_from(raw: RawLimits) -> Result<Self, String> {
        if raw.least <= raw.most { Ok(Self) } else { Err("least is more than most".to_owned()) }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// Where the provider answers. Without the path.
    pub(crate) base_url: String,
    pub(crate) auth: Auth,
    #[serde(default)]
    pub(crate) dialect: Option<Dialect>,
    #[serde(default)]
    pub(crate) models: Vec<Model>,
    #[serde(default)]
    pub(crate) limit: Option<Limit>,
}

/// How to show who is asking.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Auth {
    None,
    Ambient,
    /// A token in `authorization`.
    Bearer(String),
    /// A token elsewhere.
    Header {
        name: String,
        value: String,
    },
}

/// Documented units come as a choice of constants, not as one enum.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// OpenAI's.
    OpenaiChat,
    /// Anthropic's.
    AnthropicMessages,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) price: Option<Decimal>,
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_000_000))]
    pub(crate) window: Option<u64>,
}

/// A decimal as it was written.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[schemars(extend("format" = "decimal"))]
pub(crate) struct Decimal(pub(crate) String);

/// An internally tagged choice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Limit {
    Requests { per_minute: u32 },
    Tokens { per_day: u64 },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    #[schemars(length(min = 1))]
    pub(crate) models: Vec<String>,
    #[serde(default)]
    pub(crate) prefer: Prefer,
    #[serde(default)]
    pub(crate) when: Option<When>,
    #[serde(default)]
    pub(crate) labels: OneOrMany,
}

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Prefer {
    #[default]
    Cheap,
    Fast,
    Quality,
}

/// A choice that contains itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    InputOver(u64),
    All(Vec<When>),
    Not(Box<When>),
}

/// An untagged choice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Next {
    Retry,
    Elsewhere,
}

/// A duration as people write it.
#[derive(Debug, PartialEq, JsonSchema)]
#[schemars(transparent)]
pub(crate) struct Wait(#[schemars(with = "String")] pub(crate) Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refuse = || serde::de::Error::custom(format!("`{text}` is no duration such as 30s"));
        let seconds = text.strip_suffix('s').ok_or_else(refuse)?;
        seconds.parse().map(|seconds| Self(Duration::from_secs(seconds))).map_err(|_| refuse())
    }
}
