//! The board: every lane and every credential, and what may be asked of them.
//!
//! Its owner puts it behind one lock; every method is quick and none blocks. What a caller takes
//! with `ask` it gives back with `told`, on every exit: a [`Pass`] that is dropped leaves its seat
//! taken until its lane is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ir::Kind;

use crate::breaker::{Judged, Ticket};
use crate::choice::{Contender, choose};
use crate::credential::{Repute, Standing};
use crate::lane::{Lane, LaneKey, Policies};
use crate::latency::PeakEwma;
use crate::limit::Seat;
use crate::refusal::{Refusal, Why};
use crate::verdict::{Report, Stands, Verdict, verdict};
use crate::view::View;

/// After how long without news a lane may be forgotten; no attempt lasts as long.
const SILENT: Duration = Duration::from_secs(3_600);

/// A target that could serve a request, and how much of the traffic it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which target.
    pub key: LaneKey,
    /// Its share, measured by those of the others.
    pub weight: u32,
}

/// The leave to make one attempt; to be told back with what became of it.
#[derive(Debug)]
#[must_use = "a pass that is not told back keeps its seat"]
pub struct Pass {
    key: LaneKey,
    serial: u64,
    ticket: Ticket,
    seat: Seat,
    began: Duration,
    first: bool,
}

impl Pass {
    /// Returns which target it is for.
    pub fn key(&self) -> &LaneKey {
        &self.key
    }

    /// Returns whether the attempt probes a circuit that was open.
    pub fn is_probe(&self) -> bool {
        self.ticket.is_probe()
    }
}

/// The health of all targets.
#[derive(Debug)]
pub struct Board {
    policies: Policies,
    lanes: BTreeMap<LaneKey, Lane>,
    /// By provider and credential.
    credentials: BTreeMap<(Arc<str>, Arc<str>), Repute>,
    /// How many lanes there ever were.
    made: u64,
}

impl Board {
    /// Makes a board on which everything is well.
    pub fn new(policies: Policies) -> Self {
        Self { policies, lanes: BTreeMap::new(), credentials: BTreeMap::new(), made: 0 }
    }

    /// Orders candidates: a choice among those that may be asked, then the others of them by load,
    /// then those that may not, least bad first: those that `ask_anyway` would ask, full ones,
    /// retired ones, and of each the soonest to be asked again.
    pub fn order(&self, now: Duration, candidates: &[Candidate], roll: [f64; 2]) -> Vec<usize> {
        let total: f64 = candidates.iter().map(|candidate| f64::from(candidate.weight)).sum();
        let mean = (total / candidates.len().max(1) as f64).max(f64::MIN_POSITIVE);
        let mut willing = Vec::new();
        let mut refused = Vec::new();
        for (at, Candidate { key, weight }) in candidates.iter().enumerate() {
            match self.refusal(now, key) {
                Some(Refusal { why, again }) => {
                    refused.push((why.rank(), again.unwrap_or(Duration::MAX), at));
                }
                None => {
                    let [load, joined] = self.load(now, key, f64::from(*weight) / mean);
                    willing.push(Contender { at, weight: *weight, load, joined });
                }
            }
        }
        refused.sort_unstable();
        let mut order = choose(willing, roll);
        order.extend(refused.into_iter().map(|(_, _, at)| at));
        order
    }

    /// Returns how loaded a target is, and how loaded it would be with one more.
    fn load(&self, now: Duration, key: &LaneKey, share: f64) -> [f64; 2] {
        let unknown = PeakEwma::new(&self.policies.latency, now);
        let (latency, in_flight) = match self.lanes.get(key) {
            Some(lane) => (&lane.latency, lane.limit.in_flight()),
            None => (&unknown, 0),
        };
        [in_flight, in_flight.saturating_add(1)].map(|out| latency.load(now, out, share))
    }

    /// Bounds how many attempts may be out at a target, as its operator says.
    pub fn bound(&mut self, now: Duration, key: &LaneKey, most: u32) {
        self.lane(now, key).limit.bound(most.max(1));
    }

