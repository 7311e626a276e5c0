//! Thoughts: `reasoning_content`, `reasoning`, and `reasoning_details` with what must go back.
//!
//! The details (OpenRouter, MiniMax, Vercel) repeat the text of the plain fields and add signatures
//! and encrypted thoughts; their list is the carrier of the thoughts, written back as it came. In an
//! answer from another dialect its carriers are sealed into details of ours, in a format of our own,
//! which clients of these hosts send back unread:
//!
//! ```text
//! {"type":"reasoning.text","text":…,"format":"pointsman","index":0}
//! {"type":"reasoning.encrypted","data":"pm1.this.…","format":"pointsman","index":0}
//! ```
//!
//! A carrier of a text, which has no place of its own here, is sealed alike and says so (`next`). Only
//! a client's request is opened: what a provider sends stays sealed, since it may be a gateway itself.

use ir::dialect::ThoughtsField;
use ir::{AssistantPart, Dialect, Opaque, RawJson, Reasoning};
use serde_json::value::RawValue;

use super::request::Writing;
use crate::decode::DecodeError;
use crate::envelope::{self, Of};
use crate::fields::{Fields, Value};
use crate::json::{self, Object};

const HERE: Dialect = Dialect::OpenaiChat;

/// The format of the details that are ours.
const OURS: &str = "pointsman";

/// Whose message is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A client's, which brings back what was sealed for it.
    Client,
    /// A provider's.
    Provider,
}

/// The thoughts of one message.
#[derive(Debug, Default)]
pub(super) struct Thoughts {
    pub(super) parts: Vec<Reasoning>,
    /// Carriers of the message's texts.
    pub(super) of_texts: Vec<Opaque>,
}

/// One of the details.
struct Detail {
    raw: RawJson,
    text: String,
    data: Option<String>,
    ours: bool,
    index: u64,
}

/// Takes the thoughts out of a message.
pub(super) fn read(fields: &mut Fields<'_, '_>, whose: Whose) -> Result<Thoughts, DecodeError> {
    let text = read_text(fields)?;
    let listed = fields.take_if(
        "reasoning_details",
        |list| details(list).is_some_and(|details| !details.is_empty()),
        |list| Ok((list.keep(), details(list).unwrap_or_default())),
    )?;
    let plain = |text| Reasoning { text, carrier: None };
    let Some((raw, details)) = listed else {
        let parts = text.map(plain).into_iter().collect();
        return Ok(Thoughts { parts, of_texts: Vec::new() });
    };
    if whose == Whose::Client && details.iter().any(|detail| detail.ours) {
        let mut opened = open(details);
        if let Some(text) = text
            && opened.parts.iter().all(|part| part.text.is_empty())
        {
            match opened.parts.first_mut() {
                Some(first) => first.text = text,
                None => opened.parts.push(plain(text)),
            }
        }
        return Ok(opened);
    }
    let text = text.unwrap_or_else(|| details.into_iter().map(|detail| detail.text).collect());
    let carrier = Some(Opaque { dialect: HERE, raw });
    Ok(Thoughts { parts: vec![Reasoning { text, carrier }], of_texts: Vec::new() })
}

/// Takes the thoughts out of the two plain fields that hosts use; where both say the same they are
/// one, and where they differ the second stays among the rest.
fn read_text(fields: &mut Fields<'_, '_>) -> Result<Option<String>, DecodeError> {
    let long =
        fields.take_if("reasoning_content", |text| text.is_string(), |text| text.string())?;
    let Some(long) = long else {
        return fields.take_if("reasoning", |text| text.is_string(), |text| text.string());
    };
    let same =
        |raw: &RawValue| serde_json::from_str::<String>(raw.get()).is_ok_and(|short| short == long);
    if fields.peek("reasoning").is_some_and(same) {
        fields.take("reasoning", |_| Ok(()))?;
    }
    Ok(Some(long))
}

