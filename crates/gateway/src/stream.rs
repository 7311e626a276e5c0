//! A provider's stream as it comes in: bytes cut into frames, frames read, usage kept, and what the
//! client gets of it.
//!
//! Where the client's dialect is the provider's, the frames pass as they are and the events only
//! tell what they are; held back are the chunk that exists because the gateway asked for usage, the
//! end, and an error. Where the dialects differ, the client's frames are written from the events.
//! Either way the end is told by the relay, after the ledger has it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use ir::response::Substance;
use ir::{Event, Failure, Inbound, Kind, Usage};
use tokio::time::Instant;
use wire::failures::Context;
use wire::sse::Frame;
use wire::{EventReader, Met, Origin, Splitter};

use crate::attempt::{by_clock, substantial};
use crate::flow::Flow;
use crate::join::{Broken, Joint, Seen};
use crate::judge::Judge;
use crate::lane::Lane;
use crate::open::Open;
use crate::silence::Silence;
use crate::targets::Way;
use crate::witness::Witness;
use crate::worth::Worth;

/// A provider's stream.
#[derive(Debug)]
pub(crate) struct Feed {
    body: UnsyncBoxBody<Bytes, hyper::Error>,
    splitter: Splitter,
    reader: EventReader,
    events: Vec<Event>,
    inbound: Inbound,
    flow: Flow,
    /// Whose stream it is: its credential must not be quoted by an error.
    way: Way,
    /// Until when its first content must be there.
    first_by: Instant,
    silence: Silence,
    /// Whether there was content before.
    content: bool,
    worth: Worth,
    /// Hears it for its judge, where it has one.
    witness: Option<Witness>,
    /// What the client has seen, where another target may go on with it.
    seen: Option<Seen>,
    /// Where it goes on with another answer.
    joint: Option<Joint>,
    /// What the provider said was used so far.
    pub(crate) usage: Option<Usage>,
    /// The provider's id of the answer.
    pub(crate) answer: Option<String>,
    /// Bytes of text the model has written so far, for an estimate where usage never comes.
    pub(crate) written: usize,
}

/// The clocks of one stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Until when its first content must be there.
    pub(crate) first_by: Instant,
    /// How long it may be silent after that.
    pub(crate) silence: Duration,
}

/// What a read brought.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What may pass to the client.
    pub(crate) pass: Bytes,
    /// Whether a reader would see something of it.
    pub(crate) content: bool,
    /// How the stream ended, if it did.
    pub(crate) end: Option<End>,
}

/// How a stream ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// As it should: with these last bytes for the client.
    Finished(Bytes),
    /// Badly.
    Failed(Failure),
}

impl Batch {
    pub(crate) fn failed(failure: Failure) -> Self {
        Self { end: Some(End::Failed(failure)), ..Self::default() }
    }
}

impl Feed {
    /// Begins to read a stream.
    pub(crate) fn new(body: Incoming, origin: &Origin, lane: Lane, way: &Way, pace: Pace) -> Self {
        Self::over(body.boxed_unsync(), origin, lane, way, pace)
    }

    /// Begins to read a stream that came in one piece.
    pub(crate) fn of(bytes: Bytes, origin: &Origin, lane: Lane, way: &Way, pace: Pace) -> Self {
        let body = Full::new(bytes).map_err(|never| match never {});
        Self::over(body.boxed_unsync(), origin, lane, way, pace)
    }

    fn over(
        body: UnsyncBoxBody<Bytes, hyper::Error>,
        origin: &Origin,
        lane: Lane,
        way: &Way,
        pace: Pace,
    ) -> Self {
        let seen = lane.seen().to_vec();
        let joint = Broken::of(&seen).map(|broken| broken.joint);
        Self {
            body,
            splitter: Splitter::new(origin.dialect),
            reader: EventReader::new(origin),
            events: Vec::new(),
            inbound: lane.inbound(),
            flow: Flow::new(lane, origin.dialect),
            way: way.clone(),
            first_by: pace.first_by,
            silence: Silence::new(pace.silence, Instant::now()),
            content: false,
            worth: if joint.is_some() { Worth::going_on() } else { Worth::default() },
            witness: None,
            seen: joint.is_some().then(|| Seen::of(&seen)),
            joint,
            usage: None,
            answer: None,
            written: 0,
        }
    }

    /// Lets a judge look at it, and at what it goes on with.
    pub(crate) fn judged_by(mut self, judge: Option<Arc<Judge>>, origin: &Origin) -> Self {
        self.witness = judge.map(|judge| Witness::new(judge, origin.dialect));
        if let Some(witness) = &mut self.witness {
            let seen = self.seen.as_ref().and_then(Seen::events);
            seen.into_iter().flatten().for_each(|event| witness.hear(event));
        }
        self
    }

