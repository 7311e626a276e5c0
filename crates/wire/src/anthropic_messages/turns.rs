//! The field `system` and the list of messages.
//!
//! A message of the user's holds results and words; the conversation keeps them apart, as
//! [`Turn::Result`] and [`Turn::User`], in their order.

use ir::{AssistantTurn, Authority, Extras, Request, Turn, UserPart};

use super::blocks::{At, Blocks, at_home, write_extras};
use super::{assistant, opaque, user};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;
use crate::losses::Losses;

/// Reads `system` and `messages`.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Vec<Turn>, DecodeError> {
    let system = fields.take("system", user::read_parts)?;
    let instruct = |parts| {
        let extras = Extras::default();
        Turn::Instruct { authority: Authority::System, parts, extras }
    };
    let mut turns: Vec<Turn> = system.map(instruct).into_iter().collect();
    fields
        .need("messages", |messages| messages.each(|message| read_message(message, &mut turns)))?;
    Ok(turns)
}

fn read_message(message: Value<'_, '_>, turns: &mut Vec<Turn>) -> Result<(), DecodeError> {
    let mut fields = message.object()?;
    let role = fields.need("role", |role| role.text())?;
    match role.as_ref() {
        "user" => return read_user(fields, turns),
        "assistant" => {
            let parts = fields.take("content", assistant::read_parts)?.unwrap_or_default();
            turns.push(Turn::Assistant(AssistantTurn { parts, extras: fields.rest() }));
        }
        "system" => {
            let parts = user::read_content(&mut fields)?;
            let extras = fields.rest();
            turns.push(Turn::Instruct { authority: Authority::System, parts, extras });
        }
        _ => turns.push(Turn::Other(opaque(message))),
    }
    Ok(())
}

fn read_user(mut fields: Fields<'_, '_>, turns: &mut Vec<Turn>) -> Result<(), DecodeError> {
    let before = turns.len();
    let mut parts = Vec::new();
    let user = |parts| Turn::User { parts, extras: Extras::default() };
    fields.take("content", |content| {
        if !content.is_list() {
            parts = user::read_parts(content)?;
            return Ok(());
        }
        let block = |block: Value<'_, '_>| {
            let mut fields = block.object()?;
            let result = |kind: Value<'_, '_>| kind.raw.get() == "\"tool_result\"";
            if fields.take_if("type", result, |_| Ok(()))?.is_none() {
                parts.push(user::read_part(block)?);
                return Ok(());
            }
            if !parts.is_empty() {
                turns.push(user(std::mem::take(&mut parts)));
            }
            turns.push(Turn::Result(user::read_result(fields)?));
            Ok(())
        };
        content.each(block).map(drop)
    })?;
    let extras = fields.rest();
    if !parts.is_empty() || !extras.is_empty() || turns.len() == before {
        turns.push(Turn::User { parts, extras });
    }
    Ok(())
}

/// Writes `system` and `messages`; `asked` is what must be asked for in words.
pub(super) fn write(
    body: &mut Object<'_>,
    request: &Request,
    asked: Option<&str>,
    losses: &mut Losses,
) {
    let turns = &request.turns;
    let leading = leading(turns, losses.home());
    let mut system = Blocks::default();
    for (turn, said) in turns.iter().take(leading).enumerate() {
        if let Turn::Instruct { parts, extras, .. } = said {
            let at = At { turn, part: None };
            at_home(losses, at, extras);
            write_instruction(&mut system, losses, at, parts);
        }
    }
    if let Some(asked) = asked {
        system.add(|block| {
            block.field("type", "text");
            block.field("text", asked);
        });
    }
    if !system.is_empty() || (losses.home() && leading > 0) {
        body.with("system", |out| system.write(out));
    }
    let home = losses.home();
    let mut messages =
        Messages { written: Blocks::default(), open: None, home, turns: turns.len() };
    for (turn, said) in turns.iter().enumerate().skip(leading) {
        messages.add(At { turn, part: None }, said, losses);
    }
    messages.flush();
    body.with("messages", |out| messages.written.write(out));
}

