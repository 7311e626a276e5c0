//! A whole answer: one or more candidates, each an assistant's turn and why it ended.

use crate::{AssistantPart, AssistantTurn, Dialect, Extras, Usage};

/// A model's answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The dialect the extras are spelled in.
    pub spoken: Dialect,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model as the provider names it in the answer.
    pub model: Option<String>,
    /// Seconds since 1970, as the provider says.
    pub created: Option<u64>,
    /// The answers; more than one when the request asked for several.
    pub candidates: Vec<Candidate>,
    /// What it used, when the provider said so.
    pub usage: Option<Usage>,
    /// What else the answer said.
    pub extras: Extras,
}

/// One answer among those asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    /// What the model said.
    pub turn: AssistantTurn,
    /// Why it stopped, when the provider said so.
    pub finish: Option<Finish>,
    /// What else stood beside the turn, such as log probabilities.
    pub extras: Extras,
}

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// It was done.
    Stop,
    /// It met a stop sequence: this one, where the dialect says which.
    StopSequence(Option<String>),
    /// It ran into the cap on the answer's length.
    Length,
    /// It wants tools to be run.
    ToolCalls,
    /// A filter ended it.
    ContentFilter,
    /// The model would not answer.
    Refusal,
    /// The provider paused a long turn; the same conversation, sent again, goes on.
    Pause,
    /// A reason of the provider's own, kept as it came.
    Other(String),
}

/// What an answer holds, for whoever must tell an answer from an empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substance {
    /// Something a reader can use, or a reason to have nothing: a cap, a stop sequence, a pause.
    Answer,
    /// A refusal and nothing else, of the model or of a filter.
    Refusal,
    /// Thoughts that end without an answer.
    Thoughts,
    /// Nothing.
    Nothing,
}

impl Substance {
    /// Judges a candidate by what it holds and why it ended.
    pub fn of(held: Held, finish: Option<&Finish>) -> Self {
        match (held, finish) {
            (Held { answer: true, .. }, _) => Self::Answer,
            (Held { refusal: true, .. }, _) => Self::Refusal,
            (_, Some(Finish::Refusal | Finish::ContentFilter)) => Self::Refusal,
            (_, Some(Finish::Length | Finish::StopSequence(_) | Finish::Pause)) => Self::Answer,
            (_, Some(Finish::Other(_))) => Self::Answer,
            (Held { thoughts: true, .. }, _) => Self::Thoughts,
            (_, Some(Finish::Stop | Finish::ToolCalls) | None) => Self::Nothing,
        }
    }
}

/// What a candidate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Text, calls, pictures, or what only its dialect understands.
    pub answer: bool,
    /// A refusal.
    pub refusal: bool,
    /// Thoughts.
    pub thoughts: bool,
}

impl Held {
    /// Notes what a part of this kind is worth; texts and refusals only where something is said.
    fn note(&mut self, part: &AssistantPart) {
        match part {
            AssistantPart::Text(text) => self.answer |= !text.text.is_empty(),
            AssistantPart::Refusal(text) => self.refusal |= !text.is_empty(),
            AssistantPart::Reasoning(_) => self.thoughts = true,
            AssistantPart::ToolCall(_) | AssistantPart::Image(_) | AssistantPart::Other(_) => {
                self.answer = true;
            }
        }
    }
}

impl Candidate {
    /// Says what it holds.
    pub fn substance(&self) -> Substance {
        let mut held = Held::default();
        self.turn.parts.iter().for_each(|part| held.note(part));
        Substance::of(held, self.finish.as_ref())
    }
}

impl Response {
    /// Says what it holds: the best of its candidates.
    pub fn substance(&self) -> Substance {
        let all = self.candidates.iter().map(Candidate::substance);
        all.min_by_key(|substance| *substance as u8).unwrap_or(Substance::Nothing)
    }
}
