//! What a model's message says: texts with what they rest on, and refusals.

use ir::{AssistantPart, Citation, Dialect, Extras, Said};

use super::content::{opaque, string};
use crate::decode::DecodeError;
use crate::fields::Value;
use crate::json::{self, Object};

const HERE: Dialect = Dialect::OpenaiResponses;

/// Reads one part of a message's content; `None` when it is of a kind nobody knows.
pub(super) fn read(part: Value<'_, '_>) -> Result<Option<(AssistantPart, Extras)>, DecodeError> {
    let mut fields = part.object()?;
    let kind = string(&mut fields, "type")?;
    match kind.as_deref() {
        Some("refusal") => {
            let text = string(&mut fields, "refusal")?;
            Ok(text.map(|text| (AssistantPart::Refusal(text), fields.rest())))
        }
        Some(kind @ ("output_text" | "input_text" | "text")) => {
            let Some(text) = string(&mut fields, "text")? else { return Ok(None) };
            let cited =
                fields.take_if("annotations", |all| all.is_list(), |all| all.each(citation))?;
            let citations = cited.unwrap_or_default();
            let mut extras = fields.rest();
            if kind != "output_text" {
                extras.set("type", ir::RawJson::string(kind));
            }
            let said = Said { text, citations, ..Said::default() };
            Ok(Some((AssistantPart::Text(said), extras)))
        }
        _ => Ok(None),
    }
}

/// Reads an annotation.
pub(super) fn citation(annotation: Value<'_, '_>) -> Result<Citation, DecodeError> {
    let raw = opaque(annotation);
    let none = Citation { url: None, title: None, quote: None, span: None, raw };
    if !annotation.is_object() {
        return Ok(none);
    }
    let mut fields = annotation.object()?;
    let url = string(&mut fields, "url")?;
    let title = string(&mut fields, "title")?;
    let title = title.map_or_else(|| string(&mut fields, "filename"), |title| Ok(Some(title)))?;
    let start = fields.take_if("start_index", |at| at.count().is_ok(), |at| at.count())?;
    let end = fields.take_if("end_index", |at| at.count().is_ok(), |at| at.count())?;
    Ok(Citation { url, title, span: start.zip(end), ..none })
}

/// Writes a message's content.
pub(super) fn write(out: &mut Vec<u8>, parts: &[(&AssistantPart, Extras)]) {
    json::list(out, parts, |out, (part, extras)| match part {
        AssistantPart::Text(said) => text(out, said, extras),
        AssistantPart::Refusal(said) => json::object(out, |part| {
            part.field("type", "refusal");
            part.field("refusal", said);
            part.extras(extras);
        }),
        _ => out.extend_from_slice(b"null"),
    });
}

fn text(out: &mut Vec<u8>, said: &Said, extras: &Extras) {
    json::object(out, |part| {
        if extras.get("type").is_none() {
            part.field("type", "output_text");
        }
        part.field("text", &said.text);
        let length = said.text.chars().count();
        part.with("annotations", |out| {
            let cited = said.citations.iter().filter(|cited| tellable(cited));
            json::list(out, cited, |out, cited| write_citation(out, cited, length));
        });
        part.extras(extras);
    });
}

/// Returns whether the dialect can say a citation: its own, or one of a place on the web.
pub(super) fn tellable(citation: &Citation) -> bool {
    citation.raw.dialect == HERE || citation.url.is_some()
}

/// Writes a citation; one without a span rests under the whole text so far.
pub(super) fn write_citation(out: &mut Vec<u8>, citation: &Citation, length: usize) {
    if citation.raw.dialect == HERE {
        return out.extend_from_slice(citation.raw.raw.text().as_bytes());
    }
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let (start, end) = citation.span.unwrap_or((0, length));
    let url = citation.url.as_deref().unwrap_or_default();
    json::object(out, |written: &mut Object<'_>| {
        written.field("type", "url_citation");
        written.field("url", url);
        written.field("title", citation.title.as_deref().unwrap_or(url));
        written.field("start_index", &start);
        written.field("end_index", &end);
    });
}
