//! Where provider and client speak the same dialect: bytes that nobody touches, in and out.

use testkit::{Answer, Provider, Script};

use crate::canned;
use crate::clients::{CLIENTS, Client};
use crate::support::{Setup, rows};

/// Returns a body that no serialiser would write, with members and blocks that nobody knows.
fn odd_body(client: Client, stream: bool) -> String {
    let stream = if stream { ",\"stream\" :true" } else { "" };
    let head = "{ \"n\\u0065w\":{\"z\":1.0, \"a\":1e2} ,\"model\" : \"p/m\"";
    match client {
        Client::Chat => format!(
            "{head}{stream}, \"stream_options\":{{\"include_usage\":true}},\"messages\":[{{\"role\":\"user\",\"content\":[\
             {{\"type\":\"text\",\"text\":\"h\\u00e9\"}},{{\"type\":\"from_tomorrow\",\"x\":1.50}}]}}] }}"
        ),
        Client::Responses => format!(
            "{head}{stream},\"input\":[{{\"type\":\"from_tomorrow\", \"x\":1.50}},\
             {{\"role\":\"user\",\"content\":\"h\\u00e9\"}}]\n}}"
        ),
        Client::Anthropic => format!(
            "{head}{stream},\"max_tokens\":1e2,\"messages\":[{{\"role\":\"user\",\"content\":[\
             {{\"type\":\"from_tomorrow\",\"x\":1.50}},{{\"type\":\"text\",\"text\":\"h\\u00e9\",\
             \"cache_control\":{{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}}}]}}]}}\r\n"
        ),
        Client::Gemini => "{ \"n\\u0065w\":1.0,\"contents\":[{\"parts\":[{\"text\":\"h\\u00e9\"},\
             {\"fromTomorrow\":{\"x\":1.50}}],\"role\":\"user\"}], \"generation_config\":{\"topK\":4e0} }"
            .to_owned(),
    }
}

/// Returns an answer with a member that nobody knows, in a spacing of its own.
fn odd_answer(client: Client) -> String {
    let whole = canned::whole(client.dialect()).to_string();
    whole.replacen('{', "{ \"from_tomorrow\" : {\"z\":1.00},\n ", 1) + "\n"
}

async fn speaker(client: Client, more: &str) -> (Setup, Provider) {
    let provider = Provider::start(Script::of(Answer::text(""))).await.unwrap();
    let setup = Setup::new();
    setup.speaker("p", &provider.base_url(), client.dialect(), more);
    (setup, provider)
}

#[tokio::test]
async fn bodies_go_out_and_answers_come_back_byte_for_byte() {
    for client in CLIENTS {
        let (setup, provider) = speaker(client, "").await;
        let served = setup.serve();
        let answer = odd_answer(client);
        provider.set(canned::answers("application/json", answer.clone()));
        let body = odd_body(client, false);
        let got = served.post(&client.path("p/m", false), body.clone(), &[]).await;
        assert_eq!((got.status, got.text()), (200, answer.as_str()), "{client:?}");
        assert_eq!(got.header("x-pointsman-loss"), None);
        let sent = provider.seen().pop().unwrap();
        let expected = body.replace("\"p/m\"", "\"m\"");
        assert_eq!(std::str::from_utf8(&sent.body).unwrap(), expected, "{client:?}");
        assert_eq!(rows(&setup)[0]["input_tokens"], 21, "{client:?}: and it was counted");
    }
}

#[tokio::test]
async fn streams_come_back_byte_for_byte_to_their_last_frame() {
    for client in CLIENTS {
        let (setup, provider) = speaker(client, "").await;
        let served = setup.serve();
        let stream = canned::frames(client.dialect()).concat();
        provider.set(canned::answers("text/event-stream", stream.clone()));
        let body = odd_body(client, true);
        let got = served.post(&client.path("p/m", true), body.clone(), &[]).await;
        assert_eq!(got.text(), std::str::from_utf8(&stream).unwrap(), "{client:?}");
        assert_eq!(got.header("content-type"), Some("text/event-stream"));
        let sent = provider.seen().pop().unwrap();
        let expected = body.replace("\"p/m\"", "\"m\"");
        assert_eq!(std::str::from_utf8(&sent.body).unwrap(), expected, "{client:?}");
        let row = &rows(&setup)[0];
        assert_eq!((&row["input_tokens"], &row["outcome"]), (&21.into(), &"answered".into()));
    }
}

