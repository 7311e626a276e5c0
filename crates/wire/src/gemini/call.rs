//! Calls of functions and what functions return.

use ir::{Arguments, CallKind, Extras, RawJson, Text, ToolCall, ToolResult, UserPart};

use super::part::{read_user, together, write_all, write_beside, write_inner};
use super::{Ids, opaque, signature, spelling};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json;
use crate::undo::FREE_TEXT;

/// Reads a part that calls a function; any other shape is none.
pub(super) fn read_call(
    mut part: Fields<'_, '_>,
    ids: &mut Ids,
) -> Result<Option<ToolCall>, DecodeError> {
    let carrier = signature::take(&mut part)?;
    let object = |call: Value<'_, '_>| call.is_object();
    let call = spelling::take_if(&mut part, "functionCall", object, |call| {
        let mut call = call.object()?;
        let name = spelling::take_text(&mut call, "name")?;
        let id = spelling::take_text(&mut call, "id")?;
        let arguments =
            call.take_if("args", |args| args.is_object(), |args| Ok(args.raw.get().to_owned()))?;
        Ok(name.map(|name| (id, name, Arguments(arguments.unwrap_or_default()), call.rest())))
    })?;
    let Some((id, name, arguments, inner)) = call.flatten() else { return Ok(None) };
    let Some(extras) = together(inner, part.rest()) else { return Ok(None) };
    let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| ids.make());
    let kind = CallKind::Function;
    Ok(Some(ToolCall { id, name, kind, arguments, carrier, cache: None, extras }))
}

/// What a function response says: the id of its call, where it is there, and the result without it.
pub(super) type Answered = (Option<String>, ToolResult);

/// Reads a function response; any other shape is none.
pub(super) fn read_result(part: Value<'_, '_>) -> Result<Option<Answered>, DecodeError> {
    let mut fields = part.object()?;
    let object = |response: Value<'_, '_>| response.is_object();
    let read = spelling::take_if(&mut fields, "functionResponse", object, |result| {
        let mut result = result.object()?;
        let id = spelling::take_text(&mut result, "id")?.filter(|id| !id.is_empty());
        let name = spelling::take_text(&mut result, "name")?;
        let object = |response: Value<'_, '_>| response.is_object();
        let said = result.take_if("response", object, read_response)?;
        let media = result.take_if(
            "parts",
            |parts| parts.is_list(),
            |parts| {
                parts.each(|part| {
                    Ok(match read_user(part)? {
                        UserPart::Text(_) => UserPart::Other(opaque(part)),
                        media => media,
                    })
                })
            },
        )?;
        Ok((id, name, said, media, result.rest()))
    })?;
    let Some((id, name, said, media, inner)) = read else { return Ok(None) };
    if inner.get("response").is_some() || inner.get("parts").is_some() {
        return Ok(None);
    }
    let Some(extras) = together(inner, fields.rest()) else { return Ok(None) };
    let (text, failed) = said.unwrap_or_default();
    let text = text.map(|text| UserPart::Text(Text { text, ..Text::default() }));
    let parts = text.into_iter().chain(media.unwrap_or_default()).collect();
    let call = String::new();
    Ok(Some((id, ToolResult { call, name, parts, failed, cache: None, extras })))
}

/// Reads what a function returned: the text under `output` or `error` when nothing else is there,
/// otherwise the object as it came.
fn read_response(response: Value<'_, '_>) -> Result<(Option<String>, Option<bool>), DecodeError> {
    let mut fields = response.object()?;
    if fields.left().next().is_none() {
        return Ok((None, None));
    }
    let error = spelling::take_text(&mut fields, "error")?;
    if let Some(error) = error.filter(|_| fields.left().next().is_none()) {
        return Ok((Some(error), Some(true)));
    }
    let mut fields = response.object()?;
    let output = spelling::take_text(&mut fields, "output")?;
    let plain = output.filter(|text| fields.left().next().is_none() && !is_object(text));
    Ok((Some(plain.unwrap_or_else(|| response.raw.get().to_owned())), None))
}

/// Returns whether a text is a JSON object.
pub(super) fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

/// Writes a call. Google takes an object alone for its arguments, so free text and broken JSON stand
/// in one as a text.
pub(super) fn write_call(
    call: &ToolCall,
    signature: Option<&RawJson>,
    extras: Option<&Extras>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(call.arguments.0.len() + 64);
    json::object(&mut out, |part| {
        part.nest("functionCall", |written| {
            if !ir::dialect::made(&call.id) {
                written.field("id", &call.id);
            }
            written.field("name", &call.name);
            let text = &call.arguments.0;
            if call.kind == CallKind::Function && is_object(text) {
                written.with("args", |out| out.extend_from_slice(text.as_bytes()));
            } else if call.kind == CallKind::Custom || !text.trim().is_empty() {
                written.nest("args", |args| args.field(FREE_TEXT, text));
            }
            write_inner(written, extras);
        });
        if let Some(signature) = signature {
            part.raw(signature::NAME, signature);
        }
        write_beside(part, extras);
    });
    out
}

/// Returns whether a call's arguments are what Google takes.
pub(super) fn takes(call: &ToolCall) -> bool {
    let text = &call.arguments.0;
    call.kind == CallKind::Custom || text.trim().is_empty() || is_object(text)
}

/// Writes a function response with the parts that stand inside it.
pub(super) fn write_result(
    result: &ToolResult,
    name: &str,
    inside: &[Vec<u8>],
    extras: Option<&Extras>,
) -> Vec<u8> {
    let texts = result.parts.iter().filter_map(|part| match part {
        UserPart::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect();
    let text = (!texts.is_empty()).then(|| texts.join("\n"));
    let mut out = Vec::new();
    json::object(&mut out, |part| {
        part.nest("functionResponse", |written| {
            if !ir::dialect::made(&result.call) {
                written.field("id", &result.call);
            }
            written.field("name", name);
            written.with("response", |out| write_response(out, text.as_deref(), result.failed));
            if !inside.is_empty() {
                written.with("parts", |out| write_all(out, inside));
            }
            write_inner(written, extras);
        });
        write_beside(part, extras);
    });
    out
}

fn write_response(out: &mut Vec<u8>, text: Option<&str>, failed: Option<bool>) {
    match (text, failed) {
        (text, Some(true)) => {
            json::object(out, |response| response.field("error", text.unwrap_or_default()));
        }
        (None, _) => out.extend_from_slice(b"{}"),
        (Some(text), _) if is_object(text) => out.extend_from_slice(text.as_bytes()),
        (Some(text), _) => json::object(out, |response| response.field("output", text)),
    }
}

/// Says that a call's arguments are no JSON object.
pub(super) fn broken(name: &str) -> String {
    format!("the arguments of {name} are no JSON object; they stand in one as a text")
}
