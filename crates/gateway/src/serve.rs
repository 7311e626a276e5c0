//! The accept loop: connections in, and out gracefully.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Gateway;
use crate::life::handle;
use crate::patient::{Patience, Patient};

/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(30);

/// After how long an idle connection is asked whether its other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long answers that are given up have to say so.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How connections are served.
#[derive(Debug, Clone, Copy)]
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

/// Serves connections until `stop` resolves, then lets what is under way finish within the grace.
/// What is not finished by then is told so and ends.
pub async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    serving: Serving,
) -> Shutdown {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    server.http2().timer(TokioTimer::new()).max_concurrent_streams(1_000);
    // HTTP/2 has no clock for the head, but a client that is not there answers no ping.
    server.http2().keep_alive_interval(KEEPALIVE).keep_alive_timeout(HEAD);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(serving.connections));
    // Dropping the set ends every connection: none outlives this function.
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
        let (gateway, untaken) = (Arc::clone(&gateway), serving.client_silence);
        let service = service_fn(move |request| {
            let gateway = Arc::clone(&gateway);
            async move { Ok::<_, Infallible>(handle(gateway, request, untaken).await) }
        });
        let patience = Patience { opening: HEAD, taking: untaken };
        let socket = TokioIo::new(Patient::new(socket, patience));
        let connection = graceful.watch(server.serve_connection(socket, service).into_owned());
        open.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection");
            }
            drop(room);
        });
    }
    drop(listener);
    end(&gateway, graceful, &mut open, serving.grace).await
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
    graceful: GracefulShutdown,
    open: &mut JoinSet<()>,
    grace: Duration,
) -> Shutdown {
    let mut ending = std::pin::pin!(graceful.shutdown());
    let ended = match tokio::time::timeout(grace, &mut ending).await {
        Ok(()) => Shutdown::Clean,
        Err(_) => {
            gateway.give_up();
            // Whoever does not even take the last words is cut off.
            let _ = tokio::time::timeout(LAST_WORDS, &mut ending).await;
            Shutdown::Cut
        }
    };
    open.shutdown().await;
    ended
}
