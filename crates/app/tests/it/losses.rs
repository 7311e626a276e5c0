//! What a dialect cannot say is a loss: told in a header and in the decision, or a reason to pass a
//! target over where the caller's key allows none.

use serde_json::{Value, json};
use testkit::{Answer, Provider, Script};

use crate::canned::{self, id};
use crate::clients::Client;
use crate::support::{Setup, rows};

/// A client's request with a member that a provider's dialect has no field for, and its place as
/// losses name it.
const ROWS: [(Client, &str, &str, &str); 8] = [
    (Client::Chat, "logit_bias", "anthropic_messages", "logit_bias"),
    (Client::Chat, "seed", "anthropic_messages", "seed"),
    (Client::Chat, "a_new_one", "gemini", "a_new_one"),
    (Client::Responses, "truncation", "ollama", "truncation"),
    (Client::Responses, "a_new_one", "openai_chat", "a_new_one"),
    (Client::Anthropic, "context_management", "openai_responses", "context_management"),
    (Client::Anthropic, "container", "cohere_v2", "container"),
    (Client::Gemini, "safetySettings", "bedrock_converse", "safetySettings"),
];

fn value(member: &str) -> Value {
    match member {
        "seed" => json!(7),
        "truncation" => json!("auto"),
        "safetySettings" => json!([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]),
        "container" => json!("container_1"),
        _ => json!({"50256": -100}),
    }
}

async fn speakers(dialects: &[&str]) -> (Setup, Vec<Provider>) {
    let setup = Setup::new();
    let mut providers = Vec::new();
    for dialect in dialects {
        let provider = Provider::start(canned::script(dialect, false)).await.unwrap();
        setup.speaker(&id(dialect), &provider.base_url(), dialect, "");
        providers.push(provider);
    }
    (setup, providers)
}

