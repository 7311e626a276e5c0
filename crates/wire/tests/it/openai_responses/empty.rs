//! What says nothing in another dialect: arguments, texts and results that are empty.

use expect_test::{Expect, expect};
use ir::dialect::CustomTools;
use ir::{
    Arguments, AssistantPart, AssistantTurn, CallKind, Candidate, Dialect, Event, Extras, Finish,
    Inbound, Opaque, PartKind, Quirks, RawJson, Response, Said, Spot, ToolCall,
};
use serde_json::Value;

use super::{HERE, RESPONSES, frames};
use crate::laws::{events, rewritten_from};

fn sign() -> Option<Opaque> {
    Some(Opaque { dialect: Dialect::Gemini, raw: RawJson::string("sig") })
}

fn said(text: &str, carrier: Option<Opaque>) -> AssistantPart {
    AssistantPart::Text(Said { text: text.into(), carrier, ..Said::default() })
}

fn call(arguments: &str) -> AssistantPart {
    AssistantPart::ToolCall(ToolCall {
        id: "c".into(),
        name: "get".into(),
        kind: CallKind::Function,
        arguments: Arguments(arguments.into()),
        carrier: None,
        cache: None,
        extras: Extras::default(),
    })
}

/// Shows the output of an answer of Gemini's with these parts, an item a line.
fn whole(parts: Vec<AssistantPart>, expected: &Expect) {
    let turn = AssistantTurn { parts, extras: Extras::default() };
    let response = Response {
        spoken: Dialect::Gemini,
        id: Some("g".into()),
        model: None,
        created: None,
        candidates: vec![Candidate { turn, finish: Some(Finish::Stop), extras: Extras::default() }],
        usage: None,
        extras: Extras::default(),
    };
    let body: Value = serde_json::from_slice(&wire::write_response(RESPONSES, &response)).unwrap();
    let items = body["output"].as_array().unwrap();
    expected.assert_eq(&items.iter().map(|item| format!("{item}\n")).collect::<String>());
}

/// Shows the frames of a stream of Gemini's between its beginning and its end.
fn streamed(told: Vec<Event>, expected: &Expect) {
    let start = Event::Start { id: Some("g".into()), model: None, created: None };
    let stop = Event::Stop { candidate: 0, finish: Some(Finish::Stop) };
    let told: Vec<Event> = [start].into_iter().chain(told).chain([stop, Event::Finish]).collect();
    let written = frames(&rewritten_from(RESPONSES, Dialect::Gemini, &told));
    let shown = written[2..written.len() - 1].iter().map(|frame| format!("{frame}\n"));
    let output = &written.last().unwrap()["response"]["output"];
    let last = format!("{} items\n", output.as_array().unwrap().len());
    expected.assert_eq(&shown.chain([last]).collect::<String>());
}

