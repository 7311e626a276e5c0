//! A stream that is translated and breaks off: what came comes through, then one error frame in the
//! client's dialect, and no end.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use serde_json::json;
use testkit::{Answer, Fault, Provider, Script};

use crate::canned::{self, DIALECTS};
use crate::clients::{CLIENTS, Client};
use crate::support::{Setup, client, only_row, rows};

/// How a stream goes wrong after its text.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    /// The connection drops.
    Dropped,
    /// The bytes end, and nobody says that the answer has.
    Unfinished,
    /// The provider says that it failed.
    Told,
}

/// Returns a stream that says `Looking.` and then goes wrong.
fn script(dialect: &str, wrong: Wrong) -> Script {
    let kind = canned::stream_type(dialect);
    let mut frames = canned::frames(dialect);
    let texts = match dialect {
        "openai_responses" | "anthropic_messages" => 5,
        "cohere_v2" => 4,
        "gemini" | "ollama" => 2,
        _ => 3,
    };
    match wrong {
        Wrong::Dropped => {
            let answer = canned::raw(200, kind, frames.concat());
            Script::of(answer.failing(Fault::CutAfter(texts - 1)))
        }
        Wrong::Unfinished => {
            frames.truncate(texts);
            canned::answers(kind, frames.concat())
        }
        Wrong::Told => {
            frames.truncate(texts);
            frames.push(failure(dialect));
            canned::answers(kind, frames.concat())
        }
    }
}

/// Returns how a provider of a dialect says in a stream that it failed.
fn failure(dialect: &str) -> Vec<u8> {
    let message = "The engine stopped.";
    match dialect {
        "openai_chat" => canned::data(
            &json!({"error": {"message": message, "type": "server_error", "code": 500}}),
        ),
        "openai_responses" => canned::named(&json!({"type": "response.failed", "response":
            {"id": "resp_1", "object": "response", "status": "failed", "output": [],
             "error": {"code": "server_error", "message": message}}})),
        "anthropic_messages" => canned::named(
            &json!({"type": "error", "error": {"type": "api_error", "message": message}}),
        ),
        "gemini" => {
            canned::data(&json!({"error": {"code": 500, "message": message, "status": "INTERNAL"}}))
        }
        "bedrock_converse" => {
            canned::exception("internalServerException", &json!({"message": message}))
        }
        "cohere_v2" => canned::named(&json!({"type": "message-end",
            "delta": {"finish_reason": "ERROR", "error": message}})),
        "ollama" => format!("{}\n", json!({"error": message})).into_bytes(),
        other => panic!("no dialect {other}"),
    }
}

fn pairs() -> impl Iterator<Item = (Client, &'static str)> {
    CLIENTS.into_iter().flat_map(|client| DIALECTS.map(|dialect| (client, dialect)))
}

async fn check(wrong: Wrong, code: &str) {
    let provider = Provider::start(Script::of(Answer::text(""))).await.unwrap();
    let setup = Setup::new();
    for dialect in DIALECTS {
        setup.speaker(&canned::id(dialect), &provider.base_url(), dialect, "");
    }
    let served = setup.serve();
    for (client, dialect) in pairs() {
        provider.set(script(dialect, wrong));
        let model = format!("{}/m", canned::id(dialect));
        let got = client.ask(&served, &model, true, &client.question(&model, true)).await;
        let at = format!("{client:?} to {dialect}, {wrong:?}: {}", got.text());
        assert_eq!(got.status, 200, "{at}");
        let heard = client.heard_streamed(got.text());
        assert!(heard.text == "Looking." && heard.tool.is_empty(), "{at}");
        assert_eq!((heard.ends, heard.errors), (0, 1), "{at}");
        let last = got.text().trim_end().lines().last().unwrap();
        assert!(last.contains(code) && last.contains(&model), "the error is the last: {at}");
    }
    let rows = rows(&setup);
    assert_eq!(rows.len(), CLIENTS.len() * DIALECTS.len());
    for row in rows {
        assert_eq!((&row["outcome"], &row["failure"]), (&"failed".into(), &code.into()), "{row}");
        assert!(row["input_tokens"].is_u64(), "what was used is settled: {row}");
    }
}

#[tokio::test]
async fn a_dropped_connection_is_told_in_every_dialect() {
    check(Wrong::Dropped, "stream_interrupted").await;
}

#[tokio::test]
async fn an_answer_that_just_stops_is_told_in_every_dialect() {
    check(Wrong::Unfinished, "stream_interrupted").await;
}

#[tokio::test]
async fn a_providers_own_error_is_told_in_every_dialect() {
    check(Wrong::Told, "provider_error").await;
}

#[tokio::test]
async fn googles_array_is_whole_json_even_when_the_stream_is_cut() {
    let provider = Provider::start(script("anthropic_messages", Wrong::Dropped)).await.unwrap();
    let setup = Setup::new();
    setup.speaker("p", &provider.base_url(), "anthropic_messages", "");
    let served = setup.serve();
    let body = Client::Gemini.question("p/m", true).to_string();
    let got = served.post("/v1beta/models/p/m:streamGenerateContent", body, &[]).await;
    let all = got.json();
    let (last, before) = all.as_array().unwrap().split_last().unwrap();
    assert_eq!(last["error"]["status"], "UNAVAILABLE", "{all:#}");
    assert!(before.iter().all(|element| element.get("error").is_none()), "{all:#}");
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_a_translated_attempt_too() {
    for dialect in ["anthropic_messages", "bedrock_converse"] {
        let stream = canned::frames(dialect).concat();
        let answer = canned::raw(200, canned::stream_type(dialect), stream);
        let provider =
            Provider::start(Script::of(answer.failing(Fault::SilenceAfter(4)))).await.unwrap();
        let setup = Setup::new();
        setup.speaker("p", &provider.base_url(), dialect, "");
        let served = setup.serve();
        let request = Request::post(format!("{}/chat/completions", served.base))
            .body(Full::from(Client::Chat.question("p/m", true).to_string()))
            .unwrap();
        let mut response = client().request(request).await.unwrap();
        while let Some(frame) = response.body_mut().frame().await {
            let data = frame.unwrap().into_data().unwrap_or_default();
            if data.windows(4).any(|word| word == b"ing.") {
                break;
            }
        }
        drop(response);
        provider.until_hung_up(1).await;
        let row = only_row(&setup);
        assert_eq!(row["outcome"], "cancelled", "{row}");
        assert!(row["input_tokens"].is_u64(), "what was used is settled: {row}");
    }
}
