//! What a user gets who is wrong: what happened, whose fault it is, what to do.

use testkit::{Provider, Script};

use crate::support::{Setup, ask};

async fn ready() -> (Setup, Provider) {
    let provider = Provider::start(Script::saying("hi")).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    setup.redirect("openai", &provider.base_url());
    (setup, provider)
}

#[tokio::test]
async fn an_unknown_model_is_a_404_with_the_closest_names() {
    let (setup, _provider) = ready().await;
    let served = setup.serve();
    let got = served.chat(&ask("gpt4o", false, "hi")).await;
    assert_eq!((got.status, got.code()), (404, "model_not_found".to_owned()));
    assert!(
        got.message().contains("`gpt4o`") && got.message().contains("`gpt-4o`"),
        "{}",
        got.message()
    );
    assert_eq!(got.json()["error"]["param"], "model");
    assert_eq!(got.json()["error"]["fault"], "client");
}

#[tokio::test]
async fn a_model_whose_provider_lacks_its_key_says_which() {
    let (setup, _provider) = ready().await;
    let served = setup.serve();
    let got = served.chat(&ask("claude-sonnet-4.6", false, "hi")).await;
    assert_eq!((got.status, got.code()), (503, "no_target".to_owned()));
    assert!(got.message().contains("ANTHROPIC_API_KEY"), "{}", got.message());
    assert_eq!(got.json()["error"]["fault"], "policy");
}

#[tokio::test]
async fn broken_json_is_a_400_with_the_path_and_the_byte() {
    let (setup, _provider) = ready().await;
    let served = setup.serve();
    let body = br#"{"model":"auto","messages":[{"role":"user","content":tru}]}"#;
    let got = served.chat_with(body.to_vec(), &[]).await;
    assert_eq!((got.status, got.code()), (400, "invalid_json".to_owned()));
    assert_eq!(got.json()["error"]["param"], "messages[0].content");
    assert!(got.message().contains("byte 56"), "{}", got.message());
    for (body, code) in [
        ("", "invalid_json"),
        ("[]", "invalid_request"),
        ("{\"model\":\"auto\"}", "invalid_request"),
        ("{\"messages\":[]}", "invalid_request"),
        ("{\"model\":\"a\",\"model\":\"b\",\"messages\":[]}", "invalid_request"),
    ] {
        let got = served.chat_with(body.as_bytes().to_vec(), &[]).await;
        assert_eq!((got.status, got.code().as_str()), (400, code), "{body}: {}", got.text());
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413() {
    let (setup, provider) = ready().await;
    setup.configure("limits: { body: 1000 }");
    let served = setup.serve();
    let got = served.chat(&ask("one-a", false, &"x".repeat(2_000))).await;
    assert_eq!((got.status, got.code()), (413, "request_too_large".to_owned()));
    assert_eq!(provider.asked(), 0);
    assert_eq!(served.chat(&ask("one-a", false, "short")).await.status, 200);
}

#[tokio::test]
async fn keys_are_asked_for_where_they_are_required() {
    let (mut setup, _provider) = ready().await;
    setup.configure("keys: [{ name: team, secret: 'env:TEAM_KEY' }]");
    setup.environment.push(("TEAM_KEY".into(), "sekret-1234".into()));
    let served = setup.serve();
    let body = || ask("one-a", false, "hi").to_string().into_bytes();
    let none = served.chat_with(body(), &[]).await;
    assert_eq!((none.status, none.code()), (401, "invalid_api_key".to_owned()));
    let wrong = served.chat_with(body(), &[("authorization", "Bearer nope")]).await;
    assert_eq!(wrong.status, 401);
    for (name, value) in [
        ("authorization", "Bearer sekret-1234"),
        ("authorization", "bearer sekret-1234"),
        ("x-api-key", "sekret-1234"),
        ("x-goog-api-key", "sekret-1234"),
        ("api-key", "sekret-1234"),
    ] {
        assert_eq!(served.chat_with(body(), &[(name, value)]).await.status, 200, "{name}");
    }
    assert_eq!(served.get("/v1/models").await.status, 401);
    assert_eq!(served.get("/health/live").await.status, 200);
    assert_eq!(crate::support::rows(&setup)[0]["key"], "team");
    assert!(!served.log().contains("sekret"), "no secret in the log");
}

#[tokio::test]
async fn a_path_that_is_none_and_a_wrong_method_say_so() {
    let (setup, _provider) = ready().await;
    let served = setup.serve();
    let got = served.get("/v1/nowhere").await;
    assert_eq!((got.status, got.code()), (404, "not_found".to_owned()));
    let got = served.get("/v1/chat/completions").await;
    assert_eq!((got.status, got.code()), (405, "method_not_allowed".to_owned()));
    let got = served.get("/api/decisions/dec_nonsense").await;
    assert_eq!(got.status, 404);
}

#[tokio::test]
async fn prompts_and_credentials_are_kept_nowhere() {
    let (mut setup, provider) = ready().await;
    let record = format!("id: openai\nbase_url: {}\n", provider.base_url());
    setup.write("providers/openai.yaml", &record);
    setup.environment.push(("OPENAI_API_KEY".into(), "sk-topsecret".into()));
    let served = setup.serve();
    let got = served.chat(&ask("gpt-4o", false, "a private matter")).await;
    assert_eq!(got.status, 200);
    assert_eq!(provider.seen().pop().unwrap().authorization(), Some("Bearer sk-topsecret"));
    let decision = served.decision(&got).await.to_string();
    let log = served.log();
    drop(served);
    let mut kept = decision + &log;
    for file in std::fs::read_dir(setup.folder.path()).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() && !file.ends_with("pointsman.yaml") {
            kept += &String::from_utf8_lossy(&std::fs::read(file).unwrap());
        }
    }
    assert!(!kept.contains("topsecret") && !kept.contains("private matter"));
}

#[tokio::test]
async fn a_provider_that_quotes_the_credential_is_not_passed_on() {
    let body = r#"{"error":{"message":"odd header sk-topsecret, try again","type":"invalid_request_error"}}"#;
    let quoting = testkit::Answer::text("").failing(testkit::Fault::Status(400, Some(body.into())));
    let provider = Provider::start(Script::of(quoting)).await.unwrap();
    let mut setup = Setup::new();
    setup.write(
        "providers/openai.yaml",
        &format!("id: openai\nbase_url: {}\n", provider.base_url()),
    );
    setup.environment.push(("OPENAI_API_KEY".into(), "sk-topsecret".into()));
    let served = setup.serve();
    let got = served.chat(&ask("gpt-4o", false, "hi")).await;
    assert_eq!(got.status, 400);
    assert!(got.message().contains("odd header [masked]"), "{}", got.message());
    let told = got.text().to_owned() + &served.log() + &served.decision(&got).await.to_string();
    assert!(!told.contains("topsecret"), "{told}");
}
