//! The verbatim lane's view of a request: the few members that routing reads, and a copy of the
//! body in which only those are changed. The prompt is validated as JSON and never looked into.

mod sight;

use std::borrow::Cow;

use ir::dialect::{Form, StreamUsage};
use ir::{Inbound, Quirks, Request};
use serde_json::value::RawValue;

use crate::decode::{DecodeError, Why};
use crate::fields::Borrowed;
use crate::splice::{Edit, Members};

pub use sight::Sight;

/// What a path says of a request, in the dialect that says it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The model.
    pub model: String,
    /// Whether the answer is to come as a stream.
    pub stream: bool,
}

/// What routing reads of a request.
#[derive(Debug)]
pub struct Head<'a> {
    members: Members<'a>,
    /// The dialect it is spoken in.
    pub inbound: Inbound,
    /// The model as the caller names it.
    pub model: Cow<'a, str>,
    /// Whether the answer is to come as a stream.
    pub stream: bool,
    /// Whether the caller asked for usage at the end of the stream.
    pub wants_usage: bool,
    /// The task the caller names in `metadata.task`.
    pub task: Option<String>,
    /// Whether the request brings tools.
    pub tools: bool,
    /// Whether the request asks for JSON that fits a schema.
    pub schema: bool,
}

/// A body made for one target.
#[derive(Debug, PartialEq, Eq)]
pub struct Sent {
    /// The client's own bytes, but for the named members.
    pub bytes: Vec<u8>,
    /// Whether usage was asked for on the gateway's own account, so that the extra chunk must be
    /// taken out again.
    pub usage_added: bool,
}

/// Reads the head of a request; `told` is what its path says, where the dialect says it there.
pub fn read<'a>(
    inbound: Inbound,
    body: &'a [u8],
    told: Option<&'a Told>,
) -> Result<Head<'a>, DecodeError> {
    let members = Members::read(body)?;
    let (model, stream) = match told {
        Some(told) => (Cow::Borrowed(told.model.as_str()), told.stream),
        None => (model(&members)?, stream(&members)?),
    };
    conversation(&members, inbound)?;
    let wants_usage = nested(&members, "stream_options")?
        .is_some_and(|options| options.get("include_usage").is_some_and(|raw| raw.get() == "true"));
    let task = match task_field(inbound) {
        Some(field) => nested(&members, field)?.and_then(|metadata| {
            let task = metadata.get("task")?;
            serde_json::from_str::<String>(task.get()).ok()
        }),
        None => None,
    };
    let tools = members.get("tools").is_some_and(|raw| raw.get() != "[]");
    let schema = schema(&members, inbound);
    Ok(Head { members, inbound, model, stream, wants_usage, task, tools, schema })
}

/// Returns the member in which a caller may name the task.
fn task_field(inbound: Inbound) -> Option<&'static str> {
    match inbound {
        Inbound::OpenaiChat | Inbound::OpenaiResponses | Inbound::AnthropicMessages => {
            Some("metadata")
        }
        Inbound::Gemini => Some("labels"),
    }
}

fn schema(members: &Members<'_>, inbound: Inbound) -> bool {
    let says = |member: &str, word: &str| {
        members.get(member).is_some_and(|raw: &RawValue| raw.get().contains(word))
    };
    match inbound {
        Inbound::OpenaiChat => says("response_format", "json_schema"),
        Inbound::OpenaiResponses => says("text", "json_schema"),
        Inbound::AnthropicMessages => {
            says("output_config", "json_schema") || says("output_format", "json_schema")
        }
        // Google takes its names in snake case too.
        Inbound::Gemini => ["generationConfig", "generation_config"].into_iter().any(|member| {
            ["responseSchema", "responseJsonSchema", "response_schema", "response_json_schema"]
                .into_iter()
                .any(|word| says(member, word))
        }),
    }
}

fn model<'a>(members: &Members<'a>) -> Result<Cow<'a, str>, DecodeError> {
    let Some(model) = members.get("model") else {
        return Err(DecodeError { path: "model".into(), byte: 0, why: Why::Missing });
    };
    let Ok(Borrowed(model)) = serde_json::from_str(model.get()) else {
        let found = "another kind of value";
        return Err(members.wrong("model", Why::Expected { expected: "a string", found }));
    };
    Ok(model)
}

