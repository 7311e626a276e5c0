//! The blocks of what a model said: read in a request's history and in an answer, written for a
//! provider. For a client they are written in [`super::answer`].
//!
//! Carriers of this dialect have three shapes: the signature of a thinking block, a text; a whole
//! block of hidden thoughts, an object with a `type`; what else stood on a call and must go back,
//! an object without one. A foreign carrier goes to a client sealed into a signature, and never to
//! a provider; what Claude signed at another host is not foreign (see [`crate::thoughts`]).

use ir::{
    Arguments, AssistantPart, CallKind, Citation, Extras, Opaque, RawJson, Reasoning, Said,
    ToolCall,
};
use serde_json::json;

use super::blocks::{At, Blocks, at_home, take_cache, write_cache, write_extras};
use super::user::{call_id, speaks};
use super::{HERE, opaque};
use crate::decode::DecodeError;
use crate::envelope::{self, Of};
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::thoughts;
use crate::undo::FREE_TEXT;

/// What a block becomes.
enum Read {
    Part(AssistantPart),
    /// The carrier of the part after it.
    Sealed(Opaque),
}

/// Reads a string or a list of blocks.
pub(super) fn read_parts(content: Value<'_, '_>) -> Result<Vec<AssistantPart>, DecodeError> {
    if content.is_string() {
        let text = content.string()?;
        return Ok(vec![AssistantPart::Text(Said { text, ..Said::default() })]);
    }
    if !content.is_list() {
        return Err(content.expected("a string or a list of blocks"));
    }
    let mut parts = Vec::new();
    let mut waiting = None;
    for block in content.each(read_block)? {
        match block {
            Read::Sealed(carrier) => parts.extend(waiting.replace(carrier).map(alone)),
            Read::Part(part) => attach(waiting.take(), part, &mut parts),
        }
    }
    parts.extend(waiting.map(alone));
    Ok(parts)
}

/// Returns a carrier whose part did not come back, as a part of its own.
fn alone(carrier: Opaque) -> AssistantPart {
    AssistantPart::Reasoning(Reasoning { text: String::new(), carrier: Some(carrier) })
}

fn attach(carrier: Option<Opaque>, mut part: AssistantPart, parts: &mut Vec<AssistantPart>) {
    match (&mut part, carrier) {
        (AssistantPart::Text(Said { carrier: place @ None, .. }), carrier)
        | (AssistantPart::ToolCall(ToolCall { carrier: place @ None, .. }), carrier) => {
            *place = carrier;
        }
        (_, carrier) => parts.extend(carrier.map(alone)),
    }
    parts.push(part);
}

/// Reads a block; one of a kind or shape without a name here stays opaque.
fn read_block(block: Value<'_, '_>) -> Result<Read, DecodeError> {
    let mut fields = block.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let read = match kind.as_deref() {
        Some("text") => read_text(fields)?.map(Read::Part),
        Some("thinking") => read_thinking(fields)?,
        Some("redacted_thinking") => Some(Read::Part(alone(opaque(block)))),
        Some("tool_use") => read_call(fields)?.map(Read::Part),
        _ => None,
    };
    Ok(read.unwrap_or_else(|| Read::Part(AssistantPart::Other(opaque(block)))))
}

fn read_text(mut fields: Fields<'_, '_>) -> Result<Option<AssistantPart>, DecodeError> {
    let Some(text) = fields.take_if("text", |text| text.is_string(), |text| text.string())? else {
        return Ok(None);
    };
    let citations = fields.take_if(
        "citations",
        |all| all.is_list(),
        |all| all.each(|citation| Ok(read_citation(citation))),
    )?;
    let cache = take_cache(&mut fields)?;
    Ok(Some(AssistantPart::Text(Said {
        text,
        citations: citations.unwrap_or_default(),
        carrier: None,
        cache,
        extras: fields.rest(),
    })))
}

/// Reads what a text rests on: a page of the web, a search result, or a place in a document.
pub(super) fn read_citation(citation: Value<'_, '_>) -> Citation {
    let take = |name| {
        let mut fields = citation.object().ok()?;
        fields.take(name, |text| text.string()).ok().flatten()
    };
    // A citation of another dialect that went through a client comes back in what only its maker
    // reads.
    let sealed = take("encrypted_index").and_then(|index| envelope::open(&index));
    let raw = sealed.map_or_else(|| opaque(citation), |(carrier, _)| carrier);
    Citation {
        url: take("url").or_else(|| take("source").filter(|source| source.contains("://"))),
        title: take("title").or_else(|| take("document_title")),
        quote: take("cited_text"),
        span: None,
        raw,
    }
}