/// Counts the turns that become `system`. At home that is what was read from there: one turn, and
/// a message in place keeps its place.
fn leading(turns: &[Turn], home: bool) -> usize {
    let instruct = |turn: &&Turn| matches!(turn, Turn::Instruct { .. });
    if !home {
        return turns.iter().take_while(instruct).count();
    }
    let first = matches!(turns.first(), Some(Turn::Instruct { extras, .. }) if extras.is_empty());
    usize::from(first)
}

/// The field `system` takes text alone.
fn write_instruction(blocks: &mut Blocks, losses: &mut Losses, at: At, parts: &[UserPart]) {
    if losses.home() {
        return user::write_parts(blocks, losses, at, parts);
    }
    for (number, part) in parts.iter().enumerate() {
        match part {
            UserPart::Image(_) | UserPart::File(_) => {
                losses.because(at.part(number).to_string(), "instructions are text alone");
            }
            UserPart::Text(_) | UserPart::Other(_) => {
                user::write_part(blocks, losses, at.part(number), part);
            }
        }
    }
}

/// The messages while they are written. At home every turn keeps its message, but that results and
/// the words after them share one; abroad neighbours of one role are joined, results first, which
/// the API demands.
struct Messages<'r> {
    written: Blocks,
    open: Option<Message<'r>>,
    home: bool,
    /// How many turns there are.
    turns: usize,
}

struct Message<'r> {
    role: &'static str,
    results: Blocks,
    said: Blocks,
    /// Whether only results stand in it so far.
    quiet: bool,
    extras: Option<&'r Extras>,
}

impl<'r> Messages<'r> {
    fn add(&mut self, at: At, turn: &'r Turn, losses: &mut Losses) {
        match turn {
            Turn::User { parts, extras } => {
                let message = self.message("user", Turned::Words);
                user::write_parts(&mut message.said, losses, at, parts);
                message.extras = at_home(losses, at, extras);
            }
            Turn::Result(result) => {
                let message = self.message("user", Turned::Result);
                user::write_result(&mut message.results, losses, at, result);
            }
            Turn::Assistant(turn) => {
                let last = at.turn + 1 == self.turns;
                let message = self.message("assistant", Turned::Words);
                assistant::write_turn(&mut message.said, losses, at, &turn.parts, last);
                message.extras = at_home(losses, at, &turn.extras);
            }
            Turn::Instruct { parts, extras, .. } => {
                let role = if self.home { "system" } else { "user" };
                if !self.home {
                    losses.because(at.to_string(), "a later instruction is said as the user's");
                }
                let message = self.message(role, Turned::Words);
                user::write_parts(&mut message.said, losses, at, parts);
                message.extras = at_home(losses, at, extras);
            }
            Turn::Other(opaque) => {
                if let Some(opaque) = losses.opaque(&at.to_string(), opaque) {
                    self.flush();
                    self.written.raw(&opaque.raw);
                }
            }
        }
    }

    /// Returns the message that a turn goes into: the open one, or a new one.
    fn message(&mut self, role: &'static str, turned: Turned) -> &mut Message<'r> {
        let joins = |open: &Message<'_>| open.role == role && (!self.home || open.quiet);
        if !self.open.as_ref().is_some_and(joins) {
            self.flush();
        }
        let quiet = turned == Turned::Result;
        let message = self.open.get_or_insert_with(|| Message {
            role,
            results: Blocks::default(),
            said: Blocks::default(),
            quiet,
            extras: None,
        });
        message.quiet &= quiet;
        message
    }

    /// Closes the open message; one that has nothing left to say is not written abroad.
    fn flush(&mut self) {
        let Some(Message { role, mut results, said, extras, .. }) = self.open.take() else {
            return;
        };
        results.join(&said);
        if results.is_empty() && !self.home {
            return;
        }
        self.written.add(|message| {
            message.field("role", role);
            message.with("content", |out| results.write(out));
            write_extras(message, extras);
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turned {
    Result,
    Words,
}