fn stream(members: &Members<'_>) -> Result<bool, DecodeError> {
    match members.get("stream").map(|raw| raw.get()) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let why = Why::Expected { expected: "true or false", found: "another kind of value" };
            Err(members.wrong("stream", why))
        }
    }
}

/// The one thing no request can lack.
fn conversation(members: &Members<'_>, inbound: Inbound) -> Result<(), DecodeError> {
    let (member, text_too) = conversation_field(inbound);
    match members.get(member).map(|raw| raw.get()) {
        Some(text) if text.starts_with('[') => Ok(()),
        // Google takes one content where its list should be.
        Some(text) if inbound == Inbound::Gemini && text.starts_with('{') => Ok(()),
        Some(text) if text_too && text.starts_with('"') => Ok(()),
        // Whoever counts may wrap the whole request.
        None if members.get("generateContentRequest").is_some() => Ok(()),
        // A stored prompt, or the conversation so far, may be all there is.
        None if text_too => Ok(()),
        Some(_) => {
            let why = Why::Expected { expected: "a list", found: "another kind of value" };
            Err(members.wrong(member, why))
        }
        None => Err(DecodeError { path: member.into(), byte: 0, why: Why::Missing }),
    }
}

/// Returns the member that holds the conversation, and whether it may be a mere text or missing.
fn conversation_field(inbound: Inbound) -> (&'static str, bool) {
    match inbound {
        Inbound::OpenaiChat | Inbound::AnthropicMessages => ("messages", false),
        Inbound::Gemini => ("contents", false),
        Inbound::OpenaiResponses => ("input", true),
    }
}

/// Opens a member that may be an object; another kind of value is left to the provider.
fn nested<'a>(members: &Members<'a>, key: &str) -> Result<Option<Members<'a>>, DecodeError> {
    match members.get(key) {
        Some(raw) if raw.get().starts_with('{') => {
            let nested = Members::read(raw.get().as_bytes());
            nested.map(Some).map_err(|error| {
                let path = format!("{key}.{}", error.path);
                DecodeError { path, ..members.wrong(key, error.why) }
            })
        }
        _ => Ok(None),
    }
}

impl Head<'_> {
    /// Looks at what binds the request or demands something of a model.
    pub fn look(&self) -> Sight {
        let text = |member: &str| self.members.get(member).map_or("", |raw| raw.get());
        let mut sight =
            sight::look(self.inbound, text(conversation_field(self.inbound).0), text("tools"));
        if self.inbound == Inbound::OpenaiResponses {
            let answer = self.members.get("previous_response_id");
            sight.answer = answer.and_then(|raw| serde_json::from_str(raw.get()).ok());
        }
        let stores: &[&'static str] = match self.inbound {
            Inbound::OpenaiResponses => &["prompt", "conversation"],
            Inbound::Gemini => &["cachedContent", "cached_content"],
            Inbound::OpenaiChat | Inbound::AnthropicMessages => &[],
        };
        let stored = stores.iter().copied().find(|field| !text(field).is_empty());
        sight.kept = stored.or(sight.kept);
        sight
    }

    /// Reads the whole request.
    pub fn request(&self) -> Result<Request, DecodeError> {
        crate::read_fields(self.inbound, self.members.fields()?)
    }

    /// Returns how many bytes instructions and tools have, which stand beside the conversation.
    pub fn around(&self) -> usize {
        let beside = ["system", "instructions", "systemInstruction", "system_instruction", "tools"];
        let bytes = |member: &&str| self.members.get(member).map_or(0, |raw| raw.get().len());
        beside.iter().map(bytes).sum()
    }

    /// Makes the body for a target that speaks the same dialect: its own name for the model, usage
    /// asked for where the host must be asked, and the task taken out, which is said to this
    /// gateway and not to it.
    pub fn send(&self, model: &str, quirks: Quirks) -> Sent {
        let mut edits = Vec::new();
        let named = serde_json::Value::from(model).to_string();
        match (self.inbound, quirks.form) {
            (Inbound::Gemini, _) => {}
            (Inbound::AnthropicMessages, Form::Vertex) => {
                edits.push(Edit::Remove("model"));
                edits.push(Edit::Set("anthropic_version", "\"vertex-2023-10-16\"".into()));
            }
            _ => edits.push(Edit::Set("model", named.into())),
        }
        let usage_added = self.inbound == Inbound::OpenaiChat
            && self.stream
            && !self.wants_usage
            && quirks.stream_usage == StreamUsage::Ask;
        if usage_added {
            edits.push(Edit::Set("stream_options", self.asking_for_usage().into()));
        }
        if self.task.is_some()
            && let Some(field) = task_field(self.inbound)
        {
            edits.push(self.without_task(field));
        }
        Sent { bytes: self.members.edit(&edits), usage_added }
    }

    fn asking_for_usage(&self) -> String {
        let yes = Edit::Set("include_usage", "true".into());
        match self.members.get("stream_options") {
            Some(options) => edit_text(options.get(), &[yes]),
            None => edit_text("{}", &[yes]),
        }
    }

    /// OpenAI refuses `metadata` unless the answer is stored, so an empty one does not go out.
    fn without_task(&self, field: &'static str) -> Edit<'static> {
        let metadata = self.members.get(field).map_or("{}", |raw| raw.get());
        match edit_text(metadata, &[Edit::Remove("task")]) {
            rest if rest.trim_matches(['{', '}']).trim().is_empty() => Edit::Remove(field),
            rest => Edit::Set(field, rest.into()),
        }
    }
}

