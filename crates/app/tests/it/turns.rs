//! Whose turn it is: what is left for later ranks, who is asked again, who is waited for, and that
//! every leave is given back.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Answer, Fault, Provider, Script, When};

use crate::resilience::{pair, targets};
use crate::support::{Served, Setup, ask};

async fn provider(answer: Answer) -> Provider {
    Provider::start(Script::of(answer)).await.unwrap()
}

/// A provider with three credentials.
fn keyed(setup: &mut Setup, base_url: &str) {
    let further = ["TWO", "THREE"].map(|name| {
        format!("  - {{ name: {}, auth: {{ bearer: env:{name} }} }}\n", name.to_lowercase())
    });
    setup.write(
        "providers/keyed.yaml",
        &format!(
            "id: keyed\nbase_url: {base_url}\nauth: {{ bearer: env:ONE }}\ncredentials:\n{}\
             speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n\
             models: [{{ id: m, price: {{ input: 1, output: 2 }} }}]\n",
            further.concat()
        ),
    );
    for name in ["ONE", "TWO", "THREE"] {
        setup.environment.push((name.to_owned(), format!("sk-{name}-0123456789")));
    }
}

#[tokio::test]
async fn several_credentials_of_one_outage_leave_the_fallback_its_attempt() {
    let (down, safe) = (provider(Answer::text("")).await, provider(Answer::text("safe")).await);
    let mut setup = Setup::new();
    keyed(&mut setup, &down.base_url());
    setup.provider("safe", &safe.base_url());
    setup.table(
        "version: test\ndefault_model: safe/safe-a\ndefaults: { retries: 9, attempts: 4 }\n\
         tasks:\n  work: { primary: keyed/m, fallbacks: [safe/safe-a] }\n",
    );
    let served = setup.serve();
    // What another credential would not change is asked with one of them.
    for (status, asked) in [(500, 3), (400, 1), (401, 3)] {
        let long = json!({"error": {"message": "too long", "code": "context_length_exceeded",
            "type": "invalid_request_error", "param": "messages"}});
        let answer = match status {
            400 => crate::canned::raw(400, "application/json", long.to_string()),
            _ => Answer::text("").failing(Fault::status(status)),
        };
        down.set(Script::of(answer));
        let before = down.asked();
        let got = served.chat(&ask("task/work", false, "hi")).await;
        assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{}", got.text());
        assert_eq!(down.asked() - before, asked, "{status}");
    }
}

#[tokio::test]
async fn one_that_fails_is_tried_again_although_an_equal_rests() {
    let down = Answer::text("").failing(Fault::status(401));
    let (one, two) = (provider(Answer::text("one")).await, provider(down).await);
    let setup = Setup::new();
    setup.provider("one", &one.base_url());
    setup.provider("two", &two.base_url());
    setup.table(
        "version: test\ndefault_model: both\ndirect: { retries: 1 }\n\
         equals:\n  both: { one/one-a: 1, two/two-a: 1 }\ntasks: {}\n",
    );
    let served = setup.serve();
    // Two is asked until its credential is retired.
    while two.asked() == 0 {
        assert_eq!(served.chat(&ask("both", false, "hi")).await.status, 200);
    }
    one.set(Script::of(Answer::text("at last").failing_first(1, Fault::status(500))));
    let got = served.chat(&ask("both", false, "hi")).await;
    assert_eq!((got.status, two.asked()), (200, 1), "{}", got.text());
}

#[tokio::test]
async fn one_that_is_busy_is_waited_for_rather_than_one_that_throttles_for_minutes() {
    let slow = Answer::text("one").after(Duration::from_millis(600));
    let told = Fault::parse("throttle:seconds").unwrap();
    let (one, two) = (provider(slow).await, provider(Answer::text("").failing(told)).await);
    let setup = Setup::new();
    setup.provider("one", &one.base_url());
    setup.provider("two", &two.base_url());
    let record = std::fs::read_to_string(setup.path("providers/one.yaml")).unwrap();
    setup.write("providers/one.yaml", &format!("{record}concurrency: 1\n"));
    setup.table(
        "version: test\ndefault_model: both\ndirect: { retries: 0, patience: 10s, total: 60s }\n\
         equals:\n  both: { one/one-a: 1, two/two-a: 1 }\ntasks: {}\n",
    );
    let served = setup.serve();
    let body = ask("both", false, "hi");
    let (a, b, c) = tokio::join!(served.chat(&body), served.chat(&body), served.chat(&body));
    for got in [a, b, c] {
        assert_eq!((got.status, got.header("x-pointsman-model")), (200, Some("one/one-a")));
    }
}

#[tokio::test]
async fn hedges_that_are_not_made_take_no_seat() {
    let (setup, slow, _safe) = pair(Answer::text("quick"), "hedge_percent: 1").await;
    let served = setup.serve();
    for _ in 0..40 {
        served.chat(&ask("task/work", true, "hi")).await;
    }
    slow.set(Script::of(Answer::text("slow").after(Duration::from_millis(300))));
    for _ in 0..6 {
        let got = served.chat(&ask("task/work", true, "hi")).await;
        assert_eq!(got.status, 200);
    }
    let all = targets(&served).await["targets"].as_array().unwrap().clone();
    assert!(all.iter().all(|target| target["in_flight"] == 0), "{all:#?}");
}

