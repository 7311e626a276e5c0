//! Pictures and files: bytes under a format of the dialect's, or a place in S3.

use std::collections::HashSet;

use ir::{File, Image, Source};

use crate::json;
use crate::losses::Losses;

/// The longest name a document may have.
const LONGEST_NAME: usize = 200;

/// Media types and the formats they are called here; the rest of a type is its format where it
/// stands in none of these rows.
const FORMATS: [(&str, Kind, &str); 37] = [
    ("image/png", Kind::Image, "png"),
    ("image/jpeg", Kind::Image, "jpeg"),
    ("image/jpg", Kind::Image, "jpeg"),
    ("image/gif", Kind::Image, "gif"),
    ("image/webp", Kind::Image, "webp"),
    ("application/pdf", Kind::Document, "pdf"),
    ("text/csv", Kind::Document, "csv"),
    ("application/msword", Kind::Document, "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Kind::Document,
        "docx",
    ),
    ("application/vnd.ms-excel", Kind::Document, "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Kind::Document, "xlsx"),
    ("text/html", Kind::Document, "html"),
    ("text/markdown", Kind::Document, "md"),
    ("text/plain", Kind::Document, "txt"),
    ("application/json", Kind::Document, "txt"),
    ("video/mp4", Kind::Video, "mp4"),
    ("video/webm", Kind::Video, "webm"),
    ("video/quicktime", Kind::Video, "mov"),
    ("video/x-matroska", Kind::Video, "mkv"),
    ("video/x-flv", Kind::Video, "flv"),
    ("video/mpeg", Kind::Video, "mpeg"),
    ("video/x-ms-wmv", Kind::Video, "wmv"),
    ("video/3gpp", Kind::Video, "three_gp"),
    ("audio/mpeg", Kind::Audio, "mp3"),
    ("audio/mp3", Kind::Audio, "mp3"),
    ("audio/wav", Kind::Audio, "wav"),
    ("audio/x-wav", Kind::Audio, "wav"),
    ("audio/ogg", Kind::Audio, "ogg"),
    ("audio/opus", Kind::Audio, "opus"),
    ("audio/flac", Kind::Audio, "flac"),
    ("audio/aac", Kind::Audio, "aac"),
    ("audio/x-aac", Kind::Audio, "x-aac"),
    ("audio/mp4", Kind::Audio, "m4a"),
    ("audio/m4a", Kind::Audio, "m4a"),
    ("audio/webm", Kind::Audio, "webm"),
    ("audio/pcm", Kind::Audio, "pcm"),
    ("audio/x-matroska", Kind::Audio, "mka"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Document,
    Video,
    Audio,
}

impl Kind {
    fn field(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Document => "document",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

/// Finds what a media type is called; any other text is a plain one.
fn format(media_type: &str) -> Option<(Kind, &'static str)> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let row = FORMATS.iter().find(|(name, ..)| *name == essence);
    let text = essence.starts_with("text/").then_some((Kind::Document, "txt"));
    row.map(|(_, kind, format)| (*kind, *format)).or(text)
}

/// Guesses a media type from the end of an address.
fn by_ending(url: &str) -> Option<(Kind, &'static str)> {
    let ending = url.rsplit_once('.')?.1.to_ascii_lowercase();
    let ending = if ending == "jpg" { "jpeg" } else { ending.as_str() };
    let row = FORMATS.iter().find(|(.., format)| *format == ending);
    row.map(|(_, kind, format)| (*kind, *format))
}

/// Writes a picture's block, or notes why it cannot be said.
pub(super) fn image(image: &Image, path: &str, losses: &mut Losses) -> Option<Vec<u8>> {
    losses.extras(path, &image.extras);
    if image.detail.is_some() {
        losses.lose(format!("{path}.detail"));
    }
    let (kind, format) = known(&image.source, path, losses)?;
    if kind != Kind::Image {
        losses.because(path, format!("{format} is no format of pictures"));
        return None;
    }
    Some(block(kind, format, None, &image.source))
}

/// Writes a file's block, or notes why it cannot be said. Two documents of one request may not
/// have the same name.
pub(super) fn file(
    file: &File,
    path: &str,
    names: &mut HashSet<String>,
    losses: &mut Losses,
) -> Option<(Kind, Vec<u8>)> {
    losses.extras(path, &file.extras);
    let (kind, format) = known(&file.source, path, losses)?;
    let name = (kind == Kind::Document).then(|| unlike(&neutral(file.name.as_deref()), names));
    Some((kind, block(kind, format, name.as_deref(), &file.source)))
}

fn known(source: &Source, path: &str, losses: &mut Losses) -> Option<(Kind, &'static str)> {
    let (found, told) = match source {
        Source::Inline { media_type, .. } => (format(media_type), media_type.as_str()),
        Source::Url { url, media_type } if url.starts_with("s3://") => {
            (media_type.as_deref().and_then(format).or_else(|| by_ending(url)), url.as_str())
        }
        Source::Url { .. } => {
            losses.because(
                path,
                "bedrock_converse takes bytes or a place in S3, and no other address",
            );
            return None;
        }
        Source::Uploaded(_) => {
            losses.because(path, "only the provider it was uploaded to has it");
            return None;
        }
    };
    if found.is_none() {
        losses.because(path, format!("bedrock_converse has no format for {told}"));
    }
    found
}

fn block(kind: Kind, format: &str, name: Option<&str>, source: &Source) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |block| {
        block.nest(kind.field(), |media| {
            media.field("format", format);
            media.optional("name", name);
            media.nest("source", |place| match source {
                Source::Inline { base64, .. } => place.field("bytes", base64),
                Source::Url { url, .. } | Source::Uploaded(url) => {
                    place.nest("s3Location", |place| place.field("uri", url));
                }
            });
        });
    });
    out
}

/// Makes a name of what may stand in one: letters, digits, single spaces, `-`, `(`, `)`, `[`, `]`.
fn neutral(name: Option<&str>) -> String {
    let keep = |letter: char| {
        if letter.is_ascii_alphanumeric() || "-()[]".contains(letter) { letter } else { ' ' }
    };
    let kept: String = name.unwrap_or_default().chars().take(LONGEST_NAME).map(keep).collect();
    let kept = kept.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if kept.is_empty() { "document".to_owned() } else { kept }
}

fn unlike(name: &str, names: &mut HashSet<String>) -> String {
    let numbered = |number: usize| {
        let ending = format!(" {number}");
        let stem: String = name.chars().take(LONGEST_NAME - ending.len()).collect();
        format!("{}{ending}", stem.trim_end())
    };
    let free = std::iter::once(name.to_owned()).chain((names.len() + 1..).map(numbered));
    for name in free {
        if names.insert(name.clone()) {
            return name;
        }
    }
    name.to_owned()
}
