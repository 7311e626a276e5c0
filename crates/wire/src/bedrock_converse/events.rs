//! Streams: frames to events.
//!
//! A text's block has no start. Citations come before their text in one block, or after it in a
//! block of their own, so a text stays open until something else begins. Usage comes after the
//! stop. A block of a tool that the service runs is told whole, when it is complete.

mod aside;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ir::{
    CallKind, Citation, Dialect, Event, Failure, Kind, Opaque, PartKind, RawJson, Scope, Spot,
};

use self::aside::{note, note_all, told, whole};
use super::response;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::framing::eventstream::EXCEPTION;
use crate::sse::Frame;
use crate::{Met, Origin};

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    origin: Origin,
    started: bool,
    stopped: bool,
    ended: bool,
    parts: u32,
    calls: usize,
    blocks: HashMap<u64, Block>,
    /// The text whose block is complete and that may still be cited.
    cited: Option<Spot>,
}

#[derive(Debug)]
enum Block {
    /// Nothing said yet, but for citations of the text to come.
    Waiting(Vec<Citation>),
    Text(Spot),
    /// Thoughts, with their signature or their encrypted bytes as far as they came.
    Reasoning(Spot, String, Vec<u8>),
    Call(Spot),
    Image(Spot),
    /// What the service's own tool is asked or says: the field, its start, and what followed.
    Service(&'static str, RawJson, Vec<String>),
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
            calls: 0,
            blocks: HashMap::new(),
            cited: None,
        }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Met {
        let Some(event) = frame.event.as_deref().filter(|_| !self.ended) else { return Met::Quiet };
        let data = frame.data.as_deref().unwrap_or(b"{}");
        if let Some(exception) = event.strip_prefix(EXCEPTION) {
            return self.fail(told(&self.origin, exception, data), out);
        }
        match self.event(event, data, out) {
            Ok(met) => met,
            Err(error) => self.fail(response::malformed(error), out),
        }
    }

