//! How the gateway shows who it is at a provider, and that nobody else hears the secret.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Uri;
use serde_json::{Value, json};
use testkit::{Provider, Script, Seen, When};
use tokio::task::JoinSet;

use crate::canned;
use crate::support::{Setup, ask, rows};

/// The key of an account that exists nowhere.
const ACCOUNT_KEY: &str = include_str!("auth/account.pem");

/// A secret with every character that an address must escape.
const SECRET: &str = "s3cr+t/of=the&house";

async fn provider(dialect: &str, auth: &str) -> (Setup, Provider) {
    let provider = Provider::start(canned::script(dialect, false)).await.unwrap();
    let mut setup = Setup::new();
    setup.speaker("p", &provider.base_url(), dialect, &format!("auth: {auth}"));
    setup.environment.push(("SECRET".into(), SECRET.into()));
    // Whatever a log can be made to say.
    setup.environment.push(("RUST_LOG".into(), "trace".into()));
    (setup, provider)
}

/// Asks for a refusal that quotes `quoted` and checks that nobody hears of the secret in it.
async fn check_quoted(
    setup: &Setup,
    provider: &Provider,
    (model, quoted, secret): (&str, &str, &str),
) {
    let body = json!({"error": {"type": "invalid_request_error",
        "message": format!("odd request {quoted} here")}});
    provider.set(Script::of(canned::raw(400, "application/json", body.to_string())));
    let served = setup.serve();
    let got = served.chat(&ask(model, false, "hi")).await;
    assert_eq!(got.status, 400, "{}", got.text());
    assert!(
        got.message().starts_with("odd request") && got.message().ends_with("here"),
        "{}",
        got.text()
    );
    let told = got.text().to_owned()
        + &served.decision(&got).await.to_string()
        + &served.log()
        + &format!("{:?}", rows(setup));
    assert!(!told.contains(secret), "{told}");
}

#[tokio::test]
async fn a_bearer_and_a_header_carry_the_secret() {
    for (auth, name, value) in [
        ("{ bearer: 'env:SECRET' }", "authorization", format!("Bearer {SECRET}")),
        ("{ header: { name: x-the-key, value: 'env:SECRET' } }", "x-the-key", SECRET.to_owned()),
    ] {
        let (setup, provider) = provider("openai_chat", auth).await;
        let served = setup.serve();
        assert_eq!(served.chat(&ask("p/m", false, "hi")).await.status, 200);
        let seen = provider.seen().pop().unwrap();
        assert_eq!(seen.header(name), Some(value.as_str()));
        assert_eq!(seen.query, None);
        drop(served);
        check_quoted(&setup, &provider, ("p/m", SECRET, SECRET)).await;
    }
}

#[tokio::test]
async fn a_query_carries_the_secret_and_no_error_does() {
    let (setup, provider) =
        provider("openai_chat", "{ query: { name: code, value: 'env:SECRET' } }").await;
    let escaped = "s3cr%2Bt%2Fof%3Dthe%26house";
    let served = setup.serve();
    assert_eq!(served.chat(&ask("p/m", false, "hi")).await.status, 200);
    let seen = provider.seen().pop().unwrap();
    assert_eq!(seen.query, Some(format!("code={escaped}")));
    assert_eq!(seen.authorization(), None);
    drop(served);
    check_quoted(&setup, &provider, ("p/m", SECRET, SECRET)).await;
    let address = format!("POST /v1/chat/completions?code={escaped}&x=1");
    check_quoted(&setup, &provider, ("p/m", &address, escaped)).await;
    provider.stop().await;
    let served = setup.serve();
    let got = served.chat(&ask("p/m", false, "hi")).await;
    assert_eq!(got.code(), "provider_unreachable");
    let told = got.text().to_owned() + &served.log() + &served.decision(&got).await.to_string();
    assert!(!told.contains(SECRET) && !told.contains(escaped), "{told}");
}