    /// Asks whether an attempt may begin, and begins it.
    pub fn ask(&mut self, now: Duration, key: &LaneKey) -> Result<Pass, Refusal> {
        match self.refusal(now, key) {
            Some(refusal) => Err(refusal),
            None => self.begin(now, key),
        }
    }

    /// Begins an attempt although the target refuses, for when all do: an open circuit and a time
    /// to cool are passed over, a retired credential and a full lane are not, since there nothing
    /// is to be hoped for.
    pub fn ask_anyway(&mut self, now: Duration, key: &LaneKey) -> Result<Pass, Refusal> {
        match self.hard_refusal(now, key) {
            Some(refusal) => Err(refusal),
            None => self.begin(now, key),
        }
    }

    fn begin(&mut self, now: Duration, key: &LaneKey) -> Result<Pass, Refusal> {
        let policy = self.policies.standing;
        let lane = self.lane(now, key);
        let Some(seat) = lane.limit.enter() else {
            return Err(Refusal { why: Why::Busy, again: None });
        };
        let ticket = lane.breaker.force(now);
        lane.repute.begin(now);
        lane.retries.deposit(now);
        lane.hedges.deposit();
        lane.news = now;
        let serial = lane.serial;
        self.credentials.entry(account(key)).or_insert_with(|| Repute::new(policy)).begin(now);
        Ok(Pass { key: key.clone(), serial, ticket, seat, began: now, first: false })
    }

    /// Returns why a target would refuse.
    fn refusal(&self, now: Duration, key: &LaneKey) -> Option<Refusal> {
        self.hard_refusal(now, key).or_else(|| self.soft_refusal(now, key))
    }

    /// Returns a refusal that nothing passes over.
    fn hard_refusal(&self, now: Duration, key: &LaneKey) -> Option<Refusal> {
        let lane = self.lanes.get(key);
        let retired = self
            .credentials
            .get(&account(key))
            .and_then(|credential| credential.retired(now))
            .or_else(|| lane?.repute.retired(now));
        if let Some((why, again)) = retired {
            return Some(Refusal { why: Why::Retired(why), again: Some(again) });
        }
        lane?.limit.is_full().then_some(Refusal { why: Why::Busy, again: None })
    }

    /// Returns a refusal that is passed over when all targets refuse.
    fn soft_refusal(&self, now: Duration, key: &LaneKey) -> Option<Refusal> {
        let lane = self.lanes.get(key)?;
        if let Some((again, told)) = lane.repute.cooling(now) {
            let why = if told { Why::Throttled } else { Why::Cooling };
            return Some(Refusal { why, again: Some(again) });
        }
        let refused = lane.breaker.peek(now).err()?;
        Some(Refusal { why: Why::Open, again: Some(refused.again) })
    }

    /// Hears that the first token of an answer came, which says enough of latency and to a probe.
    pub fn first(&mut self, now: Duration, pass: &mut Pass, took: Duration) {
        let Some(lane) = self.lanes.get_mut(&pass.key).filter(|lane| lane.serial == pass.serial)
        else {
            return;
        };
        if !pass.first {
            pass.first = true;
            lane.observe(now, took);
        }
        lane.breaker.first(now, &pass.ticket);
    }

    /// Hears what became of an attempt.
    pub fn told(&mut self, now: Duration, pass: Pass, report: Report) {
        let Pass { key, serial, ticket, seat, began, first } = pass;
        let Some(lane) = self.lanes.get_mut(&key).filter(|lane| lane.serial == serial) else {
            return;
        };
        let Verdict { judged, felt, stands } = verdict(&report);
        lane.news = now;
        lane.limit.leave(seat, felt);
        lane.breaker.told(now, ticket, judged);
        if judged == Judged::Ill {
            lane.last_ill = report.outcome;
        }
        if let Some(took) = report.first.filter(|_| !first) {
            lane.observe(now, took);
        }
        if report.outcome == Some(Kind::Timeout) && !report.cancelled {
            // It would have taken at least as long.
            lane.latency.observe(now, now.saturating_sub(began));
        }
        let fresh = || Repute::new(self.policies.standing);
        let credential = self.credentials.entry(account(&key)).or_insert_with(fresh);
        match stands {
            Stands::Unsaid => {}
            Stands::Good => {
                lane.repute.well(began);
                credential.well(began);
            }
            Stands::LaneCools(told) => lane.repute.cool(now, began, told),
            Stands::LaneRetires(why) => lane.repute.retire(now, began, why),
            Stands::CredentialRetires(why) => credential.retire(now, began, why),
        }
    }

