//! What is spoken in another dialect and written for Google, and answers of others for Google's clients.

use expect_test::{Expect, expect};
use ir::dialect::SchemaBy;
use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, Budget, CallKind, Candidate, Choice,
    Citation, Dialect, Event, Extras, Failure, File, Finish, Image, Kind, Mode, Opaque, Output,
    PartKind, Quirks, RawJson, Reasoning, Request, Response, Said, Schema, Source, Spot, Text,
    Thinking, Tokens, Tool, ToolCall, ToolResult, Toolbox, Turn, Usage, UserPart,
};

use super::{GOOGLE, HERE};
use crate::laws::rewritten;

const THERE: Dialect = Dialect::AnthropicMessages;

pub(super) fn opaque(dialect: Dialect, text: &str) -> Opaque {
    Opaque { dialect, raw: RawJson::parse(text.to_owned()).unwrap() }
}

pub(super) fn text(text: &str) -> UserPart {
    UserPart::Text(Text { text: text.to_owned(), ..Text::default() })
}

pub(super) fn user(said: &str) -> Turn {
    Turn::User { parts: vec![text(said)], extras: Extras::default() }
}

fn instruct(said: &str) -> Turn {
    let (authority, parts) = (Authority::Developer, vec![text(said)]);
    Turn::Instruct { authority, parts, extras: Extras::default() }
}

pub(super) fn call(id: &str, name: &str, kind: CallKind, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
        arguments: Arguments(arguments.to_owned()),
        carrier: None,
        cache: None,
        extras: Extras::default(),
    }
}

pub(super) fn result(call: &str, parts: Vec<UserPart>, failed: Option<bool>) -> Turn {
    let (call, extras) = (call.to_owned(), Extras::default());
    Turn::Result(ToolResult { call, name: None, parts, failed, cache: None, extras })
}

fn picture(source: Source) -> UserPart {
    UserPart::Image(Image { source, detail: None, cache: None, extras: Extras::default() })
}

fn png() -> Source {
    Source::Inline { media_type: "image/png".to_owned(), base64: "AAAA".to_owned() }
}

pub(super) fn assistant(parts: Vec<AssistantPart>) -> Turn {
    Turn::Assistant(AssistantTurn { parts, extras: Extras::default() })
}

