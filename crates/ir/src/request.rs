//! A conversation as it is sent to a model.
//!
//! What the types forbid is the point: a tool's result cannot stand in an assistant's turn, a
//! choice of tools cannot come without tools, an output is text or JSON or a schema and never two
//! of them. A tool call's arguments stay the text that came: who needs the object meets the error.

use serde_json::Number;

use crate::{Dialect, Extras, Opaque, RawJson};

/// A request for an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The dialect the extras are spelled in.
    pub spoken: Dialect,
    /// The model as the caller names it.
    pub model: String,
    /// The conversation so far, oldest first.
    pub turns: Vec<Turn>,
    /// The tools the model may call.
    pub toolbox: Option<Toolbox>,
    /// The shape of the answer.
    pub output: Output,
    /// Whole, or as a stream.
    pub mode: Mode,
    /// The cap on the answer's tokens.
    pub cap: Option<Cap>,
    /// Sampling temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Sampling among the likeliest tokens alone.
    pub top_k: Option<Number>,
    /// Penalty for tokens by how often they stood already.
    pub frequency_penalty: Option<Number>,
    /// Penalty for tokens that stood already.
    pub presence_penalty: Option<Number>,
    /// Seed for repeatable sampling.
    pub seed: Option<Number>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// How many answers are wanted.
    pub candidates: Option<u64>,
    /// Whether and how hard to think.
    pub thinking: Option<Thinking>,
    /// Whether log probabilities of the answer's tokens are wanted.
    pub logprobs: Option<Logprobs>,
    /// Whose request it is, in the caller's words.
    pub user: Option<String>,
    /// What else the request said.
    pub extras: Extras,
}

/// The cap on an answer's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap(pub u64);

/// Whether and how hard to think: in words, in tokens, or both, as the caller says it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thinking {
    /// The effort as a word: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, or a newer one.
    pub effort: Option<String>,
    /// How many tokens may go into it.
    pub budget: Option<Budget>,
    /// Whether the thoughts, or a summary of them, are to be shown.
    pub shown: Option<bool>,
    /// What else was said about it.
    pub extras: Extras,
}

/// How many tokens may go into thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// None: no thinking.
    Off,
    /// As many as the model sees fit.
    Auto,
    /// So many.
    Tokens(u64),
}

/// Efforts and the budgets they stand for, each the upper end of its word: between the tables that
/// OpenRouter and LiteLLM use, within what Anthropic and Gemini accept.
const EFFORTS: [(&str, u64); 6] = [
    ("minimal", 1_024),
    ("low", 4_096),
    ("medium", 12_288),
    ("high", 24_576),
    ("xhigh", 32_768),
    ("max", 32_768),
];

impl Thinking {
    /// Returns the effort, worked out from the budget where only that was said; `None` leaves it
    /// to the model.
    pub fn effort(&self) -> Option<&str> {
        if let Some(effort) = &self.effort {
            return Some(effort);
        }
        match self.budget? {
            Budget::Off => Some("none"),
            Budget::Auto => None,
            Budget::Tokens(tokens) => {
                let fits = EFFORTS.iter().find(|(_, most)| tokens <= *most);
                Some(fits.map_or("max", |(word, _)| word))
            }
        }
    }

    /// Returns the budget, worked out from the effort where only that was said.
    pub fn budget(&self) -> Option<Budget> {
        if self.budget.is_some() {
            return self.budget;
        }
        let effort = self.effort.as_deref()?;
        if effort == "none" {
            return Some(Budget::Off);
        }
        let known = EFFORTS.iter().find(|(word, _)| *word == effort);
        Some(known.map_or(Budget::Auto, |(_, tokens)| Budget::Tokens(*tokens)))
    }
}

/// The log probabilities that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logprobs {
    /// How many of the likeliest tokens at each place.
    pub top: Option<u64>,
}

/// How the answer is to arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// In one piece.
    Whole,
    /// As it is made.
    Stream {
        /// Whether the caller asked for usage at the end.
        usage: bool,
        /// What else was said about the stream.
        extras: Extras,
    },
}

/// The shape of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Whatever the model says.
    Text,
    /// Some JSON object.
    Json,
    /// JSON that fits a schema.
    Schema(Schema),
}

/// A JSON Schema the answer must fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Its name, where the dialect wants one.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The schema itself.
    pub schema: Option<RawJson>,
    /// Whether the provider must enforce it.
    pub strict: Option<bool>,
    /// What else was said about it.
    pub extras: Extras,
}

/// The tools a model may call, never empty, and how it may choose among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Toolbox {
    /// The tools.
    pub tools: Vec<Tool>,
    /// How the model may choose.
    pub choice: Option<Choice>,
    /// Whether several calls may come in one turn.
    pub parallel: Option<bool>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    /// A function of the caller's.
    Function {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// Its parameters as a JSON Schema.
        parameters: Option<RawJson>,
        /// Whether the provider must enforce the schema.
        strict: Option<bool>,
        /// A cache mark after it.
        cache: Option<CacheMark>,
        /// What else was said about the function.
        extras: Extras,
        /// What else stood beside the function.
        around: Extras,
    },
    /// A tool of the caller's that takes free text.
    Custom {
        /// Its name.
        name: String,
        /// What it does.
        description: Option<String>,
        /// What else was said about it, such as a grammar.
        extras: Extras,
    },
    /// A tool of the dialect's own: built in, or newer than this program.
    Hosted(Opaque),
}

