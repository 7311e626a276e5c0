//! Quirks: each changes what it is for, at home as well.

use expect_test::{Expect, expect};
use ir::dialect::{
    CacheMarks, CallIds, CapField, DeveloperRole, SchemaBy, StreamUsage, ThoughtsField,
};
use ir::{
    AssistantPart, Authority, CacheMark, Cap, Choice, Dialect, Extras, Mode, Output, Quirks,
    Reasoning, Request, Schema, Text, Tool, ToolCall, ToolResult, Toolbox, Turn, UserPart,
};

use super::{HERE, assistant, call, opaque, raw, request, shown, text, user};

const FROM: Dialect = Dialect::AnthropicMessages;

fn check(request: &Request, quirks: Quirks, expected: &Expect) {
    expected.assert_eq(&shown(request, quirks));
}

#[test]
fn names_and_roles() {
    let instruct = Turn::Instruct {
        authority: Authority::Developer,
        parts: vec![text("Be brief.")],
        extras: Extras::default(),
    };
    let mut asked = request(HERE, vec![instruct]);
    asked.cap = Some(Cap(7));
    let quirks = Quirks {
        cap: CapField::MaxTokens,
        developer: DeveloperRole::AsSystem,
        ..Quirks::default()
    };
    check(
        &asked,
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"system","content":"Be brief."}
            max_tokens: 7
        "#]],
    );
}

#[test]
fn usage_is_asked_for_where_the_host_must_be_asked() {
    let mut asked = request(FROM, vec![user("?")]);
    asked.mode = Mode::Stream { usage: true, extras: Extras::default() };
    check(
        &asked,
        Quirks::default(),
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"?"}
            stream: true
            stream_options: {"include_usage":true}
        "#]],
    );
    let always = Quirks { stream_usage: StreamUsage::Always, ..Quirks::default() };
    check(
        &asked,
        always,
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"?"}
            stream: true
        "#]],
    );
}

