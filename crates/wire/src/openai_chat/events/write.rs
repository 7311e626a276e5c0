//! Events to frames.
//!
//! What a part carries, and what cannot be said in pieces (a picture), is said when the part closes.

use ir::{CallKind, Citation, Event, Extras, Failure, Opaque, PartKind, Scope, Spot};

use super::super::{citation, failure, message, response, thoughts, usage};
use crate::failures::Context;
use crate::json::{self, Object};
use crate::sse;

/// Writes one stream.
#[derive(Debug, Default)]
pub struct Writer {
    /// Whether the client asked for usage at the end.
    pub wants_usage: bool,
    /// Whether the stream comes from another dialect.
    pub foreign: bool,
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    extras: Extras,
    open: Vec<Open>,
    speakers: Vec<Speaker>,
    usage: Option<ir::Usage>,
}

/// A part being said.
#[derive(Debug)]
struct Open {
    spot: Spot,
    part: Part,
    /// What must go back with it.
    carrier: Option<Opaque>,
    /// The text so far, where it is said once more or at once when the part closes.
    text: String,
    /// Whether anything of it was said.
    grown: bool,
}

#[derive(Debug, Clone)]
enum Part {
    /// A text, and how many characters of others stand before it.
    Text(u64),
    Reasoning,
    Refusal,
    /// A call, and its place among the candidate's.
    Call {
        index: u32,
        kind: CallKind,
    },
    /// A picture of this type.
    Image(String),
}

/// How far one candidate has come.
#[derive(Debug)]
struct Speaker {
    candidate: u32,
    greeted: bool,
    calls: u32,
    /// Characters of text so far.
    said: u64,
    /// The host's own word for why it stopped.
    word: Option<ir::RawJson>,
}

