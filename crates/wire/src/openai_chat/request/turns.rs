//! The turns of a request.
//!
//! A tool's message holds only text. At home it is written as it came, since some hosts take
//! pictures there; from another dialect, what else the results of one round hold is told in a user's
//! message after the last of them, and a loss says so.

use ir::dialect::{DeveloperRole, Prefill};
use ir::{AssistantPart, AssistantTurn, Authority, Dialect, ToolResult, Turn, UserPart};

use super::Writing;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::openai_chat::content::{self, Sayable};
use crate::openai_chat::message::{self, CallWith, opaque};
use crate::openai_chat::thoughts::{self, Whose};
use crate::openai_chat::{cache, citation, custom};

/// Reads a turn.
pub(super) fn read(message: Value<'_, '_>) -> Result<Turn, DecodeError> {
    let mut fields = message.object()?;
    let role = fields.need("role", |role| role.text())?;
    let instruct = |authority, mut fields: Fields<'_, '_>| {
        let parts = content::read(&mut fields)?;
        Ok(Turn::Instruct { authority, parts, extras: fields.rest() })
    };
    match role.as_ref() {
        "system" => instruct(Authority::System, fields),
        "developer" => instruct(Authority::Developer, fields),
        "user" => {
            let parts = content::read(&mut fields)?;
            Ok(Turn::User { parts, extras: fields.rest() })
        }
        "assistant" => Ok(Turn::Assistant(message::read(fields, Whose::Client)?)),
        "tool" => {
            let call = fields.need("tool_call_id", |id| id.string())?;
            let name = fields.take_if("name", |name| name.is_string(), |name| name.string())?;
            let cache = cache::take(&mut fields)?;
            let parts = content::read(&mut fields)?;
            let extras = fields.rest();
            Ok(Turn::Result(ToolResult { call, name, parts, failed: None, cache, extras }))
        }
        _ => Ok(Turn::Other(opaque(message))),
    }
}

/// A message to be written.
enum Line<'r> {
    Turn(String, &'r Turn),
    /// A result, and what stands for its content where that is told after it.
    Result(String, &'r ToolResult, Option<&'static str>),
    /// What the results before it hold beside text, each with its call.
    Files(Vec<(&'r str, Vec<Sayable<'r>>)>),
    /// What the gateway says.
    Words(&'r str),
}

/// Writes the turns; `words` are said after the leading instructions.
pub(super) fn write(
    body: &mut Object<'_>,
    turns: &[Turn],
    words: Option<&str>,
    writing: &mut Writing,
) {
    let lines = lines(turns, words, writing);
    let begun = match turns.last() {
        Some(Turn::Assistant(turn)) if writing.quirks.prefill == Prefill::Prefix => Some(turn),
        _ => None,
    };
    body.with("messages", |out| {
        json::list(out, &lines, |out, line| write_line(out, line, begun, writing));
    });
}

fn lines<'r>(turns: &'r [Turn], words: Option<&'r str>, writing: &mut Writing) -> Vec<Line<'r>> {
    let leading = turns.iter().take_while(|turn| matches!(turn, Turn::Instruct { .. })).count();
    let mut lines = Vec::with_capacity(turns.len() + 1);
    let mut files = Vec::new();
    for (at, turn) in turns.iter().enumerate() {
        if at == leading {
            lines.extend(words.map(Line::Words));
        }
        let path = format!("turns[{at}]");
        if !matches!(turn, Turn::Result(_)) && !files.is_empty() {
            lines.push(Line::Files(std::mem::take(&mut files)));
        }
        match turn {
            Turn::Other(opaque) if writing.losses.opaque(&path, opaque).is_none() => {}
            Turn::Result(result) => {
                let said = files_of(result, &path, writing);
                let moved = (!said.is_empty()).then_some(MOVED);
                if moved.is_some() {
                    files.push((result.call.as_str(), said));
                }
                lines.push(Line::Result(path, result, moved));
            }
            turn => lines.push(Line::Turn(path, turn)),
        }
    }
    if turns.len() == leading {
        lines.extend(words.map(Line::Words));
    }
    if !files.is_empty() {
        lines.push(Line::Files(files));
    }
    lines
}

/// What a tool's message says when all of its result is told after it.
const MOVED: &str = "The result is in the user's message after the results.";

/// Returns what a result of another dialect holds beside text, and says where it goes.
fn files_of<'r>(result: &'r ToolResult, path: &str, writing: &mut Writing) -> Vec<Sayable<'r>> {
    if writing.losses.home() {
        return Vec::new();
    }
    let mut said = content::sayable(&result.parts, path, writing);
    said.retain(|(_, part)| !matches!(part, UserPart::Text(_)));
    for (path, _) in &said {
        writing
            .losses
            .because(path, "a tool's result is text: it stands in a user's message after it");
    }
    said
}

