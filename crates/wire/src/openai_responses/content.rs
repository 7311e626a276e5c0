//! What users, instructions and tools say: texts, pictures, files.

use ir::{CacheMark, Dialect, Extras, File, Image, Opaque, Source, Text, UserPart};

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::losses::Losses;

const HERE: Dialect = Dialect::OpenaiResponses;

/// The field of a cache mark, and the only mark that is understood.
const MARK: &str = "prompt_cache_breakpoint";
const EXPLICIT: &str = "explicit";

pub(super) fn opaque(value: Value<'_, '_>) -> Opaque {
    Opaque { dialect: HERE, raw: value.keep() }
}

/// Takes a field that is a string.
pub(super) fn string(
    fields: &mut Fields<'_, '_>,
    name: &str,
) -> Result<Option<String>, DecodeError> {
    fields.take_if(name, |text| text.is_string(), |text| text.string())
}

/// Reads a content: a string, or a list of parts.
pub(super) fn read(content: Value<'_, '_>) -> Result<Vec<UserPart>, DecodeError> {
    if content.is_string() {
        return Ok(vec![UserPart::Text(Text { text: content.string()?, ..Text::default() })]);
    }
    if !content.is_list() {
        return Err(content.expected("a string or a list of parts"));
    }
    content.each(read_part)
}

fn read_part(part: Value<'_, '_>) -> Result<UserPart, DecodeError> {
    let mut fields = part.object()?;
    let kind = string(&mut fields, "type")?;
    let read = match kind.as_deref() {
        Some("input_text") => {
            let text = string(&mut fields, "text")?;
            let cache = read_mark(&mut fields)?;
            text.map(|text| UserPart::Text(Text { text, cache, extras: fields.rest() }))
        }
        Some("input_image") => read_image(fields)?.map(UserPart::Image),
        Some("input_file") => read_file(fields)?.map(UserPart::File),
        Some("input_audio") => read_audio(fields)?.map(UserPart::File),
        _ => None,
    };
    Ok(read.unwrap_or_else(|| UserPart::Other(opaque(part))))
}

fn read_mark(fields: &mut Fields<'_, '_>) -> Result<Option<CacheMark>, DecodeError> {
    let plain = |mark: Value<'_, '_>| {
        let mut mark = mark.object().ok()?;
        let mode = string(&mut mark, "mode").ok()??;
        Some(mode == EXPLICIT && mark.left().next().is_none())
    };
    fields.take_if(MARK, |mark| plain(mark) == Some(true), |_| Ok(CacheMark::default()))
}

/// Reads a picture that says one place; any other shape stays opaque.
fn read_image(mut fields: Fields<'_, '_>) -> Result<Option<Image>, DecodeError> {
    let url = string(&mut fields, "image_url")?;
    let uploaded = string(&mut fields, "file_id")?;
    let source = match (url, uploaded) {
        (Some(url), None) => placed(url),
        (None, Some(id)) => Source::Uploaded(id),
        _ => return Ok(None),
    };
    let detail = string(&mut fields, "detail")?;
    let cache = read_mark(&mut fields)?;
    Ok(Some(Image { source, detail, cache, extras: fields.rest() }))
}

fn read_file(mut fields: Fields<'_, '_>) -> Result<Option<File>, DecodeError> {
    let data = string(&mut fields, "file_data")?;
    let url = string(&mut fields, "file_url")?;
    let uploaded = string(&mut fields, "file_id")?;
    let source = match (data.as_deref().map(inline), url, uploaded) {
        (Some(Some(source)), None, None) => source,
        (None, Some(url), None) => Source::Url { url, media_type: None },
        (None, None, Some(id)) => Source::Uploaded(id),
        _ => return Ok(None),
    };
    let name = string(&mut fields, "filename")?;
    let cache = read_mark(&mut fields)?;
    Ok(Some(File { source, name, cache, extras: fields.rest() }))
}

fn read_audio(mut fields: Fields<'_, '_>) -> Result<Option<File>, DecodeError> {
    let read = |audio: Value<'_, '_>| {
        let mut audio = audio.object()?;
        let data = string(&mut audio, "data")?;
        let format = string(&mut audio, "format")?;
        Ok(data.zip(format).filter(|_| audio.left().next().is_none()))
    };
    let said = fields.take_if("input_audio", |audio| audio.is_object(), read)?.flatten();
    Ok(said.map(|(base64, format)| {
        let subtype = if format == "mp3" { "mpeg" } else { &format };
        let source = Source::Inline { media_type: format!("audio/{subtype}"), base64 };
        File { source, name: None, cache: None, extras: fields.rest() }
    }))
}

fn placed(url: String) -> Source {
    inline(&url).unwrap_or(Source::Url { url, media_type: None })
}

