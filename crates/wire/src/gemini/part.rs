//! Parts of a content: what requests and answers share.
//!
//! A part is an object with one field that says what it is, and perhaps fields beside that one. Both
//! levels have unknown fields; they are kept together, since the names beside are known.

use ir::{AssistantPart, Extras, File, Image, RawJson, Reasoning, Said, Source, Text, UserPart};

use super::{Ids, call, opaque, signature, spelling};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};

/// What may stand beside the field that says what a part is.
const BESIDE: [&str; 9] = [
    "thought",
    "thoughtSignature",
    "thought_signature",
    "mediaResolution",
    "media_resolution",
    "videoMetadata",
    "video_metadata",
    "partMetadata",
    "part_metadata",
];

/// Where the Gemini API keeps uploaded files: an address, but nobody else may fetch it.
const UPLOADS: &str = "https://generativelanguage.googleapis.com/";

/// Puts the unknown fields of both levels together, when each is told from the other by its name.
pub(super) fn together(mut inner: Extras, beside: Extras) -> Option<Extras> {
    let named = |(name, _): (&str, &RawJson)| BESIDE.contains(&name);
    if inner.iter().any(named) || !beside.iter().all(named) {
        return None;
    }
    inner.0.extend(beside.0);
    Some(inner)
}

pub(super) fn write_inner(object: &mut Object<'_>, extras: Option<&Extras>) {
    let extras = extras.into_iter().flat_map(Extras::iter);
    extras.filter(|(name, _)| !BESIDE.contains(name)).for_each(|(name, raw)| object.raw(name, raw));
}

pub(super) fn write_beside(part: &mut Object<'_>, extras: Option<&Extras>) {
    let extras = extras.into_iter().flat_map(Extras::iter);
    extras.filter(|(name, _)| BESIDE.contains(name)).for_each(|(name, raw)| part.raw(name, raw));
}

/// Reads a part of what a user, an instruction or a tool says.
pub(super) fn read_user(part: Value<'_, '_>) -> Result<UserPart, DecodeError> {
    let mut fields = part.object()?;
    if let Some(text) = spelling::take_text(&mut fields, "text")? {
        return Ok(UserPart::Text(Text { text, cache: None, extras: fields.rest() }));
    }
    Ok(match read_media(fields)? {
        Some(Media { source, image: true, extras }) => {
            UserPart::Image(Image { source, detail: None, cache: None, extras })
        }
        Some(Media { source, image: false, extras }) => {
            UserPart::File(File { source, name: None, cache: None, extras })
        }
        None => UserPart::Other(opaque(part)),
    })
}

struct Media {
    source: Source,
    image: bool,
    extras: Extras,
}

/// Reads a picture or a file, sent along or by address; any other shape is none.
fn read_media(mut fields: Fields<'_, '_>) -> Result<Option<Media>, DecodeError> {
    let object = |value: Value<'_, '_>| value.is_object();
    let inline = spelling::take_if(&mut fields, "inlineData", object, |blob| {
        let mut blob = blob.object()?;
        let media_type = spelling::take_text(&mut blob, "mimeType")?;
        let base64 = spelling::take_text(&mut blob, "data")?;
        let read = media_type.zip(base64);
        Ok(read.map(|(media_type, base64)| {
            let image = media_type.starts_with("image/");
            (Source::Inline { media_type, base64 }, image, blob.rest())
        }))
    })?;
    let read = match inline {
        Some(read) => read,
        None => spelling::take_if(&mut fields, "fileData", object, read_address)?.flatten(),
    };
    let Some((source, image, inner)) = read else { return Ok(None) };
    Ok(together(inner, fields.rest()).map(|extras| Media { source, image, extras }))
}

