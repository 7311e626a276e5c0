//! The concurrency limit.

use health::{Felt, Limit, LimitPolicy, Seat};
use proptest::collection::vec;
use proptest::prelude::*;

fn policy(start: u32) -> LimitPolicy {
    LimitPolicy { start, least: 2, most: 40, backoff_percent: 70 }
}

/// Takes every free seat.
fn fill(limit: &mut Limit) -> Vec<Seat> {
    std::iter::from_fn(|| limit.enter()).collect()
}

fn felt() -> impl Strategy<Value = Felt> {
    prop_oneof![6 => Just(Felt::Fine), 1 => Just(Felt::Pushed), 1 => Just(Felt::Neither)]
}

proptest! {
    #[test]
    fn nobody_enters_above_the_limit_and_the_limit_keeps_its_bounds(
        start in 0_u32..80, steps in vec((any::<bool>(), any::<usize>(), felt()), 0..600),
    ) {
        let policy = policy(start);
        let mut limit = Limit::new(policy);
        let mut seats = Vec::new();
        for (enter, at, felt) in steps {
            let before = limit.limit();
            if enter {
                if let Some(seat) = limit.enter() {
                    seats.push(seat);
                    prop_assert!(seats.len() <= before as usize);
                }
            } else if !seats.is_empty() {
                limit.leave(seats.swap_remove(at % seats.len()), felt);
                prop_assert!(limit.limit() <= before + 1, "grew by more than one");
            }
            prop_assert_eq!(limit.in_flight() as usize, seats.len());
            prop_assert!((policy.least..=policy.most).contains(&limit.limit()));
        }
    }
}

#[test]
fn fifty_refusals_at_once_are_one_decrease() {
    let mut limit = Limit::new(LimitPolicy { start: 50, most: 100, ..policy(0) });
    for seat in fill(&mut limit) {
        limit.leave(seat, Felt::Pushed);
    }
    assert_eq!(limit.limit(), 35);
    for seat in fill(&mut limit) {
        limit.leave(seat, Felt::Pushed);
    }
    assert_eq!(limit.limit(), 24);
}

#[test]
fn it_shrinks_from_what_was_out_and_not_from_a_limit_nobody_met() {
    let mut limit = Limit::new(LimitPolicy { start: 1_000, most: 1_000, ..policy(0) });
    let mut seats: Vec<_> = (0..20).filter_map(|_| limit.enter()).collect();
    limit.leave(seats.remove(0), Felt::Pushed);
    assert_eq!(limit.limit(), 14);
    for seat in seats {
        limit.leave(seat, Felt::Neither);
    }
}

#[test]
fn it_grows_by_one_in_a_full_window_of_good_answers() {
    let mut limit = Limit::new(policy(10));
    let mut seats = fill(&mut limit);
    for _ in 0..10 {
        assert_eq!(limit.limit(), 10);
        limit.leave(seats.remove(0), Felt::Fine);
        seats.extend(limit.enter());
    }
    assert_eq!(limit.limit(), 11);
}

#[test]
fn a_limit_that_is_not_used_does_not_grow() {
    let mut limit = Limit::new(policy(10));
    for _ in 0..1_000 {
        let seat = limit.enter().unwrap();
        limit.leave(seat, Felt::Fine);
    }
    assert_eq!(limit.limit(), 10);
}
