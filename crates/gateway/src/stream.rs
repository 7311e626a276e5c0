//! A provider's stream as it comes in: bytes cut into frames, frames watched, usage kept.
//!
//! The client's dialect is the provider's, so the frames pass as they are; the events only tell what
//! they are. Held back are the chunk that exists because the gateway asked for usage, the end, and
//! an error, which the relay writes itself.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use ir::{Dialect, Event, Failure, Kind, Usage};
use tokio::time::Instant;
use wire::sse::{Frame, Splitter};
use wire::{EventReader, Met};

use crate::Reach;

/// A provider's stream.
#[derive(Debug)]
pub(crate) struct Feed {
    body: UnsyncBoxBody<Bytes, hyper::Error>,
    splitter: Splitter,
    reader: EventReader,
    events: Vec<Event>,
    usage_added: bool,
    /// Whose stream it is: its credential must not be quoted by an error.
    reach: Arc<Reach>,
    /// What the provider said was used so far.
    pub(crate) usage: Option<Usage>,
    /// Bytes of text the model has written so far, for an estimate where usage never comes.
    pub(crate) written: usize,
}

/// What a read brought.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What may pass to the client.
    pub(crate) pass: Bytes,
    /// Whether a reader would see something of it.
    pub(crate) content: bool,
    /// How the stream ended, if it did.
    pub(crate) end: Option<Result<(), Failure>>,
}

impl Feed {
    /// Begins to read a stream.
    pub(crate) fn new(
        body: Incoming,
        dialect: Dialect,
        usage_added: bool,
        reach: &Arc<Reach>,
    ) -> Self {
        Self::over(body.boxed_unsync(), dialect, usage_added, reach)
    }

    /// Begins to read a stream that came in one piece.
    pub(crate) fn of(
        bytes: Bytes,
        dialect: Dialect,
        usage_added: bool,
        reach: &Arc<Reach>,
    ) -> Self {
        let body = Full::new(bytes).map_err(|never| match never {});
        Self::over(body.boxed_unsync(), dialect, usage_added, reach)
    }

    fn over(
        body: UnsyncBoxBody<Bytes, hyper::Error>,
        dialect: Dialect,
        usage_added: bool,
        reach: &Arc<Reach>,
    ) -> Self {
        Self {
            body,
            splitter: Splitter::default(),
            reader: EventReader::new(dialect),
            events: Vec::new(),
            usage_added,
            reach: Arc::clone(reach),
            usage: None,
            written: 0,
        }
    }

    /// Reads on until something may pass or the stream ends; a deadline ends it too.
    pub(crate) async fn next(&mut self, deadline: Instant) -> Batch {
        loop {
            let Ok(frame) = tokio::time::timeout_at(deadline, self.body.frame()).await else {
                let failure = Failure::new(Kind::Timeout, "the answer was not complete in time");
                return Batch { end: Some(Err(failure)), ..Batch::default() };
            };
            let batch = match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.take(&data),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => {
                    let said = format!("the provider's stream broke off: {error}");
                    let cut = Failure::new(Kind::StreamCut, said);
                    Batch { end: Some(Err(cut)), ..Batch::default() }
                }
                None => self.last(),
            };
            if batch.end.is_some() || !batch.pass.is_empty() {
                return batch;
            }
        }
    }

    fn take(&mut self, data: &[u8]) -> Batch {
        self.splitter.push(data);
        let mut frames = Vec::new();
        loop {
            match self.splitter.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return self.watch(frames),
                Err(too_large) => {
                    let failure = Failure::new(Kind::MalformedReply, too_large.to_string());
                    return Batch { end: Some(Err(failure)), ..self.watch(frames) };
                }
            }
        }
    }

    /// Ends the stream when the provider's bytes do.
    fn last(&mut self) -> Batch {
        let rest = self.splitter.finish();
        let mut batch = self.watch(rest.into_iter().collect());
        if batch.end.is_none() {
            self.reader.end(&mut self.events);
            let (_, end) = self.note();
            let cut = || Err(Failure::new(Kind::StreamCut, "the provider's stream has no end"));
            batch.end = Some(end.unwrap_or_else(cut));
        }
        batch
    }

    fn watch(&mut self, frames: Vec<Frame>) -> Batch {
        let single = frames.len() == 1;
        let mut pass = BytesMut::new();
        let mut batch = Batch::default();
        for frame in frames {
            let met = self.reader.read(&frame, &mut self.events);
            let (content, end) = self.note();
            batch.content |= content;
            let held = match met {
                Met::Done | Met::Failed => true,
                Met::UsageOnly => self.usage_added,
                Met::Content | Met::Quiet => false,
            };
            if !held && single {
                batch.pass = frame.raw;
            } else if !held {
                pass.extend_from_slice(&frame.raw);
            }
            if end.is_some() {
                batch.end = end;
                break;
            }
        }
        if !single {
            batch.pass = pass.freeze();
        }
        batch
    }

    /// Takes from the events what is worth keeping: usage, the size of what was written, the end.
    fn note(&mut self) -> (bool, Option<Result<(), Failure>>) {
        let (mut content, mut end) = (false, None);
        for event in self.events.drain(..) {
            match event {
                Event::Open(..) => content = true,
                Event::Delta(_, text) => {
                    content = true;
                    self.written += text.len();
                }
                Event::Usage(usage) => self.usage = Some(usage),
                Event::Finish => end = Some(Ok(())),
                Event::Fail(failure) => {
                    end = Some(Err(self.reach.scrubbed(failure)));
                }
                Event::Start { .. } | Event::Close(_) | Event::Note(..) | Event::Stop { .. } => {}
            }
        }
        (content, end)
    }
}
