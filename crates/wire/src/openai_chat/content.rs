//! The content of a user's, an instruction's or a tool's message: text, pictures, files.
//!
//! A part in another shape than the published one stays opaque. Sound is a file of the type `audio/…`
//! and is spelled `input_audio`; a film sent along is one of `video/…` and is spelled `video_url`
//! (Qwen, OpenRouter); any other file is spelled `file`.

use ir::{CacheMark, Extras, File, Image, Source, Text, UserPart};

use super::cache;
use super::message::opaque;
use super::request::Writing;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};

/// Reads a content. The mark of a message (OpenRouter) is that of its one text.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Vec<UserPart>, DecodeError> {
    let one = is_text(fields);
    let plain = |text| UserPart::Text(Text { text, ..Text::default() });
    let mut parts = each(fields, plain, read_part)?;
    if let ([UserPart::Text(text)], true) = (parts.as_mut_slice(), one) {
        text.cache = cache::take(fields)?;
    }
    Ok(parts)
}

/// Returns whether the content is one plain text.
pub(super) fn is_text(fields: &Fields<'_, '_>) -> bool {
    fields.peek("content").is_some_and(|content| content.get().starts_with('"'))
}

/// Reads a content that is a string or a list of parts; no content is no parts.
pub(super) fn each<T>(
    fields: &mut Fields<'_, '_>,
    plain: fn(String) -> T,
    part: fn(Value<'_, '_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let parts = fields.take("content", |content| {
        if content.is_string() {
            return Ok(vec![plain(content.string()?)]);
        }
        if !content.is_list() {
            return Err(content.expected("a string or a list of parts"));
        }
        content.each(part)
    })?;
    Ok(parts.unwrap_or_default())
}

pub(super) fn read_part(part: Value<'_, '_>) -> Result<UserPart, DecodeError> {
    let mut fields = part.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let read = match kind.as_deref() {
        Some("text") if fields.peek("text").is_some_and(|text| text.get().starts_with('"')) => {
            let text = fields.need("text", |text| text.string())?;
            let cache = cache::take(&mut fields)?;
            Some(UserPart::Text(Text { text, cache, extras: fields.rest() }))
        }
        Some("image_url") => read_image(fields)?.map(UserPart::Image),
        Some("file") => read_file(fields)?,
        Some("input_audio") => read_audio(fields)?,
        Some("video_url") => read_film(fields)?,
        _ => None,
    };
    Ok(read.unwrap_or_else(|| UserPart::Other(opaque(part))))
}

/// Takes texts out of a nested object of a part that holds nothing else.
fn texts<const N: usize>(
    fields: &mut Fields<'_, '_>,
    field: &str,
    names: [&str; N],
) -> Result<Option<[Option<String>; N]>, DecodeError> {
    let read = |place: Value<'_, '_>| {
        let mut place = place.object()?;
        let mut texts = [const { None }; N];
        for (text, name) in texts.iter_mut().zip(names) {
            *text = place.take_if(name, |text| text.is_string(), |text| text.string())?;
        }
        Ok(place.left().next().is_none().then_some(texts))
    };
    Ok(fields.take_if(field, |place| place.is_object(), read)?.flatten())
}

/// Reads a picture.
pub(super) fn read_image(mut fields: Fields<'_, '_>) -> Result<Option<Image>, DecodeError> {
    let Some([Some(url), detail]) = texts(&mut fields, "image_url", ["url", "detail"])? else {
        return Ok(None);
    };
    let source = match inline(&url) {
        Some((media_type, base64)) => Source::Inline { media_type, base64 },
        None => Source::Url { url, media_type: None },
    };
    let cache = cache::take(&mut fields)?;
    Ok(Some(Image { source, detail, cache, extras: fields.rest() }))
}

fn read_file(mut fields: Fields<'_, '_>) -> Result<Option<UserPart>, DecodeError> {
    let names = ["file_data", "file_id", "filename"];
    let source = match texts(&mut fields, "file", names)? {
        Some([None, Some(id), name]) => (Source::Uploaded(id), name),
        Some([Some(data), None, name]) => match inline(&data) {
            Some((media_type, _)) if spelled(&media_type) != Spelled::File => return Ok(None),
            Some((media_type, base64)) => (Source::Inline { media_type, base64 }, name),
            // OpenRouter takes an address here.
            None if data.contains("://") => (Source::Url { url: data, media_type: None }, name),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    file(fields, source).map(Some)
}

fn read_audio(mut fields: Fields<'_, '_>) -> Result<Option<UserPart>, DecodeError> {
    let Some([Some(base64), Some(format)]) = texts(&mut fields, "input_audio", ["data", "format"])?
    else {
        return Ok(None);
    };
    let media_type = format!("audio/{format}");
    if spelled(&media_type) != Spelled::Audio(&format) {
        return Ok(None);
    }
    file(fields, (Source::Inline { media_type, base64 }, None)).map(Some)
}

fn read_film(mut fields: Fields<'_, '_>) -> Result<Option<UserPart>, DecodeError> {
    let Some([Some(url)]) = texts(&mut fields, "video_url", ["url"])? else { return Ok(None) };
    match inline(&url) {
        Some((media_type, base64)) if spelled(&media_type) == Spelled::Film => {
            file(fields, (Source::Inline { media_type, base64 }, None)).map(Some)
        }
        _ => Ok(None),
    }
}

fn file(
    mut fields: Fields<'_, '_>,
    (source, name): (Source, Option<String>),
) -> Result<UserPart, DecodeError> {
    let cache = cache::take(&mut fields)?;
    Ok(UserPart::File(File { source, name, cache, extras: fields.rest() }))
}

/// Splits `data:image/png;base64,…`.
pub(super) fn inline(url: &str) -> Option<(String, String)> {
    let (media_type, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((media_type.to_owned(), base64.to_owned()))
}

/// How a file sent along is spelled.
#[derive(PartialEq, Eq)]
enum Spelled<'m> {
    Audio(&'m str),
    Film,
    File,
}

/// Says how a media type is spelled; for sound, by which format.
fn spelled(media_type: &str) -> Spelled<'_> {
    match media_type.split_once('/') {
        Some(("audio", "mpeg")) => Spelled::Audio("mp3"),
        Some(("audio", "x-wav" | "wave")) => Spelled::Audio("wav"),
        Some(("audio", format)) => Spelled::Audio(format),
        Some(("video", _)) => Spelled::Film,
        _ => Spelled::File,
    }
}

/// A part that can be said, and its path.
pub(super) type Sayable<'p> = (String, &'p UserPart);

/// Returns the parts of a turn that can be said; any other is a loss.
pub(super) fn sayable<'p>(
    parts: &'p [UserPart],
    path: &str,
    writing: &mut Writing,
) -> Vec<Sayable<'p>> {
    let mut said = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        let path = format!("{path}.parts[{at}]");
        if can_say(part, &path, writing) {
            said.push((path, part));
        }
    }
    said
}

