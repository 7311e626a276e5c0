//! The streams of an HTTP/2 connection: each has a task that the connection owns, and one whose
//! client leaves what it is given untaken ends, and its request with it.
//!
//! Over HTTP/1 such a client blocks the socket (see `patient`). Over HTTP/2 the socket stays free
//! while one stream has no window, and its body is asked for nothing more: no clock in the body is
//! looked at then, so the clock is here, beside it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use hyper::rt::Executor;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::answer::Body;
use crate::serve::LAST_WORDS;

tokio::task_local! {
    /// What waits for the client of the stream whose task this is.
    static OFFERED: Arc<Offered>;
}

/// Watches what an answer's client takes, where the answer is a stream's.
pub(crate) fn watched(body: Body) -> Body {
    match OFFERED.try_with(Arc::clone) {
        Ok(offered) => {
            offered.put(Some(Instant::now()));
            Watched { body, offered }.boxed_unsync()
        }
        Err(_) => body,
    }
}

/// Says when the answer must be over: who takes nothing then is given no more time.
pub(crate) fn over_by(deadline: Instant) {
    let _ = OFFERED.try_with(|offered| lock(&offered.0).over_by = Some(deadline));
}

/// The streams of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    /// How long a client may leave what is given to it untaken.
    most: Duration,
    begun: Arc<AtomicUsize>,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Streams {
    pub(crate) fn new(most: Duration) -> Self {
        Self { most, begun: Arc::default(), tasks: Arc::default() }
    }

    /// Returns how many there have been.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Returns how many are under way.
    pub(crate) fn under_way(&self) -> usize {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.len()
    }

    /// Ends those that are under way.
    pub(crate) async fn end(self) {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.shutdown().await;
    }
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let (offered, most) = (Arc::new(Offered::default()), self.most);
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(OFFERED.scope(Arc::clone(&offered), async move {
            tokio::select! {
                biased;
                _ = stream => {}
                () = offered.left(most) => tracing::debug!("a client did not take its answer"),
            }
        }));
    }
}

/// What waits to be taken.
#[derive(Debug, Default)]
struct Offered(Mutex<Waiting>);

#[derive(Debug, Default, Clone, Copy)]
struct Waiting {
    since: Option<Instant>,
    over_by: Option<Instant>,
}

impl Offered {
    fn put(&self, since: Option<Instant>) {
        lock(&self.0).since = since;
    }

    /// Resolves when something was left for too long. It looks now and then: what is taken in time
    /// must not cost a timer.
    async fn left(&self, most: Duration) {
        loop {
            let (now, waiting) = (Instant::now(), *lock(&self.0));
            let until = waiting.until(waiting.since.unwrap_or(now), most);
            if waiting.since.is_some() && until <= now {
                return;
            }
            tokio::time::sleep_until(until.min(now + LAST_WORDS)).await;
        }
    }
}

impl Waiting {
    fn until(self, since: Instant, most: Duration) -> Instant {
        let until = since + most;
        // An answer whose time is over says so itself to a client that takes it.
        self.over_by.map_or(until, |over_by| until.min(over_by.max(since) + LAST_WORDS))
    }
}

/// A body that notes when what it gave is taken.
struct Watched {
    body: Body,
    offered: Arc<Offered>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        // Whoever asks for more has taken what there was.
        this.offered.put(None);
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        this.offered.put(Some(Instant::now()));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
