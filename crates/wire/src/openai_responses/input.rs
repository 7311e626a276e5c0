//! The items of a request's input, as turns, and turns as items.

use std::collections::HashSet;

use ir::dialect::CallIds;
use ir::{
    AssistantPart, AssistantTurn, Authority, CallKind, Quirks, RawJson, Text, ToolResult, Turn,
    UserPart,
};

use super::content::{self, opaque, string, unmarked};
use super::item::{self, Gathered, Item, MESSAGE};
use super::said;
use crate::decode::DecodeError;
use crate::fields::Value;
use crate::ids;
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::openai_chat::custom;

/// The types of a tool's result.
const RESULT: &str = "function_call_output";
const CUSTOM_RESULT: &str = "custom_tool_call_output";

/// The longest id of a call that OpenAI takes.
const LONGEST_ID: usize = 64;

/// Reads an input: a string, or a list of items.
pub(super) fn read(input: Value<'_, '_>) -> Result<Vec<Turn>, DecodeError> {
    if input.is_string() {
        let text = Text { text: input.string()?, ..Text::default() };
        let extras = ir::Extras::default();
        return Ok(vec![Turn::User { parts: vec![UserPart::Text(text)], extras }]);
    }
    if !input.is_list() {
        return Err(input.expected("a string or a list of items"));
    }
    let mut reading = Reading::default();
    input.each(|item| reading.add(item))?;
    reading.flush();
    Ok(reading.turns)
}

#[derive(Default)]
struct Reading {
    turns: Vec<Turn>,
    said: Gathered,
    /// The calls of tools of free text.
    customs: HashSet<String>,
}

/// Whose an item is.
enum Whose {
    Model,
    User,
    Instruct(Authority),
    Result,
    Nobody,
}

impl Reading {
    fn add(&mut self, item: Value<'_, '_>) -> Result<(), DecodeError> {
        let mut fields = item.object()?;
        let kind = string(&mut fields, "type")?;
        let role = string(&mut fields, "role")?;
        let whose = whose(kind.as_deref(), role.as_deref());
        if let Whose::Model = whose {
            if kind.as_deref() == Some(item::CUSTOM_CALL) {
                self.customs.extend(string(&mut fields, "call_id")?);
            }
            return self.said.add(item);
        }
        self.flush();
        let turn = match whose {
            Whose::User => {
                let parts = fields.need("content", content::read)?;
                Turn::User { parts, extras: fields.rest() }
            }
            Whose::Instruct(authority) => {
                let parts = fields.need("content", content::read)?;
                Turn::Instruct { authority, parts, extras: fields.rest() }
            }
            Whose::Result => {
                let call = fields.need("call_id", |id| id.string())?;
                let known = |output: Value<'_, '_>| output.is_string() || output.is_list();
                let parts = fields.take_if("output", known, content::read)?.unwrap_or_default();
                let mut extras = fields.rest();
                let custom = kind.as_deref() == Some(CUSTOM_RESULT);
                if custom != self.customs.contains(&call) {
                    extras.set("type", RawJson::string(result_type(custom)));
                }
                let (name, failed, cache) = (None, None, None);
                Turn::Result(ToolResult { call, name, parts, failed, cache, extras })
            }
            Whose::Model | Whose::Nobody => Turn::Other(opaque(item)),
        };
        self.turns.push(turn);
        Ok(())
    }

    /// Ends the model's turn.
    fn flush(&mut self) {
        let said = std::mem::take(&mut self.said);
        self.turns.extend(said.finish().map(Turn::Assistant));
    }
}

fn result_type(custom: bool) -> &'static str {
    if custom { CUSTOM_RESULT } else { RESULT }
}

/// Decides whose an item is. What the caller ran is named an output or a response; anything else
/// that nobody knows was said by the model.
fn whose(kind: Option<&str>, role: Option<&str>) -> Whose {
    match (kind, role) {
        (Some(MESSAGE) | None, Some("assistant")) => Whose::Model,
        (Some(MESSAGE) | None, Some("user")) => Whose::User,
        (Some(MESSAGE) | None, Some("system")) => Whose::Instruct(Authority::System),
        (Some(MESSAGE) | None, Some("developer")) => Whose::Instruct(Authority::Developer),
        (Some(RESULT | CUSTOM_RESULT), None) => Whose::Result,
        (Some("item_reference") | None, _) | (_, Some(_)) => Whose::Nobody,
        (Some(kind), None) if kind.ends_with("_output") || kind.ends_with("_response") => {
            Whose::Nobody
        }
        (Some(_), None) => Whose::Model,
    }
}

