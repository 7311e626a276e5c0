//! Retries: how long to pause before one, and whether the target's budget has one left.
//!
//! The pause is exponential with full jitter, so that callers who failed together do not return
//! together. The budget bounds the extra load on a target that fails: retries are a share of its
//! attempts, and a small reserve lets a quiet target have one at all.

use std::time::Duration;

/// A token in the budget's unit.
const TOKEN: u64 = 1_000;

/// How retries of one request at the same target are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest pause before the first retry; it doubles with each.
    pub base: Duration,
    /// The longest pause of all.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(200), cap: Duration::from_secs(5) }
    }
}

/// Returns how long to pause before the nth retry, counted from one.
///
/// It is what the provider told, if it told something, and on top of it a share (`roll`, in [0, 1))
/// of the longest pause.
pub fn pause(backoff: &Backoff, nth: u32, told: Option<Duration>, roll: f64) -> Duration {
    let doubled = 1_u32.checked_shl(nth.saturating_sub(1)).unwrap_or(u32::MAX);
    let longest = backoff.base.saturating_mul(doubled).min(backoff.cap);
    let jitter = share(longest, roll).min(longest);
    told.unwrap_or_default().saturating_add(jitter)
}

/// Returns a share of a duration; a share that is no number is none of it.
fn share(whole: Duration, roll: f64) -> Duration {
    let share = if roll.is_finite() { roll.clamp(0.0, 1.0) } else { 0.0 };
    Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(whole)
}

/// How many retries a target may get from all requests together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudgetPolicy {
    /// Retries per hundred first attempts.
    pub ratio_percent: u32,
    /// The retries that a target has at the start and gains back with time.
    pub reserve: u32,
    /// How long one retry of the reserve takes to come back.
    pub every: Duration,
    /// The most that can be saved up.
    pub most: u32,
}

impl Default for RetryBudgetPolicy {
    fn default() -> Self {
        // A tenth more load is what a host in trouble stands; the reserve is six retries a minute.
        Self { ratio_percent: 10, reserve: 10, every: Duration::from_secs(10), most: 50 }
    }
}

/// The budget of retries of one target.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    policy: RetryBudgetPolicy,
    tokens: u64,
    /// Until when the reserve has come back.
    refilled: Duration,
}

impl RetryBudget {
    /// Makes a budget that holds its reserve.
    pub fn new(policy: RetryBudgetPolicy, now: Duration) -> Self {
        Self { policy, tokens: u64::from(policy.reserve) * TOKEN, refilled: now }
    }

    /// Puts in the share of one attempt, be it a first one or a retry.
    pub fn deposit(&mut self, now: Duration) {
        self.refill(now);
        let most = (u64::from(self.policy.most) * TOKEN).max(self.tokens);
        self.tokens = (self.tokens + self.share()).min(most);
    }

    /// Takes out one retry, if there is one.
    pub fn withdraw(&mut self, now: Duration) -> bool {
        self.refill(now);
        // The retry will deposit its own share when it is made, so that share is taken too:
        // what is left over is a share of the first attempts alone.
        let Some(left) = self.tokens.checked_sub(TOKEN + self.share()) else { return false };
        self.tokens = left;
        true
    }

    fn share(&self) -> u64 {
        u64::from(self.policy.ratio_percent) * TOKEN / 100
    }

    /// Lets the reserve come back, in whole units, keeping the time that makes none.
    fn refill(&mut self, now: Duration) {
        let full = u64::from(self.policy.reserve) * TOKEN;
        let unit = (self.policy.every.as_nanos() / u128::from(TOKEN)).max(1);
        let units = now.saturating_sub(self.refilled).as_nanos() / unit;
        if self.tokens >= full || units >= u128::from(full - self.tokens) {
            self.tokens = self.tokens.max(full);
            self.refilled = self.refilled.max(now);
            return;
        }
        self.tokens += units as u64;
        self.refilled += nanos(units * unit);
    }
}

fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
