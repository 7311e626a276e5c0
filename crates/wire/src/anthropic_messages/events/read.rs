//! Frames to events.

use ir::{
    CallKind, Event, Extras, Failure, Finish, Kind, Opaque, PartKind, RawJson, Response, Scope,
    Spot,
};
use serde_json::value::RawValue;

use super::super::{HERE, assistant, failure, response, usage};
use super::gather::Gathered;
use super::whole;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::sse::Frame;
use crate::{Met, Origin};

/// The most blocks that are kept open at once.
const MOST_OPEN: usize = 64;

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    origin: Origin,
    started: bool,
    ended: bool,
    /// How many parts were opened.
    parts: u32,
    /// The blocks that are open, by the index the host gives them; nearly always one.
    open: Vec<(u64, Block)>,
    called: bool,
    usage: usage::Said,
    finish: Option<Finish>,
}

/// An open block.
#[derive(Debug)]
enum Block {
    /// Text, thoughts or hidden thoughts.
    Prose(u32),
    Call {
        part: u32,
        /// What the block said of its input at its start; it counts when nothing comes after.
        input: String,
        grown: bool,
    },
    Gathered(Gathered),
}

impl Reader {
    /// Begins a stream.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            started: false,
            ended: false,
            parts: 0,
            open: Vec::new(),
            called: false,
            usage: usage::Said::default(),
            finish: None,
        }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Met {
        let Some(data) = frame.data.as_deref().map(<[u8]>::trim_ascii) else { return Met::Quiet };
        if self.ended || data.is_empty() {
            return Met::Quiet;
        }
        let before = out.len();
        match self.frame(data, out) {
            Ok(_) if matches!(out.last(), Some(Event::Fail(_))) => Met::Failed,
            Ok(Met::Quiet) => {
                let said = |event: &Event| matches!(event, Event::Open(..) | Event::Delta(..));
                if out[before..].iter().any(said) { Met::Content } else { Met::Quiet }
            }
            Ok(met) => met,
            Err(failure) => {
                self.fail(failure, out);
                Met::Failed
            }
        }
    }

    /// Ends the reading when the provider's bytes end. Without a stop reason that is a cut.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if self.finish.is_some() {
            self.finish(out);
        } else {
            let said = "the stream ended without a stop reason and without message_stop";
            self.fail(Failure::new(Kind::StreamCut, said), out);
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::Fail(failure));
    }

    fn finish(&mut self, out: &mut Vec<Event>) {
        if !self.started {
            let said = "the stream ended without an answer";
            return self.fail(Failure::new(Kind::EmptyAnswer, said), out);
        }
        self.ended = true;
        for (_, block) in std::mem::take(&mut self.open) {
            self.close(block, out);
        }
        out.push(Event::Stop { candidate: 0, finish: self.finish.take() });
        out.push(Event::Finish);
    }

    fn frame(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<Met, Failure> {
        if data == b"[DONE]" {
            self.end(out);
            return Ok(Met::Done);
        }
        let malformed = |error: DecodeError| {
            let said = format!("an event of the provider's stream could not be read: {error}");
            Failure::new(Kind::MalformedReply, said)
        };
        let mut fields = fields::body(data).map_err(malformed)?;
        if let Some(failure) = failure::in_success(&self.origin.family, &fields, data) {
            return Err(failure);
        }
        let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text());
        let kind = kind.map_err(malformed)?.unwrap_or_default();
        match kind.as_ref() {
            "message_start" => {
                let again = self.started;
                self.message_start(fields, out).map_err(malformed)?;
                return Ok(if again { Met::Repeated } else { Met::Quiet });
            }
            "content_block_start" => self.block_start(&mut fields, out),
            "content_block_delta" => self.block_delta(&mut fields, out),
            "content_block_stop" => self.block_stop(&mut fields, out),
            "message_delta" => self.message_delta(fields, out),
            "message_stop" => {
                self.finish(out);
                return Ok(Met::Done);
            }
            "message" if !self.started => {
                let whole = response::read_fields(fields).map_err(malformed)?;
                self.whole(whole, out);
                return Ok(Met::Content);
            }
            // Pings, and kinds that the dialect reserves the right to add.
            _ => Ok(()),
        }
        .map_err(malformed)?;
        Ok(Met::Quiet)
    }

    fn start(&mut self, id: Option<String>, model: Option<String>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start { id, model, created: None });
        }
    }

    fn message_start(
        &mut self,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        fields.need("message", |message| {
            let mut fields = message.object()?;
            response::take_constants(&mut fields)?;
            let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
            let model =
                fields.take_if("model", |model| model.is_string(), |model| model.string())?;
            self.start(id, model, out);
            self.hear(&mut fields, out)?;
            fields.take_if("content", |content| content.raw.get() == "[]", |_| Ok(()))?;
            note(Scope::Answer, &fields.rest(), out);
            Ok(())
        })
    }

    /// Hears usage, which comes at the start and, with the totals, at the end.
    fn hear(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let heard =
            fields.take_if("usage", |usage| usage.is_object(), |usage| self.usage.hear(usage))?;
        if heard.is_some() {
            out.push(Event::Usage(self.usage.sum()));
        }
        Ok(())
    }

    fn message_delta(
        &mut self,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.start(None, None, out);
        fields.take_if(
            "delta",
            |delta| delta.is_object(),
            |delta| {
                let mut fields = delta.object()?;
                let stop = response::take_stop(&mut fields, self.called)?;
                self.finish = stop.finish.or(self.finish.take());
                note(Scope::Candidate(0), &stop.extras, out);
                note(Scope::Answer, &fields.rest(), out);
                Ok(())
            },
        )?;
        self.hear(&mut fields, out)?;
        note(Scope::Answer, &fields.rest(), out);
        Ok(())
    }

    fn block_start(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.start(None, None, out);
        let index = take_index(fields)?;
        let block = fields.need("content_block", |block| self.opened(block, out))?;
        // A host that forgets to close a block before it opens another under its index.
        if let Some(at) = self.open.iter().position(|(known, _)| *known == index) {
            let (_, unclosed) = self.open.remove(at);
            self.close(unclosed, out);
        }
        // Nobody has dozens open at once; a host that never closes one must not make each delta dear.
        if self.open.len() >= MOST_OPEN {
            let (_, oldest) = self.open.remove(0);
            self.close(oldest, out);
        }
        self.open.push((index, block));
        Ok(())
    }

    fn opened(&mut self, block: Value<'_, '_>, out: &mut Vec<Event>) -> Result<Block, DecodeError> {
        let mut fields = block.object()?;
        let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
        match kind.as_deref() {
            Some("text") => {
                let part = self.part(PartKind::Text, out);
                said(&mut fields, "text", part, out)?;
                fields.take_if(
                    "citations",
                    |all| all.is_list(),
                    |all| all.each(|cited| cite(part, cited, out)),
                )?;
                Ok(Block::Prose(part))
            }
            Some("thinking") => {
                let part = self.part(PartKind::Reasoning, out);
                said(&mut fields, "thinking", part, out)?;
                signed(&mut fields, part, out)?;
                Ok(Block::Prose(part))
            }
            Some("redacted_thinking") => {
                let part = self.part(PartKind::Reasoning, out);
                let hidden = Opaque { dialect: HERE, raw: block.keep() };
                out.push(Event::Carry(spot(part), hidden));
                Ok(Block::Prose(part))
            }
            Some("tool_use") => match self.call(fields, out)? {
                Some(call) => Ok(call),
                None => Ok(Block::Gathered(Gathered::new(block.raw.get()))),
            },
            _ => Ok(Block::Gathered(Gathered::new(block.raw.get()))),
        }
    }

    fn call(
        &mut self,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<Option<Block>, DecodeError> {
        let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
        let name = fields.take_if("name", |name| name.is_string(), |name| name.string())?;
        let (Some(id), Some(name)) = (id, name) else { return Ok(None) };
        let input = fields.take("input", |input| Ok(input.raw.get().to_owned()))?;
        let input = input.unwrap_or_else(|| "{}".to_owned());
        self.called = true;
        let part = self.part(PartKind::ToolCall { id, name, kind: CallKind::Function }, out);
        let caller = fields.take("caller", |caller| Ok(caller.keep()))?;
        if let Some(caller) = caller.filter(|caller| !assistant::direct(caller.text())) {
            out.push(Event::Carry(spot(part), assistant::called_by(&caller)));
        }
        Ok(Some(Block::Call { part, input, grown: false }))
    }

    fn part(&mut self, kind: PartKind, out: &mut Vec<Event>) -> u32 {
        let part = self.parts;
        self.parts += 1;
        out.push(Event::Open(spot(part), kind));
        part
    }

    fn block_delta(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.start(None, None, out);
        let index = take_index(fields)?;
        let Some(delta) = fields.peek("delta") else { return Ok(()) };
        let at = match self.open.iter().position(|(known, _)| *known == index) {
            Some(at) => at,
            None => match self.unopened(index, delta, out) {
                Some(at) => at,
                None => return Ok(()),
            },
        };
        let block = &mut self.open[at].1;
        if let Block::Gathered(gathered) = block {
            gathered.grow(delta.get());
            return Ok(());
        }
        fields.need("delta", |delta| grow(block, delta, out))
    }

    /// Opens the block of a delta whose start never came, when the delta says what it is.
    fn unopened(&mut self, index: u64, delta: &RawValue, out: &mut Vec<Event>) -> Option<usize> {
        let mut fields = fields::body(delta.get().as_bytes()).ok()?;
        let kind = fields.take("type", |kind| kind.text()).ok()??;
        let kind = match kind.as_ref() {
            "text_delta" => PartKind::Text,
            "thinking_delta" => PartKind::Reasoning,
            _ => return None,
        };
        let part = self.part(kind, out);
        self.open.push((index, Block::Prose(part)));
        Some(self.open.len() - 1)
    }

    fn block_stop(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let index = take_index(fields)?;
        if let Some(at) = self.open.iter().position(|(known, _)| *known == index) {
            let (_, block) = self.open.remove(at);
            self.close(block, out);
        }
        Ok(())
    }

    fn close(&mut self, block: Block, out: &mut Vec<Event>) {
        let part = match block {
            Block::Prose(part) => part,
            Block::Call { part, input, grown } => {
                if !grown {
                    out.push(Event::Delta(spot(part), input));
                }
                part
            }
            Block::Gathered(gathered) => self.part(PartKind::Other(gathered.done()), out),
        };
        out.push(Event::Close(spot(part)));
    }

    /// Tells a whole message as a stream (Vertex, asked for a stream where it had none).
    fn whole(&mut self, whole: Response, out: &mut Vec<Event>) {
        self.start(whole.id, whole.model, out);
        note(Scope::Answer, &whole.extras, out);
        out.extend(whole.usage.map(Event::Usage));
        for candidate in whole.candidates {
            for part in candidate.turn.parts {
                self.parts += u32::from(whole::tell(part, spot(self.parts), out));
            }
            note(Scope::Candidate(0), &candidate.extras, out);
            self.finish = candidate.finish;
        }
        self.finish(out);
    }
}

