//! Events to frames.
//!
//! A frame is a whole answer with what is new. Texts go out as they come; a call goes out when its
//! arguments are whole. Why a candidate ended, and the usage, go into one last frame. Every frame has a
//! part, if only an empty text: the official SDK drops a turn from its history otherwise.

use ir::{
    Arguments, CallKind, Citation, Event, Extras, Failure, Finish, Opaque, PartKind, Scope, Source,
    Spot, ToolCall, Usage,
};

use super::super::grounding::{self, Grounded};
use super::super::{HERE, call, failure, part, response, signature, usage};
use crate::failures::Context;
use crate::json::{self, Object};

/// Writes one stream.
#[derive(Debug, Default)]
pub struct Writer {
    id: Option<String>,
    model: Option<String>,
    /// What was noted of the answer and is not written yet.
    extras: Extras,
    open: Vec<(Spot, Opened)>,
    candidates: Vec<(u32, Ending)>,
    usage: Option<Usage>,
}

/// A part that is being written.
#[derive(Debug)]
struct Opened {
    kind: Kind,
    /// What must come back with it, while it is not written yet.
    carrier: Option<Opaque>,
    /// What is written only when it is whole.
    held: String,
    /// Whether something of it is written.
    begun: bool,
    /// Where the text begins among all the candidate's text, in bytes.
    from: usize,
    citations: Vec<Citation>,
}

#[derive(Debug)]
enum Kind {
    Text,
    Reasoning,
    Call { id: String, name: String, kind: CallKind },
    Image { media_type: String },
}

/// What is still to be said of a candidate.
#[derive(Debug, Default)]
struct Ending {
    finish: Option<Finish>,
    /// What was noted of it and is not written yet.
    extras: Extras,
    turn: Extras,
    /// The bytes of its text so far.
    said: usize,
    grounded: Vec<Grounded>,
    broken: Option<String>,
}

