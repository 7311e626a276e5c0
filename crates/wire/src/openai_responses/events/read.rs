//! Frames to events.

use ir::{AssistantPart, AssistantTurn, Event, Failure, Kind, PartKind, Scope};

use super::super::content::string;
use super::super::item::{self, Gathered, Shell, Shown};
use super::super::{failure, response, said, usage};
use super::growing::{Counter, Growing, Growth, called};
use crate::decode::DecodeError;
use crate::failures;
use crate::fields::{self, Fields, Value};
use crate::sse::Frame;
use crate::{Met, Origin};

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    origin: Origin,
    started: bool,
    ended: bool,
    called: bool,
    counter: Counter,
    items: Vec<Growing>,
}

impl Reader {
    /// Begins a stream.
    pub fn new(origin: Origin) -> Self {
        let (counter, items) = (Counter::default(), Vec::new());
        Self { origin, started: false, ended: false, called: false, counter, items }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Met {
        let Some(data) = frame.data.as_deref().map(<[u8]>::trim_ascii) else { return Met::Quiet };
        if self.ended || data.is_empty() {
            return Met::Quiet;
        }
        if data == b"[DONE]" {
            self.end(out);
            return Met::Failed;
        }
        let begun = out.len();
        match self.frame(data, frame.event.as_deref(), out) {
            Ok(Some(met)) => met,
            Ok(None) if out[begun..].iter().any(content) => Met::Content,
            Ok(None) => Met::Quiet,
            Err(failure) => {
                self.ended = true;
                out.push(Event::Fail(failure));
                Met::Failed
            }
        }
    }

    /// Ends the reading when the provider's bytes end. Without the answer's last frame that is a cut.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if !self.ended {
            self.ended = true;
            let said = "the stream ended without response.completed";
            out.push(Event::Fail(Failure::new(Kind::StreamCut, said)));
        }
    }

    fn frame(
        &mut self,
        data: &[u8],
        named: Option<&str>,
        out: &mut Vec<Event>,
    ) -> Result<Option<Met>, Failure> {
        let malformed = |error: DecodeError| {
            let said = format!("a frame of the provider's stream could not be read: {error}");
            Failure::new(Kind::MalformedReply, said)
        };
        let mut fields = fields::body(data).map_err(malformed)?;
        let kind = string(&mut fields, "type").map_err(malformed)?;
        let kind = kind.as_deref().or(named).unwrap_or_default();
        let error = fields.peek("error").is_some_and(|error| error.get() != "null");
        if kind == "error" || error && !kind.starts_with("response.") {
            return Err(failures::inside(&self.origin.family, 200, data));
        }
        match kind {
            "response.failed" => Err(self.failed(fields, data)),
            "response.completed" | "response.incomplete" => {
                if let Some(failure) = self.last(fields, out).map_err(malformed)? {
                    return Err(failure);
                }
                Ok(Some(Met::Done))
            }
            kind => self.step(kind, fields, out).map_err(malformed).map(|()| None),
        }
    }

    fn failed(&self, mut fields: Fields<'_, '_>, data: &[u8]) -> Failure {
        let inner = fields.take("response", |response| {
            Ok(failure::in_success(&self.origin.family, &response.object()?))
        });
        let told = inner.ok().flatten().flatten();
        told.unwrap_or_else(|| failures::inside(&self.origin.family, 200, data))
    }

    /// Reads a frame between the first and the last.
    fn step(
        &mut self,
        kind: &str,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.begin(&mut fields, out)
            }
            "response.output_item.added" => self.added(&mut fields, out),
            "response.output_item.done" => self.ended_item(&mut fields, out),
            "response.content_part.added" => self.part(&mut fields, out),
            "response.output_text.delta" => {
                self.say(&mut fields, "delta", PartKind::Text, Growing::say, out)
            }
            "response.refusal.delta" => {
                self.say(&mut fields, "delta", PartKind::Refusal, Growing::say, out)
            }
            "response.output_text.done" => {
                self.say(&mut fields, "text", PartKind::Text, Growing::complete, out)
            }
            "response.refusal.done" => {
                self.say(&mut fields, "refusal", PartKind::Refusal, Growing::complete, out)
            }
            "response.output_text.annotation.added" => self.cite(&mut fields, out),
            "response.reasoning_summary_text.delta" => {
                self.think(&mut fields, Shown::Summary, "summary_index", out)
            }
            "response.reasoning_text.delta" => {
                self.think(&mut fields, Shown::Content, "content_index", out)
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.argue(&mut fields, out)
            }
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if self.started {
            return Ok(());
        }
        let told = fields.take_if(
            "response",
            |response| response.is_object(),
            |response| response::Told::read(&mut response.object()?),
        )?;
        self.start(told.unwrap_or_default(), out);
        Ok(())
    }

    fn start(&mut self, told: response::Told, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            let response::Told { id, model, created } = told;
            out.push(Event::Start { id, model, created });
        }
    }

    /// Finds the item a frame speaks of: the latest of its place and id, of its place, of its id.
    fn find(&self, index: Option<u64>, id: Option<&str>) -> Option<usize> {
        let here = |item: &Growing| index.is_some() && item.index == index;
        let named = |item: &Growing| id.is_some_and(|id| item.id.as_deref() == Some(id));
        let all = &self.items;
        all.iter()
            .rposition(|item| here(item) && named(item))
            .or_else(|| all.iter().rposition(here))
            .or_else(|| all.iter().rposition(named))
    }

    fn address(fields: &mut Fields<'_, '_>) -> Result<(Option<u64>, Option<String>), DecodeError> {
        let index = number(fields, "output_index")?;
        Ok((index, string(fields, "item_id")?.filter(|id| !id.is_empty())))
    }

    /// Finds the item a delta belongs to, or begins it: some hosts do not announce their items.
    fn item(
        &mut self,
        fields: &mut Fields<'_, '_>,
        growth: Growth,
        out: &mut Vec<Event>,
    ) -> Result<Option<usize>, DecodeError> {
        self.start(response::Told::default(), out);
        let (index, id) = Self::address(fields)?;
        let at = match self.find(index, id.as_deref()) {
            Some(at) => at,
            None if index.is_none() && id.is_none() && !self.items.is_empty() => {
                self.items.len() - 1
            }
            None if growth == Growth::Call => return Ok(None),
            None => {
                self.push(index, id, growth, Shell::default());
                self.items.len() - 1
            }
        };
        let item = &self.items[at];
        Ok((item.growth == growth && !item.done).then_some(at))
    }

    fn push(&mut self, index: Option<u64>, id: Option<String>, growth: Growth, shell: Shell) {
        let pieces = Vec::new();
        self.items.push(Growing { index, id, growth, done: false, shell, pieces });
    }

    fn added(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.start(response::Told::default(), out);
        let index = number(fields, "output_index")?;
        fields.take_if(
            "item",
            |item| item.is_object(),
            |item| {
                let mut fields = item.object()?;
                let id = string(&mut item.object()?, "id")?.filter(|id| !id.is_empty());
                let kind = string(&mut fields, "type")?.unwrap_or_default();
                let growth = match kind.as_str() {
                    item::MESSAGE => Growth::Message,
                    item::CALL | item::CUSTOM_CALL => Growth::Call,
                    item::THOUGHTS => Growth::Thoughts,
                    _ => Growth::Whole,
                };
                // The status of a beginning is not that of the item.
                for known in ["role", "content", "status", "call_id", "name", "arguments", "input"]
                {
                    fields.take(known, |_| Ok(()))?;
                }
                self.push(index, id, growth, Shell::beside(&kind, fields.rest()));
                self.announce(growth, item, out)
            },
        )?;
        Ok(())
    }

    /// Opens the part of an item whose first frame tells enough for it.
    fn announce(
        &mut self,
        growth: Growth,
        item: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(at) = self.items.len().checked_sub(1) else { return Ok(()) };
        let turn = match growth {
            Growth::Call | Growth::Thoughts => self.whole(item),
            Growth::Message | Growth::Whole => return Ok(()),
        };
        // What its beginning does not tell, its end will.
        let Ok(turn) = turn else { return Ok(()) };
        let Some(part) = turn.parts.into_iter().next() else { return Ok(()) };
        let growing = &mut self.items[at];
        match part {
            AssistantPart::ToolCall(call) => {
                self.called = true;
                growing.open(0, called(&call), &mut self.counter, out);
            }
            AssistantPart::Reasoning(_) => {
                // Its name is told now; the item itself is carried once, as its end tells it.
                growing.shell =
                    turn.extras.get(&item::key(0)).map(Shell::parse).unwrap_or_default();
                growing.open(0, PartKind::Reasoning, &mut self.counter, out);
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads an item as one of a whole answer.
    fn whole(&self, item: Value<'_, '_>) -> Result<AssistantTurn, DecodeError> {
        let mut said = Gathered::of_answer(self.origin.seed, self.counter.opened());
        said.add(item)?;
        Ok(said.finish().unwrap_or_default())
    }

    fn ended_item(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.start(response::Told::default(), out);
        let index = number(fields, "output_index")?;
        fields.take_if("item", |item| item.is_object(), |item| self.settle(index, item, out))?;
        Ok(())
    }

    /// Ends an item, unless it has ended already.
    fn settle(
        &mut self,
        index: Option<u64>,
        item: Value<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let id = string(&mut item.object()?, "id")?.filter(|id| !id.is_empty());
        let at = self.find(index, id.as_deref()).unwrap_or_else(|| {
            self.push(index, id, Growth::Whole, Shell::default());
            self.items.len() - 1
        });
        if self.items[at].done {
            return Ok(());
        }
        let turn = self.whole(item)?;
        self.called |= turn.parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
        self.items[at].end(turn, &mut self.counter, out);
        Ok(())
    }

    fn part(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(at) = self.item(fields, Growth::Message, out)? else { return Ok(()) };
        let index = number(fields, "content_index")?.unwrap_or(0);
        let kind = fields.take_if(
            "part",
            |part| part.is_object(),
            |part| string(&mut part.object()?, "type"),
        )?;
        let kind = match kind.flatten().as_deref() {
            Some("output_text") => PartKind::Text,
            Some("refusal") => PartKind::Refusal,
            _ => return Ok(()),
        };
        self.items[at].piece(index, kind, &mut self.counter, out);
        Ok(())
    }

    fn say(
        &mut self,
        fields: &mut Fields<'_, '_>,
        field: &str,
        kind: PartKind,
        say: fn(&mut Growing, usize, &str, &mut Vec<Event>),
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(at) = self.item(fields, Growth::Message, out)? else { return Ok(()) };
        let index = number(fields, "content_index")?.unwrap_or(0);
        fields.take_if(
            field,
            |text| text.is_string(),
            |text| {
                let growing = &mut self.items[at];
                let piece = growing.piece(index, kind, &mut self.counter, out);
                say(growing, piece, &text.text()?, out);
                Ok(())
            },
        )?;
        Ok(())
    }

    fn cite(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(at) = self.item(fields, Growth::Message, out)? else { return Ok(()) };
        let index = number(fields, "content_index")?.unwrap_or(0);
        if let Some(citation) = fields.take("annotation", said::citation)? {
            let growing = &mut self.items[at];
            let piece = growing.piece(index, PartKind::Text, &mut self.counter, out);
            growing.cite(piece, citation, out);
        }
        Ok(())
    }

    fn think(
        &mut self,
        fields: &mut Fields<'_, '_>,
        shown: Shown,
        numbered: &str,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(at) = self.item(fields, Growth::Thoughts, out)? else { return Ok(()) };
        let index = number(fields, numbered)?.unwrap_or(0);
        fields.take_if(
            "delta",
            |text| text.is_string(),
            |text| {
                let growing = &mut self.items[at];
                if growing.pieces.is_empty() {
                    growing.open(index, PartKind::Reasoning, &mut self.counter, out);
                }
                growing.think(shown, index, &text.text()?, out);
                Ok(())
            },
        )?;
        Ok(())
    }

    fn argue(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(at) = self.item(fields, Growth::Call, out)? else { return Ok(()) };
        fields.take_if(
            "delta",
            |text| text.is_string(),
            |text| {
                self.items[at].say(0, &text.text()?, out);
                Ok(())
            },
        )?;
        Ok(())
    }

    /// Reads the last frame, which holds the whole answer: what was not said yet is said now.
    fn last(
        &mut self,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<Option<Failure>, DecodeError> {
        let family = self.origin.family.clone();
        let failed = fields.take_if(
            "response",
            |response| response.is_object(),
            |response| {
                let mut fields = response.object()?;
                if let Some(failure) = failure::in_success(&family, &fields) {
                    return Ok(Some(failure));
                }
                self.finish(&mut fields, out)?;
                let noted = response::rest(fields).0.into_iter();
                let note = |(name, raw)| Event::Note(Scope::Answer, name, raw);
                // Before the end, which `finish` has said.
                let ending = out.len().saturating_sub(2);
                out.splice(ending..ending, noted.map(note));
                Ok(None)
            },
        )?;
        if let Some(Some(failure)) = failed {
            return Ok(Some(failure));
        }
        if !self.ended {
            // A last frame without the answer still ends it.
            self.finish(&mut fields, out)?;
        }
        Ok(None)
    }

    fn finish(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.start(response::Told::read(fields)?, out);
        let mut index = 0;
        let settle = |output: Value<'_, '_>| {
            output.each(|item| {
                let at = index;
                index += 1;
                if item.is_object() { self.settle(Some(at), item, out) } else { Ok(()) }
            })
        };
        fields.take_if("output", |output| output.is_list(), settle)?;
        self.items.iter_mut().for_each(|item| item.close(out));
        if let Some(used) = fields.take_if("usage", |usage| usage.is_object(), usage::read)? {
            out.push(Event::Usage(used));
        }
        let (finish, words) = response::read_finish(fields, self.called)?;
        let note = |(name, raw)| Event::Note(Scope::Candidate(0), name, raw);
        out.extend(words.0.into_iter().map(note));
        out.push(Event::Stop { candidate: 0, finish });
        out.push(Event::Finish);
        self.ended = true;
        Ok(())
    }
}

/// Returns whether a reader of the answer sees an event.
fn content(event: &Event) -> bool {
    match event {
        Event::Delta(..) => true,
        Event::Open(_, kind) => {
            !matches!(kind, PartKind::Text | PartKind::Refusal | PartKind::Reasoning)
        }
        _ => false,
    }
}

fn number(fields: &mut Fields<'_, '_>, name: &str) -> Result<Option<u64>, DecodeError> {
    fields.take_if(name, |number| number.count().is_ok(), |number| number.count())
}
