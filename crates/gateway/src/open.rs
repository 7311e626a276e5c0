//! The attempt under way. Whoever holds it ends it; one that is dropped is recorded as given up, so
//! that no way out of an attempt loses it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ir::{Counted, Failure, Kind, Loss, Money, Tokens, Usage};
use store::Outcome;
use tokio::time::Instant;

use crate::clock::now_ms;
use crate::converse::stopping;
use crate::targets::{Leave, Way};

/// One attempt as it went.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Which of the request's attempts it was, from 0, in the order they began.
    pub(crate) nth: usize,
    pub(crate) way: Way,
    pub(crate) at_ms: i64,
    /// How long the gateway paused before it, for the target to recover.
    pub(crate) paused: Duration,
    /// Whether it was made because another one was slow.
    pub(crate) hedge: bool,
    /// Whether it goes on with the answer of the attempt before it, which broke off.
    pub(crate) goes_on: bool,
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
    /// What the checks of the task say of the answer.
    pub(crate) verdict: Option<check::Verdict>,
}

/// The attempts of a request that have ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    attempts: Vec<Attempt>,
    /// Why an attempt that is dropped was given up.
    why: GivenUp,
}

/// Why an attempt is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum GivenUp {
    /// Its client hung up.
    #[default]
    ClientGone,
    /// Another attempt was quicker.
    Outrun,
    /// This gateway goes down.
    Stopping,
}

/// What the attempts of a request end in.
pub(crate) type Book = Arc<Mutex<Ended>>;

/// Returns the attempts that have ended since this was last asked.
pub(crate) fn ended(book: &Book) -> Vec<Attempt> {
    std::mem::take(&mut lock(book).attempts)
}

/// Says why attempts that are dropped from now on are given up.
pub(crate) fn given_up(book: &Book, why: GivenUp) {
    lock(book).why = why;
}

fn lock(book: &Book) -> MutexGuard<'_, Ended> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How an attempt begins.
pub(crate) struct Beginning {
    pub(crate) nth: usize,
    pub(crate) way: Way,
    pub(crate) paused: Duration,
    pub(crate) hedge: bool,
    /// Bytes of the request's texts, for an estimate where usage never comes.
    pub(crate) prose: usize,
    /// Whether the provider may keep the conversation, so that a later request names its answer.
    pub(crate) stored: bool,
}

/// The attempt under way.
#[derive(Debug)]
pub(crate) struct Open {
    book: Book,
    leave: Option<Leave>,
    prose: usize,
    stored: bool,
    written: usize,
    /// Whether the provider told all of its answer: what it counted is then final.
    complete: bool,
    /// Whether its first content is there, for whoever waits beside it.
    begun: Arc<AtomicBool>,
    began: Instant,
    /// What is known of it so far; `None` once it has ended.
    so_far: Option<Box<Attempt>>,
}

impl Open {
    /// Begins an attempt that its target gave leave for.
    pub(crate) fn begin(book: &Book, leave: Option<Leave>, beginning: Beginning) -> Self {
        let Beginning { nth, way, paused, hedge, prose, stored } = beginning;
        let attempt = Attempt {
            nth,
            way,
            at_ms: now_ms(),
            paused,
            hedge,
            goes_on: false,
            took: Duration::ZERO,
            first: None,
            outcome: Outcome::Cancelled,
            failure: None,
            status: None,
            used: None,
            cost: None,
            losses: Vec::new(),
            answer: None,
            verdict: None,
        };
        Self {
            book: Arc::clone(book),
            leave,
            prose,
            stored,
            written: 0,
            complete: false,
            begun: Arc::default(),
            began: Instant::now(),
            so_far: Some(Box::new(attempt)),
        }
    }

    /// Notes something of the attempt.
    fn note(&mut self, note: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = &mut self.so_far {
            note(attempt);
        }
    }

    /// Notes the status the provider answered with.
    pub(crate) fn status(&mut self, status: u16) {
        self.note(|attempt| attempt.status = Some(status));
    }

    /// Notes the provider's id of the answer, where a later request may name it.
    pub(crate) fn named(&mut self, answer: Option<&String>) {
        if self.stored {
            self.note(|attempt| attempt.answer = answer.cloned());
        }
    }