impl Writer {
    /// Begins a stream.
    pub fn new(wants_usage: bool, foreign: bool) -> Self {
        Self { wants_usage, foreign, ..Self::default() }
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
            Event::Cite(spot, citation) => self.cite(*spot, citation, out),
            Event::Carry(spot, opaque) => {
                if let Some(open) = self.open.iter_mut().find(|open| open.spot == *spot) {
                    open.carrier = Some(opaque.clone());
                }
            }
            Event::Close(spot) => self.close(*spot, out),
            Event::Note(Scope::Answer, name, raw) => self.extras.set(name, raw.clone()),
            Event::Note(Scope::Candidate(of), name, raw) if name == response::FINISH => {
                self.speaker(*of).word = Some(raw.clone());
            }
            Event::Note(Scope::Candidate(of), name, raw) => {
                self.choice(*of, out, |_| {}, |choice| choice.raw(name, raw));
            }
            Event::Note(Scope::Turn(of), name, raw) => {
                self.say(*of, out, |delta| delta.raw(name, raw));
            }
            Event::Stop { candidate, finish } => {
                let foreign = self.foreign;
                let word = self.speaker(*candidate).word.take();
                let stop = |choice: &mut Object<'_>| match word {
                    Some(word) => choice.raw(response::FINISH, &word),
                    // Without a word clients of this dialect wait for more.
                    None if foreign && finish.is_none() => choice.field(response::FINISH, "stop"),
                    None => response::write_stop(choice, finish.as_ref(), !foreign),
                };
                self.chunk_of(*candidate, out, |_| {}, stop);
            }
            Event::Usage(used) => self.usage = Some(used.clone()),
            Event::Finish => self.finish(out),
            Event::Fail(failure) => failure_frame(failure, context, out),
        }
    }

    fn speaker(&mut self, candidate: u32) -> &mut Speaker {
        let at = self.speakers.iter().position(|speaker| speaker.candidate == candidate);
        let at = at.unwrap_or_else(|| {
            self.speakers.push(Speaker {
                candidate,
                greeted: false,
                calls: 0,
                said: 0,
                word: None,
            });
            self.speakers.len() - 1
        });
        &mut self.speakers[at]
    }

    fn open(&mut self, spot: Spot, kind: &PartKind, out: &mut Vec<u8>) {
        let part = match kind {
            PartKind::Text => Part::Text(self.speaker(spot.candidate).said),
            PartKind::Reasoning => Part::Reasoning,
            PartKind::Refusal => Part::Refusal,
            PartKind::Image { media_type } => Part::Image(media_type.clone()),
            PartKind::ToolCall { id, name, kind } => {
                let speaker = self.speaker(spot.candidate);
                let index = speaker.calls;
                speaker.calls += 1;
                let (field, argument) = message::spelled(*kind);
                self.call(spot.candidate, index, out, |call| {
                    call.field("id", id);
                    call.field("type", field);
                    call.nest(field, |function| {
                        function.field("name", name);
                        function.field(argument, "");
                    });
                });
                Part::Call { index, kind: *kind }
            }
            PartKind::Other(_) => return,
        };
        self.open.push(Open { spot, part, carrier: None, text: String::new(), grown: false });
    }

    fn delta(&mut self, spot: Spot, text: &str, out: &mut Vec<u8>) {
        let foreign = self.foreign;
        let Some(open) = self.open.iter_mut().find(|open| open.spot == spot) else { return };
        open.grown |= !text.is_empty();
        let field = match open.part {
            Part::Text(_) => {
                if foreign {
                    self.speaker(spot.candidate).said += message::count(text);
                }
                "content"
            }
            Part::Reasoning => {
                if foreign {
                    open.text.push_str(text);
                }
                "reasoning_content"
            }
            Part::Refusal => "refusal",
            Part::Image(_) => return open.text.push_str(text),
            Part::Call { index, kind } => {
                let (field, argument) = message::spelled(kind);
                let fill = |call: &mut Object<'_>| {
                    call.nest(field, |function| function.field(argument, text));
                };
                return self.call(spot.candidate, index, out, fill);
            }
        };
        self.say(spot.candidate, out, |delta| delta.field(field, text));
    }

    fn cite(&mut self, spot: Spot, cited: &Citation, out: &mut Vec<u8>) {
        let open = self.open.iter().find(|open| open.spot == spot);
        if let Some(Open { part: Part::Text(before), .. }) = open
            && citation::sayable(cited)
        {
            let text = *before..self.speaker(spot.candidate).said;
            self.say(spot.candidate, out, |delta| {
                delta.with("annotations", |out| {
                    json::list(out, [cited], |out, cited| {
                        citation::write(out, cited, text.clone())
                    });
                });
            });
        }
    }

    fn close(&mut self, spot: Spot, out: &mut Vec<u8>) {
        let Some(at) = self.open.iter().position(|open| open.spot == spot) else { return };
        let Open { part, carrier, text, grown, .. } = self.open.swap_remove(at);
        let index = usize::try_from(spot.part).unwrap_or(usize::MAX);
        match (part, carrier) {
            (Part::Reasoning, Some(carrier)) => {
                let mut list = Vec::new();
                // At home the details repeat the text already.
                let thoughts = ir::Reasoning { text, carrier: Some(carrier) };
                if thoughts::part_of(&thoughts).is_none() {
                    thoughts::details_of(&mut list, &thoughts, index);
                    self.details(spot.candidate, &list, out);
                }
            }
            // As in a whole answer, an empty text goes without its carrier.
            (Part::Text(_), Some(carrier)) if grown => {
                let mut list = Vec::new();
                thoughts::detail_of_text(&mut list, &carrier, index);
                self.details(spot.candidate, &list, out);
            }
            (Part::Call { index, kind }, carrier) => {
                let missing = self.foreign && !grown && kind == CallKind::Function;
                if missing || carrier.is_some() {
                    self.call(spot.candidate, index, out, |call| {
                        if missing {
                            call.nest("function", |function| function.field("arguments", "{}"));
                        }
                        if let Some(carrier) = &carrier {
                            message::write_carrier(call, carrier);
                        }
                    });
                }
            }
            (Part::Image(media_type), _) => {
                let source = ir::Source::Inline { media_type, base64: text };
                let extras = Extras::default();
                let image = ir::Image { source, detail: None, cache: None, extras };
                self.say(spot.candidate, out, |delta| {
                    message::write_images(delta, &[ir::AssistantPart::Image(image)], false);
                });
            }
            _ => {}
        }
    }

    fn details(&mut self, candidate: u32, list: &[u8], out: &mut Vec<u8>) {
        self.say(candidate, out, |delta| thoughts::write_details(delta, list));
    }

    fn call(
        &mut self,
        candidate: u32,
        index: u32,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Object<'_>),
    ) {
        self.say(candidate, out, |delta| {
            delta.with("tool_calls", |out| {
                json::list(out, [fill], |out, fill| {
                    json::object(out, |call| {
                        call.field("index", &index);
                        fill(call);
                    });
                });
            });
        });
    }

    /// Writes a chunk that says something.
    fn say(&mut self, candidate: u32, out: &mut Vec<u8>, delta: impl FnOnce(&mut Object<'_>)) {
        self.choice(candidate, out, delta, |_| {});
    }

    /// Writes a chunk of a candidate that goes on.
    fn choice(
        &mut self,
        candidate: u32,
        out: &mut Vec<u8>,
        delta: impl FnOnce(&mut Object<'_>),
        beside: impl FnOnce(&mut Object<'_>),
    ) {
        self.chunk_of(candidate, out, delta, |choice| {
            choice.field(response::FINISH, &None::<&str>);
            beside(choice);
        });
    }

    /// Writes a chunk with one choice; the first of a candidate brings its role.
    fn chunk_of(
        &mut self,
        candidate: u32,
        out: &mut Vec<u8>,
        delta: impl FnOnce(&mut Object<'_>),
        beside: impl FnOnce(&mut Object<'_>),
    ) {
        let first = !std::mem::replace(&mut self.speaker(candidate).greeted, true);
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
                chunk.nest("usage", |body| usage::write(body, &used, &used.extras));
            });
        }
        sse::write(out, b"[DONE]");
    }
}

/// Writes the frame that ends a stream badly: an error and no `[DONE]`, so that no client can take
/// the answer for complete.
pub fn failure_frame(failure: &Failure, context: &Context, out: &mut Vec<u8>) {
    let (_, body) = failure::write(failure, context);
    sse::write(out, &body);
}