/// Writes turns as items.
pub(super) struct Writing<'w> {
    pub(super) losses: &'w mut Losses,
    pub(super) quirks: Quirks,
    pub(super) items: Vec<Vec<u8>>,
    customs: HashSet<&'w str>,
}

impl<'w> Writing<'w> {
    /// Begins.
    pub(super) fn new(losses: &'w mut Losses, quirks: Quirks) -> Self {
        Self { losses, quirks, items: Vec::new(), customs: HashSet::new() }
    }

    /// Writes a turn.
    pub(super) fn turn(&mut self, at: usize, turn: &'w Turn) {
        let path = format!("turns[{at}]");
        match turn {
            Turn::Instruct { authority, parts, extras } => {
                let role = match authority {
                    Authority::System => "system",
                    Authority::Developer => "developer",
                };
                self.message(&path, role, parts, extras);
            }
            Turn::User { parts, extras } => self.message(&path, "user", parts, extras),
            Turn::Assistant(turn) => self.assistant(&path, turn),
            Turn::Result(result) => self.result(&path, result),
            Turn::Other(other) => {
                if let Some(own) = self.losses.opaque(&path, other) {
                    self.items.push(own.raw.text().as_bytes().to_vec());
                }
            }
        }
    }

    fn push(&mut self, fill: impl FnOnce(&mut Object<'_>, &mut Losses)) {
        let mut item = Vec::with_capacity(128);
        json::object(&mut item, |object| fill(object, self.losses));
        self.items.push(item);
    }

    fn message(&mut self, path: &str, role: &str, parts: &[UserPart], extras: &ir::Extras) {
        self.push(|item, losses| {
            item.field("role", role);
            item.with("content", |out| content::write(out, losses, path, parts));
            if let Some(extras) = losses.extras(path, extras) {
                item.extras(extras);
            }
        });
    }

    fn result(&mut self, path: &str, result: &ToolResult) {
        let id = self.call_id(&result.call);
        let custom = self.customs.contains(result.call.as_str());
        if result.failed == Some(true) {
            self.losses.lose(format!("{path}.failed"));
        }
        if result.cache.is_some() {
            unmarked(self.losses, path);
        }
        self.push(|item, losses| {
            let extras = losses.extras(path, &result.extras);
            if extras.is_none_or(|extras| extras.get("type").is_none()) {
                item.field("type", result_type(custom));
            }
            item.field("call_id", &id);
            // An output of another kind of value is among the rest.
            if extras.is_none_or(|extras| extras.get("output").is_none()) {
                item.with("output", |out| content::write(out, losses, path, &result.parts));
            }
            if let Some(extras) = extras {
                item.extras(extras);
            }
        });
    }

    fn assistant(&mut self, path: &str, turn: &'w AssistantTurn) {
        self.losses.extras(path, &turn.extras);
        // Beside calls other dialects say an empty text, which here would be a message of its own.
        let says = turn.parts.iter().any(|part| !item::says_nothing(part));
        let beside = says && !self.losses.home();
        for (at, item) in item::items(turn, self.losses.home()) {
            let path = format!("{path}.parts[{at}]");
            self.item(&path, item, beside);
        }
    }

    /// Writes an item; `beside` says whether others of another dialect stand beside it.
    fn item(&mut self, path: &str, item: Item<'w>, beside: bool) {
        match item {
            Item::Message { parts, shell } => {
                for (part, _) in &parts {
                    self.lose_beside(path, part);
                }
                if beside && parts.iter().all(|(part, _)| item::says_nothing(part)) {
                    return;
                }
                self.push(|item, _| write_message(item, &parts, &shell));
            }
            Item::Call(call, shell) => {
                if let Some(carrier) = &call.carrier {
                    self.losses.opaque(&format!("{path}.carrier"), carrier);
                }
                if call.cache.is_some() {
                    unmarked(self.losses, path);
                }
                let home = self.losses.home();
                let functions = custom::as_functions(self.quirks, home);
                let (kind, arguments) = custom::said(call, functions, home);
                if kind == CallKind::Custom {
                    self.customs.insert(&call.id);
                }
                let id = self.call_id(&call.id);
                self.push(|item, losses| {
                    item.field("type", item::called(kind));
                    item.field("call_id", &id);
                    item.field("name", &call.name);
                    item.field(item::argument(kind), &arguments);
                    item.extras(&shell);
                    if let Some(extras) = losses.extras(path, &call.extras) {
                        item.extras(extras);
                    }
                });
            }
            Item::Thoughts(thoughts) => self.thoughts(path, thoughts),
            Item::Picture(image, shell) => {
                let standing = super::output::Standing::default();
                if let Some(item) = super::output::picture(&standing, image, &shell)
                    && self.losses.home()
                {
                    return self.items.push(item);
                }
                let why = "a picture of the model's goes back only to where it was made";
                self.losses.because(path, why);
            }
            Item::Whole(whole) => {
                if let Some(own) = self.losses.opaque(path, whole) {
                    self.items.push(own.raw.text().as_bytes().to_vec());
                }
            }
        }
    }

    /// Writes thoughts: an item of this dialect goes back as it came, when the host can still make
    /// sense of it.
    fn thoughts(&mut self, path: &str, thoughts: &ir::Reasoning) {
        let Some(carrier) = &thoughts.carrier else {
            return self.losses.because(path, "thoughts go back only as the item they came in");
        };
        let Some(own) = self.losses.opaque(path, carrier) else { return };
        if !self.losses.home() && !lasting(&own.raw) {
            let why = "the item was not kept by its host, and does not hold the thoughts itself";
            return self.losses.because(path, why);
        }
        self.items.push(own.raw.text().as_bytes().to_vec());
    }

    /// Notes what a text says beside its words that cannot be said here.
    fn lose_beside(&mut self, path: &str, part: &AssistantPart) {
        let AssistantPart::Text(said) = part else { return };
        if let Some(carrier) = &said.carrier {
            self.losses.opaque(&format!("{path}.carrier"), carrier);
        }
        if said.cache.is_some() {
            unmarked(self.losses, path);
        }
        for citation in said.citations.iter().filter(|citation| !said::tellable(citation)) {
            self.losses.opaque(&format!("{path}.citations"), &citation.raw);
        }
        self.losses.extras(path, &said.extras);
    }

    /// Makes the id of a call fit; one of this dialect's own is as it must be.
    fn call_id(&self, id: &str) -> String {
        match self.quirks.call_ids {
            CallIds::Nine => ids::nine(id),
            CallIds::Any if self.losses.home() => id.to_owned(),
            CallIds::Any => ids::fit(id, LONGEST_ID),
        }
    }
}

/// Returns whether thoughts hold what they are, and not only the name under which a host kept them.
fn lasting(raw: &RawJson) -> bool {
    let item = raw.value();
    let encrypted = item.get("encrypted_content").is_some_and(|text| text.is_string());
    let content = item.get("content").and_then(serde_json::Value::as_array);
    encrypted || content.is_some_and(|content| !content.is_empty())
}

fn write_message(
    item: &mut Object<'_>,
    parts: &[(&AssistantPart, ir::Extras)],
    shell: &ir::Extras,
) {
    if let [(AssistantPart::Text(said), extras)] = parts
        && extras.is_empty()
        && shell.is_empty()
        && !said.citations.iter().any(said::tellable)
    {
        item.field("role", "assistant");
        return item.field("content", &said.text);
    }
    item.field("type", MESSAGE);
    item.field("role", "assistant");
    item.with("content", |out| said::write(out, parts));
    item.extras(shell);
}

/// Returns the plain text of the system at the head of a conversation: its instructions.
pub(super) fn instructions(turns: &[Turn]) -> Option<&Text> {
    match turns.first()? {
        Turn::Instruct { authority: Authority::System, parts, extras } if extras.is_empty() => {
            match parts.as_slice() {
                [UserPart::Text(text)] if content::plain(text) => Some(text),
                _ => None,
            }
        }
        _ => None,
    }
}