fn read_thinking(mut fields: Fields<'_, '_>) -> Result<Option<Read>, DecodeError> {
    let text = fields.take_if("thinking", |text| text.is_string(), |text| text.string())?;
    let signature = fields.take_if("signature", |text| text.is_string(), |text| text.string())?;
    let (Some(text), None) = (text, fields.left().find(|(_, raw)| raw.get() != "null")) else {
        return Ok(None);
    };
    let carrier = match signature.filter(|signature| !signature.is_empty()) {
        None => None,
        Some(signature) => match envelope::open(&signature) {
            Some((carrier, Of::Next)) => return Ok(Some(Read::Sealed(carrier))),
            Some((carrier, Of::This)) => Some(carrier),
            None => Some(Opaque { dialect: HERE, raw: RawJson::string(&signature) }),
        },
    };
    Ok(Some(Read::Part(AssistantPart::Reasoning(Reasoning { text, carrier }))))
}

fn read_call(mut fields: Fields<'_, '_>) -> Result<Option<AssistantPart>, DecodeError> {
    let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
    let name = fields.take_if("name", |name| name.is_string(), |name| name.string())?;
    let (Some(id), Some(name)) = (id, name) else { return Ok(None) };
    let arguments = fields.take("input", |input| Ok(input.raw.get().to_owned()))?;
    let carrier = fields
        .take_if("caller", |caller| !direct(caller.raw.get()), |caller| Ok(caller.keep()))?
        .map(|caller| called_by(&caller));
    let cache = take_cache(&mut fields)?;
    Ok(Some(AssistantPart::ToolCall(ToolCall {
        id,
        name,
        kind: CallKind::Function,
        arguments: Arguments(arguments.unwrap_or_else(|| "{}".to_owned())),
        carrier,
        cache,
        extras: fields.rest(),
    })))
}

/// Returns whether a call's `caller` is the model itself, which goes without saying.
pub(super) fn direct(caller: &str) -> bool {
    let caller = serde_json::from_str::<serde_json::Value>(caller).unwrap_or_default();
    caller.is_null() || caller == json!({"type": "direct"})
}

/// Returns the carrier of a call that came out of a program: who made it must go back with it.
pub(super) fn called_by(caller: &RawJson) -> Opaque {
    let raw = RawJson::parse(format!("{{\"caller\":{}}}", caller.text()));
    Opaque { dialect: HERE, raw: raw.expect("invariant: an object of JSON is JSON") }
}

/// Writes what a model said for a provider; the `last` turn is an answer to be continued.
pub(super) fn write_turn(
    blocks: &mut Blocks,
    losses: &mut Losses,
    at: At,
    parts: &[AssistantPart],
    last: bool,
) {
    let spaced = if last && !losses.home() { thoughts::spaced(parts) } else { None };
    for (number, part) in parts.iter().enumerate() {
        let at = at.part(number);
        if spaced == Some(number) {
            losses.because(at.to_string(), thoughts::SPACED);
            write_part(blocks, losses, at, &thoughts::trimmed(part));
        } else {
            write_part(blocks, losses, at, part);
        }
    }
}

fn write_part(blocks: &mut Blocks, losses: &mut Losses, at: At, part: &AssistantPart) {
    match part {
        AssistantPart::Text(said) => {
            own(losses, at, said.carrier.as_ref());
            if !speaks(losses, at, &said.text) {
                return;
            }
            let known = |(number, citation): (usize, &Citation)| {
                let path = format!("{at}.citations[{number}]");
                losses.opaque(&path, &citation.raw).map(|raw| raw.raw.clone())
            };
            let citations: Vec<_> = said.citations.iter().enumerate().filter_map(known).collect();
            let extras = at_home(losses, at, &said.extras);
            write_text(blocks, said, &citations, extras);
        }
        AssistantPart::Refusal(text) => {
            losses.because(at.to_string(), "the refusal is said as text");
            if speaks(losses, at, text) {
                let said = Said { text: text.clone(), ..Said::default() };
                write_text(blocks, &said, &[], None);
            }
        }
        AssistantPart::Reasoning(thoughts) => write_thoughts(blocks, losses, at, thoughts),
        AssistantPart::ToolCall(call) => {
            let carrier = own(losses, at, call.carrier.as_ref());
            if broken(call) {
                losses.because(format!("{at}.arguments"), "arguments are an object here");
            }
            let extras = at_home(losses, at, &call.extras);
            write_call(blocks, call, &call_id(losses, &call.id), carrier, extras);
        }
        AssistantPart::Image(_) => losses.lose(at.to_string()),
        AssistantPart::Other(opaque) => {
            if let Some(opaque) = losses.opaque(&at.to_string(), opaque) {
                blocks.raw(&opaque.raw);
            }
        }
    }
}

