//! What a model cannot do is said before anything is sent; so is what no provider would take.

use serde_json::{Value, json};
use testkit::{Answer, Provider, Script};

use crate::canned::{self, DIALECTS, id};
use crate::clients::{CLIENTS, Client};
use crate::support::{Setup, rows};

const MODELS: &str = "models:
  - { id: plain, can: [json] }
  - { id: tooled, can: [tools] }
  - { id: seeing, can: [images, tools] }
  - { id: small, context: 1000 }
  - { id: unknown }";

async fn ready() -> (Setup, Provider) {
    let provider = Provider::start(Script::of(Answer::text("hi"))).await.unwrap();
    let setup = Setup::new();
    setup.speaker("p", &provider.base_url(), "openai_chat", MODELS);
    (setup, provider)
}

/// Returns a request that shows a picture; Google's clients spell it in two ways.
fn picture(client: Client, model: &str, base64: &str) -> Vec<Value> {
    let url = format!("data:image/png;base64,{base64}");
    let turns = match client {
        Client::Chat => vec![json!([{"role": "user",
            "content": [{"type": "image_url", "image_url": {"url": url}}]}])],
        Client::Responses => vec![json!([{"role": "user",
            "content": [{"type": "input_image", "image_url": url, "detail": "auto"}]}])],
        Client::Anthropic => vec![json!([{"role": "user", "content": [{"type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": base64}}]}])],
        Client::Gemini => vec![
            json!([{"role": "user", "parts":
                [{"inlineData": {"mimeType": "image/png", "data": base64}}]}]),
            json!([{"role": "user", "parts":
                [{"inline_data": {"mime_type": "image/png", "data": base64}}]}]),
        ],
    };
    turns.iter().map(|turns| client.turns(model, turns)).collect()
}

#[tokio::test]
async fn pictures_do_not_go_to_models_without_eyes() {
    let (setup, provider) = ready().await;
    let served = setup.serve();
    for client in CLIENTS {
        for model in ["p/plain", "p/tooled"] {
            for body in picture(client, model, "iVBORw0KGgo=") {
                let got = client.ask(&served, model, false, &body).await;
                assert_eq!(got.status, 400, "{client:?}: {}", got.text());
                let said = client.error(&got.json()).0;
                assert!(said.contains(&format!("{model} does not look at pictures")), "{said}");
            }
        }
    }
    assert_eq!(provider.asked(), 0);
    assert!(rows(&setup).is_empty());
    for model in ["p/seeing", "p/unknown"] {
        for body in picture(Client::Gemini, model, "iVBORw0KGgo=") {
            let got = Client::Gemini.ask(&served, model, false, &body).await;
            assert_eq!(got.status, 200, "{}", got.text());
        }
    }
}

#[tokio::test]
async fn tools_do_not_go_to_models_without_hands() {
    let (setup, provider) = ready().await;
    let served = setup.serve();
    for client in CLIENTS {
        let body = client.question("p/plain", false);
        let got = client.ask(&served, "p/plain", false, &body).await;
        assert_eq!(got.status, 400, "{client:?}: {}", got.text());
        let said = client.error(&got.json()).0;
        assert!(said.contains("p/plain does not call tools"), "{said}");
    }
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn null_is_no_tool_and_no_stream() {
    let (setup, provider) = ready().await;
    setup.speaker("other", &provider.base_url(), "ollama", MODELS);
    let served = setup.serve();
    for client in [Client::Chat, Client::Responses, Client::Anthropic] {
        for tools in [json!(null), json!([])] {
            provider.set(canned::script("openai_chat", false));
            let mut body = client.saying("p/plain", "hi");
            body["tools"] = tools;
            body["stream"] = json!(null);
            let got = client.ask(&served, "p/plain", false, &body).await;
            assert_eq!(got.status, 200, "{client:?}: {}", got.text());
            provider.set(canned::script("ollama", false));
            body["model"] = json!("other/plain");
            let got = client.ask(&served, "other/plain", false, &body).await;
            assert_eq!(got.status, 200, "{client:?}: {}", got.text());
            assert_eq!(client.heard(&got.json()).text, "Looking.");
        }
    }
}

#[tokio::test]
async fn a_conversation_that_is_surely_too_long_is_not_sent() {
    let (setup, provider) = ready().await;
    let served = setup.serve();
    for client in CLIENTS {
        let body = client.saying("p/small", &"long ago ".repeat(20_000));
        let got = client.ask(&served, "p/small", false, &body).await;
        assert_eq!(got.status, 400, "{client:?}: {}", got.text());
        let said = client.error(&got.json()).0;
        assert!(said.contains("p/small has too small a window"), "{said}");
    }
    assert_eq!(provider.asked(), 0);
    let body = Client::Chat.saying("p/small", &"long ago ".repeat(1_000));
    assert_eq!(served.chat(&body).await.status, 200, "what may fit is the provider's to judge");
}

#[tokio::test]
async fn a_task_goes_to_the_model_that_can() {
    let (setup, provider) = ready().await;
    setup.table(
        "version: t\ndefault_model: p/plain\n\
         tasks:\n  work: { primary: p/plain, fallbacks: [p/tooled, p/seeing] }\n",
    );
    let served = setup.serve();
    let body = &picture(Client::Chat, "task/work", "iVBORw0KGgo=")[0];
    let got = served.chat(body).await;
    assert_eq!(got.header("x-pointsman-model"), Some("p/seeing"), "{}", got.text());
    assert_eq!(got.header("x-pointsman-attempts"), Some("1"));
    let skipped = served.decision(&got).await["skipped"].clone();
    assert_eq!(skipped[0]["why"], "does not look at pictures", "{skipped:#}");
    let got = served.chat(&Client::Chat.question("task/work", false)).await;
    assert_eq!(got.header("x-pointsman-model"), Some("p/tooled"));
    assert_eq!(provider.asked(), 2);
}

/// Returns turns that hold the result of a call that nobody made.
fn orphan(client: Client) -> Value {
    match client {
        Client::Chat => json!([{"role": "user", "content": "hi"},
            {"role": "tool", "tool_call_id": "call_9", "content": "x"}]),
        Client::Responses => json!([{"role": "user", "content": "hi"},
            {"type": "function_call_output", "call_id": "call_9", "output": "x"}]),
        Client::Anthropic => json!([{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "call_9", "content": "x"}]}]),
        Client::Gemini => json!([{"role": "user", "parts": [
            {"functionResponse": {"id": "call_9", "name": "look", "response": {"x": 1}}}]}]),
    }
}

