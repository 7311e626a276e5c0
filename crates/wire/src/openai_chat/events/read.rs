//! Frames to events.

use std::borrow::Cow;

use ir::{CallKind, Event, Failure, Finish, Kind, PartKind, RawJson, Scope, Spot};
use serde_json::value::RawValue;

use super::super::{failure, message, response, usage};
use super::plain::Plain;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::sse::Frame;

/// Fields of a chunk and its parts that hold padding against traffic analysis, an echo of what
/// stands elsewhere, or the dialect's own constants; they end with the frame.
const PASSING: [&str; 7] =
    ["obfuscation", "p", "object", "stream_options", "id", "model", "created"];
const PASSING_IN_CHOICE: [&str; 2] = ["text", "message"];

/// What a frame turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Something a reader would see: text, thoughts, a refusal, a tool call.
    Content,
    /// A role, a comment, a finish: nothing to see.
    Quiet,
    /// A chunk that exists for usage alone.
    UsageOnly,
    /// The end the dialect demands.
    Done,
    /// An error.
    Failed,
}

/// Reads one stream.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    ended: bool,
    candidates: Vec<Speaker>,
    noted: Vec<(String, RawJson)>,
}

/// How far one candidate has come.
#[derive(Debug, Default)]
struct Speaker {
    parts: u32,
    prose: Option<(Prose, u32)>,
    calls: Vec<Call>,
    finish: Option<Finish>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prose {
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

impl Reader {
    /// Reads a frame into events.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Met {
        let Some(data) = frame.data.as_deref().map(<[u8]>::trim_ascii) else { return Met::Quiet };
        if self.ended || data.is_empty() {
            return Met::Quiet;
        }
        if data == b"[DONE]" {
            self.finish(out);
            return Met::Done;
        }
        match self.chunk(data, out) {
            Ok(met) => met,
            Err(failure) => {
                self.ended = true;
                out.push(Event::Fail(failure));
                Met::Failed
            }
        }
    }

    /// Ends the reading when the provider's bytes end. Without a finish that is a cut.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if self.candidates.iter().any(|speaker| speaker.finish.is_some()) {
            self.finish(out);
        } else {
            self.ended = true;
            let said = "the stream ended without a finish reason and without [DONE]";
            out.push(Event::Fail(Failure::new(Kind::StreamCut, said)));
        }
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        if self.candidates.is_empty() {
            let said = "the stream ended without an answer";
            out.push(Event::Fail(Failure::new(Kind::EmptyAnswer, said)));
            return;
        }
        self.start(None, None, None, out);
        for (candidate, speaker) in self.candidates.iter_mut().enumerate() {
            let candidate = number(candidate);
            speaker.close_prose(candidate, out);
            let spot = |call: &Call| Event::Close(Spot { candidate, part: call.part });
            out.extend(speaker.calls.iter().map(spot));
            out.push(Event::Stop { candidate, finish: speaker.finish.take() });
        }
        out.push(Event::Finish);
    }

    fn start(
        &mut self,
        id: Option<String>,
        model: Option<String>,
        created: Option<u64>,
        out: &mut Vec<Event>,
    ) {
        if !self.started {
            self.started = true;
            out.push(Event::Start { id, model, created });
        }
    }

    /// Reads a plain chunk of text; anything out of the ordinary is left to the long way.
    fn plain(&mut self, data: &[u8], out: &mut Vec<Event>) -> Option<Met> {
        if !self.started {
            return None;
        }
        let plain = Plain::read(data)?;
        let (index, text) = plain.text();
        let speaker = self.candidates.get_mut(usize::try_from(index).ok()?)?;
        let noted = |(name, raw): (&str, Option<&RawValue>)| {
            raw.is_none_or(|raw| {
                let known = self.noted.iter().find(|(known, _)| known == name);
                known.is_some_and(|(_, last)| last.text() == raw.get())
            })
        };
        if text.is_empty() || !plain.repeated().into_iter().all(noted) {
            return None;
        }
        speaker.say(u32::try_from(index).ok()?, Prose::Text, text, out);
        Some(Met::Content)
    }

    fn chunk(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<Met, Failure> {
        if let Some(met) = self.plain(data, out) {
            return Ok(met);
        }
        let malformed = |error: DecodeError| {
            let said = format!("a chunk of the provider's stream could not be read: {error}");
            Failure::new(Kind::MalformedReply, said)
        };
        let mut fields = fields::body(data).map_err(malformed)?;
        if let Some(failure) = failure::in_success(&fields, data) {
            return Err(failure);
        }
        self.read_chunk(&mut fields, out).map_err(malformed)
    }

    fn read_chunk(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<Met, DecodeError> {
        self.begin(fields, out)?;
        let begun = out.len();
        let choices = fields.take("choices", |choices| {
            choices.each(|choice| self.choice(choice, out)).map(|all| all.len())
        })?;
        let said = |event: &Event| matches!(event, Event::Open(..) | Event::Delta(..));
        let content = out[begun..].iter().any(said);
        let used = self.usage(fields, out)?;
        for (name, raw) in fields.left() {
            if raw.get() != "null" && !PASSING.contains(&name) && self.started {
                self.note(name, raw, out);
            }
        }
        Ok(match (content, choices, used) {
            (true, ..) => Met::Content,
            (false, Some(0), true) => Met::UsageOnly,
            _ => Met::Quiet,
        })
    }

    /// Notes a field of the whole answer unless it said the same before: hosts repeat them in every
    /// chunk.
    fn note(&mut self, name: &str, raw: &RawValue, out: &mut Vec<Event>) {
        let known = self.noted.iter_mut().find(|(known, _)| known == name);
        if known.as_ref().is_some_and(|(_, last)| last.text() == raw.get()) {
            return;
        }
        let raw = RawJson::keep(raw);
        match known {
            Some((_, last)) => *last = raw.clone(),
            None => self.noted.push((name.to_owned(), raw.clone())),
        }
        out.push(Event::Note(Scope::Answer, name.to_owned(), raw));
    }

    /// Starts the answer with the first chunk that names it; later chunks repeat the names.
    fn begin(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if self.started {
            return Ok(());
        }
        let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
        let model = fields.take_if("model", |model| model.is_string(), |model| model.string())?;
        let created = fields.take_if("created", |at| at.count().is_ok(), |at| at.count())?;
        // Azure's first chunk has an empty id and only filter results: the answer begins after it.
        if id.as_deref() != Some("") {
            self.start(id, model, created, out);
        } else if fields.peek("choices").is_some_and(|choices| choices.get() != "[]") {
            self.start(None, model.filter(|model| !model.is_empty()), None, out);
        }
        Ok(())
    }

    fn usage(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<bool, DecodeError> {
        let used = fields.take_if("usage", |usage| usage.is_object(), usage::read)?;
        let at_groq = || {
            let raw = fields.peek("x_groq")?;
            let mut fields = fields::body(raw.get().as_bytes()).ok()?;
            fields.take_if("usage", |usage| usage.is_object(), usage::read).ok()?
        };
        let used = used.or_else(at_groq);
        let found = used.is_some();
        if let (Some(used), true) = (used, self.started) {
            out.push(Event::Usage(used));
        }
        Ok(found)
    }

    fn choice(&mut self, choice: Value<'_, '_>, out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut fields = choice.object()?;
        let index =
            fields.take_if("index", |index| index.count().is_ok(), |index| index.count())?;
        // No host answers with hundreds of candidates; a wild index must not cost memory.
        let index = usize::try_from(index.unwrap_or(0)).unwrap_or(0).min(127);
        if self.candidates.len() <= index {
            self.candidates.resize_with(index + 1, Speaker::default);
        }
        let speaker = &mut self.candidates[index];
        let candidate = number(index);
        fields.take_if(
            "delta",
            |delta| delta.is_object(),
            |delta| speaker.delta(candidate, delta.object()?, out),
        )?;
        let finish =
            fields.take_if("finish_reason", |text| text.is_string(), |text| text.text())?;
        if let Some(finish) = finish.as_deref().and_then(response::read_finish) {
            speaker.finish = Some(finish);
        }
        for (name, raw) in fields.left() {
            if raw.get() != "null" && !PASSING_IN_CHOICE.contains(&name) {
                out.push(Event::Note(
                    Scope::Candidate(candidate),
                    name.to_owned(),
                    RawJson::keep(raw),
                ));
            }
        }
        Ok(())
    }
}

impl Speaker {
    fn delta(
        &mut self,
        candidate: u32,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        fields.take("role", |_| Ok(()))?;
        let long = fields.take_if("reasoning_content", |text| text.is_string(), text)?;
        let short = fields.take_if("reasoning", |text| text.is_string(), text)?;
        if let Some(thoughts) = long.filter(|text| !text.is_empty()).or(short) {
            self.say(candidate, Prose::Reasoning, &thoughts, out);
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
        fields.take("tool_calls", |calls| {
            calls.each(|call| self.call(candidate, call, out)).map(drop)
        })?;
        for (name, raw) in fields.left() {
            if raw.get() != "null" {
                out.push(Event::Note(Scope::Turn(candidate), name.to_owned(), RawJson::keep(raw)));
            }
        }
        Ok(())
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

    fn say(&mut self, candidate: u32, prose: Prose, text: &str, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let part = match self.prose {
            Some((open, part)) if open == prose => part,
            _ => {
                self.close_prose(candidate, out);
                let part = self.next_part();
                self.prose = Some((prose, part));
                let kind = match prose {
                    Prose::Text => PartKind::Text,
                    Prose::Reasoning => PartKind::Reasoning,
                    Prose::Refusal => PartKind::Refusal,
                };
                out.push(Event::Open(Spot { candidate, part }, kind));
                part
            }
        };
        out.push(Event::Delta(Spot { candidate, part }, text.to_owned()));
    }

    fn close_prose(&mut self, candidate: u32, out: &mut Vec<Event>) {
        if let Some((_, part)) = self.prose.take() {
            out.push(Event::Close(Spot { candidate, part }));
        }
    }

    fn next_part(&mut self) -> u32 {
        self.parts += 1;
        self.parts - 1
    }

    fn call(
        &mut self,
        candidate: u32,
        call: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut fields = call.object()?;
        let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?.unwrap_or_default();
        let whole = |index: Value<'_, '_>| index.number().map(|index| index.as_i64());
        let index = fields.take_if("index", |index| index.number().is_ok(), whole)?.flatten();
        let kind =
            if fields.peek("custom").is_some() { CallKind::Custom } else { CallKind::Function };
        let (field, argument) = match kind {
            CallKind::Custom => ("custom", "input"),
            CallKind::Function => ("function", "arguments"),
        };
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
        let part = match self.known(&id, index) {
            Some(part) => part,
            None => {
                self.close_prose(candidate, out);
                let part = self.next_part();
                // A host that sends no id still needs one to be answered under.
                let id = if id.is_empty() { format!("call_{candidate}_{part}") } else { id };
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

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
