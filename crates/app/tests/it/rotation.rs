//! What changes under a request: its client leaves, the gateway goes down, a credential is renewed,
//! and every target rests.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script, Spelling, When};
use tokio::io::AsyncWriteExt;

use crate::clients::Client;
use crate::resilience::{pair, target, targets};
use crate::support::{Served, Setup, ask, client, only_row, rows};

/// Asks over a socket of its own, and leaves once the first attempt has failed.
async fn leave_while_it_pauses(stream: bool) {
    let throttle = Fault::Throttle(Spelling::parse("seconds").unwrap());
    let (setup, weak, _safe) = pair(Answer::text("").failing(throttle), "retries: 3").await;
    let served = setup.serve();
    let address = served.root().trim_start_matches("http://").to_owned();
    let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
    let body = ask("weak/weak-a", stream, "hi").to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    // The attempt has been heard of once the target is known to throttle.
    while targets(&served).await["targets"][0]["willing"] != json!(false) {}
    drop(socket);
    let row = only_row(&setup);
    assert_eq!(
        (&row["outcome"], &row["failure"]),
        (&json!("failed"), &json!("rate_limit_exceeded"))
    );
    assert_eq!((weak.asked(), rows(&setup).len()), (1, 1), "every attempt once, and no other");
    assert_eq!(targets(&served).await["requests"], 0, "its place is free");
    let decision =
        served.get(&format!("/api/decisions/{}", row["decision"].as_str().unwrap())).await;
    let attempts = decision.json()["attempts"].as_array().unwrap().len();
    assert_eq!((attempts, weak.asked()), (1, 1), "{}", decision.text());
}

#[tokio::test]
async fn a_client_that_leaves_during_a_pause_ends_the_attempts() {
    leave_while_it_pauses(false).await;
    leave_while_it_pauses(true).await;
}

/// Begins to ask in a client's dialect and returns what will have come when the answer ends.
fn begin(served: &Served, dialect: Client, stream: bool) -> tokio::task::JoinHandle<(u16, String)> {
    let path = dialect.path("one/one-a", stream);
    let request = Request::post(format!("{}{path}", served.root()))
        .header("content-type", "application/json")
        .body(Full::from(dialect.question("one/one-a", stream).to_string()))
        .unwrap();
    tokio::spawn(async move {
        let response = client().request(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    })
}

async fn graced(answer: Answer, grace: &str) -> (Setup, Provider) {
    let provider = Provider::start(Script::of(answer)).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    setup.configure(&format!("shutdown: {{ grace: {grace} }}"));
    (setup, provider)
}

async fn stopped(served: Served) -> Option<i32> {
    tokio::task::spawn_blocking(move || served.stop()).await.unwrap()
}

#[tokio::test]
async fn what_outlasts_the_grace_is_told_that_the_gateway_goes_down() {
    let answer = Answer::text("one two three").failing(Fault::SilenceAfter(2));
    let (setup, provider) = graced(answer, "300ms").await;
    let served = setup.serve();
    let clients = [Client::Chat, Client::Responses, Client::Anthropic, Client::Gemini];
    let asked = clients.map(|dialect| (dialect, begin(&served, dialect, true)));
    provider.until_asked(4).await;
    assert_eq!(stopped(served).await, Some(1), "not everything was answered");
    for (dialect, answer) in asked {
        let (status, stream) = answer.await.unwrap();
        let heard = dialect.heard_streamed(&stream);
        if status == 200 {
            assert_eq!((heard.ends, heard.errors), (0, 1), "{dialect:?}: {stream}");
        }
        assert!(stream.to_lowercase().contains("gateway_shutting_down"), "{dialect:?}: {stream}");
    }
    provider.until_hung_up(4).await;
    let rows = rows(&setup);
    assert_eq!(rows.len(), 4, "every attempt once");
    for row in rows {
        assert_ne!(row["outcome"], "answered", "{row}");
    }
}

#[tokio::test]
async fn who_is_told_to_stop_a_second_time_stops_at_once() {
    let answer = Answer::text("one two three").failing(Fault::SilenceAfter(2));
    let (setup, provider) = graced(answer, "10m").await;
    let served = setup.serve();
    let asked = begin(&served, Client::Chat, true);
    provider.until_asked(1).await;
    served.signal("-TERM");
    while !served.log().contains("stopping") {
        tokio::task::yield_now().await;
    }
    assert_eq!(stopped(served).await, Some(1));
    let (_, told) = asked.await.unwrap();
    assert!(told.contains("gateway_shutting_down"), "{told}");
}

#[tokio::test]
async fn a_whole_answer_that_outlasts_the_grace_is_told_so_too() {
    let (setup, provider) = graced(Answer::text("").failing(Fault::NeverAnswer), "300ms").await;
    let served = setup.serve();
    let answer = begin(&served, Client::Chat, false);
    provider.until_asked(1).await;
    assert_eq!(stopped(served).await, Some(1));
    let (status, body) = answer.await.unwrap();
    let error: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &error["error"]["code"]), (503, &json!("gateway_shutting_down")), "{body}");
    assert_eq!(error["error"]["fault"], "gateway");
    assert_eq!(rows(&setup).len(), 1);
}

