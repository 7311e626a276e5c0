//! Signatures and encrypted thoughts: sealed for a client of another dialect, which sends them back
//! unread, and opened again for the provider that made them.

use serde_json::{Value, json};
use testkit::Provider;

use crate::canned;
use crate::clients::{CLIENTS, Client};
use crate::support::Setup;

async fn speaker(setup: &Setup, id: &str, dialect: &str) -> Provider {
    let provider = Provider::start(canned::script(dialect, false)).await.unwrap();
    setup.speaker(id, &provider.base_url(), dialect, "");
    provider
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
    for client in CLIENTS {
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

/// Returns the canned stream of a dialect with something that only its provider can read.
fn sealed_stream(dialect: &str) -> String {
    let frames = canned::frames(dialect);
    let text = String::from_utf8(frames.concat()).unwrap();
    match dialect {
        "gemini" => {
            let signed = format!("\"thoughtSignature\":\"{SEALED}\",\"functionCall\":");
            text.replace("\"functionCall\":", &signed)
        }
        "anthropic_messages" => {
            let delta =
                |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
            let thoughts = [
                json!({"type": "content_block_start", "index": 0,
                    "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
                delta(json!({"type": "thinking_delta", "thinking": "Hm."})),
                delta(json!({"type": "signature_delta", "signature": SEALED})),
                json!({"type": "content_block_stop", "index": 0}),
            ];
            let rest =
                text.replace("\"index\":1", "\"index\":2").replace("\"index\":0", "\"index\":1");
            let (start, rest) = rest.split_at(frames[0].len());
            let thoughts: Vec<u8> = thoughts.iter().flat_map(canned::named).collect();
            format!("{start}{}{rest}", String::from_utf8(thoughts).unwrap())
        }
        other => panic!("{other} seals nothing"),
    }
}

/// Folds a stream into the whole answer that a client of the dialect makes of it.
fn folded(client: Client, stream: &str) -> Value {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let data = data.filter(|data| *data != "[DONE]");
    let events: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
    match client {
        Client::Chat => folded_chat(&events),
        Client::Responses => {
            let end = events.iter().find(|event| event["type"] == "response.completed");
            end.unwrap()["response"].clone()
        }
        Client::Anthropic => folded_anthropic(&events),
        Client::Gemini => {
            let parts = events.iter().flat_map(|event| {
                event["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default()
            });
            let content = json!({"role": "model", "parts": parts.collect::<Vec<_>>()});
            json!({"candidates": [{"content": content}]})
        }
    }
}

fn folded_chat(events: &[Value]) -> Value {
    let mut message = json!({"role": "assistant", "content": "", "tool_calls": []});
    let mut details: Vec<Value> = Vec::new();
    for event in events {
        let delta = &event["choices"][0]["delta"];
        join(&mut message["content"], &delta["content"]);
        details.extend(delta["reasoning_details"].as_array().cloned().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let calls = message["tool_calls"].as_array_mut().unwrap();
            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if calls.len() == at {
                calls.push(json!({"function": {}}));
            }
            for (name, value) in call.as_object().unwrap() {
                match name.as_str() {
                    "index" => {}
                    "function" => {
                        for name in ["name", "arguments"] {
                            join(&mut calls[at]["function"][name], &value[name]);
                        }
                    }
                    _ => calls[at][name] = value.clone(),
                }
            }
        }
    }
    if !details.is_empty() {
        message["reasoning_details"] = details.into();
    }
    json!({"choices": [{"message": message}]})
}

fn folded_anthropic(events: &[Value]) -> Value {
    let mut blocks: Vec<Value> = Vec::new();
    for event in events {
        if event["type"] == "content_block_start" {
            blocks.push(event["content_block"].clone());
        }
        let Some(block) = blocks.last_mut() else { continue };
        let delta = &event["delta"];
        for name in ["text", "thinking", "signature"] {
            join(&mut block[name], &delta[name]);
        }
        if let Some(piece) = delta["partial_json"].as_str() {
            let known = block["input"].as_str().unwrap_or_default().to_owned();
            block["input"] = json!(known + piece);
        }
        if event["type"] == "content_block_stop" && block["type"] == "tool_use" {
            let text = block["input"].as_str().unwrap_or("{}").to_owned();
            block["input"] = serde_json::from_str(&text).unwrap();
        }
    }
    for block in &mut blocks {
        block.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    json!({"content": blocks})
}

fn join(known: &mut Value, piece: &Value) {
    if let Some(piece) = piece.as_str() {
        *known = json!(known.as_str().unwrap_or_default().to_owned() + piece);
    }
}

#[tokio::test]
async fn what_a_provider_sealed_in_a_stream_comes_home_through_every_client() {
    let setup = Setup::new();
    let mut providers = Vec::new();
    for dialect in ["gemini", "anthropic_messages"] {
        providers.push((dialect, speaker(&setup, &canned::id(dialect), dialect).await));
    }
    let served = setup.serve();
    for client in CLIENTS {
        for (dialect, provider) in &providers {
            provider.set(canned::answers("text/event-stream", sealed_stream(dialect)));
            let model = format!("{}/m", canned::id(dialect));
            let question = client.question(&model, true);
            let got = client.ask(&served, &model, true, &question).await;
            let at = format!("{client:?} and {dialect}: {}", got.text());
            assert_eq!(got.status, 200, "{at}");
            let next = next(client, &question, &folded(client, got.text()));
            let got = client.ask(&served, &model, true, &next).await;
            assert_eq!(got.status, 200, "{at}\n{next:#}\n{}", got.text());
            let sent = String::from_utf8(provider.seen().pop().unwrap().body.to_vec()).unwrap();
            assert_eq!(got.header("x-pointsman-loss"), None, "{at}\n{sent}");
            assert!(sent.contains(SEALED) && !sent.contains("pm1."), "{at}\n{sent}");
            assert!(sent.contains("there"), "{at}\n{sent}");
        }
    }
}
