//! What other dialects say and Bedrock refuses.

use expect_test::expect;
use ir::dialect::{AdditionalFields, CacheMarks};
use ir::{
    AssistantPart, CacheMark, CallKind, Cap, Dialect, Opaque, Output, Quirks, Request, Text,
    Thinking, Tool, UserPart,
};

use super::HERE;
use crate::built::{
    assistant, called, file, function, inline, instruct, raw, request, result, said, schema, shown,
    text, thoughts, toolbox, user,
};

fn points() -> Quirks {
    Quirks { cache_marks: CacheMarks::CachePoint, ..Quirks::default() }
}

fn marked(said: &str) -> UserPart {
    UserPart::Text(Text {
        text: said.to_owned(),
        cache: Some(CacheMark::default()),
        ..Text::default()
    })
}

fn asked(name: &str, schema: &str) -> Request {
    let mut asked = request(vec![user(vec![text("Where?")])]);
    if name == "output" {
        asked.output = self::schema();
        let Output::Schema(wanted) = &mut asked.output else { unreachable!() };
        wanted.schema = Some(raw(schema));
        return asked;
    }
    let mut tool = function(name);
    if let Tool::Function { parameters, strict, .. } = &mut tool {
        *parameters = Some(raw(schema));
        *strict = Some(true);
    }
    asked.toolbox = toolbox(vec![tool], None);
    asked
}

#[test]
fn a_document_beside_a_result_has_a_text_too() {
    let mut document = file(inline("application/pdf"), None);
    if let UserPart::File(file) = &mut document {
        file.cache = Some(CacheMark::default());
    }
    let asked = request(vec![
        user(vec![text("hi")]),
        assistant(vec![called("c", "f", "{}", CallKind::Function)]),
        result("c", vec![text("1")], None),
        user(vec![document]),
    ]);
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"hi"}]}
          {"role":"assistant","content":[{"toolUse":{"toolUseId":"c","name":"f","input":{}}}]}
          {"role":"user","content":[{"toolResult":{"toolUseId":"c","content":[{"text":"1"}]}},{"document":{"format":"pdf","name":"document","source":{"bytes":"aGk="}}},{"text":"(no message)"},{"cachePoint":{"type":"default"}}]}
        toolConfig.tools:
          {"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}
    "#]].assert_eq(&shown(HERE, &asked, points()));
}

#[test]
fn of_more_than_four_cache_points_the_last_stay() {
    let mut tool = function("f");
    if let Tool::Function { cache, .. } = &mut tool {
        *cache = Some(CacheMark::default());
    }
    let mut asked = request(vec![
        instruct("Be kind."),
        user(vec![marked("a"), marked("b"), text("c")]),
        assistant(vec![said("d")]),
        user(vec![marked("e"), marked("f")]),
    ]);
    asked.toolbox = toolbox(vec![tool], None);
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default"}},{"text":"b"},{"cachePoint":{"type":"default"}},{"text":"c"}]}
          {"role":"assistant","content":[{"text":"d"}]}
          {"role":"user","content":[{"text":"e"},{"cachePoint":{"type":"default"}},{"text":"f"},{"cachePoint":{"type":"default"}}]}
        system:
          {"text":"Be kind."}
        toolConfig.tools:
          {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","properties":{"a":{"type":"number"}}}}}}
        toolbox.tools[0].cache: a request has at most 4 cache points
    "#]].assert_eq(&shown(HERE, &asked, points()));
}

#[test]
fn a_schema_keeps_what_is_enforced_or_goes_by_a_tool() {
    let bounded = r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1}}}"#;
    let open = r#"{"type":"object","additionalProperties":{"type":"string"}}"#;
    let mut all = String::new();
    for name in ["output", "f"] {
        for schema in [bounded, open] {
            all += &shown(HERE, &asked(name, schema), Quirks::default());
        }
    }
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"Where?"}]}
        outputConfig: {"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"description\":\"{minimum: 1}\"}},\"additionalProperties\":false}","name":"city"}}}}
        output.schema: objects of a schema take no further fields here
        output.schema.properties.n.minimum: it is not enforced here, and described instead
        messages:
          {"role":"user","content":[{"text":"Where?"}]}
        toolConfig.tools:
          {"toolSpec":{"name":"give_answer","description":"Gives the answer.","inputSchema":{"json":{"type":"object","additionalProperties":{"type":"string"}}}}}
        toolConfig.toolChoice: {"tool":{"name":"give_answer"}}
        output.schema: an object of the schema takes keys of any name, which cannot be enforced here: the answer comes by a tool
        Undo { answer: true, customs: [] }
        messages:
          {"role":"user","content":[{"text":"Where?"}]}
        toolConfig.tools:
          {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","properties":{"n":{"type":"integer","description":"{minimum: 1}"}},"additionalProperties":false}},"strict":true}}
        toolbox.tools[0].parameters: objects of a schema take no further fields here
        toolbox.tools[0].parameters.properties.n.minimum: it is not enforced here, and described instead
        messages:
          {"role":"user","content":[{"text":"Where?"}]}
        toolConfig.tools:
          {"toolSpec":{"name":"f","description":"Does f.","inputSchema":{"json":{"type":"object","additionalProperties":{"type":"string"}}}}}
        toolbox.tools[0].strict: an object of the schema takes keys of any name, which cannot be enforced here
    "#]].assert_eq(&all);
}

