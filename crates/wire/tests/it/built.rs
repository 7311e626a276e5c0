//! Conversations built by hand, as another dialect would have read them: what the tests of
//! dialects that are only spoken to providers write.

use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, CallKind, Choice, Dialect, Extras, File,
    Image, Mode, Opaque, Output, Quirks, RawJson, Reasoning, Request, Said, Schema, Source, Text,
    Tool, ToolCall, ToolResult, Toolbox, Turn, UserPart,
};

/// Shows what a request becomes: the body, then each loss, then what is to be taken back.
pub(crate) fn shown(dialect: Dialect, request: &Request, quirks: Quirks) -> String {
    let written = wire::write_request(dialect, request, quirks);
    let body: serde_json::Value = serde_json::from_slice(&written.bytes).unwrap();
    println!("{} body: {body}", dialect.name());
    let mut out = String::new();
    for (name, value) in body.as_object().unwrap() {
        lay_out(name, value, &mut out);
    }
    for loss in &written.losses {
        out += &format!("{}: {}\n", loss.path, loss.why);
    }
    if !written.undo.is_empty() {
        out += &format!("{:?}\n", written.undo);
    }
    out
}

/// Shows a field in a line, a list or an object of lists in a line an item.
fn lay_out(name: &str, value: &serde_json::Value, out: &mut String) {
    use serde_json::Value;
    match value {
        Value::Array(items) => {
            *out += &format!("{name}:\n");
            items.iter().for_each(|item| *out += &format!("  {item}\n"));
        }
        Value::Object(fields) if fields.values().any(Value::is_array) => {
            fields
                .iter()
                .for_each(|(field, value)| lay_out(&format!("{name}.{field}"), value, out));
        }
        value => *out += &format!("{name}: {value}\n"),
    }
}

/// Returns a request of these turns that says nothing else.
pub(crate) fn request(turns: Vec<Turn>) -> Request {
    Request {
        spoken: Dialect::OpenaiChat,
        model: "house/large".to_owned(),
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

/// Writes an answer as what the model said before, and returns that message; one that says nothing
/// is none.
pub(crate) fn sent_back(dialect: Dialect, response: &ir::Response) -> serde_json::Value {
    let turn = response.candidates[0].turn.clone();
    let request = request(vec![user(vec![text("hi")]), Turn::Assistant(turn)]);
    let request = Request { spoken: dialect, ..request };
    let written = wire::write_request(dialect, &request, Quirks::default());
    let body: serde_json::Value = serde_json::from_slice(&written.bytes).unwrap();
    body["messages"].get(1).cloned().unwrap_or_default()
}

pub(crate) fn raw(text: &str) -> RawJson {
    RawJson::parse(text.to_owned()).unwrap()
}

pub(crate) fn foreign(text: &str) -> Opaque {
    Opaque { dialect: Dialect::Gemini, raw: raw(text) }
}

pub(crate) fn text(text: &str) -> UserPart {
    UserPart::Text(Text { text: text.to_owned(), ..Text::default() })
}

pub(crate) fn instruct(said: &str) -> Turn {
    let parts = vec![text(said)];
    Turn::Instruct { authority: Authority::System, parts, extras: Extras::default() }
}

pub(crate) fn user(parts: Vec<UserPart>) -> Turn {
    Turn::User { parts, extras: Extras::default() }
}

pub(crate) fn assistant(parts: Vec<AssistantPart>) -> Turn {
    Turn::Assistant(AssistantTurn { parts, extras: Extras::default() })
}

pub(crate) fn said(text: &str) -> AssistantPart {
    AssistantPart::Text(Said { text: text.to_owned(), ..Said::default() })
}

pub(crate) fn thoughts(text: &str, carrier: Option<Opaque>) -> AssistantPart {
    AssistantPart::Reasoning(Reasoning { text: text.to_owned(), carrier })
}

pub(crate) fn called(id: &str, name: &str, arguments: &str, kind: CallKind) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
        arguments: Arguments(arguments.to_owned()),
        carrier: None,
        cache: None,
        extras: Extras::default(),
    })
}

pub(crate) fn result(call: &str, parts: Vec<UserPart>, failed: Option<bool>) -> Turn {
    Turn::Result(ToolResult {
        call: call.to_owned(),
        name: None,
        parts,
        failed,
        cache: None,
        extras: Extras::default(),
    })
}

pub(crate) fn inline(media_type: &str) -> Source {
    Source::Inline { media_type: media_type.to_owned(), base64: "aGk=".to_owned() }
}

pub(crate) fn at(url: &str) -> Source {
    Source::Url { url: url.to_owned(), media_type: None }
}

pub(crate) fn image(source: Source) -> UserPart {
    UserPart::Image(Image { source, detail: None, cache: None, extras: Extras::default() })
}

pub(crate) fn file(source: Source, name: Option<&str>) -> UserPart {
    let name = name.map(str::to_owned);
    UserPart::File(File { source, name, cache: None, extras: Extras::default() })
}

pub(crate) fn function(name: &str) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: Some(format!("Does {name}.")),
        parameters: Some(raw(r#"{"type":"object","properties":{"a":{"type":"number"}}}"#)),
        strict: None,
        cache: None,
        extras: Extras::default(),
        around: Extras::default(),
    }
}

pub(crate) fn custom(name: &str) -> Tool {
    Tool::Custom { name: name.to_owned(), description: None, extras: Extras::default() }
}

pub(crate) fn toolbox(tools: Vec<Tool>, choice: Option<Choice>) -> Option<Toolbox> {
    Some(Toolbox { tools, choice, parallel: None })
}

pub(crate) fn schema() -> Output {
    Output::Schema(Schema {
        name: "city".to_owned(),
        description: None,
        schema: Some(raw(
            r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#,
        )),
        strict: Some(true),
        extras: Extras::default(),
    })
}

/// Returns a conversation in which much happened: an instruction in the middle, thoughts of another
/// dialect, calls of two kinds, results of which one failed.
pub(crate) fn eventful() -> Request {
    let mut request = request(vec![
        instruct("Be brief."),
        user(vec![text("What is the weather?"), image(inline("image/png"))]),
        assistant(vec![
            thoughts("hm", Some(foreign("\"sealed\""))),
            said("Let me look."),
            called("functions.get:0", "get", "{\"a\":1.50}", CallKind::Function),
            called("call_2", "shell", "ls -l", CallKind::Custom),
            called("call_3", "get", "{broken", CallKind::Function),
        ]),
        result("functions.get:0", vec![text("sunny")], Some(false)),
        result("call_2", vec![text("no such file")], Some(true)),
        result("call_3", vec![image(inline("image/jpeg"))], None),
        instruct("Answer in French."),
        user(vec![text("And tomorrow?"), UserPart::Other(foreign("{\"video\":1}"))]),
    ]);
    let hosted = Tool::Hosted(foreign("{\"googleSearch\":{}}"));
    request.toolbox = toolbox(vec![function("get"), custom("shell"), hosted], Some(Choice::Auto));
    request
}
