//! Items of the model: read into the parts of one turn, and a turn's parts grouped into items again.

use std::collections::HashMap;

use ir::{
    Arguments, AssistantPart, AssistantTurn, CallKind, Extras, Image, Opaque, RawJson, Reasoning,
    Said, Seed, Source, ToolCall,
};

use super::content::{opaque, string};
use super::made::made;
use super::said;
use crate::decode::DecodeError;
use crate::envelope::{self, Of};
use crate::fields::{self, Fields, Value};
use crate::json;

/// What the keys of items begin with among a turn's extras.
const KEY: &str = "item_";

/// The types of items that are understood.
pub(super) const MESSAGE: &str = "message";
pub(super) const CALL: &str = "function_call";
pub(super) const CUSTOM_CALL: &str = "custom_tool_call";
pub(super) const THOUGHTS: &str = "reasoning";
pub(super) const PICTURE: &str = "image_generation_call";

/// Returns the type of a call's item.
pub(super) fn called(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Function => CALL,
        CallKind::Custom => CUSTOM_CALL,
    }
}

/// Returns the name under which a turn's extras keep what an item said beside its content.
pub(super) fn key(first_part: usize) -> String {
    format!("{KEY}{first_part}")
}

/// Returns the first part of the item that a name among a turn's extras stands for.
pub(super) fn part_of<T: std::str::FromStr>(name: &str) -> Option<T> {
    name.strip_prefix(KEY)?.parse().ok()
}

/// A turn of the model while its items are read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    turn: AssistantTurn,
    /// A carrier of another dialect that belongs on the part after it.
    next: Option<Opaque>,
    /// What makes the ids of calls without one, and how many parts came before.
    seed: Option<(Seed, usize)>,
}

impl Gathered {
    /// Begins a turn of an answer, in which a call without an id is given one; `before` parts were
    /// read already.
    pub(super) fn of_answer(seed: Seed, before: usize) -> Self {
        Self { seed: Some((seed, before)), ..Self::default() }
    }

    /// Adds an item.
    pub(super) fn add(&mut self, item: Value<'_, '_>) -> Result<(), DecodeError> {
        let mut fields = item.object()?;
        let kind = string(&mut fields, "type")?;
        match kind.as_deref() {
            Some(MESSAGE) | None => self.message(item, fields),
            Some(CALL) => self.call(fields, CallKind::Function),
            Some(CUSTOM_CALL) => self.call(fields, CallKind::Custom),
            Some(THOUGHTS) => self.thoughts(item),
            Some(PICTURE) => self.picture(item, fields),
            Some(_) => {
                self.push(AssistantPart::Other(opaque(item)));
                Ok(())
            }
        }
    }

    /// Returns the turn, when anything was said.
    pub(super) fn finish(mut self) -> Option<AssistantTurn> {
        if let Some(carrier) = self.next.take() {
            self.push(AssistantPart::Reasoning(lone(carrier)));
        }
        (!self.turn.parts.is_empty()).then_some(self.turn)
    }

    fn message(
        &mut self,
        item: Value<'_, '_>,
        mut fields: Fields<'_, '_>,
    ) -> Result<(), DecodeError> {
        let role = string(&mut fields, "role")?;
        if role.is_some_and(|role| role != "assistant") {
            self.push(AssistantPart::Other(opaque(item)));
            return Ok(());
        }
        let read = |content: Value<'_, '_>| {
            if content.is_string() {
                let said = Said { text: content.string()?, ..Said::default() };
                return Ok(Some(vec![(AssistantPart::Text(said), Extras::default())]));
            }
            let parts = content.each(said::read)?;
            Ok(parts.into_iter().collect::<Option<Vec<_>>>())
        };
        let known = |content: Value<'_, '_>| content.is_string() || content.is_list();
        let parts = fields.take_if("content", known, read)?.flatten().unwrap_or_default();
        if parts.is_empty() {
            self.push(AssistantPart::Other(opaque(item)));
            return Ok(());
        }
        let (parts, contents): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        self.keep(Shell { kind: MESSAGE.to_owned(), rest: fields.rest(), contents });
        parts.into_iter().for_each(|part| self.push(part));
        Ok(())
    }

