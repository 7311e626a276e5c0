//! Whether the gateway lives, whether it can do its work, and how its targets are.

use std::path::Path;

use health::View;
use serde::Serialize;
use store::Health;

use crate::{Gateway, World, metrics, refusals};

#[derive(Debug, Serialize)]
pub(crate) struct Live {
    status: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Ready {
    status: &'static str,
    providers: Vec<String>,
    routing: String,
    ledger: Ledger,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Ledger {
    status: &'static str,
    /// Requests whose rows are kept nowhere yet but in memory.
    waiting: u64,
    /// Requests whose rows are in the spool, and when the oldest of them began.
    spooled: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Root {
    name: &'static str,
    version: &'static str,
    openai_base_url: &'static str,
}

/// Says that the process answers.
pub(crate) fn live() -> Live {
    Live { status: "ok" }
}

/// Says whether requests can be served and recorded.
pub(crate) fn ready(gateway: &Gateway, world: &World) -> (u16, Ready) {
    let ledger = Ledger::of(&gateway.store.health(), gateway.store.path());
    let providers: Vec<String> = world.reach.keys().cloned().collect();
    let (status, help) = match (providers.is_empty(), ledger.status) {
        (true, _) => {
            (503, Some("no provider is configured: set an API key or start a local server"))
        }
        (_, "failing") => {
            (503, Some("the ledger cannot be written: look at its disk and its file"))
        }
        (_, "spooling") => (
            200,
            Some("the ledger's database has not all rows yet: they are in the spool beside it"),
        ),
        _ => (200, None),
    };
    let ready = Ready {
        status: if status == 200 { "ready" } else { "not_ready" },
        providers,
        routing: world.table.version.clone(),
        ledger,
        help,
    };
    (status, ready)
}

impl Ledger {
    /// Rows in the spool are safe: only rows that can be kept nowhere make the gateway unready.
    fn of(health: &Health, file: &Path) -> Self {
        let (trouble, spooling) = (health.trouble(), health.spooling());
        let status = match (&trouble, &spooling) {
            (Some(_), _) => "failing",
            (None, Some(_)) => "spooling",
            (None, None) => "ok",
        };
        let spooled = spooling.as_ref().map_or(0, |spooling| spooling.requests);
        let since_ms = spooling.as_ref().and_then(|spooling| spooling.since_ms);
        let trouble = trouble.or_else(|| spooling.and_then(|spooling| spooling.why));
        // Nobody is asked for a key here: where the file lies is for the log.
        let file = file.display().to_string();
        let trouble = trouble.map(|trouble| trouble.replace(&file, "its file"));
        Self { status, waiting: health.waiting(), spooled, since_ms, trouble }
    }
}

/// Says what answers here.
pub(crate) fn root() -> Root {
    Root { name: "pointsman", version: env!("CARGO_PKG_VERSION"), openai_base_url: "/v1" }
}

/// How the targets are that were asked so far.
#[derive(Debug, Serialize)]
pub(crate) struct Targets {
    /// Requests under way.
    requests: usize,
    targets: Vec<Target>,
}

#[derive(Debug, Serialize)]
struct Target {
    target: String,
    credential: String,
    /// Whether it would be asked now.
    willing: bool,
    /// `closed`, `open` or `half_open`.
    circuit: &'static str,
    /// After how long an open circuit lets a probe pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_probe_ms: Option<u128>,
    /// How its credential stands for its model: `good`, `cooling` or `retired`.
    standing: &'static str,
    /// Why it would not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// After how long it is asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    again_ms: Option<u128>,
    /// The last failure that was its own doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<&'static str>,
    /// Attempts judged lately, and how many of them failed.
    attempts: u32,
    failures: u32,
    /// How often its circuit opened.
    opened: u64,
    in_flight: u32,
    /// How many attempts may be under way at it.
    limit: u32,
    /// The average time to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<u128>,
    /// The time within which 95 of 100 first tokens come.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_p95_ms: Option<u128>,
}

/// Says how the targets are.
pub(crate) fn targets(gateway: &Gateway) -> Targets {
    let targets = gateway.targets.view().iter().map(target).collect();
    Targets { requests: gateway.gate.requests(), targets }
}

fn target(view: &View) -> Target {
    Target {
        target: format!("{}/{}", view.key.provider, view.key.model),
        credential: view.key.credential.to_string(),
        willing: view.refusal.is_none(),
        circuit: view.state,
        next_probe_ms: view.next_probe.map(|left| left.as_millis()),
        standing: metrics::standing(view),
        why: view.refusal.map(|refusal| refusals::why(refusal.why)),
        again_ms: view.refusal.and_then(|refusal| refusal.again).map(|again| again.as_millis()),
        last_failure: view.reason.map(|kind| kind.code()),
        attempts: view.samples,
        failures: view.failures,
        opened: view.opened_times,
        in_flight: view.in_flight,
        limit: view.limit,
        first_token_ms: view.latency.map(|latency| latency.as_millis()),
        first_token_p95_ms: view.p95.map(|latency| latency.as_millis()),
    }
}
