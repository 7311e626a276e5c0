//! The blocks of what a model said, written for a client, whatever dialect it was said in.

use ir::{AssistantPart, Citation, Dialect, Opaque, RawJson, Reasoning, Said, Source};

use super::HERE;
use super::assistant::{thinking, write_call, write_text, write_thinking};
use super::blocks::Blocks;
use crate::envelope::{self, Of};
use crate::ids;
use crate::json;

/// Writes what a model said for a client; what is foreign is sealed, and no empty text is written
/// abroad, since the client would send it back.
pub(super) fn write(blocks: &mut Blocks, parts: &[AssistantPart], spoken: Dialect) {
    let home = spoken == HERE;
    for part in parts {
        match part {
            // Gemini ends with an empty text that carries a signature. Google demands those of calls
            // alone, and whoever takes the last block for the answer must find the text there.
            AssistantPart::Text(said) if said.text.is_empty() && !home => {}
            AssistantPart::Text(said) => {
                write_sealed(blocks, said.carrier.as_ref());
                let citations: Vec<_> = said.citations.iter().map(citation).collect();
                write_text(blocks, said, &citations, Some(&said.extras).filter(|_| home));
            }
            AssistantPart::Refusal(text) if text.is_empty() => {}
            AssistantPart::Refusal(text) => {
                let said = Said { text: text.clone(), ..Said::default() };
                write_text(blocks, &said, &[], None);
            }
            AssistantPart::Reasoning(Reasoning { text, carrier }) => match carrier {
                None if text.is_empty() && !home => {}
                carrier => write_thinking(blocks, text, carrier.as_ref()),
            },
            AssistantPart::ToolCall(call) => {
                write_sealed(blocks, call.carrier.as_ref());
                let id = if home { call.id.clone() } else { ids::fit(&call.id, usize::MAX) };
                let carrier = call.carrier.as_ref().filter(|carrier| carrier.dialect == HERE);
                write_call(blocks, call, &id, carrier, Some(&call.extras).filter(|_| home));
            }
            AssistantPart::Image(image) => {
                let said = Said { text: picture(&image.source), ..Said::default() };
                write_text(blocks, &said, &[], None);
            }
            AssistantPart::Other(opaque) if opaque.dialect == HERE => blocks.raw(&opaque.raw),
            AssistantPart::Other(_) => {}
        }
    }
}

/// Writes a foreign carrier in front of its part, which has no place for it.
fn write_sealed(blocks: &mut Blocks, carrier: Option<&Opaque>) {
    if let Some(carrier) = carrier.filter(|carrier| carrier.dialect != HERE) {
        thinking(blocks, "", &envelope::seal(carrier, Of::Next));
    }
}

/// Returns a picture in Markdown: an answer has no block for one.
fn picture(source: &Source) -> String {
    match source {
        Source::Inline { media_type, base64 } => format!("{}{base64})", picture_start(media_type)),
        Source::Url { url, .. } | Source::Uploaded(url) => format!("![image]({url})"),
    }
}

/// Returns what stands before the bytes of a picture in Markdown.
pub(super) fn picture_start(media_type: &str) -> String {
    format!("![image](data:{media_type};base64,")
}

/// Returns a citation as it is written: a foreign one becomes a page of the web, sealed into the
/// field that only its maker reads.
pub(super) fn citation(citation: &Citation) -> RawJson {
    if citation.raw.dialect == HERE {
        return citation.raw.raw.clone();
    }
    let mut bytes = Vec::with_capacity(128);
    json::object(&mut bytes, |written| {
        written.field("type", "web_search_result_location");
        written.field("cited_text", citation.quote.as_deref().unwrap_or_default());
        written.field("url", citation.url.as_deref().unwrap_or_default());
        written.field("title", &citation.title);
        written.field("encrypted_index", &envelope::seal(&citation.raw, Of::This));
    });
    let text = String::from_utf8(bytes).expect("invariant: JSON is text");
    RawJson::parse(text).expect("invariant: written here as JSON")
}