    fn call(&mut self, mut fields: Fields<'_, '_>, kind: CallKind) -> Result<(), DecodeError> {
        let id = match self.seed {
            Some((seed, before)) => string(&mut fields, "call_id")?
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| seed.call_id(before + self.turn.parts.len())),
            None => fields.need("call_id", |id| id.string())?,
        };
        let name = fields.need("name", |name| name.string())?;
        let arguments = fields.take(argument(kind), arguments)?.unwrap_or_default();
        self.keep(Shell::beside(called(kind), fields.rest()));
        self.push(AssistantPart::ToolCall(ToolCall {
            id,
            name,
            kind,
            arguments: Arguments(arguments),
            carrier: None,
            cache: None,
            extras: Extras::default(),
        }));
        Ok(())
    }

    /// Reads thoughts, which carry their whole item; one that only travelled through a client of
    /// ours holds what another dialect sealed into it, or nothing.
    fn thoughts(&mut self, item: Value<'_, '_>) -> Result<(), DecodeError> {
        let mut fields = item.object()?;
        let text = thoughts(item)?.0;
        let sealed = string(&mut fields, "encrypted_content")?;
        let carrier = match sealed.as_deref().map(|sealed| (envelope::open(sealed), sealed)) {
            Some((Some((carrier, Of::Next)), _)) => {
                self.next = Some(carrier);
                return Ok(());
            }
            Some((Some((carrier, Of::This)), _)) => Some(carrier),
            Some((None, sealed)) if !sealed.is_empty() => Some(opaque(item)),
            _ => {
                let id = string(&mut item.object()?, "id")?;
                (!id.is_some_and(|id| made(&id))).then(|| opaque(item))
            }
        };
        if self.seed.is_some() {
            // A stream must name the item before the carrier, which comes at its end.
            let id = fields.take_if("id", |id| id.is_string(), |id| Ok(id.keep()))?;
            let named = Extras(id.into_iter().map(|id| ("id".to_owned(), id)).collect());
            self.keep(Shell::beside(THOUGHTS, named));
        }
        self.push(AssistantPart::Reasoning(Reasoning { text, carrier }));
        Ok(())
    }

    fn picture(
        &mut self,
        item: Value<'_, '_>,
        mut fields: Fields<'_, '_>,
    ) -> Result<(), DecodeError> {
        let picture = picture(&mut fields)?;
        let Some((media_type, base64)) = picture else {
            self.push(AssistantPart::Other(opaque(item)));
            return Ok(());
        };
        self.keep(Shell::beside(PICTURE, fields.rest()));
        self.push(AssistantPart::Image(Image {
            source: Source::Inline { media_type, base64 },
            detail: None,
            cache: None,
            extras: Extras::default(),
        }));
        Ok(())
    }

    /// Keeps what the next item says beside its content.
    fn keep(&mut self, shell: Shell) {
        if let Some(raw) = shell.kept() {
            self.turn.extras.0.push((key(self.turn.parts.len()), raw));
        }
    }

    fn push(&mut self, mut part: AssistantPart) {
        match (&mut part, self.next.take()) {
            (AssistantPart::Text(Said { carrier, .. }), Some(next))
            | (AssistantPart::ToolCall(ToolCall { carrier, .. }), Some(next)) => {
                *carrier = Some(next);
            }
            (_, Some(next)) => self.turn.parts.push(AssistantPart::Reasoning(lone(next))),
            (_, None) => {}
        }
        self.turn.parts.push(part);
    }
}

fn lone(carrier: Opaque) -> Reasoning {
    Reasoning { text: String::new(), carrier: Some(carrier) }
}

/// Returns the field of a call's arguments.
pub(super) fn argument(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Function => "arguments",
        CallKind::Custom => "input",
    }
}

/// Reads arguments; some hosts write the object itself where the dialect says a string.
pub(super) fn arguments(text: Value<'_, '_>) -> Result<String, DecodeError> {
    if text.is_string() { text.string() } else { Ok(text.raw.get().to_owned()) }
}

/// Where an item's thoughts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// In its content, as they are.
    Content,
    /// In its summary.
    Summary,
}

/// Reads the thoughts of an item: as they are where the host shows them, else their summary.
pub(super) fn thoughts(item: Value<'_, '_>) -> Result<(String, Shown), DecodeError> {
    let content = texts(item, "content")?;
    if content.is_empty() {
        return Ok((texts(item, "summary")?, Shown::Summary));
    }
    Ok((content, Shown::Content))
}

/// Joins the texts of a list of parts.
pub(super) fn texts(item: Value<'_, '_>, field: &str) -> Result<String, DecodeError> {
    let text = |part: Value<'_, '_>| {
        if !part.is_object() {
            return Ok(String::new());
        }
        Ok(string(&mut part.object()?, "text")?.unwrap_or_default())
    };
    let all = item.object()?.take_if(field, |list| list.is_list(), |list| list.each(text))?;
    let mut all = all.unwrap_or_default();
    all.retain(|text| !text.is_empty());
    Ok(all.join(PARAGRAPH))
}

/// What stands between two pieces of thoughts.
pub(super) const PARAGRAPH: &str = "\n\n";

/// Takes the media type and the bytes of a picture the model made.
pub(super) fn picture(
    fields: &mut Fields<'_, '_>,
) -> Result<Option<(String, String)>, DecodeError> {
    let result = fields.take_if(
        "result",
        |result| result.raw.get().len() > 2 && result.is_string(),
        |result| result.string(),
    )?;
    let format = fields.peek("output_format").map_or("\"png\"", |raw| raw.get());
    Ok(result.map(|result| (format!("image/{}", format.trim_matches('"')), result)))
}

