//! What a text rests on: grounding and citations, to canonical citations and back.
//!
//! Google counts bytes of the text where the conversation counts characters. At home both kinds of
//! metadata travel among the candidate's extras as they came; the citations are read beside them.

use ir::{Citation, Opaque, RawJson};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::HERE;
use crate::json::{self, Object};

/// The fields of a candidate that say what its text rests on.
pub(super) const GROUNDING: &str = "groundingMetadata";
pub(super) const CITATIONS: &str = "citationMetadata";

/// One citation and where it stands, in bytes.
pub(super) struct Cited {
    /// The citation, still without its span.
    pub(super) citation: Citation,
    /// Which part of the content, where that was said.
    pub(super) part: Option<usize>,
    /// The bytes, from and up to.
    pub(super) bytes: Option<(usize, usize)>,
}

/// Reads the citations of a candidate's metadata.
pub(super) fn read(name: &str, metadata: &RawValue) -> Vec<Cited> {
    let Ok(metadata) = serde_json::from_str::<Value>(metadata.get()) else { return Vec::new() };
    match name {
        GROUNDING => supports(&metadata),
        CITATIONS => sources(&metadata),
        _ => Vec::new(),
    }
}

fn supports(metadata: &Value) -> Vec<Cited> {
    let chunks = items(metadata, "groundingChunks");
    let mut found = Vec::new();
    for support in items(metadata, "groundingSupports") {
        let segment = &support["segment"];
        for index in items(support, "groundingChunkIndices") {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            let Some(chunk) = index.and_then(|index| chunks.get(index)) else { continue };
            // A chunk has one field, which says where it was found: `web`, `maps`, `retrievedContext`.
            let place = chunk.as_object().and_then(|chunk| chunk.values().next());
            let said = |name: &str| place?.get(name)?.as_str().map(str::to_owned);
            let raw = json!({"groundingChunk": chunk, "segment": segment});
            found.push(Cited {
                citation: Citation {
                    url: said("uri"),
                    title: said("title"),
                    quote: said("text"),
                    span: None,
                    raw: opaque(&raw),
                },
                part: size(&segment["partIndex"]),
                bytes: bytes(segment),
            });
        }
    }
    found
}

/// Reads recitations, which the Gemini API calls sources and Vertex citations.
fn sources(metadata: &Value) -> Vec<Cited> {
    let all = items(metadata, "citationSources").iter().chain(items(metadata, "citations"));
    let read = |source: &Value| {
        let said = |name: &str| source.get(name)?.as_str().map(str::to_owned);
        let citation = Citation {
            url: said("uri"),
            title: said("title"),
            quote: None,
            span: None,
            raw: opaque(source),
        };
        Cited { citation, part: None, bytes: bytes(source) }
    };
    all.map(read).collect()
}

fn opaque(raw: &Value) -> Opaque {
    let raw = RawJson::parse(raw.to_string()).expect("invariant: a Value prints as JSON");
    Opaque { dialect: HERE, raw }
}

fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn size(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

/// Reads a span; its beginning is left out where it is the text's.
fn bytes(segment: &Value) -> Option<(usize, usize)> {
    let end = size(segment.get("endIndex")?)?;
    Some((segment.get("startIndex").map_or(Some(0), size)?, end))
}

/// Turns bytes of a text into characters, when they are the borders of some.
pub(super) fn characters(text: &str, (from, to): (usize, usize)) -> Option<(u64, u64)> {
    let before = text.get(..from)?.chars().count();
    let within = text.get(from..to)?.chars().count();
    Some((u64::try_from(before).ok()?, u64::try_from(before + within).ok()?))
}

/// Turns characters of a text into bytes.
fn bytes_of(text: &str, (from, to): (u64, u64)) -> Option<(usize, usize)> {
    let at = |character: u64| {
        let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        starts.nth(usize::try_from(character).ok()?)
    };
    Some((at(from)?, at(to)?)).filter(|(from, to)| from <= to)
}

/// One citation of another dialect, to be written.
#[derive(Debug)]
pub(super) struct Grounded {
    url: Option<String>,
    title: Option<String>,
    /// Which part of the content it stands on, and the bytes and words of it.
    part: usize,
    bytes: (usize, usize),
    words: String,
}

/// Places a citation on a text, which begins so many bytes into the part. A citation without a span is
/// one of the whole text.
pub(super) fn placed(citation: &Citation, text: &str, part: usize, begins: usize) -> Grounded {
    let span = citation.span.and_then(|span| bytes_of(text, span));
    let (from, to) = span.unwrap_or((0, text.len()));
    Grounded {
        url: citation.url.clone(),
        title: citation.title.clone(),
        part,
        bytes: (begins + from, begins + to),
        words: text.get(from..to).unwrap_or_default().to_owned(),
    }
}

/// Writes citations of another dialect as grounding.
pub(super) fn write(candidate: &mut Object<'_>, cited: &[Grounded]) {
    if cited.is_empty() {
        return;
    }
    candidate.nest(GROUNDING, |metadata| {
        metadata.with("groundingChunks", |out| {
            json::list(out, cited, |out, one| {
                json::object(out, |chunk| {
                    chunk.nest("web", |web| {
                        web.optional("uri", one.url.as_ref());
                        web.optional("title", one.title.as_ref());
                    });
                });
            });
        });
        metadata.with("groundingSupports", |out| {
            json::list(out, cited.iter().enumerate(), |out, (at, one)| {
                json::object(out, |support| {
                    support.nest("segment", |segment| {
                        if one.part > 0 {
                            segment.field("partIndex", &one.part);
                        }
                        segment.field("startIndex", &one.bytes.0);
                        segment.field("endIndex", &one.bytes.1);
                        segment.field("text", &one.words);
                    });
                    support.field("groundingChunkIndices", &[at]);
                });
            });
        });
    });
}