/// Returns a carrier when it belongs to this dialect; a foreign one is a loss.
fn own<'o>(losses: &mut Losses, at: At, carrier: Option<&'o Opaque>) -> Option<&'o Opaque> {
    losses.opaque(&format!("{at}.carrier"), carrier?)
}

/// Writes thoughts that Anthropic signed. Others it refuses, so abroad they are a loss; hosts that
/// speak its dialect without signing get their own back.
fn write_thoughts(blocks: &mut Blocks, losses: &mut Losses, at: At, said: &Reasoning) {
    match &said.carrier {
        Some(carrier) => {
            if let Some(carrier) = thoughts::from_converse(carrier) {
                return write_thinking(blocks, &said.text, Some(&carrier));
            }
            let Some(carrier) = losses.opaque(&at.to_string(), carrier) else { return };
            if matches!(spelled(carrier), Spelled::Signature(text) if envelope::marked(&text)) {
                return losses.because(at.to_string(), "the signature is an envelope that broke");
            }
            write_thinking(blocks, &said.text, Some(carrier));
        }
        None if losses.home() => write_thinking(blocks, &said.text, None),
        None => losses.because(at.to_string(), "thoughts go back only with their signature"),
    }
}

pub(super) fn write_text(
    blocks: &mut Blocks,
    said: &Said,
    citations: &[RawJson],
    extras: Option<&Extras>,
) {
    blocks.add(|block| {
        block.field("type", "text");
        block.field("text", &said.text);
        if !citations.is_empty() {
            block.with("citations", |out| {
                json::list(out, citations, |out, raw| out.extend_from_slice(raw.text().as_bytes()));
            });
        }
        write_cache(block, said.cache.as_ref());
        write_extras(block, extras);
    });
}

pub(super) fn write_thinking(blocks: &mut Blocks, text: &str, carrier: Option<&Opaque>) {
    match carrier.map(spelled) {
        Some(Spelled::Block(raw)) => blocks.raw(raw),
        Some(Spelled::Signature(signature)) => thinking(blocks, text, &signature),
        None => thinking(blocks, text, ""),
    }
}

pub(super) fn thinking(blocks: &mut Blocks, text: &str, signature: &str) {
    blocks.add(|block| {
        block.field("type", "thinking");
        block.field("thinking", text);
        block.field("signature", signature);
    });
}

/// How the carrier of thoughts is written.
pub(super) enum Spelled<'o> {
    /// As the block it is.
    Block(&'o RawJson),
    /// As the signature of a thinking block.
    Signature(String),
}

pub(super) fn spelled(carrier: &Opaque) -> Spelled<'_> {
    if carrier.dialect != HERE {
        return Spelled::Signature(envelope::seal(carrier, Of::This));
    }
    match serde_json::from_str(carrier.raw.text()) {
        Ok(signature) => Spelled::Signature(signature),
        Err(_) => Spelled::Block(&carrier.raw),
    }
}

pub(super) fn write_call(
    blocks: &mut Blocks,
    call: &ToolCall,
    id: &str,
    carrier: Option<&Opaque>,
    extras: Option<&Extras>,
) {
    blocks.add(|block| {
        block.field("type", "tool_use");
        block.field("id", id);
        block.field("name", &call.name);
        block.with("input", |out| write_input(out, call));
        write_carrier(block, carrier);
        write_cache(block, call.cache.as_ref());
        write_extras(block, extras);
    });
}

/// Writes the fields that a call's own carrier holds.
pub(super) fn write_carrier(block: &mut Object<'_>, carrier: Option<&Opaque>) {
    let caller = carrier.and_then(|carrier| carrier.raw.value().get("caller").cloned());
    block.optional("caller", caller.as_ref());
}

/// Returns whether a function's arguments are no JSON object.
fn broken(call: &ToolCall) -> bool {
    call.kind == CallKind::Function
        && !call.arguments.object().is_ok_and(|arguments| arguments.is_object())
}

/// Writes arguments as the object the dialect wants; free text, and what is no object, becomes its
/// one field.
fn write_input(out: &mut Vec<u8>, call: &ToolCall) {
    let text = &call.arguments.0;
    if call.kind == CallKind::Custom || broken(call) {
        json::object(out, |input| input.field(FREE_TEXT, text));
    } else if text.trim().is_empty() {
        out.extend_from_slice(b"{}");
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}
