//! The board: the parts together.

use std::time::Duration;

use health::{
    Board, Candidate, LimitPolicy, Pass, Policies, Refusal, Report, Standing, TargetKey, Why,
};
use ir::Kind;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::dice::Dice;

const START: Duration = Duration::from_secs(1_000);

fn key(provider: &str) -> TargetKey {
    TargetKey::new(provider, "large", "main")
}

fn after(seconds: u64) -> Duration {
    START + Duration::from_secs(seconds)
}

fn candidates<const N: usize>(of: [(&str, u32); N]) -> [Candidate; N] {
    of.map(|(provider, weight)| Candidate { key: key(provider), weight })
}

/// One attempt that ends at once.
fn attempt(board: &mut Board, now: Duration, key: &TargetKey, outcome: Option<Kind>) {
    let pass = board.ask(now, key).unwrap();
    let report = outcome.map_or(Report::answered(Some(Duration::from_millis(300))), Report::failed);
    board.told(now, pass, report);
}

fn why(board: &mut Board, now: Duration, key: &TargetKey) -> Option<Why> {
    board.ask(now, key).map(|pass| board.told(now, pass, Report::cancelled())).err().map(|r| r.why)
}

#[test]
fn a_key_without_credit_retires_all_its_models_and_a_missing_right_only_one() {
    let (large, small) = (key("north"), TargetKey::new("north", "small", "main"));
    let mut board = Board::new(Policies::default());
    attempt(&mut board, START, &large, Some(Kind::Permission));
    assert_eq!(why(&mut board, START, &large), Some(Why::Retired(Kind::Permission)));
    assert_eq!(why(&mut board, START, &small), None);
    attempt(&mut board, START, &small, Some(Kind::Credit));
    for key in [&large, &small] {
        assert_eq!(why(&mut board, START, key), Some(Why::Retired(Kind::Credit)));
    }
    let other = TargetKey::new("north", "large", "spare");
    assert_eq!(why(&mut board, START, &other), None);
}

#[test]
fn a_retired_credential_is_probed_once_and_back_when_the_probe_succeeds() {
    let mut board = Board::new(Policies::default());
    attempt(&mut board, START, &key("north"), Some(Kind::Credential));
    let retired =
        Refusal { why: Why::Retired(Kind::Credential), again: Some(Duration::from_secs(30)) };
    assert_eq!(board.ask(START, &key("north")).unwrap_err(), retired);
    assert_eq!(board.ask_anyway(START, &key("north")).unwrap_err(), retired);
    let probe = board.ask(after(30), &key("north")).unwrap();
    assert!(board.ask(after(30), &key("north")).is_err());
    board.told(after(31), probe, Report::answered(None));
    assert_eq!(why(&mut board, after(31), &key("north")), None);
    assert_eq!(board.view(after(31))[0].credential, Standing::Good);
}

#[test]
fn a_changed_credential_starts_anew() {
    let mut board = Board::new(Policies::default());
    attempt(&mut board, START, &key("north"), Some(Kind::ModelUnavailable));
    board.renew(START, "north", "main");
    attempt(&mut board, START, &key("north"), Some(Kind::Credential));
    board.renew(START, "north", "main");
    assert_eq!(why(&mut board, START, &key("north")), None);
}

#[test]
fn a_refusal_for_rate_cools_one_model_as_long_as_it_says_and_opens_no_circuit() {
    let mut board = Board::new(Policies::default());
    let pass = board.ask(START, &key("north")).unwrap();
    let retry_after = Some(Duration::from_secs(12));
    board.told(START, pass, Report { retry_after, ..Report::failed(Kind::RateLimited) });
    let refusal = board.ask(START, &key("north")).unwrap_err();
    assert_eq!(refusal, Refusal { why: Why::Throttled, again: retry_after });
    assert_eq!(board.view(START)[0].state, "closed");
    assert_eq!(why(&mut board, START, &TargetKey::new("north", "small", "main")), None);
    assert_eq!(why(&mut board, after(12), &key("north")), None);
}

