//! What a page shows of a target.

use std::time::Duration;

use ir::Kind;

use crate::credential::Standing;
use crate::refusal::Refusal;
use crate::target::{Target, TargetKey};

/// One target, as it is at the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Which target.
    pub key: TargetKey,
    /// What its circuit is: `closed`, `open` or `half_open`.
    pub state: &'static str,
    /// Why it would refuse, and when it would be asked again.
    pub refusal: Option<Refusal>,
    /// The last failure that was the target's doing.
    pub reason: Option<Kind>,
    /// After how long an open circuit lets a probe pass.
    pub next_probe: Option<Duration>,
    /// Attempts that are out.
    pub in_flight: u32,
    /// How many may be.
    pub limit: u32,
    /// The average time to the first token.
    pub latency: Option<Duration>,
    /// The time within which 95 of 100 first tokens come.
    pub p95: Option<Duration>,
    /// Attempts judged in the circuit's window.
    pub samples: u32,
    /// How many of them failed.
    pub failures: u32,
    /// How often the circuit opened.
    pub opened_times: u64,
    /// How the credential stands.
    pub credential: Standing,
    /// How this model stands under the credential.
    pub target: Standing,
}

impl View {
    pub(crate) fn of(
        now: Duration,
        key: &TargetKey,
        target: &Target,
        credential: Standing,
        refusal: Option<Refusal>,
    ) -> Self {
        let (samples, failures) = target.breaker.counted(now);
        Self {
            key: key.clone(),
            state: target.breaker.circuit(now).name(),
            refusal,
            reason: target.last_ill,
            next_probe: target.breaker.peek(now).err().map(|refused| refused.again),
            in_flight: target.limit.in_flight(),
            limit: target.limit.limit(),
            latency: target.latency.average(now),
            p95: target.quantile.within(now, 95),
            samples,
            failures,
            opened_times: target.breaker.opened(),
            credential,
            target: target.repute.standing(now),
        }
    }
}
