//! What a request asked for, as far as an answer can be held against it.

use std::borrow::Cow;

use ir::{CallKind, Output, Request, Tool, Turn, UserPart};

/// What the request asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted<'a> {
    /// The shape of the answer.
    pub shape: Shape<'a>,
    /// The user's last words.
    pub prompt: Cow<'a, str>,
    /// The tools that were offered.
    pub tools: Vec<Offered<'a>>,
    /// Whether there may be tools whose names nobody can read here: of the provider's own, or
    /// offered in a turn that only its dialect understands.
    pub hosted_tools: bool,
}

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
    /// Whatever the model says.
    Text,
    /// Some JSON object.
    Json,
    /// JSON that fits this schema.
    Schema(&'a str),
}

/// A tool that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its arguments are: JSON, or free text.
    pub kind: CallKind,
    /// The schema of its arguments, where it has one.
    pub schema: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Reads what a request asked for.
    pub fn of(request: &'a Request) -> Self {
        let tools = request.toolbox.as_ref().map_or(&[][..], |toolbox| &toolbox.tools);
        Self {
            shape: shape(&request.output),
            prompt: request.turns.iter().rev().find_map(said).unwrap_or_default(),
            tools: tools.iter().filter_map(offered).collect(),
            hosted_tools: tools.iter().any(|tool| matches!(tool, Tool::Hosted(_)))
                || request.turns.iter().any(|turn| matches!(turn, Turn::Other(_))),
        }
    }
}

fn shape(output: &Output) -> Shape<'_> {
    match output {
        Output::Text => Shape::Text,
        Output::Json => Shape::Json,
        Output::Schema(schema) => match &schema.schema {
            Some(schema) => Shape::Schema(schema.text()),
            None => Shape::Json,
        },
    }
}

/// Returns the text of a user's turn; of a turn without text nothing.
fn said(turn: &Turn) -> Option<Cow<'_, str>> {
    let Turn::User { parts, .. } = turn else { return None };
    let texts = parts.iter().filter_map(|part| match part {
        UserPart::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    joined(texts)
}

fn offered(tool: &Tool) -> Option<Offered<'_>> {
    match tool {
        Tool::Function { name, parameters, .. } => Some(Offered {
            name,
            kind: CallKind::Function,
            schema: parameters.as_ref().map(ir::RawJson::text),
        }),
        Tool::Custom { name, .. } => Some(Offered { name, kind: CallKind::Custom, schema: None }),
        Tool::Hosted(_) => None,
    }
}

/// Joins texts by line ends; one alone is borrowed, none is nothing.
pub(crate) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Cow<'a, str>> {
    let texts: Vec<&str> = texts.collect();
    match texts.as_slice() {
        [] => None,
        [one] => Some(Cow::Borrowed(one)),
        several => Some(Cow::Owned(several.join("\n"))),
    }
}
