//! An answer, as far as the checks look at it.

use std::borrow::Cow;

use ir::{AssistantPart, CallKind, Finish, Response};

/// An answer to be checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer<'a> {
    /// Its text.
    pub text: Cow<'a, str>,
    /// The refusal that was said apart from text.
    pub refusal: Option<Cow<'a, str>>,
    /// Whether it holds thoughts and nothing else.
    pub only_thoughts: bool,
    /// Whether it holds what is neither text nor a call, such as a picture.
    pub other: bool,
    /// The tools it calls.
    pub calls: Vec<Call<'a>>,
    /// Why it ended, when the provider said so.
    pub finish: Option<&'a Finish>,
}

/// A call of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// What its arguments are: JSON, or free text.
    pub kind: CallKind,
    /// The arguments as they came.
    pub arguments: &'a str,
}

impl<'a> Answer<'a> {
    /// Reads the first candidate of a response.
    pub fn of(response: &'a Response) -> Self {
        let Some(candidate) = response.candidates.first() else { return Self::default() };
        let parts = &candidate.turn.parts;
        let mut text = Cow::Borrowed("");
        let mut refusal = None;
        let mut calls = Vec::new();
        let mut thoughts = false;
        // OpenAI says a spoken answer beside the turn's parts.
        let mut other = candidate.turn.extras.get("audio").is_some_and(|it| it.text() != "null");
        for part in parts {
            match part {
                AssistantPart::Text(said) => text += said.text.as_str(),
                // Some hosts say an empty refusal of every answer.
                AssistantPart::Refusal(said) if said.trim().is_empty() => {}
                AssistantPart::Refusal(said) => {
                    *refusal.get_or_insert(Cow::Borrowed("")) += said.as_str();
                }
                AssistantPart::Reasoning(_) => thoughts = true,
                AssistantPart::ToolCall(call) => calls.push(Call {
                    name: &call.name,
                    kind: call.kind,
                    arguments: &call.arguments.0,
                }),
                AssistantPart::Image(_) | AssistantPart::Other(_) => other = true,
            }
        }
        let spoke = !text.trim().is_empty() || refusal.is_some() || !calls.is_empty() || other;
        let only_thoughts = thoughts && !spoke;
        Self { text, refusal, only_thoughts, other, calls, finish: candidate.finish.as_ref() }
    }

    /// Returns whether it only calls tools: nothing was said yet that a check of texts could judge.
    pub(crate) fn only_calls(&self) -> bool {
        self.text.trim().is_empty() && self.refusal.is_none() && !self.calls.is_empty()
    }
}