impl Writer {
    /// Writes what an event becomes; many become nothing by themselves.
    pub fn write(&mut self, event: &Event, context: &Context, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, .. } => {
                self.id.clone_from(id);
                self.model.clone_from(model);
            }
            Event::Open(spot, kind) => self.open(*spot, kind, out),
            Event::Delta(spot, text) => self.delta(*spot, text, out),
            Event::Cite(spot, citation) => {
                if let Some(opened) = self.opened(*spot)
                    && citation.raw.dialect != HERE
                {
                    opened.citations.push(citation.clone());
                }
            }
            Event::Carry(spot, carrier) => {
                if let Some(opened) = self.opened(*spot) {
                    opened.carrier = Some(carrier.clone());
                }
            }
            Event::Close(spot) => self.close(*spot, out),
            Event::Note(Scope::Answer, name, raw) => self.extras.set(name, raw.clone()),
            Event::Note(Scope::Candidate(of), name, raw) => {
                // What was noted under the same name before is another note, not an older one.
                if self.ending(*of).extras.get(name).is_some() {
                    self.part(*of, &part::write_text("", false, None, None), out);
                }
                self.ending(*of).extras.set(name, raw.clone());
            }
            Event::Note(Scope::Turn(of), name, raw) => self.ending(*of).turn.set(name, raw.clone()),
            Event::Stop { candidate, finish } => {
                self.ending(*candidate).finish.clone_from(finish);
            }
            Event::Usage(used) => self.usage = Some(used.clone()),
            Event::Finish => self.finish(out),
            Event::Fail(failure) => failure_frame(failure, context, out),
        }
    }

    fn opened(&mut self, spot: Spot) -> Option<&mut Opened> {
        self.open.iter_mut().find(|(open, _)| *open == spot).map(|(_, opened)| opened)
    }

    fn ending(&mut self, candidate: u32) -> &mut Ending {
        let at = self.candidates.iter().position(|(of, _)| *of == candidate);
        let at = at.unwrap_or_else(|| {
            self.candidates.push((candidate, Ending::default()));
            self.candidates.len() - 1
        });
        &mut self.candidates[at].1
    }

    fn open(&mut self, spot: Spot, kind: &PartKind, out: &mut Vec<u8>) {
        let from = self.ending(spot.candidate).said;
        let kind = match kind {
            PartKind::Text | PartKind::Refusal => Kind::Text,
            PartKind::Reasoning => Kind::Reasoning,
            PartKind::ToolCall { id, name, kind } => {
                Kind::Call { id: id.clone(), name: name.clone(), kind: *kind }
            }
            PartKind::Image { media_type } => Kind::Image { media_type: media_type.clone() },
            PartKind::Other(opaque) => {
                if opaque.dialect == HERE {
                    self.part(spot.candidate, opaque.raw.text().as_bytes(), out);
                }
                return;
            }
        };
        let held = String::new();
        let (carrier, begun, citations) = (None, false, Vec::new());
        self.open.push((spot, Opened { kind, carrier, held, begun, from, citations }));
    }

    fn delta(&mut self, spot: Spot, text: &str, out: &mut Vec<u8>) {
        let Some(opened) = self.opened(spot) else { return };
        let thought = match opened.kind {
            Kind::Text => false,
            Kind::Reasoning => true,
            Kind::Call { .. } | Kind::Image { .. } => return opened.held.push_str(text),
        };
        if !thought {
            // Kept for the places of citations, which are counted in its bytes.
            opened.held.push_str(text);
        }
        opened.begun = true;
        // Another dialect's may still be replaced by a later one, and waits for the end of the part.
        let own = opened.carrier.take_if(|carrier| carrier.dialect == HERE);
        let signature = own.as_ref().map(signature::sealed);
        let written = part::write_text(text, thought, signature.as_ref(), None);
        if !thought {
            self.ending(spot.candidate).said += text.len();
        }
        self.part(spot.candidate, &written, out);
    }

    fn close(&mut self, spot: Spot, out: &mut Vec<u8>) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == spot) else { return };
        let (_, opened) = self.open.remove(at);
        let Opened { kind, carrier, held, begun, from, citations } = opened;
        let signature = carrier.as_ref().map(signature::sealed);
        let signature = signature.as_ref();
        let written = match kind {
            Kind::Text | Kind::Reasoning => {
                let ending = self.ending(spot.candidate);
                let placed = |one| grounding::placed(one, &held, 0, from);
                ending.grounded.extend(citations.iter().map(placed));
                let thought = matches!(kind, Kind::Reasoning);
                let rest = signature.is_some() || !begun;
                rest.then(|| part::write_text("", thought, signature, None))
            }
            Kind::Call { id, name, kind } => {
                let call = ToolCall {
                    id,
                    name,
                    kind,
                    arguments: Arguments(held),
                    carrier: None,
                    cache: None,
                    extras: Extras::default(),
                };
                if !call::takes(&call) {
                    self.ending(spot.candidate).broken = Some(call::broken(&call.name));
                }
                Some(call::write_call(&call, signature, None))
            }
            Kind::Image { media_type } => {
                let source = Source::Inline { media_type, base64: held };
                let mut extras = Extras::default();
                signature.into_iter().for_each(|raw| extras.set(signature::NAME, raw.clone()));
                Some(part::write_media(&source, Some(&extras)))
            }
        };
        if let Some(written) = written {
            self.part(spot.candidate, &written, out);
        }
    }

    /// Writes a frame with one part, and what was noted of its candidate.
    fn part(&mut self, candidate: u32, part: &[u8], out: &mut Vec<u8>) {
        let noted = std::mem::take(&mut self.ending(candidate).extras);
        let mut written = Vec::with_capacity(part.len() + 64);
        json::object(&mut written, |fields| {
            write_content(fields, part, &Extras::default());
            fields.field("index", &candidate);
            fields.extras(&noted);
        });
        self.frame(&[written], None, out);
    }

    fn frame(&mut self, candidates: &[Vec<u8>], usage: Option<&Usage>, out: &mut Vec<u8>) {
        let extras = std::mem::take(&mut self.extras);
        let mut data = Vec::with_capacity(256);
        json::object(&mut data, |frame| {
            if !candidates.is_empty() {
                frame.with("candidates", |out| part::write_all(out, candidates));
            }
            if let Some(used) = usage {
                frame.nest("usageMetadata", |body| usage::write(body, &usage::at_home(used), HERE));
            }
            frame.optional("modelVersion", self.model.as_ref());
            frame.optional("responseId", self.id.as_ref());
            frame.extras(&extras);
        });
        write_frame(&data, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let empty = part::write_text("", false, None, None);
        let endings = std::mem::take(&mut self.candidates);
        let written: Vec<Vec<u8>> = endings
            .iter()
            .map(|(candidate, ending)| {
                let mut written = Vec::new();
                json::object(&mut written, |fields| ending.write(fields, &empty, *candidate));
                written
            })
            .collect();
        let usage = self.usage.take();
        self.frame(&written, usage.as_ref(), out);
    }
}

impl Ending {
    fn write(&self, candidate: &mut Object<'_>, part: &[u8], index: u32) {
        write_content(candidate, part, &self.turn);
        if self.extras.get(response::FINISH).is_none() {
            // Without a word clients of this dialect take the stream for cut.
            let finish = self.finish.as_ref().map_or("STOP", response::write_finish);
            candidate.field(response::FINISH, finish);
        }
        candidate.field("index", &index);
        if self.extras.get(grounding::GROUNDING).is_none() {
            grounding::write(candidate, &self.grounded);
        }
        if self.extras.get(response::MESSAGE).is_none() {
            candidate.optional(response::MESSAGE, self.broken.as_ref());
        }
        candidate.extras(&self.extras);
    }
}

fn write_content(candidate: &mut Object<'_>, part: &[u8], turn: &Extras) {
    candidate.nest("content", |content| {
        content
            .with("parts", |out| json::list(out, [part], |out, part| out.extend_from_slice(part)));
        if turn.get("role").is_none() {
            content.field("role", "model");
        }
        content.extras(turn);
    });
}

/// Writes the frame that ends a stream badly. The official SDK raises its error for a frame that begins
/// with one.
pub fn failure_frame(failure: &Failure, context: &Context, out: &mut Vec<u8>) {
    let (_, body) = failure::write(failure, context);
    write_frame(&body, out);
}

/// Writes an event. What is kept as it came may hold line ends, which would end the event's line; in
/// JSON they only ever stand between the tokens.
fn write_frame(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend(data.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n\r\n");
}
