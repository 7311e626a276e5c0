//! The scripted provider: an HTTP/1.1 server on a loopback port. It speaks `openai_chat` and, at a
//! path that ends in `/messages`, `anthropic_messages`, whole and streamed; it lists its models, and
//! plays recorded and raw answers at any path.
//!
//! Invariants: it listens on 127.0.0.1 only; every task it starts ends with it; a dropped
//! connection is a real abrupt end, never a clean end of the body.

mod ask;
mod chat;
mod dialect;
mod exchange;
mod messages;
mod play;
mod recorded;
mod rewrite;
mod seen;
mod spoil;
mod stage;
mod steps;

use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use exchange::{Act, Exchange};
use stage::Stage;
use steps::{Lost, Playing};

use crate::Script;

pub use seen::{Ended, Seen};

/// A scripted provider that is running; dropping it ends it.
#[derive(Debug)]
pub struct Provider {
    port: u16,
    stage: Arc<Stage>,
    listening: JoinHandle<()>,
}

impl Provider {
    /// Starts a provider on a free loopback port.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_at(0, script).await
    }

    /// Starts a provider on this loopback port.
    pub async fn start_at(port: u16, script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let stage = Arc::new(Stage::new(script));
        let listening = tokio::spawn(listen(listener, Arc::clone(&stage)));
        Ok(Self { port, stage, listening })
    }

    /// Returns `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        base_url(self.port)
    }

    /// Returns the port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Plays another script from the next request on; its faults are counted from zero.
    pub fn set(&self, script: Script) {
        self.stage.set(script);
    }

    /// Returns the latest requests in the order they came, at most [`Provider::REMEMBERED`].
    pub fn seen(&self) -> Vec<Seen> {
        self.stage.seen()
    }

    /// Returns those of the latest requests whose body holds this, in the order they came.
    pub fn seen_saying(&self, part: &str) -> Vec<Seen> {
        self.stage.seen_saying(part)
    }

    /// How many requests [`Provider::seen`] remembers: a demo may run for days.
    pub const REMEMBERED: usize = stage::REMEMBERED;

    /// Returns how many requests came, connections refused at once included.
    pub fn asked(&self) -> u64 {
        self.stage.asked()
    }

    /// Returns how many requests lost their client before the answer was complete.
    pub fn hung_up(&self) -> u64 {
        self.stage.hung_up()
    }

    /// Waits until this many requests have come.
    pub async fn until_asked(&self, times: u64) {
        self.stage.until_asked(times).await;
    }

    /// Waits until this many requests have lost their client.
    pub async fn until_hung_up(&self, times: u64) {
        self.stage.until_hung_up(times).await;
    }

    /// Forgets what was seen and counted; the script and its counts stay.
    pub fn clear(&self) {
        self.stage.clear();
    }

    /// Ends the provider and every connection, and waits until its port is closed.
    pub async fn stop(mut self) {
        self.listening.abort();
        // Aborting is the only way it ends, so there is no result to look at.
        let _ = (&mut self.listening).await;
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// A loopback port on which nothing listens, held so that nobody else can: connecting is refused.
#[derive(Debug)]
pub struct DeadPort {
    port: u16,
    _held: TcpSocket,
}

impl DeadPort {
    /// Takes a free port without listening on it.
    pub fn take() -> io::Result<Self> {
        Self::take_at(0)
    }

    /// Takes this port without listening on it.
    pub fn take_at(port: u16) -> io::Result<Self> {
        let held = TcpSocket::new_v4()?;
        held.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        Ok(Self { port: held.local_addr()?.port(), _held: held })
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        base_url(self.port)
    }
}

fn base_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/v1")
}

/// Owns the connections: aborting this task drops the set, which ends them all.
async fn listen(listener: TcpListener, stage: Arc<Stage>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if stage.refuses() => reset(&stream),
                Ok((stream, _)) => {
                    open.spawn(converse(stream, Arc::clone(&stage)));
                }
                // Out of file descriptors: others must close first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Playing>, Lost>> + Send>>;

async fn converse(stream: TcpStream, stage: Arc<Stage>) {
    // Every piece must leave when it is written, not when the one before it is acknowledged.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service =
        service_fn(move |request| -> Answering { Box::pin(answer(Arc::clone(&stage), request)) });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    // A cut is a plain close, for a reset may take back what was already sent. A refusal has
    // sent nothing and is a reset.
    if ended.is_err_and(|error| is_reset(&error)) {
        reset(connection.into_parts().io.inner());
    }
}

async fn answer(stage: Arc<Stage>, request: Request<Incoming>) -> Result<Response<Playing>, Lost> {
    let (head, body) = request.into_parts();
    // A client that broke off its own request reads no answer.
    let Ok(body) = body.collect().await else { return Err(Lost::Cut) };
    let seen = Seen::of(&head, body.to_bytes());
    let (act, delay) = stage.hear(&seen);
    let (method, watch) = (head.method, stage.watch(&seen));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match act {
        Act::Answer(answer) => {
            let Exchange { head, steps } = answer.to(&method);
            Ok(head.respond(Playing::new(steps, watch)))
        }
        Act::Hang => pending().await,
        Act::Reset => {
            watch.complete();
            Err(Lost::Reset)
        }
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Lost>());
    cause == Some(&Lost::Reset)
}

/// The socket is closed by its owner next, and then resets instead of ending in order. Where the
/// system refuses the option, the client sees a plain close before any answer.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}
