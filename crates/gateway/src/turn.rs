//! Whose turn it is: a choice among the ways of a rank, and how long to wait for one.

use std::time::Duration;

use health::{Backoff, Refusal, Why};
use ir::Failure;
use tokio::time::Instant;

use crate::pursue::{Chase, Round};
use crate::refusals;
use crate::targets::{Leave, Way, roll};

/// The longest that waiting for a told time is drawn out, so that those who wait do not all ask in
/// the same instant.
const SPREAD: Duration = Duration::from_millis(500);

impl Chase<'_, '_> {
    /// Chooses among the ways that were not tried yet; otherwise the soonest to be asked again.
    pub(crate) fn choose(
        &mut self,
        ways: &[Way],
        round: &Round,
        later: &[Vec<Way>],
    ) -> Result<(usize, Leave), Option<Refusal>> {
        let targets = &self.gateway.targets;
        let mut soonest: Option<Refusal> = None;
        for at in targets.order(ways) {
            if round.tried.contains(&at) {
                continue;
            }
            match targets.ask(&ways[at]) {
                Ok(leave) => return Ok((at, leave)),
                Err(refusal) => {
                    self.hold.pass_over(&ways[at], refusal);
                    let known = soonest.as_ref().map(refusals::rank);
                    if known.is_none_or(|known| refusals::rank(&refusal) < known) {
                        soonest = Some(refusal);
                    }
                }
            }
        }
        let cooling = if self.is_last(later) { self.ask_cooling(ways, round) } else { None };
        cooling.ok_or(soonest)
    }

    /// Returns whether nobody of a later rank may be asked now.
    fn is_last(&self, later: &[Vec<Way>]) -> bool {
        let targets = &self.gateway.targets;
        let rests = |way: &Way| self.outrun.contains(&way.key()) || targets.rests(way).is_some();
        later.iter().flatten().all(rests)
    }

    /// Asks a target that throttled although it may do so still, when nobody else is left and it
    /// never said how long: it knows better than a guess.
    fn ask_cooling(&self, ways: &[Way], round: &Round) -> Option<(usize, Leave)> {
        let cools =
            |at: &usize| !round.tried.contains(at) && self.rests(&ways[*at]) == Some(Why::Cooling);
        let at = (0..ways.len()).find(cools)?;
        Some((at, self.gateway.targets.ask_anyway(&ways[at]).ok()?))
    }

    /// Waits until a target may be asked again, where it throttles or is busy and it is worth it;
    /// returns how long it was. While a later rank is left, a request waits for no longer than its
    /// patience, all in all.
    pub(crate) async fn wait_for(
        &mut self,
        ways: &[Way],
        round: &Round,
        refusal: Option<Refusal>,
        later: &[Vec<Way>],
    ) -> Option<Duration> {
        let Refusal { why, again } = refusal?;
        let left = self.hold.plan.limits.patience.saturating_sub(self.waited);
        let since = Instant::now();
        let ready = match (why, again) {
            (Why::Throttled, Some(pause)) if later.is_empty() || pause <= left => {
                let pause = pause + SPREAD.min(pause / 4).mul_f64(roll());
                if !self.hold.budget.may_wait(self.gateway.targets.now(), pause) {
                    return None;
                }
                tokio::time::sleep(pause).await;
                Some(())
            }
            (Why::Busy, _) if self.is_last(later) && !left.is_zero() => {
                self.seat(ways, round, since + left).await
            }
            _ => return None,
        };
        self.waited += since.elapsed();
        self.hold.wait(since);
        ready.map(|()| since.elapsed())
    }

    /// Waits until one of the ways may be asked.
    async fn seat(&mut self, ways: &[Way], round: &Round, until: Instant) -> Option<()> {
        let targets = &self.gateway.targets;
        let until = until.min(self.hold.deadline());
        loop {
            // From here on a seat that is freed is heard of.
            let freed = targets.freed();
            let mut left = (0..ways.len()).filter(|at| !round.tried.contains(at));
            if left.any(|at| targets.rests(&ways[at]).is_none()) {
                return Some(());
            }
            tokio::time::timeout_at(until, freed).await.ok()?;
        }
    }

    /// Pauses before a target is tried again, where that may be and is worth it; returns how long.
    pub(crate) async fn pause(
        &mut self,
        way: &Way,
        nth: u32,
        failure: &Failure,
        later: &[Vec<Way>],
    ) -> Option<Duration> {
        let targets = &self.gateway.targets;
        let told = match targets.rests(way) {
            // Nobody knows how long, and somebody else is left.
            Some(Refusal { why: Why::Cooling, .. }) if !later.is_empty() => return None,
            Some(Refusal { why: Why::Throttled, again }) => failure.retry_after.max(again),
            _ => failure.retry_after,
        };
        let pause = health::pause(&Backoff::default(), nth + 1, told, roll());
        let worth = later.is_empty() || pause <= self.hold.plan.limits.patience;
        if !worth || !self.hold.budget.may_wait(targets.now(), pause) || !targets.may_retry(way) {
            return None;
        }
        let since = Instant::now();
        tokio::time::sleep(pause).await;
        self.hold.wait(since);
        Some(pause)
    }
}
