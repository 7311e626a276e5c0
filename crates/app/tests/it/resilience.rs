//! Retries, circuits, credentials, equals, budgets and hedges, as a client meets them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script, When};

use crate::support::{Served, Setup, ask, rows};

async fn provider(answer: Answer) -> Provider {
    Provider::start(Script::of(answer)).await.unwrap()
}

/// A task `work` at `weak`, then `safe`, with these limits.
fn table(limits: &str) -> String {
    format!(
        "version: test\ndefault_model: safe/safe-a\ndefaults: {{ {limits} }}\n\
         tasks:\n  work: {{ primary: weak/weak-a, fallbacks: [safe/safe-a] }}\n"
    )
}

pub(crate) async fn pair(weak: Answer, limits: &str) -> (Setup, Provider, Provider) {
    let (weak, safe) = (provider(weak).await, provider(Answer::text("safe words")).await);
    let setup = Setup::new();
    setup.provider("weak", &weak.base_url());
    setup.provider("safe", &safe.base_url());
    setup.table(&table(limits));
    (setup, weak, safe)
}

pub(crate) async fn targets(served: &Served) -> Value {
    served.get("/api/health/targets").await.json()
}

pub(crate) fn target<'a>(page: &'a Value, name: &str) -> &'a Value {
    let all = page["targets"].as_array().unwrap();
    all.iter().find(|target| target["target"] == name).unwrap_or_else(|| panic!("{page:#}"))
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_at_the_same_target() {
    let weak = Answer::text("at last").failing_first(1, Fault::status(500));
    let (setup, weak, safe) = pair(weak, "timeout: 2s, retries: 2").await;
    let served = setup.serve();
    for stream in [false, true] {
        weak.set(Script::of(Answer::text("at last").failing_first(1, Fault::status(500))));
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(got.header("x-pointsman-attempts"), Some("2"));
        assert_eq!(got.header("x-pointsman-model"), Some("weak/weak-a"));
        let decision = served.decision(&got).await;
        assert!(decision["attempts"][1]["paused_ms"].is_number(), "{decision:#}");
    }
    assert_eq!((weak.asked(), safe.asked()), (4, 0));
    assert_eq!(rows(&setup).len(), 4, "every attempt once");
}

#[tokio::test]
async fn the_budget_of_attempts_holds_for_all_targets_together() {
    let (setup, weak, safe) =
        pair(Answer::text("").failing(Fault::status(500)), "retries: 5, attempts: 3").await;
    safe.set(Script::of(Answer::text("").failing(Fault::status(500))));
    let served = setup.serve();
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!(got.status, 502);
    assert!(got.message().contains("(2 times)"), "{}", got.message());
    assert_eq!(weak.asked() + safe.asked(), 3);
    assert_eq!(served.decision(&got).await["stopped_by"], "attempts");
}

#[tokio::test]
async fn the_budget_of_money_ends_the_attempts() {
    let weak = Answer::text("a b c d e f g h").failing(Fault::CutAfter(3));
    let (setup, weak, safe) = pair(weak, "retries: 3, spend: 0.000000001, commit: checked").await;
    let served = setup.serve();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert_eq!(got.status, 502, "{}", got.text());
    assert_eq!((weak.asked(), safe.asked()), (1, 0));
    assert_eq!(served.decision(&got).await["stopped_by"], "spend");
}

#[tokio::test]
async fn a_target_that_fails_rests_and_comes_back_by_a_probe() {
    let down = Answer::text("back").failing(Fault::status(500));
    let (setup, weak, safe) = pair(down, "retries: 0").await;
    setup.configure("breaker: { consecutive: 3, open: 400ms, longest: 400ms }");
    let served = setup.serve();
    for _ in 0..6 {
        let got = served.chat(&ask("task/work", false, "hi")).await;
        assert_eq!((got.status, got.header("x-pointsman-model")), (200, Some("safe/safe-a")));
    }
    assert_eq!((weak.asked(), safe.asked()), (3, 6), "an open circuit is not asked");
    let page = targets(&served).await;
    let open = target(&page, "weak/weak-a");
    assert_eq!((&open["circuit"], &open["willing"]), (&json!("open"), &json!(false)));
    assert_eq!(open["last_failure"], "provider_error");
    assert!(open["next_probe_ms"].as_u64() > Some(0), "{page:#}");
    let metrics = served.get("/metrics").await;
    let named = "provider=\"weak\",model=\"weak-a\",credential=\"default\"";
    for line in [
        format!("pointsman_target_circuit{{{named},state=\"open\"}} 1\n"),
        format!("pointsman_target_circuit{{{named},state=\"closed\"}} 0\n"),
        format!("pointsman_target_circuit_opened_total{{{named}}} 1\n"),
    ] {
        assert!(metrics.text().contains(&line), "{line}{}", metrics.text());
    }
    assert!(open["again_ms"].is_number(), "{page:#}");
    let got = served.chat(&ask("task/work", false, "hi")).await;
    let decision = served.decision(&got).await;
    assert_eq!(decision["passed_over"][0]["target"], "weak/weak-a", "{decision:#}");
    weak.set(Script::saying("back"));
    // The circuit lets a probe through once its time is over.
    let back = || async {
        let got = served.chat(&ask("task/work", false, "hi")).await;
        got.header("x-pointsman-model") == Some("weak/weak-a")
    };
    let began = Instant::now();
    while !back().await {
        assert!(began.elapsed() < Duration::from_secs(10), "it never comes back");
    }
    assert_eq!(target(&targets(&served).await, "weak/weak-a")["circuit"], "closed");
}