fn spot(part: u32) -> Spot {
    Spot { candidate: 0, part }
}

fn take_index(fields: &mut Fields<'_, '_>) -> Result<u64, DecodeError> {
    let index = fields.take_if("index", |index| index.count().is_ok(), |index| index.count())?;
    Ok(index.unwrap_or(0))
}

fn note(scope: Scope, fields: &Extras, out: &mut Vec<Event>) {
    for (name, raw) in fields.iter().filter(|(_, raw)| raw.text() != "null") {
        out.push(Event::Note(scope, name.to_owned(), raw.clone()));
    }
}

/// Tells the text of a field, when there is some.
fn said(
    fields: &mut Fields<'_, '_>,
    name: &str,
    part: u32,
    out: &mut Vec<Event>,
) -> Result<(), DecodeError> {
    let text = fields.take_if(name, |text| text.is_string(), |text| text.string())?;
    out.extend(text.filter(|text| !text.is_empty()).map(|text| Event::Delta(spot(part), text)));
    Ok(())
}

fn signed(fields: &mut Fields<'_, '_>, part: u32, out: &mut Vec<Event>) -> Result<(), DecodeError> {
    let text = fields.take_if("signature", |text| text.is_string(), |text| text.string())?;
    if let Some(signature) = text.filter(|text| !text.is_empty()) {
        let carrier = Opaque { dialect: HERE, raw: RawJson::string(&signature) };
        out.push(Event::Carry(spot(part), carrier));
    }
    Ok(())
}

fn cite(part: u32, cited: Value<'_, '_>, out: &mut Vec<Event>) -> Result<(), DecodeError> {
    out.push(Event::Cite(spot(part), assistant::read_citation(cited)));
    Ok(())
}

/// Applies a delta to a block with a name. Its own fields say what it is: guesses at the number of
/// thoughts, and what else stands in a delta, end with the frame.
fn grow(block: &mut Block, delta: Value<'_, '_>, out: &mut Vec<Event>) -> Result<(), DecodeError> {
    let mut fields = delta.object()?;
    match block {
        Block::Prose(part) => {
            said(&mut fields, "text", *part, out)?;
            said(&mut fields, "thinking", *part, out)?;
            signed(&mut fields, *part, out)?;
            fields.take("citation", |cited| cite(*part, cited, out))?;
        }
        Block::Call { part, grown, .. } => {
            let before = out.len();
            said(&mut fields, "partial_json", *part, out)?;
            *grown |= out.len() > before;
        }
        Block::Gathered(_) => {}
    }
    Ok(())
}
