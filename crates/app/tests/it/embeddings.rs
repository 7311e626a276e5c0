//! Embeddings: OpenAI's in and out, whatever the provider speaks.

use serde_json::{Value, json};
use testkit::{Provider, Script, When};

use crate::canned::{answers, raw};
use crate::support::{Got, Served, Setup, rows};

const MODELS: &str = "models: [{ id: e, can: [embeddings], price: { input: 1, output: 0 } }, { id: talks, can: [json] }]";

/// Starts a provider that embeds in a dialect, with a model `e` that does and one that does not.
async fn embedder(dialect: &str, path: &str) -> (Setup, Provider) {
    let provider = Provider::start(Script::saying("")).await.unwrap();
    let setup = Setup::new();
    let more = format!("embeddings: {{ dialect: {dialect}, path: '{path}' }}\n{MODELS}");
    setup.speaker("p", &provider.base_url(), "openai_chat", &more);
    (setup, provider)
}

async fn embed(served: &Served, body: &Value) -> Got {
    served.post("/v1/embeddings", body.to_string(), &[]).await
}

fn check_row(setup: &Setup, tokens: u64) {
    let rows = rows(setup);
    let row = rows.last().unwrap();
    assert_eq!(
        (&row["task"], &row["outcome"]),
        (&"embeddings".into(), &"answered".into()),
        "{row}"
    );
    assert_eq!(
        (row["input_tokens"].as_u64(), row["output_tokens"].as_u64()),
        (Some(tokens), Some(0))
    );
    assert_eq!(row["cost_usd"], ir::Money(i64::try_from(tokens * 1_000).unwrap()).to_string());
}

#[tokio::test]
async fn openai_to_openai_is_byte_for_byte_but_for_the_model() {
    let (setup, provider) = embedder("openai", "/embeddings").await;
    let served = setup.serve();
    let answer = "{ \"object\":\"list\", \"data\":[{\"embedding\":\"AACAPw==\",\"index\":0}],\
                  \"new\":1.0,\"model\":\"e\",\"usage\":{\"prompt_tokens\":4,\"total_tokens\":4}}\n";
    provider.set(answers("application/json", answer));
    let body = "{ \"input\":[ \"h\\u00e9\",[1,2]], \"model\":\"p/e\",\"new\":1.0, \"encoding_format\":\"base64\" }";
    for path in ["/v1/embeddings", "/embeddings"] {
        let got = served.post(path, body, &[("authorization", "Bearer client-1234")]).await;
        assert_eq!((got.status, got.text()), (200, answer));
        assert_eq!(got.header("x-pointsman-model"), Some("p/e"));
        assert_eq!(got.header("x-pointsman-cost-usd"), Some("0.000004"));
        let sent = provider.seen().pop().unwrap();
        assert_eq!(sent.path, "/v1/embeddings");
        assert_eq!(std::str::from_utf8(&sent.body).unwrap(), body.replace("p/e", "e"));
        assert!(!format!("{:?}", sent.headers).contains("client-1234"));
    }
    check_row(&setup, 4);
    assert_eq!(rows(&setup).len(), 2);
}

#[tokio::test]
async fn google_is_asked_for_one_text_otherwise_than_for_many() {
    let (setup, provider) = embedder("gemini", "/models/{model}:{action}").await;
    let served = setup.serve();
    let used = json!({"promptTokenCount": 6});
    let one = json!({"embedding": {"values": [0.5, -1.25]}, "usageMetadata": used});
    provider.set(answers("application/json", one.to_string()));
    let got = embed(&served, &json!({"model": "p/e", "input": "here", "dimensions": 2})).await;
    assert_eq!(
        got.json(),
        json!({"object": "list", "model": "p/e",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.25]}],
            "usage": {"prompt_tokens": 6, "total_tokens": 6}})
    );
    let sent = provider.seen().pop().unwrap();
    assert_eq!(sent.path, "/v1/models/e:embedContent");
    let expected = json!({"model": "models/e", "content": {"parts": [{"text": "here"}]},
        "outputDimensionality": 2});
    assert_eq!(sent.json().unwrap(), expected);
    check_row(&setup, 6);

    let many = json!({"embeddings": [{"values": [0.5]}, {"values": [1.5]}], "usageMetadata": used});
    provider.set(answers("application/json", many.to_string()));
    let body = json!({"model": "p/e", "input": ["here", "there"], "encoding_format": "base64"});
    let got = embed(&served, &body).await;
    let vectors: Vec<Value> =
        got.json()["data"].as_array().unwrap().iter().map(|one| one["embedding"].clone()).collect();
    assert_eq!(vectors, ["AAAAPw==", "AADAPw=="], "32-bit floats, little-endian");
    let sent = provider.seen().pop().unwrap();
    assert_eq!(sent.path, "/v1/models/e:batchEmbedContents");
    assert_eq!(sent.json().unwrap()["requests"].as_array().unwrap().len(), 2);
    check_row(&setup, 6);
}