#[test]
fn what_claude_signed_elsewhere_goes_back_to_it_alone() {
    let signed = |text: &str| Opaque { dialect: Dialect::AnthropicMessages, raw: raw(text) };
    let asked = request(vec![
        user(vec![text("hi")]),
        assistant(vec![
            thoughts("hm", Some(signed("\"Eo8B\""))),
            thoughts("", Some(signed(r#"{"type":"redacted_thinking","data":"Eu8E"}"#))),
            thoughts("so", Some(signed("\"a-uuid-of-another-host\""))),
            thoughts("no", Some(signed("null"))),
            said("Hello."),
        ]),
        user(vec![text("again")]),
    ]);
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"hi"}]}
          {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"Eo8B"}}},{"reasoningContent":{"redactedContent":"RXU4RQ=="}},{"text":"Hello."}]}
          {"role":"user","content":[{"text":"again"}]}
        turns[1].parts[2]: only anthropic_messages understands it
        turns[1].parts[3]: only anthropic_messages understands it
    "#]].assert_eq(&shown(HERE, &asked, Quirks::default()));
    let nova = Quirks { additional: AdditionalFields::ReasoningConfig, ..Quirks::default() };
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"hi"}]}
          {"role":"assistant","content":[{"text":"Hello."}]}
          {"role":"user","content":[{"text":"again"}]}
        turns[1].parts[0]: only anthropic_messages understands it
        turns[1].parts[1]: only anthropic_messages understands it
        turns[1].parts[2]: only anthropic_messages understands it
        turns[1].parts[3]: only anthropic_messages understands it
    "#]]
    .assert_eq(&shown(HERE, &asked, nova));
}

#[test]
fn an_effort_without_a_number_becomes_one() {
    let mut all = String::new();
    for (effort, cap) in [("max", None), ("high", None), ("default", None), ("max", Some(8_000))] {
        let mut asked = request(vec![user(vec![text("hi")])]);
        asked.thinking = Some(Thinking {
            effort: Some(effort.to_owned()),
            budget: Some(ir::Budget::Auto),
            ..Thinking::default()
        });
        asked.cap = cap.map(Cap);
        let written = wire::write_request(HERE, &asked, Quirks::default());
        let body: serde_json::Value = serde_json::from_slice(&written.bytes).unwrap();
        all += &format!("{effort} {cap:?} {}\n", body["additionalModelRequestFields"]);
    }
    expect![[r#"
        max None {"thinking":{"type":"enabled","budget_tokens":32768}}
        high None {"thinking":{"type":"enabled","budget_tokens":24576}}
        default None {"thinking":{"type":"enabled","budget_tokens":12288}}
        max Some(8000) {"thinking":{"type":"enabled","budget_tokens":6000}}
    "#]]
    .assert_eq(&all);
}

#[test]
fn an_answer_to_be_continued_ends_with_a_word() {
    let asked = request(vec![
        user(vec![text("hi")]),
        assistant(vec![
            said("a "),
            said("b: \n"),
            said(" "),
            AssistantPart::Refusal(String::new()),
        ]),
    ]);
    expect![[r#"
        messages:
          {"role":"user","content":[{"text":"hi"}]}
          {"role":"assistant","content":[{"text":"a "},{"text":"b:"}]}
        turns[1].parts[1]: white space at the end of an answer to be continued is refused
    "#]]
    .assert_eq(&shown(HERE, &asked, Quirks::default()));
}
