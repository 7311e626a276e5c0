//! The verdicts that need the wall's side: how often it was asked and when, what of it reached the
//! client, and what is still open.

use std::time::{Duration, Instant};

use testkit::{Fault, Seen};

use super::client::{End, Saw};
use super::judge::{Case, Verdict};
use super::scenario::{Play, Want};
use super::wall::CREDENTIAL;

/// The time after its answer that a request to the wall may stay open, and a gateway needs to notice
/// that its client has gone.
pub(super) const GRACE: Duration = Duration::from_secs(1);
/// What is allowed for clocks and busy machines, both ways.
const SLACK: Duration = Duration::from_millis(150);
/// The requests that one of the client may cost at the healthy model.
const AT_HEALTHY: usize = 2;

/// What nobody outside may read, wherever it stands.
const INNER: [&str; 7] = [
    "engine-7.internal.example",
    "/srv/engine",
    "Traceback (most recent call last)",
    "panicked at",
    "site-packages/",
    "node_modules/",
    "stack backtrace",
];

pub(super) fn attempts_bounded(case: &Case<'_>) -> Verdict {
    let model = case.row.model();
    let (primary, others): (Vec<_>, Vec<_>) =
        case.tried.iter().partition(|seen| asked_for(seen).as_deref() == Some(&model));
    let asked = case.answers.len();
    let scenario = case.row.scenario;
    if primary.len() > scenario.attempts * asked {
        let most = scenario.attempts * asked;
        return Verdict::Fail(format!("{} requests, {most} are enough", primary.len()));
    }
    if others.len() > AT_HEALTHY * asked {
        return Verdict::Fail(format!("{} requests to the fallback", others.len()));
    }
    if scenario.want == Want::Good && !others.is_empty() {
        return Verdict::Fail("the fallback of a good answer was asked".to_owned());
    }
    if let Some(gap) = too_soon(case, &primary) {
        return Verdict::Fail(format!("asked again after {} ms", gap.as_millis()));
    }
    let late =
        left(case).is_some_and(|left| case.tried.iter().any(|seen| seen.at > left + GRACE + SLACK));
    if late {
        return Verdict::Fail("asked on for a client that had gone".to_owned());
    }
    Verdict::Pass(format!("{} and {}", primary.len(), others.len()))
}

/// The spellings of a time to wait that HTTP defines. Nobody has to know the others.
const OF_HTTP: [&str; 2] = ["seconds", "http_date"];

/// Returns the time between two requests where a longer one was told.
fn too_soon(case: &Case<'_>, primary: &[&Seen]) -> Option<Duration> {
    let Ok(Fault::Throttle(spelling)) = Fault::parse(case.row.fault()) else { return None };
    if !OF_HTTP.contains(&spelling.name()) {
        return None;
    }
    let gaps = primary.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at));
    gaps.into_iter().find(|gap| *gap + SLACK < spelling.wait())
}

fn asked_for(seen: &Seen) -> Option<String> {
    seen.json()?.get("model")?.as_str().map(str::to_owned)
}

/// Returns when the client hung up.
fn left(case: &Case<'_>) -> Option<Instant> {
    let gone = |(saw, _): &&(Saw, _)| saw.end == End::Left;
    case.answers.iter().find(gone).map(|(saw, _)| saw.ended)
}

pub(super) fn nothing_leaked(case: &Case<'_>) -> Verdict {
    for (saw, _) in case.answers {
        if let Some(leak) = leak(case, saw) {
            return Verdict::Fail(leak);
        }
    }
    let Some((last, _)) = case.answers.last() else { return Verdict::NotApplicable };
    let by = last.ended + GRACE + SLACK;
    let open = case.tried.iter().filter(|seen| seen.ended().is_none_or(|(_, at)| at > by)).count();
    if open > 0 {
        return Verdict::Fail(format!("{open} requests to the provider stayed open"));
    }
    let left = matches!(case.row.scenario.play, Play::LeavesEarly | Play::LeavesLate);
    if left && case.tried.is_empty() {
        return Verdict::Fail("the provider was never asked".to_owned());
    }
    Verdict::Pass("nothing".to_owned())
}

fn leak(case: &Case<'_>, saw: &Saw) -> Option<String> {
    let body = String::from_utf8_lossy(&saw.body);
    let headers = saw.head.iter().flat_map(|(_, headers)| headers.values());
    let headers: Vec<_> = headers.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let anywhere =
        |part: &str| body.contains(part) || headers.iter().any(|value| value.contains(part));
    if anywhere(CREDENTIAL) {
        return Some("the gateway's credential".to_owned());
    }
    if let Some(inner) = INNER.iter().find(|inner| anywhere(inner)) {
        return Some(format!("“{inner}”"));
    }
    let address = case.address;
    let hosts = [
        format!("127.0.0.1:{}", address.port),
        format!("127.0.0.1:{}", address.dead),
        "wall.invalid".to_owned(),
    ];
    hosts
        .into_iter()
        .find(|host| body.contains(host.as_str()))
        .map(|host| format!("the address {host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_of_http_are_those_of_the_wall() {
        for name in OF_HTTP {
            assert!(testkit::Spelling::parse(name).is_some(), "{name}");
        }
    }
}
