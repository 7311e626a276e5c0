//! Pauses and the budget of retries.

use std::time::Duration;

use health::{Backoff, RetryBudget, RetryBudgetPolicy, pause};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

proptest! {
    #[test]
    fn a_pause_is_what_was_told_and_at_most_the_cap_more(
        base in millis(0..10_000), cap in millis(0..60_000), nth in any::<u32>(),
        told in of(millis(0..10_000_000)), roll in prop_oneof![9 => 0.0..1.0, 1 => any::<f64>()],
    ) {
        let backoff = Backoff { base, cap };
        let paused = pause(&backoff, nth, told, roll);
        prop_assert!(paused >= told.unwrap_or_default());
        prop_assert!(paused <= told.unwrap_or_default() + cap);
    }

    #[test]
    fn retries_are_a_share_of_first_attempts_and_the_reserve(
        ratio in 0_u32..50, reserve in 0_u32..20, every in millis(1..20_000),
        // Each step waits and then makes a first attempt, or a retry where that is granted.
        steps in vec((0_u64..3_000, any::<bool>()), 0..600),
    ) {
        let policy = RetryBudgetPolicy { ratio_percent: ratio, reserve, every, most: 50 };
        let start = Duration::from_secs(7);
        let mut now = start;
        let mut budget = RetryBudget::new(policy, now);
        let (mut firsts, mut retries) = (0_u32, 0_u32);
        for (wait, retry) in steps {
            now += Duration::from_millis(wait);
            if !retry {
                firsts += 1;
                budget.deposit(now);
            } else if budget.withdraw(now) {
                retries += 1;
                budget.deposit(now);
            }
            let back = (now - start).as_secs_f64() / every.as_secs_f64();
            let allowed = f64::from(firsts * ratio) / 100.0 + f64::from(reserve) + back;
            prop_assert!(f64::from(retries) <= allowed + 1e-6, "{} > {}", retries, allowed);
        }
    }
}

#[test]
fn a_pause_grows_and_is_jittered_in_full() {
    let backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_millis(500) };
    let paused = |nth, roll| pause(&backoff, nth, None, roll).as_millis();
    assert_eq!([1, 2, 3, 4, 5].map(|nth| paused(nth, 0.5)), [50, 100, 200, 250, 250]);
    assert_eq!(paused(3, 0.0), 0);
}

#[test]
fn those_who_were_told_the_same_time_do_not_return_in_the_same_instant() {
    let told = Some(Duration::from_secs(2));
    let paused = |roll| pause(&Backoff::default(), 1, told, roll);
    assert!(paused(0.1) > Duration::from_secs(2));
    assert_ne!(paused(0.1), paused(0.2));
}

#[test]
fn the_reserve_of_a_quiet_target_comes_back_and_no_more_than_it() {
    let policy = RetryBudgetPolicy { ratio_percent: 0, ..RetryBudgetPolicy::default() };
    let mut budget = RetryBudget::new(policy, Duration::ZERO);
    let mut granted = |second| {
        let now = Duration::from_secs(second);
        (0..100).filter(|_| budget.withdraw(now)).count()
    };
    assert_eq!(granted(0), 10);
    assert_eq!(granted(9), 0);
    assert_eq!(granted(30), 3);
    assert_eq!(granted(100_000), 10);
}

#[test]
fn asking_often_does_not_lose_the_time_in_between() {
    let policy = RetryBudgetPolicy { ratio_percent: 0, ..RetryBudgetPolicy::default() };
    let mut budget = RetryBudget::new(policy, Duration::ZERO);
    let granted = (0..100_000_u64).filter(|at| budget.withdraw(Duration::from_millis(*at))).count();
    assert_eq!(granted, 10 + 9);
}
