//! What clients do to paths, and what they find there: every dialect's own shapes, also of errors
//! that come before anything is known of the request.

use bytes::Bytes;
use serde_json::{Value, json};
use testkit::{Answer, Provider, Script};

use crate::canned;
use crate::clients::{CLIENTS, Client};
use crate::support::{Setup, rows};

async fn ready(dialect: &str) -> (Setup, Provider) {
    let provider = Provider::start(canned::script(dialect, false)).await.unwrap();
    let setup = Setup::new();
    setup.speaker("p", &provider.base_url(), dialect, "");
    (setup, provider)
}

#[tokio::test]
async fn paths_work_however_a_base_url_is_written() {
    let (setup, provider) = ready("cohere_v2").await;
    let served = setup.serve();
    for (client, path) in [
        (Client::Chat, "/chat/completions"),
        (Client::Chat, "//v1//chat/completions/"),
        (Client::Responses, "/responses"),
        (Client::Responses, "/v1/responses/?x=1"),
        (Client::Anthropic, "/v1/messages?beta=true"),
        (Client::Anthropic, "//messages?beta=true"),
        (Client::Gemini, "/v1beta/models/p/m:generateContent"),
        (Client::Gemini, "/v1/models/p%2Fm:generateContent"),
        (Client::Gemini, "/v1alpha/models/p/m%3AgenerateContent?$alt=json;enum-encoding=int"),
        (Client::Gemini, "/models/p/m:generateContent"),
    ] {
        let got = served.post(path, client.question("p/m", false).to_string(), &[]).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        assert_eq!(client.heard(&got.json()).text, "Looking.", "{path}");
        assert_eq!(got.header("x-pointsman-model"), Some("p/m"));
    }
    assert_eq!(provider.asked(), 10);
}

#[tokio::test]
async fn a_websocket_is_declined_so_that_the_client_goes_on_over_http() {
    let (setup, _provider) = ready("openai_responses").await;
    let served = setup.serve();
    let upgrade = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let got = served.send("GET", "/v1/responses", Bytes::new(), &upgrade).await;
    assert_eq!((got.status, got.code()), (426, "upgrade_required".to_owned()));
    assert_eq!(got.header("upgrade"), Some("HTTP/1.1"));
    let got = served.get("/v1/responses").await;
    assert_eq!((got.status, got.code()), (405, "method_not_allowed".to_owned()));
}

#[tokio::test]
async fn models_are_listed_in_the_shape_of_each_sdk() {
    let (setup, _provider) = ready("gemini").await;
    let models = "models: [{ id: m, context: 1000, output: 10 }]";
    setup.speaker("q", "http://127.0.0.1:1/v1", "openai_chat", models);
    let served = setup.serve();
    let list = async |path: &str, headers: &[(&str, &str)]| {
        served.send("GET", path, Bytes::new(), headers).await.json()
    };
    let anthropic: [(&str, &str); 2] = [("anthropic-version", "2023-06-01"), ("x-api-key", "k")];
    let entry = |list: &Value, id: (&str, &str)| {
        let found = list.as_array().unwrap().iter().find(|entry| entry[id.0] == id.1);
        found.unwrap_or_else(|| panic!("{} is not in {list:#}", id.1)).clone()
    };

    let all = list("/v1/models", &[]).await;
    assert_eq!(all["object"], "list");
    assert_eq!(
        entry(&all["data"], ("id", "q/m")),
        json!({"id": "q/m", "object": "model", "created": 0, "owned_by": "q",
            "context_window": 1000, "max_output_tokens": 10})
    );

    let all = list("/v1/models?limit=1000", &anthropic).await;
    assert_eq!((&all["has_more"], &all["first_id"]), (&json!(false), &json!("auto")));
    let told = entry(&all["data"], ("id", "q/m"));
    assert_eq!((&told["type"], &told["max_input_tokens"]), (&json!("model"), &json!(1000)));
    assert!(told["created_at"].is_string() && told["display_name"].is_string(), "{told}");
    let one = list("/v1/models/q/m", &anthropic).await;
    assert_eq!(one, told);

    let all = list("/v1beta/models?pageSize=50", &[("x-goog-api-key", "k")]).await;
    let told = entry(&all["models"], ("name", "models/q/m"));
    assert_eq!(told["inputTokenLimit"], 1000);
    assert_eq!(told["supportedGenerationMethods"], json!(["generateContent", "countTokens"]));
    assert_eq!(list("/v1beta/models/q/m", &[]).await, told);
}

