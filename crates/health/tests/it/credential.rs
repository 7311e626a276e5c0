//! Standings of credentials.

use std::time::Duration;

use health::{Repute, Standing, StandingPolicy};
use ir::Kind;

const fn at(second: u64) -> Duration {
    Duration::from_secs(second)
}

fn good() -> Repute {
    Repute::new(StandingPolicy::default())
}

#[test]
fn a_refused_credential_is_retired_with_its_reason_until_a_probe() {
    let mut repute = good();
    repute.retire(at(100), at(99), Kind::Credit);
    assert_eq!(repute.retired(at(110)), Some((Kind::Credit, at(20))));
    assert_eq!(repute.retired(at(130)), None);
    repute.begin(at(130));
    assert!(repute.retired(at(131)).is_some(), "one probe, not many");
    repute.well(at(130));
    assert_eq!(repute.standing(at(131)), Standing::Good);
}

#[test]
fn what_comes_of_the_old_credential_is_no_news_of_the_new_one() {
    let mut repute = Repute::renewed(StandingPolicy::default(), at(100));
    repute.cool(at(101), at(99), Some(at(3_600)));
    repute.retire(at(101), at(99), Kind::Credential);
    assert_eq!(repute.standing(at(101)), Standing::Good);
    repute.cool(at(102), at(101), Some(at(10)));
    assert!(repute.cooling(at(103)).is_some());
    assert_eq!(repute.standing(at(112)), Standing::Good, "its time to cool is over");
}

#[test]
fn what_may_be_of_one_request_is_the_credentials_the_second_time_in_a_row() {
    let mut repute = good();
    repute.suspect(at(100), at(99), Kind::ModelUnavailable);
    assert_eq!(repute.standing(at(100)), Standing::Good);
    repute.well(at(101));
    repute.suspect(at(102), at(101), Kind::ModelUnavailable);
    assert_eq!(repute.standing(at(102)), Standing::Good);
    repute.suspect(at(103), at(102), Kind::ModelUnavailable);
    assert_eq!(repute.retired(at(103)).map(|(why, _)| why), Some(Kind::ModelUnavailable));
}

#[test]
fn probes_become_rare_and_one_that_never_returns_blocks_nothing() {
    let mut repute = good();
    let mut now = at(100);
    repute.retire(now, now, Kind::Credential);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let (_, wait) = repute.retired(now).unwrap();
        waits.push(wait.as_secs());
        now += wait;
        repute.begin(now);
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
}

#[test]
fn an_attempt_from_before_the_refusal_does_not_clear_it() {
    let mut repute = good();
    repute.retire(at(100), at(99), Kind::Credential);
    repute.well(at(98));
    assert!(repute.retired(at(101)).is_some());
    let mut repute = good();
    repute.cool(at(100), at(99), Some(at(10)));
    repute.well(at(98));
    assert_eq!(repute.cooling(at(101)), Some((at(9), true)));
}

#[test]
fn a_refusal_of_an_attempt_from_before_does_not_undo_a_good_probe() {
    let mut repute = good();
    repute.retire(at(100), at(99), Kind::Credential);
    repute.begin(at(130));
    repute.well(at(130));
    repute.retire(at(140), at(98), Kind::Credential);
    assert_eq!(repute.standing(at(141)), Standing::Good);
}

#[test]
fn it_cools_as_long_as_the_provider_says_or_for_longer_each_time() {
    let mut repute = good();
    repute.cool(at(100), at(100), Some(at(7)));
    assert_eq!(repute.cooling(at(100)), Some((at(7), true)));
    let mut repute = good();
    let mut waits = Vec::new();
    let mut now = at(100);
    for _ in 0..7 {
        repute.cool(now, now, None);
        let (wait, told) = repute.cooling(now).unwrap();
        assert!(!told);
        waits.push(wait.as_secs());
        now += wait;
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn fifty_refusals_at_once_are_one_and_the_longest_time_counts() {
    let mut repute = good();
    for _ in 0..50 {
        repute.cool(at(100), at(99), None);
    }
    assert_eq!(repute.cooling(at(100)), Some((at(2), false)));
    repute.cool(at(100), at(99), Some(at(20)));
    repute.cool(at(100), at(99), Some(at(5)));
    assert_eq!(repute.cooling(at(100)), Some((at(20), true)));
}

#[test]
fn a_refusal_for_rate_does_not_bring_back_a_retired_one() {
    let mut repute = good();
    repute.retire(at(100), at(100), Kind::Permission);
    repute.cool(at(100), at(100), None);
    assert!(repute.retired(at(101)).is_some());
}
