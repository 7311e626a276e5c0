//! Every client's dialect to every provider's: the same answer, whole and streamed, and one row of
//! the ledger each.

use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script};

use crate::canned::{self, DIALECTS, id};
use crate::clients::{CLIENTS, Client, Heard};
use crate::support::{Setup, rows};

/// Starts a provider of every dialect, each under the dialect's name.
pub(crate) async fn every_dialect() -> (Setup, Vec<(&'static str, Provider)>) {
    let setup = Setup::new();
    let mut providers = Vec::new();
    for dialect in DIALECTS {
        let provider = Provider::start(Script::of(Answer::text(""))).await.unwrap();
        setup.speaker(&id(dialect), &provider.base_url(), dialect, "");
        providers.push((dialect, provider));
    }
    (setup, providers)
}

fn expected(ends: usize) -> Heard {
    Heard {
        text: "Looking.".to_owned(),
        tool: "look".to_owned(),
        arguments: "{\"place\":\"Lyon\"}".to_owned(),
        input: 21,
        output: 9,
        ends,
        errors: 0,
    }
}

fn check_row(row: &Value, dialect: &str, stream: bool) {
    assert_eq!(row["provider"], id(dialect));
    assert_eq!(row["outcome"], "answered", "{row}");
    assert_eq!(row["streamed"], stream);
    assert_eq!(row["counted"], "reported");
    let counts =
        ["input_tokens", "cached_input_tokens", "output_tokens"].map(|name| row[name].as_u64());
    assert_eq!(counts, [Some(21), Some(canned::cached(dialect)), Some(9)], "{row}");
    assert_eq!(row["cost_usd"], "0.000039", "21 at $1 and 9 at $2 a million");
}

async fn check(client: Client) {
    let (setup, providers) = every_dialect().await;
    let served = setup.serve();
    let mut asked = Vec::new();
    for (dialect, provider) in &providers {
        let model = format!("{}/m", id(dialect));
        for stream in [false, true] {
            provider.set(canned::script(dialect, stream));
            let got = client.ask(&served, &model, stream, &client.question(&model, stream)).await;
            let at = format!("{client:?} to {dialect}, stream {stream}: {}", got.text());
            assert_eq!(got.status, 200, "{at}");
            assert_eq!(got.header("x-pointsman-loss"), None, "{at}");
            let heard =
                if stream { client.heard_streamed(got.text()) } else { client.heard(&got.json()) };
            assert_eq!(heard, expected(usize::from(stream)), "{at}");
            let seen = provider.seen().pop().unwrap();
            assert_eq!(seen.path, canned::asked_at(dialect, stream));
            let sent = String::from_utf8(seen.body.to_vec()).unwrap();
            assert!(sent.contains("Where is Lyon?") && sent.contains("\"look\""), "{sent}");
            assert!(!sent.contains(&model), "its own name for the model: {sent}");
            let told = format!("{:?} {:?} {sent}", seen.headers, seen.query);
            assert!(!told.contains("key-of-the-client"), "{told}");
            asked.push((*dialect, stream));
        }
    }
    let rows = rows(&setup);
    assert_eq!(rows.len(), asked.len(), "one row a request");
    for (row, (dialect, stream)) in rows.iter().zip(asked) {
        check_row(row, dialect, stream);
    }
}

#[tokio::test]
async fn a_client_of_openai_chat_hears_every_dialect() {
    check(Client::Chat).await;
}

#[tokio::test]
async fn a_client_of_openai_responses_hears_every_dialect() {
    check(Client::Responses).await;
}

#[tokio::test]
async fn a_client_of_anthropic_hears_every_dialect() {
    check(Client::Anthropic).await;
}

#[tokio::test]
async fn a_client_of_gemini_hears_every_dialect() {
    check(Client::Gemini).await;
}

#[tokio::test]
async fn bytes_one_by_one_change_nothing() {
    let (setup, providers) = every_dialect().await;
    let served = setup.serve();
    for (dialect, provider) in &providers {
        let kind = canned::stream_type(dialect);
        let stream = canned::raw(200, kind, canned::frames(dialect).concat());
        provider.set(Script::of(stream.failing(Fault::OneByteAtATime)));
        let model = format!("{}/m", id(dialect));
        for client in CLIENTS {
            let got = client.ask(&served, &model, true, &client.question(&model, true)).await;
            assert_eq!(client.heard_streamed(got.text()), expected(1), "{}", got.text());
        }
    }
}

#[tokio::test]
async fn a_task_in_a_clients_metadata_is_said_to_the_gateway_alone() {
    let (setup, providers) = every_dialect().await;
    let tasks = DIALECTS.map(|dialect| format!("  {0}: {{ primary: {0}/m }}\n", id(dialect)));
    setup.table(&format!(
        "version: t\ndefault_model: {}/m\ntasks:\n{}",
        id("gemini"),
        tasks.concat()
    ));
    let served = setup.serve();
    for (dialect, provider) in &providers {
        provider.set(canned::script(dialect, false));
        for client in CLIENTS {
            let field = if client == Client::Gemini { "labels" } else { "metadata" };
            let mut body = client.question("some-model", false);
            body[field] = json!({"task": id(dialect)});
            let got = client.ask(&served, "some-model", false, &body).await;
            let target = format!("{}/m", id(dialect));
            assert_eq!(got.header("x-pointsman-model"), Some(target.as_str()), "{}", got.text());
            assert_eq!(got.header("x-pointsman-loss"), None, "{client:?} to {dialect}");
            let sent = provider.seen().pop().unwrap().json().unwrap();
            assert_eq!(sent.get(field), None, "{client:?} to {dialect}: {sent:#}");
            assert_eq!(served.decision(&got).await["named_by"], "metadata.task");
        }
    }
}

#[tokio::test]
async fn a_request_falls_back_from_one_dialect_to_another() {
    let (setup, providers) = every_dialect().await;
    let [weak, safe] = ["anthropic_messages", "gemini"];
    let at = |dialect| providers.iter().find(|(named, _)| *named == dialect).map(|(_, one)| one);
    let (one, two) = (at(weak).unwrap(), at(safe).unwrap());
    let task = format!("{{ primary: {}/m, fallbacks: [{}/m]", id(weak), id(safe));
    setup.table(&format!(
        "version: t\ndefault_model: {}/m\ndefaults: {{ retries: 0 }}\ntasks:\n  first: {task} }}\n  \
         checked: {task}, commit: checked }}\n",
        id(safe)
    ));
    setup.never_open();
    let served = setup.serve();
    let stream = canned::raw(200, "text/event-stream", canned::frames(weak).concat());
    for (task, fault, stream_asked) in [
        ("task/first", Fault::status(529), false),
        ("task/first", Fault::status(529), true),
        ("task/first", Fault::CutBeforeFirstToken, true),
        ("task/checked", Fault::CutAfter(6), true),
    ] {
        one.set(Script::of(stream.clone().failing(fault)));
        two.set(canned::script(safe, stream_asked));
        for client in CLIENTS {
            let body = client.question(task, stream_asked);
            let got = client.ask(&served, task, stream_asked, &body).await;
            let at = format!("{client:?}: {}", got.text());
            assert_eq!(got.header("x-pointsman-model"), Some("speaks-gemini/m"), "{at}");
            assert_eq!(got.header("x-pointsman-attempts"), Some("2"), "{at}");
            let heard = if stream_asked {
                client.heard_streamed(got.text())
            } else {
                client.heard(&got.json())
            };
            assert_eq!(heard, expected(usize::from(stream_asked)), "{at}");
        }
    }
}

#[tokio::test]
async fn usage_at_the_end_of_a_stream_is_for_those_who_ask() {
    let (setup, providers) = every_dialect().await;
    let served = setup.serve();
    for (dialect, provider) in &providers {
        provider.set(canned::script(dialect, true));
        let model = format!("{}/m", id(dialect));
        let mut body = Client::Chat.question(&model, true);
        body["stream_options"].take();
        let got = Client::Chat.ask(&served, &model, true, &body).await;
        assert_eq!(got.status, 200, "{}", got.text());
        if *dialect != "openai_chat" {
            assert!(!got.text().contains("prompt_tokens"), "{dialect}: {}", got.text());
        }
        assert_eq!(Client::Chat.heard_streamed(got.text()).ends, 1);
    }
    assert!(
        rows(&setup).iter().all(|row| row["counted"] == "reported" && row["input_tokens"] == 21)
    );
}

#[tokio::test]
async fn a_whole_answer_where_a_stream_was_asked_for_is_told() {
    let (setup, providers) = every_dialect().await;
    let served = setup.serve();
    for (dialect, provider) in &providers {
        provider.set(canned::script(dialect, false));
        let model = format!("{}/m", id(dialect));
        for client in CLIENTS {
            let got = client.ask(&served, &model, true, &client.question(&model, true)).await;
            assert_eq!(got.status, 502, "{client:?} to {dialect}: {}", got.text());
            client.error(&got.json());
        }
    }
    let rows = rows(&setup);
    assert!(
        rows.iter().all(|row| row["failure"] == "malformed_reply" && row["input_tokens"] == 21)
    );
}

#[tokio::test]
async fn googles_array_is_a_stream_too() {
    let (setup, providers) = every_dialect().await;
    let served = setup.serve();
    let (_, google) = providers.iter().find(|(dialect, _)| *dialect == "gemini").unwrap();
    let frames = canned::frames("gemini");
    let elements = frames.iter().map(|frame| {
        let data = std::str::from_utf8(frame).unwrap().trim().strip_prefix("data: ").unwrap();
        data.replacen('{', "{\r\n ", 1)
    });
    let array = format!("[{}\n]", elements.collect::<Vec<_>>().join(",\r\n"));
    google.set(canned::answers("application/json; charset=UTF-8", array));
    for client in CLIENTS {
        let model = "speaks-gemini/m";
        let got = client.ask(&served, model, true, &client.question(model, true)).await;
        assert_eq!(got.status, 200, "{client:?}: {}", got.text());
        assert_eq!(client.heard_streamed(got.text()), expected(1), "{client:?}: {}", got.text());
    }
    let body = Client::Gemini.question("m", true).to_string();
    let path = "/v1beta/models/speaks-gemini/m:streamGenerateContent";
    let got = served.post(path, body, &[]).await.json();
    assert_eq!(got.as_array().map(Vec::len), Some(3), "{got:#}");
}