/// How a model may choose among its tools.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// As it sees fit.
    Auto,
    /// Not at all.
    Never,
    /// At least one.
    Required,
    /// This one.
    Tool(String),
    /// A choice only its dialect understands.
    Other(Opaque),
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// What the operator or developer of the application demands.
    Instruct {
        /// Whose voice it is.
        authority: Authority,
        /// What it says.
        parts: Vec<UserPart>,
        /// What else the turn said.
        extras: Extras,
    },
    /// What the user says.
    User {
        /// What it says.
        parts: Vec<UserPart>,
        /// What else the turn said.
        extras: Extras,
    },
    /// What the model said.
    Assistant(AssistantTurn),
    /// What a tool returned.
    Result(ToolResult),
    /// A turn only its dialect understands.
    Other(Opaque),
}

/// Whose voice an instruction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// `system`.
    System,
    /// `developer`.
    Developer,
}

/// What a model said in one turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AssistantTurn {
    /// The parts, in order.
    pub parts: Vec<AssistantPart>,
    /// What else the turn said.
    pub extras: Extras,
}

/// What a tool returned.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The call it answers.
    pub call: String,
    /// The tool's name, where the dialect says it.
    pub name: Option<String>,
    /// What it returned.
    pub parts: Vec<UserPart>,
    /// Whether the tool failed, where that was said.
    pub failed: Option<bool>,
    /// A cache mark after it.
    pub cache: Option<CacheMark>,
    /// What else the turn said.
    pub extras: Extras,
}

/// A piece of what a user, an instruction or a tool says.
#[derive(Debug, Clone, PartialEq)]
pub enum UserPart {
    /// Text.
    Text(Text),
    /// A picture.
    Image(Image),
    /// A document, audio or video.
    File(File),
    /// Anything newer, untouched.
    Other(Opaque),
}

/// A text of the user's, an instruction's or a tool's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text {
    /// The text.
    pub text: String,
    /// A cache mark after it.
    pub cache: Option<CacheMark>,
    /// What else the part said.
    pub extras: Extras,
}

/// "Cache the prompt up to here."
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CacheMark {
    /// For how long, as the dialect says it: `5m`, `1h`.
    pub ttl: Option<String>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Where it is.
    pub source: Source,
    /// How closely to look.
    pub detail: Option<String>,
    /// A cache mark after it.
    pub cache: Option<CacheMark>,
    /// What else the part said.
    pub extras: Extras,
}

/// A document, audio or video; its media type says which.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Where it is.
    pub source: Source,
    /// Its name.
    pub name: Option<String>,
    /// A cache mark after it.
    pub cache: Option<CacheMark>,
    /// What else the part said.
    pub extras: Extras,
}

/// Where a picture or a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// To be fetched by the provider.
    Url {
        /// The address.
        url: String,
        /// Its media type, where it was said.
        media_type: Option<String>,
    },
    /// Sent along.
    Inline {
        /// Its media type, such as `image/png`.
        media_type: String,
        /// Its bytes in base64.
        base64: String,
    },
    /// Uploaded to the provider before, under this id: no other provider has it.
    Uploaded(String),
}

/// A piece of what a model said.
#[derive(Debug, Clone, PartialEq)]
pub enum AssistantPart {
    /// Text.
    Text(Said),
    /// A refusal, said apart from text.
    Refusal(String),
    /// Thoughts before the answer.
    Reasoning(Reasoning),
    /// A call of a tool.
    ToolCall(ToolCall),
    /// A picture the model made.
    Image(Image),
    /// Anything newer, untouched.
    Other(Opaque),
}

/// A text of the model's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// The text.
    pub text: String,
    /// What it rests on.
    pub citations: Vec<Citation>,
    /// What must go back untouched with this very part.
    pub carrier: Option<Opaque>,
    /// A cache mark after it.
    pub cache: Option<CacheMark>,
    /// What else the part said.
    pub extras: Extras,
}

/// What a text, or a span of it, rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Citation {
    /// The address of the source.
    pub url: Option<String>,
    /// The title of the source.
    pub title: Option<String>,
    /// The words of the source.
    pub quote: Option<String>,
    /// The span of the text, in characters, from and up to.
    pub span: Option<(u64, u64)>,
    /// The citation as it came.
    pub raw: Opaque,
}

/// Thoughts before an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reasoning {
    /// The thoughts, as far as the provider shows them.
    pub text: String,
    /// What must go back untouched, such as a signature or the thoughts themselves, encrypted.
    pub carrier: Option<Opaque>,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The id the result refers to.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// What kind of tool it is.
    pub kind: CallKind,
    /// Its arguments.
    pub arguments: Arguments,
    /// What must go back untouched with this very call.
    pub carrier: Option<Opaque>,
    /// A cache mark after it.
    pub cache: Option<CacheMark>,
    /// What else the call said.
    pub extras: Extras,
}

/// What kind of tool a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallKind {
    /// A function: arguments are JSON.
    #[default]
    Function,
    /// A custom tool: arguments are free text.
    Custom,
}

/// A tool call's arguments: the text that came, which may be broken JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments(pub String);

impl Arguments {
    /// Parses the arguments; an empty text means none, `{}`.
    pub fn object(&self) -> Result<serde_json::Value, serde_json::Error> {
        let text = if self.0.trim().is_empty() { "{}" } else { &self.0 };
        serde_json::from_str(text)
    }
}
