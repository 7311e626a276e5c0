//! The answer, to the client. The ledger has it before the last byte leaves.
//!
//! A stream ends in exactly one of two ways: the dialect's own end, or an error frame. What the
//! provider forgot of a good end is added; what it said of a bad one is written anew, typed, with
//! the attempts. A client that hangs up drops the stream, and with it the connection to the provider
//! and the hold, which settles.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream::{self, Stream};
use hyper::body::Frame;
use ir::{Failure, Inbound, Kind};
use store::Receipt;
use wire::failures::Context;

use crate::Gateway;
use crate::continuation::go_on;
use crate::converse::{stopping, tell};
use crate::hold::Hold;
use crate::open::{GivenUp, given_up};
use crate::pursue::Rest;
use crate::record;
use crate::stream::{Batch, End, Feed};
use crate::streams::over_by;

/// How long an answer waits for its commit. After that it goes out all the same: the rows stay with
/// the writer, and `/health/ready` says that the ledger is behind.
const COMMIT: Duration = Duration::from_secs(2);

/// Waits for the ledger.
pub(crate) async fn committed(receipt: Receipt) {
    if !matches!(tokio::time::timeout(COMMIT, receipt.committed()).await, Ok(true)) {
        tracing::error!("the ledger did not commit in time; the answer goes out without it");
    }
}

enum State {
    /// What was held until the commit, oldest last.
    Held {
        hold: Hold,
        held: Vec<Bytes>,
        rest: Rest,
        clean: bool,
    },
    /// The rest as it comes.
    Flowing {
        hold: Hold,
        feed: Box<Feed>,
        clean: bool,
    },
    /// It broke off; another target may go on.
    Broken {
        hold: Hold,
        failure: Failure,
        feed: Box<Feed>,
        clean: bool,
    },
    /// The end that has been read, not yet told.
    Ending {
        hold: Hold,
        end: End,
        /// The stream it is the end of, where that is still needed to tell it.
        feed: Option<Box<Feed>>,
        clean: bool,
    },
    Over,
}

/// Relays a stream to a client of a dialect.
pub(crate) fn relay(
    gateway: &Arc<Gateway>,
    inbound: Inbound,
    hold: Hold,
    mut held: Vec<Bytes>,
    rest: Rest,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + use<> {
    let clean = held.last().is_none_or(|bytes| ends_clean(bytes));
    held.reverse();
    over_by(hold.deadline());
    let request_id = record::request_id(hold.id);
    let begin = State::Held { hold, held, rest, clean };
    let begin = (begin, request_id, Arc::clone(gateway));
    stream::unfold(begin, move |(state, request_id, gateway)| async move {
        // A panic is an end too: the hold that it drops settles, and the client is told.
        let stepped = AssertUnwindSafe(step(&gateway, inbound, state)).catch_unwind().await;
        let Ok(stepped) = stepped else {
            let failure = Failure::new(Kind::Internal, "Pointsman itself failed on this stream");
            let context = Context { request_id: request_id.clone(), attempts: Vec::new() };
            let last = wire::write_failure_frame(inbound, &failure, &context);
            return Some((
                Ok(Frame::data([b"\n\n", last.as_slice()].concat().into())),
                (State::Over, request_id, gateway),
            ));
        };
        let (bytes, next) = stepped?;
        Some((Ok(Frame::data(bytes)), (next, request_id, gateway)))
    })
}

async fn step(
    gateway: &Arc<Gateway>,
    inbound: Inbound,
    mut state: State,
) -> Option<(Bytes, State)> {
    loop {
        state = match state {
            State::Held { hold, mut held, rest, clean } => match (held.pop(), rest) {
                (Some(bytes), rest) => {
                    return Some((bytes, State::Held { hold, held, rest, clean }));
                }
                (None, Rest::Flowing(feed)) => State::Flowing { hold, feed, clean },
                (None, Rest::Finished(last)) => {
                    State::Ending { hold, end: End::Finished(last), feed: None, clean }
                }
            },
            State::Flowing { mut hold, mut feed, clean } => {
                let batch = tokio::select! {
                    biased;
                    batch = feed.next(hold.deadline()) => batch,
                    () = gateway.stopped() => Batch::failed(stopping()),
                };
                hold.progress(feed.usage.as_ref(), feed.written);
                let clean = if batch.pass.is_empty() { clean } else { ends_clean(&batch.pass) };
                let next = match batch.end {
                    Some(End::Failed(failure)) => State::Broken { hold, failure, feed, clean },
                    Some(end) => State::Ending { hold, end, feed: Some(feed), clean },
                    None => State::Flowing { hold, feed, clean },
                };
                if !batch.pass.is_empty() {
                    return Some((batch.pass, next));
                }
                next
            }
            State::Broken { mut hold, mut failure, mut feed, clean } => {
                let book = Arc::clone(hold.book());
                let stopped = async {
                    gateway.stopped().await;
                    given_up(&book, GivenUp::Stopping);
                };
                let on = tokio::select! {
                    biased;
                    on = go_on(gateway, &mut hold, &mut feed, &failure) => on,
                    () = stopped => {
                        failure = stopping();
                        None
                    }
                };
                match on {
                    Some((mut held, rest)) => {
                        held.reverse();
                        State::Held { hold, held, rest, clean }
                    }
                    None => {
                        State::Ending { hold, end: End::Failed(failure), feed: Some(feed), clean }
                    }
                }
            }
            State::Ending { mut hold, end, mut feed, clean } => {
                if let Some(verdict) = feed.as_mut().and_then(|feed| feed.observe()) {
                    hold.judged(verdict);
                }
                let ended = match &end {
                    End::Finished(_) => "answered",
                    End::Failed(failure) => failure.kind.code(),
                };
                let last = end_of(inbound, &mut hold, end, feed, clean);
                let receipt = hold.settle();
                tell(&hold, ended);
                committed(receipt).await;
                if last.is_empty() {
                    return None;
                }
                return Some((last, State::Over));
            }
            State::Over => return None,
        };
    }
}

/// Writes the one end of a stream and notes it on the hold.
fn end_of(
    inbound: Inbound,
    hold: &mut Hold,
    end: End,
    feed: Option<Box<Feed>>,
    clean: bool,
) -> Bytes {
    let told = match end {
        End::Finished(last) => {
            hold.answered();
            last
        }
        End::Failed(failure) => {
            hold.failed(failure.clone());
            let context = hold.context();
            let frame = feed.map(|mut feed| feed.failure_frame(&failure, &context));
            frame.unwrap_or_else(|| wire::write_failure_frame(inbound, &failure, &context)).into()
        }
    };
    if clean || told.is_empty() { told } else { [b"\n\n", &told[..]].concat().into() }
}

/// Returns whether a frame of ours may follow these bytes.
fn ends_clean(bytes: &[u8]) -> bool {
    [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"].iter().any(|end| bytes.ends_with(end))
}
