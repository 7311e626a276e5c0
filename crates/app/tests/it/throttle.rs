//! Providers that throttle: how long is waited for one, where, and what the client is told.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Answer, Fault, Script, Spelling};

use crate::resilience::{pair, target, targets};
use crate::support::{ask, rows};

#[tokio::test]
async fn throttling_lowers_how_much_a_target_is_asked_at_once() {
    let (setup, _weak, _safe) =
        pair(Answer::text("").failing_first(1, Fault::status(429)), "retries: 0").await;
    let served = setup.serve();
    served.chat(&ask("safe/safe-a", false, "hi")).await;
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"));
    let page = targets(&served).await;
    let limit = |name| target(&page, name)["limit"].as_u64().unwrap();
    assert!(limit("weak/weak-a") < limit("safe/safe-a"), "{page:#}");
    let weak = target(&page, "weak/weak-a");
    assert_eq!((&weak["willing"], &weak["circuit"]), (&json!(false), &json!("closed")), "{page:#}");
    assert!(weak["why"].as_str().unwrap().contains("throttles"), "{page:#}");
}

fn throttled(name: &str) -> Fault {
    Fault::Throttle(Spelling::parse(name).unwrap())
}

#[tokio::test]
async fn the_wait_a_provider_asks_for_is_kept_where_nobody_else_is_left() {
    let answer = || Answer::text("at last").failing_first(1, throttled("ms"));
    let (setup, weak, safe) = pair(answer(), "retries: 1, total: 60s").await;
    safe.set(Script::of(Answer::text("").failing(Fault::status(400))));
    let served = setup.serve();
    for stream in [false, true] {
        weak.set(Script::of(answer()));
        let began = Instant::now();
        let got = served.chat(&ask("weak/weak-a", stream, "hi")).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert!(began.elapsed() >= Duration::from_millis(1_200), "{:?}", began.elapsed());
        assert_eq!(got.header("x-pointsman-attempts"), Some("2"));
        let decision = served.decision(&got).await;
        let paused = decision["attempts"][1]["paused_ms"].as_u64().unwrap();
        assert!(paused >= 1_200, "{decision:#}");
    }
    assert_eq!(rows(&setup).len(), 4);
}

#[tokio::test]
async fn a_wait_longer_than_the_tasks_patience_goes_elsewhere_at_once() {
    let (setup, weak, _safe) =
        pair(Answer::text("").failing(throttled("ms")), "retries: 3, patience: 1s").await;
    let served = setup.serve();
    for _ in 0..3 {
        let got = served.chat(&ask("task/work", false, "hi")).await;
        assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{}", got.text());
        let decision = served.decision(&got).await;
        for attempt in decision["attempts"].as_array().unwrap() {
            assert!(attempt["paused_ms"].is_null(), "nobody waited: {decision:#}");
        }
    }
    assert!(weak.asked() < 3, "it asked to be left alone: {}", weak.asked());
}

#[tokio::test]
async fn a_wait_longer_than_the_request_may_take_is_the_clients() {
    let (setup, weak, _safe) =
        pair(Answer::text("").failing(throttled("seconds")), "retries: 3, total: 1500ms").await;
    let table = std::fs::read_to_string(setup.path("routing.yaml")).unwrap();
    setup.write("routing.yaml", &format!("{table}  alone: {{ primary: weak/weak-a }}\n"));
    let served = setup.serve();
    // The first is asked; the second is told of what the first one heard.
    for attempts in [Some("1"), None] {
        let got = served.chat(&ask("task/alone", false, "hi")).await;
        assert_eq!(
            (got.status, got.code()),
            (429, "rate_limit_exceeded".to_owned()),
            "{}",
            got.text()
        );
        assert_eq!(got.header("retry-after"), Some("2"), "{}", got.text());
        assert_eq!(got.header("x-should-retry"), Some("true"));
        assert_eq!(got.header("x-pointsman-attempts"), attempts, "{}", got.text());
    }
    assert_eq!(weak.asked(), 1);
}

#[tokio::test]
async fn where_all_throttle_the_client_is_told_the_shortest_wait() {
    let limits = "retries: 0, patience: 100ms, total: 1s";
    let (setup, weak, safe) = pair(Answer::text("").failing(throttled("seconds")), limits).await;
    safe.set(Script::of(Answer::text("").failing(throttled("ms"))));
    let served = setup.serve();
    for stream in [false, true] {
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        let told = (got.status, got.code());
        assert_eq!(told, (429, "rate_limit_exceeded".to_owned()), "{}", got.text());
        let wait: u64 = got.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=2).contains(&wait), "{}", got.text());
        assert_eq!(got.header("x-should-retry"), Some("true"));
        assert!(got.message().contains("weak/weak-a") && got.message().contains("safe/safe-a"));
    }
    assert_eq!((weak.asked(), safe.asked()), (1, 1), "whoever asked to be left alone is");
}
