//! The standing of a credential, or of one model under it: whether the provider takes it.
//!
//! A refusal retires it until it is changed, which is a new state, or until a probe succeeds. The
//! probe is the one ask that finds its time come; it sets the next time at once, so one that never
//! returns blocks nothing. A refusal for rate lets it cool. News of attempts that began before the
//! standing last changed is old and changes nothing, but that a longer time to cool is heeded.

use std::time::Duration;

use ir::Kind;

/// How long refusals are heeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingPolicy {
    /// How long it cools where the provider does not say; doubles from refusal to refusal.
    pub cool: Duration,
    /// The longest time to cool where the provider does not say.
    pub cool_longest: Duration,
    /// The longest time to cool that a provider is believed.
    pub told_longest: Duration,
    /// After how long a retired one is probed; doubles from probe to probe.
    pub probe: Duration,
    /// The longest time between probes.
    pub probe_longest: Duration,
}

impl Default for StandingPolicy {
    fn default() -> Self {
        Self {
            cool: Duration::from_secs(2),
            cool_longest: Duration::from_secs(60),
            // A daily quota says "tomorrow"; asking once an hour costs little and finds raised ones.
            told_longest: Duration::from_secs(3_600),
            // Providers have refused good keys for a minute or two; a bad key is probed rarely.
            probe: Duration::from_secs(30),
            probe_longest: Duration::from_secs(900),
        }
    }
}

/// How a credential stands with its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is taken, as far as anybody knows.
    Good,
    /// It was refused for rate.
    Cooling {
        /// Until when.
        until: Duration,
        /// Whether the provider said so, and it is no guess.
        told: bool,
    },
    /// It was refused for what it is.
    Retired {
        /// Why.
        why: Kind,
        /// Since when.
        since: Duration,
        /// When it is tried again.
        probe_at: Duration,
    },
}

/// What is known of one credential.
#[derive(Debug, Clone)]
pub struct Repute {
    policy: StandingPolicy,
    standing: Standing,
    /// When it last changed; attempts that began before are old news.
    changed: Duration,
    /// When it was changed; what began before is about another one.
    renewed: Duration,
    /// Whether the last news was a refusal that may have been one of its request alone.
    suspected: bool,
    /// Refusals in a row, by which the times grow.
    strikes: u32,
}

impl Repute {
    /// Makes the good one of a credential nobody has used.
    pub fn new(policy: StandingPolicy) -> Self {
        Self {
            policy,
            standing: Standing::Good,
            changed: Duration::ZERO,
            renewed: Duration::ZERO,
            suspected: false,
            strikes: 0,
        }
    }

    /// Makes the good one of a credential that was changed just now.
    pub fn renewed(policy: StandingPolicy, now: Duration) -> Self {
        Self { changed: now, renewed: now, ..Self::new(policy) }
    }

    /// Returns the standing; one whose time to cool is over is good.
    pub fn standing(&self, now: Duration) -> Standing {
        match self.standing {
            Standing::Cooling { until, .. } if now >= until => Standing::Good,
            standing => standing,
        }
    }

    /// Returns why and for how long it is retired, unless a probe is due.
    pub fn retired(&self, now: Duration) -> Option<(Kind, Duration)> {
        match self.standing {
            Standing::Retired { why, probe_at, .. } if now < probe_at => {
                Some((why, probe_at - now))
            }
            _ => None,
        }
    }

    /// Returns how long it still cools, and whether the provider said so.
    pub fn cooling(&self, now: Duration) -> Option<(Duration, bool)> {
        match self.standing {
            Standing::Cooling { until, told } if now < until => Some((until - now, told)),
            _ => None,
        }
    }

    /// Sees an attempt begin, which is a probe where it is retired.
    pub fn begin(&mut self, now: Duration) {
        if let Standing::Retired { probe_at, .. } = &mut self.standing {
            self.strikes = self.strikes.saturating_add(1);
            let wait = grown(self.policy.probe, self.strikes).min(self.policy.probe_longest);
            *probe_at = now.saturating_add(wait);
        }
    }

    /// Hears that an attempt was taken.
    pub fn well(&mut self, began: Duration) {
        if began >= self.changed {
            self.standing = Standing::Good;
            self.suspected = false;
            self.strikes = 0;
        }
    }

    /// Hears of a refusal that may be for what the credential is or for what one request asked, such
    /// as a file that is not there. The second in a row is the credential's.
    pub fn suspect(&mut self, now: Duration, began: Duration, why: Kind) {
        let again = matches!(self.standing, Standing::Retired { .. });
        if std::mem::replace(&mut self.suspected, true) || again {
            self.retire(now, began, why);
        }
    }

    /// Hears that an attempt was refused for what the credential is.
    pub fn retire(&mut self, now: Duration, began: Duration, why: Kind) {
        if began < self.changed {
            return;
        }
        let (since, probe_at) = match self.standing {
            Standing::Retired { since, probe_at, .. } => (since, probe_at),
            Standing::Good | Standing::Cooling { .. } => {
                self.strikes = 0;
                (now, now.saturating_add(self.policy.probe))
            }
        };
        self.standing = Standing::Retired { why, since, probe_at };
        self.changed = now;
    }

    /// Hears that an attempt was refused for rate, and for how long if the provider said so.
    pub fn cool(&mut self, now: Duration, began: Duration, told: Option<Duration>) {
        if matches!(self.standing, Standing::Retired { .. }) || began < self.renewed {
            return;
        }
        let told = told.map(|told| told.min(self.policy.told_longest));
        let old = began < self.changed;
        let wait = match told {
            Some(told) => told,
            None if old => return,
            None => grown(self.policy.cool, self.strikes).min(self.policy.cool_longest),
        };
        let (so_far, was_told) = self.cooling(now).unwrap_or_default();
        let until = now.saturating_add(wait.max(so_far));
        let told = if so_far > wait { was_told } else { told.is_some() };
        if !old {
            self.strikes = self.strikes.saturating_add(1);
            self.changed = now;
        }
        self.standing = Standing::Cooling { until, told };
    }
}

fn grown(first: Duration, strikes: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(strikes).unwrap_or(u32::MAX))
}