/// Splits `data:image/png;base64,…`.
fn inline(url: &str) -> Option<Source> {
    let (media_type, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some(Source::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() })
}

/// Writes parts as a content: one plain text as a string, anything else as a list.
pub(super) fn write(out: &mut Vec<u8>, losses: &mut Losses, path: &str, parts: &[UserPart]) {
    if let [UserPart::Text(text)] = parts
        && plain(text)
    {
        return json::value(out, &text.text);
    }
    let paths = (0..parts.len()).map(|at| format!("{path}.parts[{at}]"));
    let said: Vec<(&UserPart, String)> =
        parts.iter().zip(paths).filter(|(part, path)| sayable(losses, path, part)).collect();
    if said.is_empty() && (!parts.is_empty() || !losses.home()) {
        // Nothing is left of it, or there was nothing, and an empty list is refused.
        return json::value(out, "");
    }
    json::list(out, said, |out, (part, path)| write_part(out, losses, &path, part));
}

/// Returns whether a text is nothing but its words.
pub(super) fn plain(text: &Text) -> bool {
    text.extras.is_empty() && text.cache.is_none()
}

fn sayable(losses: &mut Losses, path: &str, part: &UserPart) -> bool {
    let source = match part {
        UserPart::Text(_) => return true,
        UserPart::Other(opaque) => return losses.opaque(path, opaque).is_some(),
        UserPart::Image(image) => &image.source,
        UserPart::File(file) => &file.source,
    };
    if matches!(source, Source::Uploaded(_)) && !losses.home() {
        losses.because(path, "it was uploaded to another provider");
        return false;
    }
    true
}

fn write_part(out: &mut Vec<u8>, losses: &mut Losses, path: &str, part: &UserPart) {
    match part {
        UserPart::Text(Text { text, cache, extras }) => json::object(out, |part| {
            part.field("type", "input_text");
            part.field("text", text);
            finish(part, losses, path, cache.as_ref(), extras);
        }),
        UserPart::Image(Image { source, detail, cache, extras }) => json::object(out, |part| {
            part.field("type", "input_image");
            match source {
                Source::Url { url, .. } => part.field("image_url", url),
                Source::Inline { media_type, base64 } => {
                    part.field("image_url", &format!("data:{media_type};base64,{base64}"));
                }
                Source::Uploaded(id) => part.field("file_id", id),
            }
            // The description requires it; at home nothing is added.
            let detail = detail.as_deref().or(if losses.home() { None } else { Some("auto") });
            part.optional("detail", detail);
            finish(part, losses, path, cache.as_ref(), extras);
        }),
        UserPart::File(file) => json::object(out, |part| {
            write_file(part, losses, file);
            finish(part, losses, path, file.cache.as_ref(), &file.extras);
        }),
        UserPart::Other(opaque) => out.extend_from_slice(opaque.raw.text().as_bytes()),
    }
}

fn write_file(part: &mut Object<'_>, losses: &Losses, file: &File) {
    if let Source::Inline { media_type, base64 } = &file.source
        && let Some(subtype) = media_type.strip_prefix("audio/")
        && file.name.is_none()
    {
        part.field("type", "input_audio");
        return part.nest("input_audio", |audio| {
            audio.field("data", base64);
            audio.field("format", if subtype == "mpeg" { "mp3" } else { subtype });
        });
    }
    part.field("type", "input_file");
    match &file.source {
        Source::Url { url, .. } => part.field("file_url", url),
        Source::Uploaded(id) => part.field("file_id", id),
        Source::Inline { media_type, base64 } => {
            part.field("file_data", &format!("data:{media_type};base64,{base64}"));
            if file.name.is_none() && !losses.home() {
                part.field("filename", &named(media_type));
            }
        }
    }
    part.optional("filename", file.name.as_ref());
}

/// Names a file after its media type, since bytes without a name are refused.
fn named(media_type: &str) -> String {
    let subtype = media_type.split(['/', ';']).nth(1).unwrap_or_default();
    let extension = match subtype {
        "plain" | "" => "txt",
        subtype => subtype,
    };
    format!("file.{extension}")
}

fn finish(
    part: &mut Object<'_>,
    losses: &mut Losses,
    path: &str,
    cache: Option<&CacheMark>,
    extras: &Extras,
) {
    if cache.is_some() {
        if losses.home() {
            part.nest(MARK, |mark| mark.field("mode", EXPLICIT));
        } else {
            unmarked(losses, path);
        }
    }
    if let Some(extras) = losses.extras(path, extras) {
        part.extras(extras);
    }
}

/// Notes a cache mark of another dialect: hosts of this one cache by themselves, and most refuse
/// marks.
pub(super) fn unmarked(losses: &mut Losses, path: &str) {
    losses.because(format!("{path}.cache"), "hosts of openai_responses cache without marks");
}
