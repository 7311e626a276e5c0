//! What was said in another dialect, written in this one: what finds its home, and what is a loss.

use expect_test::{Expect, expect};
use ir::dialect::SchemaBy;
use ir::{
    Arguments, AssistantPart, AssistantTurn, Authority, Budget, CallKind, Candidate, Cap, Choice,
    Citation, Dialect, Event, Extras, File, Finish, Image, Inbound, Mode, Opaque, Output, PartKind,
    Quirks, RawJson, Reasoning, Request, Response, Said, Schema, Source, Spot, Text, Thinking,
    Tokens, Tool, ToolCall, ToolResult, Toolbox, Turn, Usage, UserPart,
};
use serde_json::{Value, json};

use super::{HERE, RESPONSES, frames};
use crate::laws::{events, fold, rewritten};

fn text(text: &str) -> UserPart {
    UserPart::Text(Text { text: text.into(), ..Text::default() })
}

fn user(parts: Vec<UserPart>) -> Turn {
    Turn::User { parts, extras: Extras::default() }
}

fn instruct(said: &str) -> Turn {
    let (authority, extras) = (Authority::System, Extras::default());
    Turn::Instruct { authority, parts: vec![text(said)], extras }
}

fn foreign(dialect: Dialect, raw: &Value) -> Opaque {
    Opaque { dialect, raw: RawJson::parse(raw.to_string()).unwrap() }
}

fn call(id: &str, carrier: Option<Opaque>) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: "get".into(),
        kind: CallKind::Function,
        arguments: Arguments("{\"a\":1}".into()),
        carrier,
        cache: None,
        extras: Extras::default(),
    }
}

