//! What other dialects say, written in this one: requests with their losses, and answers that come
//! back through a client.

use expect_test::{Expect, expect};
use ir::dialect::{Form, SchemaBy};
use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, Budget, CallKind, Candidate, Cap, Choice,
    Dialect, Extras, File, Finish, Image, Logprobs, Mode, Opaque, Output, Quirks, RawJson,
    Reasoning, Request, Response, Said, Schema, Source, Text, Thinking, Tool, ToolCall, ToolResult,
    Toolbox, Turn, UserPart,
};
use serde_json::{Number, Value, json};

use super::{HERE, MESSAGES};

const THERE: Dialect = Dialect::OpenaiChat;

fn request(turns: Vec<Turn>) -> Request {
    Request {
        spoken: THERE,
        model: "m".to_owned(),
        turns,
        toolbox: None,
        output: Output::Text,
        mode: Mode::Whole,
        cap: Some(Cap(4_000)),
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

/// Shows the written request but for what every one of these says, its losses and what is undone.
fn check(request: &Request, quirks: Quirks, expected: &Expect) {
    let written = wire::write_request(HERE, request, quirks);
    wire::read_request(MESSAGES, &written.bytes).unwrap();
    let mut body: Value = serde_json::from_slice(&written.bytes).unwrap();
    let fields = body.as_object_mut().unwrap();
    fields.retain(|name, value| !(name == "model" || *value == 4_000 && name == "max_tokens"));
    let mut shown: String = fields
        .iter()
        .map(|(name, value)| match (name.as_str(), value.as_array()) {
            ("messages" | "tools", Some(items)) => {
                items.iter().map(|item| format!("{name}: {item}\n")).collect::<String>()
            }
            _ => format!("{name}: {value}\n"),
        })
        .collect();
    for loss in &written.losses {
        shown += &format!("loss {}: {}\n", loss.path, loss.why);
    }
    if !written.undo.is_empty() {
        shown += &format!("{:?}\n", written.undo);
    }
    expected.assert_eq(&shown);
}

fn text(text: &str) -> UserPart {
    UserPart::Text(Text { text: text.to_owned(), ..Text::default() })
}

fn user(parts: Vec<UserPart>) -> Turn {
    Turn::User { parts, extras: Extras::default() }
}

fn instruct(said: &str) -> Turn {
    let extras = Extras::default();
    Turn::Instruct { authority: Authority::Developer, parts: vec![text(said)], extras }
}

fn assistant(parts: Vec<AssistantPart>) -> Turn {
    Turn::Assistant(AssistantTurn { parts, extras: Extras::default() })
}

fn said(text: &str) -> AssistantPart {
    AssistantPart::Text(Said { text: text.to_owned(), ..Said::default() })
}

fn called(id: &str, kind: CallKind, arguments: &str, carrier: Option<Opaque>) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        kind,
        arguments: Arguments(arguments.to_owned()),
        carrier,
        cache: None,
        extras: Extras::default(),
    })
}

fn result(call: &str, failed: Option<bool>, parts: Vec<UserPart>) -> Turn {
    Turn::Result(ToolResult {
        call: call.to_owned(),
        name: Some("f".to_owned()),
        parts,
        failed,
        cache: None,
        extras: Extras::default(),
    })
}

fn of(dialect: Dialect, value: &Value) -> Opaque {
    Opaque { dialect, raw: RawJson::parse(value.to_string()).unwrap() }
}

fn image(source: Source) -> UserPart {
    let detail = Some("high".to_owned());
    UserPart::Image(Image { source, detail, cache: None, extras: Extras::default() })
}

fn file(media_type: &str, base64: &str) -> UserPart {
    let source = Source::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() };
    let name = Some("n".to_owned());
    UserPart::File(File { source, name, cache: None, extras: Extras::default() })
}

