//! Requests of other dialects, written in this one.

use expect_test::{Expect, expect};
use ir::dialect::CustomTools;
use ir::{
    AssistantPart, Authority, Budget, CacheMark, Choice, Citation, Dialect, Extras, File, Image,
    Logprobs, Mode, Output, Quirks, Reasoning, Request, Said, Schema, Source, Text, Thinking, Tool,
    ToolCall, ToolResult, Toolbox, Turn, UserPart,
};
use serde_json::Number;

use super::{assistant, call, extra, opaque, raw, request, shown, text, user};

const FROM: Dialect = Dialect::AnthropicMessages;

fn check(request: &Request, expected: &Expect) {
    expected.assert_eq(&shown(request, Quirks::default()));
}

fn image(source: Source) -> UserPart {
    UserPart::Image(Image { source, detail: None, cache: None, extras: Extras::default() })
}

fn file(source: Source, name: Option<&str>) -> UserPart {
    UserPart::File(File {
        source,
        name: name.map(str::to_owned),
        cache: None,
        extras: Extras::default(),
    })
}

fn inline(media_type: &str) -> Source {
    Source::Inline { media_type: media_type.to_owned(), base64: "AAAA".to_owned() }
}

fn url(url: &str, media_type: Option<&str>) -> Source {
    Source::Url { url: url.to_owned(), media_type: media_type.map(str::to_owned) }
}

fn result(call: &str, parts: Vec<UserPart>, failed: Option<bool>) -> Turn {
    let name = Some("look".to_owned());
    let (call, extras) = (call.to_owned(), Extras::default());
    Turn::Result(ToolResult { call, name, parts, failed, cache: None, extras })
}

#[test]
fn pictures_and_files() {
    let parts = vec![
        image(inline("image/png")),
        image(url("https://a/b.png", Some("image/png"))),
        image(Source::Uploaded("file_1".to_owned())),
        file(inline("application/pdf"), Some("a.pdf")),
        file(inline("application/pdf"), None),
        file(inline("audio/mpeg"), Some("a.mp3")),
        file(inline("video/mp4"), None),
        file(url("https://a/b.pdf", None), None),
        file(Source::Uploaded("file_2".to_owned()), None),
        UserPart::Other(opaque(FROM, r#"{"type":"search_result"}"#)),
        UserPart::Text(Text {
            text: "look".to_owned(),
            cache: Some(CacheMark { ttl: None }),
            extras: extra("x", "1"),
        }),
    ];
    let turns = vec![Turn::User { parts, extras: extra("y", "2") }];
    check(
        &request(FROM, turns),
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"https://a/b.png"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}},{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AAAA"}},{"type":"text","text":"look"}]}
            lost turns[0].parts[2]: only the provider it was uploaded to has it
            lost turns[0].parts[7]: a file is taken as bytes, and this is an address
            lost turns[0].parts[8]: only the provider it was uploaded to has it
            lost turns[0].parts[9]: only anthropic_messages understands it
            lost turns[0].parts[1].source.media_type: openai_chat has no field for it
            lost turns[0].parts[5].name: openai_chat has no field for it
            lost turns[0].parts[10].x: openai_chat has no field for it
            lost turns[0].parts[10].cache: this host takes no prompt-cache marks
            lost turns[0].y: openai_chat has no field for it
        "#]],
    );
}

#[test]
fn tools_their_calls_and_their_results() {
    let parts = vec![
        AssistantPart::Text(Said { text: "I look.".to_owned(), ..Said::default() }),
        AssistantPart::Text(Said { text: " Twice.".to_owned(), ..Said::default() }),
        AssistantPart::ToolCall(ToolCall {
            carrier: Some(opaque(Dialect::Gemini, "\"sig\"")),
            cache: Some(CacheMark { ttl: Some("1h".to_owned()) }),
            extras: extra("caller", "{}"),
            ..call("toolu_1", "look", "")
        }),
        AssistantPart::ToolCall(call(&"x".repeat(64), "look", "{\"a\":1}")),
    ];
    let turns = vec![
        user("Look."),
        assistant(parts),
        result("toolu_1", vec![text("a cat"), image(inline("image/png"))], None),
        result(&"x".repeat(64), vec![image(inline("image/jpeg"))], Some(true)),
        user("And?"),
    ];
    check(
        &request(FROM, turns),
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"Look."}
            messages: {"role":"assistant","content":"I look. Twice.","tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"look","arguments":"{}"}},{"id":"call_b96a5acbb56db825","type":"function","function":{"name":"look","arguments":"{\"a\":1}"}}]}
            messages: {"role":"tool","tool_call_id":"toolu_1","content":"a cat"}
            messages: {"role":"tool","tool_call_id":"call_b96a5acbb56db825","content":"The result is in the user's message after the results."}
            messages: {"role":"user","content":[{"type":"text","text":"Result of the tool call toolu_1:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"Result of the tool call call_b96a5acbb56db825:"},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,AAAA"}}]}
            messages: {"role":"user","content":"And?"}
            lost turns[2].parts[1]: a tool's result is text: it stands in a user's message after it
            lost turns[3].parts[0]: a tool's result is text: it stands in a user's message after it
            lost turns[1].parts[2].carrier: only gemini understands it
            lost turns[1].parts[2].caller: openai_chat has no field for it
            lost turns[1].parts[2].cache: this host takes no prompt-cache marks
            lost turns[3].failed: openai_chat has no field for it
        "#]],
    );
}

