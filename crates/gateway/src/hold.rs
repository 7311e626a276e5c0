//! A hold: from the moment a request may be sent until it is settled, on every exit.
//!
//! It gathers the attempts. [`Hold::settle`] hands everything to the ledger and returns the receipt
//! that says when it is committed; a hold that is dropped (the client hung up, a panic) settles the
//! attempt under way as cancelled. Each attempt is recorded exactly once either way.

use std::sync::Arc;
use std::time::Duration;

use catalog::Found;
use ir::{Counted, Failure, Kind, Loss, Money, Next, Tokens, Usage};
use router::{Commit, Plan};
use store::{Id, Outcome, Receipt};
use tokio::time::Instant;
use wire::failures;

use crate::Gateway;
use crate::clock::now_ms;
use crate::converse::tell;
use crate::record;

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

/// One attempt as it went.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) target: Found,
    pub(crate) at_ms: i64,
    pub(crate) took: Duration,
    pub(crate) first: Option<Duration>,
    pub(crate) outcome: Outcome,
    pub(crate) failure: Option<Failure>,
    pub(crate) status: Option<u16>,
    pub(crate) used: Option<Usage>,
    /// What it cost; `None` where the model is unpriced or nobody knows what was used.
    pub(crate) cost: Option<Money>,
    /// What of the request could not be said to the target.
    pub(crate) losses: Vec<Loss>,
    /// The provider's id of the answer, where a later request may name it.
    pub(crate) answer: Option<String>,
}

/// The attempt under way.
#[derive(Debug)]
struct Open {
    target: Found,
    at_ms: i64,
    began: Instant,
    first: Option<Duration>,
    status: Option<u16>,
    written: usize,
    used: Option<Usage>,
    losses: Vec<Loss>,
    answer: Option<String>,
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
    pub(crate) attempts: Vec<Attempt>,
    open: Option<Open>,
    settled: bool,
}