    /// Ends the reading when the provider's bytes end. Without a stop that is a cut.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if self.stopped {
            self.ended = true;
            out.push(Event::Finish);
        } else {
            let said = "the stream ended without messageStop";
            self.fail(Failure::new(Kind::StreamCut, said), out);
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) -> Met {
        self.ended = true;
        out.push(Event::Fail(failure));
        Met::Failed
    }

    fn event(
        &mut self,
        event: &str,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<Met, DecodeError> {
        let mut fields = fields::body(data)?;
        // Padding against traffic analysis.
        fields.take("p", |_| Ok(()))?;
        if !self.started {
            self.started = true;
            out.push(Event::Start { id: None, model: None, created: None });
        }
        let begun = out.len();
        let index =
            fields.take_if("contentBlockIndex", |at| at.count().is_ok(), |at| at.count())?;
        let index = index.unwrap_or(0);
        match event {
            "messageStart" => {}
            "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" | "messageStop"
                if self.stopped => {}
            "contentBlockStart" => {
                fields.take("start", |start| self.block_start(index, start.object()?, out))?;
            }
            "contentBlockDelta" => {
                fields.take("delta", |delta| self.delta(index, delta.object()?, out))?;
            }
            "contentBlockStop" => self.block_stop(index, out),
            "messageStop" => self.stop(fields, out)?,
            "metadata" => return self.metadata(fields, out),
            newer => {
                let raw = serde_json::from_slice(data).map(RawJson::keep);
                out.extend(raw.ok().map(|raw| Event::Note(Scope::Answer, newer.to_owned(), raw)));
            }
        }
        let said =
            |event: &Event| matches!(event, Event::Open(..) | Event::Delta(..) | Event::Cite(..));
        Ok(if out[begun..].iter().any(said) { Met::Content } else { Met::Quiet })
    }

    fn block_start(
        &mut self,
        index: u64,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if self.blocks.contains_key(&index) {
            self.block_stop(index, out);
        }
        let object = |value: Value<'_, '_>| value.is_object();
        let block =
            if let Some(kind) = fields.take_if("toolUse", object, |start| self.call(start))? {
                match kind {
                    Ok(kind) => Block::Call(self.open(kind, out)),
                    Err(start) => Block::Service("toolUse", start, Vec::new()),
                }
            } else if let Some(start) =
                fields.take_if("toolResult", object, |start| Ok(start.keep()))?
            {
                Block::Service("toolResult", start, Vec::new())
            } else if let Some(format) = fields.take_if("image", object, |image| {
                image.object()?.take_if("format", |text| text.is_string(), |text| text.string())
            })? {
                let media_type = format!("image/{}", format.unwrap_or_else(|| "png".to_owned()));
                Block::Image(self.open(PartKind::Image { media_type }, out))
            } else {
                note(&fields, "contentBlockStart", out);
                Block::Waiting(Vec::new())
            };
        self.blocks.insert(index, block);
        Ok(())
    }

    /// Reads the start of a call: the caller's, or else that of a tool the service runs.
    fn call(&mut self, start: Value<'_, '_>) -> Result<Result<PartKind, RawJson>, DecodeError> {
        let mut fields = start.object()?;
        let own =
            |kind: &serde_json::value::RawValue| matches!(kind.get(), "null" | "\"tool_use\"");
        if !fields.peek("type").is_none_or(own) {
            return Ok(Err(start.keep()));
        }
        let id = fields.take_if("toolUseId", |id| id.is_string(), |id| id.string())?;
        let made = || self.origin.seed.call_id(self.calls);
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(made);
        let name = fields.need("name", |name| name.string())?;
        self.calls += 1;
        Ok(Ok(PartKind::ToolCall { id, name, kind: CallKind::Function }))
    }

    fn delta(
        &mut self,
        index: u64,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let object = |value: Value<'_, '_>| value.is_object();
        let string = |value: Value<'_, '_>| value.is_string();
        if let Some(text) = fields.take_if("text", string, |text| text.string())? {
            self.say(index, text, out);
        } else if let Some(input) = fields.take_if("toolUse", object, |call| {
            call.object()?.take_if("input", |input| input.is_string(), |input| input.string())
        })? {
            self.grow(index, input.unwrap_or_default(), out);
        } else if fields.peek("reasoningContent").is_some_and(|raw| raw.get().starts_with('{')) {
            fields.take("reasoningContent", |content| self.think(index, content.object()?, out))?;
        } else if let Some(cited) = fields.take_if("citation", object, response::read_citation)? {
            match self.blocks.entry(index).or_insert_with(|| Block::Waiting(Vec::new())) {
                Block::Text(spot) => out.push(Event::Cite(*spot, cited)),
                Block::Waiting(citations) => citations.push(cited),
                _ => {}
            }
        } else if let Some(content) = fields.take_if(
            "toolResult",
            |list| list.is_list(),
            |list| list.each(|item| Ok(item.raw.get().to_owned())),
        )? {
            if let Some(Block::Service("toolResult", _, said)) = self.blocks.get_mut(&index) {
                said.extend(content);
            }
        } else if let Some(bytes) = fields.take_if("image", object, |image| {
            image.object()?.take_if(
                "source",
                |source| source.is_object(),
                |source| {
                    source.object()?.take_if(
                        "bytes",
                        |bytes| bytes.is_string(),
                        |bytes| bytes.string(),
                    )
                },
            )
        })? {
            self.grow(index, bytes.flatten().unwrap_or_default(), out);
        } else {
            note(&fields, "contentBlockDelta", out);
        }
        Ok(())
    }

    /// Adds text to a block; the first opens its part, and takes the citations that came before.
    fn say(&mut self, index: u64, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let citations = match self.blocks.remove(&index) {
            Some(Block::Text(spot)) => {
                self.blocks.insert(index, Block::Text(spot));
                out.push(Event::Delta(spot, text));
                return;
            }
            Some(Block::Waiting(citations)) => citations,
            None => Vec::new(),
            Some(other) => {
                self.close(other, out);
                Vec::new()
            }
        };
        let spot = self.open(PartKind::Text, out);
        self.blocks.insert(index, Block::Text(spot));
        out.extend(citations.into_iter().map(|citation| Event::Cite(spot, citation)));
        out.push(Event::Delta(spot, text));
    }

    fn grow(&mut self, index: u64, text: String, out: &mut Vec<Event>) {
        match self.blocks.get_mut(&index) {
            _ if text.is_empty() => {}
            Some(Block::Call(spot) | Block::Image(spot)) => out.push(Event::Delta(*spot, text)),
            Some(Block::Service("toolUse", _, said)) => said.push(text),
            _ => {}
        }
    }

    fn think(
        &mut self,
        index: u64,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut string =
            |name: &str| fields.take_if(name, |text| text.is_string(), |text| text.string());
        let (text, proof) = (string("text")?, string("signature")?);
        let redacted = string("redactedContent")?;
        if !matches!(self.blocks.get(&index), Some(Block::Reasoning(..))) {
            self.block_stop(index, out);
            let spot = self.open(PartKind::Reasoning, out);
            self.blocks.insert(index, Block::Reasoning(spot, String::new(), Vec::new()));
        }
        let Some(Block::Reasoning(spot, signature, bytes)) = self.blocks.get_mut(&index) else {
            return Ok(());
        };
        let text = text.filter(|text| !text.is_empty());
        out.extend(text.map(|text| Event::Delta(*spot, text)));
        signature.push_str(&proof.unwrap_or_default());
        bytes.extend(redacted.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default());
        Ok(())
    }

    fn block_stop(&mut self, index: u64, out: &mut Vec<Event>) {
        if let Some(block) = self.blocks.remove(&index) {
            self.close(block, out);
        }
    }

    fn close(&mut self, block: Block, out: &mut Vec<Event>) {
        match block {
            Block::Waiting(citations) if citations.is_empty() => {}
            Block::Waiting(citations) => {
                let spot = self.cited.unwrap_or_else(|| self.open(PartKind::Text, out));
                self.cited = Some(spot);
                out.extend(citations.into_iter().map(|citation| Event::Cite(spot, citation)));
            }
            Block::Text(spot) => {
                self.close_cited(out);
                self.cited = Some(spot);
            }
            Block::Reasoning(spot, signature, bytes) => {
                let carrier = if !bytes.is_empty() {
                    Some(response::carrier("redactedContent", &STANDARD.encode(bytes)))
                } else if !signature.is_empty() {
                    Some(response::carrier("signature", &signature))
                } else {
                    None
                };
                out.extend(carrier.map(|carrier| Event::Carry(spot, carrier)));
                out.push(Event::Close(spot));
            }
            Block::Call(spot) | Block::Image(spot) => out.push(Event::Close(spot)),
            Block::Service(field, start, said) => {
                let opaque =
                    Opaque { dialect: Dialect::BedrockConverse, raw: whole(field, &start, &said) };
                let spot = self.open(PartKind::Other(opaque), out);
                out.push(Event::Close(spot));
            }
        }
    }

    fn open(&mut self, kind: PartKind, out: &mut Vec<Event>) -> Spot {
        self.close_cited(out);
        let spot = Spot { candidate: 0, part: self.parts };
        self.parts += 1;
        out.push(Event::Open(spot, kind));
        spot
    }

    fn close_cited(&mut self, out: &mut Vec<Event>) {
        out.extend(self.cited.take().map(Event::Close));
    }

    fn stop(
        &mut self,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut open: Vec<u64> = self.blocks.keys().copied().collect();
        open.sort_unstable();
        open.into_iter().for_each(|index| self.block_stop(index, out));
        self.close_cited(out);
        let word = fields.take_if("stopReason", |word| word.is_string(), |word| word.string())?;
        let finish = word.map(|word| {
            let (finish, canonical) = response::read_finish(&word, self.calls > 0);
            if !canonical {
                let raw = RawJson::string(&word);
                out.push(Event::Note(Scope::Candidate(0), "stopReason".to_owned(), raw));
            }
            finish
        });
        note_all(&fields, out);
        self.stopped = true;
        out.push(Event::Stop { candidate: 0, finish });
        Ok(())
    }

    fn metadata(
        &mut self,
        mut fields: Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<Met, DecodeError> {
        let usage = fields.take_if("usage", |usage| usage.is_object(), response::read_usage)?;
        out.extend(usage.map(Event::Usage));
        note_all(&fields, out);
        if !self.stopped {
            return Ok(Met::Quiet);
        }
        self.ended = true;
        out.push(Event::Finish);
        Ok(Met::Done)
    }
}
