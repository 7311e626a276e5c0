//! What a stream is worth to its reader, event by event, as the provider tells it.

use ir::event::{PartKind, Spot};
use ir::response::{Held, Substance};
use ir::{Event, Finish};

/// What has come of a stream so far.
#[derive(Debug, Default)]
pub(crate) struct Worth {
    held: Held,
    /// The parts that are open and what they are.
    open: Vec<(Spot, Part)>,
    finish: Option<Finish>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Text,
    Refusal,
    Thoughts,
    Other,
}

impl Worth {
    /// Begins where another answer left off.
    pub(crate) fn going_on() -> Self {
        Self { held: Held { answer: true, ..Held::default() }, ..Self::default() }
    }

    /// Says what it holds.
    pub(crate) fn substance(&self) -> Substance {
        Substance::of(self.held, self.finish.as_ref())
    }

    /// Returns whether the model is in the middle of a text.
    pub(crate) fn says_text(&self) -> bool {
        self.open.iter().any(|(_, part)| *part == Part::Text)
    }

    /// Takes up what an event is worth; says whether a reader would see something of it.
    pub(crate) fn weigh(&mut self, event: &Event) -> bool {
        match event {
            Event::Open(spot, kind) => {
                let part = match kind {
                    PartKind::Text => Part::Text,
                    PartKind::Refusal => Part::Refusal,
                    PartKind::Reasoning => Part::Thoughts,
                    PartKind::ToolCall { .. } | PartKind::Image { .. } | PartKind::Other(_) => {
                        Part::Other
                    }
                };
                self.held.thoughts |= part == Part::Thoughts;
                self.held.answer |= part == Part::Other;
                self.open.push((*spot, part));
                part == Part::Other
            }
            Event::Delta(spot, text) => {
                let known = self.open.iter().find(|(known, _)| known == spot);
                let part = known.map_or(Part::Other, |(_, part)| *part);
                self.held.answer |= part == Part::Text && !text.is_empty();
                self.held.refusal |= part == Part::Refusal && !text.is_empty();
                // A refusal waits for its end: another model may answer.
                part != Part::Refusal && !text.is_empty()
            }
            Event::Close(spot) => {
                self.open.retain(|(known, _)| known != spot);
                false
            }
            Event::Stop { finish, .. } => {
                self.finish.clone_from(finish);
                false
            }
            _ => false,
        }
    }
}
