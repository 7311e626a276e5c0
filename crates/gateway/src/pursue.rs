//! The plan, rank by rank, until an answer may go out.
//!
//! Among the targets of a rank load is balanced; one that rests is not asked. Until something has
//! gone out a failure goes on: to an equal at once, to the same target after a pause where its kind
//! says that it may pass, or else to the next rank; all within one budget of attempts, time and
//! money. What comes back is committed: it has no way to be tried again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use health::{Budget, Refusal, RetryPolicy, Spent, Why};
use ir::{Failure, Kind, Next};
use router::Commit;

use crate::attempt::{Brought, Prepared, Terms, attempt};
use crate::hedge::race;
use crate::hold::Hold;
use crate::judge::Judge;
use crate::lane::Asked;
use crate::stream::Feed;
use crate::targets::{Leave, Way, roll};
use crate::{Gateway, World};

/// An answer that may go out.
pub(crate) enum Won {
    /// All of it.
    Whole(Bytes),
    /// What came of it so far, and the rest.
    Stream {
        /// What has come.
        held: Vec<Bytes>,
        /// The rest.
        rest: Rest,
    },
}

/// The rest of a stream.
pub(crate) enum Rest {
    /// It is still to come.
    Flowing(Box<Feed>),
    /// It has ended as it should, with these last bytes.
    Finished(Bytes),
}

/// Tries the targets of the hold's plan.
pub(crate) async fn pursue(
    gateway: &Arc<Gateway>,
    world: &World,
    asked: &mut Asked<'_>,
    hold: &mut Hold,
) -> Result<Won, Failure> {
    let ranks = ranks(world, hold);
    if ranks.is_empty() {
        return Err(Failure::new(Kind::NoTarget, "the provider is not configured"));
    }
    let mut chase = Chase::new(gateway, asked, hold)?;
    for at in 0..ranks.len() {
        match chase.rank(&ranks[at], &ranks[at + 1..]).await {
            Ok(won) => return Ok(won),
            Err(Over::Next) => {}
            Err(Over::Stop) => break,
        }
    }
    if let Some(won) = chase.least_bad(&ranks).await {
        return Ok(won);
    }
    chase.spare().ok_or_else(|| chase.hold.verdict())
}

/// Returns the ways to the plan's targets, rank by rank.
fn ranks(world: &World, hold: &Hold) -> Vec<Vec<Way>> {
    let mut ranks: Vec<(usize, Vec<Way>)> = Vec::new();
    for step in &hold.plan.targets {
        let ways = Way::all(world, &step.found, step.weight);
        match ranks.last_mut() {
            Some((rank, known)) if *rank == step.rank => known.extend(ways),
            _ => ranks.push((step.rank, ways)),
        }
    }
    ranks.into_iter().map(|(_, ways)| ways).filter(|ways| !ways.is_empty()).collect()
}

/// How a target is tried again.
const RETRY: RetryPolicy =
    RetryPolicy { retries: 0, base: Duration::from_millis(200), cap: Duration::from_secs(5) };

/// Why a rank is left without an answer.
enum Over {
    /// The next one may have it.
    Next,
    /// It would fail the same everywhere, or nothing is left to try with.
    Stop,
}

/// A refusal that was kept for when nobody answers.
struct Spare {
    won: Won,
    nth: usize,
}

/// One request's way through its plan.
struct Chase<'c, 'a> {
    gateway: &'c Arc<Gateway>,
    asked: &'c mut Asked<'a>,
    hold: &'c mut Hold,
    budget: Budget,
    judge: Option<Arc<Judge>>,
    spare: Option<Spare>,
}

impl<'c, 'a> Chase<'c, 'a> {
    fn new(
        gateway: &'c Arc<Gateway>,
        asked: &'c mut Asked<'a>,
        hold: &'c mut Hold,
    ) -> Result<Self, Failure> {
        let limits = &hold.plan.limits;
        let budget = Budget {
            attempts: limits.attempts,
            until: gateway.targets.at(hold.deadline()),
            spend: limits.spend,
        };
        let looked_at = limits.check.is_some() || limits.commit == Commit::Prefix;
        let judge = match looked_at {
            true => Some(Arc::new(Judge::new(limits.check.clone(), asked.read_request()?))),
            false => None,
        };
        Ok(Self { gateway, asked, hold, budget, judge, spare: None })
    }