fn can_say(part: &UserPart, path: &str, writing: &mut Writing) -> bool {
    let home = writing.losses.home();
    let (source, file) = match part {
        UserPart::Text(_) => return true,
        UserPart::Other(opaque) => return writing.losses.opaque(path, opaque).is_some(),
        UserPart::Image(image) => (&image.source, false),
        UserPart::File(file) => (&file.source, true),
    };
    let why = match source {
        Source::Uploaded(_) if !home => "only the provider it was uploaded to has it",
        Source::Url { .. } if file && !home => "a file is taken as bytes, and this is an address",
        _ => return true,
    };
    writing.losses.because(path, why);
    false
}

/// Writes parts as a content: one plain text as a string, anything else as a list.
pub(super) fn write(out: &mut Vec<u8>, parts: &[Sayable<'_>], writing: &mut Writing) {
    if let [(path, UserPart::Text(text))] = parts {
        let (extras, cache) = beside(path, &text.extras, text.cache.as_ref(), writing);
        match (extras, cache) {
            (None, None) => json::value(out, &text.text),
            (extras, cache) => {
                json::list(out, [()], |out, ()| write_text(out, &text.text, extras, cache));
            }
        }
        return;
    }
    // Nothing left to say is said as an empty text: an empty list is refused.
    if parts.is_empty() && !writing.losses.home() {
        return json::value(out, "");
    }
    json::list(out, parts, |out, part| write_part(out, part, writing));
}

pub(super) fn write_part(out: &mut Vec<u8>, (path, part): &Sayable<'_>, writing: &mut Writing) {
    match part {
        UserPart::Text(text) => {
            let (extras, cache) = beside(path, &text.extras, text.cache.as_ref(), writing);
            write_text(out, &text.text, extras, cache);
        }
        UserPart::Image(image) => {
            let (extras, cache) = beside(path, &image.extras, image.cache.as_ref(), writing);
            said_type(path, &image.source, writing);
            write_image(out, image, extras, cache);
        }
        UserPart::File(file) => {
            let (extras, cache) = beside(path, &file.extras, file.cache.as_ref(), writing);
            write_file(out, path, file, (extras, cache), writing);
        }
        UserPart::Other(opaque) => out.extend_from_slice(opaque.raw.text().as_bytes()),
    }
}

/// What may stand beside a part: its extras, where they are at home and there are any, and its mark.
type Beside<'p> = (Option<&'p Extras>, Option<&'p CacheMark>);

pub(super) fn beside<'p>(
    path: &str,
    extras: &'p Extras,
    cache: Option<&'p CacheMark>,
    writing: &mut Writing,
) -> Beside<'p> {
    let extras = writing.losses.extras(path, extras).filter(|extras| !extras.is_empty());
    (extras, writing.cache(path, cache))
}