#[tokio::test]
async fn google_streams_an_array_to_whoever_does_not_ask_for_events() {
    for dialect in ["gemini", "openai_chat"] {
        let (setup, provider) = ready(dialect).await;
        let served = setup.serve();
        provider.set(canned::script(dialect, true));
        let body = Client::Gemini.question("p/m", true).to_string();
        let got = served.post("/v1beta/models/p/m:streamGenerateContent", body.clone(), &[]).await;
        assert_eq!(got.header("content-type"), Some("application/json"));
        let elements = got.json();
        let elements = elements.as_array().unwrap();
        let text: String = elements.iter().map(|one| Client::Gemini.heard(one).text).collect();
        assert_eq!(text, "Looking.", "{elements:#?}");
        assert_eq!(Client::Gemini.heard(elements.last().unwrap()).output, 9, "{elements:#?}");
        let events = served.post(&Client::Gemini.path("p/m", true), body, &[]).await;
        assert_eq!(events.header("content-type"), Some("text/event-stream"));
        let data = events.text().lines().filter_map(|line| line.strip_prefix("data:"));
        let data: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
        assert_eq!(data.len(), elements.len());
    }
}

#[tokio::test]
async fn tokens_are_counted_by_the_provider_where_it_counts() {
    for (client, path, counted, at) in [
        (
            Client::Anthropic,
            "/v1/messages/count_tokens?beta=true",
            "{ \"input_tokens\" : 2095, \"new\": 1.0 }",
            "/v1/messages/count_tokens",
        ),
        (
            Client::Gemini,
            "/v1beta/models/p/m:countTokens",
            "{ \"totalTokens\" : 31, \"new\": 1.0 }",
            "/v1/models/m:countTokens",
        ),
    ] {
        let (setup, provider) = ready(client.dialect()).await;
        let served = setup.serve();
        provider.set(canned::answers("application/json", counted));
        let body = client.question("p/m", false).to_string();
        let beta = [("anthropic-beta", "token-counting")];
        let got = served.post(path, body.clone(), &beta).await;
        assert_eq!((got.status, got.text()), (200, counted));
        assert_eq!(got.header("x-pointsman-counted"), None);
        assert_eq!(got.header("x-pointsman-model"), Some("p/m"));
        let sent = provider.seen().pop().unwrap();
        assert_eq!((sent.path.as_str(), sent.header("anthropic-beta")), (at, Some(beta[0].1)));
        assert_eq!(std::str::from_utf8(&sent.body).unwrap(), body.replace("\"p/m\"", "\"m\""));

        let refusal = json!({"error": {"type": "rate_limit_error", "message": "Slow down."}});
        provider.set(Script::of(canned::raw(429, "application/json", refusal.to_string())));
        let got = served.post(path, body, &[]).await;
        assert_eq!((got.status, got.header("x-pointsman-counted")), (200, Some("estimated")));
        assert!(rows(&setup).is_empty(), "counting is no attempt");
    }
}

#[tokio::test]
async fn tokens_are_estimated_where_nobody_counts() {
    let (setup, provider) = ready("openai_chat").await;
    let served = setup.serve();
    for (client, path, member) in [
        (Client::Anthropic, "/v1/messages/count_tokens", "input_tokens"),
        (Client::Gemini, "/v1beta/models/p/m:countTokens", "totalTokens"),
    ] {
        let body = client.question("p/m", false).to_string();
        let got = served.post(path, body.clone(), &[]).await;
        assert_eq!((got.status, got.header("x-pointsman-counted")), (200, Some("estimated")));
        let tokens = got.json()[member].as_u64().unwrap();
        assert!((1..body.len() as u64).contains(&tokens), "{}", got.text());
    }
    assert_eq!(provider.asked(), 0);
    assert!(rows(&setup).is_empty());
}

