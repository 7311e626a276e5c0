//! A hold: from the moment a request may be sent until it is settled, on every exit.
//!
//! It gathers the attempts. [`Hold::settle`] hands everything to the ledger and returns the receipt
//! that says when it is committed; a hold that is dropped (the client hung up, a panic) settles the
//! attempt under way as cancelled. Each attempt is recorded exactly once either way.

use std::sync::Arc;
use std::time::Duration;

use health::{Budget, Refusal, Spent, Why};
use ir::{Failure, Kind, Loss, Next, Usage};
use router::Plan;
use store::{Id, Outcome, Receipt};
use tokio::time::Instant;
use wire::failures;

use crate::Gateway;
use crate::clock::now_ms;
use crate::continuation::Continuation;
use crate::converse::tell;
use crate::gate::Seat;
use crate::open::{self, Attempt, Beginning, Book, Open};
use crate::record;
use crate::refusals;
use crate::targets::{Leave, Way};

/// What a request showed of itself, kept with its decision.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) key: Option<String>,
    pub(crate) asked: String,
    pub(crate) stream: bool,
    pub(crate) tools: bool,
    pub(crate) schema: bool,
    pub(crate) body_bytes: usize,
    /// Bytes of its texts, for an estimate where usage never comes.
    pub(crate) prose: usize,
    /// Whether the provider may keep the conversation, so that a later request names its answer.
    pub(crate) stored: bool,
}

/// A target that was not asked, since it rests or has enough to do.
#[derive(Debug, Clone)]
pub(crate) struct PassedOver {
    pub(crate) way: Way,
    pub(crate) refusal: Refusal,
}

/// A request that may be sent.
#[derive(Debug)]
pub(crate) struct Hold {
    gateway: Arc<Gateway>,
    pub(crate) id: Id,
    pub(crate) at_ms: i64,
    pub(crate) began: Instant,
    pub(crate) shown: Shown,
    pub(crate) plan: Plan,
    /// The attempts that have ended, in the order they began.
    pub(crate) attempts: Vec<Attempt>,
    /// The targets that were not asked.
    pub(crate) passed_over: Vec<PassedOver>,
    /// What is left for it.
    pub(crate) budget: Budget,
    /// What of its budget ran out.
    pub(crate) stopped: Option<Spent>,
    /// How long it waited for providers, and for targets to be ready.
    waited: Duration,
    /// The attempt whose answer goes out.
    open: Option<Open>,
    /// What is kept for going on with its answer.
    pub(crate) continuation: Option<Box<Continuation>>,
    book: Book,
    begun: usize,
    settled: bool,
    /// The request's place among those under way.
    _seat: Option<Seat>,
}

