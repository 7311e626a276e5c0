//! Taking back in a stream: event by event, and grammatical throughout, since no part moves.
//!
//! Where a call may be the answer, what a candidate says from its first text on waits until one is, or
//! until it stops: only then is it known whether the text is the answer or thoughts beside it.

use ir::{CallKind, Event, PartKind, Scope, Spot};

use super::{Undo, WORDS, free_text, without_call};

/// Takes back in one stream.
#[derive(Debug)]
pub struct Undoing {
    undo: Undo,
    /// Functions that stand for tools of free text, open, with their arguments so far.
    customs: Vec<(Spot, String)>,
    candidates: Vec<Called>,
}

/// What one candidate has called so far.
#[derive(Debug, Default)]
struct Called {
    candidate: u32,
    answered: bool,
    other: bool,
    /// The host's own word for the end, held until it is known whether it stays.
    words: Vec<Event>,
    /// What came since the first text, while it is not known what that is.
    held: Vec<Event>,
    /// Texts beside the answer, told as thoughts.
    thoughts: Vec<Spot>,
}

impl Undoing {
    /// Begins a stream.
    pub fn new(undo: Undo) -> Self {
        Self { undo, customs: Vec::new(), candidates: Vec::new() }
    }

    /// Takes the next event and says what becomes of it.
    pub fn event(&mut self, event: Event, out: &mut Vec<Event>) {
        if self.undo.is_empty() {
            out.push(event);
            return;
        }
        if let Some(event) = self.hold(event, out) {
            self.tell(event, out);
        }
    }

    /// Holds an event back until it is known what its candidate's texts are; any other returns.
    fn hold(&mut self, event: Event, out: &mut Vec<Event>) -> Option<Event> {
        let candidate = match &event {
            Event::Open(spot, _)
            | Event::Delta(spot, _)
            | Event::Cite(spot, _)
            | Event::Carry(spot, _)
            | Event::Close(spot) => spot.candidate,
            Event::Note(Scope::Turn(of), ..) | Event::Stop { candidate: of, .. } => *of,
            _ => return Some(event),
        };
        let answers = match &event {
            Event::Open(_, PartKind::ToolCall { name, kind, .. }) => {
                self.undo.is_answer(name, *kind)
            }
            _ => false,
        };
        let begins = self.undo.answer && matches!(event, Event::Open(_, PartKind::Text));
        let called = self.called(candidate);
        called.answered |= answers;
        if answers || matches!(event, Event::Stop { .. }) {
            for event in std::mem::take(&mut called.held) {
                self.tell(event, out);
            }
        } else if !called.held.is_empty() || begins && !called.answered {
            called.held.push(event);
            return None;
        }
        Some(event)
    }

    fn tell(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::Open(spot, PartKind::Text) if self.called(spot.candidate).answered => {
                self.called(spot.candidate).thoughts.push(spot);
                out.push(Event::Open(spot, PartKind::Reasoning));
            }
            // Thoughts rest on nothing, and a text's carrier is not theirs.
            Event::Cite(spot, _) | Event::Carry(spot, _)
                if self.called(spot.candidate).thoughts.contains(&spot) => {}
            Event::Open(spot, PartKind::ToolCall { id, name, kind }) => {
                let kind = self.opened(spot, id, name, kind);
                out.push(Event::Open(spot, kind));
            }
            Event::Delta(spot, text) => match self.custom(spot) {
                Some(at) => self.customs[at].1.push_str(&text),
                None => out.push(Event::Delta(spot, text)),
            },
            Event::Close(spot) => {
                if let Some(at) = self.custom(spot) {
                    let (_, arguments) = self.customs.swap_remove(at);
                    out.push(Event::Delta(spot, free_text(&arguments)));
                }
                out.push(Event::Close(spot));
            }
            Event::Note(Scope::Candidate(of), name, raw) if WORDS.contains(&name.as_str()) => {
                let word = Event::Note(Scope::Candidate(of), name, raw);
                self.called(of).words.push(word);
            }
            Event::Stop { candidate, finish } => {
                let called = self.called(candidate);
                let words = std::mem::take(&mut called.words);
                let only_answer = called.answered && !called.other;
                let finish = if only_answer {
                    finish.map(without_call)
                } else {
                    out.extend(words);
                    finish
                };
                out.push(Event::Stop { candidate, finish });
            }
            other => out.push(other),
        }
    }

    fn opened(&mut self, spot: Spot, id: String, name: String, kind: CallKind) -> PartKind {
        if self.undo.is_answer(&name, kind) {
            return PartKind::Text;
        }
        self.called(spot.candidate).other = true;
        if self.undo.is_custom(&name, kind) {
            self.customs.push((spot, String::new()));
            return PartKind::ToolCall { id, name, kind: CallKind::Custom };
        }
        PartKind::ToolCall { id, name, kind }
    }

    fn custom(&self, spot: Spot) -> Option<usize> {
        self.customs.iter().position(|(open, _)| *open == spot)
    }

    fn called(&mut self, candidate: u32) -> &mut Called {
        let known = self.candidates.iter().position(|called| called.candidate == candidate);
        let at = known.unwrap_or_else(|| {
            self.candidates.push(Called { candidate, ..Called::default() });
            self.candidates.len() - 1
        });
        &mut self.candidates[at]
    }
}
