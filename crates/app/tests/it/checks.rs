//! Answer checks: what an answer must hold before it goes out, and what becomes of one that does not.

use serde_json::{Value, json};
use testkit::{Answer, Provider, Script};

use crate::canned;
use crate::clients::Client;
use crate::resilience::pair;
use crate::support::{Got, Setup, ask, rows};

/// Returns the text of an answer, whole or streamed.
fn text(got: &Got, stream: bool) -> String {
    if stream {
        return Client::Chat.heard_streamed(got.text()).text;
    }
    got.json()["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
}

fn schema() -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "age", "strict": true, "schema": {
        "type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"],
        "additionalProperties": false,
    }}})
}

/// Checks that the first answer is not let out and the second one is, in both modes.
async fn check(what: &str, format: Option<Value>, bad: &str, good: &str) {
    let limits = format!("retries: 2, check: {{ mode: enforce, {what} }}");
    let (setup, weak, safe) = pair(Answer::text(bad), &limits).await;
    safe.set(Script::saying(good));
    let served = setup.serve();
    for stream in [false, true] {
        let mut body = ask("task/work", stream, "hi");
        if let Some(format) = &format {
            body["response_format"] = format.clone();
        }
        let got = served.chat(&body).await;
        assert_eq!((got.status, text(&got, stream).as_str()), (200, good), "{}", got.text());
        assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{what}");
        let decision = served.decision(&got).await;
        let (first, second) = (&decision["attempts"][0], &decision["attempts"][1]);
        assert_eq!(first["failure"]["code"], "answer_rejected", "{decision:#}");
        assert_eq!(first["check"]["passed"], false, "{decision:#}");
        let name = what.split(':').next().unwrap();
        assert_eq!(first["check"]["findings"][0]["check"], name, "{decision:#}");
        assert_eq!(second["check"]["passed"], true, "{decision:#}");
        assert!(!decision.to_string().contains(bad), "no word of the answer is kept: {decision:#}");
        let tokens = &first["used"]["output"];
        assert!(tokens.as_u64().unwrap() > 0, "what was thrown away was used: {decision:#}");
    }
    assert_eq!((weak.asked(), safe.asked()), (2, 2), "it would be no better a second time");
    let rows = rows(&setup);
    assert_eq!(rows.len(), 4, "every attempt once");
    assert_eq!(
        (&rows[0]["failure"], &rows[0]["fault"]),
        (&json!("answer_rejected"), &json!("provider"))
    );
}

#[tokio::test]
async fn an_answer_that_is_no_json_goes_to_the_next_model() {
    check("json: true", None, "it is ninety-two", "{\"age\": 92}").await;
}

#[tokio::test]
async fn an_answer_that_misses_the_callers_schema_goes_to_the_next_model() {
    check("json: true", Some(schema()), "{\"age\": \"ninety-two\"}", "{\"age\": 92}").await;
}

#[tokio::test]
async fn an_answer_that_is_none_of_the_labels_goes_to_the_next_model() {
    check("labels: [spam, ham]", None, "it may be spam", "Spam.").await;
}

#[tokio::test]
async fn an_answer_without_what_it_must_contain_goes_to_the_next_model() {
    check("must_contain: [Paris]", None, "no city comes to mind", "It is Paris").await;
}

#[tokio::test]
async fn an_answer_with_what_it_must_not_contain_goes_to_the_next_model() {
    check("must_not_contain: [TODO]", None, "here goes a TODO for you", "all of it").await;
}

#[tokio::test]
async fn an_answer_of_the_wrong_length_goes_to_the_next_model() {
    check("length: { most: 3 }", None, "far too many words for this", "three words here").await;
}

#[tokio::test]
async fn a_refusal_in_prose_goes_to_the_next_model() {
    check("refusal: true", None, "I'm sorry, but I can't help with that.", "With pleasure").await;
}

#[tokio::test]
async fn when_every_answer_is_rejected_the_client_is_told_by_which_check() {
    let limits = "check: { mode: enforce, json: true, must_contain: [age] }";
    let (setup, weak, safe) = pair(Answer::text("first secret words"), limits).await;
    safe.set(Script::saying("second secret words"));
    let served = setup.serve();
    for stream in [false, true] {
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!((got.status, got.code()), (502, "answer_rejected".to_owned()), "{}", got.text());
        let told = got.message();
        for part in ["weak/weak-a", "safe/safe-a", "json (", "must_contain ("] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!got.text().contains("secret words"), "{}", got.text());
        assert_eq!(got.json()["error"]["attempts"].as_array().unwrap().len(), 2);
        assert_eq!(got.header("x-should-retry"), Some("false"));
    }
    assert_eq!((weak.asked(), safe.asked()), (2, 2));
    let page = served.get("/api/health/targets").await.json();
    for target in page["targets"].as_array().unwrap() {
        assert_eq!(target["failures"], 0, "the host did its work: {page:#}");
    }
}

#[tokio::test]
async fn what_is_only_observed_goes_out_and_is_recorded() {
    let limits = "check: { mode: observe, json: true, repair: true, must_contain: [Paris] }";
    let said = "```json\n{\"city\": \"Rome\",}\n```";
    let (setup, _weak, safe) = pair(Answer::text(said), limits).await;
    let served = setup.serve();
    for stream in [false, true] {
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!((got.status, text(&got, stream).as_str()), (200, said), "as the model said it");
        assert_eq!(got.header("x-pointsman-attempts"), Some("1"));
        let decision = served.decision(&got).await;
        let check = &decision["attempts"][0]["check"];
        assert_eq!(check["passed"], false, "{decision:#}");
        assert_eq!(decision["attempts"][0]["outcome"], "answered");
        assert_eq!(check["findings"][1]["check"], "must_contain", "{decision:#}");
        assert_eq!(check["mended"], Value::Null, "what went out was not mended: {decision:#}");
    }
    assert_eq!(safe.asked(), 0);
}

