//! The verbatim lane's view of a request: the few members that routing reads, and a copy of the
//! body in which only those are changed. The prompt is validated as JSON and never looked into.

use std::borrow::Cow;

use ir::dialect::{Form, StreamUsage};
use ir::{Inbound, Quirks};
use serde_json::value::RawValue;

use crate::decode::{DecodeError, Why};
use crate::envelope;
use crate::fields::Borrowed;
use crate::splice::{Edit, Members};

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

/// Returns whether a text of JSON names a member so, other than inside one of its strings and other
/// than as a value.
fn names_member(text: &str, name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    memchr::memmem::find_iter(text.as_bytes(), quoted.as_bytes()).any(|at| {
        let escaped = text[..at].ends_with('\\');
        !escaped && text[at + quoted.len()..].trim_start().starts_with(':')
    })
}

/// Google's uploads are told by their addresses; any other address is anybody's to fetch.
fn uploaded_to_google(inbound: Inbound, said: &str) -> bool {
    const UPLOADS: [&str; 3] =
        ["\"https://generativelanguage.googleapis.com/", "\"gs://", "\"files/"];
    let held = |name: &str| UPLOADS.iter().any(|begins| member_begins(said, name, begins));
    inbound == Inbound::Gemini && (held("fileUri") || held("file_uri"))
}

/// Returns whether a member of that name has a value whose text begins so.
fn member_begins(text: &str, name: &str, begins: &str) -> bool {
    let quoted = format!("\"{name}\"");
    memchr::memmem::find_iter(text.as_bytes(), quoted.as_bytes()).any(|at| {
        let value = text[at + quoted.len()..].trim_start().strip_prefix(':');
        !text[..at].ends_with('\\')
            && value.is_some_and(|value| value.trim_start().starts_with(begins))
    })
}

/// Returns whether any of the tools is run by the provider: whatever is not the caller's own.
fn hosted(inbound: Inbound, tools: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Tool<'a> {
        #[serde(rename = "type", borrow)]
        kind: Option<Cow<'a, str>>,
        #[serde(alias = "functionDeclarations", alias = "function_declarations", default, borrow)]
        functions: Option<&'a RawValue>,
    }
    let Ok(tools) = serde_json::from_str::<Vec<Tool<'_>>>(tools) else { return false };
    let own = |tool: &Tool<'_>| match inbound {
        Inbound::Gemini => tool.functions.is_some(),
        Inbound::AnthropicMessages => matches!(tool.kind.as_deref(), None | Some("custom")),
        Inbound::OpenaiChat | Inbound::OpenaiResponses => {
            matches!(tool.kind.as_deref(), None | Some("function" | "custom"))
        }
    };
    !tools.iter().all(own)
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

/// What binds a request to whoever can honour it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bound {
    /// The earlier answer it goes on from, by its id.
    pub answer: Option<String>,
    /// Whether it names files that were uploaded to a provider.
    pub uploaded: bool,
    /// Whether it brings tools that the provider itself runs.
    pub hosted: bool,
    /// Whether it brings back signed or encrypted thoughts.
    pub sealed: bool,
    /// Whether some of them were made by a provider of another dialect and sealed here: only a
    /// translation opens them.
    pub enveloped: bool,
}

/// What a request demands of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demands {
    /// That it looks at pictures.
    pub images: bool,
    /// That it calls tools.
    pub tools: bool,
    /// That its window holds a conversation of so many bytes of JSON; 0 where pictures or files
    /// are among them, whose bytes say nothing of their tokens.
    pub bytes: usize,
}

