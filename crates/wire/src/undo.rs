//! What was said in another way than the client asked for it, and is taken back in the answer.
//!
//! A host without structured output is given a tool whose arguments are the answer; a dialect
//! without tools of free text is given a function with one text. The client sees neither: the call
//! becomes the text it asked for, the function's argument the free text.

mod stream;

pub use stream::Undoing;

use ir::{
    Arguments, AssistantPart, CallKind, Candidate, Extras, Finish, RawJson, Reasoning, Response,
    Said, Schema,
};

/// The tool whose arguments are the answer.
pub(crate) const ANSWER_TOOL: &str = "give_answer";

/// The one argument of a function that stands for a tool of free text.
pub(crate) const FREE_TEXT: &str = "input";

/// The fields in which readers leave a host's own word for why the model stopped: one that speaks of
/// a call that is taken back must go with it.
const WORDS: [&str; 5] =
    ["finish_reason", "stop_reason", "stopReason", "finishReason", "done_reason"];

/// What is to be taken back in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undo {
    /// Whether calls of the answer's tool are the answer.
    pub answer: bool,
    /// The names of the tools of free text that were written as functions.
    pub customs: Vec<String>,
}

impl Undo {
    /// Returns whether there is nothing to take back.
    pub fn is_empty(&self) -> bool {
        !self.answer && self.customs.is_empty()
    }

    /// Takes it back in a whole answer.
    pub fn response(&self, response: &mut Response) {
        if !self.is_empty() {
            response.candidates.iter_mut().for_each(|candidate| self.candidate(candidate));
        }
    }

    fn candidate(&self, candidate: &mut Candidate) {
        let answered = candidate.turn.parts.iter().any(|part| match part {
            AssistantPart::ToolCall(call) => self.is_answer(&call.name, call.kind),
            _ => false,
        });
        let mut calls = false;
        for part in &mut candidate.turn.parts {
            if let (AssistantPart::Text(said), true) = (&mut *part, answered) {
                // The answer is the JSON alone: what was said beside it are thoughts.
                let text = std::mem::take(&mut said.text);
                *part = AssistantPart::Reasoning(Reasoning { text, carrier: None });
                continue;
            }
            let AssistantPart::ToolCall(call) = part else { continue };
            if self.is_answer(&call.name, call.kind) {
                *part = AssistantPart::Text(Said {
                    text: std::mem::take(&mut call.arguments.0),
                    carrier: call.carrier.take(),
                    extras: Extras::default(),
                    ..Said::default()
                });
                continue;
            }
            calls = true;
            if self.is_custom(&call.name, call.kind) {
                call.kind = CallKind::Custom;
                call.arguments = Arguments(free_text(&call.arguments.0));
            }
        }
        if answered && !calls {
            candidate.extras.0.retain(|(name, _)| !WORDS.contains(&name.as_str()));
            candidate.finish = candidate.finish.take().map(without_call);
        }
    }

    fn is_answer(&self, name: &str, kind: CallKind) -> bool {
        self.answer && kind == CallKind::Function && name == ANSWER_TOOL
    }

    fn is_custom(&self, name: &str, kind: CallKind) -> bool {
        kind == CallKind::Function && self.customs.iter().any(|custom| custom == name)
    }
}

/// The end of a candidate whose only calls were the answer.
fn without_call(finish: Finish) -> Finish {
    if finish == Finish::ToolCalls { Finish::Stop } else { finish }
}

/// Returns the free text in a function's arguments; arguments that are something else are the text.
fn free_text(arguments: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(arguments).ok();
    let text = value.as_ref().and_then(|value| value.get(FREE_TEXT)).and_then(|text| text.as_str());
    text.unwrap_or(arguments).to_owned()
}

/// Returns the schema of a function that stands for a tool of free text.
pub(crate) fn free_text_schema() -> RawJson {
    let schema = format!(
        r#"{{"type":"object","properties":{{"{FREE_TEXT}":{{"type":"string"}}}},"required":["{FREE_TEXT}"]}}"#
    );
    RawJson::parse(schema).expect("invariant: written here as JSON")
}

/// Returns the words that ask a model for JSON that fits a schema, for hosts that cannot be asked
/// in any other way.
pub(crate) fn schema_in_words(schema: &Schema) -> String {
    let text = schema.schema.as_ref().map_or("{}", RawJson::text);
    format!(
        "Answer with one JSON value that fits this JSON Schema, and with nothing before or after \
         it:\n{text}"
    )
}
