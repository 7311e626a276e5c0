//! A client that takes nothing of its answer holds it, and its provider's, no longer than it may;
//! also over HTTP/2, where its socket shows nothing.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::{Answer, Fault, Provider, Script};
use tokio::net::TcpStream;

use crate::support::{Served, Setup, ask, only_row};

/// Asks over HTTP/2 for a stream with a window of one byte, and takes not even that.
async fn leaves(served: &Served) -> hyper::Response<Incoming> {
    let address = served.root().trim_start_matches("http://").to_owned();
    let socket = TcpStream::connect(&address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1)
        .handshake::<_, Full<Bytes>>(TokioIo::new(socket))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://{address}/v1/chat/completions"))
        .body(Full::from(ask("one-a", true, "hi").to_string()))
        .unwrap();
    sender.send_request(request).await.unwrap()
}

/// A stream that is left untaken is given up, and with it all that it holds.
async fn check(configured: impl FnOnce(&Setup)) {
    let silent = Answer::text("one two three four").failing(Fault::SilenceAfter(2));
    let provider = Provider::start(Script::of(silent)).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    configured(&setup);
    let served = setup.serve();
    let response = leaves(&served).await;
    assert_eq!(response.status(), 200);
    provider.until_hung_up(1).await;
    assert_eq!(only_row(&setup)["outcome"], "cancelled");
    let page = served.get("/api/health/targets").await.json();
    assert_eq!(page["requests"], 0, "{page}");
    assert_eq!(page["targets"][0]["in_flight"], 0, "{page}");
}

#[tokio::test]
async fn a_stream_without_a_window_ends_when_its_client_was_silent_for_too_long() {
    check(|setup| setup.configure("limits: { client_silence: 1s }")).await;
}

#[tokio::test]
async fn a_stream_without_a_window_ends_with_its_requests_time() {
    check(|setup| {
        setup.table("version: t\ndefault_model: one/one-a\ndirect: { total: 1s }\ntasks: {}\n");
    })
    .await;
}

#[tokio::test]
async fn a_stream_without_a_window_does_not_hold_up_the_end() {
    let slow = Fault::SlowChunks(Duration::from_millis(50));
    let text = "word ".repeat(1_000);
    let provider = Provider::start(Script::of(Answer::text(&text).failing(slow))).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    setup.configure("shutdown: { grace: 0s }");
    let served = setup.serve();
    let response = leaves(&served).await;
    let code = tokio::task::spawn_blocking(move || served.stop()).await.unwrap();
    assert_eq!(code, Some(1), "what was under way was cut");
    drop(response);
    assert_eq!(only_row(&setup)["outcome"], "cancelled");
}
