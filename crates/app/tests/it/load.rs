//! More than the gateway takes, clients that are too slow, and targets that are busy.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::canned;
use crate::resilience::{pair, target, targets};
use crate::support::{Served, Setup, ask, client, only_row};

/// Opens a connection and posts a chat over it, whose answer nobody reads yet.
async fn post(served: &Served, body: &Value) -> TcpStream {
    let address = served.root().trim_start_matches("http://").to_owned();
    let mut socket = TcpStream::connect(&address).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    socket
}

async fn one(answer: Answer, config: &str) -> (Setup, Provider) {
    let provider = Provider::start(Script::of(answer)).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    setup.configure(config);
    (setup, provider)
}

/// Waits until nothing is under way.
async fn until_idle(served: &Served) {
    let began = Instant::now();
    while targets(served).await["requests"] != 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", served.log());
    }
}

#[tokio::test]
async fn a_request_too_many_is_told_when_to_come_again() {
    let (setup, provider) =
        one(Answer::text("").failing(Fault::NeverAnswer), "limits: { requests: 1 }").await;
    let served = setup.serve();
    let first = post(&served, &ask("one-a", false, "hi")).await;
    provider.until_asked(1).await;
    for stream in [false, true] {
        let got = served.chat(&ask("one-a", stream, "hi")).await;
        assert_eq!((got.status, got.code()), (503, "gateway_overloaded".to_owned()));
        assert_eq!(got.header("retry-after"), Some("1"));
        assert_eq!(got.header("x-should-retry"), Some("true"));
        assert_eq!(got.json()["error"]["fault"], "gateway", "{}", got.text());
        assert!(got.message().contains("1 requests are under way"), "{}", got.text());
        assert!(got.json()["error"]["help"].as_str().unwrap().contains("limits.requests"));
    }
    assert_eq!(served.get("/health/live").await.status, 200, "only conversations are counted");
    assert_eq!(targets(&served).await["requests"], 1);
    drop(first);
    until_idle(&served).await;
    provider.set(Script::saying("at last"));
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200);
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn a_stream_has_its_place_until_its_end() {
    let answer = Answer::text("one two three").failing(Fault::SilenceAfter(2));
    let (setup, provider) = one(answer, "limits: { requests: 1 }").await;
    let served = setup.serve();
    let request = Request::post(format!("{}/chat/completions", served.base))
        .body(Full::from(ask("one-a", true, "hi").to_string()))
        .unwrap();
    let mut first = client().request(request).await.unwrap();
    first.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.code(), "gateway_overloaded");
    drop(first);
    provider.until_hung_up(1).await;
    until_idle(&served).await;
    provider.set(Script::saying("well"));
    for stream in [true, true, false] {
        assert_eq!(served.chat(&ask("one-a", stream, "hi")).await.status, 200, "its place is free");
        until_idle(&served).await;
    }
}

#[tokio::test]
async fn bodies_that_fill_the_memory_are_refused_and_its_room_comes_back() {
    let config = "limits: { memory: 100000, body: 100000 }";
    let (setup, provider) = one(Answer::text("").failing(Fault::NeverAnswer), config).await;
    let served = setup.serve();
    let large = ask("one-a", false, &"word ".repeat(12_000));
    let first = post(&served, &large).await;
    provider.until_asked(1).await;
    let got = served.chat(&large).await;
    assert_eq!((got.status, got.code()), (503, "gateway_overloaded".to_owned()));
    assert_eq!(got.header("retry-after"), Some("1"));
    assert!(got.message().contains("100000 bytes"), "{}", got.text());
    provider.set(Script::saying("well"));
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200, "a small one has room");
    drop(first);
    until_idle(&served).await;
    assert_eq!(served.chat(&large).await.status, 200);
}

#[tokio::test]
async fn a_connection_too_many_waits_for_another_to_end() {
    let (setup, provider) = one(Answer::text("well"), "limits: { connections: 1 }").await;
    let served = setup.serve();
    let mut first = post(&served, &ask("one-a", false, "hi")).await;
    let mut piece = [0; 16];
    first.read_exact(&mut piece).await.unwrap();
    let mut second = post(&served, &ask("one-b", false, "hi")).await;
    first.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answered = Vec::new();
    while !String::from_utf8_lossy(&answered).contains("\"status\":\"ok\"") {
        assert!(first.read_buf(&mut answered).await.unwrap() > 0);
    }
    assert_eq!(provider.asked(), 1, "the second one is not read yet");
    drop(first);
    second.read_exact(&mut piece).await.unwrap();
    assert_eq!((&piece[..12], provider.asked()), (&b"HTTP/1.1 200"[..], 2));
}

