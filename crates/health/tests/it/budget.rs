//! The budget of a request.

use std::time::Duration;

use health::{Budget, Spent};
use ir::Money;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Begin,
    Pay(i64),
    Pause(u64),
    Work(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Begin),
        (0_i64..50).prop_map(Step::Pay),
        (0_u64..3_000).prop_map(Step::Pause),
        (0_u64..3_000).prop_map(Step::Work),
    ]
}

proptest! {
    #[test]
    fn it_is_never_exceeded_in_any_order(
        attempts in 0_u32..6, until in 0_u64..20_000, spend in of(0_i64..100),
        steps in vec(step(), 0..60),
    ) {
        let until = Duration::from_millis(until);
        let mut budget = Budget { attempts, until, spend: spend.map(Money) };
        let (mut now, mut begun, mut paid) = (Duration::ZERO, 0, 0);
        for step in steps {
            match step {
                Step::Begin => {
                    if budget.begin(now).is_ok() {
                        begun += 1;
                        prop_assert!(now < until, "begun after the deadline");
                        prop_assert!(spend.is_none_or(|spend| paid < spend), "begun without money");
                    }
                }
                Step::Pay(money) => {
                    paid += money;
                    budget.paid(Money(money));
                }
                Step::Pause(millis) => {
                    let pause = Duration::from_millis(millis);
                    if budget.may_wait(now, pause) {
                        now += pause;
                        prop_assert!(now < until, "slept past the deadline");
                    }
                }
                Step::Work(millis) => now += Duration::from_millis(millis),
            }
            prop_assert!(begun <= attempts);
        }
    }
}

#[test]
fn it_says_what_has_run_out() {
    let second = Duration::from_secs(1);
    let budget = |attempts, spend| Budget { attempts, until: second, spend };
    let begin = |mut budget: Budget, now| budget.begin(now);
    assert_eq!(begin(budget(1, None), Duration::ZERO), Ok(()));
    assert_eq!(begin(budget(0, None), Duration::ZERO), Err(Spent::Attempts));
    assert_eq!(begin(budget(1, None), second), Err(Spent::Time));
    assert_eq!(begin(budget(1, Some(Money(0))), Duration::ZERO), Err(Spent::Money));
}

#[test]
fn a_pause_up_to_the_deadline_leaves_no_time_to_use() {
    let until = Duration::from_secs(1);
    let budget = Budget { attempts: 1, until, spend: None };
    let pauses = [until - Duration::from_nanos(1), until, Duration::MAX];
    assert_eq!(pauses.map(|pause| budget.may_wait(Duration::ZERO, pause)), [true, false, false]);
}