#[tokio::test]
async fn gemini_is_told_the_model_in_the_path_and_the_body_stays_as_it_is() {
    let models = "models: [{ id: org/odd+m }]";
    let (setup, provider) = speaker(Client::Gemini, models).await;
    let served = setup.serve();
    let body = odd_body(Client::Gemini, false);
    provider.set(canned::script("gemini", false));
    for model in ["p/org/odd+m", "p%2Forg%2Fodd%2Bm"] {
        let got = served.post(&Client::Gemini.path(model, false), body.clone(), &[]).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    provider.set(canned::script("gemini", true));
    served.post(&Client::Gemini.path("p/org/odd+m", true), body.clone(), &[]).await;
    let seen = provider.seen();
    let paths: Vec<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
    let whole = "/v1/models/org%2Fodd%2Bm:generateContent";
    assert_eq!(paths, [whole, whole, "/v1/models/org%2Fodd%2Bm:streamGenerateContent"]);
    assert!(seen.iter().all(|seen| seen.body == body.as_bytes()));
    assert_eq!(seen[2].query.as_deref(), Some("alt=sse"));
}

#[tokio::test]
async fn versions_and_betas_pass_and_a_records_headers_hold_unless_one_is_sent() {
    let more = "headers:\n  - { name: anthropic-version, value: '2023-06-01', unless_sent: true }\n  \
                - { name: x-fixed, value: house }";
    let (setup, provider) = speaker(Client::Anthropic, more).await;
    setup.speaker("other", &provider.base_url(), "openai_chat", "");
    let served = setup.serve();
    provider.set(canned::script("anthropic_messages", false));
    let body = odd_body(Client::Anthropic, false);
    let own = [
        ("anthropic-version", "2027-01-01"),
        ("anthropic-beta", "one-2027,two-2027"),
        ("openai-beta", "three=v2"),
        ("x-fixed", "client"),
        ("x-else", "client"),
    ];
    served.post("/v1/messages?beta=true", body.clone(), &own).await;
    served.post("/v1/messages", body.clone(), &[]).await;
    provider.set(canned::script("openai_chat", false));
    let plain = Client::Anthropic.question("other/m", false).to_string();
    served.post("/v1/messages", plain, &own).await;
    let names = ["anthropic-version", "anthropic-beta", "openai-beta", "x-fixed", "x-else"];
    let seen = provider.seen();
    let sent: Vec<_> = seen.iter().map(|seen| names.map(|name| seen.header(name))).collect();
    assert_eq!(
        sent,
        [
            [Some("2027-01-01"), Some("one-2027,two-2027"), Some("three=v2"), Some("house"), None],
            [Some("2023-06-01"), None, None, Some("house"), None],
            [None; 5],
        ]
    );
}

#[tokio::test]
async fn a_clients_key_never_reaches_the_provider() {
    for client in CLIENTS {
        let (mut setup, provider) =
            speaker(client, "auth: { bearer: 'env:KEY_OF_THE_HOUSE' }").await;
        setup.environment.push(("KEY_OF_THE_HOUSE".into(), "house-1234".into()));
        let served = setup.serve();
        provider.set(canned::script(client.dialect(), false));
        let path = client.path("p/m", false);
        for (name, value) in [
            ("authorization", "Bearer client-1234"),
            ("x-api-key", "client-1234"),
            ("x-goog-api-key", "client-1234"),
            ("api-key", "client-1234"),
            ("cookie", "session=client-1234"),
            ("x-not-a-header", "no"),
        ] {
            let path = format!("{path}?key=client-1234");
            let got = served.post(&path, odd_body(client, false), &[(name, value)]).await;
            assert_eq!(got.status, 200, "{}", got.text());
            let seen = provider.seen().pop().unwrap();
            assert_eq!(seen.authorization(), Some("Bearer house-1234"));
            let told = format!("{:?} {:?} {}", seen.headers, seen.query, seen.path);
            assert!(!told.contains("client-1234"), "{name}: {told}");
        }
        assert!(!served.log().contains("client-1234"));
    }
}
