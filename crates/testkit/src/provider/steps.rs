//! Plays the steps of an answer as a body, a step a poll, each flushed before the next. Ends the
//! watch on the answer when all is handed over; dropped before that, the client has hung up.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::exchange::Step;
use super::stage::Watch;

/// A body that is being played.
#[derive(Debug)]
pub(super) struct Playing {
    steps: VecDeque<Step>,
    watch: Option<Watch>,
    pause: Option<Pin<Box<Sleep>>>,
    flushing: bool,
}

impl Playing {
    pub(super) fn new(mut steps: Vec<Step>, watch: Watch) -> Self {
        // Nothing is written for an empty piece, so none may stand for the end of the answer.
        steps.retain(|step| !matches!(step, Step::Send(bytes) if bytes.is_empty()));
        let mut playing =
            Self { steps: steps.into(), watch: Some(watch), pause: None, flushing: false };
        playing.complete_if_done();
        playing
    }

    fn complete_if_done(&mut self) {
        if self.steps.is_empty() {
            self.complete();
        }
    }

    fn complete(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.complete();
        }
    }
}

impl Body for Playing {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        // A server writes out what it holds only when the body has nothing for it: without this
        // pause, steps would reach the client joined, and a cut would take the last ones along.
        if std::mem::take(&mut self.flushing) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match self.steps.pop_front() {
                Some(Step::Send(bytes)) => {
                    self.flushing = true;
                    self.complete_if_done();
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Wait(time)) => self.pause = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Hang) => {
                    // No waker is left behind: only the end of the connection ends this.
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
                Some(Step::Break) => {
                    self.complete();
                    return Poll::Ready(Some(Err(Lost::Cut)));
                }
                None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    /// A body sent in one write announces its length, one of many is chunked.
    fn size_hint(&self) -> SizeHint {
        match self.steps.iter().collect::<Vec<_>>()[..] {
            [] => SizeHint::with_exact(0),
            [Step::Send(bytes)] => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

/// Why a connection is dropped before its answer is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It is closed.
    Cut,
    /// It is reset.
    Reset,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "the script drops the connection",
            Self::Reset => "the script resets the connection",
        })
    }
}

impl std::error::Error for Lost {}
