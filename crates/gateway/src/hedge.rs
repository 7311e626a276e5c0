//! One exchange: an attempt, and perhaps a second one beside it when the first is slow; the first to
//! answer wins, the other is given up (Dean and Barroso, "The tail at scale", 2013).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};
use ir::{Failure, Kind, Next};
use tokio::time::Instant;

use crate::attempt::{Brought, Prepared, Terms, attempt};
use crate::open::{Book, GivenUp, given_up};
use crate::pursue::{Chase, Round};
use crate::targets::{Leave, Way};

impl<'a> Chase<'_, 'a> {
    /// Makes an attempt, and a second one beside it where the first token is late and the task
    /// hedges. Whole answers are not hedged: nothing of them is seen before their end.
    pub(crate) async fn exchange(
        &mut self,
        ways: &[Way],
        at: usize,
        leave: Leave,
        round: &mut Round,
        later: &[Vec<Way>],
    ) -> Result<Brought, Failure> {
        let way = &ways[at];
        let paused = std::mem::take(&mut round.paused);
        let first = self.prepare(way, leave, paused, false)?;
        let share = self.hold.plan.limits.hedge_percent.filter(|_| self.asked.head.stream);
        let delay = share.and_then(|_| self.gateway.targets.hedge_after(way));
        let since = Instant::now();
        let (Some(share), Some(delay)) = (share, delay) else {
            let brought = attempt(first).await;
            self.hold.wait(since);
            return brought;
        };
        let (book, begun) = (Arc::clone(self.hold.book()), first.open.begun());
        let mut beside = None;
        let second = || {
            let targets = &self.gateway.targets;
            let late = !begun.load(Ordering::Relaxed);
            let left = self.hold.budget.check(targets.now()).is_ok();
            let other = self.another(ways, round, later).filter(|_| late && left)?;
            if !targets.may_hedge(way, share) {
                return None;
            }
            let leave = targets.ask(other).ok()?;
            self.hold.budget.begin(targets.now()).ok()?;
            beside = Some(other.key());
            self.prepare(other, leave, Duration::ZERO, true).ok()
        };
        let raced = race(first, delay, second, &book).await;
        self.hold.wait(since);
        if let Some(key) = beside {
            round.tried.extend((0..ways.len()).filter(|at| ways[*at].key() == key));
            self.outrun.push(key);
        }
        self.decide(raced)
    }

    /// Returns what comes of an exchange: an answer, else a refusal, else what decides on what is
    /// tried next. A refusal beside an answer or another one is kept.
    fn decide(&mut self, raced: Raced) -> Result<Brought, Failure> {
        match raced {
            (alone, None) => alone,
            (Ok(one), Some(Ok(other))) => {
                let (won, refused) = if one.refusal { (other, one) } else { (one, other) };
                self.keep(refused);
                Ok(won)
            }
            (Ok(brought), Some(Err(_))) | (Err(_), Some(Ok(brought))) => Ok(brought),
            // One that would be the same everywhere, or else the first attempt's.
            (Err(_), Some(Err(second))) if second.kind.next() == Next::Stop => Err(second),
            (Err(first), Some(Err(_))) => Err(first),
        }
    }

    /// Returns somebody else who may be asked: an equal, or else one of the next ranks.
    fn another<'w>(
        &self,
        ways: &'w [Way],
        round: &Round,
        later: &'w [Vec<Way>],
    ) -> Option<&'w Way> {
        let targets = &self.gateway.targets;
        // Each later rank is left an attempt, which one made there uses up.
        let spare = self.hold.budget.attempts as usize > later.len();
        let equals = targets.order(ways).into_iter();
        let equals = equals.filter(|at| spare && !round.tried.contains(at)).map(|at| &ways[at]);
        let ranks = later.iter();
        let rest = ranks.flat_map(|rank| targets.order(rank).into_iter().map(|at| &rank[at]));
        equals.chain(rest).find(|way| targets.rests(way).is_none())
    }

    /// Makes an attempt ready; one that cannot be said to its target is recorded as failed.
    fn prepare<'w>(
        &mut self,
        way: &'w Way,
        leave: Leave,
        paused: Duration,
        hedge: bool,
    ) -> Result<Prepared<'w>, Failure>
    where
        'a: 'w,
    {
        let open = self.hold.begin(way, Some(leave), paused, hedge);
        let ready = match self.asked.ready(&way.target, self.hold.id) {
            Ok(ready) => ready,
            Err(failure) => {
                open.failed(failure.clone());
                return Err(failure);
            }
        };
        let limits = &self.hold.plan.limits;
        let terms = Terms {
            stream: self.asked.head.stream,
            headers: self.asked.headers(),
            clocks: limits.clocks(way.target.clocks()),
            deadline: self.hold.deadline(),
            commit: limits.commit,
            judge: self.judge.clone(),
            keeps: limits.continue_after_cut,
        };
        Ok(Prepared { gateway: Arc::clone(self.gateway), way, ready, open, terms })
    }
}

/// What came of an exchange: the one attempt there was, or that decided; or the first and the second,
/// of which neither did.
type Raced = (Result<Brought, Failure>, Option<Result<Brought, Failure>>);

/// Makes an attempt and, when it has not answered after `delay`, perhaps a second one. An answer
/// decides, and the end of the request's time. What is wrong with the request decides where the
/// first attempt says so: a target that was asked beside it may have limits of its own.
async fn race<'p>(
    first: Prepared<'p>,
    delay: Duration,
    second: impl FnOnce() -> Option<Prepared<'p>>,
    book: &Book,
) -> Raced {
    let mut first = Box::pin(attempt(first));
    tokio::select! {
        biased;
        ended = &mut first => return (ended, None),
        () = tokio::time::sleep(delay) => {}
    }
    let Some(second) = second() else { return (first.await, None) };
    let second = Box::pin(attempt(second));
    let (ended, other, was_first) = match select(first, second).await {
        Either::Left((ended, other)) => (ended, other, true),
        Either::Right((ended, other)) => (ended, other, false),
    };
    let decides = match &ended {
        Ok(brought) => !brought.refusal,
        Err(failure) if failure.kind == Kind::DeadlineExceeded => true,
        Err(failure) => was_first && failure.kind.next() == Next::Stop,
    };
    if decides {
        given_up(book, GivenUp::Outrun);
        drop(other);
        given_up(book, GivenUp::ClientGone);
        return (ended, None);
    }
    let other = other.await;
    if was_first { (ended, Some(other)) } else { (other, Some(ended)) }
}
