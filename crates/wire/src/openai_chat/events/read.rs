//! Frames to events.

use ir::{Event, Failure, Kind, RawJson, Scope};
use serde_json::value::RawValue;

use super::super::{failure, usage};
use super::plain::Plain;
use super::speaker::{Prose, Speaker};
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::sse::Frame;
use crate::{Met, Origin};

/// Fields of a chunk and its parts that hold padding against traffic analysis, an echo of what
/// stands elsewhere, or the dialect's own constants; they end with the frame.
const PASSING: [&str; 7] =
    ["obfuscation", "p", "object", "stream_options", "id", "model", "created"];
const PASSING_IN_CHOICE: [&str; 2] = ["text", "message"];

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    origin: Origin,
    started: bool,
    ended: bool,
    candidates: Vec<Speaker>,
    noted: Vec<(String, RawJson)>,
}

impl Reader {
    /// Begins a stream.
    pub fn new(origin: Origin) -> Self {
        Self { origin, started: false, ended: false, candidates: Vec::new(), noted: Vec::new() }
    }

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
        if self.candidates.iter().any(Speaker::finished) {
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
            speaker.stop(number(candidate), out);
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
        if let Some(failure) = failure::in_success(&self.origin.family, &fields, data) {
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
        let (candidate, seed) = (number(index), self.origin.seed);
        fields.take_if(
            "delta",
            |delta| delta.is_object(),
            |delta| speaker.delta(candidate, seed, delta.object()?, out),
        )?;
        let finish =
            fields.take_if("finish_reason", |text| text.is_string(), |text| text.string())?;
        if let Some(word) = finish {
            speaker.finish(word);
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

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
