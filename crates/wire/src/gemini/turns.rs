//! Contents to turns and back.
//!
//! A content of the user's may hold function responses and other parts; each response is a turn of its
//! own here, and so is each run of other parts. A response without an id belongs to the first call of
//! its name that has none yet.

mod results;
mod write;

use std::collections::{HashMap, HashSet, VecDeque};

use ir::{AssistantPart, AssistantTurn, Authority, Extras, ToolResult, Turn, UserPart};

use super::{Ids, call, opaque, part, signature, spelling};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};

pub(super) use write::write;

/// Reads the system's instruction and the contents.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Vec<Turn>, DecodeError> {
    let mut turns = Vec::new();
    let instruction = spelling::take(fields, "systemInstruction", read_instruction)?;
    turns.extend(instruction);
    let mut calls = Calls::default();
    fields.need("contents", |contents| {
        spelling::each(contents, |content| read_content(content, &mut turns, &mut calls))
    })?;
    Ok(turns)
}

fn read_instruction(content: Value<'_, '_>) -> Result<Turn, DecodeError> {
    let mut fields = content.object()?;
    fields.take("role", |_| Ok(()))?;
    let parts = fields.take("parts", |parts| spelling::each(parts, part::read_user))?;
    Ok(Turn::Instruct {
        authority: Authority::System,
        parts: parts.unwrap_or_default(),
        extras: fields.rest(),
    })
}

fn read_content(
    content: Value<'_, '_>,
    turns: &mut Vec<Turn>,
    calls: &mut Calls,
) -> Result<(), DecodeError> {
    let mut fields = content.object()?;
    let role = fields.take_if("role", |role| role.is_string(), |role| role.text())?;
    // A role that is no text is still among the fields.
    let strange = fields.peek("role").is_some();
    match role.as_deref() {
        Some("model") => return read_model(fields, turns, calls),
        None | Some("user" | "function" | "tool") if !strange => {
            let mut read = read_user(&mut fields, calls)?;
            let said = fields.rest();
            if let [Turn::User { extras, .. }] = read.as_mut_slice() {
                *extras = said;
                turns.append(&mut read);
            } else if said.is_empty() {
                turns.append(&mut read);
            } else {
                turns.push(Turn::Other(opaque(content)));
            }
        }
        _ => turns.push(Turn::Other(opaque(content))),
    }
    Ok(())
}

/// Reads the parts of a user's content, split where function responses begin and end.
fn read_user(fields: &mut Fields<'_, '_>, calls: &mut Calls) -> Result<Vec<Turn>, DecodeError> {
    let mut turns: Vec<Turn> = Vec::new();
    fields.take("parts", |parts| {
        spelling::each(parts, |part| {
            if let Some((id, result)) = call::read_result(part)? {
                turns.push(Turn::Result(calls.answer(id, result)));
                return Ok(());
            }
            let part = part::read_user(part)?;
            match turns.last_mut() {
                Some(Turn::User { parts, .. }) => parts.push(part),
                _ => turns.push(Turn::User { parts: vec![part], extras: Extras::default() }),
            }
            Ok(())
        })
    })?;
    if turns.is_empty() {
        turns.push(Turn::User { parts: Vec::new(), extras: Extras::default() });
    }
    Ok(turns)
}

fn read_model(
    mut fields: Fields<'_, '_>,
    turns: &mut Vec<Turn>,
    calls: &mut Calls,
) -> Result<(), DecodeError> {
    let parts = fields.take("parts", |parts| {
        spelling::each(parts, |part| part::read_said(part, &mut calls.ids))
    })?;
    let mut parts = parts.unwrap_or_default();
    parts.retain(|part| !signature::is_empty(part));
    let extras = fields.rest();
    // Clients keep a stream as the contents it came in.
    let joins = |turn: &Turn| matches!(turn, Turn::Assistant(turn) if turn.extras.is_empty());
    if extras.is_empty() && turns.last().is_some_and(joins) {
        if let Some(Turn::Assistant(turn)) = turns.last_mut() {
            signature::mend(&mut turn.parts, &mut parts);
        }
    } else {
        turns.push(Turn::Assistant(AssistantTurn { parts: Vec::new(), extras }));
    }
    if let Some(Turn::Assistant(turn)) = turns.last_mut() {
        for part in parts {
            if let AssistantPart::ToolCall(call) = &part {
                calls.made(&call.name, &call.id);
            }
            signature::gather(&mut turn.parts, part);
        }
    }
    Ok(())
}

/// The calls of the conversation so far that wait for their results.
#[derive(Default)]
struct Calls {
    ids: Ids,
    waiting: HashMap<String, VecDeque<String>>,
    answered: HashSet<String>,
}

impl Calls {
    fn made(&mut self, name: &str, id: &str) {
        self.waiting.entry(name.to_owned()).or_default().push_back(id.to_owned());
    }

    /// Finds the call that a result belongs to.
    fn answer(&mut self, id: Option<String>, result: ToolResult) -> ToolResult {
        let call = match id {
            Some(id) => {
                self.answered.insert(id.clone());
                id
            }
            None => self.first(result.name.as_deref()).unwrap_or_else(|| self.ids.make()),
        };
        ToolResult { call, ..result }
    }

    fn first(&mut self, name: Option<&str>) -> Option<String> {
        let waiting = self.waiting.get_mut(name?)?;
        while let Some(id) = waiting.pop_front() {
            if !self.answered.remove(&id) {
                return Some(id);
            }
        }
        None
    }
}

/// Returns whether a part says nothing at all.
fn silent(part: &UserPart) -> bool {
    matches!(part, UserPart::Text(text) if text.text.is_empty() && text.extras.is_empty())
}
