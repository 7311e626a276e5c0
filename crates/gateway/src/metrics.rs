//! `GET /metrics`: how the targets are, as OpenMetrics 1.0 text. A target is a provider, a model and
//! the name of a credential, so there are no more series than the board has targets.

use health::{Standing, View};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::Gateway;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Target {
    provider: String,
    model: String,
    credential: String,
}

/// A target in one of several states: 1 where it is in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    provider: String,
    model: String,
    credential: String,
    state: &'static str,
}

/// The states of a circuit.
const CIRCUITS: [&str; 3] = ["closed", "open", "half_open"];

/// The states of a credential.
pub(crate) const STANDINGS: [&str; 3] = ["good", "cooling", "retired"];

type Level = Family<Target, Gauge>;
type States = Family<InState, Gauge>;

/// Writes what is known of the targets.
pub(crate) fn text(gateway: &Gateway) -> String {
    let registry = registry(&gateway.targets.view(), gateway.gate.requests());
    let mut out = String::new();
    text::encode(&mut out, &registry).expect("invariant: a text takes all that is written");
    out
}

fn registry(views: &[View], requests: usize) -> Registry {
    let mut registry = Registry::with_prefix("pointsman");
    let requests_now = Gauge::<i64>::default();
    requests_now.set(i64::try_from(requests).unwrap_or(i64::MAX));
    registry.register("requests_in_flight", "Requests under way", requests_now);
    let (circuit, standing) = (States::default(), States::default());
    registry.register("target_circuit", "1 for the state of the circuit", circuit.clone());
    registry.register(
        "target_standing",
        "1 for how its credential stands for its model",
        standing.clone(),
    );
    let mut level = |name, help| {
        let family = Level::default();
        registry.register(name, help, family.clone());
        family
    };
    let in_flight = level("target_in_flight", "Attempts under way");
    let limit = level("target_limit", "How many attempts may be under way");
    let judged = level("target_recent_attempts", "Attempts in the circuit's window");
    let failed = level("target_recent_failures", "Those of them that failed");
    let opened = Family::<Target, Counter>::default();
    registry.register("target_circuit_opened", "How often the circuit opened", opened.clone());
    let probe = Family::<Target, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    let until = "Until an open circuit lets a probe pass; 0 where none is open";
    registry.register_with_unit("target_next_probe", until, Unit::Seconds, probe.clone());
    for view in views {
        let target = target(view);
        set_one(&circuit, &target, &CIRCUITS, view.state);
        set_one(&standing, &target, &STANDINGS, self::standing(view));
        in_flight.get_or_create(&target).set(view.in_flight.into());
        limit.get_or_create(&target).set(view.limit.into());
        judged.get_or_create(&target).set(view.samples.into());
        failed.get_or_create(&target).set(view.failures.into());
        opened.get_or_create(&target).inc_by(view.opened_times);
        let left = view.next_probe.unwrap_or_default();
        probe.get_or_create(&target).set(left.as_secs_f64());
    }
    registry
}

fn target(view: &View) -> Target {
    Target {
        provider: view.key.provider.to_string(),
        model: view.key.model.to_string(),
        credential: view.key.credential.to_string(),
    }
}

fn set_one(family: &States, target: &Target, states: &[&'static str], is: &str) {
    for state in states {
        let Target { provider, model, credential } = target.clone();
        let labels = InState { provider, model, credential, state };
        family.get_or_create(&labels).set(i64::from(*state == is));
    }
}

/// Returns how a target stands with its provider: the worse of its credential and its model.
pub(crate) fn standing(view: &View) -> &'static str {
    let worse = |standing| match standing {
        Standing::Good => 0,
        Standing::Cooling { .. } => 1,
        Standing::Retired { .. } => 2,
    };
    STANDINGS[worse(view.credential).max(worse(view.target))]
}