/// The provider finds out the type of what it fetches by itself.
fn said_type(path: &str, source: &Source, writing: &mut Writing) {
    if let Source::Url { media_type: Some(_), .. } = source {
        writing.losses.lose(format!("{path}.source.media_type"));
    }
}

pub(super) fn write_text(
    out: &mut Vec<u8>,
    text: &str,
    extras: Option<&Extras>,
    cache: Option<&CacheMark>,
) {
    part(out, "text", (extras, cache), |part| part.field("text", text));
}

fn part(
    out: &mut Vec<u8>,
    kind: &str,
    (extras, cache): Beside<'_>,
    fill: impl FnOnce(&mut Object<'_>),
) {
    json::object(out, |part| {
        part.field("type", kind);
        fill(part);
        cache::write(part, cache);
        if let Some(extras) = extras {
            part.extras(extras);
        }
    });
}

/// Writes a picture.
pub(super) fn write_image(
    out: &mut Vec<u8>,
    image: &Image,
    extras: Option<&Extras>,
    cache: Option<&CacheMark>,
) {
    part(out, "image_url", (extras, cache), |part| {
        part.nest("image_url", |place| {
            match &image.source {
                Source::Url { url, .. } | Source::Uploaded(url) => place.field("url", url),
                Source::Inline { media_type, base64 } => {
                    place.field("url", &data_url(media_type, base64));
                }
            }
            place.optional("detail", image.detail.as_ref());
        });
    });
}

fn data_url(media_type: &str, base64: &str) -> String {
    format!("data:{media_type};base64,{base64}")
}

fn write_file(
    out: &mut Vec<u8>,
    path: &str,
    file: &File,
    beside: Beside<'_>,
    writing: &mut Writing,
) {
    let how = match &file.source {
        Source::Inline { media_type, base64 } => Some((spelled(media_type), media_type, base64)),
        _ => None,
    };
    if file.name.is_some() && !matches!(how, None | Some((Spelled::File, ..))) {
        writing.losses.lose(format!("{path}.name"));
    }
    match how {
        Some((Spelled::Audio(format), _, base64)) => part(out, "input_audio", beside, |part| {
            part.nest("input_audio", |audio| {
                audio.field("data", base64);
                audio.field("format", format);
            });
        }),
        Some((Spelled::Film, media_type, base64)) => part(out, "video_url", beside, |part| {
            part.nest("video_url", |film| film.field("url", &data_url(media_type, base64)));
        }),
        _ => part(out, "file", beside, |part| {
            part.nest("file", |place| write_place(place, file, writing.losses.home()));
        }),
    }
}

fn write_place(place: &mut Object<'_>, file: &File, home: bool) {
    match &file.source {
        Source::Inline { media_type, base64 } => {
            // Bytes without a name are refused.
            let unnamed = match media_type.as_str() {
                _ if home => None,
                "application/pdf" => Some("document.pdf"),
                "text/plain" => Some("document.txt"),
                _ => Some("document"),
            };
            place.optional("filename", file.name.as_deref().or(unnamed));
            place.field("file_data", &data_url(media_type, base64));
        }
        Source::Url { url, .. } => {
            place.optional("filename", file.name.as_ref());
            place.field("file_data", url);
        }
        Source::Uploaded(id) => {
            place.optional("filename", file.name.as_ref());
            place.field("file_id", id);
        }
    }
}
