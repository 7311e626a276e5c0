//! How long to wait, in every spelling: headers, bodies, prose.

use std::time::Duration;

use ir::Dialect;
use testkit::corpus;

use crate::laws::origin_of;

/// Returns the wait an answer asks for, in milliseconds.
fn wait(status: u16, headers: &[(&str, &str)], body: &str) -> Option<u128> {
    let origin = origin_of(Dialect::OpenaiChat, "");
    let header = |name: &str| {
        let found = headers.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let failure = wire::read_failure(&origin, status, &header, body.as_bytes());
    failure.retry_after.as_ref().map(Duration::as_millis)
}

const DATE: (&str, &str) = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");

#[test]
fn the_header_made_for_it() {
    assert_eq!(wait(429, &[("retry-after", "20")], ""), Some(20_000));
    assert_eq!(wait(429, &[("retry-after", "0.5")], ""), Some(500));
    assert_eq!(wait(429, &[("retry-after", "1m30s")], ""), Some(90_000));
    assert_eq!(wait(503, &[("retry-after", "20")], ""), Some(20_000));
    assert_eq!(wait(429, &[("retry-after-ms", "250"), ("retry-after", "1")], ""), Some(250));
    assert_eq!(wait(429, &[("retry-after-ms", "0"), ("retry-after", "1")], ""), Some(1_000));
    assert_eq!(wait(429, &[("x-ms-retry-after-ms", "1500")], ""), Some(1_500));
    for nonsense in ["", "-1", "NaN", "inf", "1e300", "soon", "99999999"] {
        assert_eq!(wait(429, &[("retry-after", nonsense)], ""), None, "{nonsense}");
    }
}

#[test]
fn a_date_is_read_against_the_answers_own() {
    let at = ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT");
    assert_eq!(wait(429, &[at, DATE], ""), Some(30_000));
    assert_eq!(wait(429, &[at], ""), None);
    let past = ("retry-after", "Wed, 21 Oct 2015 07:27:30 GMT");
    assert_eq!(wait(429, &[past, DATE], ""), None);
}

#[test]
fn budgets_tell_when_they_are_full_again() {
    let requests = ("x-ratelimit-reset-requests", "6m0s");
    let tokens = ("x-ratelimit-reset-tokens", "530ms");
    assert_eq!(wait(429, &[requests], ""), Some(360_000));
    // The budget that is used up decides; where none is, the first that fills up.
    let spent = ("x-ratelimit-remaining-requests", "0");
    assert_eq!(wait(429, &[requests, tokens, spent], ""), Some(360_000));
    assert_eq!(wait(429, &[requests, tokens], ""), Some(530));
    let anthropic = ("anthropic-ratelimit-tokens-reset", "2015-10-21T07:28:12Z");
    assert_eq!(wait(429, &[anthropic, DATE], ""), Some(12_000));
    assert_eq!(wait(429, &[("x-ratelimit-reset", "1445412485000"), DATE], ""), Some(5_000));
    assert_eq!(wait(429, &[("x-ratelimit-reset", "1445412485"), DATE], ""), Some(5_000));
    // Every answer has budgets; an overloaded provider does not mean them.
    assert_eq!(wait(503, &[requests], ""), None);
}

#[test]
fn headers_that_stand_in_the_body() {
    let body = r#"{"error":{"message":"Rate limit exceeded: free-models-per-min","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"20","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1445412490000"},"provider_name":null}}}"#;
    assert_eq!(wait(429, &[DATE], body), Some(10_000));
}

#[test]
fn fields_of_the_body() {
    let body = r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"x"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}}"#;
    assert_eq!(wait(429, &[], body), Some(48_000));
    assert_eq!(wait(503, &[], r#"{"error":"loading","estimated_time":20.5}"#), Some(20_500));
}

#[test]
fn prose() {
    let said = |text: &str| wait(429, &[], &format!(r#"{{"error":{{"message":"{text}"}}}}"#));
    assert_eq!(said("Rate limit reached. Please try again in 7.66s. Visit"), Some(7_660));
    assert_eq!(said("Please try again in 1m30s."), Some(90_000));
    assert_eq!(said("Please Retry After 20 seconds."), Some(20_000));
    assert_eq!(said("Please retry in 48.5s."), Some(48_500));
    assert_eq!(said("Too many requests, please wait before trying again."), None);
    assert_eq!(said("Please wait a moment, then try again in 350ms"), Some(350));
    assert_eq!(said("Limit 30000, Requested 61337."), None);
}

#[test]
fn only_where_waiting_helps() {
    let header = [("retry-after", "20")];
    for status in [400, 401, 402, 403, 404, 413] {
        assert_eq!(wait(status, &header, ""), None, "{status}");
    }
}

#[test]
fn real_answers_that_say_how_long() {
    if corpus::require("reading how long to wait").is_none() {
        return;
    }
    let mut told: Vec<String> = Vec::new();
    for case in corpus::errors() {
        let failure = super::read(&case);
        if let Some(wait) = failure.retry_after {
            told.push(format!("{} {} {wait:?}", case.provider, failure.kind.code()));
        }
    }
    told.sort();
    let expected = expect_test::expect![[r#"
        azure-ai rate_limit_exceeded 1s
        gemini rate_limit_exceeded 48s
        groq rate_limit_exceeded 579s"#]];
    expected.assert_eq(&told.join("\n"));
}
