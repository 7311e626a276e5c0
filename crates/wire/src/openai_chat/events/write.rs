//! Events to frames.

use ir::{CallKind, Event, Extras, Failure, PartKind, Scope, Spot};

use super::super::{failure, response, usage};
use crate::failures::Context;
use crate::json::{self, Object};
use crate::sse;

/// Writes one stream.
#[derive(Debug, Default)]
pub struct Writer {
    /// Whether the client asked for usage at the end.
    pub wants_usage: bool,
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    extras: Extras,
    /// The kind of each open part; for a tool call, its place among the candidate's calls.
    open: Vec<(Spot, Opened)>,
    greeted: Vec<u32>,
    calls: Vec<u32>,
    usage: Option<ir::Usage>,
}

#[derive(Debug, Clone, Copy)]
enum Opened {
    Text,
    Reasoning,
    Refusal,
    Call { index: u32, kind: CallKind },
}

impl Writer {
    /// Begins a stream.
    pub fn new(wants_usage: bool) -> Self {
        Self { wants_usage, ..Self::default() }
    }

    /// Writes what an event becomes; many become nothing by themselves.
    pub fn write(&mut self, event: &Event, context: &Context, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, created } => {
                self.id.clone_from(id);
                self.model.clone_from(model);
                self.created = *created;
            }
            Event::Open(spot, kind) => self.open(*spot, kind, out),
            Event::Delta(spot, text) => self.delta(*spot, text, out),
            Event::Close(spot) => self.open.retain(|(open, _)| open != spot),
            Event::Note(Scope::Answer, name, raw) => self.extras.set(name, raw.clone()),
            Event::Note(Scope::Candidate(of), name, raw) => {
                self.choice(*of, out, |_| {}, |choice| choice.raw(name, raw), None);
            }
            Event::Note(Scope::Turn(of), name, raw) => {
                self.choice(*of, out, |delta| delta.raw(name, raw), |_| {}, None);
            }
            Event::Stop { candidate, finish } => {
                let finish = finish.as_ref().map(response::write_finish);
                self.choice(*candidate, out, |_| {}, |_| {}, finish);
            }
            Event::Usage(used) => self.usage = Some(used.clone()),
            Event::Finish => self.finish(out),
            Event::Fail(failure) => failure_frame(failure, context, out),
        }
    }

    fn open(&mut self, spot: Spot, kind: &PartKind, out: &mut Vec<u8>) {
        let opened = match kind {
            PartKind::Text => Opened::Text,
            PartKind::Reasoning => Opened::Reasoning,
            PartKind::Refusal => Opened::Refusal,
            PartKind::ToolCall { id, name, kind } => {
                let index = self.calls.iter().filter(|of| **of == spot.candidate).count();
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                self.calls.push(spot.candidate);
                let (field, argument) = spelled(*kind);
                self.call(spot.candidate, index, out, |call| {
                    call.field("id", id);
                    call.field("type", field);
                    call.nest(field, |function| {
                        function.field("name", name);
                        function.field(argument, "");
                    });
                });
                Opened::Call { index, kind: *kind }
            }
        };
        self.open.push((spot, opened));
    }

    fn delta(&mut self, spot: Spot, text: &str, out: &mut Vec<u8>) {
        let Some((_, opened)) = self.open.iter().find(|(open, _)| *open == spot) else { return };
        let field = match *opened {
            Opened::Text => "content",
            Opened::Reasoning => "reasoning_content",
            Opened::Refusal => "refusal",
            Opened::Call { index, kind } => {
                let (field, argument) = spelled(kind);
                let fill = |call: &mut Object<'_>| {
                    call.nest(field, |function| function.field(argument, text));
                };
                return self.call(spot.candidate, index, out, fill);
            }
        };
        self.choice(spot.candidate, out, |delta| delta.field(field, text), |_| {}, None);
    }

    fn call(
        &mut self,
        candidate: u32,
        index: u32,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Object<'_>),
    ) {
        let calls = |delta: &mut Object<'_>| {
            delta.with("tool_calls", |out| {
                json::list(out, [fill], |out, fill| {
                    json::object(out, |call| {
                        call.field("index", &index);
                        fill(call);
                    });
                });
            });
        };
        self.choice(candidate, out, calls, |_| {}, None);
    }

    /// Writes a chunk with one choice; the first of a candidate brings its role.
    fn choice(
        &mut self,
        candidate: u32,
        out: &mut Vec<u8>,
        delta: impl FnOnce(&mut Object<'_>),
        beside: impl FnOnce(&mut Object<'_>),
        finish: Option<&str>,
    ) {
        let first = !self.greeted.contains(&candidate);
        if first {
            self.greeted.push(candidate);
        }
        self.chunk(out, |chunk| {
            chunk.with("choices", |out| {
                json::list(out, [(delta, beside)], |out, (delta, beside)| {
                    json::object(out, |choice| {
                        choice.field("index", &candidate);
                        choice.nest("delta", |fields| {
                            if first {
                                fields.field("role", "assistant");
                            }
                            delta(fields);
                        });
                        choice.field("finish_reason", &finish);
                        beside(choice);
                    });
                });
            });
        });
    }

    fn chunk(&self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        let mut data = Vec::with_capacity(256);
        json::object(&mut data, |chunk| {
            chunk.optional("id", self.id.as_ref());
            chunk.field("object", "chat.completion.chunk");
            chunk.optional("created", self.created.as_ref());
            chunk.optional("model", self.model.as_ref());
            fill(chunk);
            chunk.extras(&self.extras);
        });
        sse::write(out, &data);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(used) = self.usage.take().filter(|_| self.wants_usage) {
            self.chunk(out, |chunk| {
                chunk.with("choices", |out| out.extend_from_slice(b"[]"));
                chunk.nest("usage", |body| usage::write(body, &used));
            });
        }
        sse::write(out, b"[DONE]");
    }
}

fn spelled(kind: CallKind) -> (&'static str, &'static str) {
    match kind {
        CallKind::Function => ("function", "arguments"),
        CallKind::Custom => ("custom", "input"),
    }
}

/// Writes the frame that ends a stream badly: an error and no `[DONE]`, so that no client can take
/// the answer for complete.
pub fn failure_frame(failure: &Failure, context: &Context, out: &mut Vec<u8>) {
    let (_, body) = failure::write(failure, context);
    sse::write(out, &body);
}