/// Writes a message; `begun` is the answer that the model is to go on with.
fn write_line(
    out: &mut Vec<u8>,
    line: &Line<'_>,
    begun: Option<&AssistantTurn>,
    writing: &mut Writing,
) {
    match line {
        Line::Words(words) => json::object(out, |message| {
            message.field("role", "system");
            message.field("content", words);
        }),
        Line::Files(files) => json::object(out, |message| {
            message.field("role", "user");
            message.with("content", |out| write_files(out, files, writing));
        }),
        Line::Turn(path, Turn::Assistant(turn)) => {
            let begun = begun.is_some_and(|begun| std::ptr::eq(begun, turn));
            write_assistant(out, path, turn, begun, writing);
        }
        Line::Turn(path, turn) => write_turn(out, path, turn, writing),
        Line::Result(path, result, moved) => write_result(out, path, (result, *moved), writing),
    }
}

fn write_files(out: &mut Vec<u8>, files: &[(&str, Vec<Sayable<'_>>)], writing: &mut Writing) {
    let each = files.iter().flat_map(|(call, said)| {
        std::iter::once((Some(call), None)).chain(said.iter().map(|part| (None, Some(part))))
    });
    json::list(out, each, |out, (call, part)| {
        if let Some(call) = call {
            let said = format!("Result of the tool call {}:", writing.call_id(call));
            content::write_text(out, &said, None, None);
        }
        if let Some(part) = part {
            content::write_part(out, part, writing);
        }
    });
}

fn write_turn(out: &mut Vec<u8>, path: &str, turn: &Turn, writing: &mut Writing) {
    let (role, parts, extras) = match turn {
        Turn::Instruct { authority, parts, extras } => (role(*authority, writing), parts, extras),
        Turn::User { parts, extras } => ("user", parts, extras),
        Turn::Assistant(turn) => return write_assistant(out, path, turn, false, writing),
        Turn::Result(result) => return write_result(out, path, (result, None), writing),
        Turn::Other(own) => return out.extend_from_slice(own.raw.text().as_bytes()),
    };
    let said = content::sayable(parts, path, writing);
    json::object(out, |message| {
        message.field("role", role);
        message.with("content", |out| content::write(out, &said, writing));
        if let Some(extras) = writing.losses.extras(path, extras) {
            message.extras(extras);
        }
    });
}

fn role(authority: Authority, writing: &Writing) -> &'static str {
    match (authority, writing.quirks.developer) {
        (Authority::Developer, DeveloperRole::Known) => "developer",
        (Authority::System, _) | (_, DeveloperRole::AsSystem) => "system",
    }
}

fn write_result(
    out: &mut Vec<u8>,
    path: &str,
    (result, moved): (&ToolResult, Option<&'static str>),
    writing: &mut Writing,
) {
    let home = writing.losses.home();
    if result.failed == Some(true) {
        writing.losses.lose(format!("{path}.failed"));
    }
    let said: Vec<Sayable<'_>> = if home {
        content::sayable(&result.parts, path, writing)
    } else {
        let parts = result.parts.iter().enumerate();
        let texts = parts.filter(|(_, part)| matches!(part, UserPart::Text(_)));
        texts.map(|(at, part)| (format!("{path}.parts[{at}]"), part)).collect()
    };
    let cache = writing.cache(path, result.cache.as_ref());
    json::object(out, |message| {
        message.field("role", "tool");
        message.field("tool_call_id", &writing.call_id(&result.call));
        // Abroad the name is left out: the call says it.
        message.optional("name", result.name.as_ref().filter(|_| home));
        message.with("content", |out| match moved.filter(|_| said.is_empty()) {
            Some(moved) => json::value(out, moved),
            None => content::write(out, &said, writing),
        });
        cache::write(message, cache);
        if let Some(extras) = writing.losses.extras(path, &result.extras) {
            message.extras(extras);
        }
    });
}

fn write_assistant(
    out: &mut Vec<u8>,
    path: &str,
    turn: &AssistantTurn,
    begun: bool,
    writing: &mut Writing,
) {
    let home = writing.losses.home();
    json::object(out, |message| {
        message.field("role", "assistant");
        thoughts::write_earlier(message, &turn.parts, path, writing);
        message.with("content", |out| write_content(out, &turn.parts, path, writing));
        message::write_refusal(message, &turn.parts);
        if home {
            write_own_citations(message, &turn.parts);
            message::write_images(message, &turn.parts, home);
        }
        let calls: Vec<_> = turn
            .parts
            .iter()
            .enumerate()
            .filter_map(|(at, part)| message::call(part).map(|call| (at, call)))
            .collect();
        if !calls.is_empty() {
            message.with("tool_calls", |out| {
                json::list(out, calls, |out, (at, call)| {
                    let path = format!("{path}.parts[{at}]");
                    let carrier = call.carrier.as_ref();
                    let own = format!("{path}.carrier");
                    let carrier = carrier.and_then(|carrier| writing.losses.opaque(&own, carrier));
                    let (extras, cache) =
                        content::beside(&path, &call.extras, call.cache.as_ref(), writing);
                    let (kind, arguments) = custom::said(call, writing.as_functions(), home);
                    let (id, arguments) = (writing.call_id(&call.id), arguments.as_str());
                    let with = CallWith { id: &id, kind, arguments, extras, cache, carrier };
                    message::write_call(out, call, &with);
                });
            });
        }
        if begun && turn.extras.get("prefix").is_none() {
            message.field("prefix", &true);
        }
        if let Some(extras) = writing.losses.extras(path, &turn.extras) {
            message.extras(extras);
        }
    });
}

fn write_own_citations(message: &mut Object<'_>, parts: &[AssistantPart]) {
    let cited = || {
        parts
            .iter()
            .filter_map(message::said)
            .flat_map(|said| &said.citations)
            .filter(|cited| cited.raw.dialect == Dialect::OpenaiChat)
    };
    if cited().next().is_some() {
        message.with("annotations", |out| {
            json::list(out, cited(), |out, cited| citation::write(out, cited, 0..0));
        });
    }
}

/// A piece of the content of an assistant's message.
enum Piece<'p> {
    Text(String, &'p ir::Said),
    Raw(&'p ir::RawJson),
}

/// Writes the content of an assistant's message. Texts of another dialect's turn are one text, since
/// many hosts take no list here; what a text has beside it keeps it apart.
fn write_content(out: &mut Vec<u8>, parts: &[AssistantPart], path: &str, writing: &mut Writing) {
    let home = writing.losses.home();
    let mut pieces = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let path = format!("{path}.parts[{at}]");
        match part {
            AssistantPart::Text(said) => {
                lost_of_text(&path, said, writing);
                if home || !said.text.is_empty() {
                    pieces.push(Piece::Text(path, said));
                }
            }
            AssistantPart::Reasoning(thoughts) => {
                pieces.extend(thoughts::part_of(thoughts).map(Piece::Raw));
            }
            AssistantPart::Other(opaque) => {
                let own = writing.losses.opaque(&path, opaque);
                pieces.extend(own.map(|own| Piece::Raw(&own.raw)));
            }
            AssistantPart::Image(_) if !home => writing.losses.lose(path),
            AssistantPart::Image(_) | AssistantPart::Refusal(_) | AssistantPart::ToolCall(_) => {}
        }
    }
    let mut beside = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        beside.push(match piece {
            Piece::Text(path, said) => {
                content::beside(path, &said.extras, said.cache.as_ref(), writing)
            }
            Piece::Raw(_) => (None, None),
        });
    }
    let plain = beside.iter().all(|beside| matches!(beside, (None, None)));
    let texts: Option<Vec<&str>> = pieces.iter().map(plain_text).collect();
    match texts {
        // Without content and calls a message is refused.
        Some(texts) if texts.is_empty() => {
            let calls = home || parts.iter().any(|part| message::call(part).is_some());
            json::value(out, &(!calls).then_some(""));
        }
        Some(texts) if plain && (!home || texts.len() == 1) => json::value(out, &texts.concat()),
        _ => json::list(
            out,
            pieces.iter().zip(beside),
            |out, (piece, (extras, cache))| match piece {
                Piece::Text(_, said) => content::write_text(out, &said.text, extras, cache),
                Piece::Raw(raw) => out.extend_from_slice(raw.text().as_bytes()),
            },
        ),
    }
}

fn plain_text<'p>(piece: &Piece<'p>) -> Option<&'p str> {
    match piece {
        Piece::Text(_, said) => Some(said.text.as_str()),
        Piece::Raw(_) => None,
    }
}

fn lost_of_text(path: &str, said: &ir::Said, writing: &mut Writing) {
    if let Some(carrier) = &said.carrier
        && writing.losses.opaque(&format!("{path}.carrier"), carrier).is_some()
    {
        writing.losses.lose(format!("{path}.carrier"));
    }
    let foreign = |cited: &ir::Citation| cited.raw.dialect != Dialect::OpenaiChat;
    if !said.citations.is_empty() && (!writing.losses.home() || said.citations.iter().any(foreign))
    {
        writing.losses.lose(format!("{path}.citations"));
    }
}
