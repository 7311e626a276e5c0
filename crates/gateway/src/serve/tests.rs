//! Connections that are held without use: each ends, and those that wait for its place are served.
//! The clock is paused: it runs on to the next timer whenever nothing is to be done.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeMap;

use catalog::Catalog;
use health::Policies;
use http_body_util::Empty;
use hyper::Request;
use hyper_util::rt::TokioExecutor;
use router::Table;
use store::Store;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::*;
use crate::{Load, World};

/// A server with room for one connection.
struct Narrow {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<Shutdown>,
    _folder: TempDir,
}

async fn narrow() -> Narrow {
    let folder = tempfile::tempdir().unwrap();
    let world = World {
        catalog: Catalog::shipped(),
        table: Table::shipped(),
        reach: BTreeMap::new(),
        keys: Vec::new(),
        load: Load { body: 1 << 20, requests: 10, memory: 1 << 20 },
        badge: None,
    };
    let store = Store::open(&folder.path().join("ledger.db")).unwrap();
    let gateway = Gateway::new(world, store, crate::client().unwrap(), Policies::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = Serving { connections: 1, client_silence: HEAD, grace: Duration::from_secs(5) };
    let stopped = async { drop(stopped.await) };
    let served = tokio::spawn(serve(gateway, listener, stopped, std::future::pending(), serving));
    Narrow { address, stop, served, _folder: folder }
}

impl Narrow {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Asks over HTTP/1.
    async fn is_served(&self) {
        let mut socket = self.connect().await;
        let asked = b"GET /health/live HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
        socket.write_all(asked).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        assert_eq!(self.served.await.unwrap(), Shutdown::Clean);
    }
}

#[tokio::test(start_paused = true)]
async fn sockets_that_bring_no_request_give_up_their_place() {
    // Nothing, the beginning of what may become HTTP/2, the beginning of a head.
    for beginning in ["", "PRI * HT", "GET /health/live HTTP/1.1\r\nhost"] {
        let narrow = narrow().await;
        let mut silent = narrow.connect().await;
        silent.write_all(beginning.as_bytes()).await.unwrap();
        narrow.is_served().await;
        assert!(!matches!(silent.read(&mut [0]).await, Ok(1..)), "{beginning}: it was answered");
        narrow.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn http2_without_requests_is_told_that_it_ends() {
    let narrow = narrow().await;
    let socket = TokioIo::new(narrow.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let asked = Request::get(format!("http://{}/health/live", narrow.address));
    let answered = sender.send_request(asked.body(Empty::<bytes::Bytes>::new()).unwrap()).await;
    assert_eq!(answered.unwrap().status(), 200);
    narrow.is_served().await;
    // A connection that is told ends without an error.
    connection.await.unwrap().unwrap();
    narrow.end().await;
}
