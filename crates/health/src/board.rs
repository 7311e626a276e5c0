//! The board: every target and every credential, and what may be asked of them.
//!
//! Its owner puts it behind one lock; every method is quick and none blocks. What a caller takes
//! with `ask` it gives back with `told`, on every exit: a [`Pass`] that is dropped leaves its seat
//! taken until its target is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ir::Kind;

use crate::breaker::{Judged, Ticket};
use crate::choice::{Contender, choose};
use crate::credential::{Repute, Standing};
use crate::latency::PeakEwma;
use crate::limit::Seat;
use crate::refusal::{Refusal, Why};
use crate::target::{Policies, Target, TargetKey};
use crate::verdict::{Report, Stands, Verdict, verdict};
use crate::view::View;

/// After how long without news a target may be forgotten; no attempt lasts as long.
const SILENT: Duration = Duration::from_secs(3_600);

/// A target that could serve a request, and how much of the traffic it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which target.
    pub key: TargetKey,
    /// Its share, measured by those of the others.
    pub weight: u32,
}

/// The leave to make one attempt; to be told back with what became of it.
#[derive(Debug)]
#[must_use = "a pass that is not told back keeps its seat"]
pub struct Pass {
    key: TargetKey,
    serial: u64,
    ticket: Ticket,
    seat: Seat,
    began: Duration,
    first: bool,
}

