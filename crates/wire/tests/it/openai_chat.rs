//! OpenAI chat as one of many: requests of other dialects written in it, answers of other dialects
//! written for its clients, and what those clients send back.

mod abroad;
mod answers;
mod carried;
mod quirks;

use ir::{
    Arguments, AssistantPart, AssistantTurn, CallKind, Dialect, Extras, Inbound, Mode, Opaque,
    Output, Quirks, RawJson, Request, Text, ToolCall, Turn, UserPart,
};

pub(crate) const HERE: Dialect = Dialect::OpenaiChat;
pub(crate) const CHAT: Inbound = Inbound::OpenaiChat;

/// A request that says these turns and nothing else.
pub(crate) fn request(spoken: Dialect, turns: Vec<Turn>) -> Request {
    Request {
        spoken,
        model: "m".to_owned(),
        turns,
        toolbox: None,
        output: Output::Text,
        mode: Mode::Whole,
        cap: None,
        temperature: None,
        top_p: None,
        top_k: None,
        frequency_penalty: None,
        presence_penalty: None,
        seed: None,
        stop: Vec::new(),
        candidates: None,
        thinking: None,
        logprobs: None,
        user: None,
        extras: Extras::default(),
    }
}

pub(crate) fn raw(text: &str) -> RawJson {
    RawJson::parse(text.to_owned()).unwrap()
}

pub(crate) fn opaque(dialect: Dialect, text: &str) -> Opaque {
    Opaque { dialect, raw: raw(text) }
}

pub(crate) fn extra(name: &str, text: &str) -> Extras {
    Extras(vec![(name.to_owned(), raw(text))])
}

pub(crate) fn text(text: &str) -> UserPart {
    UserPart::Text(Text { text: text.to_owned(), ..Text::default() })
}

pub(crate) fn user(said: &str) -> Turn {
    Turn::User { parts: vec![text(said)], extras: Extras::default() }
}

pub(crate) fn assistant(parts: Vec<AssistantPart>) -> Turn {
    Turn::Assistant(AssistantTurn { parts, extras: Extras::default() })
}

pub(crate) fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        kind: CallKind::Function,
        arguments: Arguments(arguments.to_owned()),
        carrier: None,
        cache: None,
        extras: Extras::default(),
    }
}

/// Shows a request as it is written, and what got lost: a message, a tool or a field a line.
pub(crate) fn shown(request: &Request, quirks: Quirks) -> String {
    let written = wire::write_request(HERE, request, quirks);
    let body: serde_json::Value = serde_json::from_slice(&written.bytes).unwrap();
    let mut out = String::new();
    for (name, value) in body.as_object().unwrap() {
        match value {
            serde_json::Value::Array(items) => {
                items.iter().for_each(|item| out += &format!("{name}: {item}\n"));
            }
            value => out += &format!("{name}: {value}\n"),
        }
    }
    for loss in written.losses {
        out += &format!("lost {}: {}\n", loss.path, loss.why);
    }
    if !written.undo.is_empty() {
        out += &format!("{:?}\n", written.undo);
    }
    out
}