impl Hold {
    /// Opens a hold on a plan.
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        id: Id,
        began: Instant,
        shown: Shown,
        plan: Plan,
    ) -> Self {
        let gateway = Arc::clone(gateway);
        let attempts = Vec::new();
        Self {
            gateway,
            id,
            at_ms: now_ms(),
            began,
            shown,
            plan,
            attempts,
            open: None,
            settled: false,
        }
    }

    /// Returns when the whole request must be over.
    pub(crate) fn deadline(&self) -> Instant {
        self.began + self.plan.limits.total
    }

    /// Begins an attempt.
    pub(crate) fn begin(&mut self, target: &Found) {
        self.open = Some(Open {
            target: target.clone(),
            at_ms: now_ms(),
            began: Instant::now(),
            first: None,
            status: None,
            written: 0,
            used: None,
            losses: Vec::new(),
            answer: None,
        });
    }

    /// Notes the status the provider answered with.
    pub(crate) fn status(&mut self, status: u16) {
        if let Some(open) = &mut self.open {
            open.status = Some(status);
        }
    }

    /// Notes the provider's id of the answer, where a later request may name it.
    pub(crate) fn named(&mut self, answer: Option<&String>) {
        if let (Some(open), true) = (&mut self.open, self.shown.stored) {
            open.answer = answer.cloned();
        }
    }

    /// Notes what could not be said to the target.
    pub(crate) fn lost(&mut self, losses: Vec<Loss>) {
        if let Some(open) = &mut self.open {
            open.losses = losses;
        }
    }

    /// Returns what the answer's request lost on its way.
    pub(crate) fn losses(&self) -> &[Loss] {
        match (&self.open, self.attempts.last()) {
            (Some(open), _) => &open.losses,
            (None, Some(last)) => &last.losses,
            (None, None) => &[],
        }
    }

    /// Notes that the first content is there.
    pub(crate) fn first(&mut self) {
        if let Some(open) = &mut self.open {
            open.first.get_or_insert_with(|| open.began.elapsed());
        }
    }

    /// Notes what is used so far, so that an attempt given up is settled with it.
    pub(crate) fn progress(&mut self, used: Option<&Usage>, written: usize) {
        if let Some(open) = &mut self.open {
            open.written = written;
            if let Some(used) = used {
                open.used = Some(used.clone());
            }
        }
    }

    /// Returns the target of the attempt under way.
    pub(crate) fn under_way(&self) -> Option<String> {
        self.open.as_ref().map(|open| open.target.name())
    }

    /// Returns how long providers took so far: what is left of a request's time is the gateway's.
    pub(crate) fn waited(&self) -> Duration {
        // A stream that is held keeps waiting for its provider after the first content.
        let held = self.plan.limits.commit == Commit::Checked;
        let waiting =
            |open: &Open| if held { open.began.elapsed() } else { open.first.unwrap_or_default() };
        let open = self.open.as_ref().map_or(Duration::ZERO, waiting);
        self.attempts.iter().map(|attempt| attempt.took).sum::<Duration>() + open
    }

    /// Ends the attempt under way with a failure.
    pub(crate) fn failed(&mut self, failure: Failure) {
        self.end(Outcome::Failed, Some(failure));
    }

    /// Ends the attempt under way with its answer delivered.
    pub(crate) fn answered(&mut self) {
        self.end(Outcome::Answered, None);
    }

    fn end(&mut self, outcome: Outcome, failure: Option<Failure>) {
        let Some(open) = self.open.take() else { return };
        // Providers charge for what was made: once content had come, what they did not report is
        // estimated. Before that nobody knows, and nothing is made up.
        let seen = open.first.is_some() || outcome == Outcome::Answered;
        let guess = || estimate(self.shown.prose, open.written);
        let used = match open.used {
            // Some count as they go, and an answer given up is counted no further than its start.
            Some(used) if outcome != Outcome::Answered && used.output < guess().output => {
                Some(Usage { output: guess().output, counted: Counted::Estimated, ..used })
            }
            Some(used) => Some(used),
            None => seen.then(guess),
        };
        let status = failure.as_ref().and_then(|failure| failure.provider_status).or(open.status);
        let price = open.target.model.price.as_ref();
        let cost = price.zip(used.as_ref()).map(|(price, used)| price.cost(used, open.at_ms));
        self.attempts.push(Attempt {
            target: open.target,
            at_ms: open.at_ms,
            took: open.began.elapsed(),
            first: open.first,
            outcome,
            failure,
            status,
            used,
            cost,
            losses: open.losses,
            answer: open.answer,
        });
    }

    /// Returns the one failure a client is told when no attempt was answered: the last one where it
    /// would fail the same everywhere, or where all failed alike; else that all of them failed.
    pub(crate) fn verdict(&self) -> Failure {
        let failures: Vec<&Failure> =
            self.attempts.iter().filter_map(|attempt| attempt.failure.as_ref()).collect();
        let Some(last) = failures.last() else {
            return Failure::new(Kind::Internal, "no attempt was made");
        };
        let alike = failures.iter().all(|failure| failure.kind == last.kind);
        if failures.len() == 1 || last.kind.next() == Next::Stop {
            return (*last).clone();
        }
        let told = self.attempts.iter().filter_map(|attempt| {
            let failure = attempt.failure.as_ref()?;
            let fault = failure.kind.fault().name();
            Some(format!(
                "{}: {} ({fault} fault): {}",
                attempt.target.name(),
                failure.kind.code(),
                failure.message
            ))
        });
        let told = told.collect::<Vec<_>>().join("; ");
        Failure {
            kind: if alike { last.kind } else { Kind::AllAttemptsFailed },
            message: format!("all {} attempts failed: {told}", failures.len()),
            param: None,
            provider_status: None,
            provider_code: None,
            retry_after: failures.iter().filter_map(|failure| failure.retry_after).min(),
        }
    }

    /// Returns what an error answer says beside its failure.
    pub(crate) fn context(&self) -> failures::Context {
        let attempt = |attempt: &Attempt| {
            let failure = attempt.failure.clone()?;
            Some(failures::Attempt { target: attempt.target.name(), failure, took: attempt.took })
        };
        failures::Context {
            request_id: record::request_id(self.id),
            attempts: self.attempts.iter().filter_map(attempt).collect(),
        }
    }

    /// Settles: hands the decision and its attempts to the ledger.
    pub(crate) fn settle(&mut self) -> Receipt {
        self.settled = true;
        self.gateway.store.record(record::settlement(self))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.settled {
            let (outcome, failure) = if std::thread::panicking() {
                (Outcome::Failed, Failure::new(Kind::Internal, "Pointsman itself failed"))
            } else {
                let gone = "the client hung up before the answer was complete";
                (Outcome::Cancelled, Failure::new(Kind::ClientGone, gone))
            };
            let code = failure.kind.code();
            self.end(outcome, Some(failure));
            // Nobody is left to wait; the writer commits it all the same.
            drop(self.settle());
            tell(self, code);
        }
    }
}

/// Estimates what was used from what went out and came in: four bytes a token, for want of a count.
pub(crate) fn estimate(sent: usize, written: usize) -> Usage {
    let tokens = |bytes: usize| Tokens(bytes.div_ceil(4) as u64);
    Usage {
        input: tokens(sent),
        output: tokens(written),
        counted: Counted::Estimated,
        ..Usage::default()
    }
}
