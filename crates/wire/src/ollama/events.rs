//! Streams: a line to events. Calls come whole; the last line is `done`.

use ir::{Event, Failure, Kind, PartKind, RawJson, Scope, Spot, ToolCall};

use super::response;
use crate::decode::DecodeError;
use crate::fields::{self, Fields};
use crate::sse::Frame;
use crate::{Met, Origin, failures};

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    origin: Origin,
    started: bool,
    ended: bool,
    parts: u32,
    called: usize,
    /// The prose being said: its spot, and whether it is thoughts.
    prose: Option<(Spot, bool)>,
}

impl Reader {
    /// Begins a stream.
    pub fn new(origin: Origin) -> Self {
        Self { origin, started: false, ended: false, parts: 0, called: 0, prose: None }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Met {
        let Some(data) = frame.data.as_deref().filter(|_| !self.ended) else { return Met::Quiet };
        let mut fields = match fields::body(data) {
            Ok(fields) => fields,
            Err(error) => return self.fail(response::malformed(error), out),
        };
        if response::is_error(&fields) {
            return self.fail(failures::inside(&self.origin.family, 200, data), out);
        }
        match self.line(&mut fields, out) {
            Ok(met) => met,
            Err(error) => self.fail(response::malformed(error), out),
        }
    }

    /// Ends the reading when the provider's bytes end. Without the last line that is a cut.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        if !self.ended {
            let said = "the stream ended without a line that says done";
            self.fail(Failure::new(Kind::StreamCut, said), out);
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Event>) -> Met {
        self.ended = true;
        out.push(Event::Fail(failure));
        Met::Failed
    }

    fn line(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<Met, DecodeError> {
        let model = fields.take_if("model", |model| model.is_string(), |model| model.string())?;
        let created = response::read_created(fields)?;
        if !self.started {
            self.started = true;
            out.push(Event::Start { id: None, model, created });
        }
        let begun = out.len();
        let message = fields.take_if(
            "message",
            |message| message.is_object(),
            |message| response::read_message(&self.origin, self.called, message),
        )?;
        if let Some(message) = message {
            self.say(true, message.thoughts, out);
            self.say(false, message.text, out);
            message.calls.into_iter().for_each(|call| self.call(call, out));
            for (name, raw) in message.extras.iter().filter(|(_, raw)| raw.text() != "null") {
                out.push(Event::Note(Scope::Turn(0), name.to_owned(), raw.clone()));
            }
        }
        let done = fields.take("done", |done| Ok(done.raw.get() == "true"))?.unwrap_or(false);
        let said = |event: &Event| matches!(event, Event::Open(..) | Event::Delta(..));
        let content = out[begun..].iter().any(said);
        if done {
            self.done(fields, out)?;
        }
        Ok(match (content, done) {
            (true, _) => Met::Content,
            (false, true) => Met::Done,
            (false, false) => Met::Quiet,
        })
    }

    fn say(&mut self, thoughts: bool, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let spot = match self.prose {
            Some((spot, open)) if open == thoughts => spot,
            _ => {
                self.close(out);
                let kind = if thoughts { PartKind::Reasoning } else { PartKind::Text };
                let spot = self.open(kind, out);
                self.prose = Some((spot, thoughts));
                spot
            }
        };
        out.push(Event::Delta(spot, text));
    }

    fn call(&mut self, call: ToolCall, out: &mut Vec<Event>) {
        self.close(out);
        self.called += 1;
        let spot =
            self.open(PartKind::ToolCall { id: call.id, name: call.name, kind: call.kind }, out);
        if !call.arguments.0.is_empty() {
            out.push(Event::Delta(spot, call.arguments.0));
        }
        out.push(Event::Close(spot));
    }

    fn open(&mut self, kind: PartKind, out: &mut Vec<Event>) -> Spot {
        let spot = Spot { candidate: 0, part: self.parts };
        self.parts += 1;
        out.push(Event::Open(spot, kind));
        spot
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.prose.take().map(|(spot, _)| Event::Close(spot)));
    }

    fn done(
        &mut self,
        fields: &mut Fields<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.close(out);
        let finish = response::read_finish(fields, self.called > 0)?;
        let finish = finish.map(|(finish, word)| {
            let note = |(name, raw)| Event::Note(Scope::Candidate(0), name, raw);
            out.extend(word.map(note));
            finish
        });
        out.extend(response::read_usage(fields)?.map(Event::Usage));
        for (name, raw) in fields.left().filter(|(_, raw)| raw.get() != "null") {
            out.push(Event::Note(Scope::Answer, name.to_owned(), RawJson::keep(raw)));
        }
        self.ended = true;
        out.push(Event::Stop { candidate: 0, finish });
        out.push(Event::Finish);
        Ok(())
    }
}
