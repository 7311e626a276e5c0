//! An outage of ten minutes at two hundred requests a second, in virtual time: what reaches the
//! failing provider, and how soon it is back in use.
//!
//! Each request goes as the gateway's do: it orders its targets, asks each, makes an attempt,
//! retries where budgets let it, and else goes on to the next target.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::time::Duration;

use health::{Backoff, Board, Budget, Candidate, Pass, Policies, Report, TargetKey, View, pause};
use ir::Kind;

use crate::dice::Dice;

const PER_SECOND: u64 = 200;
/// The troubled target; others are healthy.
const TROUBLED: usize = 0;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a simulation is of.
struct Scene {
    /// How many targets there are.
    targets: usize,
    /// Whether they are equals, or each a fallback of the one before.
    equals: bool,
    /// Whether a request that all refuse goes to one of them anyway.
    anyway: bool,
    /// When the first target fails.
    down: Vec<Range<Duration>>,
    end: Duration,
}

impl Scene {
    fn is_down(&self, target: usize, now: Duration) -> bool {
        target == TROUBLED && self.down.iter().any(|down| down.contains(&now))
    }

    /// Returns what becomes of an attempt, and after how long.
    fn play(&self, target: usize, now: Duration, dice: &mut Dice) -> (Duration, Option<Kind>) {
        if !self.is_down(target, now) {
            return (Duration::from_millis(dice.between(200, 400)), None);
        }
        match dice.between(0, 3) {
            0 => (Duration::from_millis(1), Some(Kind::Unreachable)),
            1 => (Duration::from_millis(100), Some(Kind::Overloaded)),
            _ => (seconds(5), Some(Kind::Timeout)),
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive,
    /// An attempt of a request ended so.
    End(usize, Option<u8>),
    /// A request's pause is over.
    Retry(usize),
}

struct Request {
    budget: Budget,
    /// The targets, and which of them it is at.
    order: Vec<usize>,
    at: usize,
    retries: u32,
    pass: Option<Pass>,
    began: Duration,
}

/// What was counted, each by the second it happened in.
struct Counted {
    offered: Vec<u32>,
    /// Attempts at the troubled target, and those that were retries.
    attempts: Vec<u32>,
    retries: Vec<u32>,
    answered: u32,
    failed: u32,
}

impl Counted {
    fn sum(counts: &[u32], span: Range<usize>) -> u32 {
        counts[span].iter().sum()
    }

    /// Returns after how many seconds from `from` the troubled target has, and keeps for ten
    /// seconds, nine tenths of its share of what is offered.
    fn back_after(&self, from: usize, share: f64) -> usize {
        let enough = |second: usize| {
            f64::from(self.attempts[second]) >= 0.9 * share * f64::from(self.offered[second])
        };
        let kept = |start: &usize| (*start..start + 10).all(enough);
        (from..self.offered.len() - 10).find(kept).expect("it comes back") - from
    }
}

/// How often a request is tried again at its target.
const RETRIES: u32 = 2;

const BACKOFF: Backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(8) };

struct World<'a> {
    scene: &'a Scene,
    board: Board,
    keys: Vec<TargetKey>,
    dice: Dice,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    sequence: u64,
    requests: Vec<Request>,
    counted: Counted,
}

impl<'a> World<'a> {
    fn new(scene: &'a Scene) -> Self {
        let none = || vec![0; scene.end.as_secs() as usize + 60];
        let name = |at| TargetKey::new(&format!("provider {at}"), "large", "main");
        Self {
            scene,
            board: Board::new(Policies::default()),
            keys: (0..scene.targets).map(name).collect(),
            dice: Dice(2_026),
            events: BinaryHeap::new(),
            sequence: 0,
            requests: Vec::new(),
            counted: Counted {
                offered: none(),
                attempts: none(),
                retries: none(),
                answered: 0,
                failed: 0,
            },
        }
    }