/// Reads the details; a list of anything but objects is none.
fn details(list: Value<'_, '_>) -> Option<Vec<Detail>> {
    if !list.is_list() {
        return None;
    }
    let read = |detail: Value<'_, '_>| {
        let mut fields = detail.object()?;
        let mut text = |name| fields.take_if(name, |text| text.is_string(), |text| text.string());
        let said = text("text")?.or(text("summary")?).unwrap_or_default();
        let (data, format) = (text("data")?, text("format")?);
        let index = fields.take_if("index", |at| at.count().is_ok(), |at| at.count())?;
        let ours = format.as_deref() == Some(OURS);
        Ok(Detail { raw: detail.keep(), text: said, data, ours, index: index.unwrap_or(0) })
    };
    list.each(read).ok()
}

/// Opens the details that are ours; those of a host stay one list.
fn open(details: Vec<Detail>) -> Thoughts {
    let mut thoughts = Thoughts::default();
    let (mut native, mut last) = (Vec::new(), None);
    for detail in details {
        if !detail.ours {
            native.push(detail);
            continue;
        }
        let opened = detail.data.as_deref().and_then(envelope::open);
        if let Some((carrier, Of::Next)) = opened {
            thoughts.of_texts.push(carrier);
            continue;
        }
        if last != Some(detail.index) {
            thoughts.parts.push(Reasoning::default());
            last = Some(detail.index);
        }
        if let Some(part) = thoughts.parts.last_mut() {
            part.text.push_str(&detail.text);
            part.carrier = opened.map(|(carrier, _)| carrier).or_else(|| part.carrier.take());
        }
    }
    if !native.is_empty() {
        let text = native.iter().map(|detail| detail.text.as_str()).collect();
        let list: Vec<&str> = native.iter().map(|detail| detail.raw.text()).collect();
        let carrier = Some(Opaque { dialect: HERE, raw: listed(&list.join(",")) });
        thoughts.parts.insert(0, Reasoning { text, carrier });
    }
    thoughts
}

fn listed(items: &str) -> RawJson {
    RawJson::parse(format!("[{items}]")).expect("invariant: a list of JSON values is JSON")
}

/// Returns the list of details that carries these thoughts, if one does; thoughts may also be
/// carried by the part of the content that they are (Mistral).
fn list_of(thoughts: &Reasoning) -> Option<&RawJson> {
    let carrier = thoughts.carrier.as_ref().filter(|carrier| carrier.dialect == HERE)?;
    carrier.raw.text().starts_with('[').then_some(&carrier.raw)
}

/// Returns the part of the content that these thoughts are, if they are one.
pub(super) fn part_of(thoughts: &Reasoning) -> Option<&RawJson> {
    let carrier = thoughts.carrier.as_ref().filter(|carrier| carrier.dialect == HERE)?;
    carrier.raw.text().starts_with('{').then_some(&carrier.raw)
}

/// The thoughts that stand in fields of the message, each with its place in the turn.
fn apart(parts: &[AssistantPart]) -> Vec<(usize, &Reasoning)> {
    let mut thoughts = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if let AssistantPart::Reasoning(thought) = part
            && part_of(thought).is_none()
        {
            thoughts.push((at, thought));
        }
    }
    thoughts
}

fn text_of(thoughts: &[(usize, &Reasoning)]) -> String {
    thoughts.iter().map(|(_, thoughts)| thoughts.text.as_str()).collect()
}

/// Writes a text as a detail.
pub(super) fn text_detail(out: &mut Vec<u8>, text: &str, format: &str, index: usize) {
    json::object(out, |detail| {
        detail.field("type", "reasoning.text");
        detail.field("text", text);
        detail.field("format", format);
        detail.field("index", &index);
    });
}

fn sealed_detail(out: &mut Vec<u8>, carrier: &Opaque, of: Of, index: usize) {
    json::object(out, |detail| {
        detail.field("type", "reasoning.encrypted");
        detail.field("data", &envelope::seal(carrier, of));
        detail.field("format", OURS);
        detail.field("index", &index);
    });
}

/// Writes one item of a list, with the comma before it.
fn item(list: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if !list.is_empty() {
        list.push(b',');
    }
    write(list);
}