/// What an item says beside its content, and each part of its content beside its text.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Shell {
    /// The item's type: a part that became another is no longer that item.
    pub(super) kind: String,
    pub(super) rest: Extras,
    pub(super) contents: Vec<Extras>,
}

impl Shell {
    /// Begins the shell of an item whose content is one.
    pub(super) fn beside(kind: &str, rest: Extras) -> Self {
        Self { kind: kind.to_owned(), rest, contents: Vec::new() }
    }

    /// Returns the shell as it is kept among a turn's extras; `None` when it says nothing.
    pub(super) fn kept(mut self) -> Option<RawJson> {
        let own = |raw: &RawJson| raw.value().as_str().is_some_and(|id| !made(id));
        if !self.rest.get("id").is_some_and(own) {
            let empty = |name: &str, raw: &RawJson| {
                name == "id" || name == "status" && raw.text() == "\"completed\""
            };
            self.rest.0.retain(|(name, raw)| !empty(name, raw));
        }
        let plain = self.contents.len() <= 1 && self.contents.iter().all(Extras::is_empty);
        if plain && self.rest.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        json::object(&mut out, |shell| {
            shell.field("type", &self.kind);
            shell.extras(&self.rest);
            if !plain {
                shell.with("content", |out| {
                    json::list(out, &self.contents, |out, extras| {
                        json::object(out, |part| part.extras(extras));
                    });
                });
            }
        });
        let text = String::from_utf8(out).expect("invariant: JSON is text");
        Some(RawJson::parse(text).expect("invariant: written here as JSON"))
    }

    /// Reads a shell that was kept; anything else is none.
    pub(super) fn parse(raw: &RawJson) -> Self {
        let read = || {
            let mut fields = fields::body(raw.text().as_bytes())?;
            let contents =
                fields.take("content", |all| all.each(|part| Ok(part.object()?.rest())))?;
            Ok::<_, DecodeError>(Self {
                kind: string(&mut fields, "type")?.unwrap_or_default(),
                contents: contents.unwrap_or_default(),
                rest: fields.rest(),
            })
        };
        read().unwrap_or_default()
    }
}

/// An item a turn is written as.
#[derive(Debug)]
pub(super) enum Item<'t> {
    /// Texts and refusals.
    Message { parts: Vec<(&'t AssistantPart, Extras)>, shell: Extras },
    /// A call.
    Call(&'t ToolCall, Extras),
    /// Thoughts.
    Thoughts(&'t Reasoning),
    /// A picture.
    Picture(&'t Image, Extras),
    /// Anything else, whole.
    Whole(&'t Opaque),
}

/// Returns whether a part is a text of nothing.
pub(super) fn says_nothing(part: &AssistantPart) -> bool {
    matches!(part, AssistantPart::Text(said) if said.text.is_empty() && said.citations.is_empty())
}

/// Groups a turn's parts into items, each with the number of its first part: as they came when the
/// turn was spoken here, else an item a part.
pub(super) fn items(turn: &AssistantTurn, home: bool) -> Vec<(usize, Item<'_>)> {
    let kept = turn.extras.iter().filter(|_| home);
    let shells: HashMap<usize, &RawJson> =
        kept.filter_map(|(name, raw)| Some((part_of(name)?, raw))).collect();
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(part) = turn.parts.get(at) {
        let shell = shells.get(&at).map(|raw| Shell::parse(raw));
        let shell = shell.filter(|shell| Some(shell.kind.as_str()) == kind(part));
        let Shell { rest, contents, .. } = shell.unwrap_or_default();
        let (item, parts) = match part {
            AssistantPart::Text(_) | AssistantPart::Refusal(_) => {
                let wanted = contents.len().max(1);
                let mut contents = contents.into_iter();
                let parts: Vec<_> = turn.parts[at..]
                    .iter()
                    .take(wanted)
                    .take_while(|part| {
                        matches!(part, AssistantPart::Text(_) | AssistantPart::Refusal(_))
                    })
                    .map(|part| (part, contents.next().unwrap_or_default()))
                    .collect();
                let count = parts.len();
                (Item::Message { parts, shell: rest }, count)
            }
            AssistantPart::ToolCall(call) => (Item::Call(call, rest), 1),
            AssistantPart::Reasoning(thoughts) => (Item::Thoughts(thoughts), 1),
            AssistantPart::Image(image) => (Item::Picture(image, rest), 1),
            AssistantPart::Other(whole) => (Item::Whole(whole), 1),
        };
        items.push((at, item));
        at += parts.max(1);
    }
    items
}

/// Returns the type of the item a part belongs to, where items of that type keep shells.
fn kind(part: &AssistantPart) -> Option<&'static str> {
    match part {
        AssistantPart::Text(_) | AssistantPart::Refusal(_) => Some(MESSAGE),
        AssistantPart::ToolCall(call) => Some(called(call.kind)),
        AssistantPart::Image(_) => Some(PICTURE),
        AssistantPart::Reasoning(_) | AssistantPart::Other(_) => None,
    }
}