fn spot(part: u32) -> Spot {
    Spot { candidate: 0, part }
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    whole(
        vec![said("", None), call("")],
        &expect![[r#"
        {"type":"function_call","id":"fc_pma0a601717f71998e00","status":"completed","call_id":"c","name":"get","arguments":"{}"}
    "#]],
    );
    let kind = PartKind::ToolCall { id: "c".into(), name: "get".into(), kind: CallKind::Function };
    streamed(
        vec![Event::Open(spot(0), kind), Event::Close(spot(0))],
        &expect![[r#"
        {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"function_call","id":"fc_pma0a601717f71998e00","status":"in_progress","call_id":"c","name":"get","arguments":""}}
        {"type":"response.function_call_arguments.delta","sequence_number":3,"item_id":"fc_pma0a601717f71998e00","output_index":0,"delta":"{}"}
        {"type":"response.function_call_arguments.done","sequence_number":4,"item_id":"fc_pma0a601717f71998e00","output_index":0,"name":"get","arguments":"{}"}
        {"type":"response.output_item.done","sequence_number":5,"output_index":0,"item":{"type":"function_call","id":"fc_pma0a601717f71998e00","status":"completed","call_id":"c","name":"get","arguments":"{}"}}
        1 items
    "#]],
    );
}

#[test]
fn a_text_of_nothing_is_not_told_and_takes_its_carrier_with_it() {
    whole(
        vec![said("so", None), said("", sign())],
        &expect![[r#"
        {"type":"message","id":"msg_pma0a601717f71998e00","status":"completed","role":"assistant","content":[{"type":"output_text","text":"so","annotations":[]}]}
    "#]],
    );
    let told = vec![
        Event::Open(spot(0), PartKind::Text),
        Event::Delta(spot(0), "so".into()),
        Event::Close(spot(0)),
        Event::Open(spot(1), PartKind::Text),
        Event::Delta(spot(1), String::new()),
        Event::Carry(spot(1), sign().unwrap()),
        Event::Close(spot(1)),
    ];
    streamed(
        told,
        &expect![[r#"
        {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"message","id":"msg_pma0a601717f71998e00","status":"in_progress","role":"assistant","content":[]}}
        {"type":"response.content_part.added","sequence_number":3,"item_id":"msg_pma0a601717f71998e00","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}
        {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_pma0a601717f71998e00","output_index":0,"content_index":0,"delta":"so","logprobs":[]}
        {"type":"response.output_text.done","sequence_number":5,"item_id":"msg_pma0a601717f71998e00","output_index":0,"content_index":0,"text":"so","logprobs":[]}
        {"type":"response.content_part.done","sequence_number":6,"item_id":"msg_pma0a601717f71998e00","output_index":0,"content_index":0,"part":{"type":"output_text","text":"so","annotations":[]}}
        {"type":"response.output_item.done","sequence_number":7,"output_index":0,"item":{"type":"message","id":"msg_pma0a601717f71998e00","status":"completed","role":"assistant","content":[{"type":"output_text","text":"so","annotations":[]}]}}
        1 items
    "#]],
    );
}

#[test]
fn a_carrier_before_its_text_stands_before_it() {
    let told = vec![
        Event::Open(spot(0), PartKind::Text),
        Event::Carry(spot(0), sign().unwrap()),
        Event::Delta(spot(0), "so".into()),
        Event::Close(spot(0)),
    ];
    streamed(
        told,
        &expect![[r#"
        {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"reasoning","id":"rs_pma0a601717f71998e00","summary":[],"encrypted_content":"pm1.next.gemini.InNpZyI"}}
        {"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":{"type":"reasoning","id":"rs_pma0a601717f71998e00","summary":[],"encrypted_content":"pm1.next.gemini.InNpZyI"}}
        {"type":"response.output_item.added","sequence_number":4,"output_index":1,"item":{"type":"message","id":"msg_pma0a601717f71998e01","status":"in_progress","role":"assistant","content":[]}}
        {"type":"response.content_part.added","sequence_number":5,"item_id":"msg_pma0a601717f71998e01","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}
        {"type":"response.output_text.delta","sequence_number":6,"item_id":"msg_pma0a601717f71998e01","output_index":1,"content_index":0,"delta":"so","logprobs":[]}
        {"type":"response.output_text.done","sequence_number":7,"item_id":"msg_pma0a601717f71998e01","output_index":1,"content_index":0,"text":"so","logprobs":[]}
        {"type":"response.content_part.done","sequence_number":8,"item_id":"msg_pma0a601717f71998e01","output_index":1,"content_index":0,"part":{"type":"output_text","text":"so","annotations":[]}}
        {"type":"response.output_item.done","sequence_number":9,"output_index":1,"item":{"type":"message","id":"msg_pma0a601717f71998e01","status":"completed","role":"assistant","content":[{"type":"output_text","text":"so","annotations":[]}]}}
        2 items
    "#]],
    );
}

/// Shows a conversation of the chat dialect, written here: an item or a tool a line, then losses.
fn from_chat(body: &str, quirks: Quirks, expected: &Expect) {
    let asked = wire::read_request(Inbound::OpenaiChat, body.as_bytes()).unwrap();
    let written = wire::write_request(HERE, &asked, quirks);
    let body: Value = serde_json::from_slice(&written.bytes).unwrap();
    let mut shown = String::new();
    for name in ["input", "tools"] {
        let items = body[name].as_array().cloned().unwrap_or_default();
        items.iter().for_each(|item| shown += &format!("{item}\n"));
    }
    shown += &format!("{}\n", body["tool_choice"]);
    for loss in written.losses {
        shown += &format!("loss {}: {}\n", loss.path, loss.why);
    }
    if !written.undo.is_empty() {
        shown += &format!("{:?}\n", written.undo);
    }
    expected.assert_eq(&shown);
}

#[test]
fn an_empty_content_beside_calls_is_no_message_and_an_empty_result_is_a_text() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"?"},
        {"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]},
        {"role":"tool","tool_call_id":"c","content":[]},
        {"role":"assistant","content":""}]}"#;
    from_chat(
        body,
        Quirks::default(),
        &expect![[r#"
        {"role":"user","content":"?"}
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"}
        {"type":"function_call_output","call_id":"c","output":""}
        {"role":"assistant","content":""}
        null
    "#]],
    );
}

const FREE_TEXT: &str = r#"{"model":"m","messages":[{"role":"user","content":"?"},
    {"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"math","input":"4 + 4"}}]},
    {"role":"tool","tool_call_id":"c","content":"8"}],
    "tools":[{"type":"custom","custom":{"name":"math","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"[0-9]"}}}}],
    "tool_choice":{"type":"custom","custom":{"name":"math"}}}"#;

#[test]
fn tools_of_free_text_are_functions() {
    from_chat(
        FREE_TEXT,
        Quirks::default(),
        &expect![[r#"
        {"role":"user","content":"?"}
        {"type":"function_call","call_id":"c","name":"math","arguments":"{\"input\":\"4 + 4\"}"}
        {"type":"function_call_output","call_id":"c","output":"8"}
        {"type":"function","name":"math","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]},"strict":false}
        {"type":"function","name":"math"}
        loss toolbox.tools[0].format: this host takes functions alone
        Undo { answer: false, customs: ["math"] }
    "#]],
    );
}

#[test]
fn tools_of_free_text_keep_their_grammar_where_they_are_known() {
    let quirks = Quirks { custom_tools: CustomTools::Native, ..Quirks::default() };
    from_chat(
        FREE_TEXT,
        quirks,
        &expect![[r#"
        {"role":"user","content":"?"}
        {"type":"custom_tool_call","call_id":"c","name":"math","input":"4 + 4"}
        {"type":"custom_tool_call_output","call_id":"c","output":"8"}
        {"type":"custom","name":"math","format":{"type":"grammar","syntax":"regex","definition":"[0-9]"}}
        {"type":"custom","name":"math"}
    "#]],
    );
}

#[test]
fn thoughts_are_carried_once() {
    let item = |encrypted: &str| {
        format!(
            r#"{{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"{encrypted}"}}"#
        )
    };
    let stream = [
        r#"{"type":"response.created","response":{"id":"resp_1","model":"m"}}"#.to_owned(),
        format!(
            r#"{{"type":"response.output_item.added","output_index":0,"item":{}}}"#,
            item("gA")
        ),
        format!(
            r#"{{"type":"response.output_item.done","output_index":0,"item":{}}}"#,
            item("gAAA")
        ),
        format!(
            r#"{{"type":"response.completed","response":{{"id":"resp_1","model":"m","status":"completed","output":[{}]}}}}"#,
            item("gAAA")
        ),
    ];
    let stream: String = stream.iter().map(|data| format!("data: {data}\n\n")).collect();
    let told = events(HERE, &[stream.into()]);
    let carried = told.iter().filter(|event| matches!(event, Event::Carry(..))).count();
    assert_eq!(carried, 1);
    for inbound in Inbound::ALL {
        let written = rewritten_from(inbound, HERE, &told);
        let text = String::from_utf8_lossy(&written);
        let once = if inbound == RESPONSES { 2 } else { 1 };
        let sealed = text.matches("pm1.this").count() + text.matches("cG0xLnRoaXMu").count();
        assert_eq!(sealed + text.matches("gAAA").count(), once, "{text}");
    }
}