/// More of a stream than the buffers between a provider and a client that does not read will hold.
fn endless() -> Answer {
    let words = "word ".repeat(800);
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "one-a",
        "choices": [{"index": 0, "delta": {"content": words}, "finish_reason": null}]});
    canned::raw(200, "text/event-stream", canned::data(&chunk).repeat(12_000))
}

#[tokio::test]
async fn a_client_that_does_not_read_is_hung_up_on() {
    let (setup, provider) = one(endless(), "limits: { client_silence: 300ms }").await;
    let served = setup.serve();
    let reads_nothing = post(&served, &ask("one-a", true, "hi")).await;
    provider.until_hung_up(1).await;
    until_idle(&served).await;
    let row = only_row(&setup);
    assert_eq!(
        (&row["outcome"], &row["counted"]),
        (&json!("cancelled"), &json!("estimated")),
        "{row}"
    );
    assert!(row["output_tokens"].as_u64().unwrap() > 0, "{row}");
    assert_eq!(targets(&served).await["targets"][0]["failures"], 0, "no fault of the target's");
    drop(reads_nothing);
}

#[tokio::test]
async fn a_busy_target_is_passed_over_for_the_next() {
    let (setup, weak, safe) =
        pair(Answer::text("").failing(Fault::NeverAnswer), "retries: 0, patience: 100ms").await;
    let record = std::fs::read_to_string(setup.path("providers/weak.yaml")).unwrap();
    setup.write("providers/weak.yaml", &format!("{record}concurrency: 1\n"));
    let served = setup.serve();
    let first = post(&served, &ask("task/work", false, "hi")).await;
    weak.until_asked(1).await;
    for stream in [false, true] {
        let got = served.chat(&ask("task/work", stream, "hi")).await;
        assert_eq!(got.header("x-pointsman-model"), Some("safe/safe-a"), "{}", got.text());
        assert_eq!(got.header("x-pointsman-attempts"), Some("1"), "nobody was asked in vain");
        let decision = served.decision(&got).await;
        let passed = &decision["passed_over"][0];
        assert_eq!(passed["target"], "weak/weak-a", "{decision:#}");
        assert!(passed["why"].as_str().unwrap().contains("under way"), "{decision:#}");
    }
    let page = targets(&served).await;
    let busy = target(&page, "weak/weak-a");
    assert_eq!((&busy["in_flight"], &busy["limit"]), (&json!(1), &json!(1)), "{page:#}");
    let got = served.chat(&ask("weak/weak-a", false, "hi")).await;
    assert_eq!((got.status, got.code()), (503, "provider_busy".to_owned()), "{}", got.text());
    assert!(got.json()["error"]["help"].as_str().unwrap().contains("concurrency"));
    drop(first);
    weak.until_hung_up(1).await;
    until_idle(&served).await;
    weak.set(Script::saying("free again"));
    let got = served.chat(&ask("task/work", false, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("weak/weak-a"));
    assert_eq!((weak.asked(), safe.asked()), (2, 2));
}

#[tokio::test]
async fn a_request_waits_for_a_busy_target_that_is_the_only_one() {
    let (setup, weak, _safe) =
        pair(Answer::text("well").after(Duration::from_millis(300)), "patience: 20s").await;
    let record = std::fs::read_to_string(setup.path("providers/weak.yaml")).unwrap();
    setup.write("providers/weak.yaml", &format!("{record}concurrency: 1\n"));
    let table = std::fs::read_to_string(setup.path("routing.yaml")).unwrap();
    setup.write("routing.yaml", &format!("{table}  alone: {{ primary: weak/weak-a }}\n"));
    let served = setup.serve();
    let body = ask("task/alone", false, "hi");
    let all = tokio::join!(served.chat(&body), served.chat(&body), served.chat(&body));
    for got in [all.0, all.1, all.2] {
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(got.header("x-pointsman-attempts"), Some("1"));
    }
    assert_eq!(weak.asked(), 3);
    let seen = weak.seen();
    for pair in seen.windows(2) {
        let (_, ended) = pair[0].ended().unwrap();
        assert!(pair[1].at >= ended, "one at a time");
    }
}

#[tokio::test]
async fn a_client_of_http_2_that_does_not_read_is_hung_up_on_too() {
    let (setup, provider) = one(endless(), "limits: { client_silence: 300ms }").await;
    let served = setup.serve();
    let address = served.root().trim_start_matches("http://").to_owned();
    let socket = TokioIo::new(TcpStream::connect(&address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("{}/chat/completions", served.base))
        .body(Full::<Bytes>::from(ask("one-a", true, "hi").to_string()))
        .unwrap();
    // Its window fills, while its connection stays well.
    let reads_nothing = sender.send_request(request).await.unwrap();
    provider.until_hung_up(1).await;
    until_idle(&served).await;
    assert_eq!(only_row(&setup)["outcome"], "cancelled");
    drop(reads_nothing);
}