    /// Notes that it goes on with an answer that broke off.
    pub(crate) fn goes_on(&mut self) {
        self.note(|attempt| attempt.goes_on = true);
    }

    /// Notes what could not be said to the target.
    pub(crate) fn lost(&mut self, losses: Vec<Loss>) {
        self.note(|attempt| attempt.losses = losses);
    }

    /// Notes what the checks say of the answer.
    pub(crate) fn judged(&mut self, verdict: check::Verdict) {
        self.note(|attempt| attempt.verdict = Some(verdict));
    }

    /// Notes that the first content is there.
    pub(crate) fn first(&mut self) {
        let took = self.began.elapsed();
        let Some(attempt) = &mut self.so_far else { return };
        if attempt.first.is_none() {
            attempt.first = Some(took);
            self.begun.store(true, Ordering::Relaxed);
            if let Some(leave) = &mut self.leave {
                leave.first(took);
            }
        }
    }

    /// Notes that all of the answer is there.
    pub(crate) fn complete(&mut self) {
        let took = self.began.elapsed();
        self.complete = true;
        self.note(|attempt| attempt.first = attempt.first.or(Some(took)));
    }

    /// Returns what says whether its first content is there.
    pub(crate) fn begun(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.begun)
    }

    /// Notes what is used so far, so that an attempt given up is settled with it.
    pub(crate) fn progress(&mut self, used: Option<&Usage>, written: usize) {
        self.written = written;
        if let Some(used) = used {
            self.note(|attempt| attempt.used = Some(used.clone()));
        }
    }

    /// Returns which of the request's attempts it is.
    pub(crate) fn nth(&self) -> Option<usize> {
        self.so_far.as_ref().map(|attempt| attempt.nth)
    }

    /// Returns where it goes.
    pub(crate) fn way(&self) -> Option<&Way> {
        self.so_far.as_ref().map(|attempt| &attempt.way)
    }

    /// Returns what of the request was lost on its way.
    pub(crate) fn losses(&self) -> &[Loss] {
        self.so_far.as_ref().map_or(&[], |attempt| &attempt.losses)
    }

    /// Ends it with its answer delivered.
    pub(crate) fn answered(mut self) {
        self.end(Outcome::Answered, None);
    }

    /// Ends it with a failure.
    pub(crate) fn failed(mut self, failure: Failure) {
        self.end(Outcome::Failed, Some(failure));
    }

    fn end(&mut self, outcome: Outcome, failure: Option<Failure>) {
        let Some(mut attempt) = self.so_far.take() else { return };
        attempt.took = self.began.elapsed();
        // Providers charge for what was made: once content had come, what they did not report is
        // estimated. Before that nobody knows, and nothing is made up.
        let seen = attempt.first.is_some() || outcome == Outcome::Answered;
        let guess = || estimate(self.prose, self.written);
        attempt.used = match attempt.used.take() {
            // Some count as they go, and an answer given up is counted no further than its start.
            Some(used)
                if outcome != Outcome::Answered
                    && !self.complete
                    && used.output < guess().output =>
            {
                Some(Usage { output: guess().output, counted: Counted::Estimated, ..used })
            }
            Some(used) => Some(used),
            None => seen.then(guess),
        };
        if let Some(status) = failure.as_ref().and_then(|failure| failure.provider_status) {
            attempt.status = Some(status);
        }
        let price = attempt.way.target.model.price.as_ref();
        attempt.cost =
            price.zip(attempt.used.as_ref()).map(|(price, used)| price.cost(used, attempt.at_ms));
        attempt.outcome = outcome;
        attempt.failure = failure;
        if let Some(leave) = self.leave.take() {
            leave.told(&attempt);
        }
        lock(&self.book).attempts.push(*attempt);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.so_far.is_none() {
            return;
        }
        if std::thread::panicking() {
            let failure = Failure::new(Kind::Internal, "Pointsman itself failed");
            return self.end(Outcome::Failed, Some(failure));
        }
        let why = lock(&self.book).why;
        let failure = match why {
            GivenUp::ClientGone => {
                Failure::new(Kind::ClientGone, "the client hung up before the answer was complete")
            }
            GivenUp::Outrun => Failure::new(Kind::Outrun, "another attempt was quicker"),
            GivenUp::Stopping => stopping(),
        };
        self.end(Outcome::Cancelled, Some(failure));
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
