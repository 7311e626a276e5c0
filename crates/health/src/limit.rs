//! Concurrency limit of a target: how many attempts may be out at once, learned from refusals for
//! rate (additive increase, multiplicative decrease).
//!
//! A seat is given back with `leave`, by hand: the limit has no way to know of a seat that was
//! dropped, so whoever holds one must give it back on every exit, also on cancellation.

/// How a limit starts and moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitPolicy {
    /// The limit before anything is known.
    pub start: u32,
    /// The lowest limit; at least one.
    pub least: u32,
    /// The highest limit.
    pub most: u32,
    /// What is left of the limit after a refusal for rate.
    pub backoff_percent: u8,
}

impl Default for LimitPolicy {
    fn default() -> Self {
        // High at first: the provider's refusals find the limit, and until then none is invented.
        Self { start: 1_024, least: 4, most: 4_096, backoff_percent: 70 }
    }
}

/// How an attempt found the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Felt {
    /// It took the attempt.
    Fine,
    /// It refused for rate.
    Pushed,
    /// It said nothing about its rate.
    Neither,
}

/// One place among the attempts that are out; to be given back with `leave`.
#[derive(Debug)]
#[must_use = "a seat that is not given back is taken for ever"]
pub struct Seat {
    /// Which decrease it came after.
    epoch: u64,
}

/// The concurrency limit of one target.
#[derive(Debug, Clone)]
pub struct Limit {
    policy: LimitPolicy,
    /// What an operator bounds it by.
    bound: Option<u32>,
    limit: u32,
    in_flight: u32,
    /// Good answers under full use since the limit last moved.
    fine: u32,
    /// How many decreases there were.
    epoch: u64,
}

impl Limit {
    /// Makes a limit without anybody under it.
    pub fn new(policy: LimitPolicy) -> Self {
        let limit = within(&policy, policy.start);
        Self { policy, bound: None, limit, in_flight: 0, fine: 0, epoch: 0 }
    }

    /// Bounds it by what an operator says; one that says something else than before starts it anew.
    pub fn bound(&mut self, most: Option<u32>) {
        if self.bound != most {
            self.bound = most;
            self.limit = self.within(self.policy.start);
            self.fine = 0;
        }
    }

    fn within(&self, limit: u32) -> u32 {
        within(&self.policy, limit).min(self.bound.unwrap_or(u32::MAX)).max(1)
    }

    /// Takes a seat, if one is free.
    pub fn enter(&mut self) -> Option<Seat> {
        if self.is_full() {
            return None;
        }
        self.in_flight += 1;
        Some(Seat { epoch: self.epoch })
    }

    /// Gives a seat back and hears how the target was.
    #[expect(clippy::needless_pass_by_value, reason = "a seat is given back once")]
    pub fn leave(&mut self, seat: Seat, felt: Felt) {
        match felt {
            Felt::Fine => self.grow(),
            // Fifty refusals at once are one piece of news: only a seat taken since the last
            // decrease can bring about another.
            Felt::Pushed if seat.epoch == self.epoch => self.shrink(),
            Felt::Pushed | Felt::Neither => {}
        }
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Grows by one when as many good answers came as there are seats. A limit that is not used
    /// proves nothing by not being met.
    fn grow(&mut self) {
        let used = u64::from(self.in_flight) * 10 >= u64::from(self.limit) * 8;
        if !used {
            return;
        }
        self.fine += 1;
        if self.fine >= self.limit {
            self.fine = 0;
            self.limit = self.within(self.limit.saturating_add(1));
        }
    }

    /// Shrinks to a share of what was out, which is what was too much, be the limit higher or not.
    fn shrink(&mut self) {
        let out = u64::from(self.limit.min(self.in_flight));
        let left = out * u64::from(self.policy.backoff_percent.min(100)) / 100;
        self.limit = self.within(u32::try_from(left).unwrap_or(u32::MAX)).min(self.limit);
        self.epoch += 1;
        self.fine = 0;
    }

    /// Returns whether all seats are taken.
    pub fn is_full(&self) -> bool {
        self.in_flight >= self.limit
    }

    /// Returns how many seats there are at the moment.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns how many attempts are out.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }
}

fn within(policy: &LimitPolicy, limit: u32) -> u32 {
    limit.min(policy.most).max(policy.least).max(1)
}