impl Pass {
    /// Returns which target it is for.
    pub fn key(&self) -> &TargetKey {
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
    targets: BTreeMap<TargetKey, Target>,
    /// By provider and credential.
    credentials: BTreeMap<(Arc<str>, Arc<str>), Repute>,
    /// How many targets there ever were.
    made: u64,
}

impl Board {
    /// Makes a board on which everything is well.
    pub fn new(policies: Policies) -> Self {
        Self { policies, targets: BTreeMap::new(), credentials: BTreeMap::new(), made: 0 }
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
            match self.rests(now, key) {
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
    fn load(&self, now: Duration, key: &TargetKey, share: f64) -> [f64; 2] {
        let unknown = PeakEwma::new(&self.policies.latency, now);
        let (latency, in_flight) = match self.targets.get(key) {
            Some(target) => (&target.latency, target.limit.in_flight()),
            None => (&unknown, 0),
        };
        [in_flight, in_flight.saturating_add(1)].map(|out| latency.load(now, out, share))
    }

    /// Bounds how many attempts may be out at a target, as its operator says, or says no longer.
    pub fn bound(&mut self, now: Duration, key: &TargetKey, most: Option<u32>) {
        if most.is_some() || self.targets.contains_key(key) {
            self.target(now, key).limit.bound(most);
        }
    }

    /// Asks whether an attempt may begin, and begins it.
    pub fn ask(&mut self, now: Duration, key: &TargetKey) -> Result<Pass, Refusal> {
        match self.rests(now, key) {
            Some(refusal) => Err(refusal),
            None => self.begin(now, key),
        }
    }

    /// Begins an attempt although the target refuses, for when all do: an open circuit and a time
    /// to cool are passed over, a retired credential and a full target are not, since there nothing
    /// is to be hoped for.
    pub fn ask_anyway(&mut self, now: Duration, key: &TargetKey) -> Result<Pass, Refusal> {
        match self.hard_refusal(now, key) {
            Some(refusal) => Err(refusal),
            None => self.begin(now, key),
        }
    }

    fn begin(&mut self, now: Duration, key: &TargetKey) -> Result<Pass, Refusal> {
        let policy = self.policies.standing;
        let target = self.target(now, key);
        let Some(seat) = target.limit.enter() else {
            return Err(Refusal { why: Why::Busy, again: None });
        };
        let ticket = target.breaker.force(now);
        target.repute.begin(now);
        target.retries.deposit(now);
        target.hedges.deposit();
        target.news = now;
        let serial = target.serial;
        self.credentials.entry(account(key)).or_insert_with(|| Repute::new(policy)).begin(now);
        Ok(Pass { key: key.clone(), serial, ticket, seat, began: now, first: false })
    }

    /// Returns a refusal that nothing passes over.
    fn hard_refusal(&self, now: Duration, key: &TargetKey) -> Option<Refusal> {
        let target = self.targets.get(key);
        let retired = self
            .credentials
            .get(&account(key))
            .and_then(|credential| credential.retired(now))
            .or_else(|| target?.repute.retired(now));
        if let Some((why, again)) = retired {
            return Some(Refusal { why: Why::Retired(why), again: Some(again) });
        }
        target?.limit.is_full().then_some(Refusal { why: Why::Busy, again: None })
    }

    /// Returns a refusal that is passed over when all targets refuse.
    fn soft_refusal(&self, now: Duration, key: &TargetKey) -> Option<Refusal> {
        let target = self.targets.get(key)?;
        let cooling = target.repute.cooling(now);
        let open = target.breaker.peek(now).err().map(|refused| refused.again);
        // Of two reasons the one that lasts longer.
        match (cooling, open) {
            (Some((again, told)), open) if open.is_none_or(|open| open <= again) => {
                let why = if told { Why::Throttled } else { Why::Cooling };
                Some(Refusal { why, again: Some(again) })
            }
            (_, open) => Some(Refusal { why: Why::Open, again: Some(open?) }),
        }
    }

    /// Hears that the first token of an answer came, which says enough of latency and to a probe.
    pub fn first(&mut self, now: Duration, pass: &mut Pass, took: Duration) {
        let Some(target) =
            self.targets.get_mut(&pass.key).filter(|target| target.serial == pass.serial)
        else {
            return;
        };
        if !pass.first {
            pass.first = true;
            target.observe(now, took);
        }
        target.breaker.first(now, &pass.ticket);
    }

    /// Hears what became of an attempt.
    pub fn told(&mut self, now: Duration, pass: Pass, report: Report) {
        let Pass { key, serial, ticket, seat, began, first } = pass;
        let Some(target) = self.targets.get_mut(&key).filter(|target| target.serial == serial)
        else {
            return;
        };
        let Verdict { judged, felt, stands } = verdict(&report);
        target.news = now;
        target.limit.leave(seat, felt);
        target.breaker.told(now, ticket, judged);
        if judged == Judged::Ill {
            target.last_ill = report.outcome;
        }
        if let Some(took) = report.first.filter(|_| !first) {
            // The time of a whole answer: it says nothing of first tokens.
            target.latency.observe(now, took);
        }
        let slow = match report.outcome {
            Some(Kind::Timeout) => !report.cancelled,
            outcome => outcome == Some(Kind::Outrun),
        };
        if slow && !first && report.first.is_none() {
            // It would have taken at least as long.
            target.latency.observe(now, now.saturating_sub(began));
        }
        let fresh = || Repute::new(self.policies.standing);
        let credential = self.credentials.entry(account(&key)).or_insert_with(fresh);
        match stands {
            Stands::Unsaid => {}
            Stands::Good => {
                target.repute.well(began);
                credential.well(began);
            }
            Stands::TargetCools(told) => target.repute.cool(now, began, told),
            Stands::TargetRetires(why) => target.repute.retire(now, began, why),
            Stands::TargetSuspected(why) => target.repute.suspect(now, began, why),
            Stands::CredentialRetires(why) => credential.retire(now, began, why),
        }
    }

    /// Forgets how a credential stood, because it was changed; its targets may be asked again. What
    /// comes of attempts that began with the old one is no news of the new one.
    pub fn renew(&mut self, now: Duration, provider: &str, credential: &str) {
        let fresh = Repute::renewed(self.policies.standing, now);
        for (key, target) in &mut self.targets {
            if &*key.provider == provider && &*key.credential == credential {
                target.repute = fresh.clone();
            }
        }
        self.credentials.insert((provider.into(), credential.into()), fresh);
    }

    /// Returns whether a failed attempt may be made again at the same target, and counts it.
    pub fn may_retry(&mut self, now: Duration, key: &TargetKey) -> bool {
        // A retry is not worth passing over a refusal, nor a token; a time to cool is over when it
        // comes, or was a guess.
        let rests = self.rests(now, key).map(|refusal| refusal.why);
        let passes = matches!(rests, None | Some(Why::Throttled | Why::Cooling));
        passes && self.target(now, key).retries.withdraw(now)
    }

    /// Returns why a target would refuse an attempt now.
    pub fn rests(&self, now: Duration, key: &TargetKey) -> Option<Refusal> {
        self.hard_refusal(now, key).or_else(|| self.soft_refusal(now, key))
    }

    /// Returns after how long without a first token a second attempt is worth its price: the 95th
    /// percentile of the recent times, when there are enough.
    pub fn hedge_after(&self, now: Duration, key: &TargetKey) -> Option<Duration> {
        self.targets.get(key)?.quantile.within(now, 95)
    }

    /// Returns whether an attempt at the target may be hedged, and counts it: hedges are at most
    /// `share_percent` of the attempts.
    pub fn may_hedge(&mut self, now: Duration, key: &TargetKey, share_percent: u32) -> bool {
        self.target(now, key).hedges.withdraw(share_percent)
    }

    /// Returns every target as it is, in the order of their names.
    pub fn view(&self, now: Duration) -> Vec<View> {
        let standing = |key| self.credentials.get(&account(key)).map(|repute| repute.standing(now));
        self.targets
            .iter()
            .map(|(key, target)| {
                let credential = standing(key).unwrap_or(Standing::Good);
                View::of(now, key, target, credential, self.rests(now, key))
            })
            .collect()
    }

    /// Returns a target, made where there is none.
    fn target(&mut self, now: Duration, key: &TargetKey) -> &mut Target {
        if !self.targets.contains_key(key) {
            self.forget(now);
            self.made += 1;
        }
        let (policies, serial) = (&self.policies, self.made);
        self.targets.entry(key.clone()).or_insert_with(|| Target::new(policies, serial, now))
    }

    /// Makes room for one more target: those without news for an hour go, and if that is not enough
    /// the one that is silent longest with nothing out. So there are no more than the policy says,
    /// but where each of them has attempts out.
    fn forget(&mut self, now: Duration) {
        if self.targets.len() < self.policies.targets {
            return;
        }
        self.targets.retain(|_, target| now.saturating_sub(target.news) < SILENT);
        if self.targets.len() >= self.policies.targets {
            let idle = self.targets.iter().filter(|(_, target)| target.limit.in_flight() == 0);
            let silent = idle.min_by_key(|(_, target)| target.news).map(|(key, _)| key.clone());
            if let Some(key) = silent {
                self.targets.remove(&key);
            }
        }
        if self.credentials.len() >= self.policies.targets {
            let used: BTreeSet<_> = self.targets.keys().map(account).collect();
            self.credentials.retain(|account, _| used.contains(account));
        }
    }
}

fn account(key: &TargetKey) -> (Arc<str>, Arc<str>) {
    (key.provider.clone(), key.credential.clone())
}
