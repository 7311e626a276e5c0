//! What a request holds that not every provider can honour: an earlier answer, an uploaded file,
//! thoughts that are signed.

use serde_json::{Value, json};
use testkit::{Provider, Script};

use crate::canned;
use crate::clients::Client;
use crate::support::{Served, Setup};

/// Answers with an id of its own, whole or streamed.
fn answering(id: &str, stream: bool) -> Script {
    let dialect = "openai_responses";
    if stream {
        let text = String::from_utf8(canned::frames(dialect).concat()).unwrap();
        return canned::answers("text/event-stream", text.replace("resp_1", id));
    }
    let text = canned::whole(dialect).to_string();
    canned::answers("application/json", text.replace("resp_1", id))
}

async fn speaker(setup: &Setup, id: &str, dialect: &str) -> Provider {
    let provider = Provider::start(canned::script(dialect, false)).await.unwrap();
    setup.speaker(id, &provider.base_url(), dialect, "");
    provider
}

async fn go_on(served: &Served, model: &str, from: &str) -> crate::support::Got {
    let mut body = Client::Responses.saying(model, "and then?");
    body["previous_response_id"] = json!(from);
    Client::Responses.ask(served, model, false, &body).await
}

#[tokio::test]
async fn an_answer_is_gone_on_from_where_it_was_made() {
    let setup = Setup::new();
    let one = speaker(&setup, "one", "openai_responses").await;
    let two = speaker(&setup, "two", "openai_responses").await;
    setup.table("version: t\ndefault_model: one/m\ntasks: {}\n");
    let served = setup.serve();
    for stream in [false, true] {
        let made = format!("resp_two_{stream}");
        two.set(answering(&made, stream));
        let mut body = Client::Responses.saying("two/m", "Once upon a time");
        body["stream"] = json!(stream);
        let got = Client::Responses.ask(&served, "two/m", stream, &body).await;
        assert_eq!(got.status, 200, "{}", got.text());

        two.set(answering("resp_next", false));
        let got = go_on(&served, "auto", &made).await;
        assert_eq!(got.header("x-pointsman-model"), Some("two/m"), "{}", got.text());
        let decision = served.decision(&got).await;
        let pinned = decision["pinned"][0].as_str().unwrap();
        assert!(pinned.contains("previous_response_id") && pinned.contains("two/m"), "{pinned}");
        let sent = two.seen().pop().unwrap().json().unwrap();
        assert_eq!(sent["previous_response_id"], made.as_str());

        let got = go_on(&served, "one/m", &made).await;
        assert_eq!((got.status, got.code()), (400, "pinned_elsewhere".to_owned()));
        assert!(got.message().contains("two/m"), "{}", got.message());
        assert_eq!(got.json()["error"]["param"], "previous_response_id");
    }
    assert_eq!(one.asked(), 0);
}

#[tokio::test]
async fn an_answer_of_a_provider_that_is_gone_is_not_gone_on_from_elsewhere() {
    let setup = Setup::new();
    let one = speaker(&setup, "one", "openai_responses").await;
    let two = speaker(&setup, "two", "openai_responses").await;
    setup.table("version: t\ndefault_model: one/m\ntasks: {}\n");
    two.set(answering("resp_two", false));
    let served = setup.serve();
    let body = Client::Responses.saying("two/m", "Once upon a time");
    assert_eq!(Client::Responses.ask(&served, "two/m", false, &body).await.status, 200);
    drop(served);
    std::fs::remove_file(setup.path("providers/two.yaml")).unwrap();
    let served = setup.serve();
    let got = go_on(&served, "auto", "resp_two").await;
    assert_eq!((got.status, got.code()), (400, "pinned_elsewhere".to_owned()));
    assert!(got.message().contains("two/m"), "{}", got.message());
    assert_eq!(one.asked(), 0);
}

#[tokio::test]
async fn an_answer_nobody_here_made_needs_a_provider_of_the_dialect() {
    let setup = Setup::new();
    let speaks = speaker(&setup, "one", "openai_responses").await;
    let other = speaker(&setup, "two", "openai_chat").await;
    let served = setup.serve();
    assert_eq!(go_on(&served, "one/m", "resp_unknown").await.status, 200);
    let got = go_on(&served, "two/m", "resp_unknown").await;
    assert_eq!((got.status, got.code()), (400, "pinned_elsewhere".to_owned()));
    assert_eq!((speaks.asked(), other.asked()), (1, 0));
}