    /// Forgets how a credential stood, because it was changed; its lanes may be asked again.
    pub fn renew(&mut self, provider: &str, credential: &str) {
        let standing = self.policies.standing;
        for (key, lane) in &mut self.lanes {
            if &*key.provider == provider && &*key.credential == credential {
                lane.repute = Repute::new(standing);
            }
        }
        self.credentials.remove(&(provider.into(), credential.into()));
    }

    /// Returns whether a failed attempt may be made again at the same target, and counts it.
    pub fn may_retry(&mut self, now: Duration, key: &LaneKey) -> bool {
        // A retry is not worth passing over a refusal, nor a token; a time to cool is over when it
        // comes, or was a guess.
        let rests = self.refusal(now, key).map(|refusal| refusal.why);
        let passes = matches!(rests, None | Some(Why::Throttled | Why::Cooling));
        passes && self.lane(now, key).retries.withdraw(now)
    }

    /// Returns after how long without a first token a second attempt is worth its price: the 95th
    /// percentile of the recent times, when there are enough.
    pub fn hedge_after(&self, now: Duration, key: &LaneKey) -> Option<Duration> {
        self.lanes.get(key)?.quantile.within(now, 95)
    }

    /// Returns whether an attempt at the target may be hedged, and counts it: hedges are at most
    /// `share_percent` of the attempts.
    pub fn may_hedge(&mut self, now: Duration, key: &LaneKey, share_percent: u32) -> bool {
        self.lane(now, key).hedges.withdraw(share_percent)
    }

    /// Returns every lane as it is, in the order of their names.
    pub fn view(&self, now: Duration) -> Vec<View> {
        let standing = |key| self.credentials.get(&account(key)).map(Repute::standing);
        self.lanes
            .iter()
            .map(|(key, lane)| {
                let credential = standing(key).unwrap_or(Standing::Good);
                View::of(now, key, lane, credential, self.refusal(now, key))
            })
            .collect()
    }

    /// Returns a lane, made where there is none.
    fn lane(&mut self, now: Duration, key: &LaneKey) -> &mut Lane {
        if !self.lanes.contains_key(key) {
            self.forget(now);
            self.made += 1;
        }
        let (policies, serial) = (&self.policies, self.made);
        self.lanes.entry(key.clone()).or_insert_with(|| Lane::new(policies, serial, now))
    }

    /// Makes room for one more lane: those without news for an hour go, and if that is not enough
    /// the one that is silent longest with nothing out. So there are no more than the policy says,
    /// but where each of them has attempts out.
    fn forget(&mut self, now: Duration) {
        if self.lanes.len() < self.policies.lanes {
            return;
        }
        self.lanes.retain(|_, lane| now.saturating_sub(lane.news) < SILENT);
        if self.lanes.len() >= self.policies.lanes {
            let idle = self.lanes.iter().filter(|(_, lane)| lane.limit.in_flight() == 0);
            let silent = idle.min_by_key(|(_, lane)| lane.news).map(|(key, _)| key.clone());
            if let Some(key) = silent {
                self.lanes.remove(&key);
            }
        }
        if self.credentials.len() >= self.policies.lanes {
            let used: BTreeSet<_> = self.lanes.keys().map(account).collect();
            self.credentials.retain(|account, _| used.contains(account));
        }
    }
}

fn account(key: &LaneKey) -> (Arc<str>, Arc<str>) {
    (key.provider.clone(), key.credential.clone())
}
