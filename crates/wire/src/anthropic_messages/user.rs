//! The blocks of users, instructions and tool results.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ir::{File, Image, Source, Text, ToolResult, UserPart};

use super::blocks::{At, Blocks, at_home, take_cache, write_cache, write_extras};
use super::opaque;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::ids;
use crate::json::Object;
use crate::losses::Losses;

const PLAIN: &str = "text/plain";
const PDF: &str = "application/pdf";

/// The pictures that are taken.
const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// Reads a content that is a string or a list of blocks; no content is no parts.
pub(super) fn read_content(fields: &mut Fields<'_, '_>) -> Result<Vec<UserPart>, DecodeError> {
    Ok(fields.take("content", read_parts)?.unwrap_or_default())
}

/// Reads a string or a list of blocks.
pub(super) fn read_parts(content: Value<'_, '_>) -> Result<Vec<UserPart>, DecodeError> {
    if content.is_string() {
        let text = content.string()?;
        return Ok(vec![UserPart::Text(Text { text, ..Text::default() })]);
    }
    if !content.is_list() {
        return Err(content.expected("a string or a list of blocks"));
    }
    content.each(read_part)
}

/// Reads a block; one of a kind or shape without a name here stays opaque.
pub(super) fn read_part(block: Value<'_, '_>) -> Result<UserPart, DecodeError> {
    let mut fields = block.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let read = match kind.as_deref() {
        Some("text") => read_text(fields)?,
        Some("image") => read_image(fields)?,
        Some("document") => read_document(fields)?,
        _ => None,
    };
    Ok(read.unwrap_or_else(|| UserPart::Other(opaque(block))))
}

fn read_text(mut fields: Fields<'_, '_>) -> Result<Option<UserPart>, DecodeError> {
    let Some(text) = fields.take_if("text", |text| text.is_string(), |text| text.string())? else {
        return Ok(None);
    };
    let cache = take_cache(&mut fields)?;
    Ok(Some(UserPart::Text(Text { text, cache, extras: fields.rest() })))
}

fn read_image(mut fields: Fields<'_, '_>) -> Result<Option<UserPart>, DecodeError> {
    let Some(source) = fields.take("source", |source| Ok(read_source(source)))?.flatten() else {
        return Ok(None);
    };
    let cache = take_cache(&mut fields)?;
    Ok(Some(UserPart::Image(Image { source, detail: None, cache, extras: fields.rest() })))
}

fn read_document(mut fields: Fields<'_, '_>) -> Result<Option<UserPart>, DecodeError> {
    let Some(source) = fields.take("source", |source| Ok(read_source(source)))?.flatten() else {
        return Ok(None);
    };
    let titled = |title: Value<'_, '_>| title.is_string() && title.raw.get() != "\"\"";
    let name = fields.take_if("title", titled, |title| title.string())?;
    let cache = take_cache(&mut fields)?;
    Ok(Some(UserPart::File(File { source, name, cache, extras: fields.rest() })))
}

/// Reads where an image or a document is; one made of blocks, or one with fields without a name
/// here, is none.
fn read_source(source: Value<'_, '_>) -> Option<Source> {
    let mut fields = source.object().ok()?;
    let kind = fields.take("type", |kind| kind.text()).ok()??;
    let mut take = |name| fields.take(name, |text| text.string()).ok().flatten();
    let source = match kind.as_ref() {
        "base64" => Source::Inline { media_type: take("media_type")?, base64: take("data")? },
        "text" => {
            let media_type = take("media_type").filter(|media_type| media_type == PLAIN)?;
            Source::Inline { media_type, base64: STANDARD.encode(take("data")?) }
        }
        "url" => Source::Url { url: take("url")?, media_type: None },
        "file" => Source::Uploaded(take("file_id")?),
        _ => return None,
    };
    fields.left().next().is_none().then_some(source)
}

/// Writes the parts that can be said.
pub(super) fn write_parts(blocks: &mut Blocks, losses: &mut Losses, at: At, parts: &[UserPart]) {
    for (number, part) in parts.iter().enumerate() {
        write_part(blocks, losses, at.part(number), part);
    }
}

pub(super) fn write_part(blocks: &mut Blocks, losses: &mut Losses, at: At, part: &UserPart) {
    match part {
        UserPart::Text(text) => write_text(blocks, losses, at, text),
        UserPart::Image(image) => write_image(blocks, losses, at, image),
        UserPart::File(file) => write_file(blocks, losses, at, file),
        UserPart::Other(opaque) => {
            if let Some(opaque) = losses.opaque(&at.to_string(), opaque) {
                blocks.raw(&opaque.raw);
            }
        }
    }
}

/// Returns whether a text can be sent: one without a word is a 400.
pub(super) fn speaks(losses: &mut Losses, at: At, text: &str) -> bool {
    if losses.home() || !text.trim().is_empty() {
        return true;
    }
    if !text.is_empty() {
        losses.because(at.to_string(), "a text of white space alone is refused");
    }
    false
}

fn write_text(blocks: &mut Blocks, losses: &mut Losses, at: At, said: &Text) {
    if !speaks(losses, at, &said.text) {
        return;
    }
    let extras = at_home(losses, at, &said.extras);
    blocks.add(|block| {
        block.field("type", "text");
        block.field("text", &said.text);
        write_cache(block, said.cache.as_ref());
        write_extras(block, extras);
    });
}

