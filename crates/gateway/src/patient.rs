//! A client's socket, with an end to patience: a client that does not take what is sent to it holds
//! its answer, and with it the provider's, no longer than it may; and one that connects and does not
//! say which HTTP it speaks holds its connection no longer than a head may take.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// What a connection begins with that speaks HTTP/2. The server tells the versions apart by it and
/// has no clock until it has.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A socket that breaks when its other end takes nothing for too long, or does not begin.
#[derive(Debug)]
pub(crate) struct Patient {
    socket: TcpStream,
    opening: Option<Opening>,
    most: Duration,
    /// Runs while something waits to be taken.
    clock: Pin<Box<Sleep>>,
    waiting: bool,
}

/// A connection of which nobody knows yet which HTTP it speaks.
#[derive(Debug)]
struct Opening {
    /// How much of the preface has come.
    met: usize,
    clock: Pin<Box<Sleep>>,
}

/// How patient a socket is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long the other end may take to begin.
    pub(crate) opening: Duration,
    /// How long it may leave what is sent to it untaken.
    pub(crate) taking: Duration,
}

impl Patient {
    pub(crate) fn new(socket: TcpStream, patience: Patience) -> Self {
        let clock = Box::pin(tokio::time::sleep(patience.opening));
        Self {
            socket,
            opening: Some(Opening { met: 0, clock }),
            most: patience.taking,
            clock: Box::pin(tokio::time::sleep(Duration::MAX)),
            waiting: false,
        }
    }

    /// Watches a write: one that waits starts the clock, and any that is taken stops it.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = false;
            return written;
        }
        if !self.waiting {
            self.waiting = true;
            let until = Instant::now() + self.most;
            self.clock.as_mut().reset(until);
        }
        ready!(self.clock.as_mut().poll(cx));
        Poll::Ready(Err(late("the client did not take what was sent to it")))
    }
}

impl Opening {
    /// Takes up what came; says whether it tells which HTTP is spoken.
    fn tells(&mut self, came: &[u8]) -> bool {
        let rest = &PREFACE[self.met..];
        let met = came.iter().zip(rest).take_while(|(one, other)| one == other).count();
        self.met += met;
        met < came.len() || self.met == PREFACE.len()
    }
}

fn late(said: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, said)
}

impl AsyncRead for Patient {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.socket).poll_read(cx, buffer);
        let Some(opening) = &mut this.opening else { return read };
        if read.is_pending() {
            ready!(opening.clock.as_mut().poll(cx));
            return Poll::Ready(Err(late("the client did not say which HTTP it speaks")));
        }
        if opening.tells(&buffer.filled()[before..]) {
            this.opening = None;
        }
        read
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.watch(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, slices);
        this.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const PATIENCE: Patience =
        Patience { opening: Duration::from_secs(30), taking: Duration::from_secs(60) };

    /// Connects, sends this, and says how long the other end reads until it gives up.
    async fn given_up_after(said: &[u8]) -> Option<Duration> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = Patient::new(socket, PATIENCE);
        let began = Instant::now();
        client.write_all(said).await.unwrap();
        let reading = async {
            let mut came = Vec::new();
            loop {
                if let Err(error) = socket.read_buf(&mut came).await {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    return;
                }
            }
        };
        let hour = Duration::from_secs(3_600);
        tokio::time::timeout(hour, reading).await.ok().map(|()| began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_say_what_he_speaks_is_given_up() {
        for said in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n"] {
            let after = given_up_after(said).await.unwrap();
            assert_eq!(after.as_secs(), 30, "{}", said.escape_ascii());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_is_the_servers_to_watch() {
        for said in [&b"G"[..], b"PO", PREFACE, b"PRI * HTTP/1.1\r\n"] {
            assert_eq!(given_up_after(said).await, None, "{}", said.escape_ascii());
        }
    }
}
