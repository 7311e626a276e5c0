//! What happens when a target fails.

use serde_json::json;
use testkit::{Answer, DeadPort, Fault, Provider, Script};

use crate::support::{Setup, ask, rows};

fn table(commit: &str) -> String {
    format!(
        "version: test\ndefault_model: safe/safe-a\ndefaults: {{ timeout: 400ms, total: 5s, commit: {commit}, retries: 0 }}\n\
         tasks:\n  work: {{ primary: weak/weak-a, fallbacks: [safe/safe-a] }}\n"
    )
}

async fn providers(fault: Fault, commit: &str) -> (Setup, Provider, Provider) {
    let weak = Provider::start(Script::of(Answer::text("weak words come here").failing(fault)))
        .await
        .unwrap();
    let safe = Provider::start(Script::saying("safe words")).await.unwrap();
    let setup = Setup::new();
    setup.provider("weak", &weak.base_url());
    setup.provider("safe", &safe.base_url());
    setup.table(&table(commit));
    (setup, weak, safe)
}

/// Checks that both modes fall back from a fault, with the code the failed attempt is told under.
async fn check(fault: Fault, modes: &[bool], code: &str) {
    let (setup, _weak, safe) = providers(fault, "first_token").await;
    let served = setup.serve();
    for stream in modes {
        let got = served.chat(&ask("task/work", *stream, "hi")).await;
        assert_eq!(got.status, 200, "{code}: {}", got.text());
        assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"));
        assert_eq!(got.header("x-pointsman-attempts"), Some("2"));
        assert!(!got.text().contains("weak"), "nothing of the failed answer leaks: {}", got.text());
        let decision = served.decision(&got).await;
        assert_eq!(decision["attempts"][0]["failure"]["code"], code, "{decision:#}");
        assert_eq!(decision["answered_by"], "safe/safe-a");
    }
    assert_eq!(safe.asked(), modes.len() as u64);
    let rows = rows(&setup);
    assert_eq!(rows.len(), 2 * modes.len(), "every attempt once");
    assert_eq!(rows[0]["outcome"], "failed");
    assert_eq!(rows[0]["failure"], code);
}

#[tokio::test]
async fn a_server_error_falls_back() {
    check(Fault::status(500), &[false, true], "provider_error").await;
}

#[tokio::test]
async fn an_overload_falls_back() {
    check(Fault::status(529), &[false, true], "provider_overloaded").await;
}

#[tokio::test]
async fn a_rate_limit_falls_back() {
    check(Fault::status(429), &[false], "rate_limit_exceeded").await;
}

#[tokio::test]
async fn a_page_of_html_falls_back() {
    check(Fault::Html503, &[false, true], "provider_overloaded").await;
}

#[tokio::test]
async fn silence_falls_back() {
    check(Fault::NeverAnswer, &[false, true], "timeout").await;
}

#[tokio::test]
async fn silence_after_the_headers_falls_back() {
    check(Fault::HeadersThenSilence, &[false, true], "timeout").await;
}

#[tokio::test]
async fn a_reset_connection_falls_back() {
    let (setup, _weak, _safe) = providers(Fault::Refuse, "first_token").await;
    let served = setup.serve();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"));
    // The reset may come while connecting or while sending.
    let code = served.decision(&got).await["attempts"][0]["failure"]["code"].clone();
    assert!(code == "provider_error" || code == "provider_unreachable", "{code}");
}

#[tokio::test]
async fn a_cut_before_the_first_token_falls_back() {
    check(Fault::CutBeforeFirstToken, &[false, true], "stream_interrupted").await;
}

#[tokio::test]
async fn an_error_inside_a_200_falls_back() {
    check(Fault::ErrorIn200, &[false, true], "provider_error").await;
}

#[tokio::test]
async fn broken_json_falls_back() {
    check(Fault::BrokenJson, &[false, true], "malformed_reply").await;
}

#[tokio::test]
async fn a_refused_connection_falls_back() {
    let dead = DeadPort::take().unwrap();
    let safe = Provider::start(Script::saying("safe words")).await.unwrap();
    let setup = Setup::new();
    setup.provider("weak", &dead.base_url());
    setup.provider("safe", &safe.base_url());
    setup.table(&table("first_token"));
    let served = setup.serve();
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"));
    assert_eq!(
        served.decision(&got).await["attempts"][0]["failure"]["code"],
        "provider_unreachable"
    );
}

#[tokio::test]
async fn a_request_that_is_wrong_everywhere_is_not_sent_again() {
    let body = json!({"error": {"message": "messages: too few", "type": "invalid_request_error"}});
    let (setup, _weak, safe) =
        providers(Fault::Status(400, Some(body.to_string())), "first_token").await;
    let served = setup.serve();
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!((got.status, got.code()), (400, "invalid_request".to_owned()));
    assert_eq!(got.message(), "messages: too few");
    assert_eq!(safe.asked(), 0);
}

#[tokio::test]
async fn when_all_fail_the_error_names_every_attempt_and_its_fault() {
    let weak =
        Provider::start(Script::of(Answer::text("").failing(Fault::status(500)))).await.unwrap();
    let dead = DeadPort::take().unwrap();
    let setup = Setup::new();
    setup.provider("weak", &weak.base_url());
    setup.provider("safe", &dead.base_url());
    setup.table(&table("first_token"));
    let served = setup.serve();
    for stream in [false, true] {
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!((got.status, got.code()), (502, "all_attempts_failed".to_owned()));
        assert_eq!(got.header("x-should-retry"), Some("false"));
        let error = got.json()["error"].clone();
        let told: Vec<_> = error["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attempt| {
                (
                    attempt["target"].as_str().unwrap(),
                    attempt["code"].as_str().unwrap(),
                    attempt["fault"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("weak/weak-a", "provider_error", "provider"),
                ("safe/safe-a", "provider_unreachable", "provider"),
            ]
        );
        assert!(got.message().contains("weak/weak-a") && got.message().contains("safe/safe-a"));
        assert_eq!(Some(error["request_id"].as_str().unwrap()), got.header("x-request-id"));
    }
    assert_eq!(rows(&setup).len(), 4);
}

#[tokio::test]
async fn a_rate_limit_everywhere_is_told_as_one() {
    let (setup, _weak, _safe) = providers(Fault::status(429), "first_token").await;
    let served = setup.serve();
    let got = served.chat(&ask("weak/weak-a", false, "hi")).await;
    assert_eq!((got.status, got.code()), (429, "rate_limit_exceeded".to_owned()));
}

#[tokio::test]
async fn a_task_that_checks_falls_back_from_a_cut_in_the_middle() {
    let (setup, _weak, _safe) = providers(Fault::CutAfter(2), "checked").await;
    let served = setup.serve();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"));
    assert!(
        got.text().ends_with("data: [DONE]\n\n") && !got.text().contains("weak"),
        "{}",
        got.text()
    );
}
