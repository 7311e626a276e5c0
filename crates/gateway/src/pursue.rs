//! The plan, rank by rank, until an answer may go out.
//!
//! Among the targets of a rank load is balanced; one that rests is not asked. Until something has
//! gone out a failure goes on: to an equal at once, to the same target after a pause where its kind
//! says that it may pass, or else to the next rank; all within one budget of attempts, time and
//! money, of which each later rank is left one attempt. What comes back is committed: it has no way
//! to be tried again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use health::{Refusal, Spent, TargetKey, Why};
use ir::{Failure, Kind, Next};

use crate::attempt::Brought;
use crate::hold::Hold;
use crate::judge::Judge;
use crate::lane::Asked;
use crate::stream::Feed;
use crate::targets::Way;
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
    chase.spare().ok_or_else(|| chase.hold.failure())
}

/// Returns the ways to the plan's targets, rank by rank.
pub(crate) fn ranks(world: &World, hold: &Hold) -> Vec<Vec<Way>> {
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

/// Why a rank is left without an answer.
pub(crate) enum Over {
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
pub(crate) struct Chase<'c, 'a> {
    pub(crate) gateway: &'c Arc<Gateway>,
    pub(crate) asked: &'c mut Asked<'a>,
    pub(crate) hold: &'c mut Hold,
    pub(crate) judge: Option<Arc<Judge>>,
    /// Targets that failed beside another attempt; their turn is over.
    pub(crate) outrun: Vec<TargetKey>,
    /// How long it waited for targets that throttled or were busy.
    pub(crate) waited: Duration,
    spare: Option<Spare>,
}

/// How far a rank has been tried.
#[derive(Default)]
pub(crate) struct Round {
    /// The ways whose turn it is not: asked already, or sure to fail as one that was.
    pub(crate) tried: Vec<usize>,
    /// How long was paused before the next attempt.
    pub(crate) paused: Duration,
    retries: u32,
    /// The last attempt that failed.
    failed: Option<(usize, Failure)>,
    begun: bool,
}

impl<'c, 'a> Chase<'c, 'a> {
    fn new(
        gateway: &'c Arc<Gateway>,
        asked: &'c mut Asked<'a>,
        hold: &'c mut Hold,
    ) -> Result<Self, Failure> {
        let limits = &hold.plan.limits;
        let judge = Judge::of(limits, asked)?;
        let (outrun, waited) = (Vec::new(), Duration::ZERO);
        Ok(Self { gateway, asked, hold, judge, outrun, waited, spare: None })
    }

    /// Tries the ways of one rank; `later` are those of the ranks after it.
    async fn rank(&mut self, ways: &[Way], later: &[Vec<Way>]) -> Result<Won, Over> {
        let mut round = Round::default();
        round.tried.extend((0..ways.len()).filter(|at| self.outrun.contains(&ways[*at].key())));
        loop {
            let now = self.gateway.targets.now();
            self.hold.budget.check(now).map_err(|spent| self.spent(spent))?;
            if round.begun && self.hold.budget.attempts as usize <= later.len() {
                return Err(Over::Next);
            }
            let (at, leave) = match self.choose(ways, &round, later) {
                Ok(chosen) => chosen,
                Err(refusal) => {
                    self.again(ways, &mut round, refusal, later).await?;
                    continue;
                }
            };
            self.hold.budget.begin(now).map_err(|spent| self.spent(spent))?;
            round.begun = true;
            round.tried.push(at);
            let failure = match self.exchange(ways, at, leave, &mut round, later).await {
                Ok(brought) if brought.refusal && untried(ways, &round, later) => {
                    self.keep(brought)
                }
                Ok(Brought { open, won, .. }) => {
                    self.hold.won(open);
                    return Ok(won);
                }
                Err(failure) => failure,
            };
            self.hold.gather();
            if failure.kind == Kind::DeadlineExceeded {
                return Err(self.spent(Spent::Time));
            }
            if failure.kind.next() == Next::Stop {
                return Err(Over::Stop);
            }
            if !of_the_credential(failure.kind) {
                let alike = |other: &usize| ways[*other].target.name() == ways[at].target.name();
                round.tried.extend((0..ways.len()).filter(alike));
            }
            round.failed = Some((at, failure));
        }
    }

    /// Goes on when nobody may be asked who was not tried: the last one that failed is tried again
    /// where that may help, or else one that rests is waited for.
    async fn again(
        &mut self,
        ways: &[Way],
        round: &mut Round,
        refusal: Option<Refusal>,
        later: &[Vec<Way>],
    ) -> Result<(), Over> {
        if let Some((at, failure)) = round.failed.take()
            && failure.kind.next() == Next::Here
            && round.retries < self.hold.plan.limits.retries
            && let Some(paused) = self.pause(&ways[at], round.retries, &failure, later).await
        {
            round.paused += paused;
            round.retries += 1;
            let alike = |other: &usize| ways[*other].target.name() == ways[at].target.name();
            round.tried.retain(|other| !alike(other));
            return Ok(());
        }
        let waited = self.wait_for(ways, round, refusal, later).await;
        round.paused += waited.ok_or(Over::Next)?;
        Ok(())
    }

    /// Notes what of the budget is spent.
    fn spent(&mut self, spent: Spent) -> Over {
        self.hold.stopped = Some(spent);
        Over::Stop
    }

    /// Keeps a refusal: another model may answer, and if none does it is better than nothing.
    pub(crate) fn keep(&mut self, brought: Brought) -> Failure {
        let refused = Failure::new(Kind::Refused, "the model would not answer");
        let nth = brought.open.nth();
        brought.open.failed(refused.clone());
        if self.spare.is_none() {
            self.spare = nth.map(|nth| Spare { won: brought.won, nth });
        }
        refused
    }

    /// Tries one target that rests when nobody was asked at all: the least bad is better than
    /// nothing.
    async fn least_bad(&mut self, ranks: &[Vec<Way>]) -> Option<Won> {
        if !self.hold.attempts.is_empty() || self.hold.stopped.is_some() {
            return None;
        }
        let all: Vec<Way> = ranks.iter().flatten().cloned().collect();
        for at in self.gateway.targets.order(&all) {
            // One that asked to wait is not asked before it.
            if !matches!(self.rests(&all[at]), Some(Why::Open | Why::Cooling)) {
                continue;
            }
            let now = self.gateway.targets.now();
            self.hold.budget.check(now).ok()?;
            let Ok(leave) = self.gateway.targets.ask_anyway(&all[at]) else { continue };
            self.hold.budget.begin(now).ok()?;
            // Beside it nobody is asked.
            let mut round = Round { tried: (0..all.len()).collect(), ..Round::default() };
            let brought = self.exchange(&all, at, leave, &mut round, &[]).await;
            self.hold.gather();
            return match brought {
                Ok(Brought { open, won, .. }) => {
                    self.hold.won(open);
                    Some(won)
                }
                Err(failure) => {
                    if failure.kind == Kind::DeadlineExceeded {
                        self.hold.stopped = Some(Spent::Time);
                    }
                    None
                }
            };
        }
        None
    }

    /// Returns why a target was not asked.
    pub(crate) fn rests(&self, way: &Way) -> Option<Why> {
        let passed = self.hold.passed_over.iter().find(|passed| passed.way.key() == way.key())?;
        Some(passed.refusal.why)
    }

    /// Returns the refusal that was kept; its attempt is the one that answered after all.
    fn spare(&mut self) -> Option<Won> {
        let Spare { won, nth } = self.spare.take()?;
        self.hold.revive(nth);
        Some(won)
    }
}

/// Returns whether somebody is left who was not tried.
fn untried(ways: &[Way], round: &Round, later: &[Vec<Way>]) -> bool {
    !later.is_empty() || (0..ways.len()).any(|at| !round.tried.contains(&at))
}

/// Returns whether another credential of the same model may fare better.
pub(crate) fn of_the_credential(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::RateLimited
            | Kind::Credential
            | Kind::Credit
            | Kind::Permission
            | Kind::ModelUnavailable
    )
}
