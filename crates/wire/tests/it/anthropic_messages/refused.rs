//! What other dialects say and Anthropic refuses, or its clients would send back and see refused.

use expect_test::{Expect, expect};
use ir::dialect::ThinkingBy;
use ir::{
    AssistantPart, Citation, Dialect, Event, Finish, Opaque, Output, PartKind, Quirks, Request,
    Said, Spot, Thinking, Tool,
};
use serde_json::{Value, json};
use wire::failures::Context;

use super::{HERE, MESSAGES};
use crate::built::{
    assistant, file, function, image, inline, raw, request, said, schema, shown, text, thoughts,
    toolbox, user,
};

fn check(request: &Request, expected: &Expect) {
    expected.assert_eq(&shown(HERE, request, Quirks::default()));
}

fn of(dialect: Dialect, text: &str) -> Opaque {
    Opaque { dialect, raw: raw(text) }
}

#[test]
fn a_schema_keeps_what_is_enforced_or_goes_by_a_tool() {
    let mut asked = request(vec![user(vec![text("Where?")])]);
    let mut by = |schema: &str, expected: Expect| {
        asked.output = self::schema();
        let Output::Schema(wanted) = &mut asked.output else { unreachable!() };
        wanted.schema = Some(raw(schema));
        check(&asked, &expected);
    };
    by(
        r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"N."}}}"#,
        expect![[r#"
            model: "house/large"
            max_tokens: 8192
            messages:
              {"role":"user","content":[{"type":"text","text":"Where?"}]}
            output_config: {"format":{"type":"json_schema","schema":{"type":"object","properties":{"n":{"type":"integer","description":"N.\n\n{minimum: 1}"}},"additionalProperties":false}}}
            output.schema: objects of a schema take no further fields here
            output.schema.properties.n.minimum: it is not enforced here, and described instead
        "#]],
    );
    by(
        r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
        expect![[r#"
        model: "house/large"
        max_tokens: 8192
        messages:
          {"role":"user","content":[{"type":"text","text":"Where?"}]}
        tools:
          {"name":"give_answer","description":"Give the final answer with this tool.","input_schema":{"type":"object","additionalProperties":{"type":"string"}}}
        tool_choice: {"type":"tool","name":"give_answer"}
        output.schema: an object of the schema takes keys of any name, which cannot be enforced here: the answer comes by a tool
        Undo { answer: true, customs: [] }
    "#]],
    );
    by(
        r#"{"type":"array","items":{"type":"object"}}"#,
        expect![[r#"
        model: "house/large"
        max_tokens: 8192
        system:
          {"type":"text","text":"Answer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"array\",\"items\":{\"type\":\"object\"}}"}
        messages:
          {"role":"user","content":[{"type":"text","text":"Where?"}]}
        output.schema: an object of the schema takes keys of any name, which cannot be enforced here: it is asked for in words
        output: the schema is asked for in words
    "#]],
    );
}

#[test]
fn a_strict_tool_is_closed_or_not_strict() {
    let strict = |name: &str, schema: &str| {
        let mut tool = function(name);
        if let Tool::Function { parameters, strict, .. } = &mut tool {
            *parameters = Some(raw(schema));
            *strict = Some(true);
        }
        tool
    };
    let mut asked = request(vec![user(vec![text("Where?")])]);
    asked.toolbox = toolbox(
        vec![
            strict("f", r#"{"type":"object","properties":{"s":{"type":"string","maxLength":9}}}"#),
            strict("g", r#"{"type":"object","properties":{"s":{"additionalProperties":true}}}"#),
        ],
        None,
    );
    check(
        &asked,
        &expect![[r#"
        model: "house/large"
        max_tokens: 8192
        messages:
          {"role":"user","content":[{"type":"text","text":"Where?"}]}
        tools:
          {"name":"f","description":"Does f.","input_schema":{"type":"object","properties":{"s":{"type":"string","description":"{maxLength: 9}"}},"additionalProperties":false},"strict":true}
          {"name":"g","description":"Does g.","input_schema":{"type":"object","properties":{"s":{"additionalProperties":true}}}}
        toolbox.tools[0].parameters: objects of a schema take no further fields here
        toolbox.tools[0].parameters.properties.s.maxLength: it is not enforced here, and described instead
        toolbox.tools[1].strict: an object of the schema takes keys of any name, which cannot be enforced here
    "#]],
    );
}

#[test]
fn what_claude_signed_at_bedrock_goes_back_and_a_broken_envelope_does_not() {
    let signed = |text: &str| Some(of(Dialect::BedrockConverse, text));
    check(
        &request(vec![
            user(vec![text("hi")]),
            assistant(vec![
                thoughts("hm", signed(r#"{"signature":"Eo8B"}"#)),
                thoughts("", signed(r#"{"redactedContent":"RXU4RQ=="}"#)),
                thoughts("no", signed("null")),
                thoughts("cut", Some(of(HERE, "\"pm1.this.gemini.InNpZ\""))),
                said("Hello."),
            ]),
            user(vec![text("again")]),
        ]),
        &expect![[r#"
            model: "house/large"
            max_tokens: 8192
            messages:
              {"role":"user","content":[{"type":"text","text":"hi"}]}
              {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"Eo8B"},{"type":"redacted_thinking","data":"Eu8E"},{"type":"text","text":"Hello."}]}
              {"role":"user","content":[{"type":"text","text":"again"}]}
            turns[1].parts[2]: only bedrock_converse understands it
            turns[1].parts[3]: the signature is an envelope that broke
        "#]],
    );
}

#[test]
fn pictures_are_of_four_kinds_without_parameters() {
    check(
        &request(vec![user(vec![
            image(inline("image/PNG; charset=binary")),
            image(inline("image/tiff")),
            file(inline("image/webp;q=1"), None),
            file(inline("image/svg+xml"), None),
            file(inline("application/pdf; x=y"), None),
        ])]),
        &expect![[r#"
            model: "house/large"
            max_tokens: 8192
            messages:
              {"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}},{"type":"image","source":{"type":"base64","media_type":"image/webp","data":"aGk="}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"aGk="}}]}
            turns[0].parts[1]: pictures are JPEG, PNG, GIF or WebP, not image/tiff
            turns[0].parts[3]: pictures are JPEG, PNG, GIF or WebP, not image/svg+xml
        "#]],
    );
}

#[test]
fn an_answer_to_be_continued_ends_with_a_word() {
    check(
        &request(vec![
            user(vec![text("hi")]),
            assistant(vec![said("a ")]),
            user(vec![text("go on")]),
            assistant(vec![said("b "), said("c: \n"), said(" ")]),
        ]),
        &expect![[r#"
            model: "house/large"
            max_tokens: 8192
            messages:
              {"role":"user","content":[{"type":"text","text":"hi"}]}
              {"role":"assistant","content":[{"type":"text","text":"a "}]}
              {"role":"user","content":[{"type":"text","text":"go on"}]}
              {"role":"assistant","content":[{"type":"text","text":"b "},{"type":"text","text":"c:"}]}
            turns[3].parts[1]: white space at the end of an answer to be continued is refused
            turns[3].parts[2]: a text of white space alone is refused
        "#]],
    );
}

#[test]
fn an_effort_becomes_tokens_where_the_model_knows_no_other_word() {
    let mut asked = request(vec![user(vec![text("hi")])]);
    asked.thinking = Some(Thinking { effort: Some("max".to_owned()), ..Thinking::default() });
    let quirks = Quirks { thinking: ThinkingBy::Budget, ..Quirks::default() };
    expect![[r#"
        model: "house/large"
        max_tokens: 40960
        messages:
          {"role":"user","content":[{"type":"text","text":"hi"}]}
        thinking: {"type":"enabled","budget_tokens":32768}
    "#]]
    .assert_eq(&shown(HERE, &asked, quirks));
}

/// Shows what blocks a client is sent for the events of one part after another, whole and streamed.
fn streamed(parts: &[(PartKind, Vec<Event>)], from: Dialect) -> String {
    let context = Context { request_id: "r1".to_owned(), attempts: Vec::new() };
    let mut writer = wire::EventWriter::new(MESSAGES, from, false);
    let mut out = Vec::new();
    let mut tell = |event: &Event| writer.write(event, &context, &mut out);
    tell(&Event::Start { id: None, model: None, created: None });
    for (number, (kind, events)) in parts.iter().enumerate() {
        let spot = Spot { candidate: 0, part: u32::try_from(number).unwrap() };
        tell(&Event::Open(spot, kind.clone()));
        for event in events {
            tell(&match event.clone() {
                Event::Delta(_, text) => Event::Delta(spot, text),
                Event::Carry(_, carrier) => Event::Carry(spot, carrier),
                Event::Cite(_, cited) => Event::Cite(spot, cited),
                event => event,
            });
        }
        tell(&Event::Close(spot));
    }
    tell(&Event::Stop { candidate: 0, finish: Some(Finish::Stop) });
    tell(&Event::Finish);
    let text = String::from_utf8(out).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let blocks = data.filter(|data| data.contains("\"content_block_"));
    blocks.map(|data| format!("{data}\n")).collect()
}

const AT: Spot = Spot { candidate: 0, part: 0 };

#[test]
fn thoughts_are_signed_once_and_last() {
    let carry = |text: &str| Event::Carry(AT, of(Dialect::OpenaiResponses, text));
    let events = vec![carry("\"early\""), Event::Delta(AT, "hm".to_owned()), carry("\"late\"")];
    let shown = streamed(&[(PartKind::Reasoning, events)], Dialect::OpenaiResponses);
    expect![[r#"
        {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}
        {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}
        {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"pm1.this.openai_responses.ImxhdGUi"}}
        {"type":"content_block_stop","index":0}
    "#]].assert_eq(&shown);
}

#[test]
fn the_carrier_of_an_empty_text_is_left_out() {
    let carrier = || of(Dialect::Gemini, "\"sig\"");
    let cited = Citation {
        url: Some("https://e.org".to_owned()),
        title: None,
        quote: None,
        span: None,
        raw: of(Dialect::Gemini, "{}"),
    };
    let parts = [
        (PartKind::Text, vec![Event::Delta(AT, "Hello.".to_owned())]),
        (PartKind::Text, vec![Event::Carry(AT, carrier()), Event::Cite(AT, cited.clone())]),
    ];
    expect![[r#"
        {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
        {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello."}}
        {"type":"content_block_stop","index":0}
    "#]]
    .assert_eq(&streamed(&parts, Dialect::Gemini));
    let signed = [(
        PartKind::Text,
        vec![
            Event::Carry(AT, carrier()),
            Event::Cite(AT, cited),
            Event::Delta(AT, "Hello.".to_owned()),
        ],
    )];
    expect![[r#"
        {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}
        {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"pm1.next.gemini.InNpZyI"}}
        {"type":"content_block_stop","index":0}
        {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}
        {"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","cited_text":"","url":"https://e.org","title":null,"encrypted_index":"pm1.this.gemini.e30"}}}
        {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hello."}}
        {"type":"content_block_stop","index":1}
    "#]].assert_eq(&streamed(&signed, Dialect::Gemini));
    let ir::Turn::Assistant(turn) = assistant(vec![
        said("Hello."),
        AssistantPart::Text(Said { carrier: Some(carrier()), ..Said::default() }),
    ]) else {
        unreachable!()
    };
    let response = ir::Response {
        spoken: Dialect::Gemini,
        id: None,
        model: None,
        created: None,
        candidates: vec![ir::Candidate {
            turn,
            finish: Some(Finish::Stop),
            extras: ir::Extras::default(),
        }],
        usage: None,
        extras: ir::Extras::default(),
    };
    let answer: Value = serde_json::from_slice(&wire::write_response(MESSAGES, &response)).unwrap();
    assert_eq!(answer["content"], json!([{"type": "text", "text": "Hello."}]));
}