fn function(parameters: Option<&str>) -> Tool {
    Tool::Function {
        name: "f".to_owned(),
        description: None,
        parameters: parameters.map(|text| RawJson::parse(text.to_owned()).unwrap()),
        strict: Some(true),
        cache: None,
        extras: Extras::default(),
        around: Extras(vec![("x".to_owned(), RawJson::string("y"))]),
    }
}

fn toolbox(choice: Option<Choice>, parallel: Option<bool>) -> Toolbox {
    let custom = Tool::Custom {
        name: "c".to_owned(),
        description: Some("free".to_owned()),
        extras: Extras(vec![("format".to_owned(), RawJson::string("g"))]),
    };
    let hosted = Tool::Hosted(of(THERE, &json!({"type": "web_search"})));
    Toolbox { tools: vec![function(Some("{}")), function(None), custom, hosted], choice, parallel }
}

const SCHEMA: &str =
    r#"{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}}}"#;

fn schema(by: SchemaBy, expected: &Expect) {
    let mut request = request(vec![user(vec![text("hi")])]);
    request.output = Output::Schema(Schema {
        name: "city".to_owned(),
        description: Some("d".to_owned()),
        schema: Some(RawJson::parse(SCHEMA.to_owned()).unwrap()),
        strict: Some(false),
        extras: Extras::default(),
    });
    request.thinking = Some(Thinking { effort: Some("high".to_owned()), ..Thinking::default() });
    check(&request, Quirks { schema: by, ..Quirks::default() }, expected);
}

