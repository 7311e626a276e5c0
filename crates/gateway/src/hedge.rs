//! One exchange: an attempt, and perhaps a second one beside it when the first is slow; the first to
//! answer wins, the other is given up (Dean and Barroso, "The tail at scale", 2013).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};
use ir::{Failure, Next};
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
            if !late || !left || !targets.may_hedge(way, share) {
                return None;
            }
            let (other, leave) = self.another(ways, round, later)?;
            self.hold.budget.begin(targets.now()).ok()?;
            beside = Some(other.key());
            self.prepare(other, leave, Duration::ZERO, true).ok()
        };
        let ended = race(first, delay, second, &book).await;
        self.hold.wait(since);
        ended.map_err(|failures| {
            if let Some(key) = beside {
                round.tried.extend((0..ways.len()).filter(|at| ways[*at].key() == key));
                self.outrun.push(key);
            }
            failures.told()
        })
    }

    /// Asks somebody else: an equal, or else the next rank.
    fn another<'w>(
        &self,
        ways: &'w [Way],
        round: &Round,
        later: &'w [Vec<Way>],
    ) -> Option<(&'w Way, Leave)> {
        let targets = &self.gateway.targets;
        let equals = targets.order(ways).into_iter().filter(|at| !round.tried.contains(at));
        let ranks = later.iter();
        let rest = ranks.flat_map(|rank| targets.order(rank).into_iter().map(|at| &rank[at]));
        let mut all = equals.map(|at| &ways[at]).chain(rest);
        all.find_map(|way| Some((way, targets.ask(way).ok()?)))
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

/// How both attempts of an exchange failed.
struct Failures {
    first: Failure,
    second: Option<Failure>,
}

impl Failures {
    /// Returns the one that decides what is tried next: one that would be the same everywhere, or
    /// else the first attempt's.
    fn told(self) -> Failure {
        match self.second {
            Some(second) if second.kind.next() == Next::Stop => second,
            _ => self.first,
        }
    }
}

/// Makes an attempt and, when it has not answered after `delay`, perhaps a second one.
async fn race<'p>(
    first: Prepared<'p>,
    delay: Duration,
    second: impl FnOnce() -> Option<Prepared<'p>>,
    book: &Book,
) -> Result<Brought, Failures> {
    let alone = |first| Failures { first, second: None };
    let mut first = Box::pin(attempt(first));
    tokio::select! {
        biased;
        ended = &mut first => return ended.map_err(alone),
        () = tokio::time::sleep(delay) => {}
    }
    let Some(second) = second() else { return first.await.map_err(alone) };
    let second = Box::pin(attempt(second));
    let (ended, other, was_first) = match select(first, second).await {
        Either::Left((ended, other)) => (ended, other, true),
        Either::Right((ended, other)) => (ended, other, false),
    };
    let failure = match ended {
        Err(failure) if failure.kind.next() != Next::Stop => failure,
        decided => {
            given_up(book, GivenUp::Outrun);
            drop(other);
            given_up(book, GivenUp::ClientGone);
            return decided.map_err(alone);
        }
    };
    other.await.map_err(|other| match was_first {
        true => Failures { first: failure, second: Some(other) },
        false => Failures { first: other, second: Some(failure) },
    })
}