#[test]
fn an_open_circuit_is_passed_over_when_all_refuse_and_a_full_target_is_not() {
    let limit = LimitPolicy { start: 1, least: 1, most: 1, backoff_percent: 70 };
    let mut board = Board::new(Policies { limit, ..Policies::default() });
    for _ in 0..5 {
        attempt(&mut board, START, &key("north"), Some(Kind::Timeout));
    }
    assert_eq!(why(&mut board, START, &key("north")), Some(Why::Open));
    let pass = board.ask_anyway(START, &key("north")).unwrap();
    assert!(!pass.is_probe());
    assert_eq!(board.ask_anyway(START, &key("north")).unwrap_err().why, Why::Busy);
    board.told(START, pass, Report::answered(None));
    assert_eq!(why(&mut board, START, &key("north")), None);
}

#[test]
fn what_was_cancelled_says_nothing() {
    let mut board = Board::new(Policies::default());
    for _ in 0..20 {
        let pass = board.ask(START, &key("north")).unwrap();
        board.told(START, pass, Report { cancelled: true, ..Report::failed(Kind::StreamCut) });
    }
    let view = board.view(START);
    assert_eq!((view[0].state, view[0].samples, view[0].in_flight), ("closed", 0, 0));
}

#[test]
fn the_callers_own_failures_open_no_circuit() {
    let mut board = Board::new(Policies::default());
    for kind in Kind::ALL.iter().filter(|kind| kind.fault() == ir::Fault::Client) {
        (0..20).for_each(|_| attempt(&mut board, START, &key("north"), Some(*kind)));
    }
    assert_eq!(board.view(START)[0].failures, 0);
}

#[test]
fn of_two_reasons_to_rest_the_one_that_lasts_longer_is_told() {
    let overloaded = |wait| Report {
        retry_after: Some(Duration::from_secs(wait)),
        ..Report::failed(Kind::Overloaded)
    };
    for (wait, told) in [(2, Why::Open), (20, Why::Throttled)] {
        let mut board = Board::new(Policies::default());
        // They were out together: five that fail open the circuit for 5 s.
        let passes: Vec<_> = (0..5).map(|_| board.ask(START, &key("north")).unwrap()).collect();
        for pass in passes {
            board.told(START, pass, overloaded(wait));
        }
        let refusal = board.ask(START, &key("north")).unwrap_err();
        assert_eq!((refusal.why, refusal.again), (told, Some(Duration::from_secs(wait.max(5)))));
    }
}

#[test]
fn a_bound_that_is_taken_back_binds_no_longer() {
    let mut board = Board::new(Policies::default());
    let full = |board: &mut Board| why(board, START, &key("north"));
    board.bound(START, &key("north"), Some(1));
    let pass = board.ask(START, &key("north")).unwrap();
    assert_eq!(full(&mut board), Some(Why::Busy));
    board.bound(START, &key("north"), Some(2));
    assert_eq!(full(&mut board), None);
    board.bound(START, &key("north"), Some(1));
    board.bound(START, &key("north"), None);
    assert_eq!(full(&mut board), None);
    board.told(START, pass, Report::answered(None));
}

#[test]
fn one_that_was_outrun_is_known_to_be_slow() {
    let mut board = Board::new(Policies::default());
    let pass = board.ask(START, &key("north")).unwrap();
    let outrun = Report { outcome: Some(Kind::Outrun), ..Report::cancelled() };
    board.told(after(3), pass, outrun);
    assert_eq!(board.view(after(3))[0].latency, Some(Duration::from_secs(3)));
    assert_eq!(board.view(after(3))[0].failures, 0);
}

#[test]
fn the_refused_come_last_and_the_least_bad_of_them_first() {
    let mut board = Board::new(Policies::default());
    let of = ["retired", "cooling", "open", "well"];
    attempt(&mut board, START, &key("retired"), Some(Kind::Credential));
    let pass = board.ask(START, &key("cooling")).unwrap();
    let retry_after = Some(Duration::from_secs(50));
    board.told(START, pass, Report { retry_after, ..Report::failed(Kind::RateLimited) });
    (0..5).for_each(|_| attempt(&mut board, START, &key("open"), Some(Kind::Unreachable)));
    let candidates = candidates(of.map(|provider| (provider, 1)));
    assert_eq!(board.order(START, &candidates, [0.0, 0.0]), [3, 2, 1, 0]);
}