#[tokio::test]
async fn the_query_of_a_path_stays_beside_the_secret() {
    let (setup, provider) =
        provider("gemini", "{ query: { name: key, value: 'env:SECRET' } }").await;
    provider.set(canned::script("gemini", true));
    let served = setup.serve();
    let got = served.chat(&ask("p/m", true, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let query = provider.seen().pop().unwrap().query;
    assert_eq!(query.as_deref(), Some("alt=sse&key=s3cr%2Bt%2Fof%3Dthe%26house"));
}

/// Signs what arrived once more, with the time that it says.
fn signed_again(seen: &Seen, token: Option<&str>) -> Vec<(String, String)> {
    let date = seen.header("x-amz-date").unwrap().replace('Z', "+0000");
    let now = jiff::Timestamp::strptime("%Y%m%dT%H%M%S%z", date).unwrap().as_second();
    wire::sigv4::sign(&wire::sigv4::Signing {
        method: &seen.method,
        host: seen.header("host").unwrap(),
        path: &seen.path,
        query: seen.query.as_deref().unwrap_or_default(),
        headers: &[],
        body_sha256: &wire::sigv4::sha256(&seen.body),
        region: "eu-west-9",
        service: "bedrock",
        key_id: "AKIDEXAMPLE",
        secret: SECRET,
        session_token: token,
        now_unix: u64::try_from(now).unwrap(),
    })
}

#[tokio::test]
async fn amazon_gets_a_signature_of_what_arrives() {
    for token in [None, Some("token-of-the-session")] {
        let auth = "{ sigv4: { region: eu-west-9, service: bedrock, key_id: 'env:KEY_ID', \
                    secret: 'env:SECRET', session_token: 'env:SESSION' } }\n\
                    models: [{ id: 'house.large v1:0' }]";
        let (mut setup, provider) = provider("bedrock_converse", auth).await;
        setup.environment.push(("KEY_ID".into(), "AKIDEXAMPLE".into()));
        setup.environment.extend(token.map(|token| ("SESSION".to_owned(), token.to_owned())));
        let served = setup.serve();
        for stream in [false, true] {
            provider.set(canned::script("bedrock_converse", stream));
            let got = served.chat(&ask("p/house.large v1:0", stream, "hé")).await;
            assert_eq!(got.status, 200, "{}", got.text());
            let seen = provider.seen().pop().unwrap();
            let end = if stream { "converse-stream" } else { "converse" };
            assert_eq!(seen.path, format!("/v1/model/house.large%20v1:0/{end}"));
            for (name, value) in signed_again(&seen, token) {
                assert_eq!(seen.header(&name), Some(value.as_str()), "{name}");
            }
            let authorization = seen.authorization().unwrap();
            let day = &seen.header("x-amz-date").unwrap()[..8];
            let names = if token.is_some() { ";x-amz-security-token" } else { "" };
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{day}/eu-west-9/bedrock/aws4_request, \
                 SignedHeaders=host;x-amz-date{names}, Signature="
            );
            assert!(authorization.starts_with(&expected), "{authorization}");
            assert_eq!(seen.header("x-amz-security-token"), token);
            assert!(!format!("{seen:?}").contains(SECRET));
        }
        assert!(!served.log().contains(SECRET));
        drop(served);
        for secret in [SECRET, token.unwrap_or("AKIDEXAMPLE")] {
            check_quoted(&setup, &provider, ("p/house.large v1:0", secret, secret)).await;
        }
    }
}

fn account(token_uri: &str) -> String {
    json!({
        "type": "service_account",
        "client_email": "house@example.iam.gserviceaccount.com",
        "private_key_id": "kid-1",
        "private_key": ACCOUNT_KEY,
        "token_uri": token_uri,
    })
    .to_string()
}

/// Answers the token's server and, with a token, the model's.
fn google(granted: &Value, status: u16) -> Script {
    google_taking("ya29.one", granted, status)
}

fn google_taking(good: &str, granted: &Value, status: u16) -> Script {
    let token = canned::raw(status, "application/json", granted.to_string());
    let whole = canned::whole("gemini").to_string();
    Script::of(canned::raw(401, "application/json", "{}")).when(When::path("/token"), token).when(
        When::header("authorization", &format!("Bearer {good}")),
        canned::raw(200, "application/json", whole),
    )
}

async fn account_setup(granted: &Value, status: u16) -> (Setup, Provider) {
    let auth = "{ google_service_account: 'env:ACCOUNT' }";
    let (mut setup, provider) = provider("gemini", auth).await;
    provider.set(google(granted, status));
    let token_uri = provider.base_url().replace("/v1", "/token");
    setup.environment.push(("ACCOUNT".into(), account(&token_uri)));
    (setup, provider)
}

#[tokio::test]
async fn a_service_accounts_claim_is_exchanged_once_for_a_token() {
    let granted = json!({"access_token": "ya29.one", "expires_in": 3600, "token_type": "Bearer"});
    let (setup, provider) = account_setup(&granted, 200).await;
    let served = setup.serve();
    let (one, two, three) =
        (ask("p/m", false, "one"), ask("p/m", false, "two"), ask("p/m", false, "three"));
    let all = tokio::join!(served.chat(&one), served.chat(&two), served.chat(&three));
    for got in [all.0, all.1, all.2, served.chat(&one).await] {
        assert_eq!(got.status, 200, "{}", got.text());
    }
    let seen = provider.seen();
    let (tokens, asked): (Vec<&Seen>, Vec<&Seen>) =
        seen.iter().partition(|seen| seen.path == "/token");
    assert_eq!((tokens.len(), asked.len()), (1, 4), "one token serves all");
    assert!(asked.iter().all(|seen| seen.authorization() == Some("Bearer ya29.one")));

    let exchange = tokens[0];
    assert_eq!(exchange.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = std::str::from_utf8(&exchange.body).unwrap();
    let assertion = form
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .unwrap();
    let parts: Vec<Vec<u8>> =
        assertion.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, claim, signature] = &parts[..] else { panic!("no JWT: {assertion}") };
    let header: Value = serde_json::from_slice(header).unwrap();
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "kid-1"}));
    let claim: Value = serde_json::from_slice(claim).unwrap();
    assert_eq!(claim["iss"], "house@example.iam.gserviceaccount.com");
    assert_eq!(claim["scope"], "https://www.googleapis.com/auth/cloud-platform");
    let audience: Uri = claim["aud"].as_str().unwrap().parse().unwrap();
    assert_eq!((audience.path(), audience.port_u16()), ("/token", Some(provider.port())));
    let lasts = claim["exp"].as_i64().unwrap() - claim["iat"].as_i64().unwrap();
    assert_eq!((lasts, signature.len()), (3_600, 256));
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_fetched_anew() {
    let granted = json!({"access_token": "ya29.one", "expires_in": 30});
    let (setup, provider) = account_setup(&granted, 200).await;
    let served = setup.serve();
    for _ in 0..2 {
        assert_eq!(served.chat(&ask("p/m", false, "hi")).await.status, 200);
    }
    let tokens = provider.seen().iter().filter(|seen| seen.path == "/token").count();
    assert_eq!(tokens, 2);
}

