//! Where an answer begins to go out: until then a failure falls back unseen, after it the failure is
//! told.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Request;
use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script};

use crate::canned;
use crate::clients::Client;
use crate::resilience::pair;
use crate::support::{Setup, ask, client, only_row, rows};

/// A request for an object with an `age` and nothing else.
fn for_age(model: &str) -> Value {
    let mut body = ask(model, true, "how old?");
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "age",
        "strict": true, "schema": {"type": "object", "properties": {"age": {"type": "integer"}},
        "required": ["age"], "additionalProperties": false}}});
    body
}

const PREFIX: &str = "commit: prefix, retries: 0";

/// Checks that a stream of the first target is left before anything of it goes out.
async fn check(weak: Answer, body: &Value, code: &str) {
    let (setup, weak, safe) = pair(weak, PREFIX).await;
    safe.set(Script::saying("{\"age\": 92}"));
    let served = setup.serve();
    let got = served.chat(body).await;
    let heard = Client::Chat.heard_streamed(got.text());
    assert_eq!((got.status, heard.text.as_str()), (200, "{\"age\": 92}"), "{}", got.text());
    assert_eq!((heard.ends, heard.errors, heard.tool.as_str()), (1, 0, ""), "{}", got.text());
    let decision = served.decision(&got).await;
    assert_eq!(decision["attempts"][0]["failure"]["code"], code, "{decision:#}");
    assert_eq!((weak.asked(), safe.asked()), (1, 1));
    assert_eq!(rows(&setup).len(), 2);
}

#[tokio::test]
async fn prose_where_json_is_asked_for_is_left_at_its_first_word() {
    // It never ends: the first word is enough.
    let weak = Answer::text("Certainly! Here is what you").failing(Fault::SilenceAfter(2));
    check(weak, &for_age("task/work"), "answer_rejected").await;
}

#[tokio::test]
async fn an_object_with_a_key_of_its_own_is_left_at_that_key() {
    let weak = Answer::text("{\"years\": 92, \"more\": 1}").failing(Fault::SilenceAfter(2));
    check(weak, &for_age("task/work"), "answer_rejected").await;
}

#[tokio::test]
async fn a_tool_that_nobody_offered_is_left_at_its_name() {
    let weak = Answer::tool_call("delete_all", "{\"path\": \"/\"}");
    let mut body = for_age("task/work");
    body["tools"] = json!([{"type": "function", "function": {"name": "look",
        "parameters": {"type": "object", "properties": {}}}}]);
    check(weak, &body, "answer_rejected").await;
}

#[tokio::test]
async fn a_beginning_that_is_cut_off_before_it_is_valid_falls_back() {
    check(
        Answer::text("   {  \"age\": 92}").failing(Fault::CutAfter(1)),
        &for_age("task/work"),
        "stream_interrupted",
    )
    .await;
}

#[tokio::test]
async fn a_refusal_in_prose_is_left_at_its_first_words() {
    let weak = Answer::text("I'm sorry, but I can't help with that request at all.");
    check(weak, &ask("task/work", true, "hi"), "answer_rejected").await;
}

/// Streams and returns what has come as soon as it holds the words, while the provider still speaks.
async fn until_said(served: &crate::support::Served, body: &Value, words: &str) -> String {
    let request = Request::post(format!("{}/chat/completions", served.base))
        .body(http_body_util::Full::from(body.to_string()))
        .unwrap();
    let mut response = client().request(request).await.unwrap();
    let mut said = String::new();
    while let Some(frame) = response.body_mut().frame().await {
        let data = frame.unwrap().into_data().unwrap_or_default();
        said.push_str(std::str::from_utf8(&data).unwrap());
        if Client::Chat.heard_streamed(&said).text.contains(words) {
            return said;
        }
    }
    panic!("it ended without the words: {said}");
}

#[tokio::test]
async fn a_valid_beginning_goes_out_before_the_rest_is_there() {
    let weak = Answer::text("{\"age\": 92, and words").failing(Fault::SilenceAfter(2));
    let (setup, weak, safe) = pair(weak, PREFIX).await;
    let served = setup.serve();
    until_said(&served, &for_age("task/work"), "\"age\"").await;
    weak.until_hung_up(1).await;
    assert_eq!(only_row(&setup)["outcome"], "cancelled");
    assert_eq!(safe.asked(), 0);
}