/// Adds the details of these thoughts to a list without its brackets.
pub(super) fn details_of(list: &mut Vec<u8>, thoughts: &Reasoning, index: usize) {
    if let Some(own) = list_of(thoughts) {
        let text = own.text().trim();
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        item(list, |out| out.extend_from_slice(inner.as_bytes()));
        return;
    }
    if !thoughts.text.is_empty() {
        item(list, |out| text_detail(out, &thoughts.text, OURS, index));
    }
    if let Some(carrier) = &thoughts.carrier {
        item(list, |out| sealed_detail(out, carrier, Of::This, index));
    }
}

/// Adds the carrier of a text to a list without its brackets.
pub(super) fn detail_of_text(list: &mut Vec<u8>, carrier: &Opaque, index: usize) {
    item(list, |out| sealed_detail(out, carrier, Of::Next, index));
}

/// Writes a list without its brackets as the details.
pub(super) fn write_details(message: &mut Object<'_>, list: &[u8]) {
    if !list.is_empty() {
        message.with("reasoning_details", |out| {
            out.push(b'[');
            out.extend_from_slice(list);
            out.push(b']');
        });
    }
}

/// Writes the thoughts of an answer.
pub(super) fn write_answer(message: &mut Object<'_>, parts: &[AssistantPart]) {
    let thoughts = apart(parts);
    let text = text_of(&thoughts);
    let carried = thoughts.iter().any(|(_, thoughts)| thoughts.carrier.is_some());
    if !text.is_empty() || thoughts.iter().any(|(_, thoughts)| thoughts.carrier.is_none()) {
        message.field("reasoning_content", &text);
    }
    let mut list = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        match part {
            AssistantPart::Reasoning(thoughts) if carried && part_of(thoughts).is_none() => {
                details_of(&mut list, thoughts, at);
            }
            // An empty text goes without its carrier: clients would take it for the answer, and
            // Google demands signatures on calls only.
            AssistantPart::Text(ir::Said { carrier: Some(carrier), text, .. })
                if !text.is_empty() =>
            {
                detail_of_text(&mut list, carrier, at);
            }
            _ => {}
        }
    }
    write_details(message, &list);
}

/// Writes the thoughts of an earlier turn into the field that the host takes them back in. Spoken
/// here they go back as they came; a host that takes none (OpenAI) refuses the field.
pub(super) fn write_earlier(
    message: &mut Object<'_>,
    parts: &[AssistantPart],
    path: &str,
    writing: &mut Writing,
) {
    let thoughts = apart(parts);
    let home = writing.losses.home();
    let field = writing.quirks.thoughts;
    for (at, part) in &thoughts {
        let path = format!("{path}.parts[{at}]");
        if field == ThoughtsField::None && !home {
            writing.losses.because(path, "this host takes no thoughts of earlier turns back");
        } else if let Some(carrier) = &part.carrier {
            let own = writing.losses.opaque(&format!("{path}.carrier"), carrier).is_some();
            if own && !home && field != ThoughtsField::Details {
                writing.losses.because(path, "this host takes only the text of thoughts back");
            }
        }
    }
    let text = text_of(&thoughts);
    let mut list = Vec::new();
    for (at, part) in &thoughts {
        match list_of(part) {
            Some(_) => details_of(&mut list, part, *at),
            None if field == ThoughtsField::Details && !part.text.is_empty() => {
                item(&mut list, |out| text_detail(out, &part.text, "unknown", *at));
            }
            None => {}
        }
    }
    let name = match field {
        ThoughtsField::None if home => "reasoning_content",
        ThoughtsField::None => return,
        ThoughtsField::ReasoningContent => "reasoning_content",
        ThoughtsField::Reasoning => "reasoning",
        ThoughtsField::Details => return write_details(message, &list),
    };
    // DeepSeek demands the field in turns that call tools, thoughts or none.
    let demanded = !home
        && field == ThoughtsField::ReasoningContent
        && parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
    let unsealed = thoughts.iter().any(|(_, thoughts)| thoughts.carrier.is_none());
    if demanded || unsealed || !text.is_empty() {
        message.field(name, &text);
    }
    if home {
        write_details(message, &list);
    }
}
