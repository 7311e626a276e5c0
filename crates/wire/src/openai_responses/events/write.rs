//! Events to frames.

use ir::{Dialect, Event, Extras, Finish, Opaque, PartKind, RawJson, Scope, Usage};

use super::super::item::{self, Shell};
use super::super::made::Maker;
use super::super::response::{self, Face};
use super::call::Calling;
use super::desk::Desk;
use super::message::Message;
use super::picture::Picture;
use super::thoughts::Thinking;
use crate::failures::Context;
use crate::json;

const HERE: Dialect = Dialect::OpenaiResponses;

/// Writes one stream.
#[derive(Debug, Default)]
pub struct Writer {
    id: Option<String>,
    model: Option<String>,
    created: Option<u64>,
    /// What the answer says of itself.
    extras: Extras,
    /// The provider's own words for how it ended.
    words: Extras,
    finish: Option<Finish>,
    usage: Option<Usage>,
    /// Whether the answer is known to be of this dialect, so that what is noted of it is at home.
    home: bool,
    desk: Desk,
    /// Texts and refusals that are open and not yet announced.
    waiting: Vec<Waiting>,
    messages: Vec<Message>,
    calls: Vec<Calling>,
    thoughts: Vec<Thinking>,
    pictures: Vec<Picture>,
}

/// A text or a refusal that is announced with the first that it says.
#[derive(Debug)]
struct Waiting {
    part: u32,
    refusal: bool,
    /// What must stand before it.
    carrier: Option<Opaque>,
}

