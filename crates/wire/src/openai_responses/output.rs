//! The items of an answer, as a client of this dialect must have them: every item with an id, and
//! what another dialect needs back sealed into thoughts, which clients send back unread.

use ir::{
    AssistantPart, AssistantTurn, CallKind, Dialect, Extras, Image, Opaque, RawJson, Reasoning,
    Source, ToolCall,
};

use super::item::{self, Item};
use super::made::Maker;
use super::said;
use crate::arguments;
use crate::envelope::{self, Of};
use crate::json::{self, Object};

const HERE: Dialect = Dialect::OpenaiResponses;

/// Writes the items of a turn as a list.
pub(super) fn write(out: &mut Vec<u8>, turn: &AssistantTurn, home: bool, maker: Maker) {
    let mut written: Vec<Vec<u8>> = Vec::new();
    for (_, item) in item::items(turn, home) {
        // A message of nothing would be taken for the answer. Its carrier goes with it: Google
        // demands signatures on calls only.
        if let (Item::Message { parts, .. }, false) = (&item, home)
            && parts.iter().all(|(part, _)| item::says_nothing(part))
        {
            continue;
        }
        if let Some(carrier) = before(&item) {
            let id = maker.item("rs", written.len());
            written.push(sealed(&id, carrier));
        }
        let nth = written.len();
        written.extend(one(&item, nth, maker, home));
    }
    json::list(out, written, |out, item| out.extend_from_slice(&item));
}

/// Returns the foreign carrier of an item that has no place for it.
fn before<'t>(item: &Item<'t>) -> Option<&'t Opaque> {
    let carrier = match item {
        Item::Message { parts, .. } => parts.iter().find_map(|(part, _)| match part {
            AssistantPart::Text(said) => said.carrier.as_ref(),
            _ => None,
        }),
        Item::Call(call, _) => call.carrier.as_ref(),
        Item::Thoughts(_) | Item::Picture(..) | Item::Whole(_) => None,
    };
    carrier.filter(|carrier| carrier.dialect != HERE)
}

fn one(item: &Item<'_>, nth: usize, maker: Maker, home: bool) -> Option<Vec<u8>> {
    Some(match item {
        Item::Message { parts, shell } => {
            message(&Standing::of(shell, "msg", nth, maker), parts, shell)
        }
        Item::Call(written, shell) => {
            let prefix = call_prefix(written.kind);
            let standing = Standing::of(shell, prefix, nth, maker);
            call(&standing, written, arguments::said(written, home), shell)
        }
        Item::Thoughts(written) => thoughts(&maker.item("rs", nth), written),
        Item::Picture(image, shell) => {
            picture(&Standing::of(shell, "ig", nth, maker), image, shell)?
        }
        Item::Whole(whole) if whole.dialect == HERE => whole.raw.text().as_bytes().to_vec(),
        Item::Whole(_) => return None,
    })
}

/// Returns what the ids of a call's item begin with.
pub(super) fn call_prefix(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Function => "fc",
        CallKind::Custom => "ctc",
    }
}

/// An item's id and status, where they are not among what its shell says.
#[derive(Debug, Default, Clone)]
pub(super) struct Standing {
    /// The id, when it was made here.
    pub(super) id: Option<String>,
    /// The status.
    pub(super) status: Option<&'static str>,
}

impl Standing {
    /// Stands for a complete item: one that came without an id is given one.
    pub(super) fn of(shell: &Extras, prefix: &str, nth: usize, maker: Maker) -> Self {
        if shell.get("id").is_some() {
            return Self::default();
        }
        let status = if shell.get("status").is_none() { Some("completed") } else { None };
        Self { id: Some(maker.item(prefix, nth)), status }
    }

    /// Writes id and status.
    pub(super) fn write(&self, item: &mut Object<'_>) {
        item.optional("id", self.id.as_ref());
        item.optional("status", self.status);
    }
}

/// Writes a message.
pub(super) fn message(
    standing: &Standing,
    parts: &[(&AssistantPart, Extras)],
    shell: &Extras,
) -> Vec<u8> {
    item("message", |item| {
        standing.write(item);
        item.field("role", "assistant");
        item.with("content", |out| said::write(out, parts));
        item.extras(shell);
    })
}

/// Writes a call with these arguments.
pub(super) fn call(
    standing: &Standing,
    call: &ToolCall,
    arguments: &str,
    shell: &Extras,
) -> Vec<u8> {
    item(item::called(call.kind), |item| {
        standing.write(item);
        item.field("call_id", &call.id);
        item.field("name", &call.name);
        item.field(item::argument(call.kind), arguments);
        item.extras(shell);
    })
}

/// Writes thoughts: an item of this dialect as it came; another's with its carrier sealed.
pub(super) fn thoughts(id: &str, thoughts: &Reasoning) -> Vec<u8> {
    if let Some(own) = thoughts.carrier.as_ref().filter(|carrier| carrier.dialect == HERE) {
        return own.raw.text().as_bytes().to_vec();
    }
    item("reasoning", |item| {
        item.field("id", id);
        item.with("summary", |out| summary(out, &thoughts.text));
        if let Some(carrier) = &thoughts.carrier {
            item.field("encrypted_content", &envelope::seal(carrier, Of::This));
        }
    })
}

/// Writes empty thoughts that hold a carrier of the item after them.
pub(super) fn sealed(id: &str, carrier: &Opaque) -> Vec<u8> {
    item("reasoning", |item| {
        item.field("id", id);
        item.with("summary", |out| summary(out, ""));
        item.field("encrypted_content", &envelope::seal(carrier, Of::Next));
    })
}

fn summary(out: &mut Vec<u8>, text: &str) {
    let texts = Some(text).filter(|text| !text.is_empty());
    json::list(out, texts, summary_part);
}

/// Writes a part of a summary.
pub(super) fn summary_part(out: &mut Vec<u8>, text: &str) {
    json::object(out, |part| {
        part.field("type", "summary_text");
        part.field("text", text);
    });
}

/// Writes a picture, when its bytes are there: a client of this dialect cannot be sent elsewhere.
pub(super) fn picture(standing: &Standing, image: &Image, shell: &Extras) -> Option<Vec<u8>> {
    let Source::Inline { media_type, base64 } = &image.source else { return None };
    Some(item("image_generation_call", |item| {
        standing.write(item);
        item.field("result", base64);
        let format = media_type.strip_prefix("image/").unwrap_or("png");
        if format != "png" && shell.get("output_format").is_none() {
            item.field("output_format", format);
        }
        item.extras(shell);
    }))
}

fn item(kind: &str, fill: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    json::object(&mut out, |item| {
        item.field("type", kind);
        fill(item);
    });
    out
}

/// Returns the id of an item as it came.
pub(super) fn id_of(raw: &RawJson) -> Option<String> {
    raw.value().get("id")?.as_str().map(str::to_owned)
}