/// Returns turns that hold two calls of one id.
fn twins(client: Client) -> Value {
    match client {
        Client::Chat => {
            let call = json!({"id": "call_9", "type": "function",
                "function": {"name": "look", "arguments": "{}"}});
            json!([{"role": "user", "content": "hi"},
                {"role": "assistant", "tool_calls": [call, call]}])
        }
        Client::Responses => {
            let call = json!({"type": "function_call", "call_id": "call_9", "name": "look",
                "arguments": "{}"});
            json!([{"role": "user", "content": "hi"}, call, call])
        }
        Client::Anthropic => {
            let call = json!({"type": "tool_use", "id": "call_9", "name": "look", "input": {}});
            json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": [call, call]}])
        }
        Client::Gemini => {
            let call = json!({"functionCall": {"id": "call_9", "name": "look", "args": {}}});
            json!([{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [call, call]}])
        }
    }
}

#[tokio::test]
async fn what_every_provider_would_refuse_is_told_with_its_place_and_not_sent() {
    let provider = Provider::start(Script::of(Answer::text("hi"))).await.unwrap();
    let setup = Setup::new();
    for dialect in DIALECTS {
        setup.speaker(&id(dialect), &provider.base_url(), dialect, "");
    }
    let served = setup.serve();
    for client in CLIENTS {
        let other = if client == Client::Anthropic { "ollama" } else { "anthropic_messages" };
        let model = format!("{}/m", id(other));
        let bad = picture(client, &model, "not base64!").remove(0);
        for (body, told, at) in [
            (client.turns(&model, &orphan(client)), "call_9", "turns["),
            (client.turns(&model, &twins(client)), "call_9", ".parts[1]"),
            (bad, "base64", "turns[0].parts[0]"),
        ] {
            for stream in [false, true] {
                let mut body = body.clone();
                if client != Client::Gemini {
                    body["stream"] = json!(stream);
                }
                let got = client.ask(&served, &model, stream, &body).await;
                assert_eq!(got.status, 400, "{client:?}: {}", got.text());
                let said = client.error(&got.json()).0;
                assert!(said.contains(told) && said.contains(at), "{client:?}: {said}");
            }
        }
    }
    assert_eq!(provider.asked(), 0);
    assert!(rows(&setup).iter().all(|row| row["input_tokens"].is_null()), "nothing was used");
}

#[tokio::test]
async fn the_verbatim_lane_leaves_the_judgement_to_the_provider() {
    let provider = Provider::start(Script::of(Answer::text("hi"))).await.unwrap();
    let setup = Setup::new();
    for client in CLIENTS {
        setup.speaker(&id(client.dialect()), &provider.base_url(), client.dialect(), "");
    }
    let served = setup.serve();
    for client in CLIENTS {
        provider.set(canned::script(client.dialect(), false));
        let model = format!("{}/m", id(client.dialect()));
        let body = client.turns(&model, &orphan(client));
        assert_eq!(client.ask(&served, &model, false, &body).await.status, 200);
    }
}