#[tokio::test]
async fn a_token_that_the_provider_refuses_is_not_used_again() {
    let old = json!({"access_token": "ya29.old", "expires_in": 3600});
    let (setup, provider) = account_setup(&old, 200).await;
    let served = setup.serve();
    let got = served.chat(&ask("p/m", false, "hi")).await;
    assert_eq!((got.status, got.code()), (502, "provider_authentication_failed".to_owned()));
    let tokens = || provider.seen().iter().filter(|seen| seen.path == "/token").count();
    assert_eq!(tokens(), 2, "a new token is fetched before the account is given up");
}

#[tokio::test]
async fn a_token_that_went_stale_costs_no_request() {
    let once = json!({"access_token": "ya29.one", "expires_in": 3600});
    let (setup, provider) = account_setup(&once, 200).await;
    let served = setup.serve();
    assert_eq!(served.chat(&ask("p/m", false, "hi")).await.status, 200);
    // From now on only another token is good.
    let new = json!({"access_token": "ya29.two", "expires_in": 3600});
    provider.set(google_taking("ya29.two", &new, 200));
    let got = served.chat(&ask("p/m", false, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.header("x-pointsman-attempts"), Some("1"));
}

#[tokio::test]
async fn a_token_server_that_stumbles_is_not_the_credentials_fault() {
    let granted = json!({"access_token": "ya29.one", "expires_in": 3600});
    let refusals = [(500, json!({"error": "internal"})), (503, json!({})), (400, json!("html"))];
    for (status, said) in refusals {
        let (setup, provider) = account_setup(&said, status).await;
        setup.table("version: t\ndefault_model: p/m\ndirect: { retries: 0 }\ntasks: {}\n");
        let served = setup.serve();
        let got = served.chat(&ask("p/m", false, "hi")).await;
        assert_eq!(got.code(), "provider_unreachable", "{status}: {}", got.text());
        provider.set(google(&granted, 200));
        let got = served.chat(&ask("p/m", false, "hi")).await;
        assert_eq!(got.status, 200, "the credential is asked again at once: {}", got.text());
    }
}

#[tokio::test]
async fn requests_with_a_revoked_token_fetch_one_new_token_together() {
    const MANY: usize = 20;
    let once = json!({"access_token": "ya29.one", "expires_in": 3600});
    let (setup, provider) = account_setup(&once, 200).await;
    let served = setup.serve();
    assert_eq!(served.chat(&ask("p/m", false, "hi")).await.status, 200);
    let new = json!({"access_token": "ya29.two", "expires_in": 3600});
    let token = canned::raw(200, "application/json", new.to_string());
    let whole = canned::raw(200, "application/json", canned::whole("gemini").to_string());
    // The refusals come spread over time: some after the new token was fetched.
    let slow = canned::raw(401, "application/json", "{}").after(Duration::from_millis(300));
    let quick = canned::raw(401, "application/json", "{}");
    let script = Script::of(quick)
        .when(When::path("/token"), token)
        .when(When::header("authorization", "ya29.two"), whole)
        .when(When::said("slow"), slow);
    provider.set(script);
    let before = provider.seen().iter().filter(|seen| seen.path == "/token").count();
    let served = Arc::new(served);
    let mut asked = JoinSet::new();
    for at in 0..MANY {
        let served = Arc::clone(&served);
        let body = ask("p/m", false, if at % 2 == 0 { "slow" } else { "quick" });
        asked.spawn(async move { served.chat(&body).await });
    }
    for got in asked.join_all().await {
        assert_eq!(got.status, 200, "{}", got.text());
    }
    let after = provider.seen().iter().filter(|seen| seen.path == "/token").count();
    assert_eq!(after - before, 1, "each of them fetched a token");
}

#[tokio::test]
async fn a_token_that_a_provider_quotes_is_not_told() {
    // Nothing but its being held shows that it is a secret.
    let plain = "house-token-of-no-known-form";
    let granted = json!({"access_token": plain, "expires_in": 3600});
    let (setup, provider) = account_setup(&granted, 200).await;
    let quoting = json!({"error": {"code": 400, "message": format!("no: {plain}"), "status": "X"}});
    let token = canned::raw(200, "application/json", granted.to_string());
    for status in [400, 401] {
        let refused = canned::raw(status, "application/json", quoting.to_string());
        provider.set(Script::of(refused).when(When::path("/token"), token.clone()));
        let served = setup.serve();
        let got = served.chat(&ask("p/m", false, "hi")).await;
        assert!(!got.text().contains(plain), "{}", got.text());
        // Of a refused credential nothing is quoted at all.
        assert_eq!(got.text().contains("[credential]"), status == 400, "{}", got.text());
        assert!(!served.log().contains(plain), "{}", served.log());
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_the_operators_to_mend() {
    let refusal = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    for (granted, status) in [(refusal, 400), (json!({"id_token": "no"}), 200)] {
        let (setup, provider) = account_setup(&granted, status).await;
        let served = setup.serve();
        let got = served.chat(&ask("p/m", false, "hi")).await;
        assert_eq!((got.status, got.code()), (502, "provider_authentication_failed".to_owned()));
        assert_eq!(got.json()["error"]["fault"], "policy");
        assert_eq!(provider.asked(), 1, "the model was not asked");
        let row = &rows(&setup)[0];
        assert_eq!((&row["outcome"], &row["input_tokens"]), (&"failed".into(), &Value::Null));
        let told = got.text().to_owned() + &served.log() + &served.decision(&got).await.to_string();
        let line = ACCOUNT_KEY.lines().nth(1).unwrap();
        assert!(!told.contains(line), "{told}");
    }
}

#[tokio::test]
async fn an_account_that_is_none_is_told_and_not_quoted() {
    let (mut setup, provider) =
        provider("gemini", "{ google_service_account: 'env:ACCOUNT' }").await;
    let broken = account("http://127.0.0.1:1/token").replacen("MII", "!!!", 1);
    setup.environment.push(("ACCOUNT".into(), broken));
    let served = setup.serve();
    let got = served.chat(&ask("p/m", false, "hi")).await;
    assert_eq!((got.status, got.code()), (503, "no_target".to_owned()));
    assert_eq!(provider.asked(), 0);
    let (_, out, error) = setup.run(&["doctor"]);
    assert!(out.contains("private_key is no PEM"), "{out}{error}");
    let told = got.text().to_owned() + &served.log() + &out + &error;
    assert!(!told.contains(ACCOUNT_KEY.lines().nth(2).unwrap()), "{told}");
}

#[tokio::test]
async fn azure_is_asked_at_the_deployment_with_its_version() {
    let provider = Provider::start(Script::saying("hi")).await.unwrap();
    let mut setup = Setup::new();
    let address = provider.base_url().replace("/v1", "/");
    setup.environment.push(("AZURE_OPENAI_ENDPOINT".into(), address.trim_end_matches('/').into()));
    setup.environment.push(("AZURE_OPENAI_API_KEY".into(), SECRET.into()));
    let served = setup.serve();
    let got = served.chat(&ask("azure-deployments/gpt-4o", false, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let seen = provider.seen().pop().unwrap();
    assert_eq!(seen.path, "/openai/deployments/gpt-4o/chat/completions");
    assert_eq!(seen.query.as_deref(), Some("api-version=2024-10-21"));
    assert_eq!((seen.header("api-key"), seen.authorization()), (Some(SECRET), None));
    let got = served.chat(&ask("azure/gpt-4o", false, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let seen = provider.seen().pop().unwrap();
    assert_eq!((seen.path.as_str(), seen.query), ("/openai/v1/chat/completions", None));
}
