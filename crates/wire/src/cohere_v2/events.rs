//! Streams: frames to events.
//!
//! A part begins with its first text, whatever was announced: an announced part may stay empty. A
//! text stays open until something else begins, since a citation of it may come after its end.

use std::collections::HashMap;

use ir::{CallKind, Citation, Event, Failure, Kind, PartKind, RawJson, Scope, Spot};

use super::plan;
use super::response::{self, Of};
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::sse::Frame;
use crate::{Met, Origin, failures};

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    origin: Origin,
    started: bool,
    stopped: bool,
    ended: bool,
    parts: u32,
    /// The prose being said.
    prose: Option<(Prose, Spot)>,
    /// The calls by their index.
    calls: HashMap<u64, Spot>,
    called: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prose {
    Plan,
    /// The thoughts at this index of the content.
    Thinking(u64),
    /// The text at this index of the content.
    Text(u64),
}

impl Reader {
    /// Begins a stream.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            started: false,
            stopped: false,
            ended: false,
            parts: 0,
            prose: None,
            calls: HashMap::new(),
            called: 0,
        }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Met {
        let Some(data) = frame.data.as_deref().map(<[u8]>::trim_ascii) else { return Met::Quiet };
        if self.ended || data.is_empty() {
            return Met::Quiet;
        }
        if data == b"[DONE]" {
            self.end(out);
            return if self.stopped { Met::Done } else { Met::Failed };
        }
        match self.event(data, out) {
            Ok(met) => met,
            Err(failure) => self.fail(failure, out),
        }
    }

    /// Ends the reading when the provider's bytes end. Without the message's end that is a cut.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if self.stopped {
            self.ended = true;
            out.push(Event::Finish);
        } else {
            let said = "the stream ended without message-end";
            self.fail(Failure::new(Kind::StreamCut, said), out);
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) -> Met {
        self.ended = true;
        out.push(Event::Fail(failure));
        Met::Failed
    }

    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<Met, Failure> {
        let malformed = response::malformed;
        let mut fields = fields::body(data).map_err(malformed)?;
        let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text());
        let kind = kind.map_err(malformed)?;
        let Some(kind) = kind else {
            return Err(failures::inside(&self.origin.family, 200, data));
        };
        if kind == "message-end" {
            return self.stop(fields, out);
        }
        let begun = out.len();
        self.piece(&kind, fields, data, out).map_err(malformed)?;
        let said =
            |event: &Event| matches!(event, Event::Open(..) | Event::Delta(..) | Event::Cite(..));
        Ok(if out[begun..].iter().any(said) { Met::Content } else { Met::Quiet })
    }

    fn start(&mut self, id: Option<String>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start { id, model: None, created: None });
        }
    }

    fn piece(
        &mut self,
        kind: &str,
        mut fields: Fields<'_, '_>,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
        self.start(id, out);
        if self.stopped {
            return Ok(());
        }
        let index = fields.take_if("index", |at| at.count().is_ok(), |at| at.count())?;
        let index = index.unwrap_or(0);
        match kind {
            "message-start" | "content-end" | "citation-end" => {}
            "tool-call-end" => out.extend(self.calls.remove(&index).map(Event::Close)),
            "content-start" | "content-delta" => {
                message(fields, "content", |content| self.content(index, content, out))?;
            }
            "tool-plan-delta" => {
                message(fields, "tool_plan", |text| {
                    if text.is_string() {
                        self.say(Prose::Plan, text.string()?, out);
                    }
                    Ok(())
                })?;
            }
            "tool-call-start" | "tool-call-delta" => {
                message(fields, "tool_calls", |call| self.call(index, call, out))?;
            }
            "citation-start" => {
                message(fields, "citations", |cited| {
                    let (of, cited) = response::read_citation(cited)?;
                    self.cite(of, cited, out);
                    Ok(())
                })?;
            }
            newer => {
                let raw = serde_json::from_slice(data).map(RawJson::keep).ok();
                out.extend(raw.map(|raw| Event::Note(Scope::Answer, newer.to_owned(), raw)));
            }
        }
        Ok(())
    }

    fn content(
        &mut self,
        index: u64,
        content: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut fields = content.object()?;
        let mut string =
            |name: &str| fields.take_if(name, |text| text.is_string(), |text| text.string());
        let (thoughts, text) = (string("thinking")?, string("text")?);
        self.say(Prose::Thinking(index), thoughts.unwrap_or_default(), out);
        self.say(Prose::Text(index), text.unwrap_or_default(), out);
        Ok(())
    }

    fn say(&mut self, prose: Prose, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let spot = match self.prose {
            Some((open, spot)) if open == prose => spot,
            _ => {
                self.close(out);
                let text = matches!(prose, Prose::Text(_));
                let spot = self.open(if text { PartKind::Text } else { PartKind::Reasoning }, out);
                if prose == Prose::Plan {
                    out.push(Event::Carry(spot, plan()));
                }
                self.prose = Some((prose, spot));
                spot
            }
        };
        out.push(Event::Delta(spot, text));
    }

    fn open(&mut self, kind: PartKind, out: &mut Vec<Event>) -> Spot {
        let spot = Spot { candidate: 0, part: self.parts };
        self.parts += 1;
        out.push(Event::Open(spot, kind));
        spot
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.prose.take().map(|(_, spot)| Event::Close(spot)));
    }

    fn call(
        &mut self,
        index: u64,
        call: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut fields = call.object()?;
        let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
        let said = fields.take_if(
            "function",
            |function| function.is_object(),
            |function| {
                let mut function = function.object()?;
                let mut string = |name: &str| {
                    function.take_if(name, |text| text.is_string(), |text| text.string())
                };
                Ok((string("name")?, string("arguments")?))
            },
        )?;
        let (name, arguments) = said.unwrap_or_default();
        // A call that has a name begins; a call that has none goes on.
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            out.extend(self.calls.remove(&index).map(Event::Close));
            self.close(out);
            let made = || self.origin.seed.call_id(self.called);
            let id = id.filter(|id| !id.is_empty()).unwrap_or_else(made);
            self.called += 1;
            let spot = self.open(PartKind::ToolCall { id, name, kind: CallKind::Function }, out);
            self.calls.insert(index, spot);
        }
        if let (Some(spot), Some(text)) = (self.calls.get(&index), arguments)
            && !text.is_empty()
        {
            out.push(Event::Delta(*spot, text));
        }
        Ok(())
    }

    /// Adds citations to the open text they are of; those of anything else are noted.
    fn cite(&mut self, of: Of, cited: Vec<Citation>, out: &mut Vec<Event>) {
        let open = match (self.prose, of) {
            (Some((Prose::Text(_), spot)), Of::Text(None)) => Some(spot),
            (Some((Prose::Text(open), spot)), Of::Text(Some(index))) if open == index => Some(spot),
            _ => None,
        };
        match open {
            Some(spot) => out.extend(cited.into_iter().map(|cited| Event::Cite(spot, cited))),
            None => {
                let raw = response::listed(&cited[..cited.len().min(1)]);
                out.push(Event::Note(Scope::Turn(0), "citations".to_owned(), raw));
            }
        }
    }

    fn stop(&mut self, mut fields: Fields<'_, '_>, out: &mut Vec<Event>) -> Result<Met, Failure> {
        let malformed = response::malformed;
        if self.stopped {
            return Ok(Met::Quiet);
        }
        let id = fields.take_if("id", |id| id.is_string(), |id| id.string()).map_err(malformed)?;
        self.start(id, out);
        let delta = fields
            .take_if("delta", |delta| delta.is_object(), |delta| Ok(delta.raw))
            .map_err(malformed)?;
        let delta = delta.map_or("{}", |delta| delta.get());
        let mut delta = fields::body(delta.as_bytes()).map_err(malformed)?;
        if let Some(failure) = response::failed(&self.origin.family, &delta) {
            return Err(failure);
        }
        self.close(out);
        let mut open: Vec<Spot> = self.calls.drain().map(|(_, spot)| spot).collect();
        open.sort_unstable();
        out.extend(open.into_iter().map(Event::Close));
        let word = delta
            .take_if("finish_reason", |word| word.is_string(), |word| word.string())
            .map_err(malformed)?;
        let finish = word.map(|word| {
            let (finish, canonical) = response::read_finish(&word, self.called > 0);
            if !canonical {
                let raw = RawJson::string(&word);
                out.push(Event::Note(Scope::Candidate(0), "finish_reason".to_owned(), raw));
            }
            finish
        });
        let usage = delta.take_if("usage", |usage| usage.is_object(), response::read_usage);
        out.extend(usage.map_err(malformed)?.map(Event::Usage));
        for (name, raw) in delta.left().filter(|(_, raw)| raw.get() != "null") {
            out.push(Event::Note(Scope::Answer, name.to_owned(), RawJson::keep(raw)));
        }
        self.stopped = true;
        out.push(Event::Stop { candidate: 0, finish });
        Ok(Met::Quiet)
    }
}

/// Reads a field of the message inside an event's delta.
fn message<'a>(
    mut fields: Fields<'a, '_>,
    name: &str,
    read: impl FnOnce(Value<'a, '_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let object = |value: Value<'_, '_>| value.is_object();
    fields.take_if("delta", object, |delta| {
        delta
            .object()?
            .take_if("message", object, |message| message.object()?.take(name, read).map(drop))
    })?;
    Ok(())
}
