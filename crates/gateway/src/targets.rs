//! The targets' health, shared by all requests: who may be asked now, in which order, and what came
//! of it. The rules are `health`'s; here are the clock, the dice and the lock.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::Found;
use health::{Board, Candidate, LaneKey, Pass, Policies, Refusal, Report, View};
use store::Outcome;
use tokio::sync::Notify;
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
            })
            .collect()
    }

    /// Returns its key on the board.
    pub(crate) fn key(&self) -> LaneKey {
        LaneKey::new(&self.target.provider.id, &self.target.model.id, &self.reach.credential)
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

/// Leave to make one attempt.
#[derive(Debug)]
pub(crate) struct Leave(Pass);

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
    pub(crate) fn ask(&self, way: &Way) -> Result<Leave, Refusal> {
        let (now, key) = (self.now(), way.key());
        let mut board = self.board();
        if let Some(most) = way.target.concurrency() {
            board.bound(now, &key, most);
        }
        board.ask(now, &key).map(Leave)
    }

    /// Asks once more when every target rests: the least bad is tried rather than nothing.
    pub(crate) fn ask_anyway(&self, way: &Way) -> Result<Leave, Refusal> {
        self.board().ask_anyway(self.now(), &way.key()).map(Leave)
    }

    /// Asks whether a target may be tried again: retries must not amplify an outage.
    pub(crate) fn may_retry(&self, way: &Way) -> bool {
        self.board().may_retry(self.now(), &way.key())
    }

    /// Returns after how long a second attempt is worth making, where enough is known and the share
    /// of extra requests allows one.
    pub(crate) fn hedge_after(&self, way: &Way) -> Option<Duration> {
        self.board().hedge_after(self.now(), &way.key())
    }

    /// Asks whether a second attempt may be made.
    pub(crate) fn may_hedge(&self, way: &Way, share_percent: u8) -> bool {
        self.board().may_hedge(self.now(), &way.key(), share_percent.into())
    }

    /// Notes that an attempt's first content is there.
    pub(crate) fn first(&self, leave: &mut Leave, took: Duration) {
        self.board().first(self.now(), &mut leave.0, took);
    }

    /// Notes how an attempt ended.
    pub(crate) fn told(&self, leave: Leave, attempt: &Attempt) {
        let failure = attempt.failure.as_ref();
        let report = Report {
            outcome: failure.map(|failure| failure.kind),
            first: attempt.first,
            retry_after: failure.and_then(|failure| failure.retry_after),
            cancelled: attempt.outcome == Outcome::Cancelled,
        };
        self.board().told(self.now(), leave.0, report);
        self.freed.notify_waiters();
    }

    /// Waits until some attempt ends, at most so long.
    pub(crate) async fn freed(&self, most: Duration) {
        // Whether it was one of the target waited for shows when it is asked again.
        let _ = tokio::time::timeout(most, self.freed.notified()).await;
    }

    /// Forgets what is known of a credential that was changed.
    pub(crate) fn renew(&self, provider: &str, credential: &str) {
        self.board().renew(provider, credential);
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
