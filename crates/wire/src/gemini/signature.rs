//! Thought signatures: what a part carries and must bring back. One of another dialect travels in
//! the same place, sealed; the official SDK reads that place as bytes in base64 and spells them again
//! in the alphabet for URLs, so that is what an envelope is wrapped in.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use ir::{AssistantPart, Dialect, Opaque, RawJson, Reasoning, Said};

use super::{HERE, opaque, spelling};
use crate::decode::DecodeError;
use crate::envelope::{self, Of};
use crate::fields::Fields;

/// The field's name.
pub(super) const NAME: &str = "thoughtSignature";

/// What a wrapped envelope begins with. Google's own signatures are long and need not be decoded.
const MARK: &str = "cG0x";

/// The signature that Google's models take in place of one, on calls that they did not make.
const DUMMY: &str = "skip_thought_signature_validator";

/// Returns what stands on a call that no model of Google's made.
pub(super) fn dummy() -> RawJson {
    RawJson::string(DUMMY)
}

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Takes the signature of a part.
pub(super) fn take(fields: &mut Fields<'_, '_>) -> Result<Option<Opaque>, DecodeError> {
    let read = |value: crate::fields::Value<'_, '_>| {
        Ok(opened(&value.string()?).unwrap_or_else(|| opaque(value)))
    };
    spelling::take_if(fields, NAME, |value| value.is_string(), read)
}

/// Opens the envelope in a signature.
fn opened(text: &str) -> Option<Opaque> {
    if !text.starts_with(MARK) {
        return None;
    }
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()?;
    envelope::open(std::str::from_utf8(&bytes).ok()?).map(|(opaque, _)| opaque)
}

/// Returns what stands in the field when a carrier is written for a client.
pub(super) fn sealed(carrier: &Opaque) -> RawJson {
    if carrier.dialect == HERE {
        return carrier.raw.clone();
    }
    RawJson::string(&STANDARD.encode(envelope::seal(carrier, Of::This)))
}

/// Returns whether a part says nothing at all: the last piece of a stream often does.
pub(super) fn is_empty(part: &AssistantPart) -> bool {
    plain(part).is_some_and(|(_, text)| text.is_empty())
}

/// What kind of prose a part is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prose {
    Text,
    Thought,
}

/// Returns the text of a part that says nothing else.
fn plain(part: &AssistantPart) -> Option<(Prose, &str)> {
    match part {
        AssistantPart::Reasoning(Reasoning { text, carrier: None }) => Some((Prose::Thought, text)),
        AssistantPart::Text(Said { text, carrier: None, extras, .. }) if extras.is_empty() => {
            Some((Prose::Text, text))
        }
        _ => None,
    }
}

/// Joins a text that one content ended with and the next begins with.
pub(super) fn mend(parts: &mut [AssistantPart], next: &mut Vec<AssistantPart>) {
    let Some((prose, more)) = next.first().and_then(plain) else { return };
    let Some(last) = parts.last_mut().filter(|last| plain(last).is_some_and(|(of, _)| of == prose))
    else {
        return;
    };
    match last {
        AssistantPart::Text(said) => said.text.push_str(more),
        AssistantPart::Reasoning(thoughts) => thoughts.text.push_str(more),
        _ => return,
    }
    next.remove(0);
}

/// Adds a part to those read before it. A stream brings a carrier of another dialect after the text
/// it belongs to, in an empty part, and clients keep the pieces as they came: they are one again here.
/// Thoughts that came twice, because what they carry was told once more in full, are what came last.
pub(super) fn gather(parts: &mut Vec<AssistantPart>, mut part: AssistantPart) {
    let (prose, text) = match &mut part {
        AssistantPart::Reasoning(Reasoning { text, carrier: Some(carrier) })
            if carrier.dialect != HERE =>
        {
            (Prose::Thought, text)
        }
        AssistantPart::Text(Said { text, carrier: Some(carrier), .. })
            if carrier.dialect != HERE =>
        {
            (Prose::Text, text)
        }
        _ => return parts.push(part),
    };
    if text.is_empty() {
        let goes_on = |part: &&AssistantPart| plain(part).is_some_and(|(of, _)| of == prose);
        let count = parts.iter().rev().take_while(goes_on).count();
        let pieces = parts.split_off(parts.len() - count);
        *text = pieces.iter().filter_map(plain).map(|(_, text)| text).collect();
    }
    if let AssistantPart::Reasoning(thoughts) = &part
        && let Some(before) = parts.iter_mut().find_map(|part| same_item(part, thoughts))
    {
        if !before.text.ends_with(&thoughts.text) {
            before.text.push_str(&thoughts.text);
        }
        before.carrier.clone_from(&thoughts.carrier);
        return;
    }
    parts.push(part);
}

/// Returns the thoughts of a part that carry the same as others: the same text, or an item of the
/// Responses API under the same id.
fn same_item<'p>(part: &'p mut AssistantPart, of: &Reasoning) -> Option<&'p mut Reasoning> {
    let AssistantPart::Reasoning(thoughts) = part else { return None };
    let (before, now) = (thoughts.carrier.as_ref()?, of.carrier.as_ref()?);
    // Thoughts that carry nothing of their provider's are marked as foreign with `null` alone.
    if before.dialect != now.dialect || before.dialect == HERE || now.raw.text() == "null" {
        return None;
    }
    let id = |carrier: &Opaque| match carrier.raw.value().get("id") {
        Some(serde_json::Value::String(id)) if !id.is_empty() => Some(id.clone()),
        _ => None,
    };
    let same = before.raw == now.raw
        || before.dialect == Dialect::OpenaiResponses
            && id(before).is_some_and(|own| id(now) == Some(own));
    same.then_some(thoughts)
}