#[test]
fn a_retry_is_not_spent_on_a_target_that_refuses() {
    let mut board = Board::new(Policies::default());
    (0..4).for_each(|_| attempt(&mut board, START, &key("north"), Some(Kind::Unreachable)));
    assert!(board.may_retry(START, &key("north")));
    attempt(&mut board, START, &key("north"), Some(Kind::Unreachable));
    assert!(!board.may_retry(START, &key("north")));
}

#[test]
fn a_hedge_waits_for_the_slowest_twentieth_and_is_a_share_of_the_attempts() {
    let mut board = Board::new(Policies::default());
    assert_eq!(board.hedge_after(START, &key("north")), None);
    let mut hedges = 0;
    for at in 0..1_000 {
        let mut pass = board.ask(START, &key("north")).unwrap();
        let took = if at % 10 == 0 { 2_000 } else { 300 };
        board.first(START, &mut pass, Duration::from_millis(took));
        board.told(START, pass, Report::answered(Some(Duration::from_millis(took))));
        hedges += u32::from(board.may_hedge(START, &key("north"), 5));
    }
    let after = board.hedge_after(START, &key("north")).unwrap();
    assert!((2_000..2_500).contains(&after.as_millis()), "{after:?}");
    assert!((40..=50).contains(&hedges), "{hedges}");
}

#[test]
fn a_board_keeps_no_more_targets_than_it_may() {
    let mut board = Board::new(Policies { targets: 50, ..Policies::default() });
    let kept = board.ask(START, &key("kept")).unwrap();
    for at in 0..500 {
        attempt(&mut board, after(at), &key(&format!("provider {at}")), Some(Kind::Credit));
    }
    assert_eq!(board.view(after(500)).len(), 50);
    board.told(after(500), kept, Report::answered(None));
    assert!(board.view(after(500)).iter().any(|view| view.key == key("kept")));
}

#[test]
fn a_pass_of_a_forgotten_target_does_not_free_a_seat_of_the_next() {
    let mut board = Board::new(Policies { targets: 1, ..Policies::default() });
    let old = board.ask(START, &key("north")).unwrap();
    attempt(&mut board, after(4_000), &key("south"), None);
    let new = board.ask(after(4_001), &key("north")).unwrap();
    board.told(after(4_002), old, Report::failed(Kind::Credential));
    let views = board.view(after(4_002));
    let north = views.iter().find(|view| view.key == key("north")).unwrap();
    assert_eq!((north.in_flight, north.credential), (1, Standing::Good));
    board.told(after(4_003), new, Report::answered(None));
}

/// Runs requests at a rate over targets of equal latency and returns the share of the first.
fn share_of_the_first(of: &[Candidate], per_second: u64, seed: u64) -> f64 {
    let mut board = Board::new(Policies::default());
    let mut dice = Dice(seed);
    let mut out: Vec<(Duration, Duration, Pass)> = Vec::new();
    let mut firsts = 0;
    let total = 20_000;
    for at in 0..total {
        let now = START + Duration::from_micros(at * 1_000_000 / per_second);
        let done = out.extract_if(.., |(end, ..)| *end <= now).collect::<Vec<_>>();
        for (end, took, pass) in done {
            board.told(end, pass, Report::answered(Some(took)));
        }
        let choice = board.order(now, of, [dice.roll(), dice.roll()])[0];
        firsts += u64::from(choice == 0);
        let pass = board.ask(now, &of[choice].key).unwrap();
        let took = Duration::from_millis(dice.between(200, 400));
        out.push((now + took, took, pass));
    }
    firsts as f64 / total as f64
}

