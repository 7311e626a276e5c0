//! The load: connections kept open, each asking as soon as it was answered; every answer is checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::provider;
use super::servers::Server;

/// Connections that are kept open and used again.
type Connections = Client<HttpConnector, Full<Bytes>>;

/// How answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Whole,
    Stream,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Stream => "stream",
        }
    }
}

/// A round of load.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) mode: Mode,
    pub(crate) requests: usize,
    pub(crate) concurrency: usize,
}

/// Sends a round and returns how long it took.
pub(crate) async fn run(server: &Server, load: &Load) -> anyhow::Result<Duration> {
    let client = connections();
    let body = Bytes::from(body(server.model, load.mode));
    let left = Arc::new(AtomicUsize::new(load.requests));
    let mut tasks = tokio::task::JoinSet::new();
    let began = Instant::now();
    for _ in 0..load.concurrency {
        let (client, body, left, url) =
            (client.clone(), body.clone(), Arc::clone(&left), server.url.clone());
        let mode = load.mode;
        tasks.spawn(async move {
            let take = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                ask(&client, &url, body.clone(), mode).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}

/// Says whether a server answers a GET with 200.
pub(crate) async fn answers(url: &str) -> bool {
    let Ok(request) = Request::get(url).body(Full::default()) else { return false };
    connections().request(request).await.is_ok_and(|response| response.status() == 200)
}

fn connections() -> Connections {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn ask(client: &Connections, url: &str, body: Bytes, mode: Mode) -> anyhow::Result<()> {
    let request =
        Request::post(url).header("content-type", "application/json").body(Full::from(body))?;
    let response = client.request(request).await?;
    let status = response.status();
    let answer = response.into_body().collect().await?.to_bytes();
    ensure!(status == 200, "answered {status}: {}", String::from_utf8_lossy(&answer));
    let complete = match mode {
        Mode::Whole => answer.ends_with(b"}") && answer.len() > 1_000,
        Mode::Stream => answer.ends_with(b"data: [DONE]\n\n") && answer.len() > 4_000,
    };
    ensure!(complete, "an answer of {} bytes is not complete", answer.len());
    Ok(())
}

/// A request of about two kilobytes, as an application with a system prompt sends them.
fn body(model: &str, mode: Mode) -> Vec<u8> {
    let question = match mode {
        Mode::Whole => provider::WHOLE,
        Mode::Stream => provider::STREAM,
    };
    let prompt = "You answer questions about railways, briefly and with the source. ".repeat(28);
    serde_json::json!({
        "model": model,
        "stream": mode == Mode::Stream,
        "messages": [
            {"role": "system", "content": prompt},
            {"role": "user", "content": question},
        ],
    })
    .to_string()
    .into_bytes()
}