#[test]
fn results_with_pictures_at_the_end() {
    let turns = vec![
        assistant(vec![AssistantPart::ToolCall(call("c", "look", "{}"))]),
        result(
            "c",
            vec![image(inline("image/png")), image(Source::Uploaded("f".into()))],
            Some(false),
        ),
    ];
    check(
        &request(FROM, turns),
        &expect![[r#"
            model: "m"
            messages: {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            messages: {"role":"tool","tool_call_id":"c","content":"The result is in the user's message after the results."}
            messages: {"role":"user","content":[{"type":"text","text":"Result of the tool call c:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}
            lost turns[1].parts[1]: only the provider it was uploaded to has it
            lost turns[1].parts[0]: a tool's result is text: it stands in a user's message after it
        "#]],
    );
}

#[test]
fn instructions_anywhere() {
    let instruct = |authority, said| Turn::Instruct {
        authority,
        parts: vec![text(said)],
        extras: Extras::default(),
    };
    let turns = vec![
        instruct(Authority::System, "Be brief."),
        user("Hi."),
        instruct(Authority::Developer, "Be briefer."),
        Turn::Other(opaque(FROM, "{}")),
    ];
    check(
        &request(FROM, turns),
        &expect![[r#"
            model: "m"
            messages: {"role":"system","content":"Be brief."}
            messages: {"role":"user","content":"Hi."}
            messages: {"role":"developer","content":"Be briefer."}
            lost turns[3]: only anthropic_messages understands it
        "#]],
    );
}

#[test]
fn what_an_assistant_said_elsewhere() {
    let citation = Citation {
        url: Some("https://a".to_owned()),
        title: None,
        quote: None,
        span: None,
        raw: opaque(FROM, "{}"),
    };
    let picture =
        Image { source: inline("image/png"), detail: None, cache: None, extras: Extras::default() };
    let parts = vec![
        AssistantPart::Reasoning(Reasoning {
            text: "hm".to_owned(),
            carrier: Some(opaque(FROM, "{\"signature\":\"s\"}")),
        }),
        AssistantPart::Text(Said {
            text: "It is so.".to_owned(),
            citations: vec![citation],
            carrier: Some(opaque(Dialect::Gemini, "\"sig\"")),
            ..Said::default()
        }),
        AssistantPart::Other(opaque(FROM, "{\"type\":\"server_tool_use\"}")),
        AssistantPart::Image(picture),
        AssistantPart::Refusal("No.".to_owned()),
    ];
    check(
        &request(FROM, vec![user("?"), assistant(parts)]),
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"?"}
            messages: {"role":"assistant","content":"It is so.","refusal":"No."}
            lost turns[1].parts[0]: this host takes no thoughts of earlier turns back
            lost turns[1].parts[1].carrier: only gemini understands it
            lost turns[1].parts[1].citations: openai_chat has no field for it
            lost turns[1].parts[2]: only anthropic_messages understands it
            lost turns[1].parts[3]: openai_chat has no field for it
        "#]],
    );
}

#[test]
fn a_turn_of_which_nothing_is_left() {
    let thoughts = AssistantPart::Reasoning(Reasoning { text: "hm".to_owned(), carrier: None });
    let turns = vec![
        assistant(vec![thoughts]),
        Turn::User { parts: vec![UserPart::Other(opaque(FROM, "{}"))], extras: Extras::default() },
    ];
    check(
        &request(FROM, turns),
        &expect![[r#"
            model: "m"
            messages: {"role":"assistant","content":""}
            messages: {"role":"user","content":""}
            lost turns[0].parts[0]: this host takes no thoughts of earlier turns back
            lost turns[1].parts[0]: only anthropic_messages understands it
        "#]],
    );
}

#[test]
fn hosted_tools_and_choices() {
    let toolbox = |tools, choice| Toolbox { tools, choice: Some(choice), parallel: Some(false) };
    let hosted = || Tool::Hosted(opaque(FROM, "{\"type\":\"web_search\"}"));
    let function = Tool::Function {
        name: "look".to_owned(),
        description: None,
        parameters: Some(raw("{\"type\":\"object\"}")),
        strict: None,
        cache: Some(CacheMark { ttl: None }),
        extras: extra("defer_loading", "true"),
        around: Extras::default(),
    };
    let custom = Tool::Custom {
        name: "sum".to_owned(),
        description: Some("Adds.".to_owned()),
        extras: extra("format", "{}"),
    };
    let mut asked = request(FROM, vec![user("?")]);
    asked.toolbox = Some(toolbox(vec![hosted(), function, custom], Choice::Tool("sum".to_owned())));
    check(
        &asked,
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"?"}
            tools: {"type":"function","function":{"name":"look","parameters":{"type":"object"}}}
            tools: {"type":"function","function":{"name":"sum","description":"Adds.","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}
            tool_choice: {"type":"function","function":{"name":"sum"}}
            parallel_tool_calls: false
            lost toolbox.tools[0]: only anthropic_messages understands it
            lost toolbox.tools[1].defer_loading: openai_chat has no field for it
            lost toolbox.tools[1].cache: this host takes no prompt-cache marks
            lost toolbox.tools[2].format: this host takes functions alone
            Undo { answer: false, customs: ["sum"] }
        "#]],
    );
    asked.toolbox = Some(toolbox(vec![hosted()], Choice::Other(opaque(FROM, "{}"))));
    check(
        &asked,
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"?"}
            lost toolbox.tools[0]: only anthropic_messages understands it
            lost toolbox.choice: no tool is left to choose
        "#]],
    );
}

#[test]
fn settings() {
    let mut asked = request(Dialect::Gemini, vec![user("?")]);
    asked.thinking = Some(Thinking {
        budget: Some(Budget::Tokens(4_000)),
        shown: Some(true),
        ..Thinking::default()
    });
    asked.top_k = Some(Number::from(40));
    asked.logprobs = Some(Logprobs { top: Some(2) });
    asked.user = Some("u".to_owned());
    asked.mode = Mode::Stream { usage: false, extras: extra("obfuscation", "1") };
    asked.output = Output::Schema(Schema {
        name: String::new(),
        description: None,
        schema: Some(raw("{\"type\":\"object\"}")),
        strict: None,
        extras: Extras::default(),
    });
    asked.extras = extra("safetySettings", "[]");
    check(
        &asked,
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"?"}
            reasoning_effort: "low"
            logprobs: true
            top_logprobs: 2
            user: "u"
            stream: true
            stream_options: {"include_usage":true}
            response_format: {"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"}}}
            lost top_k: openai_chat has no field for it
            lost thinking.shown: openai_chat has no field for it
            lost mode.obfuscation: openai_chat has no field for it
            lost safetySettings: openai_chat has no field for it
        "#]],
    );
}

/// A conversation of the Responses dialect, read and written here.
fn from_responses(body: &str, quirks: Quirks, expected: &Expect) {
    let asked = wire::read_request(ir::Inbound::OpenaiResponses, body.as_bytes()).unwrap();
    expected.assert_eq(&shown(&asked, quirks));
}

const FREE_TEXT: &str = r#"{"model":"m","input":[
    {"role":"user","content":"4 + 4"},
    {"type":"custom_tool_call","call_id":"c","name":"math","input":"4 + \"4\""},
    {"type":"custom_tool_call_output","call_id":"c","output":"8"}],
    "tools":[{"type":"custom","name":"math","description":"Counts.","format":{"type":"grammar","syntax":"lark","definition":"start: INT"}},
        {"type":"custom","name":"note","format":{"type":"text"}}],
    "tool_choice":{"type":"custom","name":"math"}}"#;

#[test]
fn tools_of_free_text_are_functions() {
    from_responses(
        FREE_TEXT,
        Quirks::default(),
        &expect![[r#"
        model: "m"
        messages: {"role":"user","content":"4 + 4"}
        messages: {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"math","arguments":"{\"input\":\"4 + \\\"4\\\"\"}"}}]}
        messages: {"role":"tool","tool_call_id":"c","content":"8"}
        tools: {"type":"function","function":{"name":"math","description":"Counts.","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}
        tools: {"type":"function","function":{"name":"note","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}
        tool_choice: {"type":"function","function":{"name":"math"}}
        lost toolbox.tools[0].format: this host takes functions alone
        Undo { answer: false, customs: ["math", "note"] }
    "#]],
    );
}

#[test]
fn tools_of_free_text_keep_their_grammar_where_they_are_known() {
    let quirks = Quirks { custom_tools: CustomTools::Native, ..Quirks::default() };
    from_responses(
        FREE_TEXT,
        quirks,
        &expect![[r#"
        model: "m"
        messages: {"role":"user","content":"4 + 4"}
        messages: {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"math","input":"4 + \"4\""}}]}
        messages: {"role":"tool","tool_call_id":"c","content":"8"}
        tools: {"type":"custom","custom":{"name":"math","description":"Counts.","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: INT"}}}}
        tools: {"type":"custom","custom":{"name":"note"}}
        tool_choice: {"type":"custom","custom":{"name":"math"}}
    "#]],
    );
}

#[test]
fn a_choice_among_a_few_tools_leaves_these() {
    let body = r#"{"model":"m","input":"?","tools":[{"type":"function","name":"a"},{"type":"function","name":"b"},
        {"type":"custom","name":"b"}],
        "tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"b"}]}}"#;
    from_responses(
        body,
        Quirks::default(),
        &expect![[r#"
        model: "m"
        messages: {"role":"user","content":"?"}
        tools: {"type":"function","function":{"name":"b"}}
        tool_choice: "required"
    "#]],
    );
}

#[test]
fn more_texts_that_end_an_answer_than_are_taken() {
    let mut asked = request(FROM, vec![user("?")]);
    asked.stop = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
    check(
        &asked,
        &expect![[r#"
        model: "m"
        messages: {"role":"user","content":"?"}
        stop: "a"
        stop: "b"
        stop: "c"
        stop: "d"
        lost stop: openai_chat takes the first four
    "#]],
    );
    asked.spoken = Dialect::OpenaiChat;
    check(
        &asked,
        &expect![[r#"
        model: "m"
        messages: {"role":"user","content":"?"}
        stop: "a"
        stop: "b"
        stop: "c"
        stop: "d"
        stop: "e"
    "#]],
    );
}