#[tokio::test]
async fn an_uploaded_file_is_only_known_in_its_dialect() {
    let setup = Setup::new();
    let other = speaker(&setup, "other", "cohere_v2").await;
    let table = "version: t\ndefault_model: other/m\ntasks:\n  \
                 work: { primary: other/m, fallbacks: [chat/m, answers/m, claude/m, google/m] }\n";
    setup.table(table);
    let mut homes = Vec::new();
    for (id, client) in [
        ("chat", Client::Chat),
        ("answers", Client::Responses),
        ("claude", Client::Anthropic),
        ("google", Client::Gemini),
    ] {
        homes.push((id, client, speaker(&setup, id, client.dialect()).await));
    }
    let served = setup.serve();
    for (id, client, home) in &homes {
        let turns = match client {
            Client::Chat => json!([{"role": "user", "content":
                [{"type": "file", "file": {"file_id": "file_1"}}]}]),
            Client::Responses => json!([{"role": "user", "content":
                [{"type": "input_file", "file_id": "file_1"}]}]),
            Client::Anthropic => json!([{"role": "user", "content":
                [{"type": "document", "source": {"type": "file", "file_id": "file_1"}}]}]),
            Client::Gemini => json!([{"role": "user", "parts":
                [{"fileData": {"mimeType": "text/plain", "fileUri": "https://files.example/1"}}]}]),
        };
        let got = client.ask(&served, "task/work", false, &client.turns("task/work", &turns)).await;
        let target = format!("{id}/m");
        assert_eq!(got.header("x-pointsman-model"), Some(target.as_str()), "{}", got.text());
        assert_eq!(home.asked(), 1);
        let got = client.ask(&served, "other/m", false, &client.turns("other/m", &turns)).await;
        assert_eq!(got.status, 400, "{}", got.text());
        let said = client.error(&got.json()).0;
        assert!(said.contains("`file_id`") && said.contains("other/m"), "{said}");
    }
    assert_eq!(other.asked(), 0);
}

/// Returns a conversation in which the model thought, and its thoughts are signed.
fn thoughtful(model: &str, signature: &str) -> Value {
    let turns = json!([
        {"role": "user", "content": "Where is Lyon?"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "A map would help.", "signature": signature},
            {"type": "text", "text": "In France."}]},
        {"role": "user", "content": "And Turin?"},
    ]);
    Client::Anthropic.turns(model, &turns)
}

#[tokio::test]
async fn signed_thoughts_prefer_their_dialect_and_go_on_without_it() {
    let setup = Setup::new();
    let chat = speaker(&setup, "chat", "openai_chat").await;
    let claude = speaker(&setup, "claude", "anthropic_messages").await;
    setup.table(
        "version: t\ndefault_model: chat/m\n\
         tasks:\n  work: { primary: chat/m, fallbacks: [claude/m] }\n",
    );
    let served = setup.serve();
    let body = thoughtful("task/work", "EqQBCgIYAhIM").to_string();
    let got = served.post("/v1/messages", body.clone(), &[]).await;
    assert_eq!(got.header("x-pointsman-model"), Some("claude/m"), "{}", got.text());
    let expected = body.replace("task/work", "m");
    assert_eq!(std::str::from_utf8(&claude.seen()[0].body).unwrap(), expected);
    assert!(served.decision(&got).await["pinned"][0].as_str().unwrap().contains("thoughts"));

    let got =
        served.post("/v1/messages", thoughtful("chat/m", "EqQBCgIYAhIM").to_string(), &[]).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(got.header("x-pointsman-loss").is_some(), "what it could not take is told");
    let sent = String::from_utf8(chat.seen()[0].body.to_vec()).unwrap();
    assert!(!sent.contains("EqQBCgIYAhIM") && sent.contains("In France."), "{sent}");
}

#[tokio::test]
async fn a_foreign_signature_travels_through_a_client_and_home_again() {
    let setup = Setup::new();
    let google = speaker(&setup, "google", "gemini").await;
    let claude = speaker(&setup, "claude", "anthropic_messages").await;
    let mut answer = canned::whole("gemini");
    answer["candidates"][0]["content"]["parts"][1]["thoughtSignature"] = json!("c2lnbmVk");
    google.set(canned::answers("application/json", answer.to_string()));
    let served = setup.serve();

    let question = Client::Anthropic.question("google/m", false);
    let got = Client::Anthropic.ask(&served, "google/m", false, &question).await;
    let said = got.json()["content"].clone();
    assert!(said.to_string().contains("\"pm1."), "{said:#}");
    assert!(
        !said.to_string().contains("c2lnbmVk"),
        "sealed, so that nobody takes it for their own"
    );

    let mut next = question.clone();
    let call = said.as_array().unwrap().iter().find(|block| block["type"] == "tool_use").unwrap();
    let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": "there"});
    next["messages"] = json!([question["messages"][0], {"role": "assistant", "content": said},
        {"role": "user", "content": [result]}]);
    let got = Client::Anthropic.ask(&served, "google/m", false, &next).await;
    assert_eq!((got.status, got.header("x-pointsman-loss")), (200, None), "{}", got.text());
    let sent = google.seen().pop().unwrap().json().unwrap();
    let parts = sent["contents"][1]["parts"].as_array().unwrap();
    let call = parts.iter().find(|part| part.get("functionCall").is_some()).unwrap();
    assert_eq!(call["thoughtSignature"], "c2lnbmVk", "{sent:#}");

    next["model"] = json!("claude/m");
    let got = Client::Anthropic.ask(&served, "claude/m", false, &next).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let sent = String::from_utf8(claude.seen()[0].body.to_vec()).unwrap();
    assert!(!sent.contains("pm1.") && !sent.contains("c2lnbmVk"), "{sent}");
    assert!(sent.contains("tool_use") && sent.contains("there"), "{sent}");
}