#[tokio::test]
async fn a_cut_after_a_valid_beginning_is_told() {
    let weak = Answer::text("{\"age\": 92, and words").failing(Fault::CutAfter(3));
    let (setup, _weak, safe) = pair(weak, PREFIX).await;
    let served = setup.serve();
    let got = served.chat(&for_age("task/work")).await;
    let heard = Client::Chat.heard_streamed(got.text());
    assert!(heard.text.starts_with("{\"age\""), "{}", got.text());
    assert_eq!((heard.ends, heard.errors), (0, 1), "{}", got.text());
    assert!(got.text().contains("stream_interrupted"), "{}", got.text());
    assert_eq!(safe.asked(), 0, "what has gone out is not begun again");
}

/// A provider of another dialect, which is told of a schema by a tool; `safe` stands behind it.
async fn translated(script: Script, limits: &str) -> (Setup, Provider, Provider) {
    let weak = Provider::start(script).await.unwrap();
    let safe = Provider::start(Script::saying("{\"age\": 1}")).await.unwrap();
    let setup = Setup::new();
    setup.speaker("weak", &weak.base_url(), "anthropic_messages", "quirks: { schema: tool }");
    setup.provider("safe", &safe.base_url());
    setup.table(&format!(
        "version: test\ndefault_model: safe/safe-a\ndefaults: {{ {limits} }}\n\
         tasks:\n  work: {{ primary: weak/m, fallbacks: [safe/safe-a] }}\n"
    ));
    (setup, weak, safe)
}

const ENFORCED: &str = "check: { mode: enforce, json: true, tools: true }, retries: 0";
const MENDED: &str = "check: { mode: enforce, json: true, repair: true }, retries: 0";

/// Checks that a tool which stands for the schema is the answer, and no call.
async fn check_schema_by_tool(limits: &str, stream: bool) {
    let script = Script::of(Answer::tool_call("give_answer", "{\"age\": 92}"));
    let (setup, _weak, safe) = translated(script, limits).await;
    let served = setup.serve();
    let mut body = for_age("task/work");
    body["stream"] = json!(stream);
    let got = served.chat(&body).await;
    let heard = match stream {
        true => Client::Chat.heard_streamed(got.text()),
        false => Client::Chat.heard(&got.json()),
    };
    assert_eq!(got.header("x-pointsman-model"), Some("weak/m"), "{limits}: {}", got.text());
    let said: Value = serde_json::from_str(&heard.text).unwrap();
    assert_eq!((said, heard.tool.as_str()), (json!({"age": 92}), ""), "{}", got.text());
    assert_eq!(safe.asked(), 0);
}

#[tokio::test]
async fn a_tool_that_stands_for_the_schema_is_an_answer_that_passes() {
    check_schema_by_tool(ENFORCED, false).await;
    check_schema_by_tool(MENDED, false).await;
}

#[tokio::test]
async fn a_streamed_tool_that_stands_for_the_schema_is_an_answer_that_passes() {
    check_schema_by_tool(ENFORCED, true).await;
    check_schema_by_tool(MENDED, true).await;
}

#[tokio::test]
async fn a_streamed_tool_that_stands_for_the_schema_is_a_valid_beginning() {
    check_schema_by_tool(PREFIX, true).await;
}

/// Checks that a call of a tool whose name the provider's dialect does not take is one of it.
async fn check_renamed(limits: &str, stream: bool) {
    let (setup, weak, safe) = translated(Script::saying("not yet"), limits).await;
    let served = setup.serve();
    let mut body = ask("task/work", stream, "hi");
    body["tools"] = json!([{"type": "function", "function": {"name": "files.look",
        "parameters": {"type": "object", "properties": {}}}}]);
    served.chat(&body).await;
    let sent = weak.seen().pop().unwrap().json().unwrap();
    let name = sent["tools"][0]["name"].as_str().unwrap().to_owned();
    assert_ne!(name, "files.look");
    safe.clear();
    weak.set(Script::of(Answer::tool_call(&name, "{}")));
    let got = served.chat(&body).await;
    let heard = match stream {
        true => Client::Chat.heard_streamed(got.text()),
        false => Client::Chat.heard(&got.json()),
    };
    assert_eq!(got.header("x-pointsman-model"), Some("weak/m"), "{limits}: {}", got.text());
    assert_eq!(heard.tool, "files.look", "{}", got.text());
    assert_eq!(safe.asked(), 0);
}

#[tokio::test]
async fn a_tool_by_another_name_passes() {
    check_renamed(ENFORCED, false).await;
}

