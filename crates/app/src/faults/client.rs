//! The client: one connection a request, the bytes as they come with the time they came, and a way
//! to hang up. It knows no dialect and judges nothing.

use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// How long the client waits before it says that nothing ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// The bytes of a body that are kept; more are counted.
const KEPT: usize = 1 << 20;

/// What is asked, and where.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// The address.
    pub(crate) url: String,
    /// The headers, the type of the body apart.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

/// When the client hangs up before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HangUp {
    /// It does not.
    Never,
    /// After this long.
    After(Duration),
    /// A moment after these bytes came.
    At(&'static str),
}

/// What the client saw.
#[derive(Debug)]
pub(crate) struct Saw {
    /// Status and headers, where they came.
    pub(crate) head: Option<(u16, HeaderMap)>,
    /// The body, as far as it came and was kept.
    pub(crate) body: Vec<u8>,
    /// The bytes of the body.
    pub(crate) size: usize,
    /// How it ended.
    pub(crate) end: End,
    /// When it began.
    pub(crate) began: Instant,
    /// When the first byte of the body came.
    pub(crate) first_byte: Option<Instant>,
    /// When it ended.
    pub(crate) ended: Instant,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The message is complete.
    Complete,
    /// The connection broke, or none came about.
    Broken(String),
    /// Nothing ended it in the time the client waits.
    Hung,
    /// The client hung up.
    Left,
}

impl Saw {
    /// Returns how long it took.
    pub(crate) fn took(&self) -> Duration {
        self.ended.duration_since(self.began)
    }

    /// Returns the status.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.as_ref().map(|(status, _)| *status)
    }

    /// Returns the content type, without its parameters.
    pub(crate) fn content_type(&self) -> &str {
        let value = self.head.as_ref().and_then(|(_, headers)| headers.get("content-type"));
        let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim()
    }
}

/// Asks, and sees what comes.
pub(crate) async fn ask(asking: &Asking, hang_up: HangUp) -> Saw {
    let began = Instant::now();
    let mut saw = Saw {
        head: None,
        body: Vec::new(),
        size: 0,
        end: End::Hung,
        began,
        first_byte: None,
        ended: began,
    };
    let patience = match hang_up {
        HangUp::After(time) => time,
        HangUp::Never | HangUp::At(_) => PATIENCE,
    };
    let ended = tokio::time::timeout(patience, listen(asking, hang_up, &mut saw)).await;
    saw.end = match (ended, hang_up) {
        (Ok(Ok(end)), _) => end,
        (Ok(Err(error)), _) => End::Broken(error.root_cause().to_string()),
        (Err(_), HangUp::After(_)) => End::Left,
        (Err(_), _) => End::Hung,
    };
    saw.ended = Instant::now();
    saw
}

async fn listen(asking: &Asking, hang_up: HangUp, saw: &mut Saw) -> anyhow::Result<End> {
    let mut open = send(asking).await?;
    let head = open.response.headers().clone();
    saw.head = Some((open.response.status().as_u16(), head));
    while let Some(frame) = open.response.body_mut().frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        saw.first_byte.get_or_insert_with(Instant::now);
        saw.size += data.len();
        let room = KEPT.saturating_sub(saw.body.len()).min(data.len());
        saw.body.extend_from_slice(&data[..room]);
        if let HangUp::At(mark) = hang_up
            && String::from_utf8_lossy(&saw.body).contains(mark)
        {
            tokio::time::sleep(Duration::from_millis(200)).await;
            return Ok(End::Left);
        }
    }
    Ok(End::Complete)
}

/// An answer whose head is here; dropping it closes the connection.
struct Open {
    response: Response<Incoming>,
    _driving: Driving,
}

struct Driving(JoinHandle<hyper::Result<()>>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn send(asking: &Asking) -> anyhow::Result<Open> {
    let uri: Uri = asking.url.parse().context("read the gateway's address")?;
    anyhow::ensure!(uri.scheme_str() == Some("http"), "only http:// addresses can be driven");
    let host = uri.host().context("the gateway's address names no host")?;
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driving = Driving(tokio::spawn(connection));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::post(path)
        .header("host", format!("{host}:{port}"))
        .header("content-type", "application/json");
    for (name, value) in &asking.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::<Bytes>::from(asking.body.clone()))?;
    let response = sender.send_request(request).await?;
    Ok(Open { response, _driving: driving })
}
