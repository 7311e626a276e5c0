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
use ir::event::{PartKind, Spot, unfold};
use ir::response::{Held, Substance};
use ir::{Dialect, Event, Failure, Finish, Fold, Inbound, Kind, Usage};
use tokio::time::Instant;
use wire::failures::Context;
use wire::sse::Frame;
use wire::{EventReader, EventWriter, Met, Origin, Renamed, Splitter, Undoing};

use crate::attempt::substantial;
use crate::join::{Broken, Joint};
use crate::judge::{Beginning, Judge};
use crate::lane::{Filled, Lane};
use crate::open::Open;
use crate::targets::Way;

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
    dialect: Dialect,
    /// How long it may be silent once it has begun.
    silence: Duration,
    /// When it was heard of last.
    heard: Instant,
    /// Whether there was content before.
    content: bool,
    /// What it holds so far.
    held: Held,
    /// The parts that are open and what they are worth.
    parts: Vec<(Spot, Worth)>,
    finish: Option<Finish>,
    /// What must hold of the whole of it.
    judge: Option<Arc<Judge>>,
    /// The whole of it so far, where it is judged.
    fold: Option<Fold>,
    /// The beginning of its text and the tool it calls, where that decides whether it goes out.
    beginning: String,
    tool: Option<String>,
    /// What the client has seen, where another target may go on with it.
    seen: Option<Vec<Event>>,
    /// Where it goes on with another answer.
    joint: Option<Joint>,
    /// What the provider said was used so far.
    pub(crate) usage: Option<Usage>,
    /// The provider's id of the answer.
    pub(crate) answer: Option<String>,
    /// Bytes of text the model has written so far, for an estimate where usage never comes.
    pub(crate) written: usize,
}

/// How a stream comes to the client.
#[derive(Debug)]
enum Flow {
    /// As it is.
    Verbatim {
        /// Whether the chunk of usage is taken out again.
        usage_added: bool,
    },
    /// In its own dialect.
    Translate(Box<Translate>),
}

#[derive(Debug)]
struct Translate {
    undoing: Undoing,
    undone: Vec<Event>,
    renamed: Renamed,
    writer: EventWriter,
    filled: Filled,
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

/// What a part of a stream is worth to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    Text,
    Refusal,
    Thoughts,
    Other,
}

/// The longest text that is kept for going on with it.
const LONGEST_SEEN: usize = 1 << 20;

/// The longest beginning of a text that is kept for judging it.
const BEGINNING: usize = 4 << 10;

impl Feed {
    /// Begins to read a stream.
    pub(crate) fn new(
        body: Incoming,
        origin: &Origin,
        lane: Lane,
        way: &Way,
        silence: Duration,
    ) -> Self {
        Self::over(body.boxed_unsync(), origin, lane, way, silence)
    }

    /// Begins to read a stream that came in one piece.
    pub(crate) fn of(
        bytes: Bytes,
        origin: &Origin,
        lane: Lane,
        way: &Way,
        silence: Duration,
    ) -> Self {
        let body = Full::new(bytes).map_err(|never| match never {});
        Self::over(body.boxed_unsync(), origin, lane, way, silence)
    }

