//! Where requests go, what the answer says of it, and what is recorded.

use serde_json::json;
use testkit::{Answer, Provider, Script};

use crate::support::{Setup, ask, rows};

const TABLE: &str = "\
version: test-1
default_model: one/one-a
tasks:
  labels: { primary: two/two-a, fallbacks: [one/one-b] }
";

async fn two_providers() -> (Setup, Provider, Provider) {
    let one = Provider::start(Script::saying("from one")).await.unwrap();
    let two = Provider::start(Script::saying("from two")).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &one.base_url());
    setup.provider("two", &two.base_url());
    setup.table(TABLE);
    (setup, one, two)
}

#[tokio::test]
async fn a_named_model_is_never_replaced() {
    let (setup, one, two) = two_providers().await;
    let served = setup.serve();
    let got = served.chat(&ask("one/one-b", false, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.header("x-pointsman-model"), Some("one/one-b"));
    assert_eq!(got.json()["choices"][0]["message"]["content"], "from one");
    let got = served.chat(&ask("two-a", false, "hi")).await;
    assert_eq!(
        got.header("x-pointsman-model"),
        Some("two/two-a"),
        "a bare name does where it is unambiguous"
    );
    assert_eq!((one.asked(), two.asked()), (1, 1));
}

#[tokio::test]
async fn a_task_is_named_in_each_of_the_ways() {
    let (setup, _one, two) = two_providers().await;
    let served = setup.serve();
    let by_model = served.chat(&ask("task/labels", false, "hi")).await;
    let plain = ask("gpt-4o", false, "hi").to_string().into_bytes();
    let by_header = served.chat_with(plain, &[("x-pointsman-task", "labels")]).await;
    let mut body = ask("gpt-4o", false, "hi");
    body["metadata"] = json!({"task": "labels", "app": "mine"});
    let by_metadata = served.chat(&body).await;
    for (got, by) in [
        (by_model, "model task/…"),
        (by_header, "header x-pointsman-task"),
        (by_metadata, "metadata.task"),
    ] {
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(got.header("x-pointsman-task"), Some("labels"));
        assert_eq!(got.header("x-pointsman-model"), Some("two/two-a"));
        assert_eq!(served.decision(&got).await["named_by"], by);
    }
    let last = two.seen().pop().unwrap().json().unwrap();
    assert_eq!(last["metadata"], json!({"app": "mine"}), "the task is said to the gateway alone");
    assert_eq!(last["model"], "two-a");
}

#[tokio::test]
async fn an_unknown_task_goes_to_the_default_and_the_decision_says_so() {
    let (setup, _one, _two) = two_providers().await;
    let served = setup.serve();
    let got = served.chat(&ask("task/lables", false, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("one/one-a"));
    let decision = served.decision(&got).await;
    assert_eq!(decision["reason"]["code"], "unknown_task");
    assert!(decision["reason"]["text"].as_str().unwrap().contains("`labels`"), "{decision}");
    let got = served.chat(&ask("auto", false, "hi")).await;
    assert_eq!(served.decision(&got).await["reason"]["code"], "no_task");
}

#[tokio::test]
async fn an_answer_says_where_it_came_from_and_what_it_cost() {
    let (setup, _one, _two) = two_providers().await;
    let served = setup.serve();
    let got = served.chat(&ask("task/labels", false, "hi")).await;
    let usage = &got.json()["usage"];
    let tokens = |name: &str| usage[name].as_u64().unwrap();
    let nano = tokens("prompt_tokens") * 1_000 + tokens("completion_tokens") * 2_000;
    assert_eq!(
        got.header("x-pointsman-cost-usd"),
        Some(ir::Money(nano as i64).to_string().as_str())
    );
    assert_eq!(got.header("x-pointsman-attempts"), Some("1"));
    assert!(got.header("x-request-id").unwrap().starts_with("req_"));
    assert!(got.header("x-pointsman-overhead-us").unwrap().parse::<u64>().is_ok());
    let rows = rows(&setup);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["cost_usd"], ir::Money(nano as i64).to_string());
    assert_eq!(rows[0]["input_tokens"], tokens("prompt_tokens"));
    assert_eq!(rows[0]["outcome"], "answered");
    assert_eq!(rows[0]["counted"], "reported");
}

#[tokio::test]
async fn a_body_goes_through_byte_for_byte_but_for_the_model() {
    let (setup, one, _two) = two_providers().await;
    let served = setup.serve();
    let body = "{ \"tools\":[{\"z\":1.0,\"a\":1e2}],\n  \"model\" : \"one-a\" , \"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9\"}], \"unknown_field\": {\"b\":1, \"a\":2} }";
    let got = served.chat_with(body.as_bytes().to_vec(), &[]).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let sent = one.seen().pop().unwrap();
    assert_eq!(sent.body, body.as_bytes());
    assert_eq!(sent.header("authorization"), None);
}

#[tokio::test]
async fn models_are_listed_and_looked_up_by_ids_with_slashes() {
    let (setup, _one, _two) = two_providers().await;
    let served = setup.serve();
    let list = served.get("/v1/models").await.json();
    let ids: Vec<&str> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["auto", "claude-auto", "task/labels", "one/one-a", "one/one-b", "two/two-a", "two/two-b"]
    );
    for id in ["one/one-a", "one%2Fone-a", "two-b", "task/labels", "auto"] {
        assert_eq!(served.get(&format!("//v1/models/{id}?x=1")).await.status, 200, "{id}");
    }
    let missing = served.get("/v1/models/one/one-z").await;
    assert_eq!((missing.status, missing.code()), (404, "model_not_found".to_owned()));
}

#[tokio::test]
async fn health_and_probes_are_answered() {
    let (setup, _one, _two) = two_providers().await;
    let served = setup.serve();
    assert_eq!(served.get("/health/live").await.status, 200);
    let ready = served.get("/health/ready").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()["providers"], json!(["one", "two"]));
    let head = hyper::Request::head(format!("{}/", served.root()))
        .body(http_body_util::Full::default())
        .unwrap();
    let head = crate::support::exchange(head).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn an_unpriced_model_costs_unknown_and_not_nothing() {
    let one = Provider::start(Script::of(Answer::text("x"))).await.unwrap();
    let setup = Setup::new();
    let record = format!(
        "id: one\nbase_url: {}\nauth: {{ none: true }}\nspeaks: [{{ dialect: openai_chat, path: /chat/completions }}]\nmodels: [{{ id: m }}]\n",
        one.base_url()
    );
    setup.write("providers/one.yaml", &record);
    let served = setup.serve();
    let got = served.chat(&ask("one/m", false, "hi")).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.header("x-pointsman-cost-usd"), None);
    assert_eq!(rows(&setup)[0]["cost_usd"], serde_json::Value::Null);
    let (_, out, _) = setup.run(&["usage", "--json", "--baseline", "openai/gpt-4o"]);
    let usage: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(usage["total"]["cost_usd"], serde_json::Value::Null);
    assert_eq!(usage["total"]["unpriced_attempts"], 1);
}
