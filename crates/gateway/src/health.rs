//! Whether the gateway lives, and whether it can do its work.

use serde::Serialize;

use crate::{Gateway, World};

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
