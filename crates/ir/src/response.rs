//! A whole answer: one or more candidates, each an assistant's turn and why it ended.

use crate::{AssistantTurn, Dialect, Extras, Usage};

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
