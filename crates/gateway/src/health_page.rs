//! Whether the gateway lives, whether it can do its work, and how its targets are.

use health::View;
use serde::Serialize;

use crate::{Gateway, World, refusals};

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
    waiting: u64,
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
    let health = gateway.store.health();
    let trouble = health.trouble();
    let providers: Vec<String> = world.reach.keys().cloned().collect();
    let (status, help) = match (providers.is_empty(), trouble.is_some()) {
        (true, _) => {
            (503, Some("no provider is configured: set an API key or start a local server"))
        }
        (_, true) => (503, Some("the ledger cannot be written: look at its disk and its file")),
        _ => (200, None),
    };
    let ready = Ready {
        status: if status == 200 { "ready" } else { "not_ready" },
        providers,
        routing: world.table.version.clone(),
        ledger: Ledger {
            status: if trouble.is_none() { "ok" } else { "failing" },
            waiting: health.waiting(),
            trouble,
        },
        help,
    };
    (status, ready)
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
    let targets = gateway.targets.view().into_iter().map(target).collect();
    Targets { requests: gateway.gate.requests(), targets }
}

fn target(view: View) -> Target {
    Target {
        target: format!("{}/{}", view.key.provider, view.key.model),
        credential: view.key.credential.to_string(),
        willing: view.refusal.is_none(),
        circuit: view.state,
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
