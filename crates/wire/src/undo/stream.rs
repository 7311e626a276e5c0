//! Taking back in a stream: event by event, and grammatical throughout, since no part moves.

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
        match event {
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
            self.called(spot.candidate).answered = true;
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
