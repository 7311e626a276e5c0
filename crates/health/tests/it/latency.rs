//! The average, the quantile and the budget of hedges.

use std::time::Duration;

use health::{HedgeBudget, LatencyPolicy, PeakEwma, Quantile};
use proptest::collection::vec;
use proptest::prelude::*;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn the_average_jumps_to_a_peak_and_comes_down_slowly() {
    let policy = LatencyPolicy::default();
    let mut average = PeakEwma::new(&policy, Duration::ZERO);
    assert_eq!(average.average(Duration::ZERO), None);
    average.observe(millis(1_000), millis(3_000));
    assert_eq!(average.average(millis(1_000)), Some(millis(3_000)));
    for tenth in 11..111 {
        average.observe(millis(100 * tenth), millis(200));
    }
    let after_tau = average.average(millis(11_000)).unwrap();
    assert!((1_000..1_400).contains(&after_tau.as_millis()), "{after_tau:?}");
}

#[test]
fn who_was_slow_once_is_tried_again() {
    let mut average = PeakEwma::new(&LatencyPolicy::default(), Duration::ZERO);
    average.observe(Duration::ZERO, Duration::from_secs(60));
    let load = |seconds| average.load(Duration::from_secs(seconds), 0, 1.0);
    assert!(load(0) > 59.0 && load(400) < 0.2);
}

#[test]
fn load_counts_those_who_are_there_by_the_share_they_should_be() {
    let average = PeakEwma::new(&LatencyPolicy::default(), Duration::ZERO);
    let load = |in_flight, share| average.load(Duration::ZERO, in_flight, share);
    assert!(load(1, 1.0) > load(0, 1.0));
    assert!((load(30, 1.5) - load(10, 0.5)).abs() < 1e-9);
}

#[test]
fn too_few_observations_are_no_quantile_and_old_ones_are_forgotten() {
    let mut quantile = Quantile::new(&LatencyPolicy::default());
    for at in 0..19 {
        quantile.observe(millis(at), millis(100));
        assert_eq!(quantile.within(millis(at), 95), None);
    }
    quantile.observe(millis(20), millis(100));
    assert!(quantile.within(millis(20), 95).is_some());
    assert_eq!(quantile.within(Duration::from_secs(301), 95), None);
}

proptest! {
    #[test]
    fn the_quantile_is_never_too_short_and_at_most_a_quarter_too_long(
        mut times in vec(4_u64..600_000, 20..200), percent in 1_u32..=100,
    ) {
        let mut quantile = Quantile::new(&LatencyPolicy::default());
        for time in &times {
            quantile.observe(Duration::ZERO, millis(*time));
        }
        times.sort_unstable();
        let rank = (times.len() * percent as usize).div_ceil(100);
        let exact = times[rank - 1];
        let told = quantile.within(Duration::ZERO, percent).unwrap();
        prop_assert!(told > millis(exact) && told <= millis(exact + exact / 4 + 1), "{exact} {told:?}");
    }

    #[test]
    fn hedges_stay_within_their_share(share in 1_u32..100, wishes in vec(any::<bool>(), 0..2_000)) {
        let mut budget = HedgeBudget::default();
        let (mut attempts, mut hedges) = (0_u32, 0_u32);
        for hedge in wishes {
            attempts += 1;
            budget.deposit();
            if hedge && budget.withdraw(share) {
                hedges += 1;
                budget.deposit();
            }
            prop_assert!(hedges * 100 <= attempts * share);
        }
    }
}

#[test]
fn no_share_is_no_hedge() {
    let mut budget = HedgeBudget::default();
    (0..1_000).for_each(|_| budget.deposit());
    assert!(!budget.withdraw(0));
    assert_eq!((0..1_000).filter(|_| budget.withdraw(5)).count(), 47, "a thousand by twenty-one");
}
