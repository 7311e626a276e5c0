//! The accept loop: connections in, and out gracefully.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::Gateway;
use crate::life::handle;
use crate::patient::Patient;
use crate::streams::Streams;

/// How long a new connection may take to bring the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// How long the next head may take, the idle time before it included: longer than the minute that
/// most load balancers keep a connection, so that it is they who close it.
const NEXT_HEAD: Duration = Duration::from_secs(75);

/// How long an HTTP/2 connection may go without a request, at least; at most twice as long.
const IDLE: Duration = Duration::from_secs(60);

/// After how long an idle connection is asked whether its other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long whoever is given up has to hear so.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(2);

/// How connections are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serving {
    /// The most connections; more wait in the system's queue until others end.
    pub connections: usize,
    /// How long a client may leave what is sent to it untaken.
    pub client_silence: Duration,
    /// How long answers under way may take once it is told to stop.
    pub grace: Duration,
}

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Every answer under way was completed.
    Clean,
    /// The grace ran out with answers under way.
    Cut,
}

/// Serves connections until `stop` resolves, then lets what is under way finish within the grace, or
/// until `hurry` resolves. What is not finished by then is told so and ends.
pub async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    hurry: impl Future<Output = ()>,
    serving: Serving,
) -> Shutdown {
    let stage = watch::Sender::new(Stage::Serving);
    let room = Arc::new(Semaphore::new(serving.connections));
    // None outlives this function: dropping the set ends every connection.
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let room = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, room)
        };
        let (accepted, room) = tokio::select! {
            accepted = accepted => accepted,
            Some(_) = open.join_next() => continue,
            () = &mut stop => break,
        };
        let Ok((socket, _)) = accepted else {
            // Out of file descriptors, most likely: wait for some to be given back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        prepare(&socket);
        let connection = connection(Arc::clone(&gateway), socket, serving, stage.subscribe());
        open.spawn(async move {
            connection.await;
            drop(room);
        });
    }
    drop(listener);
    let grace = async {
        tokio::select! {
            () = tokio::time::sleep(serving.grace) => {}
            () = hurry => {}
        }
    };
    end(&gateway, &stage, &mut open, grace).await
}

/// How far the server's end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Serving,
    /// Connections take no new requests.
    Ending,
    /// Connections end as they are.
    Cut,
}

async fn reached(stage: &watch::Receiver<Stage>, wanted: Stage) {
    // A server that is gone has cut its connections.
    let _ = stage.clone().wait_for(|stage| *stage >= wanted).await;
}

/// Serves a connection to its end.
async fn connection(
    gateway: Arc<Gateway>,
    socket: TcpStream,
    serving: Serving,
    stage: watch::Receiver<Stage>,
) {
    let streams = Streams::new(serving.client_silence);
    let mut server = auto::Builder::new(streams.clone());
    server.http1().timer(TokioTimer::new()).header_read_timeout(NEXT_HEAD);
    let mut http2 = server.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(1_000);
    http2.keep_alive_interval(KEEPALIVE).keep_alive_timeout(HEAD);
    let heard = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&heard);
    let service = service_fn(move |request| {
        hears.store(true, Ordering::Relaxed);
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, Infallible>(handle(gateway, request).await) }
    });
    let socket = TokioIo::new(Patient::new(socket, serving.client_silence));
    let served = async {
        let mut served = std::pin::pin!(server.serve_connection(socket, service));
        tokio::select! {
            ended = served.as_mut() => return ended,
            () = reached(&stage, Stage::Ending) => {}
            () = unused(&heard, &streams) => {
                served.as_mut().graceful_shutdown();
                // A request that came just then is answered.
                while streams.under_way() > 0 {
                    let ended = tokio::time::timeout(LAST_WORDS, served.as_mut()).await;
                    if let Ok(ended) = ended { return ended }
                }
                let ended = tokio::time::timeout(LAST_WORDS, served).await;
                return ended.unwrap_or(Ok(()));
            }
        }
        served.as_mut().graceful_shutdown();
        served.await
    };
    tokio::select! {
        ended = served => if let Err(error) = ended {
            tracing::debug!(%error, "connection");
        },
        () = reached(&stage, Stage::Cut) => {}
    }
    streams.end().await;
}

/// Resolves when a connection is held without use.
async fn unused(heard: &AtomicBool, streams: &Streams) {
    tokio::time::sleep(HEAD).await;
    if heard.load(Ordering::Relaxed) && streams.begun() == 0 {
        // Over HTTP/1 every request's head has its clock, the first one only once it has begun.
        return std::future::pending().await;
    }
    let mut before = 0;
    loop {
        let begun = streams.begun();
        if begun == before && streams.under_way() == 0 {
            return;
        }
        before = begun;
        tokio::time::sleep(IDLE).await;
    }
}

/// Small frames of a stream must not wait for each other, and a client whose machine is gone must
/// not be held for ever. Where the system refuses either, it only comes slower.
fn prepare(socket: &TcpStream) {
    let _ = socket.set_nodelay(true);
    let _ = SockRef::from(socket).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
}

/// Lets connections end, and ends those that do not.
async fn end(
    gateway: &Gateway,
    stage: &watch::Sender<Stage>,
    open: &mut JoinSet<()>,
    grace: impl Future<Output = ()>,
) -> Shutdown {
    stage.send_replace(Stage::Ending);
    let ended = tokio::select! {
        () = all(open) => Shutdown::Clean,
        () = grace => {
            gateway.give_up();
            // Whoever does not even take the last words is cut off.
            let _ = tokio::time::timeout(LAST_WORDS, all(open)).await;
            Shutdown::Cut
        }
    };
    stage.send_replace(Stage::Cut);
    all(open).await;
    ended
}

async fn all(open: &mut JoinSet<()>) {
    while open.join_next().await.is_some() {}
}

#[cfg(test)]
mod tests;