/// Names another model in a body, and changes nothing else.
pub fn with_model(body: &[u8], model: &str) -> Result<Vec<u8>, DecodeError> {
    let named = serde_json::Value::from(model).to_string();
    Ok(Members::read(body)?.edit(&[Edit::Set("model", named.into())]))
}

fn edit_text(object: &str, edits: &[Edit<'_>]) -> String {
    let members = Members::read(object.as_bytes()).expect("invariant: parsed once already");
    String::from_utf8(members.edit(edits)).expect("invariant: edits of text with text are text")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use ir::dialect::StreamUsage;
    use ir::{Inbound, Quirks};

    use super::read;

    fn check(body: &str, quirks: Quirks, expected: &Expect) {
        let shown = match read(Inbound::OpenaiChat, body.as_bytes(), None) {
            Ok(head) => {
                let sent = head.send("m-1", quirks);
                format!("{} {}", String::from_utf8(sent.bytes).unwrap(), sent.usage_added)
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn only_the_model_changes_when_nothing_else_must() {
        let expected =
            expect![[r#"{ "temperature":1.0, "model":"m-1","messages":[],"x":[ ] } false"#]];
        let body = r#"{ "temperature":1.0, "model":"auto","messages":[],"x":[ ] }"#;
        check(body, Quirks::default(), &expected);
    }

    #[test]
    fn a_stream_asks_for_usage_when_the_host_must_be_asked() {
        let body = r#"{"model":"auto","stream":true,"messages":[],"stream_options":{"x":1}}"#;
        let expected = expect![[
            r#"{"model":"m-1","stream":true,"messages":[],"stream_options":{"include_usage":true,"x":1}} true"#
        ]];
        check(body, Quirks::default(), &expected);
        let expected = expect![[
            r#"{"model":"m-1","stream":true,"messages":[],"stream_options":{"x":1}} false"#
        ]];
        check(body, Quirks { stream_usage: StreamUsage::Always, ..Quirks::default() }, &expected);
    }

    #[test]
    fn the_task_is_for_the_gateway_alone() {
        let expected = expect![[r#"{"model":"m-1","messages":[]} false"#]];
        check(
            r#"{"model":"a","metadata":{"task":"rag"},"messages":[]}"#,
            Quirks::default(),
            &expected,
        );
        let expected = expect![[r#"{"model":"m-1","metadata":{"b":"c"},"messages":[]} false"#]];
        let body = r#"{"model":"a","metadata":{"task":"rag","b":"c"},"messages":[]}"#;
        check(body, Quirks::default(), &expected);
    }

    #[test]
    fn what_routing_cannot_read_is_refused_with_its_place() {
        let q = Quirks::default();
        check("{\"messages\":[]}", q, &expect!["model: required, but not there (byte 0)"]);
        check("{\"model\":\"a\"}", q, &expect!["messages: required, but not there (byte 0)"]);
        check(
            "{\"model\":7,\"messages\":[]}",
            q,
            &expect!["model: expected a string, found another kind of value (byte 9)"],
        );
        check(
            "{\"model\":\"a\",\"stream\":\"yes\",\"messages\":[]}",
            q,
            &expect!["stream: expected true or false, found another kind of value (byte 22)"],
        );
        check(
            "{\"model\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"]}",
            q,
            &expect!["messages[0].content: not valid JSON: expected `,` or `}` (byte 54)"],
        );
    }
}