#[tokio::test]
async fn the_least_bad_is_tried_when_everything_rests() {
    let (setup, weak, safe) =
        pair(Answer::text("").failing(Fault::status(500)), "retries: 0").await;
    safe.set(Script::of(Answer::text("").failing(Fault::status(503))));
    setup.configure("breaker: { consecutive: 1, open: 60s }");
    let served = setup.serve();
    assert_eq!(served.chat(&ask("task/work", false, "hi")).await.status, 502);
    let before = weak.asked() + safe.asked();
    weak.set(Script::saying("well again"));
    safe.set(Script::saying("well again"));
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(weak.asked() + safe.asked(), before + 1);
}

/// A provider that knows which credentials are good.
fn by_key(bad: &str, fault: Fault) -> Script {
    Script::saying("well").when(When::header("authorization", bad), Answer::text("").failing(fault))
}

fn keyed(setup: &mut Setup, base_url: &str) {
    let record = format!(
        "id: keyed\nbase_url: {base_url}\nauth: {{ bearer: env:KEY_ONE }}\n\
         credentials:\n  - {{ name: two, auth: {{ bearer: env:KEY_TWO }}, weight: 1 }}\n\
         speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n\
         models: [{{ id: m, price: {{ input: 1, output: 2 }} }}]\n"
    );
    setup.write("providers/keyed.yaml", &record);
    for (name, value) in [("KEY_ONE", "sk-one-0123456789"), ("KEY_TWO", "sk-two-0123456789")] {
        setup.environment.push((name.to_owned(), value.to_owned()));
    }
}

#[tokio::test]
async fn a_refused_credential_is_retired_and_another_used() {
    let provider = Provider::start(by_key("sk-one", Fault::status(401))).await.unwrap();
    let mut setup = Setup::new();
    keyed(&mut setup, &provider.base_url());
    let served = setup.serve();
    for _ in 0..20 {
        let got = served.chat(&ask("keyed/m", false, "hi")).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert!(!got.text().contains("sk-"));
    }
    assert!(provider.asked() <= 21, "it is asked once with the refused key: {}", provider.asked());
    let page = targets(&served).await;
    let refused = page["targets"].as_array().unwrap().iter();
    let mut refused = refused.filter(|target| target["credential"] == "default");
    let why = refused.next().unwrap()["why"].as_str().unwrap().to_owned();
    assert!(why.contains("provider_authentication_failed"), "{page:#}");
}

