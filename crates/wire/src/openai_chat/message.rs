//! What a model said: read from a request's history and from an answer, written into an answer.
//!
//! A message's fields have one order in the conversation: reasoning, content, refusal, pictures, tool
//! calls. What stands in between in another dialect is said in that order; several texts of another
//! dialect are one content, since clients of this one expect a string.

use ir::{
    Arguments, AssistantPart, AssistantTurn, CacheMark, CallKind, Dialect, Extras, Image, Opaque,
    RawJson, Reasoning, Said, Text, ToolCall, UserPart,
};

use super::thoughts::{self, Thoughts, Whose};
use super::{cache, citation, content};
use crate::arguments;
use crate::decode::DecodeError;
use crate::envelope::{self, Of};
use crate::fields::{Fields, Value};
use crate::json::{self, Object};

const HERE: Dialect = Dialect::OpenaiChat;

/// What carries on a call through clients: native at some hosts (Google's compatible endpoint), and
/// the place where a foreign carrier is sealed.
pub(super) const CARRIER: &str = "extra_content";

pub(super) fn opaque(value: Value<'_, '_>) -> Opaque {
    Opaque { dialect: HERE, raw: value.keep() }
}

/// Reads what a model said.
pub(super) fn read(mut fields: Fields<'_, '_>, whose: Whose) -> Result<AssistantTurn, DecodeError> {
    let Thoughts { parts: thoughts, of_texts } = thoughts::read(&mut fields, whose)?;
    let mut parts: Vec<AssistantPart> =
        thoughts.into_iter().map(AssistantPart::Reasoning).collect();
    let one = content::is_text(&fields);
    let plain = |text| AssistantPart::Text(Said { text, ..Said::default() });
    let mut said = content::each(&mut fields, plain, read_said)?;
    if let ([AssistantPart::Text(said)], true) = (said.as_mut_slice(), one) {
        said.cache = cache::take(&mut fields)?;
    }
    carry(&mut said, of_texts);
    citation::take(&mut fields, &mut said)?;
    parts.append(&mut said);
    let refusal = fields.take_if("refusal", |text| text.is_string(), |text| text.string())?;
    parts.extend(refusal.map(AssistantPart::Refusal));
    let images = fields.take_if("images", |list| images(list).is_some(), |list| Ok(images(list)));
    parts.extend(images?.flatten().into_iter().flatten().map(AssistantPart::Image));
    let calls = fields.take("tool_calls", |calls| calls.each(|call| read_call(call, whose)))?;
    parts.extend(calls.unwrap_or_default().into_iter().map(AssistantPart::ToolCall));
    Ok(AssistantTurn { parts, extras: fields.rest() })
}

/// Hangs carriers of texts on the first text; any further one gets a text of its own, which is empty
/// (Gemini signs empty texts).
fn carry(said: &mut Vec<AssistantPart>, of_texts: Vec<Opaque>) {
    for carrier in of_texts {
        let free = said.iter_mut().find_map(|part| match part {
            AssistantPart::Text(said) if said.carrier.is_none() => Some(said),
            _ => None,
        });
        match free {
            Some(said) => said.carrier = Some(carrier),
            None => {
                said.push(AssistantPart::Text(Said { carrier: Some(carrier), ..Said::default() }))
            }
        }
    }
}

/// Reads pictures the model made (OpenRouter), when all of the list are.
pub(super) fn images(list: Value<'_, '_>) -> Option<Vec<Image>> {
    if !list.is_list() {
        return None;
    }
    let read = |image: Value<'_, '_>| {
        let mut fields = image.object()?;
        let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
        let read =
            if kind.as_deref() == Some("image_url") { content::read_image(fields)? } else { None };
        read.ok_or_else(|| image.expected("a picture"))
    };
    list.each(read).ok().filter(|images| !images.is_empty())
}

/// Reads one part of a model's content list. Thoughts written as a part keep their text beside
/// the part itself, which must go back as it came (Mistral).
fn read_said(part: Value<'_, '_>) -> Result<AssistantPart, DecodeError> {
    Ok(match content::read_part(part)? {
        UserPart::Text(Text { text, cache, extras }) => {
            AssistantPart::Text(Said { text, cache, extras, ..Said::default() })
        }
        UserPart::Image(_) | UserPart::File(_) => AssistantPart::Other(opaque(part)),
        UserPart::Other(opaque) => match thinking(part)? {
            Some(text) => AssistantPart::Reasoning(Reasoning { text, carrier: Some(opaque) }),
            None => AssistantPart::Other(opaque),
        },
    })
}