#[test]
fn cache_marks() {
    let mark = |ttl: Option<&str>| Some(CacheMark { ttl: ttl.map(str::to_owned) });
    let marked = UserPart::Text(Text {
        text: "long".to_owned(),
        cache: mark(Some("1h")),
        extras: Extras::default(),
    });
    let turns = vec![
        Turn::User { parts: vec![marked], extras: Extras::default() },
        assistant(vec![AssistantPart::ToolCall(ToolCall {
            cache: mark(None),
            ..call("c", "look", "{}")
        })]),
        Turn::Result(ToolResult {
            call: "c".to_owned(),
            name: None,
            parts: vec![text("a cat")],
            failed: None,
            cache: mark(None),
            extras: Extras::default(),
        }),
    ];
    let quirks = Quirks { cache_marks: CacheMarks::CacheControl, ..Quirks::default() };
    check(
        &request(FROM, turns),
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":[{"type":"text","text":"long","cache_control":{"type":"ephemeral","ttl":"1h"}}]}
            messages: {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"},"cache_control":{"type":"ephemeral"}}]}
            messages: {"role":"tool","tool_call_id":"c","content":"a cat","cache_control":{"type":"ephemeral"}}
        "#]],
    );
}

#[test]
fn thoughts_of_earlier_turns() {
    let own = r#"[{"type":"reasoning.text","text":"hm","signature":"s","index":0}]"#;
    let thoughts = |dialect, carrier: Option<&str>| {
        assistant(vec![
            AssistantPart::Reasoning(Reasoning {
                text: "hm".to_owned(),
                carrier: carrier.map(|carrier| opaque(dialect, carrier)),
            }),
            AssistantPart::ToolCall(call("c", "look", "{}")),
        ])
    };
    let turns =
        vec![thoughts(HERE, Some(own)), thoughts(FROM, Some("\"sig\"")), thoughts(HERE, None)];
    let expected = [
        (
            FROM,
            ThoughtsField::ReasoningContent,
            expect![[r#"
                model: "m"
                messages: {"role":"assistant","reasoning_content":"hm","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
                messages: {"role":"tool","tool_call_id":"c","content":"no result: the call was interrupted"}
                messages: {"role":"assistant","reasoning_content":"hm","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
                messages: {"role":"tool","tool_call_id":"c","content":"no result: the call was interrupted"}
                messages: {"role":"assistant","reasoning_content":"hm","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
                lost turns[1]: a call without a result is told to have failed
                lost turns[0]: a call without a result is told to have failed
                lost turns[0].parts[0]: this host takes only the text of thoughts back
                lost turns[1].failed: openai_chat has no field for it
                lost turns[2].parts[0].carrier: only anthropic_messages understands it
                lost turns[3].failed: openai_chat has no field for it
            "#]],
        ),
        (
            FROM,
            ThoughtsField::Details,
            expect![[r#"
                model: "m"
                messages: {"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s","index":0}],"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
                messages: {"role":"tool","tool_call_id":"c","content":"no result: the call was interrupted"}
                messages: {"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"unknown","index":0}],"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
                messages: {"role":"tool","tool_call_id":"c","content":"no result: the call was interrupted"}
                messages: {"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"unknown","index":0}],"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
                lost turns[1]: a call without a result is told to have failed
                lost turns[0]: a call without a result is told to have failed
                lost turns[1].failed: openai_chat has no field for it
                lost turns[2].parts[0].carrier: only anthropic_messages understands it
                lost turns[3].failed: openai_chat has no field for it
            "#]],
        ),
        (
            HERE,
            ThoughtsField::Reasoning,
            expect![[r#"
            model: "m"
            messages: {"role":"assistant","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s","index":0}],"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            messages: {"role":"assistant","reasoning":"hm","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            messages: {"role":"assistant","reasoning":"hm","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            lost turns[1].parts[0].carrier: only anthropic_messages understands it
        "#]],
        ),
        (
            HERE,
            ThoughtsField::None,
            expect![[r#"
            model: "m"
            messages: {"role":"assistant","reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s","index":0}],"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            messages: {"role":"assistant","reasoning_content":"hm","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            messages: {"role":"assistant","reasoning_content":"hm","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            lost turns[1].parts[0].carrier: only anthropic_messages understands it
        "#]],
        ),
    ];
    for (spoken, field, expected) in expected {
        let quirks = Quirks { thoughts: field, ..Quirks::default() };
        check(&request(spoken, turns.clone()), quirks, &expected);
    }
}

#[test]
fn ids_of_nine() {
    let turns = vec![
        assistant(vec![AssistantPart::ToolCall(call("call_1", "look", "{}"))]),
        Turn::Result(ToolResult {
            call: "call_1".to_owned(),
            name: Some("look".to_owned()),
            parts: vec![text("a cat")],
            failed: None,
            cache: None,
            extras: Extras::default(),
        }),
    ];
    let quirks = Quirks { call_ids: CallIds::Nine, ..Quirks::default() };
    check(
        &request(HERE, turns),
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"assistant","content":null,"tool_calls":[{"id":"9gD2Dimct","type":"function","function":{"name":"look","arguments":"{}"}}]}
            messages: {"role":"tool","tool_call_id":"9gD2Dimct","name":"look","content":"a cat"}
        "#]],
    );
}

fn asking_for_a_schema(choice: Option<Choice>) -> Request {
    let instruct = Turn::Instruct {
        authority: Authority::System,
        parts: vec![text("Be brief.")],
        extras: Extras::default(),
    };
    let mut asked = request(HERE, vec![instruct, user("?")]);
    asked.output = Output::Schema(Schema {
        name: "color".to_owned(),
        description: None,
        schema: Some(raw("{\"type\":\"object\"}")),
        strict: Some(true),
        extras: Extras::default(),
    });
    asked.toolbox = choice.map(|choice| Toolbox {
        tools: vec![Tool::Function {
            name: "look".to_owned(),
            description: None,
            parameters: None,
            strict: None,
            cache: None,
            extras: Extras::default(),
            around: Extras::default(),
        }],
        choice: Some(choice),
        parallel: None,
    });
    asked
}

#[test]
fn a_schema_by_a_tool() {
    let quirks = Quirks { schema: SchemaBy::Tool, ..Quirks::default() };
    check(
        &asking_for_a_schema(None),
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"system","content":"Be brief."}
            messages: {"role":"user","content":"?"}
            tools: {"type":"function","function":{"name":"give_answer","description":"Call this with your answer.","parameters":{"type":"object"},"strict":true}}
            tool_choice: {"type":"function","function":{"name":"give_answer"}}
            Undo { answer: true, customs: [] }
        "#]],
    );
    check(
        &asking_for_a_schema(Some(Choice::Auto)),
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"system","content":"Be brief."}
            messages: {"role":"user","content":"?"}
            tools: {"type":"function","function":{"name":"look"}}
            tools: {"type":"function","function":{"name":"give_answer","description":"Call this with your answer.","parameters":{"type":"object"},"strict":true}}
            tool_choice: "required"
            Undo { answer: true, customs: [] }
        "#]],
    );
    check(
        &asking_for_a_schema(Some(Choice::Never)),
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"system","content":"Be brief."}
            messages: {"role":"user","content":"?"}
            tools: {"type":"function","function":{"name":"look"}}
            tools: {"type":"function","function":{"name":"give_answer","description":"Call this with your answer.","parameters":{"type":"object"},"strict":true}}
            tool_choice: {"type":"function","function":{"name":"give_answer"}}
            Undo { answer: true, customs: [] }
        "#]],
    );
}

#[test]
fn a_schema_in_words() {
    let quirks = Quirks { schema: SchemaBy::Prompt, ..Quirks::default() };
    check(
        &asking_for_a_schema(None),
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"system","content":"Be brief."}
            messages: {"role":"system","content":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\"}"}
            messages: {"role":"user","content":"?"}
            response_format: {"type":"json_object"}
            lost output.strict: openai_chat has no field for it
        "#]],
    );
}

#[test]
fn thoughts_are_demanded_in_turns_that_call_tools() {
    let turns = vec![
        user("?"),
        assistant(vec![AssistantPart::ToolCall(call("c", "look", "{}"))]),
        assistant(vec![]),
    ];
    let quirks = Quirks { thoughts: ThoughtsField::ReasoningContent, ..Quirks::default() };
    check(
        &request(FROM, turns.clone()),
        quirks,
        &expect![[r#"
            model: "m"
            messages: {"role":"user","content":"?"}
            messages: {"role":"assistant","reasoning_content":"","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
            messages: {"role":"tool","tool_call_id":"c","content":"no result: the call was interrupted"}
            messages: {"role":"assistant","content":""}
            lost turns[1]: a call without a result is told to have failed
            lost turns[2].failed: openai_chat has no field for it
        "#]],
    );
    check(
        &request(HERE, turns),
        quirks,
        &expect![[r#"
        model: "m"
        messages: {"role":"user","content":"?"}
        messages: {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]}
        messages: {"role":"assistant","content":null}
    "#]],
    );
}