    fn over(
        body: UnsyncBoxBody<Bytes, hyper::Error>,
        origin: &Origin,
        lane: Lane,
        way: &Way,
        silence: Duration,
    ) -> Self {
        let inbound = lane.inbound();
        let mut before = Vec::new();
        let flow = match lane {
            Lane::Verbatim { usage_added, .. } => Flow::Verbatim { usage_added },
            Lane::Translate { inbound, undo, renamed, wants_usage, filled, seen } => {
                let mut writer = EventWriter::new(inbound, origin.dialect, wants_usage);
                // It writes on where the other left off.
                for event in &seen {
                    writer.write(event, &Context::default(), &mut Vec::new());
                }
                before = seen;
                let (undoing, undone) = (Undoing::new(undo), Vec::new());
                Flow::Translate(Box::new(Translate { undoing, undone, renamed, writer, filled }))
            }
        };
        let joint = Broken::of(&before).map(|broken| broken.joint);
        Self {
            body,
            splitter: Splitter::new(origin.dialect),
            reader: EventReader::new(origin),
            events: Vec::new(),
            inbound,
            flow,
            way: way.clone(),
            dialect: origin.dialect,
            silence,
            heard: Instant::now(),
            content: false,
            held: Held { answer: joint.is_some(), ..Held::default() },
            parts: Vec::new(),
            finish: None,
            judge: None,
            fold: None,
            beginning: String::new(),
            tool: None,
            seen: joint.is_some().then_some(before),
            joint,
            usage: None,
            answer: None,
            written: 0,
        }
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

    /// Hangs up on the provider; nothing more comes.
    pub(crate) fn hang_up(&mut self) {
        self.body = Full::default().map_err(|never| match never {}).boxed_unsync();
    }

    /// Returns what the client has seen, where it was kept.
    pub(crate) fn seen(&self) -> Option<&[Event]> {
        self.seen.as_deref()
    }

    /// Returns who looks at it.
    pub(crate) fn judge(&self) -> Option<Arc<Judge>> {
        self.judge.clone()
    }

    /// Lets a judge look at it.
    pub(crate) fn judged_by(mut self, judge: Option<Arc<Judge>>) -> Self {
        let reads = judge.as_ref().is_some_and(|judge| judge.reads());
        self.fold = reads.then(|| Fold::new(self.dialect));
        self.judge = judge;
        self
    }

    /// Returns how it begins, as far as that has come.
    pub(crate) fn beginning(&self) -> Beginning<'_> {
        Beginning { text: &self.beginning, tool: self.tool.as_deref() }
    }

    /// Says what it holds.
    pub(crate) fn substance(&self) -> Substance {
        Substance::of(self.held, self.finish.as_ref())
    }

    /// Judges a stream that was held to its end; returns what the client gets in its place where it
    /// had to be mended.
    pub(crate) fn judge_held(&mut self, open: &mut Open) -> Result<Option<Vec<u8>>, Failure> {
        let (Some(judge), Some(fold)) = (self.judge.take(), self.fold.take()) else {
            return Ok(None);
        };
        let mut response = fold.finish()?;
        if !judge.answer(&mut response, open)? {
            return Ok(None);
        }
        let wants_usage = response.usage.is_some();
        let mut writer = EventWriter::new(self.inbound, self.dialect, wants_usage);
        let mut out = Vec::new();
        for event in unfold(&response) {
            writer.write(&event, &Context::default(), &mut out);
        }
        Ok(Some(out))
    }

    /// Judges a stream that has gone out.
    pub(crate) fn observe(&mut self) -> Option<check::Verdict> {
        let (judge, fold) = (self.judge.take()?, self.fold.take()?);
        judge.observe(&fold.finish().ok()?)
    }

    /// Reads on until something may pass, content is there, or the stream ends; a deadline ends it
    /// too, and so does silence once it has begun.
    pub(crate) async fn next(&mut self, deadline: Instant) -> Batch {
        loop {
            let until =
                if self.content { deadline.min(self.heard + self.silence) } else { deadline };
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
            let silence = self.silence.as_secs_f64();
            format!("the provider fell silent for {silence} s in the middle of its answer")
        };
        Failure::new(Kind::Timeout, said)
    }

