//! The circuit, under any interleaving of asking, telling, dropping and waiting.

use std::time::Duration;

use health::{Breaker, BreakerPolicy, Circuit, Judged, Ticket};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    Force,
    First(usize),
    Tell(usize, Judged),
    Drop(usize),
    Wait(u64),
}

fn judged() -> impl Strategy<Value = Judged> {
    prop_oneof![2 => Just(Judged::Well), 4 => Just(Judged::Ill), 1 => Just(Judged::Void)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Ask),
        1 => Just(Step::Force),
        1 => any::<usize>().prop_map(Step::First),
        7 => (any::<usize>(), judged()).prop_map(|(at, judged)| Step::Tell(at, judged)),
        1 => any::<usize>().prop_map(Step::Drop),
        2 => (0_u64..5_000).prop_map(Step::Wait),
    ]
}

fn policy() -> impl Strategy<Value = BreakerPolicy> {
    (1_u32..8, 1_u32..6, 1_u32..4, 100_u64..8_000).prop_map(
        |(minimum, consecutive, probes, lease)| BreakerPolicy {
            window: Duration::from_secs(5),
            minimum,
            ratio_percent: 50,
            consecutive,
            open: Duration::from_secs(1),
            longest: Duration::from_secs(8),
            probes,
            probe_lease: Duration::from_millis(lease),
        },
    )
}

/// The breaker, the tickets that are out, and what is remembered of them on the side.
struct World {
    breaker: Breaker,
    policy: BreakerPolicy,
    now: Duration,
    out: Vec<Out>,
    /// Leases of probes whose tickets were dropped.
    dropped: Vec<Duration>,
    /// Openings and closings so far.
    turns: u64,
    seen: (u64, bool),
}

struct Out {
    ticket: Ticket,
    at: Duration,
    turns: u64,
}

impl World {
    fn new(policy: BreakerPolicy) -> Self {
        Self {
            breaker: Breaker::new(policy),
            policy,
            now: Duration::ZERO,
            out: Vec::new(),
            dropped: Vec::new(),
            turns: 0,
            seen: (0, true),
        }
    }

    fn take(&mut self, at: usize) -> Option<Out> {
        if self.out.is_empty() { None } else { Some(self.out.swap_remove(at % self.out.len())) }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask => match self.breaker.ask(self.now) {
                Ok(ticket) => self.out.push(Out { ticket, at: self.now, turns: self.turns }),
                Err(refused) => {
                    let then = self.now + refused.again;
                    assert!(self.breaker.clone().ask(then).is_ok(), "asked again too early");
                }
            },
            Step::Force => {
                let ticket = self.breaker.force(self.now);
                self.out.push(Out { ticket, at: self.now, turns: self.turns });
            }
            Step::First(at) if !self.out.is_empty() => {
                let at = at % self.out.len();
                self.breaker.first(self.now, &self.out[at].ticket);
            }
            Step::Tell(at, judged) => {
                let Some(out) = self.take(at) else { return };
                let old = (out.turns != self.turns).then(|| format!("{:?}", self.breaker));
                self.breaker.told(self.now, out.ticket, judged);
                if let Some(before) = old {
                    assert_eq!(before, format!("{:?}", self.breaker), "old news was heeded");
                }
            }
            Step::Drop(at) => {
                let Some(out) = self.take(at) else { return };
                if out.ticket.is_probe() && out.turns == self.turns {
                    self.dropped.push(out.at + self.policy.probe_lease);
                }
            }
            Step::Wait(millis) => self.now += Duration::from_millis(millis),
            Step::First(_) => {}
        }
        self.look();
    }

    /// Notices openings and closings from outside, and counts the probes.
    fn look(&mut self) {
        let closed = self.breaker.circuit(self.now) == Circuit::Closed;
        let opened = self.breaker.opened() != self.seen.0;
        if opened || (closed && !self.seen.1) {
            self.turns += 1;
            self.dropped.clear();
        }
        self.seen = (self.breaker.opened(), closed);
        self.dropped.retain(|until| *until > self.now);
        let probes = self.out.iter().filter(|out| {
            out.ticket.is_probe()
                && out.turns == self.turns
                && out.at + self.policy.probe_lease > self.now
        });
        let probes = probes.count() + self.dropped.len();
        assert!(probes <= self.policy.probes as usize, "{probes} probes are out");
    }
}

