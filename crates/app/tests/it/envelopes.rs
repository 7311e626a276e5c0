//! Providers' errors, in the client's own envelope and with the status and words of its dialect.

use serde_json::{Value, json};
use testkit::Script;

use crate::canned::{self, DIALECTS, id};
use crate::clients::{CLIENTS, Client};
use crate::dialects::every_dialect;
use crate::support::{Served, rows};

/// Returns how a provider of a dialect says that it is asked too often.
fn throttled(dialect: &str) -> Value {
    let message = "Slow down, traveller.";
    match dialect {
        "openai_chat" | "openai_responses" => {
            json!({"error": {"message": message, "type": "requests", "param": null,
                "code": "rate_limit_exceeded"}})
        }
        "anthropic_messages" => {
            json!({"type": "error", "error": {"type": "rate_limit_error", "message": message}})
        }
        "gemini" => {
            json!({"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED"}})
        }
        "bedrock_converse" | "cohere_v2" => json!({"message": message}),
        "ollama" => json!({"error": message}),
        other => panic!("no dialect {other}"),
    }
}

/// A table under which nothing is tried twice.
const ONCE: &str =
    "version: once\ndefault_model: speaks-gemini/m\ndefaults: { retries: 0 }\ntasks: {}\n";

fn throttle_word(client: Client) -> &'static str {
    match client {
        Client::Chat | Client::Responses => "rate_limit_exceeded",
        Client::Anthropic => "rate_limit_error",
        Client::Gemini => "RESOURCE_EXHAUSTED",
    }
}

async fn check_throttled(served: &Served, client: Client, dialect: &str) {
    let model = format!("{}/m", id(dialect));
    for stream in [false, true] {
        let got = client.ask(served, &model, stream, &client.question(&model, stream)).await;
        let at = format!("{client:?} to {dialect}: {}", got.text());
        assert_eq!(got.status, 429, "{at}");
        assert_eq!(got.header("content-type"), Some("application/json"), "{at}");
        assert_eq!(got.header("x-should-retry"), Some("true"), "{at}");
        let (message, word) = client.error(&got.json());
        assert_eq!(message, "Slow down, traveller.", "{at}");
        assert_eq!(word, throttle_word(client), "{at}");
    }
}

#[tokio::test]
async fn an_error_comes_in_the_clients_envelope() {
    let (setup, providers) = every_dialect().await;
    setup.table(ONCE);
    let served = setup.serve();
    for (dialect, provider) in &providers {
        let body = throttled(dialect).to_string();
        provider.set(Script::of(canned::raw(429, "application/json", body)));
        for client in CLIENTS {
            check_throttled(&served, client, dialect).await;
        }
    }
    let rows = rows(&setup);
    assert_eq!(rows.len(), DIALECTS.len() * CLIENTS.len() * 2, "every attempt once");
    assert!(rows.iter().all(|row| row["failure"] == "rate_limit_exceeded"));
}

/// How a provider of OpenAI's dialect fails, and what that is to the clients: their status, and the
/// words of OpenAI's dialects, Anthropic's and Google's.
const FAILURES: [(u16, &str, u16, [&str; 3]); 6] = [
    (
        400,
        r#"{"message":"Bad field.","type":"invalid_request_error","param":"top_p","code":null}"#,
        400,
        ["invalid_request", "invalid_request_error", "INVALID_ARGUMENT"],
    ),
    (
        400,
        r#"{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}"#,
        400,
        ["context_length_exceeded", "invalid_request_error", "INVALID_ARGUMENT"],
    ),
    (
        401,
        r#"{"message":"Incorrect API key provided.","code":"invalid_api_key"}"#,
        502,
        ["provider_authentication_failed", "api_error", "UNAVAILABLE"],
    ),
    (
        429,
        r#"{"message":"You exceeded your current quota.","code":"insufficient_quota"}"#,
        402,
        ["insufficient_quota", "billing_error", "RESOURCE_EXHAUSTED"],
    ),
    (
        500,
        r#"{"message":"Oops.","type":"server_error"}"#,
        502,
        ["provider_error", "api_error", "UNAVAILABLE"],
    ),
    (
        529,
        r#"{"message":"Overloaded","type":"overloaded_error"}"#,
        503,
        ["provider_overloaded", "overloaded_error", "UNAVAILABLE"],
    ),
];

#[tokio::test]
async fn each_failure_has_its_status_and_its_word_in_every_dialect() {
    let (setup, providers) = every_dialect().await;
    let (dialect, provider) = &providers[0];
    let model = format!("{}/m", id(dialect));
    for (status, error, told, words) in FAILURES {
        // A credential that was refused would rest for the next failure.
        let served = setup.serve();
        let body = format!("{{\"error\":{error}}}");
        provider.set(Script::of(canned::raw(status, "application/json", body)));
        for (client, word) in CLIENTS.into_iter().zip([words[0], words[0], words[1], words[2]]) {
            let got = client.ask(&served, &model, false, &client.question(&model, false)).await;
            assert_eq!(got.status, told, "{client:?}: {}", got.text());
            assert_eq!(client.error(&got.json()).1, word, "{client:?}: {}", got.text());
        }
    }
}

#[tokio::test]
async fn an_error_under_status_200_is_one_all_the_same() {
    let (setup, providers) = every_dialect().await;
    setup.table(ONCE);
    let served = setup.serve();
    for (dialect, provider) in &providers {
        let body = throttled(dialect).to_string();
        provider.set(canned::answers("application/json", body));
        let model = format!("{}/m", id(dialect));
        for client in CLIENTS {
            for stream in [false, true] {
                let body = client.question(&model, stream);
                let got = client.ask(&served, &model, stream, &body).await;
                assert!(got.status >= 400, "{client:?} to {dialect}: {}", got.text());
                let said = client.error(&got.json()).0;
                assert!(said.contains("Slow down, traveller."), "{client:?} to {dialect}: {said}");
            }
        }
    }
    assert!(rows(&setup).iter().all(|row| row["outcome"] == "failed"));
}
