//! What a request holds that not every provider can honour: an earlier answer, an uploaded file,
//! thoughts that are signed.

use serde_json::{Value, json};
use testkit::{Provider, Script};

use crate::canned;
use crate::clients::Client;
use crate::support::{Served, Setup};

/// Answers with an id of its own, whole or streamed.
fn answering(id: &str, stream: bool) -> Script {
    let dialect = "openai_responses";
    if stream {
        let text = String::from_utf8(canned::frames(dialect).concat()).unwrap();
        return canned::answers("text/event-stream", text.replace("resp_1", id));
    }
    let text = canned::whole(dialect).to_string();
    canned::answers("application/json", text.replace("resp_1", id))
}

async fn speaker(setup: &Setup, id: &str, dialect: &str) -> Provider {
    let provider = Provider::start(canned::script(dialect, false)).await.unwrap();
    setup.speaker(id, &provider.base_url(), dialect, "");
    provider
}

async fn go_on(served: &Served, model: &str, from: &str) -> crate::support::Got {
    let mut body = Client::Responses.saying(model, "and then?");
    body["previous_response_id"] = json!(from);
    Client::Responses.ask(served, model, false, &body).await
}

#[tokio::test]
async fn an_answer_is_gone_on_from_where_it_was_made() {
    let setup = Setup::new();
    let one = speaker(&setup, "one", "openai_responses").await;
    let two = speaker(&setup, "two", "openai_responses").await;
    setup.table("version: t\ndefault_model: one/m\ntasks: {}\n");
    let served = setup.serve();
    for stream in [false, true] {
        let made = format!("resp_two_{stream}");
        two.set(answering(&made, stream));
        let mut body = Client::Responses.saying("two/m", "Once upon a time");
        body["stream"] = json!(stream);
        let got = Client::Responses.ask(&served, "two/m", stream, &body).await;
        assert_eq!(got.status, 200, "{}", got.text());

        two.set(answering("resp_next", false));
        let got = go_on(&served, "auto", &made).await;
        assert_eq!(got.header("x-pointsman-model"), Some("two/m"), "{}", got.text());
        let decision = served.decision(&got).await;
        let pinned = decision["pinned"][0].as_str().unwrap();
        assert!(pinned.contains("previous_response_id") && pinned.contains("two/m"), "{pinned}");
        let sent = two.seen().pop().unwrap().json().unwrap();
        assert_eq!(sent["previous_response_id"], made.as_str());

        let got = go_on(&served, "one/m", &made).await;
        assert_eq!((got.status, got.code()), (400, "pinned_elsewhere".to_owned()));
        assert!(got.message().contains("two/m"), "{}", got.message());
        assert_eq!(got.json()["error"]["param"], "previous_response_id");
    }
    assert_eq!(one.asked(), 0);
}

#[tokio::test]
async fn an_answer_whose_row_is_in_the_spool_is_gone_on_from_where_it_was_made() {
    let setup = Setup::new();
    let one = speaker(&setup, "one", "openai_responses").await;
    let two = speaker(&setup, "two", "openai_responses").await;
    setup.table("version: t\ndefault_model: one/m\ntasks: {}\n");
    let served = setup.serve();
    let _blocker = crate::spool::locked(&setup, false);
    two.set(answering("resp_two", false));
    let body = Client::Responses.saying("two/m", "Once upon a time");
    let got = Client::Responses.ask(&served, "two/m", false, &body).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let got = go_on(&served, "auto", "resp_two").await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.header("x-pointsman-model"), Some("two/m"));
    assert_eq!(one.asked(), 0);
}

#[tokio::test]
async fn an_answer_of_a_provider_that_is_gone_is_not_gone_on_from_elsewhere() {
    let setup = Setup::new();
    let one = speaker(&setup, "one", "openai_responses").await;
    let two = speaker(&setup, "two", "openai_responses").await;
    setup.table("version: t\ndefault_model: one/m\ntasks: {}\n");
    two.set(answering("resp_two", false));
    let served = setup.serve();
    let body = Client::Responses.saying("two/m", "Once upon a time");
    assert_eq!(Client::Responses.ask(&served, "two/m", false, &body).await.status, 200);
    drop(served);
    std::fs::remove_file(setup.path("providers/two.yaml")).unwrap();
    let served = setup.serve();
    let got = go_on(&served, "auto", "resp_two").await;
    assert_eq!((got.status, got.code()), (400, "pinned_elsewhere".to_owned()));
    assert!(got.message().contains("two/m"), "{}", got.message());
    assert_eq!(one.asked(), 0);
}

