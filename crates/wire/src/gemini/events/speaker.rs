//! One candidate of a stream: its parts, as they open, grow and close.

use ir::{
    AssistantPart, CallKind, Event, Finish, Image, Opaque, PartKind, RawJson, Reasoning, Said,
    Scope, Source, Spot,
};
use serde_json::{Map, Value as Json};

use super::super::{HERE, Ids, grounding, opaque, part, response, signature, spelling};
use super::partial;
use crate::decode::DecodeError;
use crate::fields::Value;

/// How far one candidate has come.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    parts: u32,
    /// The open text or thought, and what it says so far.
    prose: Option<Prose>,
    /// The open call whose arguments come bit by bit.
    call: Option<(u32, Json)>,
    called: bool,
    cited: Vec<Opaque>,
    /// Why it ended, as it was said last.
    pub(super) finish: Option<RawJson>,
}

#[derive(Debug)]
struct Prose {
    part: u32,
    thought: bool,
    signed: bool,
    text: String,
}

impl Speaker {
    /// Reads a part.
    pub(super) fn part(
        &mut self,
        candidate: u32,
        value: Value<'_, '_>,
        ids: &mut Ids,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if self.call_in_bits(candidate, value, ids, out)? {
            return Ok(());
        }
        self.close_call(candidate, out);
        let kind = match part::read_said(value, ids)? {
            AssistantPart::Text(Said { text, carrier, .. }) => {
                self.say(candidate, false, &text, carrier, out);
                return Ok(());
            }
            AssistantPart::Reasoning(Reasoning { text, carrier }) => {
                self.say(candidate, true, &text, carrier, out);
                return Ok(());
            }
            AssistantPart::ToolCall(call) => {
                self.called = true;
                let kind =
                    PartKind::ToolCall { id: call.id, name: call.name, kind: CallKind::Function };
                self.whole(candidate, kind, call.carrier, &call.arguments.0, out);
                return Ok(());
            }
            AssistantPart::Image(Image {
                source: Source::Inline { media_type, base64 },
                extras,
                ..
            }) => {
                let signature = extras.get(signature::NAME).cloned();
                let carrier = signature.map(|raw| Opaque { dialect: HERE, raw });
                self.whole(candidate, PartKind::Image { media_type }, carrier, &base64, out);
                return Ok(());
            }
            _ => PartKind::Other(opaque(value)),
        };
        self.whole(candidate, kind, None, "", out);
        Ok(())
    }

    /// Adds to the open text or thought. With a signature it is a part of its own, and the signature
    /// comes first, so that whoever writes it can put both into one piece.
    fn say(
        &mut self,
        candidate: u32,
        thought: bool,
        text: &str,
        carrier: Option<Opaque>,
        out: &mut Vec<Event>,
    ) {
        if text.is_empty() && carrier.is_none() {
            return;
        }
        let goes_on = |prose: &Prose| prose.thought == thought && !prose.signed;
        if carrier.is_some() || !self.prose.as_ref().is_some_and(goes_on) {
            self.close_prose(candidate, out);
            let spot = Spot { candidate, part: self.next_part() };
            let kind = if thought { PartKind::Reasoning } else { PartKind::Text };
            out.push(Event::Open(spot, kind));
            let signed = carrier.is_some();
            self.prose = Some(Prose { part: spot.part, thought, signed, text: String::new() });
            out.extend(carrier.map(|carrier| Event::Carry(spot, carrier)));
        }
        if let Some(prose) = self.prose.as_mut().filter(|_| !text.is_empty()) {
            prose.text.push_str(text);
            out.push(Event::Delta(Spot { candidate, part: prose.part }, text.to_owned()));
        }
    }

    fn close_prose(&mut self, candidate: u32, out: &mut Vec<Event>) {
        if let Some(Prose { part, .. }) = self.prose.take() {
            out.push(Event::Close(Spot { candidate, part }));
        }
    }

    fn next_part(&mut self) -> u32 {
        self.parts += 1;
        self.parts - 1
    }