    /// Tries the ways of one rank; `later` are those of the ranks after it.
    async fn rank(&mut self, ways: &[Way], later: &[Vec<Way>]) -> Result<Won, Over> {
        let mut tried: Vec<usize> = Vec::new();
        let mut retries = 0;
        let mut paused = Duration::ZERO;
        loop {
            let chosen = self.choose(ways, &tried).or_else(|refusal| {
                let leave = later.is_empty().then(|| self.ask_cooling(ways, &tried)).flatten();
                leave.ok_or(refusal)
            });
            let (at, leave) = match chosen {
                Ok(chosen) => chosen,
                Err(refusal) => {
                    let waited = self.wait_for(refusal, later.is_empty()).await;
                    paused += waited.ok_or(Over::Next)?;
                    continue;
                }
            };
            self.budget.begin(self.gateway.targets.now()).map_err(|spent| self.spent(spent))?;
            tried.push(at);
            let others = ways.iter().enumerate().filter(|(at, _)| !tried.contains(at));
            let others: Vec<&Way> =
                others.map(|(_, way)| way).chain(later.iter().flatten()).collect();
            let brought = self.exchange(&ways[at], leave, paused, &others).await;
            paused = Duration::ZERO;
            self.pay();
            let failure = match brought {
                Ok(brought) if brought.refusal && !others.is_empty() => {
                    self.keep(brought);
                    return Err(Over::Next);
                }
                Ok(Brought { open, won, .. }) => {
                    self.hold.won(open);
                    return Ok(won);
                }
                Err(failure) => failure,
            };
            match failure.kind.next() {
                Next::Stop => return Err(Over::Stop),
                _ if tried.len() < ways.len() => {}
                Next::Here if retries < self.hold.plan.limits.retries => {
                    paused = self.pause(&ways[at], retries, &failure, later).await?;
                    retries += 1;
                    tried.clear();
                }
                Next::Here | Next::Elsewhere => return Err(Over::Next),
            }
        }
    }

    /// Chooses among the ways that were not tried yet; otherwise the soonest to be asked again.
    fn choose(&mut self, ways: &[Way], tried: &[usize]) -> Result<(usize, Leave), Option<Refusal>> {
        let targets = &self.gateway.targets;
        let mut soonest: Option<Refusal> = None;
        for at in targets.order(ways) {
            if tried.contains(&at) {
                continue;
            }
            match targets.ask(&ways[at]) {
                Ok(leave) => return Ok((at, leave)),
                Err(refusal) => {
                    self.hold.pass_over(&ways[at], refusal);
                    let sooner = |known: &Refusal| {
                        refusal.again.unwrap_or(Duration::MAX)
                            < known.again.unwrap_or(Duration::MAX)
                    };
                    if soonest.as_ref().is_none_or(sooner) {
                        soonest = Some(refusal);
                    }
                }
            }
        }
        Err(soonest)
    }

    /// Asks a target that throttled although it may do so still, when nobody else is left and it
    /// never said how long: it knows better than a guess.
    fn ask_cooling(&self, ways: &[Way], tried: &[usize]) -> Option<(usize, Leave)> {
        let cools =
            |at: &usize| !tried.contains(at) && self.hold.rests(&ways[*at]) == Some(Why::Cooling);
        let at = (0..ways.len()).find(cools)?;
        Some((at, self.gateway.targets.ask_anyway(&ways[at]).ok()?))
    }

    /// Waits until a target may be asked again, where it throttles or is busy, it is worth it and
    /// nobody else is left; returns how long it was.
    async fn wait_for(&mut self, refusal: Option<Refusal>, last: bool) -> Option<Duration> {
        let Refusal { why, again } = refusal?;
        let targets = &self.gateway.targets;
        let patience = self.hold.plan.limits.patience;
        let began = targets.now();
        match (why, again) {
            (Why::Throttled, Some(pause)) if last || pause <= patience => {
                if !self.budget.may_wait(began, pause) {
                    return None;
                }
                tokio::time::sleep(pause).await;
            }
            (Why::Busy, _) if last => {
                let waited = self.hold.waited_for_seats();
                let left = patience.checked_sub(waited).filter(|left| !left.is_zero())?;
                if !self.budget.may_wait(began, left) {
                    return None;
                }
                targets.freed(left).await;
                self.hold.wait_for_seat(targets.now().saturating_sub(began));
            }
            _ => return None,
        }
        self.hold.heard_again();
        Some(targets.now().saturating_sub(began))
    }