#[tokio::test]
async fn a_refusal_that_goes_out_after_all_is_told_as_the_answer() {
    let refusing = json!({"id": "r", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": null, "refusal": "No."}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}});
    let refusing = crate::canned::raw(200, "application/json", refusing.to_string());
    let (setup, _weak, safe) = pair(refusing, "retries: 0").await;
    safe.set(Script::of(Answer::text("").failing(Fault::status(500))));
    let served = setup.serve();
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!((got.status, got.header("x-pointsman-model")), (200, Some("weak/weak-a")));
    let attempts = &served.decision(&got).await["attempts"];
    let used = &attempts[0]["used"];
    assert_eq!(
        (&used["output"], &used["counted"]),
        (&json!(3), &json!("reported")),
        "{attempts:#}"
    );
}

#[tokio::test]
async fn what_a_rejected_answer_used_is_what_the_provider_said() {
    let weak = Answer::text("no JSON at all, in so many words");
    let checked = "retries: 0, check: { mode: enforce, json: true }";
    let (setup, _weak, safe) = pair(weak, checked).await;
    safe.set(Script::saying("{\"a\": 1}"));
    let served = setup.serve();
    for stream in [false, true] {
        let mut body = ask("task/work", stream, "hi");
        if stream {
            body["stream_options"] = json!({"include_usage": true});
        }
        let got = served.chat(&body).await;
        assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{}", got.text());
        let attempts = &served.decision(&got).await["attempts"];
        assert_eq!(attempts[0]["failure"]["code"], "answer_rejected", "{attempts:#}");
        assert_eq!(attempts[0]["used"]["counted"], "reported", "{attempts:#}");
    }
}

#[tokio::test]
async fn a_request_waits_no_longer_than_it_has_time() {
    let told = Fault::parse("throttle:seconds").unwrap();
    let one = Provider::start(
        Script::saying("one").when(When::model("one-a"), Answer::text("").failing(told)),
    );
    let one = one.await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &one.base_url());
    setup.table("version: test\ndefault_model: one/one-a\ndirect: { total: 1s }\ntasks: {}\n");
    let served = setup.serve();
    let began = Instant::now();
    for _ in 0..3 {
        let got = served.chat(&ask("one/one-a", false, "hi")).await;
        assert_eq!((got.status, got.code().as_str()), (429, "rate_limit_exceeded"));
        assert!(got.header("retry-after").is_some(), "{:?}", got.headers);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "it is not waited for in vain");
    assert_eq!(one.asked(), 1, "nobody asks before the time that was told");
}

/// A task at `weak` and then `safe` that hedges, and whose first tokens have come at once so far.
async fn hedging(limits: &str) -> (Served, Provider, Provider) {
    let limits = format!("hedge_percent: 50, retries: 0, {limits}");
    let (setup, weak, safe) = pair(Answer::text("quick"), &limits).await;
    setup.never_open();
    let served = setup.serve();
    drop(setup.folder.keep());
    for _ in 0..60 {
        served.chat(&ask("task/work", true, "hi")).await;
    }
    (served, weak, safe)
}

#[tokio::test]
async fn who_is_asked_beside_a_slow_one_does_not_end_the_request() {
    let (served, weak, safe) = hedging("timeout: 20s").await;
    let slow = || Answer::text("slow and good").after(Duration::from_millis(700));
    weak.set(Script::of(slow()));
    // It finds the request wrong, or refuses: the first attempt is waited for.
    let refusal = crate::canned::raw(200, "text/event-stream", [
        json!({"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {"role": "assistant", "refusal": "No."}, "finish_reason": null}]}),
        json!({"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    ].map(|chunk| format!("data: {chunk}\n\n")).concat() + "data: [DONE]\n\n");
    for beside in [Answer::text("").failing(Fault::status(400)), refusal] {
        safe.set(Script::of(beside));
        let before = safe.asked();
        let got = served.chat(&ask("task/work", true, "hi")).await;
        assert_eq!(got.header("x-pointsman-model"), Some("weak/weak-a"), "{}", got.text());
        assert!(got.text().contains("good"), "{}", got.text());
        assert_eq!(safe.asked() - before, 1, "its turn is over");
    }
}

#[tokio::test]
async fn one_that_was_outrun_is_not_the_error_of_the_request() {
    let (served, weak, safe) = hedging("total: 1s").await;
    for provider in [&weak, &safe] {
        provider.set(Script::of(Answer::text("").failing(Fault::NeverAnswer)));
    }
    let got = served.chat(&ask("task/work", true, "hi")).await;
    assert_eq!((got.status, got.code().as_str()), (504, "deadline_exceeded"), "{}", got.text());
}

#[tokio::test]
async fn one_that_may_throttle_still_is_asked_when_nobody_else_may_be() {
    let throttled = Answer::text("well again").failing_first(1, Fault::status(429));
    let (setup, _weak, safe) = pair(throttled, "retries: 0").await;
    safe.set(Script::of(Answer::text("").failing(Fault::status(401))));
    let served = setup.serve();
    assert_ne!(served.chat(&ask("task/work", false, "hi")).await.status, 200);
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!((got.status, safe.asked()), (200, 1), "{}", got.text());
}

#[tokio::test]
async fn no_model_has_a_name_without_end() {
    let one = provider(Answer::text("one")).await;
    let setup = Setup::new();
    setup.provider("one", &one.base_url());
    setup.table("version: test\ndefault_model: one/one-a\ntasks: {}\n");
    let served = setup.serve();
    for name in [format!("one/{}", "a".repeat(300)), "one/a\nb".to_owned()] {
        let got = served.chat(&ask(&name, false, "hi")).await;
        assert_eq!((got.status, got.code().as_str()), (404, "model_not_found"));
    }
    assert!(!served.get("/metrics").await.text().contains("aaaa"));
}
