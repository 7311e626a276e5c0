//! A body on its way to a client, with an end to patience where the socket has none: over HTTP/2 a
//! client may leave its stream untaken while its connection is well. The answer is given up then,
//! as if the client had hung up, and what it still holds at the provider's goes with it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::Version;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::answer::Body;

/// A body that is sent.
pub(crate) enum Taken {
    /// The socket watches whether it is taken, or it is there as a whole and holds nothing.
    Plain(Body),
    /// Somebody watches whether it is taken.
    Watched(Watched),
}

/// A body that is given up when it is not taken.
pub(crate) struct Watched {
    flow: Arc<Mutex<Flow>>,
    watch: JoinHandle<()>,
}

struct Flow {
    /// None once it has been given up.
    body: Option<Body>,
    /// Since when what was given waits to be taken; None while the next piece is waited for.
    given: Option<Instant>,
}

impl Taken {
    /// Watches a body where that is needed.
    pub(crate) fn new(body: Body, version: Version, most: Duration) -> Self {
        if version != Version::HTTP_2 || body.size_hint().exact().is_some() {
            return Self::Plain(body);
        }
        let flow = Flow { body: Some(body), given: Some(Instant::now()) };
        let flow = Arc::new(Mutex::new(flow));
        let watch = tokio::spawn(watch(Arc::clone(&flow), most));
        Self::Watched(Watched { flow, watch })
    }
}

/// Gives a body up that is not taken for so long.
async fn watch(flow: Arc<Mutex<Flow>>, most: Duration) {
    loop {
        let until = lock(&flow).given.unwrap_or_else(Instant::now) + most;
        tokio::time::sleep_until(until).await;
        let late = {
            let mut flow = lock(&flow);
            let late = flow.given.is_some_and(|given| given + most <= Instant::now());
            late.then(|| flow.body.take())
        };
        // What it settles when it is dropped needs no lock of ours.
        if late.is_some() {
            return;
        }
    }
}

fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl hyper::body::Body for Taken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = match self.get_mut() {
            Self::Plain(body) => ready!(Pin::new(body).poll_frame(cx)),
            Self::Watched(watched) => {
                let mut flow = lock(&watched.flow);
                flow.given = None;
                let Some(body) = &mut flow.body else {
                    let said = "the client did not take what was sent to it";
                    return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, said))));
                };
                let frame = ready!(Pin::new(body).poll_frame(cx));
                flow.given = frame.is_some().then(Instant::now);
                frame
            }
        };
        Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Plain(body) => body.is_end_stream(),
            Self::Watched(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Plain(body) => body.size_hint(),
            Self::Watched(_) => SizeHint::default(),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