#[tokio::test]
async fn a_request_that_pauses_when_the_grace_ends_is_told_and_not_tried_again() {
    let throttle = Fault::Throttle(Spelling::parse("seconds").unwrap());
    let (setup, provider) = graced(Answer::text("").failing(throttle), "100ms").await;
    let served = setup.serve();
    let answer = begin(&served, Client::Chat, false);
    while targets(&served).await["targets"][0]["willing"] != json!(false) {}
    assert_eq!(stopped(served).await, Some(1));
    let (status, body) = answer.await.unwrap();
    let error: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &error["error"]["code"]), (503, &json!("gateway_shutting_down")), "{body}");
    assert_eq!(error["error"]["attempts"][0]["code"], "rate_limit_exceeded", "{body}");
    assert_eq!((provider.asked(), rows(&setup).len()), (1, 1));
}

#[tokio::test]
async fn what_ends_within_the_grace_is_answered() {
    let slow = Fault::SlowChunks(std::time::Duration::from_millis(40));
    let (setup, provider) = graced(Answer::text("one two three four").failing(slow), "30s").await;
    let served = setup.serve();
    let streams = [(); 3].map(|()| begin(&served, Client::Chat, true));
    let whole = begin(&served, Client::Anthropic, false);
    provider.until_asked(4).await;
    let address = served.root().trim_start_matches("http://").to_owned();
    assert_eq!(stopped(served).await, Some(0));
    for answer in streams {
        let (_, stream) = answer.await.unwrap();
        let heard = Client::Chat.heard_streamed(&stream);
        assert_eq!((heard.text.as_str(), heard.ends), ("one two three four", 1), "{stream}");
    }
    assert_eq!(whole.await.unwrap().0, 200);
    assert!(tokio::net::TcpStream::connect(&address).await.is_err(), "nobody listens any more");
    assert!(rows(&setup).iter().all(|row| row["outcome"] == "answered"));
}

/// A provider that takes the new key alone.
fn only_new() -> Script {
    Script::of(Answer::text("").failing(Fault::status(401)))
        .when(When::header("authorization", "sk-new"), Answer::text("welcome"))
}

async fn keyed() -> (Setup, Provider) {
    let provider = Provider::start(only_new()).await.unwrap();
    let setup = Setup::new();
    setup.write("secret", "sk-old-0123456789\n");
    let auth = format!("auth: {{ bearer: 'file:{}' }}", setup.path("secret").display());
    setup.speaker("keyed", &provider.base_url(), "openai_chat", &auth);
    (setup, provider)
}

async fn reload(served: &Served) {
    let before = served.log().matches("\"reloaded\"").count();
    served.signal("-HUP");
    while served.log().matches("\"reloaded\"").count() == before {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_retired_credential_is_used_again_once_it_was_changed() {
    let (setup, provider) = keyed().await;
    let served = setup.serve();
    let body = ask("keyed/m", false, "hi");
    let got = served.chat(&body).await;
    assert_eq!((got.status, got.code()), (502, "provider_authentication_failed".to_owned()));
    // From now on nobody is asked, and the caller hears why.
    let got = served.chat(&body).await;
    assert_eq!((got.status, got.code()), (502, "provider_authentication_failed".to_owned()));
    assert!(got.message().contains("keyed/m was not asked"), "{}", got.text());
    assert!(got.message().contains("retired"), "{}", got.text());
    assert_eq!(provider.asked(), 1);
    // The same secret read anew is no other.
    reload(&served).await;
    assert_eq!(served.chat(&body).await.status, 502);
    assert_eq!(provider.asked(), 1);
    setup.write("secret", "sk-new-0123456789\n");
    reload(&served).await;
    for _ in 0..3 {
        let got = served.chat(&body).await;
        assert_eq!(got.status, 200, "{}", got.text());
    }
    assert_eq!(provider.asked(), 4);
    assert_eq!(target(&targets(&served).await, "keyed/m")["willing"], true);
    assert!(!served.log().contains("sk-"), "no secret is logged");
}

#[tokio::test]
async fn a_refusal_of_the_old_credential_that_comes_late_is_not_the_new_ones() {
    let (setup, provider) = keyed().await;
    let slow =
        Answer::text("").failing(Fault::status(401)).after(std::time::Duration::from_secs(2));
    provider.set(Script { default: slow, ..only_new() });
    let served = setup.serve();
    let body = ask("keyed/m", false, "hi");
    let late = served.chat(&body);
    let renewed = async {
        provider.until_asked(1).await;
        setup.write("secret", "sk-new-0123456789\n");
        reload(&served).await;
    };
    let (late, ()) = tokio::join!(late, renewed);
    assert_eq!(late.code(), "provider_authentication_failed");
    let got = served.chat(&body).await;
    assert_eq!(got.status, 200, "{}", got.text());
}

#[tokio::test]
async fn where_all_targets_rest_the_error_says_why_and_until_when() {
    let down = || Answer::text("").failing(Fault::status(500));
    let (setup, weak, safe) = pair(down(), "retries: 0").await;
    safe.set(Script::of(down()));
    setup.configure("breaker: { consecutive: 1, open: 60s }");
    let served = setup.serve();
    served.chat(&ask("task/work", false, "hi")).await;
    let asked = weak.asked() + safe.asked();
    for stream in [false, true] {
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert!(got.status >= 500, "{}", got.text());
        let told = got.message();
        assert!(told.contains("its circuit is open after failures, again in "), "{told}");
        assert!(told.contains("weak/weak-a") && told.contains("safe/safe-a"), "{told}");
    }
    assert_eq!(weak.asked() + safe.asked(), asked + 2, "one of them is asked, and no more");
    let page = targets(&served).await;
    for name in ["weak/weak-a", "safe/safe-a"] {
        let target = target(&page, name);
        assert_eq!((&target["circuit"], &target["willing"]), (&json!("open"), &json!(false)));
        assert!(target["again_ms"].as_u64().unwrap() <= 600_000, "{page:#}");
    }
}