#[tokio::test]
async fn errors_before_routing_come_in_the_dialect_of_the_path() {
    let (setup, provider) = ready("openai_chat").await;
    let served = setup.serve();
    for client in CLIENTS {
        let path = client.path("p/m", false);
        let broken = served.post(&path, "{\"model\":\"p/m\",\"messages\":[tru]}", &[]).await;
        assert_eq!(broken.status, 400, "{}", broken.text());
        assert!(client.error(&broken.json()).0.contains("not valid JSON"), "{}", broken.text());
        let path = client.path("p/no-such", false);
        let unknown = served.post(&path, client.saying("p/no-such", "hi").to_string(), &[]).await;
        assert_eq!(unknown.status, 404, "{}", unknown.text());
        let (message, word) = client.error(&unknown.json());
        assert!(message.contains("`p/no-such`"), "{message}");
        let expected = match client {
            Client::Chat | Client::Responses => "model_not_found",
            Client::Anthropic => "not_found_error",
            Client::Gemini => "NOT_FOUND",
        };
        assert_eq!(word, expected);
        let method = served.send("PUT", &client.path("p/m", false), Bytes::new(), &[]).await;
        assert_eq!(method.status, 405, "{}", method.text());
        client.error(&method.json());
        for got in [broken, unknown, method] {
            assert_eq!(got.header("x-request-id"), got.header("request-id"));
            assert_eq!(got.header("x-should-retry"), Some("false"));
        }
    }
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn a_path_that_is_none_is_told_in_the_dialect_of_what_came_along() {
    let (setup, _provider) = ready("openai_chat").await;
    let served = setup.serve();
    for (client, path, headers) in [
        (Client::Chat, "/v1/nowhere", &[][..]),
        (Client::Anthropic, "/v1/nowhere", &[("anthropic-version", "2023-06-01")][..]),
        (Client::Gemini, "/v1beta/nowhere", &[][..]),
        (Client::Gemini, "/v1/nowhere", &[("x-goog-api-key", "k")][..]),
        (Client::Anthropic, "/v1/messages/batches", &[][..]),
    ] {
        let got = served.post(path, "{}", headers).await;
        assert_eq!(got.status, 404, "{}", got.text());
        let (message, _) = client.error(&got.json());
        assert!(message.contains(path), "{message}");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let (setup, _provider) = ready("openai_chat").await;
    let served = setup.serve();
    for path in ["/", "/v1/models", "/v1beta/models", "/health/live"] {
        let got = served.send("HEAD", path, Bytes::new(), &[]).await;
        assert_eq!((got.status, got.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn a_key_is_taken_wherever_a_dialect_puts_it() {
    let provider = Provider::start(Script::of(Answer::text("hi"))).await.unwrap();
    let mut setup = Setup::new();
    setup.speaker("p", &provider.base_url(), "openai_chat", "");
    setup.configure("keys: [{ name: team, secret: 'env:TEAM_KEY' }]");
    setup.environment.push(("TEAM_KEY".into(), "sekret+1/2=3".into()));
    let served = setup.serve();
    for client in CLIENTS {
        let body = client.saying("p/m", "hi").to_string();
        let path = client.path("p/m", false);
        for headers in [
            &[("authorization", "Bearer sekret+1/2=3")][..],
            &[("x-api-key", "sekret+1/2=3")][..],
            &[("x-goog-api-key", "sekret+1/2=3")][..],
            &[("api-key", "sekret+1/2=3")][..],
        ] {
            assert_eq!(served.post(&path, body.clone(), headers).await.status, 200);
        }
        for (query, status) in [
            ("key=sekret%2B1%2F2%3D3", 200),
            ("alt=sse&key=sekret+1/2=3", 200),
            ("key=wrong-key", 401),
            ("key=", 401),
            ("x=1", 401),
        ] {
            let got = served.post(&format!("{path}?{query}"), body.clone(), &[]).await;
            assert_eq!(got.status, status, "{query}: {}", got.text());
            if status == 401 {
                client.error(&got.json());
                assert!(!got.text().contains("wrong-key"), "{}", got.text());
            }
        }
    }
    let seen = provider.seen();
    assert!(seen.iter().all(|seen| !format!("{seen:?}").contains("sekret")));
    assert!(!served.log().contains("sekret") && !served.log().contains("wrong-key"));
}