#[tokio::test]
async fn an_answer_nobody_here_made_needs_a_provider_of_the_dialect() {
    let setup = Setup::new();
    let speaks = speaker(&setup, "one", "openai_responses").await;
    let other = speaker(&setup, "two", "openai_chat").await;
    let served = setup.serve();
    assert_eq!(go_on(&served, "one/m", "resp_unknown").await.status, 200);
    let got = go_on(&served, "two/m", "resp_unknown").await;
    assert_eq!((got.status, got.code()), (400, "pinned_elsewhere".to_owned()));
    assert_eq!((speaks.asked(), other.asked()), (1, 0));
}

#[tokio::test]
async fn an_uploaded_file_is_only_known_in_its_dialect() {
    let setup = Setup::new();
    let other = speaker(&setup, "other", "cohere_v2").await;
    let table = "version: t\ndefault_model: other/m\ntasks:\n  \
                 work: { primary: other/m, fallbacks: [chat/m, answers/m, claude/m, google/m] }\n";
    setup.table(table);
    let mut homes = Vec::new();
    for (id, client) in [
        ("chat", Client::Chat),
        ("answers", Client::Responses),
        ("claude", Client::Anthropic),
        ("google", Client::Gemini),
    ] {
        homes.push((id, client, speaker(&setup, id, client.dialect()).await));
    }
    let served = setup.serve();
    for (id, client, home) in &homes {
        let turns = match client {
            Client::Chat => json!([{"role": "user", "content":
                [{"type": "file", "file": {"file_id": "file_1"}}]}]),
            Client::Responses => json!([{"role": "user", "content":
                [{"type": "input_file", "file_id": "file_1"}]}]),
            Client::Anthropic => json!([{"role": "user", "content":
                [{"type": "document", "source": {"type": "file", "file_id": "file_1"}}]}]),
            Client::Gemini => json!([{"role": "user", "parts":
                [{"fileData": {"mimeType": "text/plain", "fileUri": FILE}}]}]),
        };
        let got = client.ask(&served, "task/work", false, &client.turns("task/work", &turns)).await;
        let target = format!("{id}/m");
        assert_eq!(got.header("x-pointsman-model"), Some(target.as_str()), "{}", got.text());
        assert_eq!(home.asked(), 1);
        let got = client.ask(&served, "other/m", false, &client.turns("other/m", &turns)).await;
        assert_eq!(got.status, 400, "{}", got.text());
        let said = client.error(&got.json()).0;
        let field = if *client == Client::Gemini { "`fileUri`" } else { "`file_id`" };
        assert!(said.contains(field) && said.contains("other/m"), "{said}");
    }
    assert_eq!(other.asked(), 0);
}

/// Where Google keeps what was uploaded to it.
const FILE: &str = "https://generativelanguage.googleapis.com/v1beta/files/1";

/// Returns a conversation in which the model thought, and its thoughts are signed.
fn thoughtful(model: &str, signature: &str) -> Value {
    let turns = json!([
        {"role": "user", "content": "Where is Lyon?"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "A map would help.", "signature": signature},
            {"type": "text", "text": "In France."}]},
        {"role": "user", "content": "And Turin?"},
    ]);
    Client::Anthropic.turns(model, &turns)
}

#[tokio::test]
async fn signed_thoughts_prefer_their_dialect_and_go_on_without_it() {
    let setup = Setup::new();
    let chat = speaker(&setup, "chat", "openai_chat").await;
    let claude = speaker(&setup, "claude", "anthropic_messages").await;
    setup.table(
        "version: t\ndefault_model: chat/m\n\
         tasks:\n  work: { primary: chat/m, fallbacks: [claude/m] }\n",
    );
    let served = setup.serve();
    let body = thoughtful("task/work", "EqQBCgIYAhIM").to_string();
    let got = served.post("/v1/messages", body.clone(), &[]).await;
    assert_eq!(got.header("x-pointsman-model"), Some("claude/m"), "{}", got.text());
    let expected = body.replace("task/work", "m");
    assert_eq!(std::str::from_utf8(&claude.seen()[0].body).unwrap(), expected);
    assert!(served.decision(&got).await["pinned"][0].as_str().unwrap().contains("thoughts"));

    let got =
        served.post("/v1/messages", thoughtful("chat/m", "EqQBCgIYAhIM").to_string(), &[]).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(got.header("x-pointsman-loss").is_some(), "what it could not take is told");
    let sent = String::from_utf8(chat.seen()[0].body.to_vec()).unwrap();
    assert!(!sent.contains("EqQBCgIYAhIM") && sent.contains("In France."), "{sent}");
}
