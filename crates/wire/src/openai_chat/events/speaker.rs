//! One candidate of a stream: its parts as they open, grow and close.
//!
//! Thoughts, text and refusal are prose: one of them is open at a time, and the next closes it. Calls
//! stay open to the end, since hosts go back to them.

use std::borrow::Cow;

use ir::{CallKind, Citation, Event, Finish, Image, PartKind, RawJson, Scope, Seed, Source, Spot};

use super::super::thoughts::Whose;
use super::super::{citation, message, response};
use super::details::Details;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};

/// How far one candidate has come.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    parts: u32,
    prose: Option<(Prose, u32)>,
    calls: Vec<Call>,
    /// The last word for why it stopped that says anything.
    word: Option<String>,
    /// Whether thoughts came in a plain field, so that the details only repeat them.
    thought: bool,
    /// Details that no closed part carries yet.
    details: Details,
    /// Citations that came before their text.
    cited: Vec<Citation>,
}

/// What a part of prose is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prose {
    Text,
    Reasoning,
    Refusal,
}

#[derive(Debug)]
struct Call {
    id: String,
    index: Option<i64>,
    part: u32,
}

impl Speaker {
    /// Returns whether it has said why it stopped.
    pub(super) fn finished(&self) -> bool {
        self.word.is_some()
    }

    /// Takes the word for why it stopped; one that says nothing changes nothing.
    pub(super) fn finish(&mut self, word: String) {
        if response::read_finish(&word, false).is_some() {
            self.word = Some(word);
        }
    }

    /// Closes what is open and stops.
    pub(super) fn stop(&mut self, candidate: u32, out: &mut Vec<Event>) {
        self.close_prose(candidate, out);
        if !self.details.is_empty() {
            self.open_prose(candidate, Prose::Reasoning, out);
            self.close_prose(candidate, out);
        }
        for cited in self.cited.drain(..) {
            let raw = RawJson::parse(format!("[{}]", cited.raw.raw.text()));
            let raw = raw.expect("invariant: a list of one JSON value is JSON");
            out.push(Event::Note(Scope::Turn(candidate), "annotations".to_owned(), raw));
        }
        let spot = |call: &Call| Event::Close(Spot { candidate, part: call.part });
        out.extend(self.calls.iter().map(spot));
        let word = self.word.take();
        let finish = word.and_then(|word| response::read_finish(&word, !self.calls.is_empty()));
        let finish: Option<Finish> = finish.map(|(finish, own)| {
            if let Some(own) = own {
                let name = response::FINISH.to_owned();
                out.push(Event::Note(Scope::Candidate(candidate), name, own));
            }
            finish
        });
        out.push(Event::Stop { candidate, finish });
    }

    /// Reads what a chunk adds.
    pub(super) fn delta(
        &mut self,
        candidate: u32,
        seed: Seed,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        fields.take("role", |_| Ok(()))?;
        self.thoughts(candidate, &mut fields, out)?;
        if let Some(cited) = citation::read(&mut fields)? {
            self.cite(candidate, cited, out);
        }
        fields.take_if(
            "content",
            |content| content.is_string() || content.is_list(),
            |content| {
                if content.is_string() {
                    self.say(candidate, Prose::Text, &content.text()?, out);
                    return Ok(());
                }
                content.each(|part| self.part(candidate, part, out)).map(drop)
            },
        )?;
        if let Some(refusal) = fields.take_if("refusal", |text| text.is_string(), text)? {
            self.say(candidate, Prose::Refusal, &refusal, out);
        }
        let inline = |list: Value<'_, '_>| {
            let images = message::images(list)?;
            images.into_iter().map(sent_along).collect::<Option<Vec<_>>>()
        };
        let images =
            fields.take_if("images", |list| inline(list).is_some(), |list| Ok(inline(list)))?;
        for (media_type, base64) in images.flatten().into_iter().flatten() {
            self.image(candidate, media_type, base64, out);
        }
        fields.take("tool_calls", |calls| {
            calls.each(|call| self.call(candidate, seed, call, out)).map(drop)
        })?;
        for (name, raw) in fields.left() {
            if raw.get() != "null" {
                out.push(Event::Note(Scope::Turn(candidate), name.to_owned(), RawJson::keep(raw)));
            }
        }
        Ok(())
    }

    fn thoughts(
        &mut self,
        candidate: u32,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let long = fields.take_if("reasoning_content", |text| text.is_string(), text)?;
        let short = fields.take_if("reasoning", |text| text.is_string(), text)?;
        let plain = long.filter(|text| !text.is_empty()).or(short);
        let details = fields.take_if(
            "reasoning_details",
            |list| Details::read(list).is_some(),
            |list| Ok(Details::read(list)),
        )?;
        let details = details.flatten().unwrap_or_default();
        self.thought |= plain.as_ref().is_some_and(|text| !text.is_empty());
        if let Some(plain) = plain {
            self.say(candidate, Prose::Reasoning, &plain, out);
        }
        if !self.thought {
            self.say(candidate, Prose::Reasoning, &details.text(), out);
        }
        // Details that come after the thoughts have ended are carried by a part of their own.
        if !details.is_empty() && self.parts == 0 {
            self.open_prose(candidate, Prose::Reasoning, out);
        }
        self.details.merge(details);
        Ok(())
    }

    /// Cites on the open text; before there is one, citations wait for it.
    fn cite(&mut self, candidate: u32, cited: Vec<Citation>, out: &mut Vec<Event>) {
        match self.prose {
            Some((Prose::Text, part)) => {
                let spot = Spot { candidate, part };
                out.extend(cited.into_iter().map(|cited| Event::Cite(spot, cited)));
            }
            _ => self.cited.extend(cited),
        }
    }