#[test]
fn roles_alternate_and_results_come_first() {
    let turns = vec![
        instruct("be brief"),
        instruct("be kind"),
        user(vec![text("a"), text("")]),
        user(vec![text("b")]),
        assistant(vec![said(""), called("c.1", CallKind::Function, "", None)]),
        assistant(vec![called("c2", CallKind::Function, "{\"a\":1}", None)]),
        user(vec![text("meanwhile")]),
        result("c.1", Some(true), vec![text("broke")]),
        instruct("in the middle"),
        result("c2", None, vec![]),
    ];
    check(
        &request(turns),
        Quirks::default(),
        &expect![[r#"
        system: [{"type":"text","text":"be brief"},{"type":"text","text":"be kind"}]
        messages: {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}
        messages: {"role":"assistant","content":[{"type":"tool_use","id":"call_f6db3a190db79b1f","name":"f","input":{}},{"type":"tool_use","id":"c2","name":"f","input":{"a":1}}]}
        messages: {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_f6db3a190db79b1f","content":[{"type":"text","text":"broke"}],"is_error":true},{"type":"tool_result","tool_use_id":"c2"},{"type":"text","text":"meanwhile"},{"type":"text","text":"in the middle"}]}
        loss turns[8]: a later instruction is said as the user's
    "#]],
    );
}

#[test]
fn what_a_model_said_elsewhere_goes_without_its_carriers() {
    let signed = of(HERE, &json!("Eo8B"));
    let foreign = of(Dialect::Gemini, &json!("sig"));
    let thoughts = |text: &str, carrier| {
        AssistantPart::Reasoning(Reasoning { text: text.to_owned(), carrier })
    };
    let turns = vec![
        user(vec![text("a"), text(" ")]),
        assistant(vec![
            thoughts("signed", Some(signed)),
            thoughts("foreign", Some(foreign.clone())),
            thoughts("unsigned", None),
            AssistantPart::Refusal("no".to_owned()),
            called("c", CallKind::Custom, "free", Some(foreign)),
            called("d", CallKind::Function, "{broken", None),
            AssistantPart::Other(of(THERE, &json!({}))),
        ]),
        Turn::Other(of(THERE, &json!({}))),
    ];
    check(
        &request(turns),
        Quirks::default(),
        &expect![[r#"
            messages: {"role":"user","content":[{"type":"text","text":"a"}]}
            messages: {"role":"assistant","content":[{"type":"thinking","thinking":"signed","signature":"Eo8B"},{"type":"text","text":"no"},{"type":"tool_use","id":"c","name":"f","input":{"input":"free"}},{"type":"tool_use","id":"d","name":"f","input":{"input":"{broken"}}]}
            messages: {"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"no result: the call was interrupted"}],"is_error":true},{"type":"tool_result","tool_use_id":"d","content":[{"type":"text","text":"no result: the call was interrupted"}],"is_error":true}]}
            loss turns[1]: a call without a result is told to have failed
            loss turns[1]: a call without a result is told to have failed
            loss turns[0].parts[1]: a text of white space alone is refused
            loss turns[1].parts[1]: only gemini understands it
            loss turns[1].parts[2]: thoughts go back only with their signature
            loss turns[1].parts[3]: the refusal is said as text
            loss turns[1].parts[4].carrier: only gemini understands it
            loss turns[1].parts[5].arguments: arguments are an object here
            loss turns[1].parts[6]: only openai_chat understands it
            loss turns[4]: only openai_chat understands it
        "#]],
    );
}

#[test]
fn pictures_and_files_go_as_what_they_are() {
    let url = |url: &str| Source::Url { url: url.to_owned(), media_type: None };
    let parts = vec![
        image(url("https://e.org/a.png")),
        image(Source::Uploaded("file-1".to_owned())),
        file("application/pdf", "AA=="),
        file("text/markdown", "IyBo"),
        file("image/png", "AA=="),
        file("audio/wav", "AA=="),
        UserPart::Other(of(THERE, &json!({}))),
    ];
    check(
        &request(vec![user(parts)]),
        Quirks::default(),
        &expect![[r##"
        messages: {"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://e.org/a.png"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="},"title":"n"},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"# h"},"title":"n"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}
        loss turns[0].parts[0].detail: anthropic_messages has no field for it
        loss turns[0].parts[1]: the upload is known to another provider alone
        loss turns[0].parts[5]: documents are PDF or text, not audio/wav
        loss turns[0].parts[6]: only openai_chat understands it
    "##]],
    );
}

#[test]
fn tools_of_other_kinds_become_functions_or_losses() {
    let mut request = request(vec![user(vec![text("hi")])]);
    request.toolbox = Some(toolbox(Some(Choice::Required), Some(false)));
    check(
        &request,
        Quirks::default(),
        &expect![[r#"
            messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
            tools: {"name":"f","input_schema":{"type":"object","properties":{},"additionalProperties":false},"strict":true}
            tools: {"name":"f","input_schema":{"type":"object","properties":{},"additionalProperties":false},"strict":true}
            tools: {"name":"c","description":"free","input_schema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}
            tool_choice: {"type":"any","disable_parallel_tool_use":true}
            loss toolbox.tools[0].x: anthropic_messages has no field for it
            loss toolbox.tools[0].parameters: objects of a schema take no further fields here
            loss toolbox.tools[1].x: anthropic_messages has no field for it
            loss toolbox.tools[1].parameters: objects of a schema take no further fields here
            loss toolbox.tools[2].format: anthropic_messages has no field for it
            loss toolbox.tools[3]: only openai_chat understands it
            Undo { answer: false, customs: ["c"] }
        "#]],
    );
    request.toolbox = Some(Toolbox {
        tools: vec![function(Some("{\"type\":\"object\",\"properties\":{}}"))],
        choice: Some(Choice::Never),
        parallel: Some(false),
    });
    check(
        &request,
        Quirks::default(),
        &expect![[r#"
            messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
            tools: {"name":"f","input_schema":{"type":"object","properties":{},"additionalProperties":false},"strict":true}
            tool_choice: {"type":"none"}
            loss toolbox.tools[0].x: anthropic_messages has no field for it
            loss toolbox.tools[0].parameters: objects of a schema take no further fields here
        "#]],
    );
    let hosted = Tool::Hosted(of(Dialect::Gemini, &json!({"googleSearch": {}})));
    request.toolbox =
        Some(Toolbox { tools: vec![hosted], choice: Some(Choice::Auto), parallel: None });
    check(
        &request,
        Quirks::default(),
        &expect![[r#"
            messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
            loss toolbox.tools[0]: only gemini understands it
            loss toolbox.choice: no tool is left to choose
        "#]],
    );
}

#[test]
fn a_schema_is_asked_for_in_three_ways() {
    schema(
        SchemaBy::Native,
        &expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"adaptive"}
        output_config: {"effort":"high","format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}},"additionalProperties":false}}}
        loss output.schema: objects of a schema take no further fields here
        loss output.description: anthropic_messages has no field for it
        loss output.strict: a schema is always enforced
    "#]],
    );
    schema(
        SchemaBy::Tool,
        &expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        tools: {"name":"give_answer","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"object","additionalProperties":false}}}}
        tool_choice: {"type":"tool","name":"give_answer"}
        loss thinking: thinking does not go with a tool that must be called
        Undo { answer: true, customs: [] }
    "#]],
    );
    schema(
        SchemaBy::Prompt,
        &expect![[r#"
        system: [{"type":"text","text":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"additionalProperties\":false}}}"}]
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"adaptive"}
        output_config: {"effort":"high"}
        loss output: the schema is asked for in words
    "#]],
    );
}

#[test]
fn thinking_is_said_as_the_caller_says_it() {
    let mut request = request(vec![user(vec![text("hi")])]);
    let budget = |tokens| Thinking { budget: Some(tokens), ..Thinking::default() };
    let mut say = |thinking, cap: Option<u64>, expected: Expect| {
        request.thinking = Some(thinking);
        request.cap = cap.map(Cap);
        check(&request, Quirks::default(), &expected);
    };
    say(
        budget(Budget::Tokens(2_000)),
        Some(9_000),
        expect![[r#"
        max_tokens: 9000
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"enabled","budget_tokens":2000}
    "#]],
    );
    say(
        budget(Budget::Tokens(90_000)),
        Some(4_000),
        expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"enabled","budget_tokens":3000}
        loss thinking.budget: a budget is at least 1024 and below the cap: 3000
    "#]],
    );
    say(
        budget(Budget::Tokens(10)),
        None,
        expect![[r#"
        max_tokens: 9216
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"enabled","budget_tokens":1024}
        loss thinking.budget: a budget is at least 1024 and below the cap: 1024
    "#]],
    );
    say(
        budget(Budget::Tokens(2_000)),
        Some(1_000),
        expect![[r#"
        max_tokens: 1000
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        loss thinking: the cap leaves no room for thinking
    "#]],
    );
    say(
        budget(Budget::Off),
        Some(4_000),
        expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"disabled"}
    "#]],
    );
}

#[test]
fn an_effort_is_said_as_a_word() {
    let mut request = request(vec![user(vec![text("hi")])]);
    let mut say = |thinking, cap: Option<u64>, expected: Expect| {
        request.thinking = Some(thinking);
        request.cap = cap.map(Cap);
        check(&request, Quirks::default(), &expected);
    };
    let effort = |word: &str| Thinking {
        effort: Some(word.to_owned()),
        shown: Some(true),
        ..Thinking::default()
    };
    say(
        effort("high"),
        None,
        expect![[r#"
        max_tokens: 32768
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"adaptive","display":"summarized"}
        output_config: {"effort":"high"}
    "#]],
    );
    say(
        effort("minimal"),
        Some(4_000),
        expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"adaptive","display":"summarized"}
        output_config: {"effort":"low"}
        loss thinking.effort: the least effort here is low
    "#]],
    );
    say(
        effort("default"),
        Some(4_000),
        expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"adaptive","display":"summarized"}
        loss thinking.effort: there is no such effort here
    "#]],
    );
    say(
        effort("none"),
        Some(4_000),
        expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"disabled"}
    "#]],
    );
}

#[test]
fn calls_without_signed_thoughts_forbid_a_budget() {
    let mut request = request(vec![
        user(vec![text("hi")]),
        assistant(vec![called("c", CallKind::Function, "{}", None)]),
        result("c", None, vec![text("1")]),
    ]);
    let budget = Some(Budget::Tokens(2_000));
    request.thinking = Some(Thinking { budget, ..Thinking::default() });
    check(
        &request,
        Quirks::default(),
        &expect![[r#"
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        messages: {"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]}
        messages: {"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"1"}]}]}
        loss thinking: the calls so far came without signed thoughts
    "#]],
    );
}

#[test]
fn settings_without_a_field_are_losses() {
    let mut request = request(vec![user(vec![text("hi")])]);
    let number = |number: f64| Number::from_f64(number);
    request.temperature = number(1.5);
    request.top_p = number(0.5);
    request.top_k = Some(7.into());
    request.frequency_penalty = number(0.5);
    request.presence_penalty = number(0.5);
    request.seed = Some(7.into());
    request.candidates = Some(2);
    request.logprobs = Some(Logprobs::default());
    request.output = Output::Json;
    request.cap = None;
    request.stop = vec!["\n".to_owned(), "END".to_owned()];
    request.user = Some("u".to_owned());
    request.mode = Mode::Stream {
        usage: true,
        extras: Extras(vec![("include_obfuscation".to_owned(), RawJson::string("x"))]),
    };
    request.extras = Extras(vec![("store".to_owned(), RawJson::string("x"))]);
    let quirks = Quirks { form: Form::Vertex, ..Quirks::default() };
    check(
        &request,
        quirks,
        &expect![[r#"
        anthropic_version: "vertex-2023-10-16"
        max_tokens: 8192
        system: [{"type":"text","text":"Answer with one JSON object, and with nothing before or after it."}]
        messages: {"role":"user","content":[{"type":"text","text":"hi"}]}
        temperature: 1
        top_k: 7
        stop_sequences: ["END"]
        stream: true
        metadata: {"user_id":"u"}
        loss output: JSON is asked for in words
        loss temperature: the highest is 1
        loss top_p: it does not go with a temperature
        loss stop: a stop sequence of white space alone is refused
        loss mode.include_obfuscation: anthropic_messages has no field for it
        loss store: anthropic_messages has no field for it
        loss frequency_penalty: anthropic_messages has no field for it
        loss presence_penalty: anthropic_messages has no field for it
        loss seed: anthropic_messages has no field for it
        loss candidates: anthropic_messages has no field for it
        loss logprobs: anthropic_messages has no field for it
    "#]],
    );
}

#[test]
fn carriers_come_back_through_a_client() {
    let carrier = |text: &str| Some(of(Dialect::Gemini, &json!(text)));
    let thoughts = Reasoning { text: "hm".to_owned(), carrier: carrier("a") };
    let signed = Said { text: "so".to_owned(), carrier: carrier("b"), ..Said::default() };
    let parts = vec![
        AssistantPart::Reasoning(thoughts),
        AssistantPart::Text(signed),
        called("c", CallKind::Function, "{}", carrier("c")),
    ];
    let turn = AssistantTurn { parts, extras: Extras::default() };
    let response = Response {
        spoken: Dialect::Gemini,
        id: None,
        model: None,
        created: None,
        candidates: vec![Candidate {
            turn: turn.clone(),
            finish: Some(Finish::ToolCalls),
            extras: Extras::default(),
        }],
        usage: None,
        extras: Extras::default(),
    };
    let answer: Value = serde_json::from_slice(&wire::write_response(MESSAGES, &response)).unwrap();
    assert_eq!(answer["content"].as_array().unwrap().len(), 5);
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": answer["content"]},
    ]});
    let back = wire::read_request(MESSAGES, body.to_string().as_bytes()).unwrap();
    assert_eq!(back.turns[1], Turn::Assistant(turn));
}