#[tokio::test]
async fn cohere_and_voyage_are_asked_in_their_own_words() {
    for (dialect, path, answer, sent) in [
        (
            "cohere",
            "/embed",
            json!({"id": "1", "embeddings": {"float": [[0.5], [1.5]]}, "texts": ["a", "b"],
                "meta": {"billed_units": {"input_tokens": 3}}}),
            json!({"model": "e", "input_type": "search_query", "embedding_types": ["float"],
                "texts": ["a", "b"], "output_dimension": 1}),
        ),
        (
            "voyage",
            "/embeddings",
            json!({"object": "list", "model": "e", "usage": {"total_tokens": 3}, "data": [
                {"object": "embedding", "embedding": [1.5], "index": 1},
                {"object": "embedding", "embedding": [0.5], "index": 0}]}),
            json!({"model": "e", "input": ["a", "b"], "input_type": "query", "output_dimension": 1}),
        ),
    ] {
        let (setup, provider) = embedder(dialect, path).await;
        let served = setup.serve();
        provider.set(answers("application/json", answer.to_string()));
        let body = json!({"model": "p/e", "input": ["a", "b"], "dimensions": 1,
            "input_type": "query", "user": "me"});
        let got = embed(&served, &body).await;
        assert_eq!(got.status, 200, "{dialect}: {}", got.text());
        let told = got.json();
        assert_eq!(told["data"][0]["embedding"], json!([0.5]), "{told:#}");
        assert_eq!(told["data"][1]["embedding"], json!([1.5]), "{told:#}");
        assert_eq!(told["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
        assert_eq!(got.header("x-pointsman-loss"), Some("user"));
        let losses = served.decision(&got).await["attempts"][0]["losses"].clone();
        assert_eq!(losses[0]["path"], "user", "{losses:#}");
        let seen = provider.seen().pop().unwrap();
        assert_eq!((seen.path.clone(), seen.json().unwrap()), (format!("/v1{path}"), sent));
        check_row(&setup, 3);
    }
}

#[tokio::test]
async fn what_cannot_be_embedded_is_told_and_not_sent() {
    let (setup, provider) = embedder("gemini", "/models/{model}:{action}").await;
    let served = setup.serve();
    for (body, status, code, told) in [
        (json!({"model": "p/talks", "input": "a"}), 404, "model_not_found", "for conversations"),
        (json!({"model": "p/none", "input": "a"}), 404, "model_not_found", "`p/none`"),
        (json!({"model": "p/e", "input": []}), 400, "invalid_request", "input: an empty list"),
        (json!({"model": "p/e"}), 400, "invalid_request", "input: required"),
        (json!({"input": "a"}), 400, "invalid_request", "model: required"),
        (json!({"model": "p/e", "input": 7}), 400, "invalid_request", "input: expected"),
        (json!({"model": "p/e", "input": ["a", null]}), 400, "invalid_request", "input[1]"),
        (json!({"model": "p/e", "input": [[1, 2]]}), 400, "unsupported_parameter", "texts alone"),
    ] {
        let got = embed(&served, &body).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{body}: {}", got.text());
        assert!(got.message().contains(told), "{body}: {}", got.message());
    }
    let got = served.chat(&crate::support::ask("p/e", false, "hi")).await;
    assert_eq!((got.status, got.code()), (404, "model_not_found".to_owned()));
    assert!(got.message().contains("for embeddings"), "{}", got.message());
    let got = served.get("/v1/embeddings").await;
    assert_eq!(got.status, 405);
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn a_provider_that_fails_is_told_and_recorded_once() {
    let (setup, provider) = embedder("cohere", "/embed").await;
    let served = setup.serve();
    let ask = json!({"model": "p/e", "input": "a"});
    for (script, status, code) in [
        (
            Script::of(raw(429, "application/json", "{\"message\":\"Slow down.\"}")),
            429,
            "rate_limit_exceeded",
        ),
        (answers("application/json", "{\"embeddings\":{\"float\":[]}}"), 502, "empty_answer"),
        (answers("application/json", "{\"embeddings\":7}"), 502, "malformed_reply"),
        (answers("text/html", "<html>"), 502, "malformed_reply"),
    ] {
        provider.set(script);
        let got = embed(&served, &ask).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{}", got.text());
        let row = rows(&setup).pop().unwrap();
        assert_eq!((&row["outcome"], &row["failure"]), (&"failed".into(), &code.into()));
    }
    assert_eq!(rows(&setup).len(), 4);
}

#[tokio::test]
async fn where_a_credential_fails_the_providers_other_one_is_asked() {
    for (status, said) in [(401, "no"), (429, "{}"), (402, "{}"), (403, "{}")] {
        let vectors = json!({"data": [{"index": 0, "embedding": [0.5]}], "model": "e"});
        let good = raw(200, "application/json", vectors.to_string());
        let bad = raw(status, "application/json", said);
        let script = Script::of(good).when(When::header("authorization", "sk-one"), bad);
        let provider = Provider::start(script).await.unwrap();
        let mut setup = Setup::new();
        let more = format!(
            "auth: {{ bearer: env:KEY_ONE }}\n\
             credentials: [{{ name: two, auth: {{ bearer: env:KEY_TWO }} }}]\n\
             embeddings: {{ dialect: openai, path: /embeddings }}\n{MODELS}"
        );
        setup.speaker("p", &provider.base_url(), "openai_chat", &more);
        for (name, value) in [("KEY_ONE", "sk-one-0123456789"), ("KEY_TWO", "sk-two-0123456789")] {
            setup.environment.push((name.to_owned(), value.to_owned()));
        }
        let served = setup.serve();
        for _ in 0..8 {
            let got = embed(&served, &json!({"model": "p/e", "input": "a"})).await;
            assert_eq!(got.status, 200, "{status}: {}", got.text());
        }
        let rows = rows(&setup);
        assert_eq!(rows.iter().filter(|row| row["outcome"] == "answered").count(), 8);
        assert!(rows.len() <= 9, "the one at fault rests: {}", rows.len());
    }
}