const SEALED: &str = "c2lnbmVk";

/// Returns the canned answer of a dialect with something that only its provider can read.
fn sealed(dialect: &str) -> Value {
    let mut answer = canned::whole(dialect);
    let first = |list: &mut Value, part: Value| list.as_array_mut().unwrap().insert(0, part);
    match dialect {
        "gemini" => {
            answer["candidates"][0]["content"]["parts"][1]["thoughtSignature"] = json!(SEALED);
        }
        "anthropic_messages" => first(
            &mut answer["content"],
            json!({"type": "thinking", "thinking": "Hm.", "signature": SEALED}),
        ),
        "openai_responses" => first(
            &mut answer["output"],
            json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SEALED}),
        ),
        "bedrock_converse" => first(
            &mut answer["output"]["message"]["content"],
            json!({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": SEALED}}}),
        ),
        other => panic!("{other} seals nothing"),
    }
    answer
}

/// Goes on as a client does: with what it was answered, and the result of the call.
fn next(client: Client, question: &Value, answer: &Value) -> Value {
    let mut next = question.clone();
    let list = |value: &Value| value.as_array().cloned().unwrap();
    match client {
        Client::Chat => {
            let said = &answer["choices"][0]["message"];
            let id = &said["tool_calls"][0]["id"];
            let result = json!({"role": "tool", "tool_call_id": id, "content": "there"});
            next["messages"] = json!([question["messages"][0], said, result]);
        }
        Client::Responses => {
            let said = list(&answer["output"]);
            let call = said.iter().find(|item| item["type"] == "function_call").unwrap();
            let result = json!({"type": "function_call_output", "call_id": call["call_id"],
                "output": "there"});
            let all = list(&question["input"]).into_iter().chain(said.clone()).chain([result]);
            next["input"] = all.collect();
        }
        Client::Anthropic => {
            let said = list(&answer["content"]);
            let call = said.iter().find(|block| block["type"] == "tool_use").unwrap();
            let result =
                json!({"type": "tool_result", "tool_use_id": call["id"], "content": "there"});
            next["messages"] = json!([question["messages"][0],
                {"role": "assistant", "content": said}, {"role": "user", "content": [result]}]);
        }
        Client::Gemini => {
            let said = &answer["candidates"][0]["content"];
            let call =
                list(&said["parts"]).into_iter().find_map(|part| part.get("functionCall").cloned());
            let mut result = json!({"name": "look", "response": {"output": "there"}});
            if let Some(id) = call.unwrap().get("id") {
                result["id"] = id.clone();
            }
            next["contents"] = json!([question["contents"][0], said,
                {"role": "user", "parts": [{"functionResponse": result}]}]);
        }
    }
    next
}

#[tokio::test]
async fn what_a_provider_sealed_comes_home_through_every_client() {
    let setup = Setup::new();
    let dialects = ["gemini", "anthropic_messages", "openai_responses", "bedrock_converse"];
    let mut providers = Vec::new();
    for dialect in dialects {
        let provider = speaker(&setup, &canned::id(dialect), dialect).await;
        provider.set(canned::answers("application/json", sealed(dialect).to_string()));
        providers.push((dialect, provider));
    }
    let served = setup.serve();
    for client in crate::clients::CLIENTS {
        for (dialect, provider) in &providers {
            let model = format!("{}/m", canned::id(dialect));
            let question = client.question(&model, false);
            let got = client.ask(&served, &model, false, &question).await;
            let at = format!("{client:?} and {dialect}: {}", got.text());
            assert_eq!(got.status, 200, "{at}");
            let got =
                client.ask(&served, &model, false, &next(client, &question, &got.json())).await;
            assert_eq!(got.status, 200, "{at}\n{}", got.text());
            let sent = String::from_utf8(provider.seen().pop().unwrap().body.to_vec()).unwrap();
            assert_eq!(got.header("x-pointsman-loss"), None, "{at}\n{sent}");
            assert!(sent.contains(SEALED) && !sent.contains("pm1."), "{at}\n{sent}");
            assert!(sent.contains("there") && sent.contains("Looking."), "{at}\n{sent}");
        }
    }
}
