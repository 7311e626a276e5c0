//! Events to frames.
//!
//! The dialect knows one open block at a time, so what other parts say meanwhile waits for its turn.
//! A block begins only when it has something to say: what must stand in front of it, a foreign
//! carrier, may come first, and an empty block would come back as a request the API refuses. A
//! carrier waits until nothing can replace it, since clients join the signatures they are sent:
//! that of thoughts until they are complete. One of a text that stays empty is left out, as in a
//! whole answer.

use std::collections::VecDeque;

use ir::{
    CallKind, Citation, Dialect, Event, Extras, Failure, Finish, Opaque, PartKind, Scope, Spot,
    Usage,
};

use super::super::assistant::{self, Spelled};
use super::super::{HERE, answer, failure, response, usage};
use crate::envelope::{self, Of};
use crate::failures::Context;
use crate::ids;
use crate::json::{self, Object};
use crate::undo::FREE_TEXT;

/// Writes one stream.
#[derive(Debug, Default)]
pub struct Writer {
    /// The dialect the unnamed fields are spelled in; without a word they are at home.
    spoken: Option<Dialect>,
    id: Option<String>,
    model: Option<String>,
    greeted: bool,
    ended: bool,
    /// The index of the next block.
    index: u64,
    /// The parts that are not told to their end, in the order they opened.
    parts: VecDeque<Part>,
    /// What the answer said of itself: in front of its first block, and after.
    extras: Extras,
    late: Extras,
    stop: Extras,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

/// A part that is being told, or waits for it.
#[derive(Debug)]
struct Part {
    spot: Spot,
    kind: PartKind,
    begun: bool,
    closed: bool,
    /// What it said while another part was being told.
    waiting: Vec<Event>,
    /// The first piece of a call's arguments, held because a carrier may still come that has to
    /// stand in front of the call.
    held: Option<String>,
    /// What it carries, as far as that is not written.
    carrier: Option<Opaque>,
    /// What a foreign text rests on, while it says nothing.
    cited: Vec<Citation>,
}

impl Writer {
    /// Begins a stream whose events come from a dialect.
    pub fn new(spoken: Dialect) -> Self {
        Self { spoken: Some(spoken), ..Self::default() }
    }

    fn home(&self) -> bool {
        self.spoken.is_none_or(|spoken| spoken == HERE)
    }

    /// Writes what an event becomes; many become nothing by themselves. There is room for one
    /// candidate: the first.
    pub fn write(&mut self, event: &Event, context: &Context, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start { id, model, .. } => {
                let made = || format!("msg_{}", context.request_id);
                let id = id.clone().filter(|id| !id.is_empty());
                self.id = Some(id.unwrap_or_else(made));
                self.model.clone_from(model);
            }
            Event::Open(spot, kind) if spot.candidate == 0 => self.parts.push_back(Part {
                spot: *spot,
                kind: kind.clone(),
                begun: false,
                closed: false,
                waiting: Vec::new(),
                held: None,
                carrier: None,
                cited: Vec::new(),
            }),
            Event::Delta(spot, _) | Event::Cite(spot, _) | Event::Carry(spot, _) => {
                self.hear(*spot, event, out);
            }
            Event::Close(spot) => self.close(*spot, out),
            Event::Note(Scope::Answer, name, raw) => {
                let extras = if self.greeted { &mut self.late } else { &mut self.extras };
                extras.set(name, raw.clone());
            }
            Event::Note(Scope::Candidate(0), name, raw) => self.stop.set(name, raw.clone()),
            Event::Stop { candidate: 0, finish } => self.finish.clone_from(finish),
            Event::Usage(used) => self.usage = Some(used.clone()),
            Event::Finish => self.finish(out),
            Event::Fail(failure) => {
                self.ended = true;
                failure_frame(failure, context, out);
            }
            Event::Open(..) | Event::Note(..) | Event::Stop { .. } => {}
        }
    }

    fn hear(&mut self, spot: Spot, event: &Event, out: &mut Vec<u8>) {
        let Some(at) = self.parts.iter().position(|part| part.spot == spot) else { return };
        if at > 0 {
            return self.parts[at].waiting.push(event.clone());
        }
        if let Some(mut part) = self.parts.pop_front() {
            self.tell(&mut part, event, out);
            self.parts.push_front(part);
        }
    }

    /// Ends a part; when it was the one being told, those behind it get their turn.
    fn close(&mut self, spot: Spot, out: &mut Vec<u8>) {
        if let Some(part) = self.parts.iter_mut().find(|part| part.spot == spot) {
            part.closed = true;
        }
        while self.parts.front().is_some_and(|part| part.closed) {
            let Some(part) = self.parts.pop_front() else { return };
            self.end(part, out);
            if let Some(mut next) = self.parts.pop_front() {
                for event in std::mem::take(&mut next.waiting) {
                    self.tell(&mut next, &event, out);
                }
                self.parts.push_front(next);
            }
        }
    }

