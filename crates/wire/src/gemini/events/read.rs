//! Frames to events.

use ir::{Event, Failure, Kind, RawJson, Scope};
use serde_json::value::RawValue;

use super::super::{Ids, failure, grounding, response, usage};
use super::speaker::Speaker;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::sse::Frame;
use crate::{Met, Origin};

/// Fields that every frame repeats and the first has said already.
const PASSING: [&str; 2] = ["responseId", "modelVersion"];

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    origin: Origin,
    ids: Ids,
    started: bool,
    ended: bool,
    counted: bool,
    candidates: Vec<Speaker>,
    noted: Vec<(Scope, String, RawJson)>,
}

impl Reader {
    /// Begins a stream.
    pub fn new(origin: Origin) -> Self {
        let ids = Ids::new(origin.seed);
        Self {
            origin,
            ids,
            started: false,
            ended: false,
            counted: false,
            candidates: Vec::new(),
            noted: Vec::new(),
        }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Met {
        // An error may stand in the stream as it is, without the framing.
        let bare = frame.raw.trim_ascii();
        let data = frame.data.as_deref().or_else(|| bare.starts_with(b"{").then_some(bare));
        let Some(data) = data.map(<[u8]>::trim_ascii) else { return Met::Quiet };
        if self.ended || data.is_empty() {
            return Met::Quiet;
        }
        match self.answer(data, out) {
            Ok(met) => met,
            Err(failure) => {
                self.ended = true;
                out.push(Event::Fail(failure));
                Met::Failed
            }
        }
    }

    /// Ends the reading when the provider's bytes end. Without a reason to end that is a cut.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        self.ended = true;
        if self.candidates.iter().all(|speaker| speaker.finish.is_none()) {
            let said = "the stream ended without a finish reason";
            out.push(Event::Fail(Failure::new(Kind::StreamCut, said)));
            return;
        }
        if self.candidates.iter().all(Speaker::silent)
            && let Some(failure) =
                failure::without_content(self.candidates.iter().map(Speaker::finish))
        {
            out.push(Event::Fail(failure));
            return;
        }
        for (candidate, speaker) in self.candidates.iter_mut().enumerate() {
            speaker.stop(number(candidate), out);
        }
        out.push(Event::Finish);
    }

    fn answer(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<Met, Failure> {
        let malformed = |error: DecodeError| {
            let said = format!("a piece of the provider's stream could not be read: {error}");
            Failure::new(Kind::MalformedReply, said)
        };
        let mut fields = fields::body(data).map_err(malformed)?;
        if let Some(failure) = failure::in_success(&self.origin.family, &fields, data) {
            return Err(failure);
        }
        self.read_answer(&mut fields, out).map_err(malformed)
    }

    fn read_answer(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<Met, DecodeError> {
        if !self.started {
            self.started = true;
            let id = fields.take_if("responseId", |id| id.is_string(), |id| id.string())?;
            let model = fields.take_if(
                "modelVersion",
                |model| model.is_string(),
                |model| model.string(),
            )?;
            out.push(Event::Start { id, model, created: None });
        }
        let begun = out.len();
        let candidates = fields.take("candidates", |candidates| {
            candidates.each(|candidate| self.candidate(candidate, out)).map(|all| all.len())
        })?;
        let said = |event: &Event| matches!(event, Event::Open(..) | Event::Delta(..));
        let content = out[begun..].iter().any(said);
        let used = fields.take_if(
            "usageMetadata",
            |usage| usage.is_object(),
            |usage| {
                // A usage that counts nothing must not replace one that did.
                let counts = usage::counts_something(usage);
                if counts || !self.counted {
                    self.counted |= counts;
                    out.push(Event::Usage(usage::read(usage)?));
                }
                Ok(())
            },
        )?;
        for (name, raw) in fields.left() {
            if !PASSING.contains(&name) {
                self.note(Scope::Answer, name, raw, out);
            }
        }
        Ok(match (content, candidates, used) {
            (true, ..) => Met::Content,
            (false, None | Some(0), Some(())) => Met::UsageOnly,
            _ => Met::Quiet,
        })
    }

    /// Notes a field unless it said the same before: frames repeat them.
    fn note(&mut self, scope: Scope, name: &str, raw: &RawValue, out: &mut Vec<Event>) {
        if raw.get() == "null" {
            return;
        }
        let mut known = self.noted.iter_mut();
        let known = known.find(|(known, field, _)| *known == scope && field == name);
        if known.as_ref().is_some_and(|(.., last)| last.text() == raw.get()) {
            return;
        }
        let raw = RawJson::keep(raw);
        match known {
            Some((.., last)) => *last = raw.clone(),
            None => self.noted.push((scope, name.to_owned(), raw.clone())),
        }
        out.push(Event::Note(scope, name.to_owned(), raw));
    }

    fn candidate(
        &mut self,
        candidate: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut fields = candidate.object()?;
        let index =
            fields.take_if("index", |index| index.count().is_ok(), |index| index.count())?;
        // No host answers with hundreds of candidates; a wild index must not cost memory.
        let index = usize::try_from(index.unwrap_or(0)).unwrap_or(0).min(127);
        if self.candidates.len() <= index {
            self.candidates.resize_with(index + 1, Speaker::default);
        }
        let of = number(index);
        let beside = fields.take_if(
            "content",
            |content| content.is_object(),
            |content| {
                let mut fields = content.object()?;
                fields.take_if("role", |role| role.raw.get() == "\"model\"", |_| Ok(()))?;
                let (speaker, ids) = (&mut self.candidates[index], &mut self.ids);
                fields.take_if(
                    "parts",
                    |parts| parts.is_list(),
                    |parts| parts.each(|part| speaker.part(of, part, ids, out)).map(drop),
                )?;
                Ok(fields.rest())
            },
        )?;
        for (name, raw) in beside.unwrap_or_default().iter() {
            out.push(Event::Note(Scope::Turn(of), name.to_owned(), raw.clone()));
        }
        let finish = fields.take(response::FINISH, |reason| Ok(reason.keep()))?;
        for name in [grounding::GROUNDING, grounding::CITATIONS] {
            if let Some(metadata) = fields.peek(name) {
                self.candidates[index].cite(of, grounding::read(name, metadata), out);
            }
        }
        let speaker = &mut self.candidates[index];
        speaker.finish = finish.or(speaker.finish.take());
        for (name, raw) in fields.left() {
            self.note(Scope::Candidate(of), name, raw, out);
        }
        Ok(())
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