#[tokio::test]
async fn a_loss_is_told_in_a_header_and_in_the_decision() {
    for (client, member, dialect, path) in ROWS {
        let (setup, providers) = speakers(&[dialect]).await;
        let served = setup.serve();
        let model = format!("{}/m", id(dialect));
        for stream in [false, true] {
            providers[0].set(canned::script(dialect, stream));
            let mut body = client.question(&model, stream);
            body[member] = value(member);
            let got = client.ask(&served, &model, stream, &body).await;
            let at = format!("{client:?} {member} to {dialect}: {}", got.text());
            assert_eq!(got.status, 200, "{at}");
            assert_eq!(got.header("x-pointsman-loss"), Some(path), "{at}");
            let decision = served.decision(&got).await;
            let losses = decision["attempts"][0]["losses"].as_array().unwrap().clone();
            assert_eq!(losses.len(), 1, "{decision:#}");
            assert_eq!(losses[0]["path"], path, "{decision:#}");
            assert!(losses[0]["why"].as_str().unwrap().contains(dialect), "{decision:#}");
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_where_the_provider_speaks_the_clients_dialect() {
    let (setup, _providers) = speakers(&["openai_chat"]).await;
    let served = setup.serve();
    let mut body = Client::Chat.question("speaks-openai-chat/m", false);
    body["a_new_one"] = json!(1);
    let got = served.chat(&body).await;
    assert_eq!((got.status, got.header("x-pointsman-loss")), (200, None));
    assert_eq!(served.decision(&got).await["attempts"][0].get("losses"), None);
}

#[tokio::test]
async fn many_losses_are_counted_in_the_header_and_listed_in_the_decision() {
    let (setup, _providers) = speakers(&["ollama"]).await;
    let served = setup.serve();
    let mut body = Client::Chat.question("speaks-ollama/m", false);
    for at in 0..20 {
        body[format!("new_{at:02}")] = json!(at);
    }
    let got = served.chat(&body).await;
    let header = got.header("x-pointsman-loss").unwrap();
    assert!(header.starts_with("new_00, new_01,") && header.ends_with("and 12 more"), "{header}");
    let decision = served.decision(&got).await;
    assert_eq!(decision["attempts"][0]["losses"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_loss_with_an_odd_or_endless_name_is_told_too() {
    let (setup, _providers) = speakers(&["ollama"]).await;
    let served = setup.serve();
    for (name, told) in
        [("na\u{ef}ve\nx", "na_ve_x".to_owned()), (&"y".repeat(100_000), "y".repeat(80))]
    {
        let mut body = Client::Chat.question("speaks-ollama/m", false);
        body[name] = json!(1);
        let got = served.chat(&body).await;
        assert_eq!(got.header("x-pointsman-loss"), Some(told.as_str()), "{}", got.text());
    }
}

const TABLE: &str = "\
version: test
default_model: speaks-anthropic-messages/m
defaults: { retries: 0 }
tasks:
  work: { primary: speaks-anthropic-messages/m, fallbacks: [speaks-openai-chat/m] }
";

#[tokio::test]
async fn a_key_that_allows_no_losses_passes_a_target_over() {
    let (mut setup, providers) = speakers(&["anthropic_messages", "openai_chat"]).await;
    setup.table(TABLE);
    setup.configure(
        "keys:\n  - { name: strict, secret: 'env:STRICT', on_loss: reject }\n  \
         - { name: easy, secret: 'env:EASY' }",
    );
    setup.environment.push(("STRICT".into(), "strict-1234".into()));
    setup.environment.push(("EASY".into(), "easy-1234".into()));
    let served = setup.serve();
    let ask = async |model: &str, key: &str, member: Option<&str>| {
        let mut body = Client::Chat.question(model, false);
        if let Some(member) = member {
            body[member] = value(member);
        }
        let bearer = format!("Bearer {key}");
        served.post("/v1/chat/completions", body.to_string(), &[("authorization", &bearer)]).await
    };
    let asked = || (providers[0].asked(), providers[1].asked());

    let got = ask("task/work", "strict-1234", Some("logit_bias")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("speaks-openai-chat/m"), "{}", got.text());
    assert_eq!((asked(), got.header("x-pointsman-loss")), ((0, 1), None));
    let row = &rows(&setup)[0];
    assert_eq!(
        (&row["outcome"], &row["failure"], &row["input_tokens"]),
        (&"failed".into(), &"unsupported_parameter".into(), &Value::Null),
        "{row}"
    );

    let got = ask("task/work", "strict-1234", None).await;
    assert_eq!(got.header("x-pointsman-model"), Some("speaks-anthropic-messages/m"));
    let got = ask("task/work", "easy-1234", Some("logit_bias")).await;
    assert_eq!(got.header("x-pointsman-loss"), Some("logit_bias"));
    assert_eq!(asked(), (2, 1));

    let got = ask("speaks-anthropic-messages/m", "strict-1234", Some("logit_bias")).await;
    assert_eq!((got.status, got.code()), (400, "unsupported_parameter".to_owned()));
    assert!(got.message().contains("logit_bias"), "{}", got.message());
    assert_eq!(asked(), (2, 1), "and nothing was sent");
}

#[tokio::test]
async fn a_failed_target_leaves_no_losses_on_the_answer_of_the_next() {
    let (setup, providers) = speakers(&["anthropic_messages", "openai_chat"]).await;
    setup.table(TABLE);
    providers[0].set(Script::of(Answer::text("").failing(testkit::Fault::status(529))));
    let served = setup.serve();
    let mut body = Client::Chat.question("task/work", false);
    body["logit_bias"] = value("logit_bias");
    let got = served.chat(&body).await;
    assert_eq!((got.status, got.header("x-pointsman-loss")), (200, None), "{}", got.text());
    let decision = served.decision(&got).await;
    assert_eq!(decision["attempts"][0]["losses"][0]["path"], "logit_bias", "{decision:#}");
    assert_eq!(decision["attempts"][1].get("losses"), None);
}
