//! A target: everything known of one target, and the policies it is made by.

use std::sync::Arc;
use std::time::Duration;

use ir::Kind;

use crate::breaker::{Breaker, BreakerPolicy};
use crate::credential::{Repute, StandingPolicy};
use crate::latency::{HedgeBudget, LatencyPolicy, PeakEwma, Quantile};
use crate::limit::{Limit, LimitPolicy};
use crate::retry::{RetryBudget, RetryBudgetPolicy};

/// The policies of all targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// When circuits open.
    pub breaker: BreakerPolicy,
    /// How much a target may be retried by all together.
    pub retry_budget: RetryBudgetPolicy,
    /// How concurrency is limited.
    pub limit: LimitPolicy,
    /// How refusals of credentials are heeded.
    pub standing: StandingPolicy,
    /// How latency is remembered.
    pub latency: LatencyPolicy,
    /// How many targets are kept before silent ones are forgotten.
    pub targets: usize,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            breaker: BreakerPolicy::default(),
            retry_budget: RetryBudgetPolicy::default(),
            limit: LimitPolicy::default(),
            standing: StandingPolicy::default(),
            latency: LatencyPolicy::default(),
            targets: 1_024,
        }
    }
}

/// Which target: three names, and no secret among them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetKey {
    /// The provider.
    pub provider: Arc<str>,
    /// What the provider calls the model.
    pub model: Arc<str>,
    /// The name of the credential.
    pub credential: Arc<str>,
}

impl TargetKey {
    /// Names a target.
    pub fn new(provider: &str, model: &str, credential: &str) -> Self {
        Self { provider: provider.into(), model: model.into(), credential: credential.into() }
    }
}

/// Everything known of one target.
#[derive(Debug)]
pub(crate) struct Target {
    /// Which of the targets that ever were; a pass of an earlier one is not this one's.
    pub(crate) serial: u64,
    pub(crate) breaker: Breaker,
    pub(crate) limit: Limit,
    pub(crate) repute: Repute,
    pub(crate) retries: RetryBudget,
    pub(crate) hedges: HedgeBudget,
    pub(crate) latency: PeakEwma,
    pub(crate) quantile: Quantile,
    /// The last failure that was the target's doing.
    pub(crate) last_ill: Option<Kind>,
    /// When something was last heard or asked.
    pub(crate) news: Duration,
}

impl Target {
    pub(crate) fn new(policies: &Policies, serial: u64, now: Duration) -> Self {
        Self {
            serial,
            breaker: Breaker::new(policies.breaker),
            limit: Limit::new(policies.limit),
            repute: Repute::new(policies.standing),
            retries: RetryBudget::new(policies.retry_budget, now),
            hedges: HedgeBudget::default(),
            latency: PeakEwma::new(&policies.latency, now),
            quantile: Quantile::new(&policies.latency),
            last_ill: None,
            news: now,
        }
    }

    pub(crate) fn observe(&mut self, now: Duration, took: Duration) {
        self.latency.observe(now, took);
        self.quantile.observe(now, took);
    }
}