/// Joins the texts of `{"type":"thinking","thinking":[{"type":"text","text":…}]}`.
pub(super) fn thinking(part: Value<'_, '_>) -> Result<Option<String>, DecodeError> {
    let mut fields = part.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    if kind.as_deref() != Some("thinking") {
        return Ok(None);
    }
    let texts = fields.take_if(
        "thinking",
        |texts| texts.is_list(),
        |texts| {
            texts.each(|text| {
                let text =
                    text.object()?.take_if("text", |text| text.is_string(), |text| text.string());
                Ok(text?.unwrap_or_default())
            })
        },
    )?;
    Ok(texts.map(|texts| texts.concat()))
}

fn read_call(call: Value<'_, '_>, whose: Whose) -> Result<ToolCall, DecodeError> {
    let mut fields = call.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let id = fields.take("id", |id| id.string())?.unwrap_or_default();
    let (kind, field, argument) = match kind.as_deref() {
        Some("custom") => (CallKind::Custom, "custom", "input"),
        _ => (CallKind::Function, "function", "arguments"),
    };
    let (name, arguments) = fields.need(field, |function| {
        let mut function = function.object()?;
        let name = function.need("name", |name| name.string())?;
        let arguments = function.take(argument, |text| {
            // Some hosts write the object itself where the dialect says a string.
            if text.is_string() { text.string() } else { Ok(text.raw.get().to_owned()) }
        })?;
        Ok((name, Arguments(arguments.unwrap_or_default())))
    })?;
    let carrier = read_carrier(&mut fields, whose)?;
    let cache = cache::take(&mut fields)?;
    Ok(ToolCall { id, name, kind, arguments, carrier, cache, extras: fields.rest() })
}

/// Takes the carrier of a call, opened when a client brings back a sealed one.
pub(super) fn read_carrier(
    fields: &mut Fields<'_, '_>,
    whose: Whose,
) -> Result<Option<Opaque>, DecodeError> {
    let read = |content: Value<'_, '_>| match sealed(content) {
        Some(carrier) if whose == Whose::Client => Ok(carrier),
        _ => Ok(opaque(content)),
    };
    fields.take_if(CARRIER, |content| content.is_object(), read)
}

fn sealed(content: Value<'_, '_>) -> Option<Opaque> {
    let ours = |ours: Value<'_, '_>| {
        ours.object()?.take_if("carrier", |text| text.is_string(), |text| text.string())
    };
    let mut fields = content.object().ok()?;
    let text = fields.take_if("pointsman", |ours| ours.is_object(), ours).ok()???;
    envelope::open(&text).map(|(carrier, _)| carrier)
}

/// Writes the carrier of a call: as it came where it is of this dialect, sealed otherwise.
pub(super) fn write_carrier(call: &mut Object<'_>, carrier: &Opaque) {
    if carrier.dialect == HERE {
        return call.raw(CARRIER, &carrier.raw);
    }
    call.nest(CARRIER, |content| {
        content.nest("pointsman", |ours| {
            ours.field("carrier", &envelope::seal(carrier, Of::This));
        });
    });
}

/// Writes what a model said into the message of an answer; `home` says whether the answer was spoken
/// in this dialect, so that its extras belong here.
pub(super) fn write_answer(message: &mut Object<'_>, turn: &AssistantTurn, home: bool) {
    thoughts::write_answer(message, &turn.parts);
    message.with("content", |out| {
        if home { write_content(out, &turn.parts) } else { write_texts(out, &turn.parts) }
    });
    write_annotations(message, &turn.parts);
    write_refusal(message, &turn.parts);
    write_images(message, &turn.parts, home);
    let calls = || turn.parts.iter().filter_map(call);
    if calls().next().is_some() {
        message.with("tool_calls", |out| {
            json::list(out, calls(), |out, call| {
                let with = CallWith {
                    id: &call.id,
                    kind: call.kind,
                    arguments: arguments::said(call, home),
                    extras: Some(&call.extras).filter(|_| home),
                    cache: call.cache.as_ref().filter(|_| home),
                    carrier: call.carrier.as_ref(),
                };
                write_call(out, call, &with);
            });
        });
    }
    if home {
        message.extras(&turn.extras);
    }
}

pub(super) fn call(part: &AssistantPart) -> Option<&ToolCall> {
    match part {
        AssistantPart::ToolCall(call) => Some(call),
        _ => None,
    }
}

