//! A lane: everything known of one target.

use std::sync::Arc;
use std::time::Duration;

use ir::Kind;

use crate::board::Policies;
use crate::breaker::Breaker;
use crate::credential::Repute;
use crate::latency::{HedgeBudget, PeakEwma, Quantile};
use crate::limit::Limit;
use crate::retry::RetryBudget;

/// Which target: three names, and no secret among them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// The provider.
    pub provider: Arc<str>,
    /// What the provider calls the model.
    pub model: Arc<str>,
    /// The name of the credential.
    pub credential: Arc<str>,
}

impl LaneKey {
    /// Names a target.
    pub fn new(provider: &str, model: &str, credential: &str) -> Self {
        Self { provider: provider.into(), model: model.into(), credential: credential.into() }
    }
}

/// Everything known of one target.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Which of the lanes that ever were; a pass of an earlier one is not this one's.
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

impl Lane {
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
