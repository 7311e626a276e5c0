//! The verbatim lane's view of a request: the few members that routing reads, and a copy of the
//! body in which only those are changed. The prompt is validated as JSON and never looked into.

use std::borrow::Cow;

use ir::Quirks;
use ir::dialect::StreamUsage;

use crate::decode::{DecodeError, Why};
use crate::fields::Borrowed;
use crate::splice::{Edit, Members};

/// What routing reads of a request.
#[derive(Debug)]
pub struct Head<'a> {
    members: Members<'a>,
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

/// Reads the head of a request.
pub fn read(body: &[u8]) -> Result<Head<'_>, DecodeError> {
    let members = Members::read(body)?;
    let Some(model) = members.get("model") else {
        return Err(DecodeError { path: "model".into(), byte: 0, why: Why::Missing });
    };
    let Ok(Borrowed(model)) = serde_json::from_str(model.get()) else {
        let found = "another kind of value";
        return Err(members.wrong("model", Why::Expected { expected: "a string", found }));
    };
    let stream = match members.get("stream").map(|raw| raw.get()) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            let why = Why::Expected { expected: "true or false", found: "another kind of value" };
            return Err(members.wrong("stream", why));
        }
    };
    messages(&members)?;
    let wants_usage = nested(&members, "stream_options")?
        .is_some_and(|options| options.get("include_usage").is_some_and(|raw| raw.get() == "true"));
    let task = nested(&members, "metadata")?.and_then(|metadata| {
        let task = metadata.get("task")?;
        serde_json::from_str::<String>(task.get()).ok()
    });
    let tools = members.get("tools").is_some_and(|raw| raw.get() != "[]");
    let schema =
        members.get("response_format").is_some_and(|raw| raw.get().contains("json_schema"));
    Ok(Head { members, model, stream, wants_usage, task, tools, schema })
}

/// The one thing no chat request can lack.
fn messages(members: &Members<'_>) -> Result<(), DecodeError> {
    match members.get("messages").map(|raw| raw.get()) {
        Some(text) if text.starts_with('[') => Ok(()),
        Some(_) => {
            let why = Why::Expected { expected: "a list", found: "another kind of value" };
            Err(members.wrong("messages", why))
        }
        None => Err(DecodeError { path: "messages".into(), byte: 0, why: Why::Missing }),
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
    /// Makes the body for a target: its own name for the model, usage asked for where the host
    /// must be asked, and `metadata.task` taken out, which is said to this gateway and not to it.
    pub fn send(&self, model: &str, quirks: Quirks) -> Sent {
        let mut edits = vec![Edit::Set("model", serde_json::Value::from(model).to_string().into())];
        let usage_added =
            self.stream && !self.wants_usage && quirks.stream_usage == StreamUsage::Ask;
        if usage_added {
            edits.push(Edit::Set("stream_options", self.asking_for_usage().into()));
        }
        if self.task.is_some() {
            edits.push(self.without_task());
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
    fn without_task(&self) -> Edit<'static> {
        let metadata = self.members.get("metadata").map_or("{}", |raw| raw.get());
        match edit_text(metadata, &[Edit::Remove("task")]) {
            rest if rest.trim_matches(['{', '}']).trim().is_empty() => Edit::Remove("metadata"),
            rest => Edit::Set("metadata", rest.into()),
        }
    }
}

fn edit_text(object: &str, edits: &[Edit<'_>]) -> String {
    let members = Members::read(object.as_bytes()).expect("invariant: parsed once already");
    String::from_utf8(members.edit(edits)).expect("invariant: edits of text with text are text")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use ir::Quirks;
    use ir::dialect::StreamUsage;

    use super::read;

    fn check(body: &str, quirks: Quirks, expected: &Expect) {
        let shown = match read(body.as_bytes()) {
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
        check(body, Quirks { stream_usage: StreamUsage::Always }, &expected);
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