    fn tell(&mut self, part: &mut Part, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Delta(_, text) if text.is_empty() => {}
            Event::Delta(_, text) => self.grow(part, text, out),
            Event::Cite(_, citation) if matches!(part.kind, PartKind::Text) => {
                if !part.begun && !self.home() {
                    part.cited.push(citation.clone());
                    return;
                }
                self.begin(part, out);
                self.cite(citation, out);
            }
            Event::Carry(_, carrier) => part.carrier = Some(carrier.clone()),
            _ => {}
        }
    }

    fn grow(&mut self, part: &mut Part, text: &str, out: &mut Vec<u8>) {
        match part.kind {
            PartKind::Text | PartKind::Refusal | PartKind::Image { .. } => {
                self.begin(part, out);
                self.delta("text_delta", out, |delta| delta.field("text", text));
            }
            PartKind::Reasoning => {
                self.begin(part, out);
                self.delta("thinking_delta", out, |delta| delta.field("thinking", text));
            }
            PartKind::ToolCall { kind, .. } => {
                if !part.begun && part.held.is_none() {
                    part.held = Some(text.to_owned());
                    return;
                }
                self.begin(part, out);
                self.argument(kind, text, out);
            }
            PartKind::Other(_) => {}
        }
    }

    /// Writes a piece of a call's arguments; free text is the one field of an object.
    fn argument(&mut self, kind: CallKind, text: &str, out: &mut Vec<u8>) {
        let escaped = serde_json::Value::from(text).to_string();
        let piece = match kind {
            CallKind::Function => text,
            CallKind::Custom => escaped.get(1..escaped.len() - 1).unwrap_or_default(),
        };
        self.delta("input_json_delta", out, |delta| delta.field("partial_json", piece));
    }

    fn cite(&mut self, citation: &Citation, out: &mut Vec<u8>) {
        let citation = answer::citation(citation);
        self.delta("citations_delta", out, |delta| delta.raw("citation", &citation));
    }

    /// Begins the block of a part that has something to say.
    fn begin(&mut self, part: &mut Part, out: &mut Vec<u8>) {
        if part.begun {
            return;
        }
        part.begun = true;
        if matches!(part.kind, PartKind::Text | PartKind::ToolCall { .. })
            && let Some(carrier) = part.carrier.take_if(|carrier| carrier.dialect != HERE)
        {
            self.sealed(&carrier, Of::Next, out);
        }
        match &part.kind {
            PartKind::Text | PartKind::Refusal => {
                self.start_text(out);
                part.cited.iter().for_each(|citation| self.cite(citation, out));
            }
            PartKind::Image { media_type } => {
                self.start_text(out);
                let start = answer::picture_start(media_type);
                self.delta("text_delta", out, |delta| delta.field("text", &start));
            }
            PartKind::Reasoning => self.start(out, |block| {
                block.field("type", "thinking");
                block.field("thinking", "");
                block.field("signature", "");
            }),
            PartKind::ToolCall { id, name, kind } => {
                self.start(out, |block| {
                    block.field("type", "tool_use");
                    block.field("id", &ids::fit(id, usize::MAX));
                    block.field("name", name);
                    block.nest("input", |_| {});
                    assistant::write_carrier(block, part.carrier.as_ref());
                });
                if *kind == CallKind::Custom {
                    let start = format!("{{\"{FREE_TEXT}\":\"");
                    self.argument(CallKind::Function, &start, out);
                }
                if let Some(held) = part.held.take() {
                    self.argument(*kind, &held, out);
                }
            }
            PartKind::Other(_) => {}
        }
    }

    /// Ends a part, and writes what could not stand in front of it behind it.
    fn end(&mut self, mut part: Part, out: &mut Vec<u8>) {
        match &part.kind {
            PartKind::Reasoning => return self.end_thoughts(part, out),
            PartKind::ToolCall { kind, .. } => {
                let custom = *kind == CallKind::Custom;
                self.begin(&mut part, out);
                if custom {
                    self.argument(CallKind::Function, "\"}", out);
                }
            }
            PartKind::Image { .. } if part.begun => {
                self.delta("text_delta", out, |delta| delta.field("text", ")"));
            }
            PartKind::Other(opaque) if opaque.dialect == HERE => self.block(opaque, out),
            _ => {}
        }
        if !part.begun {
            return;
        }
        self.stop(out);
        if let (PartKind::Text | PartKind::ToolCall { .. }, Some(late)) = (part.kind, part.carrier)
            && late.dialect != HERE
        {
            self.sealed(&late, Of::This, out);
        }
    }

    fn end_thoughts(&mut self, mut part: Part, out: &mut Vec<u8>) {
        let carrier = part.carrier.take();
        let spelled = carrier.as_ref().map(assistant::spelled);
        if let Some(Spelled::Signature(signature)) = &spelled {
            self.begin(&mut part, out);
            self.delta("signature_delta", out, |delta| delta.field("signature", signature));
        }
        if part.begun {
            self.stop(out);
        }
        if let (Some(Spelled::Block(_)), Some(block)) = (&spelled, &carrier) {
            self.block(block, out);
        }
    }

    /// Writes a whole block as it came.
    fn block(&mut self, block: &Opaque, out: &mut Vec<u8>) {
        self.begun(out, |out| out.extend_from_slice(block.raw.text().as_bytes()));
        self.stop(out);
    }

    /// Writes a thinking block that holds nothing but a sealed carrier.
    fn sealed(&mut self, carrier: &Opaque, of: Of, out: &mut Vec<u8>) {
        self.start(out, |block| {
            block.field("type", "thinking");
            block.field("thinking", "");
            block.field("signature", "");
        });
        let signature = envelope::seal(carrier, of);
        self.delta("signature_delta", out, |delta| delta.field("signature", &signature));
        self.stop(out);
    }

    fn start_text(&mut self, out: &mut Vec<u8>) {
        self.start(out, |block| {
            block.field("type", "text");
            block.field("text", "");
        });
    }

    fn start(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        self.begun(out, |out| json::object(out, fill));
    }

    fn begun(&mut self, out: &mut Vec<u8>, block: impl FnOnce(&mut Vec<u8>)) {
        self.greet(out);
        let index = self.index;
        frame(out, "content_block_start", |body| {
            body.field("index", &index);
            body.with("content_block", block);
        });
    }

    fn delta(&mut self, kind: &str, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        let index = self.index;
        frame(out, "content_block_delta", |body| {
            body.field("index", &index);
            body.nest("delta", |delta| {
                delta.field("type", kind);
                fill(delta);
            });
        });
    }

    fn stop(&mut self, out: &mut Vec<u8>) {
        let index = self.index;
        frame(out, "content_block_stop", |body| body.field("index", &index));
        self.index += 1;
    }

    /// Writes the frame that begins the message, with the usage known by then.
    fn greet(&mut self, out: &mut Vec<u8>) {
        if self.greeted {
            return;
        }
        self.greeted = true;
        let home = self.home();
        frame(out, "message_start", |body| {
            body.nest("message", |message| {
                message.field("id", self.id.as_deref().unwrap_or_default());
                message.field("type", "message");
                message.field("role", "assistant");
                message.field("model", self.model.as_deref().unwrap_or_default());
                message.with("content", |out| out.extend_from_slice(b"[]"));
                message.field("stop_reason", &None::<&str>);
                message.field("stop_sequence", &None::<&str>);
                message.nest("usage", |body| self.usage(body));
                if home {
                    message.extras(&self.extras);
                }
            });
        });
    }

    fn usage(&self, body: &mut Object<'_>) {
        let nothing = Usage::default();
        let used = self.usage.as_ref().unwrap_or(&nothing);
        usage::write(body, used, Some(&used.extras).filter(|_| self.home()));
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.ended = true;
        self.greet(out);
        let home = self.home();
        let (inside, beside): (Vec<_>, Vec<_>) =
            self.late.iter().filter(|_| home).partition(|(name, _)| *name == "container");
        frame(out, "message_delta", |body| {
            body.nest("delta", |delta| {
                response::write_stop(delta, self.finish.as_ref(), &self.stop, home);
                inside.iter().for_each(|(name, raw)| delta.raw(name, raw));
            });
            body.nest("usage", |body| self.usage(body));
            beside.iter().for_each(|(name, raw)| body.raw(name, raw));
        });
        frame(out, "message_stop", |_| {});
    }
}

/// Writes a frame; its name stands twice, and the SDKs go by the one in front.
fn frame(out: &mut Vec<u8>, kind: &str, fill: impl FnOnce(&mut Object<'_>)) {
    let mut data = Vec::with_capacity(128);
    json::object(&mut data, |body| {
        body.field("type", kind);
        fill(body);
    });
    named(out, kind, &data);
}

/// Writes an event with a name. JSON that was kept as it came may hold line ends, between its
/// tokens alone: each is a line of data of its own.
fn named(out: &mut Vec<u8>, kind: &str, data: &[u8]) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind.as_bytes());
    out.push(b'\n');
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// Writes the frame that ends a stream badly: an error and no `message_stop`, so that no client can
/// take the answer for complete.
pub fn failure_frame(failure: &Failure, context: &Context, out: &mut Vec<u8>) {
    let (_, body) = failure::write(failure, context);
    named(out, "error", &body);
}