    /// Writes the frame that ends the client's stream badly.
    pub(crate) fn failure_frame(&mut self, failure: &Failure, context: &Context) -> Vec<u8> {
        match &mut self.flow {
            Flow::Verbatim { .. } => wire::write_failure_frame(self.inbound, failure, context),
            Flow::Translate(translate) => {
                let mut out = Vec::new();
                translate.writer.write(&Event::Fail(failure.clone()), context, &mut out);
                out
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
                Err(bad) => {
                    let failure = Failure::new(Kind::MalformedReply, bad.to_string());
                    return Batch { end: Some(End::Failed(failure)), ..self.watch(frames) };
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
            // Comments and half a frame say that a socket lives, not that a model does.
            if frame.data.is_some() {
                self.heard = Instant::now();
            }
            let met = self.reader.read(&frame, &mut self.events);
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

    /// Takes from the events what is worth keeping: usage, the size of what was written, the end;
    /// and writes them for the client where the dialects differ.
    fn note(&mut self, pass: &mut BytesMut) -> Noted {
        let mut noted = Noted { content: false, end: None };
        let mut events = std::mem::take(&mut self.events);
        if let Some(joint) = &mut self.joint {
            let read = std::mem::take(&mut events);
            read.into_iter().for_each(|event| joint.event(event, &mut events));
        }
        if self.written > LONGEST_SEEN {
            self.seen = None;
        }
        for event in events {
            noted.content |= self.weigh(&event);
            if let Some(fold) = &mut self.fold {
                fold.push(event.clone());
            }
            match &event {
                Event::Start { id, .. } => self.answer.clone_from(id),
                Event::Usage(usage) => self.usage = Some(usage.clone()),
                Event::Fail(failure) => {
                    let failure = self.way.reach.scrubbed(failure.clone());
                    noted.end = Some(End::Failed(failure));
                    continue;
                }
                Event::Finish => {
                    if let Err(empty) = substantial(self.substance()) {
                        noted.end = Some(End::Failed(empty));
                        continue;
                    }
                    let last = wire::end_frame(self.inbound).unwrap_or_default();
                    noted.end = Some(End::Finished(Bytes::from_static(last)));
                }
                _ => {}
            }
            if let (Flow::Verbatim { .. }, Some(seen)) = (&self.flow, &mut self.seen) {
                seen.push(event.clone());
            }
            if let Flow::Translate(translate) = &mut self.flow {
                let finished = event == Event::Finish;
                let written = translate.written(event, self.seen.as_mut());
                if finished {
                    noted.end = Some(End::Finished(written.into()));
                } else {
                    pass.extend_from_slice(&written);
                }
            }
        }
        noted
    }

    /// Takes up what an event is worth; says whether a reader would see something of it.
    fn weigh(&mut self, event: &Event) -> bool {
        match event {
            Event::Open(spot, kind) => {
                let worth = match kind {
                    PartKind::Text => Worth::Text,
                    PartKind::Refusal => Worth::Refusal,
                    PartKind::Reasoning => Worth::Thoughts,
                    PartKind::ToolCall { name, .. } => {
                        self.tool.get_or_insert_with(|| name.clone());
                        Worth::Other
                    }
                    PartKind::Image { .. } | PartKind::Other(_) => Worth::Other,
                };
                self.held.thoughts |= worth == Worth::Thoughts;
                self.held.answer |= worth == Worth::Other;
                self.parts.push((*spot, worth));
                worth == Worth::Other
            }
            Event::Delta(spot, text) => {
                self.written += text.len();
                let known = self.parts.iter().find(|(known, _)| known == spot);
                let worth = known.map_or(Worth::Other, |(_, worth)| *worth);
                self.held.answer |= worth == Worth::Text && !text.is_empty();
                self.held.refusal |= worth == Worth::Refusal && !text.is_empty();
                if worth == Worth::Text && self.judge.is_some() && self.beginning.len() < BEGINNING
                {
                    self.beginning.push_str(text);
                }
                // A refusal waits for its end: another model may answer.
                worth != Worth::Refusal && !text.is_empty()
            }
            Event::Close(spot) => {
                self.parts.retain(|(known, _)| known != spot);
                false
            }
            Event::Stop { finish, .. } => {
                self.finish.clone_from(finish);
                false
            }
            _ => false,
        }
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

impl Translate {
    fn written(&mut self, event: Event, mut seen: Option<&mut Vec<Event>>) -> Vec<u8> {
        let mut out = Vec::new();
        let context = Context::default();
        self.undoing.event(event, &mut self.undone);
        for mut event in self.undone.drain(..) {
            self.renamed.event(&mut event);
            if let Event::Start { id, model, created } = &mut event {
                self.filled.fill(id, model, created);
            }
            self.writer.write(&event, &context, &mut out);
            if let Some(seen) = &mut seen {
                seen.push(event);
            }
        }
        out
    }
}