    fn image(&mut self, candidate: u32, media_type: String, base64: String, out: &mut Vec<Event>) {
        self.close_prose(candidate, out);
        let spot = Spot { candidate, part: self.next_part() };
        out.push(Event::Open(spot, PartKind::Image { media_type }));
        out.push(Event::Delta(spot, base64));
        out.push(Event::Close(spot));
    }

    /// Reads one part of a content list (Mistral).
    fn part(
        &mut self,
        candidate: u32,
        part: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if let Some(thoughts) = message::thinking(part)? {
            self.say(candidate, Prose::Reasoning, &thoughts, out);
            return Ok(());
        }
        let said = part.object()?.take_if("text", |text| text.is_string(), |text| text.text())?;
        match said {
            Some(said) => self.say(candidate, Prose::Text, &said, out),
            None => {
                let raw = RawJson::parse(format!("[{}]", part.raw.get()));
                let raw = raw.expect("invariant: a list of one JSON value is JSON");
                out.push(Event::Note(Scope::Turn(candidate), "content_parts".to_owned(), raw));
            }
        }
        Ok(())
    }

    /// Adds to the open prose, or opens it.
    pub(super) fn say(&mut self, candidate: u32, prose: Prose, text: &str, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let part = match self.prose {
            Some((open, part)) if open == prose => part,
            _ => self.open_prose(candidate, prose, out),
        };
        out.push(Event::Delta(Spot { candidate, part }, text.to_owned()));
    }

    fn open_prose(&mut self, candidate: u32, prose: Prose, out: &mut Vec<Event>) -> u32 {
        self.close_prose(candidate, out);
        let part = self.next_part();
        self.prose = Some((prose, part));
        let kind = match prose {
            Prose::Text => PartKind::Text,
            Prose::Reasoning => PartKind::Reasoning,
            Prose::Refusal => PartKind::Refusal,
        };
        let spot = Spot { candidate, part };
        out.push(Event::Open(spot, kind));
        if prose == Prose::Text {
            out.extend(self.cited.drain(..).map(|cited| Event::Cite(spot, cited)));
        }
        part
    }

    fn close_prose(&mut self, candidate: u32, out: &mut Vec<Event>) {
        if let Some((prose, part)) = self.prose.take() {
            let spot = Spot { candidate, part };
            if prose == Prose::Reasoning
                && let Some(carrier) = self.details.take()
            {
                out.push(Event::Carry(spot, carrier));
            }
            out.push(Event::Close(spot));
        }
    }

    fn next_part(&mut self) -> u32 {
        self.parts += 1;
        self.parts - 1
    }

    fn call(
        &mut self,
        candidate: u32,
        seed: Seed,
        call: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut fields = call.object()?;
        let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?.unwrap_or_default();
        let whole = |index: Value<'_, '_>| index.number().map(|index| index.as_i64());
        let index = fields.take_if("index", |index| index.number().is_ok(), whole)?.flatten();
        let kind =
            if fields.peek("custom").is_some() { CallKind::Custom } else { CallKind::Function };
        let (field, argument) = message::spelled(kind);
        let said = fields.take_if(
            field,
            |function| function.is_object(),
            |function| {
                let mut function = function.object()?;
                let name =
                    function.take_if("name", |name| name.is_string(), |name| name.string())?;
                let arguments = function.take(argument, |text| {
                    if text.is_string() { text.string() } else { Ok(text.raw.get().to_owned()) }
                })?;
                Ok((name.unwrap_or_default(), arguments.unwrap_or_default()))
            },
        )?;
        let (name, arguments) = said.unwrap_or_default();
        let carrier = message::read_carrier(&mut fields, Whose::Provider)?;
        let part = match self.known(&id, index) {
            Some(part) => part,
            None => {
                self.close_prose(candidate, out);
                let part = self.next_part();
                // A host that sends no id still needs one to be answered under.
                let nth = (candidate as usize) << 8 | self.calls.len();
                let id = if id.is_empty() { seed.call_id(nth) } else { id };
                self.calls.push(Call { id: id.clone(), index, part });
                out.push(Event::Open(
                    Spot { candidate, part },
                    PartKind::ToolCall { id, name, kind },
                ));
                part
            }
        };
        if !arguments.is_empty() {
            out.push(Event::Delta(Spot { candidate, part }, arguments));
        }
        if let Some(carrier) = carrier {
            out.push(Event::Carry(Spot { candidate, part }, carrier));
        }
        Ok(())
    }

    /// Finds the call a delta belongs to: by its id; without one by its index; without that it
    /// continues the last. A new id is a new call, whatever its index says (Mistral, z.ai).
    fn known(&self, id: &str, index: Option<i64>) -> Option<u32> {
        let found = match (id.is_empty(), index) {
            (false, _) => self.calls.iter().rev().find(|call| call.id == id),
            (true, Some(_)) => self.calls.iter().rev().find(|call| call.index == index),
            (true, None) => self.calls.last(),
        };
        found.map(|call| call.part)
    }
}

fn text<'a>(value: Value<'a, '_>) -> Result<Cow<'a, str>, DecodeError> {
    value.text()
}

fn sent_along(image: Image) -> Option<(String, String)> {
    match image.source {
        Source::Inline { media_type, base64 } => Some((media_type, base64)),
        Source::Url { .. } | Source::Uploaded(_) => None,
    }
}