proptest! {
    #[test]
    fn never_too_many_probes_and_old_news_changes_nothing(
        policy in policy(), steps in vec(step(), 0..400),
    ) {
        let mut world = World::new(policy);
        for step in steps {
            world.step(step);
        }
    }

    #[test]
    fn it_asks_again_however_it_came_to_refuse(policy in policy(), steps in vec(step(), 0..200)) {
        let mut world = World::new(policy);
        for step in steps {
            world.step(step);
        }
        let later = world.now + policy.longest.max(policy.probe_lease);
        prop_assert!(world.breaker.ask(later).is_ok());
    }

    #[test]
    fn good_answers_alone_never_open_it(policy in policy(), steps in vec(step(), 0..400)) {
        let mut world = World::new(policy);
        for step in steps {
            world.step(match step {
                Step::Tell(at, Judged::Ill) => Step::Tell(at, Judged::Well),
                other => other,
            });
        }
        prop_assert_eq!(world.breaker.circuit(world.now), Circuit::Closed);
        prop_assert_eq!(world.breaker.opened(), 0);
    }
}

const START: Duration = Duration::from_secs(100);

fn fail(breaker: &mut Breaker, now: Duration, times: u32) {
    for _ in 0..times {
        let ticket = breaker.ask(now).unwrap();
        breaker.told(now, ticket, Judged::Ill);
    }
}

/// Lets a probe fail as soon as it may, and returns how long that took from `now`.
fn fail_again(breaker: &mut Breaker, now: &mut Duration) -> u64 {
    let again = breaker.ask(*now).unwrap_err().again;
    *now += again;
    fail(breaker, *now, 1);
    again.as_secs()
}

#[test]
fn it_opens_for_longer_from_time_to_time_up_to_a_cap() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    let mut now = START;
    fail(&mut breaker, now, 5);
    let waits: Vec<_> = (0..6).map(|_| fail_again(&mut breaker, &mut now)).collect();
    assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
}

#[test]
fn after_a_good_while_the_next_opening_is_a_first_one() {
    let policy = BreakerPolicy::default();
    let mut breaker = Breaker::new(policy);
    let mut now = START;
    fail(&mut breaker, now, 5);
    fail_again(&mut breaker, &mut now);
    now += Duration::from_secs(10);
    let probe = breaker.ask(now).unwrap();
    breaker.told(now, probe, Judged::Well);
    let mut soon = breaker.clone();
    fail(&mut soon, now + Duration::from_secs(10), 5);
    assert_eq!(soon.ask(now + Duration::from_secs(10)).unwrap_err().again.as_secs(), 20);
    let later = now + policy.longest;
    fail(&mut breaker, later, 5);
    assert_eq!(breaker.ask(later).unwrap_err().again.as_secs(), 5);
}

#[test]
fn half_of_ten_opens_though_never_five_in_a_row() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    for second in 0..5 {
        let now = START + Duration::from_secs(second);
        assert_eq!(breaker.circuit(now), Circuit::Closed);
        let ticket = breaker.ask(now).unwrap();
        breaker.told(now, ticket, Judged::Well);
        fail(&mut breaker, now, 1);
    }
    assert_eq!(breaker.circuit(START + Duration::from_secs(5)), Circuit::Open);
}

#[test]
fn failures_that_lie_far_apart_are_not_in_a_row() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    for minute in 0..60 {
        fail(&mut breaker, START + Duration::from_secs(60 * minute), 1);
    }
    assert_eq!(breaker.opened(), 0);
}

#[test]
fn the_first_token_of_a_probe_closes_it_and_its_end_says_no_more() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    fail(&mut breaker, START, 5);
    let now = START + Duration::from_secs(5);
    let probe = breaker.ask(now).unwrap();
    assert!(breaker.ask(now).is_err());
    breaker.first(now, &probe);
    assert_eq!(breaker.circuit(now), Circuit::Closed);
    breaker.told(now + Duration::from_secs(90), probe, Judged::Ill);
    assert_eq!(breaker.counted(now + Duration::from_secs(90)), (0, 0));
}

#[test]
fn a_forced_attempt_that_succeeds_closes_it_and_one_that_fails_is_no_news() {
    let mut breaker = Breaker::new(BreakerPolicy::default());
    fail(&mut breaker, START, 5);
    let (ill, well) = (breaker.force(START), breaker.force(START));
    breaker.told(START, ill, Judged::Ill);
    assert_eq!(breaker.opened(), 1);
    breaker.told(START, well, Judged::Well);
    assert_eq!(breaker.circuit(START), Circuit::Closed);
}
