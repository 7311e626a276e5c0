//! Messages and their parts: what requests and responses share.
//!
//! A message's fields have one order in the conversation: reasoning, content, refusal, tool calls.

use ir::{
    Arguments, AssistantPart, AssistantTurn, CallKind, Dialect, Image, ImageSource, Opaque,
    Reasoning, Text, ToolCall, UserPart,
};

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};

const HERE: Dialect = Dialect::OpenaiChat;

pub(super) fn opaque(value: Value<'_, '_>) -> Opaque {
    Opaque { dialect: HERE, raw: value.keep() }
}

/// Reads the content of a user's, an instruction's or a tool's message.
pub(super) fn read_content(fields: &mut Fields<'_, '_>) -> Result<Vec<UserPart>, DecodeError> {
    content(fields, UserPart::Text, read_part)
}

/// Reads a content that is a string or a list of parts; no content is no parts.
fn content<T>(
    fields: &mut Fields<'_, '_>,
    plain: fn(Text) -> T,
    part: fn(Value<'_, '_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let parts = fields.take("content", |content| {
        if content.is_string() {
            let text = content.string()?;
            return Ok(vec![plain(Text { text, ..Text::default() })]);
        }
        if !content.is_list() {
            return Err(content.expected("a string or a list of parts"));
        }
        content.each(part)
    })?;
    Ok(parts.unwrap_or_default())
}

fn read_part(part: Value<'_, '_>) -> Result<UserPart, DecodeError> {
    let mut fields = part.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    match kind.as_deref() {
        Some("text") if fields.peek("text").is_some_and(|text| text.get().starts_with('"')) => {
            let text = fields.need("text", |text| text.string())?;
            Ok(UserPart::Text(Text { text, extras: fields.rest() }))
        }
        Some("image_url") => {
            Ok(read_image(fields)?.map_or_else(|| UserPart::Other(opaque(part)), UserPart::Image))
        }
        _ => Ok(UserPart::Other(opaque(part))),
    }
}

/// Reads a picture in the published shape; any other shape stays opaque.
fn read_image(mut fields: Fields<'_, '_>) -> Result<Option<Image>, DecodeError> {
    let place = fields.take_if(
        "image_url",
        |url| url.is_object(),
        |url| {
            let mut place = url.object()?;
            let url = place.take_if("url", |url| url.is_string(), |url| url.string())?;
            let detail =
                place.take_if("detail", |detail| detail.is_string(), |detail| detail.string())?;
            Ok(url.filter(|_| place.left().next().is_none()).map(|url| (url, detail)))
        },
    )?;
    Ok(place.flatten().map(|(url, detail)| {
        let source = match inline(&url) {
            Some((media_type, base64)) => ImageSource::Inline { media_type, base64 },
            None => ImageSource::Url(url),
        };
        Image { source, detail, extras: fields.rest() }
    }))
}

/// Splits `data:image/png;base64,…`.
fn inline(url: &str) -> Option<(String, String)> {
    let (media_type, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((media_type.to_owned(), base64.to_owned()))
}

/// Writes parts as a content: one plain text as a string, anything else as a list.
pub(super) fn write_content(out: &mut Vec<u8>, parts: &[UserPart]) {
    match parts {
        [UserPart::Text(Text { text, extras })] if extras.is_empty() => json::value(out, text),
        parts => json::list(out, parts, |out, part| match part {
            UserPart::Text(text) => write_text(out, text),
            UserPart::Image(image) => write_image(out, image),
            UserPart::Other(opaque) => out.extend_from_slice(opaque.raw.text().as_bytes()),
        }),
    }
}

fn write_text(out: &mut Vec<u8>, text: &Text) {
    json::object(out, |part| {
        part.field("type", "text");
        part.field("text", &text.text);
        part.extras(&text.extras);
    });
}

fn write_image(out: &mut Vec<u8>, image: &Image) {
    json::object(out, |part| {
        part.field("type", "image_url");
        part.nest("image_url", |place| {
            match &image.source {
                ImageSource::Url(url) => place.field("url", url),
                ImageSource::Inline { media_type, base64 } => {
                    place.field("url", &format!("data:{media_type};base64,{base64}"));
                }
            }
            place.optional("detail", image.detail.as_ref());
        });
        part.extras(&image.extras);
    });
}

/// Reads what a model said, in a request's history or in a response.
pub(super) fn read_assistant(mut fields: Fields<'_, '_>) -> Result<AssistantTurn, DecodeError> {
    let mut parts = Vec::new();
    if let Some(text) = read_reasoning(&mut fields)? {
        parts.push(AssistantPart::Reasoning(Reasoning { text, carrier: None }));
    }
    parts.extend(content(&mut fields, AssistantPart::Text, read_said)?);
    let refusal = fields.take_if("refusal", |text| text.is_string(), |text| text.string())?;
    parts.extend(refusal.map(AssistantPart::Refusal));
    let calls = fields.take("tool_calls", |calls| calls.each(read_call))?;
    parts.extend(calls.unwrap_or_default().into_iter().map(AssistantPart::ToolCall));
    Ok(AssistantTurn { parts, extras: fields.rest() })
}

/// Takes the thoughts out of the two fields that hosts use; where both say the same they are one,
/// and where they differ the second stays among the rest.
fn read_reasoning(fields: &mut Fields<'_, '_>) -> Result<Option<String>, DecodeError> {
    let long =
        fields.take_if("reasoning_content", |text| text.is_string(), |text| text.string())?;
    let Some(long) = long else {
        return fields.take_if("reasoning", |text| text.is_string(), |text| text.string());
    };
    let same = |raw: &serde_json::value::RawValue| {
        serde_json::from_str::<String>(raw.get()).is_ok_and(|short| short == long)
    };
    if fields.peek("reasoning").is_some_and(same) {
        fields.take("reasoning", |_| Ok(()))?;
    }
    Ok(Some(long))
}

/// Reads one part of a model's content list. Thoughts written as a part keep their text beside
/// the part itself, which must go back as it came (Mistral).
fn read_said(part: Value<'_, '_>) -> Result<AssistantPart, DecodeError> {
    Ok(match read_part(part)? {
        UserPart::Text(text) => AssistantPart::Text(text),
        UserPart::Image(_) => AssistantPart::Other(opaque(part)),
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

fn read_call(call: Value<'_, '_>) -> Result<ToolCall, DecodeError> {
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
    Ok(ToolCall { id, name, kind, arguments, extras: fields.rest() })
}

/// Writes what a model said into its message.
pub(super) fn write_assistant(message: &mut Object<'_>, turn: &AssistantTurn) {
    let thoughts = turn.parts.iter().find_map(|part| match part {
        AssistantPart::Reasoning(Reasoning { text, carrier: None }) => Some(text),
        _ => None,
    });
    message.optional("reasoning_content", thoughts);
    message.with("content", |out| write_said(out, &turn.parts));
    let refusal = turn.parts.iter().find_map(|part| match part {
        AssistantPart::Refusal(text) => Some(text),
        _ => None,
    });
    message.optional("refusal", refusal);
    let calls: Vec<&ToolCall> = turn.parts.iter().filter_map(call).collect();
    if !calls.is_empty() {
        message.with("tool_calls", |out| json::list(out, calls, write_call));
    }
    message.extras(&turn.extras);
}

fn call(part: &AssistantPart) -> Option<&ToolCall> {
    match part {
        AssistantPart::ToolCall(call) => Some(call),
        _ => None,
    }
}

fn write_said(out: &mut Vec<u8>, parts: &[AssistantPart]) {
    let said: Vec<&AssistantPart> = parts
        .iter()
        .filter(|part| match part {
            AssistantPart::Text(_) => true,
            AssistantPart::Reasoning(Reasoning { carrier: Some(carrier), .. })
            | AssistantPart::Other(carrier) => carrier.dialect == HERE,
            _ => false,
        })
        .collect();
    match said.as_slice() {
        [] => out.extend_from_slice(b"null"),
        [AssistantPart::Text(Text { text, extras })] if extras.is_empty() => json::value(out, text),
        said => json::list(out, said, |out, part| match part {
            AssistantPart::Text(text) => write_text(out, text),
            AssistantPart::Reasoning(Reasoning { carrier: Some(carrier), .. })
            | AssistantPart::Other(carrier) => {
                out.extend_from_slice(carrier.raw.text().as_bytes());
            }
            _ => {}
        }),
    }
}

fn write_call(out: &mut Vec<u8>, call: &ToolCall) {
    json::object(out, |written| {
        written.field("id", &call.id);
        let (kind, argument) = match call.kind {
            CallKind::Function => ("function", "arguments"),
            CallKind::Custom => ("custom", "input"),
        };
        written.field("type", kind);
        written.nest(kind, |function| {
            function.field("name", &call.name);
            function.field(argument, &call.arguments.0);
        });
        written.extras(&call.extras);
    });
}