#[test]
fn weights_are_respected_in_the_long_run_when_quiet_and_when_busy() {
    for per_second in [1, 20, 500] {
        for (weights, expected) in [([1, 1], 0.5), ([3, 1], 0.75), ([9, 1], 0.9)] {
            let [one, other] = weights;
            let of = candidates([("one", one), ("other", other)]);
            let share = share_of_the_first(&of, per_second, 7);
            println!("{one}:{other} at {per_second}/s: the first has {share:.3}");
            assert!((share - expected).abs() < 0.04, "{weights:?} at {per_second}: {share}");
        }
    }
}

#[test]
fn who_is_clearly_slower_is_left_alone() {
    let mut board = Board::new(Policies::default());
    let mut dice = Dice(11);
    let of = candidates([("slow", 1), ("fast", 1)]);
    let mut slow = 0;
    for at in 0..2_000 {
        let now = START + Duration::from_millis(at * 50);
        let choice = board.order(now, &of, [dice.roll(), dice.roll()])[0];
        let took = Duration::from_millis([3_000, 300][choice]);
        let pass = board.ask(now, &of[choice].key).unwrap();
        board.told(now, pass, Report::answered(Some(took)));
        slow += u32::from(choice == 0);
    }
    assert!(slow > 0, "it is tried again");
    assert!(slow < 100, "{slow} of 2,000");
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Order,
    Ask(usize),
    Anyway(usize),
    Tell(usize, Option<Kind>),
    Drop(usize),
    Wait(u64),
}

fn outcome() -> impl Strategy<Value = Option<Kind>> {
    prop_oneof![
        3 => Just(None),
        3 => Just(Some(Kind::Timeout)),
        2 => proptest::sample::select(Kind::ALL).prop_map(Some),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Order),
        5 => any::<usize>().prop_map(Step::Ask),
        1 => any::<usize>().prop_map(Step::Anyway),
        5 => (any::<usize>(), outcome()).prop_map(|(at, outcome)| Step::Tell(at, outcome)),
        1 => any::<usize>().prop_map(Step::Drop),
        1 => (0_u64..20_000).prop_map(Step::Wait),
    ]
}

/// Checks an order against what each candidate says when asked: none that refuses stands before
/// one that does not, and what a page shows is what asking meets.
fn judge_order(board: &Board, now: Duration, of: &[Candidate], roll: [f64; 2]) {
    let order = board.order(now, of, roll);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..of.len()).collect::<Vec<_>>());
    let views = board.view(now);
    let refused =
        |at: &usize| views.iter().any(|view| view.key == of[*at].key && view.refusal.is_some());
    assert!(order.is_sorted_by_key(refused), "{order:?}");
}

proptest! {
    #[test]
    fn no_one_who_refuses_is_chosen_while_another_would_not(
        steps in vec(step(), 0..300), seed in any::<u64>(),
    ) {
        let limit = LimitPolicy { start: 4, least: 1, most: 6, backoff_percent: 50 };
        let mut board = Board::new(Policies { limit, ..Policies::default() });
        let of = candidates([("a", 1), ("b", 2), ("c", 0), ("d", 5)]);
        let mut dice = Dice(seed);
        let mut now = START;
        let mut out: Vec<Pass> = Vec::new();
        for step in steps {
            match step {
                Step::Order => judge_order(&board, now, &of, [dice.roll(), dice.roll()]),
                Step::Ask(at) => {
                    let key = &of[at % 4].key;
                    let shown = board.view(now).into_iter().find(|view| view.key == *key);
                    let asked = board.ask(now, key);
                    let refusal = asked.as_ref().err().copied();
                    prop_assert_eq!(shown.and_then(|view| view.refusal), refusal);
                    out.extend(asked.ok());
                }
                Step::Anyway(at) => out.extend(board.ask_anyway(now, &of[at % 4].key).ok()),
                Step::Tell(at, outcome) if !out.is_empty() => {
                    let pass = out.swap_remove(at % out.len());
                    let report = outcome.map_or(Report::answered(None), Report::failed);
                    board.told(now, pass, report);
                }
                // A dropped pass keeps its seat, so few are.
                Step::Drop(at) if out.len() > 3 => drop(out.swap_remove(at % out.len())),
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Tell(..) | Step::Drop(_) => {}
            }
        }
    }
}