impl Writer {
    /// Writes what an event becomes; many become nothing by themselves. The dialect has one
    /// candidate; nobody asks for more in it.
    pub fn write(&mut self, event: &Event, context: &Context, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, created } => {
                self.id.clone_from(id);
                self.model.clone_from(model);
                self.created = *created;
                self.desk.maker = Maker::of(id.as_deref(), model.as_deref(), *created);
                self.state("response.created", out);
                self.state("response.in_progress", out);
            }
            Event::Open(spot, kind) if spot.candidate == 0 => self.open(spot.part, kind, out),
            Event::Delta(spot, text) if spot.candidate == 0 => self.delta(spot.part, text, out),
            Event::Cite(spot, citation) if spot.candidate == 0 => {
                self.announce(spot.part, out);
                let holds = |message: &&mut Message| message.holds(spot.part);
                if let Some(message) = self.messages.iter_mut().find(holds) {
                    message.cite(spot.part, citation, &mut self.desk, out);
                }
            }
            Event::Carry(spot, carrier) if spot.candidate == 0 => {
                self.carry(spot.part, carrier, out);
            }
            Event::Close(spot) if spot.candidate == 0 => self.close(spot.part, out),
            Event::Note(scope, name, raw) => self.note(*scope, name, raw),
            Event::Stop { candidate: 0, finish } => self.finish.clone_from(finish),
            Event::Usage(used) => self.usage = Some(used.clone()),
            Event::Finish => self.end(out),
            Event::Fail(failure) => self.desk.frames.failure(failure, context, out),
            Event::Open(..)
            | Event::Delta(..)
            | Event::Cite(..)
            | Event::Carry(..)
            | Event::Close(_)
            | Event::Stop { .. } => {}
        }
    }

    fn note(&mut self, scope: Scope, name: &str, raw: &RawJson) {
        match scope {
            Scope::Answer => self.extras.absorb(name, raw),
            Scope::Candidate(0) => self.words.absorb(name, raw),
            Scope::Turn(0) => {
                if let Some(part) = item::part_of(name) {
                    self.home = true;
                    self.desk.shells.insert(part, Shell::parse(raw));
                }
            }
            Scope::Candidate(_) | Scope::Turn(_) => {}
        }
    }

    fn face(&self) -> Face<'_> {
        const NONE: &Extras = &Extras(Vec::new());
        Face {
            id: self.id.as_deref(),
            model: self.model.as_deref(),
            created: self.created,
            extras: if self.home { &self.extras } else { NONE },
        }
    }

    /// Writes an answer that has just begun.
    fn state(&mut self, kind: &str, out: &mut Vec<u8>) {
        let mut begun = Vec::with_capacity(512);
        self.face().write(&mut begun, |body, _| {
            body.field("status", "in_progress");
            body.field("incomplete_details", &None::<()>);
            body.with("output", |out| out.extend_from_slice(b"[]"));
            body.field("usage", &None::<()>);
        });
        self.frame(kind, &begun, out);
    }

    fn frame(&mut self, kind: &str, response: &[u8], out: &mut Vec<u8>) {
        self.desk.frames.write(out, kind, |frame| {
            frame.with("response", |out| out.extend_from_slice(response));
        });
    }

    /// Writes the whole answer.
    fn end(&mut self, out: &mut Vec<u8>) {
        let items = std::mem::take(&mut self.desk.items);
        if !self.home {
            self.words = Extras::default();
        }
        let mut whole = Vec::with_capacity(1024);
        self.face().write(&mut whole, |body, _| {
            response::write_status(body, self.finish.as_ref(), &self.words);
            body.with("output", |out| {
                let done = items.iter().filter(|item| !item.is_empty());
                json::list(out, done, |out, item| out.extend_from_slice(item));
            });
            response::write_usage(body, self.usage.as_ref(), self.home);
        });
        let (status, _) = response::write_finish(self.finish.as_ref());
        let said = self
            .words
            .get("status")
            .map_or(status.to_owned(), |raw| raw.value().as_str().unwrap_or(status).to_owned());
        let kind = if said == "incomplete" { "response.incomplete" } else { "response.completed" };
        self.frame(kind, &whole, out);
    }

    fn open(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        match kind {
            PartKind::Text | PartKind::Refusal => {
                let refusal = *kind == PartKind::Refusal;
                self.waiting.push(Waiting { part, refusal, carrier: None });
                let goes_on = self.messages.iter().any(|message| message.takes(part, &self.desk));
                if goes_on || self.desk.shells.contains_key(&part) {
                    self.announce(part, out);
                }
            }
            PartKind::Reasoning => {
                let open = Thinking::open(part, &mut self.desk, out);
                self.thoughts.push(open);
            }
            PartKind::ToolCall { id, name, kind } => {
                let call = Calling::open(part, (id, name, *kind), &mut self.desk, out);
                self.calls.push(call);
            }
            PartKind::Image { media_type } => self.pictures.push(Picture::open(part, media_type)),
            PartKind::Other(own) if own.dialect == HERE => {
                self.home = true;
                self.desk.whole(own.raw.text().as_bytes().to_vec(), out);
            }
            PartKind::Other(_) => {}
        }
    }

    /// Begins the text that waits, as a piece of the message it belongs to or of a new one.
    fn announce(&mut self, part: u32, out: &mut Vec<u8>) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.part == part) else {
            return;
        };
        let Waiting { refusal, carrier, .. } = self.waiting.swap_remove(at);
        let desk = &mut self.desk;
        if let Some(carrier) = carrier {
            desk.sealed(&carrier, out);
        }
        match self.messages.iter_mut().find(|message| message.takes(part, desk)) {
            Some(message) => message.add(part, refusal, desk, out),
            None => {
                let message = Message::begin(part, refusal, desk, out);
                self.messages.push(message);
            }
        }
    }

    fn delta(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.announce(part, out);
        }
        let desk = &mut self.desk;
        if let Some(message) = self.messages.iter_mut().find(|message| message.holds(part)) {
            message.say(part, text, desk, out);
        } else if let Some(call) = self.calls.iter_mut().find(|call| call.part == part) {
            call.say(text, desk, out);
        } else if let Some(open) = self.thoughts.iter_mut().find(|open| open.part == part) {
            open.say(text, desk, out);
        } else if let Some(picture) = self.pictures.iter_mut().find(|open| open.part == part) {
            picture.say(text);
        }
    }

    fn carry(&mut self, part: u32, carrier: &Opaque, out: &mut Vec<u8>) {
        let desk = &mut self.desk;
        self.home |= carrier.dialect == HERE;
        if let Some(open) = self.thoughts.iter_mut().find(|open| open.part == part) {
            return open.carry(carrier);
        }
        if carrier.dialect == HERE {
            // Only thoughts carry items of this dialect.
            return;
        }
        // One that comes after its text has no place any more, and goes: Google demands signatures on
        // calls only.
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.part == part) {
            waiting.carrier = Some(carrier.clone());
        } else if let Some(call) = self.calls.iter_mut().find(|call| call.part == part) {
            call.carry(carrier, desk, out);
        }
    }

    fn close(&mut self, part: u32, out: &mut Vec<u8>) {
        if self.home {
            self.announce(part, out);
        }
        // A text of nothing would be taken for the answer, and goes with what it carries.
        self.waiting.retain(|waiting| waiting.part != part);
        let desk = &mut self.desk;
        if let Some(at) = self.messages.iter().position(|message| message.holds(part)) {
            if self.messages[at].close(part, desk, out) {
                self.messages.swap_remove(at);
            }
        } else if let Some(at) = self.calls.iter().position(|call| call.part == part) {
            self.calls.swap_remove(at).close(self.home, desk, out);
        } else if let Some(at) = self.thoughts.iter().position(|open| open.part == part) {
            self.thoughts.swap_remove(at).close(desk, out);
        } else if let Some(at) = self.pictures.iter().position(|open| open.part == part) {
            self.pictures.swap_remove(at).close(desk, out);
        }
    }
}