/// Reads an address; what only Google can fetch counts as uploaded, and keeps its media type beside.
fn read_address(file: Value<'_, '_>) -> Result<Option<(Source, bool, Extras)>, DecodeError> {
    let mut file = file.object()?;
    let Some(url) = spelling::take_text(&mut file, "fileUri")? else { return Ok(None) };
    let image =
        spelling::peek(&file, "mimeType").is_some_and(|kind| kind.get().starts_with("\"image/"));
    let public = url.starts_with("https://") || url.starts_with("http://");
    if !public || url.starts_with(UPLOADS) {
        return Ok(Some((Source::Uploaded(url), image, file.rest())));
    }
    let media_type = spelling::take_text(&mut file, "mimeType")?;
    Ok(Some((Source::Url { url, media_type }, image, file.rest())))
}

/// Reads a part of what a model said.
pub(super) fn read_said(part: Value<'_, '_>, ids: &mut Ids) -> Result<AssistantPart, DecodeError> {
    let mut fields = part.object()?;
    if spelling::peek(&fields, "functionCall").is_some() {
        return Ok(call::read_call(fields, ids)?
            .map_or_else(|| AssistantPart::Other(opaque(part)), AssistantPart::ToolCall));
    }
    let signed = spelling::peek(&fields, signature::NAME).is_some();
    let thought = fields.peek("thought").is_some_and(|thought| thought.get() == "true");
    let text = spelling::take_text(&mut fields, "text")?;
    // A signature may come alone; it belongs to an empty text.
    let alone = (signed || thought) && fields.left().all(|(name, _)| BESIDE[..3].contains(&name));
    let text = text.or_else(|| alone.then(String::new));
    match text {
        Some(text) if thought => {
            fields.take("thought", |_| Ok(()))?;
            let carrier = signature::take(&mut fields)?;
            if fields.left().next().is_some() {
                return Ok(AssistantPart::Other(opaque(part)));
            }
            Ok(AssistantPart::Reasoning(Reasoning { text, carrier }))
        }
        Some(text) => {
            let carrier = signature::take(&mut fields)?;
            let extras = fields.rest();
            Ok(AssistantPart::Text(Said { text, carrier, extras, ..Said::default() }))
        }
        None => Ok(match read_media(fields)? {
            Some(Media { source: source @ Source::Inline { .. }, image: true, extras }) => {
                AssistantPart::Image(Image { source, detail: None, cache: None, extras })
            }
            _ => AssistantPart::Other(opaque(part)),
        }),
    }
}

/// Writes a text or a thought.
pub(super) fn write_text(
    text: &str,
    thought: bool,
    signature: Option<&RawJson>,
    extras: Option<&Extras>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 32);
    json::object(&mut out, |part| {
        part.field("text", text);
        if thought {
            part.field("thought", &true);
        }
        if let Some(signature) = signature {
            part.raw(signature::NAME, signature);
        }
        if let Some(extras) = extras {
            part.extras(extras);
        }
    });
    out
}

/// Writes a picture or a file.
pub(super) fn write_media(source: &Source, extras: Option<&Extras>) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |part| {
        match source {
            Source::Inline { media_type, base64 } => part.nest("inlineData", |blob| {
                blob.field("mimeType", media_type);
                blob.field("data", base64);
                write_inner(blob, extras);
            }),
            Source::Url { url, media_type } => part.nest("fileData", |file| {
                file.field("fileUri", url);
                file.optional("mimeType", media_type.as_deref().or_else(|| told_by(url)));
                write_inner(file, extras);
            }),
            Source::Uploaded(url) => part.nest("fileData", |file| {
                file.field("fileUri", url);
                write_inner(file, extras);
            }),
        }
        write_beside(part, extras);
    });
    out
}

/// What the end of an address says of the media type, which Vertex wants to be told.
const ENDINGS: [(&str, &str); 7] = [
    (".png", "image/png"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".webp", "image/webp"),
    (".gif", "image/gif"),
    (".pdf", "application/pdf"),
    (".mp4", "video/mp4"),
];

fn told_by(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?.to_ascii_lowercase();
    ENDINGS.iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, kind)| *kind)
}

/// Writes a list of what is written already.
pub(super) fn write_all(out: &mut Vec<u8>, written: &[Vec<u8>]) {
    json::list(out, written, |out, one| out.extend_from_slice(one));
}