#[tokio::test]
async fn a_throttled_credential_rotates_at_once() {
    let provider = Provider::start(by_key("sk-one", Fault::status(429))).await.unwrap();
    let mut setup = Setup::new();
    keyed(&mut setup, &provider.base_url());
    let served = setup.serve();
    let began = Instant::now();
    for _ in 0..10 {
        let got = served.chat(&ask("keyed/m", false, "hi")).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    assert!(provider.asked() <= 11, "{}", provider.asked());
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits while a credential is left");
}

#[tokio::test]
async fn load_is_shared_among_equals_by_their_weights() {
    let (one, two) = (provider(Answer::text("one")).await, provider(Answer::text("two")).await);
    let setup = Setup::new();
    setup.provider("one", &one.base_url());
    setup.provider("two", &two.base_url());
    setup.table(
        "version: test\ndefault_model: both\nequals:\n  both: { one/one-a: 1, two/two-a: 1 }\n\
         tasks:\n  work: { primary: both }\n",
    );
    let served = setup.serve();
    for model in ["task/work", "both", "auto"] {
        for _ in 0..20 {
            assert_eq!(served.chat(&ask(model, false, "hi")).await.status, 200);
        }
    }
    assert_eq!(one.asked() + two.asked(), 60);
    assert!(one.asked() > 5 && two.asked() > 5, "{} {}", one.asked(), two.asked());
    one.set(Script::of(Answer::text("").failing(Fault::status(500))));
    let got = served.chat(&ask("both", false, "hi")).await;
    assert_eq!(got.status, 200, "an equal stands in: {}", got.text());
}

#[tokio::test]
async fn a_slow_attempt_is_hedged_and_the_loser_is_recorded() {
    let (setup, weak, safe) = pair(Answer::text("quick"), "timeout: 20s, hedge_percent: 50").await;
    let served = setup.serve();
    for _ in 0..60 {
        served.chat(&ask("task/work", true, "hi")).await;
    }
    weak.set(Script::of(Answer::text("slow").after(Duration::from_secs(15))));
    let before = safe.asked();
    let began = Instant::now();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{}", got.text());
    assert!(began.elapsed() < Duration::from_secs(10));
    let decision = served.decision(&got).await;
    assert_eq!(decision["attempts"][0]["outcome"], "cancelled", "{decision:#}");
    assert_eq!(decision["attempts"][0]["failure"]["code"], "outrun");
    assert_eq!(decision["attempts"][1]["hedge"], true);
    weak.until_hung_up(1).await;
    assert_eq!(safe.asked(), before + 1);
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_an_error() {
    let weak = Answer::text("some words come and then").failing(Fault::SilenceAfter(3));
    let (setup, weak, _safe) = pair(weak, "timeout: 5s, silence: 300ms, total: 60s").await;
    let served = setup.serve();
    let began = Instant::now();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(got.text().contains("\"timeout\""), "{}", got.text());
    assert!(!got.text().contains("[DONE]"));
    weak.until_hung_up(1).await;
}

#[tokio::test]
async fn keep_alive_comments_do_not_keep_a_dead_stream_alive() {
    let weak = Answer::text("x").failing(Fault::HeadersThenSilence);
    let (setup, _weak, _safe) = pair(weak, "timeout: 300ms, retries: 0").await;
    let served = setup.serve();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"));
}

#[tokio::test]
async fn the_head_of_an_answer_has_a_clock_of_its_own() {
    let weak = Answer::text("x").failing(Fault::NeverAnswer);
    let (setup, _weak, _safe) = pair(weak, "first_byte: 200ms, timeout: 30s").await;
    let served = setup.serve();
    let began = Instant::now();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_has_a_clock_of_its_own() {
    // It takes connections and never says a word of TLS.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let safe = provider(Answer::text("safe words")).await;
    let setup = Setup::new();
    setup.provider("weak", &format!("https://{}", mute.local_addr().unwrap()));
    setup.provider("safe", &safe.base_url());
    setup.table(&table("connect: 200ms, timeout: 30s, retries: 0"));
    let served = setup.serve();
    let began = Instant::now();
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{}", got.text());
    assert!(began.elapsed() < Duration::from_secs(10));
    let failure = &served.decision(&got).await["attempts"][0]["failure"];
    assert_eq!(failure["code"], "provider_unreachable", "{failure:#}");
}

#[tokio::test]
async fn a_target_has_clocks_of_its_own_and_a_task_goes_over_them() {
    let weak = provider(Answer::text("in time").after(Duration::from_millis(600))).await;
    let setup = Setup::new();
    setup.provider("weak", &weak.base_url());
    let record = std::fs::read_to_string(setup.path("providers/weak.yaml")).unwrap();
    setup.write("providers/weak.yaml", &format!("{record}clocks: {{ timeout: 10s }}\n"));
    setup.table(
        "version: test\ndefault_model: weak/weak-a\ndefaults: { timeout: 100ms, retries: 0 }\n\
         tasks:\n  patient: { primary: weak/weak-a }\n  \
         quick: { primary: weak/weak-a, timeout: 100ms }\n",
    );
    let served = setup.serve();
    assert_eq!(served.chat(&ask("task/patient", false, "hi")).await.status, 200);
    assert_eq!(served.chat(&ask("task/quick", false, "hi")).await.code(), "timeout");
}

#[tokio::test]
async fn an_empty_answer_is_no_answer() {
    for stream in [false, true] {
        let weak = Answer::text("").failing(Fault::Empty);
        let (setup, _weak, _safe) = pair(weak, "retries: 0").await;
        let served = setup.serve();
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{}", got.text());
        let alone = served.chat(&ask("weak/weak-a", stream, "hi")).await;
        assert_eq!((alone.status, alone.code().as_str()), (502, "empty_answer"));
    }
}