    /// Opens and closes a part that is whole in its frame.
    fn whole(
        &mut self,
        candidate: u32,
        kind: PartKind,
        carrier: Option<Opaque>,
        text: &str,
        out: &mut Vec<Event>,
    ) {
        self.close_prose(candidate, out);
        let spot = Spot { candidate, part: self.next_part() };
        out.push(Event::Open(spot, kind));
        out.extend(carrier.map(|carrier| Event::Carry(spot, carrier)));
        if !text.is_empty() {
            out.push(Event::Delta(spot, text.to_owned()));
        }
        out.push(Event::Close(spot));
    }

    /// Reads a call whose arguments come bit by bit; the arguments are said when they are whole, since
    /// a list of paths is no text that grows. Returns whether the part was of that kind.
    fn call_in_bits(
        &mut self,
        candidate: u32,
        value: Value<'_, '_>,
        ids: &mut Ids,
        out: &mut Vec<Event>,
    ) -> Result<bool, DecodeError> {
        let mut fields = value.object()?;
        let Some(raw) = spelling::peek(&fields, "functionCall") else { return Ok(false) };
        let bits = raw.get().contains("\"partialArgs\"") || raw.get().contains("\"willContinue\"");
        if !bits && self.call.is_none() {
            return Ok(false);
        }
        let Ok(bit) = serde_json::from_str::<Json>(raw.get()) else { return Ok(false) };
        let text =
            |name: &str| bit.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        match text("name") {
            Some(_) if !bits => return Ok(false),
            Some(name) => {
                self.close_call(candidate, out);
                self.close_prose(candidate, out);
                self.called = true;
                let spot = Spot { candidate, part: self.next_part() };
                let id = text("id").map_or_else(|| ids.make(), str::to_owned);
                let kind =
                    PartKind::ToolCall { id, name: name.to_owned(), kind: CallKind::Function };
                out.push(Event::Open(spot, kind));
                let begun = bit.get("args").filter(|args| args.is_object()).cloned();
                self.call = Some((spot.part, begun.unwrap_or_else(|| Json::Object(Map::new()))));
            }
            None if self.call.is_none() => return Ok(false),
            None => {}
        }
        if let Some((part, arguments)) = &mut self.call {
            let carrier = signature::take(&mut fields)?;
            let spot = Spot { candidate, part: *part };
            out.extend(carrier.map(|carrier| Event::Carry(spot, carrier)));
            for bit in bit.get("partialArgs").and_then(Json::as_array).into_iter().flatten() {
                partial::put(arguments, bit);
            }
        }
        if bit.get("willContinue") != Some(&Json::Bool(true)) {
            self.close_call(candidate, out);
        }
        Ok(true)
    }

    fn close_call(&mut self, candidate: u32, out: &mut Vec<Event>) {
        if let Some((part, arguments)) = self.call.take() {
            let spot = Spot { candidate, part };
            out.push(Event::Delta(spot, arguments.to_string()));
            out.push(Event::Close(spot));
        }
    }

    /// Puts citations on the open text; frames repeat those they brought before.
    pub(super) fn cite(
        &mut self,
        candidate: u32,
        cited: Vec<grounding::Cited>,
        out: &mut Vec<Event>,
    ) {
        let Some(prose) = self.prose.as_ref().filter(|prose| !prose.thought) else { return };
        let spot = Spot { candidate, part: prose.part };
        for grounding::Cited { mut citation, bytes, .. } in cited {
            if self.cited.contains(&citation.raw) {
                continue;
            }
            self.cited.push(citation.raw.clone());
            citation.span = bytes.and_then(|bytes| grounding::characters(&prose.text, bytes));
            out.push(Event::Cite(spot, citation));
        }
    }

    /// Returns whether nothing was said.
    pub(super) fn silent(&self) -> bool {
        self.parts == 0
    }

    /// Returns why it ended.
    pub(super) fn finish(&self) -> Option<Finish> {
        let reason = self.finish.as_ref()?;
        response::read_finish(reason.text(), self.called)
    }

    /// Closes what is open and says why it ended.
    pub(super) fn stop(&mut self, candidate: u32, out: &mut Vec<Event>) {
        self.close_call(candidate, out);
        self.close_prose(candidate, out);
        let finish = self.finish();
        let reason = self.finish.take();
        if let Some(kept) = reason.filter(|reason| response::is_kept(reason, finish.as_ref())) {
            let of = Scope::Candidate(candidate);
            out.push(Event::Note(of, response::FINISH.to_owned(), kept));
        }
        out.push(Event::Stop { candidate, finish });
    }
}