const NEARLY: [&str; 3] =
    ["```json\n{\"age\": 92}\n```", "{\"age\": 92,}", "Here you are: {'age': 92}"];

#[tokio::test]
async fn what_is_nearly_json_goes_out_mended() {
    let limits = "check: { mode: enforce, json: true, repair: true }";
    let (setup, weak, safe) = pair(Answer::text(""), limits).await;
    let served = setup.serve();
    for said in NEARLY {
        weak.set(Script::saying(said));
        for stream in [false, true] {
            let mut body = ask("task/work", stream, "hi");
            body["response_format"] = schema();
            let got = served.chat(&body).await;
            assert_eq!(got.header("x-pointsman-model"), Some("weak/weak-a"), "{}", got.text());
            let out: Value = serde_json::from_str(&text(&got, stream)).unwrap();
            assert_eq!(out, json!({"age": 92}), "{said}");
            let decision = served.decision(&got).await;
            assert_eq!(decision["attempts"][0]["check"]["mended"], true, "{decision:#}");
        }
    }
    assert_eq!(safe.asked(), 0);
}

#[tokio::test]
async fn a_mended_stream_is_a_whole_stream_of_the_clients_dialect() {
    let limits = "check: { mode: enforce, json: true, repair: true }";
    let (setup, _weak, _safe) = pair(Answer::text(NEARLY[0]), limits).await;
    let served = setup.serve();
    for asks in [false, true] {
        let mut body = ask("task/work", true, "hi");
        if asks {
            body["stream_options"] = json!({"include_usage": true});
        }
        let got = served.chat(&body).await;
        let heard = Client::Chat.heard_streamed(got.text());
        assert_eq!((heard.ends, heard.errors), (1, 0), "{}", got.text());
        let reported = got.text().contains("prompt_tokens");
        assert_eq!(reported, asks, "usage is for whoever asked for it: {}", got.text());
        assert_eq!(rows(&setup).last().unwrap()["counted"], "reported");
    }
}

#[tokio::test]
async fn a_translated_answer_is_mended_too() {
    let safe = Provider::start(Script::saying("no JSON")).await.unwrap();
    let weak = Provider::start(Script::saying(NEARLY[1])).await.unwrap();
    let setup = Setup::new();
    setup.speaker("weak", &weak.base_url(), "anthropic_messages", "");
    setup.provider("safe", &safe.base_url());
    setup.table(
        "version: test\ndefault_model: safe/safe-a\n\
         defaults: { check: { mode: enforce, json: true, repair: true } }\n\
         tasks:\n  work: { primary: weak/m, fallbacks: [safe/safe-a] }\n",
    );
    let served = setup.serve();
    for stream in [false, true] {
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!(got.header("x-pointsman-model"), Some("weak/m"), "{}", got.text());
        let out: Value = serde_json::from_str(&text(&got, stream)).unwrap();
        assert_eq!(out, json!({"age": 92}));
        if stream {
            let heard = Client::Chat.heard_streamed(got.text());
            assert_eq!((heard.ends, heard.errors), (1, 0), "{}", got.text());
        }
    }
}

/// A model that says apart from text that it will not answer.
fn refusal(stream: bool) -> Script {
    let said = "That is not for me to say.";
    let (id, model) = ("chatcmpl-1", "weak-a");
    if !stream {
        let body = json!({"id": id, "object": "chat.completion", "created": 1, "model": model,
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": null, "refusal": said}}]});
        return canned::answers("application/json", body.to_string());
    }
    let chunk = |delta: Value, finish: Value| {
        canned::data(&json!({"id": id, "object": "chat.completion.chunk", "created": 1,
            "model": model, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
    };
    let frames = [
        chunk(json!({"role": "assistant", "content": null}), Value::Null),
        chunk(json!({"refusal": said}), Value::Null),
        chunk(json!({}), json!("stop")),
        b"data: [DONE]\n\n".to_vec(),
    ];
    canned::answers("text/event-stream", frames.concat())
}

#[tokio::test]
async fn a_refusal_falls_back_and_where_nobody_answers_it_is_the_answer() {
    for (stream, commit) in [(false, "first_token"), (true, "prefix"), (true, "checked")] {
        let (setup, weak, safe) =
            pair(Answer::text(""), &format!("commit: {commit}, retries: 0")).await;
        weak.set(refusal(stream));
        let served = setup.serve();
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!(text(&got, stream), "safe words", "{commit}: {}", got.text());
        let decision = served.decision(&got).await;
        assert_eq!(decision["attempts"][0]["failure"]["code"], "model_refusal", "{decision:#}");

        safe.set(Script::of(Answer::text("").failing(testkit::Fault::status(500))));
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!(got.status, 200, "{commit}: {}", got.text());
        assert!(got.text().contains("not for me to say"), "{commit}: {}", got.text());
        assert_eq!(got.header("x-pointsman-model"), Some("weak/weak-a"), "whose words they are");
        let decision = served.decision(&got).await;
        assert_eq!(decision["answered_by"], "weak/weak-a", "{decision:#}");

        let alone = served.chat(&ask("weak/weak-a", stream, "hi")).await;
        assert_eq!(alone.status, 200, "{commit}: {}", alone.text());
        assert!(alone.text().contains("not for me to say"), "{}", alone.text());
        assert_eq!(rows(&setup).len(), 5, "every attempt once");
    }
}