/// A piece of a content at home.
enum Piece<'p> {
    Text(&'p Said),
    Raw(&'p RawJson),
}

impl<'p> Piece<'p> {
    fn of(part: &'p AssistantPart) -> Option<Self> {
        match part {
            AssistantPart::Text(said) => Some(Self::Text(said)),
            AssistantPart::Reasoning(thoughts) => thoughts::part_of(thoughts).map(Self::Raw),
            AssistantPart::Other(own) if own.dialect == HERE => Some(Self::Raw(&own.raw)),
            _ => None,
        }
    }
}

/// Writes a content at home: as it came, part by part.
fn write_content(out: &mut Vec<u8>, parts: &[AssistantPart]) {
    let pieces: Vec<Piece<'_>> = parts.iter().filter_map(Piece::of).collect();
    match pieces.as_slice() {
        [] => out.extend_from_slice(b"null"),
        [Piece::Text(said)] if said.extras.is_empty() && said.cache.is_none() => {
            json::value(out, &said.text);
        }
        pieces => json::list(out, pieces, |out, piece| match piece {
            Piece::Text(said) => {
                content::write_text(out, &said.text, Some(&said.extras), said.cache.as_ref());
            }
            Piece::Raw(raw) => out.extend_from_slice(raw.text().as_bytes()),
        }),
    }
}

/// Writes the texts of another dialect's answer as one.
fn write_texts(out: &mut Vec<u8>, parts: &[AssistantPart]) {
    let mut texts = parts.iter().filter_map(said).peekable();
    match texts.peek() {
        None => out.extend_from_slice(b"null"),
        Some(_) => json::value(out, &texts.map(|said| said.text.as_str()).collect::<String>()),
    }
}

pub(super) fn said(part: &AssistantPart) -> Option<&Said> {
    match part {
        AssistantPart::Text(said) => Some(said),
        _ => None,
    }
}

fn write_annotations(message: &mut Object<'_>, parts: &[AssistantPart]) {
    let mut before = 0;
    let mut cited = Vec::new();
    for said in parts.iter().filter_map(said) {
        let end = before + count(&said.text);
        let sayable = said.citations.iter().filter(|citation| citation::sayable(citation));
        cited.extend(sayable.map(|citation| (citation, before..end)));
        before = end;
    }
    if !cited.is_empty() {
        message.with("annotations", |out| {
            json::list(out, cited, |out, (cited, text)| citation::write(out, cited, text));
        });
    }
}

/// Counts the characters of a text, which is what spans count.
pub(super) fn count(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

pub(super) fn write_refusal(message: &mut Object<'_>, parts: &[AssistantPart]) {
    let mut refusals = parts.iter().filter_map(|part| match part {
        AssistantPart::Refusal(text) => Some(text.as_str()),
        _ => None,
    });
    if let Some(first) = refusals.next() {
        let refusal: String = std::iter::once(first).chain(refusals).collect();
        message.field("refusal", &refusal);
    }
}

pub(super) fn write_images(message: &mut Object<'_>, parts: &[AssistantPart], home: bool) {
    let images = || {
        parts.iter().filter_map(|part| match part {
            AssistantPart::Image(image) => Some(image),
            _ => None,
        })
    };
    if images().next().is_some() {
        message.with("images", |out| {
            json::list(out, images(), |out, image| {
                content::write_image(out, image, Some(&image.extras).filter(|_| home), None);
            });
        });
    }
}

/// What a call is written with.
pub(super) struct CallWith<'c> {
    pub(super) id: &'c str,
    pub(super) kind: CallKind,
    pub(super) arguments: &'c str,
    pub(super) extras: Option<&'c Extras>,
    pub(super) cache: Option<&'c CacheMark>,
    pub(super) carrier: Option<&'c Opaque>,
}

pub(super) fn write_call(out: &mut Vec<u8>, call: &ToolCall, with: &CallWith<'_>) {
    json::object(out, |written| {
        written.field("id", with.id);
        let (kind, argument) = spelled(with.kind);
        written.field("type", kind);
        written.nest(kind, |function| {
            function.field("name", &call.name);
            function.field(argument, with.arguments);
        });
        if let Some(carrier) = with.carrier {
            write_carrier(written, carrier);
        }
        cache::write(written, with.cache);
        if let Some(extras) = with.extras {
            written.extras(extras);
        }
    });
}

/// Returns the names of the object of a call and of its arguments.
pub(super) fn spelled(kind: CallKind) -> (&'static str, &'static str) {
    match kind {
        CallKind::Function => ("function", "arguments"),
        CallKind::Custom => ("custom", "input"),
    }
}