    /// Keeps what the client sees, for another target to go on with. OpenAI's responses that pass as
    /// they are have ids of their own in every event, which nobody else can go on with.
    pub(crate) fn keep_seen(mut self, wanted: bool) -> Self {
        let verbatim = matches!(self.flow, Flow::Verbatim { .. });
        if wanted && !(verbatim && self.inbound == Inbound::OpenaiResponses) {
            self.seen.get_or_insert_default();
        }
        self
    }

    /// Returns what the client has seen, where it was kept.
    pub(crate) fn seen(&self) -> Option<&[Event]> {
        self.seen.as_ref()?.events()
    }

    /// Hangs up on the provider; nothing more comes.
    pub(crate) fn hang_up(&mut self) {
        self.body = Full::default().map_err(|never| match never {}).boxed_unsync();
    }

    /// Returns who hears it for its judge.
    pub(crate) fn witness(&self) -> Option<&Witness> {
        self.witness.as_ref()
    }

    /// Says what it holds.
    pub(crate) fn substance(&self) -> Substance {
        self.worth.substance()
    }

    /// Judges a stream that was held to its end; returns what the client gets in its place where it
    /// had to be mended.
    pub(crate) fn judge_held(&mut self, open: &mut Open) -> Result<Option<Vec<u8>>, Failure> {
        let Some(witness) = self.witness.take() else { return Ok(None) };
        let mended = witness.judged(self.substance(), open)?;
        Ok(mended.map(|response| self.flow.instead(self.inbound, &response)))
    }

    /// Judges a stream that has gone out.
    pub(crate) fn observe(&mut self) -> Option<check::Verdict> {
        self.witness.take()?.observed()
    }

    /// Reads on until something may pass, content is there, or the stream ends. The request's
    /// deadline ends it too; so does the attempt's own clock before the first content, and silence
    /// after it.
    pub(crate) async fn next(&mut self, deadline: Instant) -> Batch {
        self.silence.read_on(Instant::now());
        let batch = self.read(deadline).await;
        self.silence.leave(Instant::now());
        batch
    }

