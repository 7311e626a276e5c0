//! The targets' health, shared by all requests: who may be asked now, in which order, and what came
//! of it. The rules are `health`'s; here are the clock, the dice and the lock.

use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::Found;
use health::{Board, Candidate, Pass, Policies, Refusal, Report, TargetKey, View};
use store::Outcome;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::World;
use crate::open::Attempt;
use crate::reach::Reach;

/// A way to answer: a model at its provider, with one of the gateway's credentials there.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) target: Found,
    pub(crate) reach: Arc<Reach>,
    pub(crate) weight: u32,
    /// Its key on the board, made once.
    key: TargetKey,
}

impl Way {
    /// Returns every way to a target.
    pub(crate) fn all(world: &World, target: &Found, weight: u32) -> Vec<Self> {
        let credentials = world.reach.get(&target.provider.id).into_iter().flatten();
        credentials
            .map(|reach| Self {
                target: target.clone(),
                reach: Arc::clone(reach),
                weight: weight.saturating_mul(reach.weight),
                key: TargetKey::new(&target.provider.id, &target.model.id, &reach.credential),
            })
            .collect()
    }

    /// Returns its key on the board.
    pub(crate) fn key(&self) -> TargetKey {
        self.key.clone()
    }

    /// Returns its name for people: the credential is told where there are several.
    pub(crate) fn name(&self) -> String {
        let name = self.target.name();
        if self.target.provider.credentials.is_empty() {
            return name;
        }
        format!("{name} ({})", self.reach.credential)
    }
}

/// Leave to make one attempt. One that is dropped is given back: nothing came of it.
#[derive(Debug)]
pub(crate) struct Leave {
    targets: Arc<Targets>,
    /// `None` once it was told what came of it.
    pass: Option<Pass>,
}

impl Leave {
    /// Notes that the attempt's first content is there.
    pub(crate) fn first(&mut self, took: Duration) {
        if let Some(pass) = &mut self.pass {
            self.targets.board().first(self.targets.now(), pass, took);
        }
    }

    /// Tells how the attempt ended.
    pub(crate) fn told(mut self, attempt: &Attempt) {
        let failure = attempt.failure.as_ref();
        self.give_back(Report {
            outcome: failure.map(|failure| failure.kind),
            first: attempt.first,
            retry_after: failure.and_then(|failure| failure.retry_after),
            cancelled: attempt.outcome == Outcome::Cancelled,
        });
    }

    fn give_back(&mut self, report: Report) {
        if let Some(pass) = self.pass.take() {
            self.targets.board().told(self.targets.now(), pass, report);
            self.targets.freed.notify_waiters();
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.give_back(Report::cancelled());
    }
}

/// The health of all targets.
#[derive(Debug)]
pub(crate) struct Targets {
    board: Mutex<Board>,
    origin: Instant,
    /// Told whenever an attempt ends: somebody may wait for its seat.
    freed: Notify,
}

impl Targets {
    pub(crate) fn new(policies: Policies) -> Self {
        Self {
            board: Mutex::new(Board::new(policies)),
            origin: Instant::now(),
            freed: Notify::new(),
        }
    }

    /// Returns the time as the board reckons it.
    pub(crate) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Returns an instant in the board's time.
    pub(crate) fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.origin)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts ways in the order in which they are to be tried.
    pub(crate) fn order(&self, ways: &[Way]) -> Vec<usize> {
        if let [_] = ways {
            return vec![0];
        }
        let candidates: Vec<Candidate> =
            ways.iter().map(|way| Candidate { key: way.key(), weight: way.weight }).collect();
        self.board().order(self.now(), &candidates, [roll(), roll()])
    }

    /// Asks whether an attempt may be made.
    pub(crate) fn ask(self: &Arc<Self>, way: &Way) -> Result<Leave, Refusal> {
        let (now, key) = (self.now(), way.key());
        let mut board = self.board();
        board.bound(now, &key, way.target.concurrency());
        let pass = board.ask(now, &key)?;
        Ok(Leave { targets: Arc::clone(self), pass: Some(pass) })
    }

    /// Asks once more when every target rests: the least bad is tried rather than nothing.
    pub(crate) fn ask_anyway(self: &Arc<Self>, way: &Way) -> Result<Leave, Refusal> {
        let pass = self.board().ask_anyway(self.now(), &way.key())?;
        Ok(Leave { targets: Arc::clone(self), pass: Some(pass) })
    }

    /// Returns why a target would not be asked now.
    pub(crate) fn rests(&self, way: &Way) -> Option<Refusal> {
        self.board().rests(self.now(), &way.key())
    }

    /// Asks whether a target may be tried again: retries must not amplify an outage.
    pub(crate) fn may_retry(&self, way: &Way) -> bool {
        self.board().may_retry(self.now(), &way.key())
    }

    /// Returns after how long a second attempt is worth making, where enough is known.
    pub(crate) fn hedge_after(&self, way: &Way) -> Option<Duration> {
        self.board().hedge_after(self.now(), &way.key())
    }

    /// Asks whether a second attempt may be made.
    pub(crate) fn may_hedge(&self, way: &Way, share_percent: u8) -> bool {
        self.board().may_hedge(self.now(), &way.key(), share_percent.into())
    }

    /// Resolves when some attempt ends from now on, be it polled before or after.
    pub(crate) fn freed(&self) -> Pin<Box<Notified<'_>>> {
        let mut freed = Box::pin(self.freed.notified());
        freed.as_mut().enable();
        freed
    }

    /// Forgets what is known of a credential that was changed.
    pub(crate) fn renew(&self, provider: &str, credential: &str) {
        self.board().renew(self.now(), provider, credential);
    }

    /// Returns what is known of every target.
    pub(crate) fn view(&self) -> Vec<View> {
        self.board().view(self.now())
    }
}

/// Throws a die between 0 and 1. Choosing among equals and spreading retries wants no better one.
pub(crate) fn roll() -> f64 {
    // Each state is seeded anew by the standard library.
    let bits = RandomState::new().hash_one(()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
