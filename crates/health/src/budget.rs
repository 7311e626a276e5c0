//! The budget of one request: attempts, time and money for the whole tree of retries and fallbacks.
//!
//! There is one a request, whatever it goes through. It counts down; nothing puts back.

use std::time::Duration;

use ir::Money;

/// What is left for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The attempts left.
    pub attempts: u32,
    /// The deadline.
    pub until: Duration,
    /// The money left, where it is bounded.
    pub spend: Option<Money>,
}

/// What has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// The attempts.
    Attempts,
    /// The time.
    Time,
    /// The money.
    Money,
}

impl Budget {
    /// Says what has run out, if something has.
    pub fn check(&self, now: Duration) -> Result<(), Spent> {
        if now >= self.until {
            return Err(Spent::Time);
        }
        if self.spend.is_some_and(|left| left <= Money::ZERO) {
            return Err(Spent::Money);
        }
        if self.attempts == 0 { Err(Spent::Attempts) } else { Ok(()) }
    }

    /// Begins an attempt, if there is something left of everything.
    pub fn begin(&mut self, now: Duration) -> Result<(), Spent> {
        self.check(now)?;
        self.attempts -= 1;
        Ok(())
    }

    /// Returns whether there is time left after a pause, so that it is worth sleeping.
    pub fn may_wait(&self, now: Duration, pause: Duration) -> bool {
        now.checked_add(pause).is_some_and(|then| then < self.until)
    }

    /// Takes off what an attempt cost.
    pub fn paid(&mut self, money: Money) {
        self.spend = self.spend.map(|left| left - money);
    }
}