impl Head<'_> {
    /// Returns what binds the request. The conversation is searched for the names of members, not
    /// parsed: inside a text a quote is escaped, so a name in quotes is a member's.
    pub fn bound(&self) -> Bound {
        let answer = match self.inbound {
            Inbound::OpenaiResponses => self
                .members
                .get("previous_response_id")
                .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()),
            _ => None,
        };
        let said = conversation_field(self.inbound).0;
        let said = self.members.get(said).map_or("", |raw| raw.get());
        let tools = self.members.get("tools").map_or("", |raw| raw.get());
        let (uploaded, sealed): (&[&str], &[&str]) = match self.inbound {
            Inbound::OpenaiChat => (&["file_id"], &["reasoning_details"]),
            Inbound::OpenaiResponses => (&["file_id"], &["encrypted_content"]),
            Inbound::AnthropicMessages => (&["file_id"], &["signature"]),
            Inbound::Gemini => (&[], &["thoughtSignature", "thought_signature"]),
        };
        let has = |text: &str, names: &[&str]| names.iter().any(|name| names_member(text, name));
        Bound {
            answer,
            uploaded: has(said, uploaded) || uploaded_to_google(self.inbound, said),
            hosted: hosted(self.inbound, tools),
            sealed: has(said, sealed),
            enveloped: envelope::stands_in(said),
        }
    }

    /// Returns what the request demands of a model; the conversation is searched, as for
    /// [`bound`](Self::bound).
    pub fn demands(&self) -> Demands {
        let said = self.members.get(conversation_field(self.inbound).0);
        let said = said.map_or("", |raw| raw.get());
        let (member, begins) = match self.inbound {
            Inbound::OpenaiChat => ("type", "\"image_url\""),
            Inbound::OpenaiResponses => ("type", "\"input_image\""),
            Inbound::AnthropicMessages => ("type", "\"image\""),
            Inbound::Gemini => ("mimeType", "\"image/"),
        };
        let images = member_begins(said, member, begins);
        let inline = ["data", "file_data", "image_url", "url", "encrypted_content"];
        let heavy = images || inline.iter().any(|name| names_member(said, name));
        Demands { images, tools: self.tools, bytes: if heavy { 0 } else { said.len() } }
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

    use super::{Bound, Demands, read};

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
    fn what_binds_a_request_is_found_and_its_texts_bind_nothing() {
        let bound = |inbound, body: &str| read(inbound, body.as_bytes(), None).unwrap().bound();
        let body = r#"{"model":"m","input":[{"file_id" : "f"}],"previous_response_id":"resp_1",
            "tools":[{"type":"function","name":"f"},{"type":"web_search"}]}"#;
        let expected = Bound {
            answer: Some("resp_1".into()),
            uploaded: true,
            hosted: true,
            ..Bound::default()
        };
        assert_eq!(bound(Inbound::OpenaiResponses, body), expected);
        let body = r#"{"model":"m","messages":[{"role":"user","content":"say \"file_id\":"},
            {"role":"user","content":"file_id"}],"tools":[{"name":"f","input_schema":{}}]}"#;
        assert_eq!(bound(Inbound::AnthropicMessages, body), Bound::default());
        let body = r#"{"model":"m","messages":[{"role":"assistant","content":[
            {"type":"thinking","thinking":"","signature":"EqQB"}]}]}"#;
        let sealed = Bound { sealed: true, ..Bound::default() };
        assert_eq!(bound(Inbound::AnthropicMessages, body), sealed);
    }

    #[test]
    fn pictures_are_seen_and_texts_about_them_are_none() {
        let demands =
            |body: &str| read(Inbound::OpenaiChat, body.as_bytes(), None).unwrap().demands();
        let body = r#"{"model":"m","messages":[{"role":"user","content":
            [{"type": "image_url","image_url":{"url":"https://a.b/c"}}]}],"tools":[{}]}"#;
        assert_eq!(demands(body), Demands { images: true, tools: true, bytes: 0 });
        let body =
            r#"{"model":"m","messages":[{"role":"user","content":"\"type\":\"image_url\""}]}"#;
        let bytes = r#"[{"role":"user","content":"\"type\":\"image_url\""}]"#.len();
        assert_eq!(demands(body), Demands { images: false, tools: false, bytes });
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
