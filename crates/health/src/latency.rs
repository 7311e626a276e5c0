//! Times to the first token: a peak-sensitive average to choose by, a quantile to hedge after, and
//! a budget of hedges.
//!
//! Durations in, durations out; the average alone is a float inside, since it decays.

use std::time::Duration;

use crate::slide::Slices;

/// How latency is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyPolicy {
    /// How fast the average forgets for what it hears: after so long a third is left.
    pub tau: Duration,
    /// How fast it sinks where nothing is heard. Slower, or a target of little weight would look
    /// fast for being asked seldom.
    pub idle: Duration,
    /// What is assumed of a target nobody has asked.
    pub assumed: Duration,
    /// How far back the quantile looks.
    pub window: Duration,
    /// Below so many observations there is no quantile.
    pub minimum: u32,
}

impl Default for LatencyPolicy {
    fn default() -> Self {
        Self {
            tau: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            assumed: Duration::from_millis(500),
            window: Duration::from_secs(300),
            // The fewest of which one in twenty is one.
            minimum: 20,
        }
    }
}

/// An average that jumps up to a peak and comes down slowly.
///
/// Without observations it sinks towards nothing, so that who was slow once is tried again.
#[derive(Debug, Clone)]
pub struct PeakEwma {
    tau: Duration,
    idle: Duration,
    seconds: f64,
    at: Duration,
    observed: bool,
}

impl PeakEwma {
    /// Starts at what is assumed.
    pub fn new(policy: &LatencyPolicy, now: Duration) -> Self {
        let LatencyPolicy { tau, idle, assumed, .. } = *policy;
        Self { tau, idle, seconds: assumed.as_secs_f64(), at: now, observed: false }
    }

    /// Takes in one time to the first token.
    pub fn observe(&mut self, now: Duration, took: Duration) {
        let took = took.as_secs_f64();
        let sunk = self.sunk(now);
        let kept = decay(now.saturating_sub(self.at), self.tau);
        self.seconds = if took > sunk { took } else { sunk * kept + took * (1.0 - kept) };
        self.at = self.at.max(now);
        self.observed = true;
    }

    /// Returns how loaded the target is: its latency, times the one that would come and those who
    /// are there already, measured by its share. A share of one is an average target's.
    ///
    /// Only those who are there are measured: where nobody is, a target of little weight is no
    /// slower than another.
    pub fn load(&self, now: Duration, in_flight: u32, share: f64) -> f64 {
        // A millisecond at least, so that those who are there count also where all are fast.
        self.sunk(now).max(0.001) * (1.0 + f64::from(in_flight) / share.max(0.001))
    }

    /// Returns the average, when there was an observation.
    pub fn average(&self, now: Duration) -> Option<Duration> {
        let seconds = self.sunk(now);
        self.observed.then(|| Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }

    fn sunk(&self, now: Duration) -> f64 {
        self.seconds * decay(now.saturating_sub(self.at), self.idle)
    }
}

/// Returns what is left of one after some time.
fn decay(passed: Duration, tau: Duration) -> f64 {
    (-passed.as_secs_f64() / tau.as_secs_f64().max(0.001)).exp()
}

/// Buckets a slice of the histogram has: four a doubling, of milliseconds up to some hours.
const BUCKETS: usize = 96;

/// The quantile of the recent times to the first token, from a histogram with four buckets a
/// doubling: up to a fifth too long, never too short.
#[derive(Debug, Clone)]
pub struct Quantile {
    minimum: u32,
    slices: Slices<Histogram, 5>,
}

#[derive(Debug, Clone)]
struct Histogram([u16; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Quantile {
    /// Starts without observations.
    pub fn new(policy: &LatencyPolicy) -> Self {
        Self { minimum: policy.minimum, slices: Slices::new(policy.window) }
    }

    /// Takes in one time to the first token.
    pub fn observe(&mut self, now: Duration, took: Duration) {
        let count = &mut self.slices.at(now).0[bucket(took)];
        *count = count.saturating_add(1);
    }

    /// Returns the time within which `percent` of the recent observations lie, if there are enough.
    pub fn within(&self, now: Duration, percent: u32) -> Option<Duration> {
        let mut counts = [0_u32; BUCKETS];
        for slice in self.slices.recent(now) {
            for (sum, count) in counts.iter_mut().zip(slice.0) {
                *sum += u32::from(count);
            }
        }
        let total: u32 = counts.iter().sum();
        if total < self.minimum.max(1) {
            return None;
        }
        let rank = (u64::from(total) * u64::from(percent)).div_ceil(100);
        let mut below = 0;
        for (at, count) in counts.into_iter().enumerate() {
            below += u64::from(count);
            if below >= rank {
                return Some(upper(at));
            }
        }
        None
    }
}

/// Returns the bucket of a duration: its power of two and the two binary digits after it.
fn bucket(took: Duration) -> usize {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if millis < 4 {
        return millis as usize;
    }
    let power = millis.ilog2() as usize;
    let digits = (millis >> (power - 2)) as usize & 3;
    (4 * (power - 1) + digits).min(BUCKETS - 1)
}

/// Returns the end of a bucket, which is the start of the next.
fn upper(bucket: usize) -> Duration {
    let next = bucket + 1;
    if next < 4 {
        return Duration::from_millis(next as u64);
    }
    Duration::from_millis((4 + next as u64 % 4) << (next / 4 - 1))
}

/// One attempt in the hedge budget's unit.
const ATTEMPT: u64 = 1_000;

/// How many attempts are saved up at most: ten hedges at one in a hundred.
const SAVED: u64 = 1_000 * ATTEMPT;

/// How many hedges a target's attempts have earned.
#[derive(Debug, Clone, Default)]
pub struct HedgeBudget {
    attempts: u64,
}

impl HedgeBudget {
    /// Puts in one attempt.
    pub fn deposit(&mut self) {
        self.attempts = (self.attempts + ATTEMPT).min(SAVED);
    }

    /// Takes out one hedge, when hedges stay within `share_percent` of the attempts without them.
    pub fn withdraw(&mut self, share_percent: u32) -> bool {
        if share_percent == 0 {
            return false;
        }
        // The hedge is an attempt too and will be put in, so it is taken out here.
        let price = (100 * ATTEMPT).div_ceil(u64::from(share_percent)) + ATTEMPT;
        let Some(left) = self.attempts.checked_sub(price) else { return false };
        self.attempts = left;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BUCKETS, bucket, upper};

    #[test]
    fn every_time_lies_in_its_bucket() {
        for millis in (0..5_000).chain([60_000, 599_999, 3_600_000]) {
            let took = Duration::from_millis(millis);
            let at = bucket(took);
            assert!(took < upper(at), "{millis} ms is above its bucket");
            assert!(at == 0 || took >= upper(at - 1), "{millis} ms is below its bucket");
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }
}
