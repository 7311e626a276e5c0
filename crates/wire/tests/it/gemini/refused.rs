//! What Google's models refuse of a conversation that another dialect allows, and what they throw away.

use expect_test::{Expect, expect};
use ir::dialect::{SchemaBesideTools, Signatures, ThinkingOff};
use ir::{
    AssistantPart, Budget, CallKind, Choice, Dialect, Kind, Output, Quirks, Request, Schema,
    Thinking, Toolbox, Turn,
};

use super::abroad::{assistant, call, function, opaque, request, result, text, user};
use super::{GOOGLE, HERE};
use crate::laws::{events, fold, origin};

/// Shows what is written and lost.
fn check(request: &Request, quirks: Quirks, expected: &Expect) {
    let written = wire::write_request(HERE, request, quirks);
    let mut shown = String::from_utf8(written.bytes).unwrap();
    for loss in written.losses {
        shown += &format!("\nlost {}: {}", loss.path, loss.why);
    }
    expected.assert_eq(&shown);
}

fn called(id: &str) -> AssistantPart {
    AssistantPart::ToolCall(call(id, "f", CallKind::Function, "{}"))
}

/// The second step of the turn that is under way was made by Gemini itself.
fn steps() -> Request {
    let mut own = call("g_1", "f", CallKind::Function, "{}");
    own.carrier = Some(opaque(HERE, "\"c2ln\""));
    request(vec![
        user("hi"),
        assistant(vec![called("a")]),
        result("a", vec![text("1")], None),
        user("again"),
        assistant(vec![called("b"), called("c")]),
        result("c", vec![text("3")], None),
        result("b", vec![text("2")], None),
        assistant(vec![AssistantPart::ToolCall(own), called("d")]),
        result("g_1", vec![text("4")], None),
        result("d", vec![text("5")], None),
    ])
}

#[test]
fn calls_of_others_carry_the_dummy_in_the_turn_under_way_and_results_stand_as_their_calls() {
    let quirks = Quirks { signatures: Signatures::Dummy, ..Quirks::default() };
    check(
        &steps(),
        quirks,
        &expect![[
            r#"{"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"functionCall":{"id":"a","name":"f","args":{}}}],"role":"model"},{"parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}}],"role":"user"},{"parts":[{"text":"again"}],"role":"user"},{"parts":[{"functionCall":{"id":"b","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"c","name":"f","args":{}}}],"role":"model"},{"parts":[{"functionResponse":{"id":"b","name":"f","response":{"output":"2"}}},{"functionResponse":{"id":"c","name":"f","response":{"output":"3"}}}],"role":"user"},{"parts":[{"functionCall":{"id":"g_1","name":"f","args":{}},"thoughtSignature":"c2ln"},{"functionCall":{"id":"d","name":"f","args":{}}}],"role":"model"},{"parts":[{"functionResponse":{"id":"g_1","name":"f","response":{"output":"4"}}},{"functionResponse":{"id":"d","name":"f","response":{"output":"5"}}}],"role":"user"}]}"#
        ]],
    );
    let mut home = steps();
    home.spoken = HERE;
    let plain = wire::write_request(HERE, &home, Quirks::default());
    assert_eq!(wire::write_request(HERE, &home, quirks), plain);
    assert!(!String::from_utf8(plain.bytes).unwrap().contains("skip_thought"));
}

#[test]
fn calls_of_two_turns_in_a_row_are_one_content() {
    let asked = request(vec![
        user("hi"),
        assistant(vec![called("a")]),
        assistant(vec![called("b")]),
        result("b", vec![text("2")], None),
        result("a", vec![text("1")], None),
    ]);
    check(
        &asked,
        Quirks::default(),
        &expect![[
            r#"{"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"functionCall":{"id":"a","name":"f","args":{}}},{"functionCall":{"id":"b","name":"f","args":{}}}],"role":"model"},{"parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}},{"functionResponse":{"id":"b","name":"f","response":{"output":"2"}}}],"role":"user"}]}"#
        ]],
    );
}

