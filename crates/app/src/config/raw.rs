//! `pointsman.yaml` as it is written. The doc comments are what editors and the reference show.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of Pointsman. Everything is optional; paths are relative to this file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    /// Where to listen. Default: `127.0.0.1:4141`. An address that others reach needs `keys`.
    pub(crate) listen: Option<String>,
    /// The ledger, a SQLite file. Default: `ledger.db` beside this file.
    pub(crate) database: Option<String>,
    /// The routing table. Default: the table that ships with Pointsman.
    pub(crate) routing: Option<String>,
    /// A folder of provider records (`*.yaml`), over the shipped ones. Default: `providers` beside
    /// this file, where there is one.
    pub(crate) catalog: Option<String>,
    /// The keys that may call. Without any, nobody is asked for one.
    #[serde(default)]
    pub(crate) keys: Vec<RawKey>,
    /// Limits of requests.
    pub(crate) limits: Option<RawLimits>,
    /// The model that `usage` compares with, such as `openai/gpt-4o`. Default: the routing table's
    /// default model.
    pub(crate) baseline: Option<String>,
    /// How the gateway goes down.
    pub(crate) shutdown: Option<RawShutdown>,
    /// How the gateway logs.
    pub(crate) log: Option<RawLog>,
}

/// A key that may call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKey {
    /// Its name in the ledger.
    pub(crate) name: String,
    /// Where the secret is: `env:NAME` or `file:/path`.
    pub(crate) secret: String,
    /// What is done with a request of which a target's dialect cannot say everything: `tell`
    /// (default) sends what can be said and names the rest in `x-pointsman-loss`; `reject` passes
    /// the target over.
    pub(crate) on_loss: Option<OnLoss>,
}

/// What is done with a request that cannot be said whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnLoss {
    /// Say what can be said, and tell the caller what was lost.
    Tell,
    /// Pass the target over.
    Reject,
}

/// Limits of requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLimits {
    /// The largest body taken, in bytes. Default: 33554432 (32 MiB).
    #[schemars(range(min = 1))]
    pub(crate) body: Option<usize>,
}

/// How the gateway goes down.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawShutdown {
    /// How long answers under way may take to finish. Default: `30s`.
    #[schemars(with = "Option<String>")]
    pub(crate) grace: Option<SignedDuration>,
}

/// How the gateway logs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLog {
    /// Default: `auto`.
    pub(crate) format: Option<LogFormat>,
    /// `error`, `warn`, `info`, `debug`, or a filter such as `gateway=debug`. Default: `info`.
    pub(crate) level: Option<String>,
}

/// The format of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// One JSON object a line.
    Json,
    /// Text.
    Text,
}