impl Hold {
    /// Opens a hold on a plan.
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        id: Id,
        began: Instant,
        shown: Shown,
        plan: Plan,
        seat: Option<Seat>,
    ) -> Self {
        let budget = Budget {
            attempts: plan.limits.attempts,
            until: gateway.targets.at(began + plan.limits.total),
            spend: plan.limits.spend,
        };
        Self {
            gateway: Arc::clone(gateway),
            id,
            at_ms: now_ms(),
            began,
            shown,
            plan,
            attempts: Vec::new(),
            passed_over: Vec::new(),
            budget,
            stopped: None,
            waited: Duration::ZERO,
            open: None,
            continuation: None,
            book: Book::default(),
            begun: 0,
            settled: false,
            _seat: seat,
        }
    }

    /// Returns when the whole request must be over.
    pub(crate) fn deadline(&self) -> Instant {
        self.began + self.plan.limits.total
    }

    /// Begins an attempt; its target gave leave for it, or was not asked for any.
    pub(crate) fn begin(
        &mut self,
        way: &Way,
        leave: Option<Leave>,
        paused: Duration,
        hedge: bool,
    ) -> Open {
        let beginning = Beginning {
            nth: self.begun,
            way: way.clone(),
            paused,
            hedge,
            prose: self.shown.prose,
            stored: self.shown.stored,
        };
        self.begun += 1;
        self.passed_over.retain(|passed| passed.way.key() != way.key());
        Open::begin(&self.book, leave, beginning)
    }

    /// Returns where its attempts are recorded.
    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    /// Keeps the attempt whose answer goes out.
    pub(crate) fn won(&mut self, open: Open) {
        self.gather();
        self.open = Some(open);
    }

    /// Takes up the attempts that have ended, and what they cost.
    pub(crate) fn gather(&mut self) {
        for attempt in open::ended(&self.book) {
            if let Some(cost) = attempt.cost {
                self.budget.paid(cost);
            }
            self.attempts.push(attempt);
        }
        self.attempts.sort_by_key(|attempt| attempt.nth);
    }

    /// Returns the attempt that answered, or else the last one that failed, or was given up.
    pub(crate) fn telling(&self) -> Option<&Attempt> {
        let ended = |outcome| self.attempts.iter().rev().find(move |one| one.outcome == outcome);
        ended(Outcome::Answered).or(ended(Outcome::Failed)).or(self.attempts.last())
    }

    /// Notes a target that was not asked, and why at last.
    pub(crate) fn pass_over(&mut self, way: &Way, refusal: Refusal) {
        let key = way.key();
        match self.passed_over.iter_mut().find(|passed| passed.way.key() == key) {
            Some(passed) => passed.refusal = refusal,
            None => self.passed_over.push(PassedOver { way: way.clone(), refusal }),
        }
    }

    /// Notes how long it waited: what is left of a request's time is the gateway's.
    pub(crate) fn wait(&mut self, since: Instant) {
        self.waited += since.elapsed();
    }

    /// Returns how long it waited.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    /// Makes an attempt whose answer was put aside the one that answered.
    pub(crate) fn revive(&mut self, nth: usize) {
        self.gather();
        if let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.nth == nth) {
            attempt.outcome = Outcome::Answered;
            attempt.failure = None;
        }
    }

    /// Returns what the answer's request lost on its way.
    pub(crate) fn losses(&self) -> &[Loss] {
        match (&self.open, self.telling()) {
            (Some(open), _) => open.losses(),
            (None, Some(attempt)) => &attempt.losses,
            (None, None) => &[],
        }
    }

    /// Notes what is used so far, so that an attempt given up is settled with it.
    pub(crate) fn progress(&mut self, used: Option<&Usage>, written: usize) {
        if let Some(open) = &mut self.open {
            open.progress(used, written);
        }
    }

    /// Notes what the checks say of the answer that goes out.
    pub(crate) fn judged(&mut self, verdict: check::Verdict) {
        if let Some(open) = &mut self.open {
            open.judged(verdict);
        }
    }

    /// Returns the target of the attempt under way.
    pub(crate) fn under_way(&self) -> Option<&Way> {
        self.open.as_ref().and_then(|open| open.way())
    }

    /// Ends the attempt under way with a failure.
    pub(crate) fn failed(&mut self, failure: Failure) {
        if let Some(open) = self.open.take() {
            open.failed(failure);
        }
        self.gather();
    }

    /// Ends the attempt under way with its answer delivered.
    pub(crate) fn answered(&mut self) {
        if let Some(open) = self.open.take() {
            open.answered();
        }
        self.gather();
    }

    /// Returns the one failure a client is told when no attempt was answered: the last one where it
    /// would fail the same everywhere, or where all failed alike; else that all of them failed.
    /// Targets that were not asked are named with the reason.
    pub(crate) fn failure(&self) -> Failure {
        // One that was given up for another says nothing.
        let failed = || self.attempts.iter().filter(|attempt| attempt.outcome == Outcome::Failed);
        let failures: Vec<&Failure> =
            failed().filter_map(|attempt| attempt.failure.as_ref()).collect();
        let rests = refusals::told(&self.passed_over);
        let Some(last) = failures.last() else {
            return self.unasked();
        };
        let alike = failures.iter().all(|failure| failure.kind == last.kind);
        let ways = || failed().map(|attempt| attempt.way.key());
        let alone = rests.is_empty() && ways().all(|way| Some(way) == ways().next());
        if last.kind.next() == Next::Stop || (alike && alone) {
            return (*last).clone();
        }
        let told = failed().filter_map(|attempt| {
            let failure = attempt.failure.as_ref()?;
            let fault = failure.kind.fault().name();
            Some(format!(
                "{}: {} ({fault} fault): {}",
                attempt.way.name(),
                failure.kind.code(),
                failure.message
            ))
        });
        let told = refusals::counted(told).chain(rests).collect::<Vec<_>>().join("; ");
        let rest = self.passed_over.iter().filter_map(|passed| match passed.refusal.why {
            Why::Retired(_) => None,
            _ => passed.refusal.again,
        });
        let one = failures.len() == 1;
        let count = if one { "the one attempt" } else { "all attempts" };
        let spent = self.stopped.map(refusals::spent).unwrap_or_default();
        Failure {
            kind: if alike { last.kind } else { Kind::AllAttemptsFailed },
            message: format!("{count} failed{spent}: {told}"),
            param: None,
            provider_status: None,
            provider_code: None,
            retry_after: failures
                .iter()
                .filter_map(|failure| failure.retry_after)
                .chain(rest)
                .min(),
        }
    }

    /// Returns the failure of a request for which nobody was asked.
    fn unasked(&self) -> Failure {
        if self.stopped == Some(Spent::Time) && self.passed_over.is_empty() {
            let total = self.plan.limits.total.as_secs_f64();
            let said = format!("its {total} s were over before a target could be asked");
            return Failure::new(Kind::RequestTimeout, said);
        }
        refusals::failure(&self.passed_over)
            .unwrap_or_else(|| Failure::new(Kind::Internal, "no attempt was made"))
    }

    /// Returns what an error answer says beside its failure.
    pub(crate) fn context(&self) -> failures::Context {
        let attempt = |attempt: &Attempt| {
            let failure = attempt.failure.clone()?;
            Some(failures::Attempt {
                target: attempt.way.target.name(),
                failure,
                took: attempt.took,
            })
        };
        failures::Context {
            request_id: record::request_id(self.id),
            attempts: self.attempts.iter().filter_map(attempt).collect(),
        }
    }

    /// Settles: hands the decision and its attempts to the ledger.
    pub(crate) fn settle(&mut self) -> Receipt {
        self.settled = true;
        self.gather();
        self.gateway.recent.note(self.shown.key.as_ref(), &self.attempts);
        self.gateway.store.record(record::settlement(self))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.settled {
            // Dropping it records it.
            drop(self.open.take());
            self.gather();
            let failed = self.attempts.last().filter(|last| last.outcome == Outcome::Failed);
            let kind = match failed.and_then(|last| last.failure.as_ref()) {
                Some(failure) if std::thread::panicking() => failure.kind,
                _ => Kind::ClientGone,
            };
            // Nobody is left to wait; the writer commits it all the same.
            drop(self.settle());
            tell(self, kind.code());
        }
    }
}
