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
    /// How much is taken at once.
    pub(crate) limits: Option<RawLimits>,
    /// When a target that fails is left alone.
    pub(crate) breaker: Option<RawBreaker>,
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

/// How much is taken at once; what comes over it is refused before memory grows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLimits {
    /// The largest body taken, in bytes. Default: 33554432 (32 MiB).
    #[schemars(range(min = 1))]
    pub(crate) body: Option<usize>,
    /// The most requests under way; more get a 503 that says when to come again. Default: 1024.
    #[schemars(range(min = 1))]
    pub(crate) requests: Option<usize>,
    /// The most bytes that bodies of requests under way may fill, at least `body`. Default: 536870912
    /// (512 MiB), or `body` where that is more.
    #[schemars(range(min = 1))]
    pub(crate) memory: Option<usize>,
    /// The most connections; more wait. Default: 8192. A change takes a restart.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) connections: Option<usize>,
    /// How long a client may leave what is sent to it untaken. Default: `60s`. A change takes a
    /// restart.
    #[schemars(with = "Option<String>")]
    pub(crate) client_silence: Option<SignedDuration>,
}

/// When a target that fails is left alone: it is asked nothing for a while, then by a few probes. A
/// change takes a restart.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBreaker {
    /// So many failures in a row open its circuit. Default: 5.
    #[schemars(range(min = 1))]
    pub(crate) consecutive: Option<u32>,
    /// So many failures of 100 attempts within `window` do too. Default: 50.
    #[schemars(range(min = 1, max = 100))]
    pub(crate) ratio_percent: Option<u8>,
    /// The attempts within `window` below which the ratio says nothing. Default: 10.
    #[schemars(range(min = 1))]
    pub(crate) minimum: Option<u32>,
    /// How far back attempts count. Default: `30s`.
    #[schemars(with = "Option<String>")]
    pub(crate) window: Option<SignedDuration>,
    /// How long a circuit stays open the first time; it doubles while probes fail. Default: `5s`.
    #[schemars(with = "Option<String>")]
    pub(crate) open: Option<SignedDuration>,
    /// The longest it stays open. Default: `60s`.
    #[schemars(with = "Option<String>")]
    pub(crate) longest: Option<SignedDuration>,
    /// How many probes may be under way at once. Default: 1.
    #[schemars(range(min = 1))]
    pub(crate) probes: Option<u32>,
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
