//! Folding a stream into the answer it spells. The inverse, unfolding, is what a dialect's event
//! writer is tested with.

use super::{Event, PartKind, Scope, Spot};
use crate::{
    Arguments, AssistantPart, Candidate, Dialect, Extras, Failure, Image, Reasoning, Response,
    Said, Source, ToolCall,
};

/// An answer growing out of events.
#[derive(Debug)]
pub struct Fold {
    response: Response,
    end: Option<Result<(), Failure>>,
}

impl Fold {
    /// Begins an empty answer whose unnamed fields are spelled in `dialect`.
    pub fn new(dialect: Dialect) -> Self {
        let response = Response {
            spoken: dialect,
            id: None,
            model: None,
            created: None,
            candidates: Vec::new(),
            usage: None,
            extras: Extras::default(),
        };
        Self { response, end: None }
    }

    /// Takes the next event of a grammatical stream.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Start { id, model, created } => {
                self.response.id = id;
                self.response.model = model;
                self.response.created = created;
            }
            Event::Open(spot, kind) => {
                let parts = &mut self.candidate(spot.candidate).turn.parts;
                parts.push(opened(kind));
            }
            Event::Delta(spot, text) => {
                if let Some(part) = self.part(spot) {
                    grow(part, &text);
                }
            }
            Event::Cite(spot, citation) => {
                if let Some(AssistantPart::Text(said)) = self.part(spot) {
                    said.citations.push(citation);
                }
            }
            Event::Carry(spot, opaque) => match self.part(spot) {
                Some(AssistantPart::Text(said)) => said.carrier = Some(opaque),
                Some(AssistantPart::Reasoning(thoughts)) => thoughts.carrier = Some(opaque),
                Some(AssistantPart::ToolCall(call)) => call.carrier = Some(opaque),
                _ => {}
            },
            Event::Close(_) => {}
            Event::Note(Scope::Answer, name, raw) => self.response.extras.absorb(&name, &raw),
            Event::Note(Scope::Candidate(of), name, raw) => {
                self.candidate(of).extras.absorb(&name, &raw);
            }
            Event::Note(Scope::Turn(of), name, raw) => {
                self.candidate(of).turn.extras.absorb(&name, &raw);
            }
            Event::Stop { candidate, finish } => self.candidate(candidate).finish = finish,
            Event::Usage(usage) => self.response.usage = Some(usage),
            Event::Finish => self.end = Some(Ok(())),
            Event::Fail(failure) => self.end = Some(Err(failure)),
        }
    }

    /// Returns the answer, or how the stream failed; a stream without an end is cut.
    pub fn finish(self) -> Result<Response, Failure> {
        match self.end {
            Some(Ok(())) => Ok(self.response),
            Some(Err(failure)) => Err(failure),
            None => Err(Failure::new(crate::Kind::StreamCut, "the stream ended without its end")),
        }
    }

    fn candidate(&mut self, index: u32) -> &mut Candidate {
        let index = index as usize;
        let candidates = &mut self.response.candidates;
        if candidates.len() <= index {
            candidates.resize_with(index + 1, Candidate::default);
        }
        &mut candidates[index]
    }

    fn part(&mut self, spot: Spot) -> Option<&mut AssistantPart> {
        self.candidate(spot.candidate).turn.parts.get_mut(spot.part as usize)
    }
}

fn opened(kind: PartKind) -> AssistantPart {
    match kind {
        PartKind::Text => AssistantPart::Text(Said::default()),
        PartKind::Refusal => AssistantPart::Refusal(String::new()),
        PartKind::Reasoning => AssistantPart::Reasoning(Reasoning::default()),
        PartKind::ToolCall { id, name, kind } => AssistantPart::ToolCall(ToolCall {
            id,
            name,
            kind,
            arguments: Arguments::default(),
            carrier: None,
            cache: None,
            extras: Extras::default(),
        }),
        PartKind::Image { media_type } => AssistantPart::Image(Image {
            source: Source::Inline { media_type, base64: String::new() },
            detail: None,
            cache: None,
            extras: Extras::default(),
        }),
        PartKind::Other(opaque) => AssistantPart::Other(opaque),
    }
}

fn grow(part: &mut AssistantPart, text: &str) {
    match part {
        AssistantPart::Text(part) => part.text.push_str(text),
        AssistantPart::Refusal(part) => part.push_str(text),
        AssistantPart::Reasoning(part) => part.text.push_str(text),
        AssistantPart::ToolCall(part) => part.arguments.0.push_str(text),
        AssistantPart::Image(part) => {
            if let Source::Inline { base64, .. } = &mut part.source {
                base64.push_str(text);
            }
        }
        AssistantPart::Other(_) => {}
    }
}