    async fn read(&mut self, deadline: Instant) -> Batch {
        loop {
            let own = if self.content { self.silence.until() } else { self.first_by };
            let until = deadline.min(own);
            let Ok(frame) = tokio::time::timeout_at(until, self.body.frame()).await else {
                return Batch::failed(self.late(deadline));
            };
            let batch = match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.take(&data),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => {
                    let said = format!("the provider's stream broke off: {error}");
                    Batch::failed(Failure::new(Kind::StreamCut, said))
                }
                None => self.last(),
            };
            // The first content is news also where the client gets none of it yet.
            let news = batch.content && !std::mem::replace(&mut self.content, batch.content);
            if batch.end.is_some() || !batch.pass.is_empty() || news {
                return batch;
            }
        }
    }

    fn late(&self, deadline: Instant) -> Failure {
        let said = if !self.content {
            "no token came in the time the task allows".to_owned()
        } else if Instant::now() >= deadline {
            "the answer was not complete in time".to_owned()
        } else {
            let silence = self.silence.most().as_secs_f64();
            format!("the provider fell silent for {silence} s in the middle of its answer")
        };
        by_clock(Failure::new(Kind::Timeout, said), deadline)
    }

    /// Writes the frame that ends the client's stream badly.
    pub(crate) fn failure_frame(&mut self, failure: &Failure, context: &Context) -> Vec<u8> {
        self.flow.failure_frame(self.inbound, failure, context)
    }

    fn take(&mut self, data: &[u8]) -> Batch {
        self.splitter.push(data);
        if let Some(witness) = &mut self.witness {
            witness.grow(data.len());
        }
        let mut frames = Vec::new();
        loop {
            match self.splitter.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => return self.watch(frames),
                Err(bad) => {
                    let mut batch = self.watch(frames);
                    // What comes after an end that was read is no part of the answer.
                    batch.end.get_or_insert_with(|| {
                        End::Failed(Failure::new(Kind::MalformedReply, bad.to_string()))
                    });
                    return batch;
                }
            }
        }
    }

    /// Ends the stream when the provider's bytes do.
    fn last(&mut self) -> Batch {
        let rest = self.splitter.finish().map(Frame::closed);
        let mut batch = self.watch(rest.into_iter().collect());
        if batch.end.is_none() {
            self.reader.end(&mut self.events);
            let mut pass = BytesMut::from(&batch.pass[..]);
            let noted = self.note(&mut pass);
            batch.content |= noted.content;
            batch.pass = pass.freeze();
            let cut = || {
                let said = "the provider's stream has no end";
                End::Failed(Failure::new(Kind::StreamCut, said))
            };
            batch.end = Some(noted.end.unwrap_or_else(cut));
        }
        batch
    }

    fn watch(&mut self, frames: Vec<Frame>) -> Batch {
        let single = frames.len() == 1;
        let list = self.splitter.is_list();
        let mut pass = BytesMut::new();
        let mut batch = Batch::default();
        for mut frame in frames.into_iter().map(Frame::unmarked) {
            if list {
                frame.raw = event_of(frame.data.as_deref());
            }
            let met = self.reader.read(&frame, &mut self.events);
            if self.lives(&frame, met) {
                self.silence.heard(Instant::now());
            }
            let noted = self.note(&mut pass);
            batch.content |= noted.content;
            batch.end = noted.end;
            if let Flow::Verbatim { usage_added } = self.flow {
                let held = match met {
                    Met::Done | Met::Failed | Met::Repeated => true,
                    Met::UsageOnly => usage_added,
                    // Google sends no comments, and its SDK takes one for an answer.
                    Met::Content | Met::Quiet => {
                        frame.data.is_none() && self.inbound == Inbound::Gemini || frame.is_astray()
                    }
                };
                if met == Met::Done && matches!(batch.end, Some(End::Finished(_))) {
                    batch.end = Some(End::Finished(frame.raw));
                } else if !held && single {
                    batch.pass = frame.raw;
                } else if !held {
                    pass.extend_from_slice(&frame.raw);
                }
            }
            if batch.end.is_some() {
                break;
            }
        }
        if !pass.is_empty() {
            batch.pass = pass.freeze();
        }
        batch
    }

    /// Returns whether a frame, just read, says that the model lives. Comments and half a frame say it
    /// of a socket, and so does a ping in the middle of a text, which comes token by token. Elsewhere
    /// a ping may be all that comes for minutes: the arguments of a call are gathered value by value
    /// before they are sent, thoughts may be kept back, and a provider's own tools take their time.
    fn lives(&self, frame: &Frame, met: Met) -> bool {
        let says = met != Met::Quiet || !self.events.is_empty();
        says || frame.data.is_some() && !self.worth.says_text()
    }

    /// Takes from the events what is worth keeping: usage, the size of what was written, the end;
    /// and writes them for the client where the dialects differ.
    fn note(&mut self, pass: &mut BytesMut) -> Noted {
        let mut noted = Noted { content: false, end: None };
        let mut events = std::mem::take(&mut self.events);
        if let Some(joint) = &mut self.joint {
            let read = std::mem::take(&mut events);
            read.into_iter().for_each(|event| joint.event(event, &mut events));
        }
        for event in events {
            noted.content |= self.worth.weigh(&event);
            match &event {
                Event::Start { id, .. } => self.answer.clone_from(id),
                Event::Delta(_, text) => self.written += text.len(),
                Event::Usage(usage) => self.usage = Some(usage.clone()),
                Event::Fail(failure) => {
                    let failure = self.way.reach.scrubbed(failure.clone());
                    noted.end = Some(End::Failed(failure));
                    break;
                }
                Event::Finish => {
                    if let Err(empty) = substantial(self.substance()) {
                        // An answer that says nothing has a verdict too.
                        if let Some(witness) = &mut self.witness {
                            witness.hear(&event);
                        }
                        noted.end = Some(End::Failed(empty));
                        break;
                    }
                }
                _ => {}
            }
            let finished = event == Event::Finish;
            let (witness, seen) = (&mut self.witness, &mut self.seen);
            let written = self.flow.take(event, |event| {
                if let Some(witness) = witness {
                    witness.hear(event);
                }
                if let Some(seen) = seen {
                    seen.push(event);
                }
            });
            if !finished {
                pass.extend_from_slice(&written);
                continue;
            }
            noted.end = Some(End::Finished(match self.flow {
                Flow::Verbatim { .. } => {
                    Bytes::from_static(wire::end_frame(self.inbound).unwrap_or_default())
                }
                Flow::Translate(_) => written.into(),
            }));
        }
        noted
    }
}

/// Writes an item of a list as an event, for a client that reads events. A line end of JSON stands
/// between its words, never inside a text.
fn event_of(item: Option<&[u8]>) -> Bytes {
    let Some(item) = item else { return Bytes::new() };
    let words = item.iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
    b"data: ".iter().chain(words).chain(b"\n\n").copied().collect()
}

struct Noted {
    content: bool,
    end: Option<End>,
}