fn request(turns: Vec<Turn>) -> Request {
    Request {
        spoken: Dialect::AnthropicMessages,
        model: "m".into(),
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

fn check(request: &Request, quirks: Quirks, expected: &Expect) {
    let written = wire::write_request(HERE, request, quirks);
    let body: Value = serde_json::from_slice(&written.bytes).unwrap();
    let mut shown = format!("{body:#}\n");
    for loss in written.losses {
        shown += &format!("loss {}: {}\n", loss.path, loss.why);
    }
    if !written.undo.is_empty() {
        shown += &format!("{:?}\n", written.undo);
    }
    expected.assert_eq(&shown);
}

#[test]
fn a_conversation_with_instructions_in_the_middle_pictures_and_files() {
    let inline =
        |media_type: &str| Source::Inline { media_type: media_type.into(), base64: "AAAA".into() };
    let image = |source| {
        UserPart::Image(Image { source, detail: None, cache: None, extras: Extras::default() })
    };
    let file = |source| {
        UserPart::File(File { source, name: None, cache: None, extras: Extras::default() })
    };
    let marked = UserPart::Text(Text {
        text: "cached".into(),
        cache: Some(ir::CacheMark::default()),
        ..Text::default()
    });
    let turns = vec![
        instruct("be brief"),
        user(vec![text("look"), image(inline("image/png")), file(inline("application/pdf"))]),
        instruct("now be long"),
        user(vec![marked, image(Source::Uploaded("file_1".into()))]),
    ];
    check(
        &request(turns),
        Quirks::default(),
        &expect![[r#"
            {
              "model": "m",
              "instructions": "be brief",
              "input": [
                {
                  "role": "user",
                  "content": [
                    {
                      "type": "input_text",
                      "text": "look"
                    },
                    {
                      "type": "input_image",
                      "image_url": "data:image/png;base64,AAAA",
                      "detail": "auto"
                    },
                    {
                      "type": "input_file",
                      "file_data": "data:application/pdf;base64,AAAA",
                      "filename": "file.pdf"
                    }
                  ]
                },
                {
                  "role": "system",
                  "content": "now be long"
                },
                {
                  "role": "user",
                  "content": [
                    {
                      "type": "input_text",
                      "text": "cached"
                    }
                  ]
                }
              ],
              "store": false
            }
            loss turns[3].parts[1]: it was uploaded to another provider
            loss turns[3].parts[0].cache: hosts of openai_responses cache without marks
        "#]],
    );
}

#[test]
fn tools_their_results_and_what_only_another_dialect_understands() {
    let signed = Reasoning {
        text: "hm".into(),
        carrier: Some(foreign(Dialect::AnthropicMessages, &json!("c2ln"))),
    };
    let own = |item: Value| {
        AssistantPart::Reasoning(Reasoning {
            text: String::new(),
            carrier: Some(foreign(HERE, &item)),
        })
    };
    let said = AssistantTurn {
        parts: vec![
            AssistantPart::Reasoning(signed),
            own(json!({"type": "reasoning", "id": "rs_1", "summary": []})),
            own(
                json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gA"}),
            ),
            AssistantPart::Text(Said { text: "I look".into(), ..Said::default() }),
            AssistantPart::ToolCall(call("toolu:1", None)),
        ],
        extras: Extras::default(),
    };
    let result = ToolResult {
        call: "toolu:1".into(),
        name: None,
        parts: vec![text("no such file")],
        failed: Some(true),
        cache: None,
        extras: Extras::default(),
    };
    let function = Tool::Function {
        name: "get".into(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
        extras: Extras::default(),
        around: Extras::default(),
    };
    let hosted =
        Tool::Hosted(foreign(Dialect::AnthropicMessages, &json!({"type": "web_search_20250305"})));
    let asked = Request {
        toolbox: Some(Toolbox {
            tools: vec![function, hosted],
            choice: Some(Choice::Tool("get".into())),
            parallel: Some(false),
        }),
        cap: Some(Cap(5)),
        seed: Some(7.into()),
        stop: vec!["END".into()],
        thinking: Some(Thinking {
            budget: Some(Budget::Tokens(2_000)),
            shown: Some(true),
            ..Thinking::default()
        }),
        ..request(vec![user(vec![text("go")]), Turn::Assistant(said), Turn::Result(result)])
    };
    check(
        &asked,
        Quirks::default(),
        &expect![[r#"
            {
              "model": "m",
              "input": [
                {
                  "role": "user",
                  "content": "go"
                },
                {
                  "type": "reasoning",
                  "id": "rs_2",
                  "summary": [],
                  "encrypted_content": "gA"
                },
                {
                  "role": "assistant",
                  "content": "I look"
                },
                {
                  "type": "function_call",
                  "call_id": "call_6fbca8bf489e7aaf",
                  "name": "get",
                  "arguments": "{\"a\":1}"
                },
                {
                  "type": "function_call_output",
                  "call_id": "call_6fbca8bf489e7aaf",
                  "output": "no such file"
                }
              ],
              "tools": [
                {
                  "type": "function",
                  "name": "get",
                  "parameters": {
                    "type": "object",
                    "properties": {}
                  },
                  "strict": false
                }
              ],
              "tool_choice": {
                "type": "function",
                "name": "get"
              },
              "parallel_tool_calls": false,
              "max_output_tokens": 16,
              "reasoning": {
                "effort": "low",
                "summary": "auto"
              },
              "include": [
                "reasoning.encrypted_content"
              ],
              "store": false
            }
            loss turns[1].parts[0]: only anthropic_messages understands it
            loss turns[1].parts[1]: the item was not kept by its host, and does not hold the thoughts itself
            loss turns[2].failed: openai_responses has no field for it
            loss toolbox.tools[1]: only anthropic_messages understands it
            loss cap: raised to 16, the least openai_responses takes
            loss seed: openai_responses has no field for it
            loss stop: openai_responses has no field for it
        "#]],
    );
}

#[test]
fn a_schema_in_each_of_three_ways() {
    let schema = Schema {
        name: "city".into(),
        description: None,
        schema: Some(RawJson::parse("{\"type\":\"object\"}".into()).unwrap()),
        strict: None,
        extras: Extras::default(),
    };
    let asked = Request {
        output: Output::Schema(schema),
        ..request(vec![instruct("be brief"), user(vec![text("go")])])
    };
    let by = |schema| Quirks { schema, ..Quirks::default() };
    check(
        &asked,
        by(SchemaBy::Native),
        &expect![[r#"
        {
          "model": "m",
          "instructions": "be brief",
          "input": [
            {
              "role": "user",
              "content": "go"
            }
          ],
          "text": {
            "format": {
              "type": "json_schema",
              "name": "city",
              "schema": {
                "type": "object"
              }
            }
          },
          "store": false
        }
    "#]],
    );
    check(
        &asked,
        by(SchemaBy::Tool),
        &expect![[r#"
        {
          "model": "m",
          "instructions": "be brief",
          "input": [
            {
              "role": "user",
              "content": "go"
            }
          ],
          "tools": [
            {
              "type": "function",
              "name": "give_answer",
              "description": "Gives the answer.",
              "parameters": {
                "type": "object"
              },
              "strict": false
            }
          ],
          "tool_choice": {
            "type": "function",
            "name": "give_answer"
          },
          "store": false
        }
        Undo { answer: true, customs: [] }
    "#]],
    );
    check(
        &asked,
        by(SchemaBy::Prompt),
        &expect![[r#"
        {
          "model": "m",
          "instructions": "be brief\n\nAnswer with one JSON value that fits this JSON Schema, and with nothing before or after it:\n{\"type\":\"object\"}",
          "input": [
            {
              "role": "user",
              "content": "go"
            }
          ],
          "text": {
            "format": {
              "type": "json_object"
            }
          },
          "store": false
        }
    "#]],
    );
}

fn answer(parts: Vec<AssistantPart>) -> Response {
    let turn = AssistantTurn { parts, extras: Extras::default() };
    let finish = Some(Finish::ToolCalls);
    Response {
        spoken: Dialect::Gemini,
        id: Some("gem-1".into()),
        model: Some("g".into()),
        created: None,
        candidates: vec![Candidate { turn, finish, extras: Extras::default() }],
        usage: Some(Usage { input: Tokens(7), output: Tokens(3), ..Usage::default() }),
        extras: Extras(vec![("modelVersion".into(), RawJson::string("g-1"))]),
    }
}

/// What a client of this dialect sends back, with what the model said as it stands in the answer.
fn returned(output: &Value) -> Vec<AssistantPart> {
    let mut input = vec![json!({"role": "user", "content": "go"})];
    input.extend(output.as_array().unwrap().iter().cloned());
    let body = json!({"model": "m", "input": input}).to_string();
    let request = wire::read_request(RESPONSES, body.as_bytes()).unwrap();
    match request.turns.into_iter().nth(1) {
        Some(Turn::Assistant(turn)) => turn.parts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_another_dialect_needs_back_comes_back() {
    let sign = |name: &str| Some(foreign(Dialect::Gemini, &json!(name)));
    let parts = vec![
        AssistantPart::Reasoning(Reasoning { text: "hm".into(), carrier: sign("a") }),
        AssistantPart::Text(Said { text: "so".into(), carrier: sign("b"), ..Said::default() }),
        AssistantPart::ToolCall(call("call_1", sign("c"))),
        AssistantPart::ToolCall(call("call_2", None)),
        AssistantPart::Reasoning(Reasoning { text: "plain".into(), carrier: None }),
    ];
    let bytes = wire::write_response(RESPONSES, &answer(parts.clone()));
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    // Thoughts that nobody signed come back with the mark of whose they are.
    let mark = Some(foreign(Dialect::Gemini, &json!(null)));
    let last = parts.len() - 1;
    let mut expected = parts;
    expected[last] = AssistantPart::Reasoning(Reasoning { text: "plain".into(), carrier: mark });
    assert_eq!(returned(&body["output"]), expected);
    for item in body["output"].as_array().unwrap() {
        assert!(item["id"].is_string(), "{item}");
    }
    let twice: std::collections::BTreeSet<_> =
        body["output"].as_array().unwrap().iter().map(|item| item["id"].to_string()).collect();
    assert_eq!(twice.len(), body["output"].as_array().unwrap().len());
    assert_eq!(body.get("modelVersion"), None);
}

fn spot(part: u32) -> Spot {
    Spot { candidate: 0, part }
}

/// Streams parts as a foreign reader would, the carriers after the first piece.
fn streamed(parts: &[AssistantPart]) -> Vec<Event> {
    let mut events = vec![Event::Start { id: Some("gem-1".into()), model: None, created: None }];
    for (at, part) in (0_u32..).zip(parts) {
        let (kind, text, carrier) = match part {
            AssistantPart::Text(said) => (PartKind::Text, &said.text, &said.carrier),
            AssistantPart::Reasoning(said) => (PartKind::Reasoning, &said.text, &said.carrier),
            AssistantPart::ToolCall(call) => {
                let (id, name, kind) = (call.id.clone(), call.name.clone(), call.kind);
                (PartKind::ToolCall { id, name, kind }, &call.arguments.0, &call.carrier)
            }
            other => panic!("{other:?}"),
        };
        events.push(Event::Open(spot(at), kind));
        events.extend((!text.is_empty()).then(|| Event::Delta(spot(at), text.clone())));
        events.extend(carrier.clone().map(|carrier| Event::Carry(spot(at), carrier)));
        events.push(Event::Close(spot(at)));
    }
    events.push(Event::Stop { candidate: 0, finish: Some(Finish::ToolCalls) });
    events.push(Event::Finish);
    events
}

#[test]
fn what_another_dialect_needs_back_comes_back_from_a_stream() {
    let sign = |name: &str| Some(foreign(Dialect::Gemini, &json!(name)));
    let said = |text: &str, carrier| {
        AssistantPart::Text(Said { text: text.into(), carrier, ..Said::default() })
    };
    let parts = vec![
        AssistantPart::Reasoning(Reasoning { text: "hm".into(), carrier: sign("a") }),
        AssistantPart::ToolCall(call("call_1", sign("c"))),
        AssistantPart::ToolCall(call("call_2", None)),
        said("so", sign("b")),
        said("", sign("d")),
    ];
    let written = frames(&rewritten(RESPONSES, &streamed(&parts)));
    let last = written.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    // A carrier that came after its text has no place, and a text of nothing is not told.
    let mut expected = parts;
    expected.splice(3..5, [said("so", None)]);
    assert_eq!(returned(&last["response"]["output"]), expected);
    for (at, frame) in written.iter().enumerate() {
        assert_eq!(frame["sequence_number"], at);
    }
}

#[test]
fn a_foreign_stream_is_told_in_every_step() {
    let cited = Citation {
        url: Some("https://a".into()),
        title: None,
        quote: None,
        span: None,
        raw: foreign(Dialect::Gemini, &json!({})),
    };
    let events_in = vec![
        Event::Start { id: Some("gem-1".into()), model: Some("g".into()), created: Some(5) },
        Event::Open(spot(0), PartKind::Reasoning),
        Event::Delta(spot(0), "hm".into()),
        Event::Close(spot(0)),
        Event::Open(spot(1), PartKind::Text),
        Event::Delta(spot(1), "h\u{e9}".into()),
        Event::Cite(spot(1), cited),
        Event::Close(spot(1)),
        Event::Open(
            spot(2),
            PartKind::ToolCall { id: "c".into(), name: "f".into(), kind: CallKind::Function },
        ),
        Event::Delta(spot(2), "{".into()),
        Event::Delta(spot(2), "}".into()),
        Event::Close(spot(2)),
        Event::Usage(Usage { input: Tokens(7), output: Tokens(3), ..Usage::default() }),
        Event::Note(ir::Scope::Answer, "modelVersion".into(), RawJson::string("g-1")),
        Event::Stop { candidate: 0, finish: Some(Finish::Length) },
        Event::Finish,
    ];
    let written = rewritten(RESPONSES, &events_in);
    let shown: String = frames(&written)
        .iter()
        .map(|frame| {
            let mut frame = frame.clone();
            if let Some(response) = frame["response"].as_object() {
                frame["response"] =
                    format!("{}", response["output"].as_array().unwrap().len()).into();
            }
            format!("{frame}\n")
        })
        .collect();
    expect![[r#"
        {"type":"response.created","sequence_number":0,"response":"0"}
        {"type":"response.in_progress","sequence_number":1,"response":"0"}
        {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"reasoning","id":"rs_pmcf506809874ed04400","summary":[]}}
        {"type":"response.reasoning_summary_part.added","sequence_number":3,"item_id":"rs_pmcf506809874ed04400","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}
        {"type":"response.reasoning_summary_text.delta","sequence_number":4,"item_id":"rs_pmcf506809874ed04400","output_index":0,"summary_index":0,"delta":"hm"}
        {"type":"response.reasoning_summary_text.done","sequence_number":5,"item_id":"rs_pmcf506809874ed04400","output_index":0,"summary_index":0,"text":"hm"}
        {"type":"response.reasoning_summary_part.done","sequence_number":6,"item_id":"rs_pmcf506809874ed04400","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":"hm"}}
        {"type":"response.output_item.done","sequence_number":7,"output_index":0,"item":{"type":"reasoning","id":"rs_pmcf506809874ed04400","summary":[{"type":"summary_text","text":"hm"}]}}
        {"type":"response.output_item.added","sequence_number":8,"output_index":1,"item":{"type":"message","id":"msg_pmcf506809874ed04401","status":"in_progress","role":"assistant","content":[]}}
        {"type":"response.content_part.added","sequence_number":9,"item_id":"msg_pmcf506809874ed04401","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}
        {"type":"response.output_text.delta","sequence_number":10,"item_id":"msg_pmcf506809874ed04401","output_index":1,"content_index":0,"delta":"hé","logprobs":[]}
        {"type":"response.output_text.annotation.added","sequence_number":11,"item_id":"msg_pmcf506809874ed04401","output_index":1,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation","url":"https://a","title":"https://a","start_index":0,"end_index":2}}
        {"type":"response.output_text.done","sequence_number":12,"item_id":"msg_pmcf506809874ed04401","output_index":1,"content_index":0,"text":"hé","logprobs":[]}
        {"type":"response.content_part.done","sequence_number":13,"item_id":"msg_pmcf506809874ed04401","output_index":1,"content_index":0,"part":{"type":"output_text","text":"hé","annotations":[{"type":"url_citation","url":"https://a","title":"https://a","start_index":0,"end_index":2}]}}
        {"type":"response.output_item.done","sequence_number":14,"output_index":1,"item":{"type":"message","id":"msg_pmcf506809874ed04401","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hé","annotations":[{"type":"url_citation","url":"https://a","title":"https://a","start_index":0,"end_index":2}]}]}}
        {"type":"response.output_item.added","sequence_number":15,"output_index":2,"item":{"type":"function_call","id":"fc_pmcf506809874ed04402","status":"in_progress","call_id":"c","name":"f","arguments":""}}
        {"type":"response.function_call_arguments.delta","sequence_number":16,"item_id":"fc_pmcf506809874ed04402","output_index":2,"delta":"{"}
        {"type":"response.function_call_arguments.delta","sequence_number":17,"item_id":"fc_pmcf506809874ed04402","output_index":2,"delta":"}"}
        {"type":"response.function_call_arguments.done","sequence_number":18,"item_id":"fc_pmcf506809874ed04402","output_index":2,"name":"f","arguments":"{}"}
        {"type":"response.output_item.done","sequence_number":19,"output_index":2,"item":{"type":"function_call","id":"fc_pmcf506809874ed04402","status":"completed","call_id":"c","name":"f","arguments":"{}"}}
        {"type":"response.incomplete","sequence_number":20,"response":"3"}
    "#]].assert_eq(&shown);
    let read = fold(HERE, &events(HERE, &[written])).unwrap();
    assert_eq!(read.candidates[0].finish, Some(Finish::Length));
    assert_eq!(read.usage.unwrap().input, Tokens(7));
}

#[test]
fn a_foreign_answer_is_a_complete_object() {
    let parts = vec![AssistantPart::Text(Said { text: "hi".into(), ..Said::default() })];
    let mut response = answer(parts);
    response.candidates[0].finish = Some(Finish::Stop);
    let bytes = wire::write_response(Inbound::OpenaiResponses, &response);
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    expect![[r#"
        {
          "id": "gem-1",
          "object": "response",
          "created_at": 0,
          "model": "g",
          "status": "completed",
          "incomplete_details": null,
          "output": [
            {
              "type": "message",
              "id": "msg_pmcf506509874ecb2b00",
              "status": "completed",
              "role": "assistant",
              "content": [
                {
                  "type": "output_text",
                  "text": "hi",
                  "annotations": []
                }
              ]
            }
          ],
          "usage": {
            "input_tokens": 7,
            "output_tokens": 3,
            "total_tokens": 10,
            "input_tokens_details": {
              "cached_tokens": 0,
              "cache_write_tokens": 0
            },
            "output_tokens_details": {
              "reasoning_tokens": 0
            }
          },
          "error": null,
          "instructions": null,
          "max_output_tokens": null,
          "metadata": {},
          "parallel_tool_calls": true,
          "previous_response_id": null,
          "reasoning": {
            "effort": null,
            "summary": null
          },
          "store": false,
          "temperature": null,
          "text": {
            "format": {
              "type": "text"
            }
          },
          "tool_choice": "auto",
          "tools": [],
          "top_p": null
        }"#]]
    .assert_eq(&format!("{body:#}"));
}
