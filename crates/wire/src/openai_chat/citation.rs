//! Citations: `annotations` of a message, each a `url_citation`.
//!
//! A list that holds anything else, or that nobody can say which text it belongs to, stays among the
//! extras of the turn.

use std::ops::Range;

use ir::{AssistantPart, Citation, Dialect};

use super::message::opaque;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json;

const HERE: Dialect = Dialect::OpenaiChat;

/// Takes the annotations of a message as citations of its one text.
pub(super) fn take(
    fields: &mut Fields<'_, '_>,
    parts: &mut [AssistantPart],
) -> Result<(), DecodeError> {
    let mut texts = parts.iter_mut().filter_map(|part| match part {
        AssistantPart::Text(said) => Some(said),
        _ => None,
    });
    if let (Some(said), None) = (texts.next(), texts.next())
        && let Some(cited) = read(fields)?
    {
        said.citations = cited;
    }
    Ok(())
}

/// Takes annotations that are citations, all of them.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Option<Vec<Citation>>, DecodeError> {
    let cited = fields.take_if("annotations", |list| all(list).is_some(), |list| Ok(all(list)))?;
    Ok(cited.flatten())
}

fn all(list: Value<'_, '_>) -> Option<Vec<Citation>> {
    if !list.is_list() {
        return None;
    }
    let cited = list.each(|item| one(item).ok_or_else(|| item.expected("a citation"))).ok()?;
    (!cited.is_empty()).then_some(cited)
}

fn one(annotation: Value<'_, '_>) -> Option<Citation> {
    let raw = opaque(annotation);
    let mut fields = annotation.object().ok()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text()).ok()??;
    if kind != "url_citation" {
        return None;
    }
    let read = |place: Value<'_, '_>| {
        let mut place = place.object()?;
        let mut text = |name| place.take_if(name, |text| text.is_string(), |text| text.string());
        let (url, title, quote) = (text("url")?, text("title")?, text("content")?);
        let mut at = |name| place.take_if(name, |at| at.count().is_ok(), |at| at.count());
        // A host that does not know the span says 0 and 0.
        let span = at("start_index")?.zip(at("end_index")?).filter(|(from, to)| from < to);
        Ok(Citation { url, title, quote, span, raw: raw.clone() })
    };
    fields.take_if("url_citation", |place| place.is_object(), read).ok()?
}

/// Returns whether the dialect can say it: it is its own, or has an address.
pub(super) fn sayable(citation: &Citation) -> bool {
    citation.raw.dialect == HERE || citation.url.is_some()
}

/// Writes a citation of the text that stands at these characters; one without a span rests under the
/// whole text so far.
pub(super) fn write(out: &mut Vec<u8>, citation: &Citation, text: Range<u64>) {
    if citation.raw.dialect == HERE {
        out.extend_from_slice(citation.raw.raw.text().as_bytes());
        return;
    }
    let within = |at: u64| at.saturating_add(text.start);
    let (from, to) =
        citation.span.map_or((text.start, text.end), |(from, to)| (within(from), within(to)));
    json::object(out, |annotation| {
        annotation.field("type", "url_citation");
        annotation.nest("url_citation", |place| {
            place.field("url", citation.url.as_deref().unwrap_or_default());
            place.field("title", citation.title.as_deref().unwrap_or_default());
            // A span of nothing would say that nothing rests on it.
            if from < to {
                place.field("start_index", &from);
                place.field("end_index", &to);
            }
            place.optional("content", citation.quote.as_ref());
        });
    });
}
