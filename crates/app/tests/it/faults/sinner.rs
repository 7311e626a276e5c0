//! A gateway with a known sin, for showing that the suite can fail. It passes requests on to the
//! wall, whole answers at a time, has no clock, and does not notice that its client has gone.

use std::convert::Infallible;
use std::net::TcpListener as Probe;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::client;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sin {
    /// A cut becomes an end in order.
    EndsClean,
    /// Whatever failed is asked for again at once, ten times.
    Storms,
    /// A stream that is cut goes on with another model's.
    Splices,
    /// Whatever failed was the client's fault.
    Blames,
}

/// A gateway with a sin, listening.
pub(super) struct Sinner {
    port: u16,
    /// The port where the wall is to be.
    pub(super) wall: u16,
    serving: JoinHandle<()>,
}

impl Drop for Sinner {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Sinner {
    pub(super) async fn start(sin: Sin) -> Self {
        let wall = free_pair();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service_fn(move |request| answer(sin, wall, request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { port, wall, serving }
    }

    pub(super) fn base(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }
}

/// Finds a free port whose neighbour is free too.
fn free_pair() -> u16 {
    loop {
        let first = Probe::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && Probe::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

async fn answer(
    sin: Sin,
    wall: u16,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    // In a task of its own, so that it goes on when the client hangs up.
    let forwarded = tokio::spawn(forward(sin, wall, body));
    Ok(forwarded.await.unwrap())
}

/// What came of a request, as far as it came.
struct Came {
    status: u16,
    kind: String,
    body: BytesMut,
    cut: bool,
}

async fn forward(sin: Sin, wall: u16, body: Bytes) -> Response<Full<Bytes>> {
    let mut came = ask(wall, body.clone()).await;
    let times = if sin == Sin::Storms { 9 } else { 0 };
    for _ in 0..times {
        if came.status != 200 {
            came = ask(wall, body.clone()).await;
        }
    }
    if sin == Sin::Splices && came.cut {
        let mut other: Value = serde_json::from_slice(&body).unwrap();
        other["model"] = "ok".into();
        came.body.extend_from_slice(&ask(wall, other.to_string().into()).await.body);
    }
    if sin == Sin::Blames && came.status != 200 {
        let told = r#"{"error":{"message":"Try again.","type":"invalid_request_error"}}"#;
        came = Came { body: told.as_bytes().into(), ..came };
    }
    Response::builder()
        .status(came.status)
        .header("content-type", came.kind)
        .body(Full::new(came.body.freeze()))
        .unwrap()
}

/// The credential with which it comes to the wall, and which the wall may quote.
const CREDENTIAL: &str = "Bearer sk-wall-2f8c1d0e7b964a35";

async fn ask(wall: u16, body: Bytes) -> Came {
    let request = Request::post(format!("http://127.0.0.1:{wall}/v1/chat/completions"))
        .header("content-type", "application/json")
        .header("authorization", CREDENTIAL)
        .body(Full::new(body))
        .unwrap();
    let response = client().request(request).await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let mut came = Came { status, kind, body: BytesMut::new(), cut: false };
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => came.body.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Err(_) => came.cut = true,
        }
    }
    came
}
