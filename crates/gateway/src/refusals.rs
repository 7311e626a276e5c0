//! What a caller is told of targets that were not asked: which, why, and when they are again.

use std::time::Duration;

use health::{Refusal, Spent, Why};
use ir::{Failure, Kind};

use crate::hold::PassedOver;

/// Says of each target that was not asked why.
pub(crate) fn told(passed_over: &[PassedOver]) -> Vec<String> {
    let told = |passed: &PassedOver| {
        let again = match passed.refusal.again {
            Some(wait) => format!(", again in {:.1} s", wait.as_secs_f64()),
            None => String::new(),
        };
        format!("{} was not asked: {}{again}", passed.way.name(), why(passed.refusal.why))
    };
    passed_over.iter().map(told).collect()
}

/// Makes one failure of it when nobody could be asked.
pub(crate) fn failure(passed_over: &[PassedOver]) -> Option<Failure> {
    let soonest = passed_over.iter().min_by_key(|passed| rank(&passed.refusal))?;
    let kind = match soonest.refusal.why {
        Why::Open => Kind::CircuitOpen,
        Why::Throttled | Why::Cooling => Kind::RateLimited,
        Why::Busy => Kind::TargetBusy,
        Why::Retired(kind) => kind,
    };
    let failure = Failure::new(kind, told(passed_over).join("; "));
    Some(Failure { retry_after: soonest.refusal.again, ..failure })
}

/// Returns how soon a target is worth asking again: one that is busy in a moment, one that is
/// retired perhaps never.
pub(crate) fn rank(refusal: &Refusal) -> (u8, Duration) {
    match (refusal.why, refusal.again) {
        (Why::Busy, _) => (0, Duration::ZERO),
        (Why::Retired(_), again) => (2, again.unwrap_or(Duration::MAX)),
        (_, again) => (1, again.unwrap_or(Duration::MAX)),
    }
}

/// Says what was said several times in a row once, and how often it was.
pub(crate) fn counted(said: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut times: Vec<(String, usize)> = Vec::new();
    for one in said {
        match times.last_mut() {
            Some((last, times)) if *last == one => *times += 1,
            _ => times.push((one, 1)),
        }
    }
    times.into_iter().map(|(said, times)| match times {
        1 => said,
        _ => format!("{said} ({times} times)"),
    })
}

/// Says what of a budget ran out, after what it ended.
pub(crate) fn spent(spent: Spent) -> &'static str {
    match spent {
        Spent::Attempts => " and no more are allowed",
        Spent::Time => " and the time is over",
        Spent::Money => " and no more may be spent",
    }
}

/// Says why a target may not be asked now.
pub(crate) fn why(why: Why) -> String {
    match why {
        Why::Open => "its circuit is open after failures".to_owned(),
        Why::Throttled => "it throttles, and asked to wait".to_owned(),
        Why::Cooling => "it throttles".to_owned(),
        Why::Busy => "as many requests are under way there as it may have".to_owned(),
        Why::Retired(kind) => {
            let refused = match kind {
                Kind::Credential | Kind::Credit => "its credential is",
                _ => "its credential for the model is",
            };
            format!("{refused} retired ({}) until it is changed or works again", kind.code())
        }
    }
}
