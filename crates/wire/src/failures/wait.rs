//! How long a provider asks to wait: in headers, in the body, in prose. What is said plainly comes
//! before what must be concluded from budgets.

use std::time::Duration;

use ir::Kind;

use super::moment;
use super::told::Told;

/// No provider means a longer wait than this; what says so is a mistake.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// Numbers from here on are milliseconds since 1970, as OpenRouter's are, and none is a wait.
const MILLISECONDS_SINCE_1970: f64 = 100_000_000_000.0;

/// Numbers from here on are seconds since 1970.
const SECONDS_SINCE_1970: f64 = 1_000_000_000.0;

/// What stands before a wait in a message, in lower case.
const PROSE: &[&str] =
    &["again in ", "retry in ", "retry after ", "again after ", "wait for ", "wait "];

/// Headers that say when a budget is full again, and what is left of it.
const BUDGETS: &[(&str, &str)] = &[
    ("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"),
    ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ("ratelimit-reset", "ratelimit-remaining"),
    ("ratelimitbysize-reset", "ratelimitbysize-remaining"),
    ("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining"),
    ("anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining"),
    ("anthropic-ratelimit-input-tokens-reset", "anthropic-ratelimit-input-tokens-remaining"),
    ("anthropic-ratelimit-output-tokens-reset", "anthropic-ratelimit-output-tokens-remaining"),
];

/// Returns how long to wait before the same may be asked again, for kinds that waiting helps.
/// Points of time are read against the answer's own `date`: whose clock is wrong does not matter.
pub(super) fn wait(
    kind: Kind,
    headers: &dyn Fn(&str) -> Option<String>,
    told: &Told,
) -> Option<Duration> {
    let helps =
        matches!(kind, Kind::RateLimited | Kind::Overloaded | Kind::ProviderError | Kind::Timeout);
    if !helps {
        return None;
    }
    let header = |name: &str| headers(name).or_else(|| told.header(name));
    let now = header("date").and_then(|date| moment::point(&date));
    let millis = |name: &str| sensible(header(name)?.trim().parse::<f64>().ok()? / 1_000.0);
    let said = millis("retry-after-ms")
        .or_else(|| millis("x-ms-retry-after-ms"))
        .or_else(|| until(&header("retry-after")?, now))
        .or_else(|| sensible(told.wait?.as_secs_f64()))
        .or_else(|| prose(&told.message));
    // Budgets come with every answer; they explain a refusal for rate and nothing else.
    said.or_else(|| if kind == Kind::RateLimited { budgets(&header, now) } else { None })
}

/// Takes a wait that is one: none at all is no hint, though some say it (Azure: `retry-after-ms: 0`
/// beside `retry-after: 1`).
fn sensible(seconds: f64) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    (!wait.is_zero() && wait <= LONGEST).then_some(wait)
}

/// Reads a header's wait: seconds, a span with units, or a point of time.
fn until(text: &str, now: Option<f64>) -> Option<Duration> {
    let text = text.trim();
    let point = match text.parse::<f64>() {
        Ok(number) if number >= MILLISECONDS_SINCE_1970 => number / 1_000.0,
        Ok(number) if number >= SECONDS_SINCE_1970 => number,
        Ok(seconds) => return sensible(seconds),
        Err(_) => match moment::point(text) {
            Some(point) => point,
            None => return sensible(moment::span(text)?.as_secs_f64()),
        },
    };
    sensible(point - now?)
}

/// Finds a wait in a message, such as `Please try again in 7.66s`.
fn prose(message: &str) -> Option<Duration> {
    // Kept to ASCII, so that places in the one text are places in the other.
    let words = message.to_ascii_lowercase();
    PROSE.iter().find_map(|phrase| {
        words.match_indices(phrase).find_map(|(at, _)| {
            sensible(moment::span(words.get(at + phrase.len()..)?)?.as_secs_f64())
        })
    })
}

/// Concludes a wait from budgets: until the last of those used up is full again; the shortest
/// where none is used up, which then has not enough left for this request.
fn budgets(header: &dyn Fn(&str) -> Option<String>, now: Option<f64>) -> Option<Duration> {
    let mut spent = None;
    let mut shortest = None;
    for (reset, remaining) in BUDGETS {
        let Some(wait) = header(reset).and_then(|reset| until(&reset, now)) else { continue };
        let left = header(remaining).and_then(|left| left.trim().parse::<f64>().ok());
        if left.is_some_and(|left| left < 1.0) {
            spent = spent.max(Some(wait));
        }
        shortest = Some(shortest.map_or(wait, |shortest: Duration| shortest.min(wait)));
    }
    spent.or(shortest)
}