pub(super) fn request(turns: Vec<Turn>) -> Request {
    Request {
        spoken: THERE,
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

pub(super) fn function(name: &str) -> Tool {
    Tool::Function {
        name: name.to_owned(),
        description: Some("does".to_owned()),
        parameters: Some(RawJson::parse("{\"type\":\"object\"}".to_owned()).unwrap()),
        strict: None,
        cache: None,
        extras: Extras::default(),
        around: Extras::default(),
    }
}

/// Shows what is written, what is lost and what is to be taken back.
fn check(request: &Request, schema: SchemaBy, expected: &Expect) {
    let written = wire::write_request(HERE, request, Quirks { schema, ..Quirks::default() });
    let mut shown = String::from_utf8(written.bytes).unwrap();
    for loss in written.losses {
        shown += &format!("\nlost {}: {}", loss.path, loss.why);
    }
    if !written.undo.is_empty() {
        shown += &format!("\n{:?}", written.undo);
    }
    expected.assert_eq(&shown);
}

#[test]
fn instructions_at_the_beginning_in_the_middle_and_alone() {
    let turns = vec![instruct("a"), instruct("b"), user("hi"), instruct("c")];
    check(
        &request(turns),
        SchemaBy::Native,
        &expect![[r#"
        {"systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]},"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"text":"c"}],"role":"user"}]}
        lost turns[3]: gemini takes instructions before the conversation alone; said as the user's"#]],
    );
    check(
        &request(vec![instruct("a"), instruct("b")]),
        SchemaBy::Native,
        &expect![[r#"
            {"systemInstruction":{"parts":[{"text":"a"}]},"contents":[{"parts":[{"text":"b"}],"role":"user"}]}
            lost turns[1]: said as the user's, since nobody else speaks"#]],
    );
}

#[test]
fn tools_calls_and_results() {
    let mut asked = request(vec![
        user("hi"),
        assistant(vec![
            AssistantPart::ToolCall(call("toolu_1", "f", CallKind::Function, "{\"a\":1}")),
            AssistantPart::ToolCall(call("toolu_2", "free", CallKind::Custom, "say it")),
            AssistantPart::ToolCall(call("toolu_3", "f", CallKind::Function, "{\"a\":")),
        ]),
        result("toolu_1", vec![text("sunny"), text("warm"), picture(png())], None),
        result("toolu_2", vec![text("{\"ok\":true}")], None),
        result("toolu_3", vec![text("no such place")], Some(true)),
        result("toolu_4", vec![], None),
        user("and?"),
    ]);
    let custom = Tool::Custom {
        name: "free".to_owned(),
        description: None,
        extras: Extras(vec![("grammar".to_owned(), RawJson::string("g"))]),
    };
    let hosted = Tool::Hosted(opaque(THERE, "{\"type\":\"web_search\"}"));
    asked.toolbox = Some(Toolbox {
        tools: vec![function("f"), hosted, custom],
        choice: Some(Choice::Tool("f".to_owned())),
        parallel: Some(false),
    });
    check(
        &asked,
        SchemaBy::Native,
        &expect![[r#"
        {"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"functionCall":{"id":"toolu_1","name":"f","args":{"a":1}}},{"functionCall":{"id":"toolu_2","name":"free","args":{"input":"say it"}}},{"functionCall":{"id":"toolu_3","name":"f","args":{"input":"{\"a\":"}}}],"role":"model"},{"parts":[{"functionResponse":{"id":"toolu_1","name":"f","response":{"output":"sunny\nwarm"}}},{"functionResponse":{"id":"toolu_2","name":"free","response":{"ok":true}}},{"functionResponse":{"id":"toolu_3","name":"f","response":{"error":"no such place"}}},{"functionResponse":{"id":"toolu_4","name":"toolu_4","response":{}}},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}],"role":"user"},{"parts":[{"text":"and?"}],"role":"user"}],"tools":[{"functionDeclarations":[{"name":"f","description":"does","parametersJsonSchema":{"type":"object"}},{"name":"free","parametersJsonSchema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}
        lost turns[1].parts[2].arguments: the arguments are no JSON object; they stand in one as a text
        lost turns[5].call: no call before it has this id
        lost toolbox.tools[1]: only anthropic_messages understands it
        lost toolbox.tools[2].grammar: gemini has no field for it
        lost toolbox.parallel: gemini has no field for it
        Undo { answer: false, customs: ["free"] }"#]],
    );
}

#[test]
fn pictures_files_and_what_nobody_else_understands() {
    let url = |url: &str| Source::Url { url: url.to_owned(), media_type: None };
    let file = File {
        source: Source::Inline {
            media_type: "application/pdf".to_owned(),
            base64: "AAAA".to_owned(),
        },
        name: Some("a.pdf".to_owned()),
        cache: None,
        extras: Extras::default(),
    };
    let parts = vec![
        picture(png()),
        picture(url("https://a.example/b.png")),
        picture(Source::Uploaded("file_1".to_owned())),
        UserPart::File(file),
        UserPart::Other(opaque(THERE, "{\"type\":\"search_result\"}")),
        text(""),
    ];
    let turns = vec![Turn::User { parts, extras: Extras::default() }];
    check(
        &request(turns),
        SchemaBy::Native,
        &expect![[r#"
        {"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"fileData":{"fileUri":"https://a.example/b.png","mimeType":"image/png"}},{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}],"role":"user"}]}
        lost turns[0].parts[2]: it was uploaded to another provider
        lost turns[0].parts[3].name: gemini has no field for it
        lost turns[0].parts[4]: only anthropic_messages understands it"#]],
    );
}

#[test]
fn thoughts_refusals_and_carriers() {
    let carried = |dialect| Some(opaque(dialect, "\"c2ln\""));
    let mut own = call("toolu_1", "f", CallKind::Function, "");
    own.carrier = carried(HERE);
    let turn = assistant(vec![
        AssistantPart::Reasoning(Reasoning { text: "hm".to_owned(), carrier: carried(THERE) }),
        AssistantPart::Reasoning(Reasoning { text: "so".to_owned(), carrier: carried(HERE) }),
        AssistantPart::Reasoning(Reasoning { text: String::new(), carrier: carried(THERE) }),
        AssistantPart::Refusal("no".to_owned()),
        AssistantPart::ToolCall(own),
    ]);
    check(
        &request(vec![user("hi"), turn]),
        SchemaBy::Native,
        &expect![[r#"
        {"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"text":"hm","thought":true},{"text":"so","thought":true,"thoughtSignature":"c2ln"},{"text":"no"},{"functionCall":{"id":"toolu_1","name":"f"},"thoughtSignature":"c2ln"}],"role":"model"}]}
        lost turns[1].parts[0].carrier: only anthropic_messages understands it
        lost turns[1].parts[2].carrier: only anthropic_messages understands it
        lost turns[1].parts[3]: gemini has no refusals; said as text"#]],
    );
}

#[test]
fn thinking_and_settings() {
    let mut asked = request(vec![user("hi")]);
    asked.thinking = Some(Thinking {
        effort: Some("medium".to_owned()),
        shown: Some(true),
        ..Thinking::default()
    });
    asked.user = Some("u".to_owned());
    asked.extras = Extras(vec![("metadata".to_owned(), RawJson::string("x"))]);
    check(
        &asked,
        SchemaBy::Native,
        &expect![[r#"
        {"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"thinkingConfig":{"thinkingBudget":12288,"includeThoughts":true}}}
        lost metadata: gemini has no field for it
        lost user: gemini has no field for it"#]],
    );
    asked.user = None;
    asked.extras = Extras::default();
    asked.thinking = Some(Thinking { budget: Some(Budget::Tokens(64_000)), ..Thinking::default() });
    check(
        &asked,
        SchemaBy::Native,
        &expect![[r#"
        {"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"thinkingConfig":{"thinkingBudget":24576}}}
        lost thinking.budget: gemini takes at most 24576 everywhere"#]],
    );
}

#[test]
fn a_schema_in_the_three_ways() {
    let mut asked = request(vec![instruct("be brief"), user("hi")]);
    asked.output = Output::Schema(Schema {
        name: "point".to_owned(),
        description: Some("a point".to_owned()),
        schema: Some(RawJson::parse("{\"type\":\"object\"}".to_owned()).unwrap()),
        strict: Some(true),
        extras: Extras::default(),
    });
    check(
        &asked,
        SchemaBy::Native,
        &expect![[r#"
        {"systemInstruction":{"parts":[{"text":"be brief"}]},"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}}
        lost output.description: gemini has no field for it"#]],
    );
    check(
        &asked,
        SchemaBy::Tool,
        &expect![[r#"
        {"systemInstruction":{"parts":[{"text":"be brief"}]},"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"tools":[{"functionDeclarations":[{"name":"give_answer","description":"a point","parametersJsonSchema":{"type":"object"}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["give_answer"]}}}
        Undo { answer: true, customs: [] }"#]],
    );
    check(
        &asked,
        SchemaBy::Prompt,
        &expect![[
            r#"{"systemInstruction":{"parts":[{"text":"be brief"},{"text":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\"}"}]},"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"responseMimeType":"application/json"}}"#
        ]],
    );
}

fn answer() -> Response {
    let citation = Citation {
        url: Some("https://a.example".to_owned()),
        title: Some("A".to_owned()),
        quote: None,
        span: Some((4, 9)),
        raw: opaque(THERE, "{}"),
    };
    let said =
        Said { text: "été chaud".to_owned(), citations: vec![citation], ..Said::default() };
    let carrier = Some(opaque(THERE, "\"sig\""));
    let turn = AssistantTurn {
        parts: vec![
            AssistantPart::Reasoning(Reasoning { text: "hm".to_owned(), carrier }),
            AssistantPart::Text(said),
            AssistantPart::ToolCall(call("toolu_1", "f", CallKind::Function, "{\"a\":")),
            AssistantPart::Other(opaque(THERE, "{\"type\":\"server_tool_use\"}")),
        ],
        extras: Extras(vec![("theirs".to_owned(), RawJson::string("x"))]),
    };
    let usage = Usage {
        input: Tokens(10),
        cached_input: Tokens(4),
        output: Tokens(7),
        reasoning: Tokens(2),
        extras: Extras(vec![("theirs".to_owned(), RawJson::string("x"))]),
        ..Usage::default()
    };
    Response {
        spoken: THERE,
        id: Some("msg_1".to_owned()),
        model: Some("m".to_owned()),
        created: None,
        candidates: vec![Candidate {
            turn,
            finish: Some(Finish::ToolCalls),
            extras: Extras::default(),
        }],
        usage: Some(usage),
        extras: Extras(vec![("theirs".to_owned(), RawJson::string("x"))]),
    }
}

#[test]
fn an_answer_of_another_dialect() {
    let bytes = wire::write_response(GOOGLE, &answer());
    expect![[r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true,"thoughtSignature":"cG0xLnRoaXMuYW50aHJvcGljX21lc3NhZ2VzLkluTnBaeUk="},{"text":"été chaud"},{"functionCall":{"id":"toolu_1","name":"f","args":{"input":"{\"a\":"}}}],"role":"model"},"finishReason":"STOP","index":0,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}}],"groundingSupports":[{"segment":{"partIndex":1,"startIndex":6,"endIndex":11,"text":"chaud"},"groundingChunkIndices":[0]}]},"finishMessage":"the arguments of f are no JSON object; they stand in one as a text"}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":17},"modelVersion":"m","responseId":"msg_1"}"#]].assert_eq(std::str::from_utf8(&bytes).unwrap());
}

/// The client sends a streamed answer back in the pieces it came in.
#[test]
fn a_foreign_carrier_comes_back_on_its_part() {
    let spot = |part| Spot { candidate: 0, part };
    let carrier = opaque(THERE, "\"sig\"");
    let id = "toolu_1".to_owned();
    let named = PartKind::ToolCall { id, name: "f".to_owned(), kind: CallKind::Function };
    let events = [
        Event::Start { id: None, model: None, created: None },
        Event::Open(spot(0), PartKind::Reasoning),
        Event::Delta(spot(0), "so ".to_owned()),
        Event::Delta(spot(0), "what".to_owned()),
        Event::Carry(spot(0), carrier.clone()),
        Event::Close(spot(0)),
        Event::Open(spot(1), named),
        Event::Open(spot(2), PartKind::Text),
        Event::Delta(spot(2), "hi".to_owned()),
        Event::Delta(spot(1), "{\"a\"".to_owned()),
        Event::Delta(spot(1), ":1}".to_owned()),
        Event::Carry(spot(1), carrier.clone()),
        Event::Close(spot(1)),
        Event::Close(spot(2)),
        Event::Stop { candidate: 0, finish: Some(Finish::ToolCalls) },
        Event::Finish,
    ];
    let stream = rewritten(GOOGLE, &events);
    let stream = std::str::from_utf8(&stream).unwrap();
    expect![[r#"
        data: {"candidates":[{"content":{"parts":[{"text":"so ","thought":true}],"role":"model"},"index":0}]}

        data: {"candidates":[{"content":{"parts":[{"text":"what","thought":true}],"role":"model"},"index":0}]}

        data: {"candidates":[{"content":{"parts":[{"text":"","thought":true,"thoughtSignature":"cG0xLnRoaXMuYW50aHJvcGljX21lc3NhZ2VzLkluTnBaeUk="}],"role":"model"},"index":0}]}

        data: {"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"index":0}]}

        data: {"candidates":[{"content":{"parts":[{"functionCall":{"id":"toolu_1","name":"f","args":{"a":1}},"thoughtSignature":"cG0xLnRoaXMuYW50aHJvcGljX21lc3NhZ2VzLkluTnBaeUk="}],"role":"model"},"index":0}]}

        data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}]}

    "#]].assert_eq(&stream.replace('\r', ""));
    let contents = crate::oracle::data(stream).into_iter().map(|data| {
        let frame: serde_json::Value = serde_json::from_str(&data).unwrap();
        frame["candidates"][0]["content"].clone()
    });
    let body = serde_json::json!({ "contents": contents.collect::<Vec<_>>() }).to_string();
    // The official SDK spells the bytes of a signature in the alphabet for URLs.
    let body = body.replace('+', "-").replace('/', "_");
    let request = wire::read_request(GOOGLE, body.as_bytes()).unwrap();
    let [Turn::Assistant(turn)] = request.turns.as_slice() else { panic!("{:?}", request.turns) };
    let thoughts = Reasoning { text: "so what".to_owned(), carrier: Some(carrier.clone()) };
    assert_eq!(turn.parts[0], AssistantPart::Reasoning(thoughts));
    let called = turn.parts.iter().find_map(|part| match part {
        AssistantPart::ToolCall(call) => Some(call),
        _ => None,
    });
    assert_eq!(called.unwrap().carrier, Some(carrier));
    assert_eq!(called.unwrap().arguments.0, "{\"a\":1}");
}

#[test]
fn a_failure_in_googles_envelope() {
    let failure = Failure {
        retry_after: Some(std::time::Duration::from_millis(1_500)),
        ..Failure::new(Kind::RateLimited, "slow down").at("contents[0]")
    };
    let context = wire::failures::Context { request_id: "r1".to_owned(), attempts: Vec::new() };
    let (status, body) = wire::write_failure(GOOGLE, &failure, &context);
    assert_eq!(status, 429);
    expect![[r#"{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"pointsman","metadata":{"code":"rate_limit_exceeded","fault":"provider","help":"Wait as long as Retry-After says, or add a fallback to the task.","request_id":"r1"}},{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0]","description":"slow down"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}}"#]].assert_eq(std::str::from_utf8(&body).unwrap());
    let frame = wire::write_failure_frame(GOOGLE, &failure, &context);
    assert!(frame.starts_with(b"data: {\"error\":") && frame.ends_with(b"}\r\n\r\n"));
}