#[tokio::test]
async fn a_streamed_tool_by_another_name_passes() {
    check_renamed(ENFORCED, true).await;
}

#[tokio::test]
async fn a_streamed_tool_by_another_name_is_a_valid_beginning() {
    check_renamed(PREFIX, true).await;
}

/// A stream that thinks aloud, and then says this.
fn thoughtful(said: &str) -> Script {
    let chunk = |delta: Value, finish: &Value| {
        canned::data(&json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "weak-a", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
    };
    let none = Value::Null;
    let mut frames = vec![
        chunk(json!({"role": "assistant", "content": ""}), &none),
        chunk(json!({"reasoning_content": "Let me see."}), &none),
    ];
    if !said.is_empty() {
        frames.push(chunk(json!({"content": said}), &none));
    }
    frames.push(chunk(json!({}), &json!("stop")));
    frames.push(b"data: [DONE]\n\n".to_vec());
    canned::answers("text/event-stream", frames.concat())
}

#[tokio::test]
async fn thoughts_without_an_answer_fall_back_until_they_have_gone_out() {
    for commit in ["prefix", "checked"] {
        let (setup, weak, _safe) =
            pair(Answer::text(""), &format!("commit: {commit}, retries: 0")).await;
        weak.set(thoughtful(""));
        let served = setup.serve();
        let got = served.chat(&ask("task/work", true, "hi")).await;
        let heard = Client::Chat.heard_streamed(got.text());
        assert_eq!(heard.text, "safe words", "{commit}: {}", got.text());
        assert!(!got.text().contains("Let me see"), "{commit}: {}", got.text());
        let decision = served.decision(&got).await;
        assert_eq!(decision["attempts"][0]["failure"]["code"], "empty_answer", "{decision:#}");
    }
    let (setup, weak, safe) = pair(Answer::text(""), "retries: 0").await;
    let slowly = Fault::SlowChunks(Duration::from_millis(50));
    weak.set(Script::of(thoughtful("").default.failing(slowly)));
    let served = setup.serve();
    let got = served.chat(&ask("task/work", true, "hi")).await;
    let heard = Client::Chat.heard_streamed(got.text());
    assert_eq!((heard.ends, heard.errors), (0, 1), "{}", got.text());
    assert!(
        got.text().contains("Let me see") && got.text().contains("empty_answer"),
        "{}",
        got.text()
    );
    assert_eq!(safe.asked(), 0);
}

#[tokio::test]
async fn thoughts_that_come_before_the_answer_are_no_beginning_of_it() {
    let (setup, weak, safe) = pair(Answer::text(""), PREFIX).await;
    safe.set(Script::saying("{\"age\": 92}"));
    weak.set(thoughtful("It is ninety-two."));
    let served = setup.serve();
    let got = served.chat(&for_age("task/work")).await;
    let heard = Client::Chat.heard_streamed(got.text());
    assert_eq!(heard.text, "{\"age\": 92}", "{}", got.text());
    assert!(!got.text().contains("Let me see"), "{}", got.text());
    weak.set(thoughtful("{\"age\": 91}"));
    let got = served.chat(&for_age("task/work")).await;
    assert_eq!(Client::Chat.heard_streamed(got.text()).text, "{\"age\": 91}", "{}", got.text());
    assert!(got.text().contains("Let me see"), "its thoughts go with it: {}", got.text());
}

#[tokio::test]
async fn an_error_in_a_200_falls_back_until_something_has_gone_out() {
    let fault = |after| Answer::text("some words come here").failing(Fault::ErrorAfter(after));
    for (after, commit, falls_back) in
        [(0, "first_token", true), (2, "checked", true), (2, "first_token", false)]
    {
        let (setup, weak, _safe) =
            pair(fault(after), &format!("commit: {commit}, retries: 0")).await;
        let served = setup.serve();
        let got = served.chat(&ask("task/work", true, "hi")).await;
        let heard = Client::Chat.heard_streamed(got.text());
        assert_eq!(heard.text == "safe words", falls_back, "{after} {commit}: {}", got.text());
        let ends = if falls_back { (1, 0) } else { (0, 1) };
        assert_eq!((heard.ends, heard.errors), ends, "{after} {commit}: {}", got.text());
        assert_eq!(got.text().contains("\"fault\":\"provider\""), !falls_back, "{}", got.text());
        assert_eq!(weak.asked(), 1);
    }
}
