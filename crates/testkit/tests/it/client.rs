//! A plain HTTP/1.1 client that keeps what came before an answer broke off.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use testkit::Provider;

/// An answer, as far as it came.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the connection ended before the body did.
    pub(crate) broken: bool,
}

impl Got {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Returns the data of every event, in order.
    pub(crate) fn data(&self) -> Vec<String> {
        let text = self.text().replace("\r\n", "\n");
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        lines.map(str::to_owned).collect()
    }

    /// Returns the events that are JSON.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        self.data().iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
    }

    /// Returns the text that the chunks say together.
    pub(crate) fn said(&self) -> String {
        let chunks = self.chunks();
        let words =
            chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
        words.collect()
    }
}

/// An answer whose head is here; dropping it hangs up.
pub(crate) struct Begun {
    pub(crate) response: Response<Incoming>,
    driver: JoinHandle<hyper::Result<()>>,
}

impl Begun {
    /// Waits for one more piece of the body.
    pub(crate) async fn piece(&mut self) -> Option<Bytes> {
        let frame = self.response.body_mut().frame().await?.ok()?;
        frame.into_data().ok()
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Asks for a chat completion.
pub(crate) fn chat(said: &str) -> Value {
    json!({"model": "small", "messages": [{"role": "user", "content": said}]})
}

/// Asks for a streamed chat completion.
pub(crate) fn streamed(said: &str) -> Value {
    let mut body = chat(said);
    body["stream"] = json!(true);
    body
}

/// Returns the request for a chat completion.
pub(crate) fn post(body: &Value) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    Request::post("/v1/chat/completions?trace=1")
        .header("host", "127.0.0.1")
        .header("Authorization", "Bearer sk-test")
        .body(Full::from(body.to_string()))
}

/// Sends a request and waits for the head of its answer.
pub(crate) async fn begin(
    provider: &Provider,
    request: Request<Full<Bytes>>,
) -> Result<Begun, Box<dyn Error>> {
    let stream = TcpStream::connect(("127.0.0.1", provider.port())).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    Ok(Begun { response, driver })
}

/// Sends a request and reads its answer to the end, good or bad.
pub(crate) async fn send(
    provider: &Provider,
    request: Request<Full<Bytes>>,
) -> Result<Got, Box<dyn Error>> {
    let mut begun = begin(provider, request).await?;
    let status = begun.response.status().as_u16();
    let headers = std::mem::take(begun.response.headers_mut());
    let mut body = Vec::new();
    let mut broken = false;
    while let Some(frame) = begun.response.body_mut().frame().await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(bytes)) => body.extend_from_slice(&bytes),
            Ok(Err(_)) => {}
            Err(_) => broken = true,
        }
    }
    Ok(Got { status, headers, body: Bytes::from(body), broken })
}

/// Asks for a chat completion and reads the answer.
pub(crate) async fn ask(provider: &Provider, body: &Value) -> Result<Got, Box<dyn Error>> {
    send(provider, post(body)?).await
}