fn write_image(blocks: &mut Blocks, losses: &mut Losses, at: At, image: &Image) {
    if abroad(losses, at, &image.source) || !taken(losses, at, &image.source) {
        return;
    }
    if image.detail.as_deref().is_some_and(|detail| detail != "auto") {
        losses.lose(format!("{at}.detail"));
    }
    let home = losses.home();
    let extras = at_home(losses, at, &image.extras);
    blocks.add(|block| {
        block.field("type", "image");
        block.nest("source", |source| write_source(source, &image.source, home));
        write_cache(block, image.cache.as_ref());
        write_extras(block, extras);
    });
}

/// Returns whether a picture is of a kind that is taken here.
fn taken(losses: &mut Losses, at: At, source: &Source) -> bool {
    let Source::Inline { media_type, .. } = source else { return true };
    let kind = essence(media_type);
    let taken = losses.home() || PICTURES.contains(&kind.as_str());
    if !taken {
        losses.because(at.to_string(), format!("pictures are JPEG, PNG, GIF or WebP, not {kind}"));
    }
    taken
}

/// Returns a media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// An upload is known to the host it went to alone.
fn abroad(losses: &mut Losses, at: At, source: &Source) -> bool {
    let uploaded = matches!(source, Source::Uploaded(_)) && !losses.home();
    if uploaded {
        losses.because(at.to_string(), "the upload is known to another provider alone");
    }
    uploaded
}

/// Writes a file as the block its media type asks for: a document, or a picture that was sent as
/// a file.
fn write_file(blocks: &mut Blocks, losses: &mut Losses, at: At, file: &File) {
    if abroad(losses, at, &file.source) {
        return;
    }
    let kind = match &file.source {
        Source::Inline { media_type, .. } => media_type,
        Source::Url { media_type, .. } => media_type.as_deref().unwrap_or(PDF),
        Source::Uploaded(_) => PDF,
    };
    let kind = if losses.home() { kind.to_owned() } else { essence(kind) };
    let text = match &file.source {
        Source::Inline { base64, .. } if kind == PLAIN || !losses.home() && textual(&kind) => {
            plain(base64)
        }
        _ => None,
    };
    let picture = kind.starts_with("image/") && !losses.home();
    if !losses.home() && !picture && text.is_none() && kind != PDF {
        let why = format!("documents are PDF or text, not {kind}");
        return losses.because(at.to_string(), why);
    }
    if picture && !taken(losses, at, &file.source) {
        return;
    }
    let home = losses.home();
    let extras = at_home(losses, at, &file.extras);
    blocks.add(|block| {
        block.field("type", if picture { "image" } else { "document" });
        block.nest("source", |source| match &text {
            Some(text) => {
                source.field("type", "text");
                source.field("media_type", PLAIN);
                source.field("data", text);
            }
            None => write_source(source, &file.source, home),
        });
        if !picture {
            block.optional("title", file.name.as_ref().filter(|name| !name.is_empty()));
        }
        write_cache(block, file.cache.as_ref());
        write_extras(block, extras);
    });
}

/// Returns whether a media type names text, whatever its subtype.
fn textual(media_type: &str) -> bool {
    media_type.starts_with("text/")
        || ["application/json", "application/xml", "application/yaml"].contains(&media_type)
}

fn plain(base64: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(base64).ok()?).ok()
}

/// Writes where something is; the parameters of a foreign media type are not taken.
fn write_source(source: &mut Object<'_>, from: &Source, home: bool) {
    match from {
        Source::Url { url, .. } => {
            source.field("type", "url");
            source.field("url", url);
        }
        Source::Inline { media_type, base64 } => {
            source.field("type", "base64");
            let plain = (!home).then(|| essence(media_type));
            source.field("media_type", plain.as_ref().unwrap_or(media_type));
            source.field("data", base64);
        }
        Source::Uploaded(id) => {
            source.field("type", "file");
            source.field("file_id", id);
        }
    }
}

/// Reads a tool's result, without its `type`.
pub(super) fn read_result(mut fields: Fields<'_, '_>) -> Result<ToolResult, DecodeError> {
    Ok(ToolResult {
        call: fields.need("tool_use_id", |id| id.string())?,
        name: None,
        parts: read_content(&mut fields)?,
        failed: fields.take_if("is_error", |failed| failed.bool().is_ok(), |is| is.bool())?,
        cache: take_cache(&mut fields)?,
        extras: fields.rest(),
    })
}

pub(super) fn write_result(blocks: &mut Blocks, losses: &mut Losses, at: At, result: &ToolResult) {
    let mut parts = Blocks::default();
    write_parts(&mut parts, losses, at, &result.parts);
    let extras = at_home(losses, at, &result.extras);
    let id = call_id(losses, &result.call);
    blocks.add(|block| {
        block.field("type", "tool_result");
        block.field("tool_use_id", &id);
        if !parts.is_empty() {
            block.with("content", |out| parts.write(out));
        }
        block.optional("is_error", result.failed.as_ref());
        write_cache(block, result.cache.as_ref());
        write_extras(block, extras);
    });
}

/// Returns the id of a call as the API takes it: letters, digits, `_` and `-`, as many as there are.
pub(super) fn call_id(losses: &Losses, id: &str) -> String {
    if losses.home() { id.to_owned() } else { ids::fit(id, usize::MAX) }
}