    fn at(&mut self, when: Duration, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((when, self.sequence, event)));
    }

    fn run(mut self) -> (Counted, Vec<View>) {
        for at in 0..self.scene.end.as_secs() * PER_SECOND {
            self.at(Duration::from_micros(at * 1_000_000 / PER_SECOND), Event::Arrive);
        }
        while let Some(Reverse((now, _, event))) = self.events.pop() {
            match event {
                Event::Arrive => self.arrive(now),
                Event::End(request, outcome) => {
                    self.end(now, request, outcome.map(|at| Kind::ALL[usize::from(at)]));
                }
                Event::Retry(request) => self.go(now, request),
            }
        }
        (self.counted, self.board.view(self.scene.end))
    }

    fn arrive(&mut self, now: Duration) {
        self.counted.offered[now.as_secs() as usize] += 1;
        let candidate = |key: &TargetKey| Candidate { key: key.clone(), weight: 1 };
        let candidates: Vec<_> = self.keys.iter().map(candidate).collect();
        let order = if self.scene.equals {
            self.board.order(now, &candidates, [self.dice.roll(), self.dice.roll()])
        } else {
            (0..candidates.len()).collect()
        };
        let budget = Budget { attempts: 4, until: now + seconds(30), spend: None };
        let request = Request { budget, order, at: 0, retries: 0, pass: None, began: now };
        self.requests.push(request);
        self.go(now, self.requests.len() - 1);
    }

    /// Goes to the target that a request is at, or the next that lets it.
    fn go(&mut self, now: Duration, id: usize) {
        while let Some(target) = self.requests[id].order.get(self.requests[id].at).copied() {
            if let Ok(pass) = self.board.ask(now, &self.keys[target]) {
                return self.attempt(now, id, pass);
            }
            self.requests[id].at += 1;
            self.requests[id].retries = 0;
        }
        let untried = self.requests[id].budget.attempts == 4;
        if self.scene.anyway && untried {
            let target = self.requests[id].order[0];
            self.requests[id].at = 0;
            if let Ok(pass) = self.board.ask_anyway(now, &self.keys[target]) {
                return self.attempt(now, id, pass);
            }
        }
        self.counted.failed += 1;
    }

    fn attempt(&mut self, now: Duration, id: usize, pass: Pass) {
        let request = &mut self.requests[id];
        if request.budget.begin(now).is_err() {
            self.board.told(now, pass, Report::cancelled());
            self.counted.failed += 1;
            return;
        }
        let target = request.order[request.at];
        if target == TROUBLED {
            let second = now.as_secs() as usize;
            self.counted.attempts[second] += 1;
            self.counted.retries[second] += u32::from(request.retries > 0);
        }
        request.pass = Some(pass);
        request.began = now;
        let (took, outcome) = self.scene.play(target, now, &mut self.dice);
        let place = |kind| Kind::ALL.iter().position(|one| *one == kind).unwrap() as u8;
        self.at(now + took, Event::End(id, outcome.map(place)));
    }

    fn end(&mut self, now: Duration, id: usize, outcome: Option<Kind>) {
        let request = &mut self.requests[id];
        let Some(pass) = request.pass.take() else { return };
        let key = pass.key().clone();
        let Some(kind) = outcome else {
            self.board.told(now, pass, Report::answered(Some(now - request.began)));
            self.counted.answered += 1;
            return;
        };
        self.board.told(now, pass, Report::failed(kind));
        let nth = request.retries + 1;
        let pause = pause(&BACKOFF, nth, None, self.dice.roll());
        let worth = nth <= RETRIES && request.budget.may_wait(now, pause);
        if worth && self.board.may_retry(now, &key) {
            request.retries = nth;
            self.at(now + pause, Event::Retry(id));
            return;
        }
        request.at += 1;
        request.retries = 0;
        self.go(now, id);
    }
}

/// The outage: a minute of health, ten minutes of trouble, three of health.
fn outage(targets: usize, equals: bool, anyway: bool) -> Scene {
    let down = vec![seconds(60)..seconds(660)];
    Scene { targets, equals, anyway, down, end: seconds(840) }
}