    /// Pauses before a target is tried again, where that may be and is worth it; returns how long.
    async fn pause(
        &mut self,
        way: &Way,
        nth: u32,
        failure: &Failure,
        later: &[Vec<Way>],
    ) -> Result<Duration, Over> {
        let pause = health::pause(&RETRY, nth + 1, failure.retry_after, roll());
        let worth = later.is_empty() || pause <= self.hold.plan.limits.patience;
        let now = self.gateway.targets.now();
        if !worth || !self.budget.may_wait(now, pause) || !self.gateway.targets.may_retry(way) {
            return Err(Over::Next);
        }
        tokio::time::sleep(pause).await;
        Ok(pause)
    }

    /// Makes an attempt, and a second one beside it where the first is slow and the task hedges.
    async fn exchange(
        &mut self,
        way: &Way,
        leave: Leave,
        paused: Duration,
        others: &[&Way],
    ) -> Result<Brought, Failure> {
        let first = self.prepare(way, leave, paused, false)?;
        let share = self.hold.plan.limits.hedge_percent;
        let delay = share.and_then(|_| self.gateway.targets.hedge_after(way));
        let (Some(share), Some(delay)) = (share, delay) else { return attempt(first).await };
        let book = Arc::clone(self.hold.book());
        let second = || {
            let targets = &self.gateway.targets;
            let now = targets.now();
            let (other, leave) =
                others.iter().find_map(|way| Some((*way, targets.ask(way).ok()?)))?;
            if !targets.may_hedge(way, share) || self.budget.begin(now).is_err() {
                return None;
            }
            self.prepare(other, leave, Duration::ZERO, true).ok()
        };
        race(first, delay, second, &book).await
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
        };
        Ok(Prepared { gateway: Arc::clone(self.gateway), way, ready, open, terms })
    }

    /// Takes off the budget what the attempts that have ended cost.
    fn pay(&mut self) {
        let before = self.hold.attempts.len();
        self.hold.gather();
        for attempt in &self.hold.attempts[before..] {
            if let Some(cost) = attempt.cost {
                self.budget.paid(cost);
            }
        }
    }

    /// Notes what of the budget is spent.
    fn spent(&mut self, spent: Spent) -> Over {
        self.hold.stopped = Some(spent);
        Over::Stop
    }

    /// Keeps a refusal: another model may answer, and if none does it is better than nothing.
    fn keep(&mut self, brought: Brought) {
        let said = "the model would not answer";
        let nth = brought.open.nth();
        brought.open.failed(Failure::new(Kind::Refused, said));
        self.pay();
        if self.spare.is_none() {
            self.spare = nth.map(|nth| Spare { won: brought.won, nth });
        }
    }

    /// Tries one target that rests when nobody was asked at all: the least bad is better than
    /// nothing.
    async fn least_bad(&mut self, ranks: &[Vec<Way>]) -> Option<Won> {
        if !self.hold.attempts.is_empty() || self.hold.stopped.is_some() {
            return None;
        }
        let all: Vec<Way> = ranks.iter().flatten().cloned().collect();
        for at in self.gateway.targets.order(&all) {
            let way = &all[at];
            // One that asked to wait is not asked before it.
            if self.hold.rests(way) != Some(Why::Open) {
                continue;
            }
            let Ok(leave) = self.gateway.targets.ask_anyway(way) else { continue };
            self.budget.begin(self.gateway.targets.now()).ok()?;
            let brought = self.exchange(way, leave, Duration::ZERO, &[]).await;
            self.pay();
            let Brought { open, won, .. } = brought.ok()?;
            self.hold.won(open);
            return Some(won);
        }
        None
    }

    /// Returns the refusal that was kept; its attempt is the one that answered after all.
    fn spare(&mut self) -> Option<Won> {
        let Spare { won, nth } = self.spare.take()?;
        self.hold.revive(nth);
        Some(won)
    }
}