#[test]
fn no_thinking() {
    let mut asked = request(vec![user("hi")]);
    let shown = Some(true);
    asked.thinking = Some(Thinking { budget: Some(Budget::Off), shown, ..Thinking::default() });
    check(
        &asked,
        Quirks::default(),
        &expect![[r#"
        {"contents":[{"parts":[{"text":"hi"}],"role":"user"}]}
        lost thinking: not every model can be told not to think"#]],
    );
    let quirks = Quirks { thinking_off: ThinkingOff::Budget, ..Quirks::default() };
    check(
        &asked,
        quirks,
        &expect![[r#"
            {"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}}
            lost thinking.shown: there are no thoughts to show without thinking"#]],
    );
    asked.spoken = HERE;
    check(
        &asked,
        Quirks::default(),
        &expect![[
            r#"{"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"thinkingConfig":{"thinkingBudget":0,"includeThoughts":true}}}"#
        ]],
    );
}

#[test]
fn a_shape_beside_tools() {
    let quirks = Quirks { schema_beside_tools: SchemaBesideTools::Tool, ..Quirks::default() };
    let mut asked = request(vec![user("hi")]);
    asked.output = Output::Json;
    check(
        &asked,
        quirks,
        &expect![[
            r#"{"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"responseMimeType":"application/json"}}"#
        ]],
    );
    asked.toolbox = Some(Toolbox { tools: vec![function("f")], choice: None, parallel: None });
    check(
        &asked,
        quirks,
        &expect![[r#"
        {"systemInstruction":{"parts":[{"text":"Answer with one JSON object, and with nothing before or after it."}]},"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"tools":[{"functionDeclarations":[{"name":"f","description":"does","parametersJsonSchema":{"type":"object"}}]}]}
        lost output: no media type stands beside tools; asked for in words"#]],
    );
    asked.output = Output::Schema(Schema {
        name: "answer".to_owned(),
        description: None,
        schema: Some(opaque(HERE, "{\"type\":\"object\"}").raw),
        strict: None,
        extras: ir::Extras::default(),
    });
    check(
        &asked,
        quirks,
        &expect![[
            r#"{"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"tools":[{"functionDeclarations":[{"name":"f","description":"does","parametersJsonSchema":{"type":"object"}},{"name":"give_answer","description":"Gives the answer.","parametersJsonSchema":{"type":"object"}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}"#
        ]],
    );
    assert!(wire::write_request(HERE, &asked, quirks).undo.answer);
    asked.spoken = HERE;
    let home = wire::write_request(HERE, &asked, quirks);
    assert_eq!(home, wire::write_request(HERE, &asked, Quirks::default()));
}

#[test]
fn one_of_several_tools_is_any_abroad_and_stays_at_home() {
    let body = concat!(
        "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}],\"role\":\"user\"}],",
        "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"},{\"name\":\"g\"},{\"name\":\"h\"}]}],",
        "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\",\"g\"]}}}",
    );
    let read = wire::read_request(GOOGLE, body.as_bytes()).unwrap();
    assert_eq!(read.toolbox.as_ref().unwrap().choice, Some(Choice::Required));
    let written = wire::write_request(HERE, &read, Quirks::default());
    assert_eq!(
        (String::from_utf8(written.bytes).unwrap().as_str(), written.losses),
        (body, vec![])
    );
    let abroad = wire::write_request(Dialect::OpenaiChat, &read, Quirks::default());
    let lost: Vec<&str> = abroad.losses.iter().map(|loss| loss.path.as_str()).collect();
    assert_eq!(lost, ["toolConfig.functionCallingConfig"]);
    assert!(String::from_utf8(abroad.bytes).unwrap().contains("\"tool_choice\":\"required\""));
}

#[test]
fn a_call_that_was_thrown_away_is_a_failure_where_nothing_else_was_said() {
    for word in [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
    ] {
        for content in ["", "\"content\":{},", "\"content\":{\"parts\":[{\"text\":\"\"}]},"] {
            let body = format!("{{\"candidates\":[{{{content}\"finishReason\":\"{word}\"}}]}}");
            let whole = wire::read_response(&origin(HERE), body.as_bytes()).unwrap_err();
            let stream = format!("data: {body}\n\n").into();
            let cut = fold(HERE, &events(HERE, &[stream])).unwrap_err();
            assert_eq!(
                (whole.kind, whole.provider_code.as_deref()),
                (Kind::InvalidOutput, Some(word))
            );
            assert_eq!(cut, whole);
        }
        let content = "\"content\":{\"parts\":[{\"text\":\"so\"}]}";
        let body = format!("{{\"candidates\":[{{{content},\"finishReason\":\"{word}\"}}]}}");
        let whole = wire::read_response(&origin(HERE), body.as_bytes()).unwrap();
        let stream = format!("data: {body}\n\n").into();
        let streamed = fold(HERE, &events(HERE, &[stream])).unwrap();
        for read in [whole, streamed] {
            assert_eq!(read.candidates[0].finish, Some(ir::Finish::Other(word.to_owned())));
        }
    }
    let body = "{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}";
    assert!(wire::read_response(&origin(HERE), body.as_bytes()).is_ok());
}

#[test]
fn a_signature_without_words_is_no_thought_abroad() {
    let alone = || ir::Reasoning { text: String::new(), carrier: Some(opaque(HERE, "\"c2ln\"")) };
    let mut asked = request(vec![user("hi"), assistant(vec![AssistantPart::Reasoning(alone())])]);
    check(
        &asked,
        Quirks::default(),
        &expect![[
            r#"{"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"text":"","thoughtSignature":"c2ln"}],"role":"model"}]}"#
        ]],
    );
    asked.spoken = HERE;
    check(
        &asked,
        Quirks::default(),
        &expect![[
            r#"{"contents":[{"parts":[{"text":"hi"}],"role":"user"},{"parts":[{"text":"","thought":true,"thoughtSignature":"c2ln"}],"role":"model"}]}"#
        ]],
    );
    assert!(matches!(asked.turns[1], Turn::Assistant(_)));
}
