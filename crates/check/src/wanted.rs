//! What a request asked for, as far as an answer can be held against it: a little of it, kept on its
//! own, so that whoever judges later need not keep the request.

use std::borrow::Cow;

use ir::{CallKind, Output, Request, Tool, Turn, UserPart};

use crate::Schema;

/// What the request asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The shape of the answer.
    pub shape: Shape,
    /// The user's last words.
    pub prompt: String,
    /// The tools that were offered.
    pub tools: Vec<Offered>,
    /// Whether there may be tools whose names nobody can read here: of the provider's own, or
    /// offered in a turn that only its dialect understands.
    pub hosted_tools: bool,
}

/// The shape of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Whatever the model says.
    Text,
    /// Some JSON object.
    Json,
    /// JSON that fits this schema.
    Schema(Schema),
}

/// A tool that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its name.
    pub name: String,
    /// What its arguments are: JSON, or free text.
    pub kind: CallKind,
    /// The schema of its arguments as it was sent, where it has one: most tools are never called.
    pub schema: Option<String>,
}

impl Wanted {
    /// Reads what a request asked for.
    pub fn of(request: &Request) -> Self {
        let tools = request.toolbox.as_ref().map_or(&[][..], |toolbox| &toolbox.tools);
        Self {
            shape: shape(&request.output),
            prompt: request.turns.iter().rev().find_map(said).unwrap_or_default().into_owned(),
            tools: tools.iter().filter_map(offered).collect(),
            hosted_tools: tools.iter().any(|tool| matches!(tool, Tool::Hosted(_)))
                || request.turns.iter().any(|turn| matches!(turn, Turn::Other(_))),
        }
    }
}

fn shape(output: &Output) -> Shape {
    match output {
        Output::Text => Shape::Text,
        Output::Json => Shape::Json,
        Output::Schema(schema) => match &schema.schema {
            Some(schema) => Shape::Schema(Schema::read(schema.text())),
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

fn offered(tool: &Tool) -> Option<Offered> {
    match tool {
        Tool::Function { name, parameters, .. } => Some(Offered {
            name: name.clone(),
            kind: CallKind::Function,
            schema: parameters.as_ref().map(|schema| schema.text().to_owned()),
        }),
        Tool::Custom { name, .. } => {
            Some(Offered { name: name.clone(), kind: CallKind::Custom, schema: None })
        }
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