/// What an outage came to.
struct Toll {
    offered: u32,
    attempts: u32,
    retries: u32,
    back_after: usize,
    failed: u32,
    answered: u32,
}

fn live_through(name: &str, scene: &Scene) -> Toll {
    let (counted, views) = World::new(scene).run();
    let trouble = 60..660;
    let share = if scene.equals { 1.0 / scene.targets as f64 } else { 1.0 };
    let toll = Toll {
        offered: Counted::sum(&counted.offered, trouble.clone()),
        attempts: Counted::sum(&counted.attempts, trouble.clone()),
        retries: Counted::sum(&counted.retries, trouble),
        back_after: counted.back_after(660, share),
        failed: counted.failed,
        answered: counted.answered,
    };
    println!(
        "{name}: {} requests during the outage, {} attempts at the failing provider, {} of them \
         retries ({:.3} % of the requests); back after {} s; {} answered, {} failed; opened {} times",
        toll.offered,
        toll.attempts,
        toll.retries,
        100.0 * f64::from(toll.retries) / f64::from(toll.offered),
        toll.back_after,
        toll.answered,
        toll.failed,
        views[TROUBLED].opened_times,
    );
    assert_eq!(views.iter().map(|view| view.in_flight).sum::<u32>(), 0, "every seat is back");
    // Beyond one attempt for each request that was offered, by either way of counting.
    let extra = toll.retries.max(toll.attempts.saturating_sub(toll.offered));
    assert!(extra * 50 < toll.offered, "{extra} extra attempts");
    toll
}

#[test]
fn an_outage_with_a_fallback() {
    let toll = live_through("with a fallback", &outage(2, false, true));
    assert!(toll.attempts * 100 < toll.offered, "only probes reach it");
    assert!(toll.back_after <= 120, "within two probe intervals");
    assert_eq!(toll.failed, 0, "the fallback answers everybody");
}

#[test]
fn an_outage_of_one_of_two_equals() {
    let toll = live_through("one of two equals", &outage(2, true, true));
    assert!(toll.attempts * 100 < toll.offered, "only probes reach it");
    assert!(toll.back_after <= 120, "within two probe intervals");
    assert_eq!(toll.failed, 0, "the other answers everybody");
}

#[test]
fn an_outage_of_the_only_target_that_refuses_quickly() {
    let toll = live_through("the only target, refusing", &outage(1, false, false));
    assert!(toll.attempts * 100 < toll.offered, "only probes reach it");
    assert!(toll.back_after <= 120, "within two probe intervals");
}

#[test]
fn an_outage_of_the_only_target_that_is_asked_anyway() {
    let toll = live_through("the only target, asked anyway", &outage(1, false, true));
    assert!(toll.attempts <= toll.offered + toll.retries, "one attempt a request, and few more");
    assert!(toll.back_after <= 2, "whoever is asked anyway finds out at once");
    assert!(toll.failed <= toll.offered + 100, "nobody else fails");
}

#[test]
fn a_flapping_provider() {
    let down = (1..30).map(|at| seconds(20 * at)..seconds(20 * at + 10)).collect();
    let scene = Scene { targets: 2, equals: false, anyway: true, down, end: seconds(600) };
    let (counted, views) = World::new(&scene).run();
    let ill = |second: &usize| scene.is_down(TROUBLED, seconds(*second as u64));
    let during = |counts: &[u32]| (0..600).filter(ill).map(|second| counts[second]).sum::<u32>();
    let (offered, attempts) = (during(&counted.offered), during(&counted.attempts));
    let well = Counted::sum(&counted.attempts, 0..600) - attempts;
    println!(
        "flapping: {offered} requests while it was down, {attempts} attempts at it; {well} while \
         it was up; {} answered, {} failed; opened {} times",
        counted.answered, counted.failed, views[TROUBLED].opened_times,
    );
    assert_eq!(counted.failed, 0, "the fallback answers everybody");
    assert_eq!(u64::from(counted.answered), 600 * PER_SECOND);
    assert!(attempts * 50 < offered, "{attempts} attempts while it was down");
}
