//! Small cases of our own: what recorded hosts do to the dialect, one at a time.

use bytes::Bytes;
use expect_test::{Expect, expect};
use ir::{Event, Grammar};
use serde_json::{Value, json};
use wire::failures::Context;

use super::{HERE, RESPONSES, frames};
use crate::laws::{events, fold, origin, rewritten};

/// Spells frames as a stream.
fn stream(frames: &[Value]) -> Bytes {
    frames.iter().map(|frame| format!("data: {frame}\n\n")).collect::<String>().into()
}

/// Shows what a stream says, and checks that it obeys the grammar, any chunking, and rewriting.
fn check(frames: &[Value], expected: &Expect) {
    let body = stream(frames);
    let read = events(HERE, std::slice::from_ref(&body));
    let mut grammar = Grammar::default();
    read.iter().for_each(|event| grammar.step(event).unwrap());
    assert!(grammar.ended());
    assert_eq!(events(HERE, &testkit::chunks::splits(&body, 0)), read);
    if let Ok(response) = fold(HERE, &read) {
        let again = fold(HERE, &events(HERE, &[rewritten(RESPONSES, &read)])).unwrap();
        assert_eq!(crate::oracle::folded(&again), crate::oracle::folded(&response));
        assert_eq!(again.candidates[0].turn.extras, response.candidates[0].turn.extras);
    }
    expected.assert_eq(&read.iter().map(shown).collect::<String>());
}

fn shown(event: &Event) -> String {
    match event {
        Event::Start { id, model, .. } => format!("start {id:?} {model:?}\n"),
        Event::Open(spot, kind) => format!("open {} {kind:?}\n", spot.part),
        Event::Delta(spot, text) => format!("delta {} {text:?}\n", spot.part),
        Event::Cite(spot, cited) => {
            format!("cite {} {:?} {:?}\n", spot.part, cited.url, cited.span)
        }
        Event::Carry(spot, carrier) => format!("carry {} {:?}\n", spot.part, carrier.raw),
        Event::Close(spot) => format!("close {}\n", spot.part),
        Event::Note(scope, name, raw) => format!("note {scope:?} {name} {raw:?}\n"),
        Event::Stop { finish, .. } => format!("stop {finish:?}\n"),
        Event::Usage(usage) => format!("usage {} {}\n", usage.input, usage.output),
        Event::Finish => "finish\n".to_owned(),
        Event::Fail(failure) => format!("fail {failure}\n"),
    }
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []}})
}

fn item(kind: &str, index: u64, item: &Value) -> Value {
    json!({"type": format!("response.output_item.{kind}"), "output_index": index, "item": item})
}

fn delta(kind: &str, index: u64, id: &str, text: &str) -> Value {
    json!({"type": format!("response.{kind}.delta"), "output_index": index, "item_id": id, "content_index": 0, "delta": text})
}

#[test]
fn thoughts_text_and_a_call() {
    let message = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []});
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""});
    let thoughts = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    let summary = |index: u64, text: &str| json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs_1", "summary_index": index, "delta": text});
    check(
        &[
            created(),
            item("added", 0, &thoughts),
            summary(0, "one"),
            summary(1, "two"),
            item(
                "done",
                0,
                &json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gA", "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}]}),
            ),
            item("added", 1, &message),
            delta("output_text", 1, "msg_1", "h\u{e9}"),
            json!({"type": "response.output_text.annotation.added", "output_index": 1, "item_id": "msg_1", "content_index": 0, "annotation": {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 2}}),
            item(
                "done",
                1,
                &json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "h\u{e9}!", "annotations": [{"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 2}]}]}),
            ),
            item("added", 2, &call),
            delta("function_call_arguments", 2, "fc_1", "{}"),
            json!({"type": "response.something.newer", "output_index": 2}),
            item(
                "done",
                2,
                &json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed"}),
            ),
            json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "service_tier": "flex", "output": [], "usage": {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}}}),
        ],
        &expect![[r#"
            start Some("resp_1") Some("m")
            note Turn(0) item_0 {"type":"reasoning","id":"rs_1"}
            open 0 Reasoning
            delta 0 "one"
            delta 0 "\n\n"
            delta 0 "two"
            carry 0 {"type":"reasoning","id":"rs_1","encrypted_content":"gA","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}]}
            note Turn(0) item_0 {"type":"reasoning","id":"rs_1"}
            close 0
            note Turn(0) item_1 {"type":"message","id":"msg_1"}
            open 1 Text
            delta 1 "hé"
            cite 1 Some("https://a") Some((0, 2))
            delta 1 "!"
            note Turn(0) item_1 {"type":"message","id":"msg_1","status":"completed"}
            close 1
            note Turn(0) item_2 {"type":"function_call","id":"fc_1"}
            open 2 ToolCall { id: "call_1", name: "f", kind: Function }
            delta 2 "{}"
            note Turn(0) item_2 {"type":"function_call","id":"fc_1","status":"completed"}
            close 2
            usage 3 1
            note Answer service_tier "flex"
            stop Some(ToolCalls)
            finish
        "#]],
    );
}

#[test]
fn items_that_overlap_and_an_item_nobody_knows() {
    let said = json!({"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "ok", "annotations": []}]});
    let thoughts = json!({"type": "reasoning", "id": "r", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]});
    check(
        &[
            created(),
            item("done", 0, &json!({"type": "shell_call", "id": "sh"})),
            item("added", 1, &json!({"type": "reasoning", "id": "r", "summary": []})),
            delta("reasoning_text", 1, "r", "hm"),
            item(
                "added",
                2,
                &json!({"type": "message", "id": "m", "role": "assistant", "content": []}),
            ),
            delta("output_text", 2, "m", "o"),
            delta("output_text", 2, "m", "k"),
            item("done", 2, &said),
            item("done", 1, &thoughts),
            json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": [{"type": "shell_call", "id": "sh"}, thoughts, said]}}),
        ],
        &expect![[r#"
            start Some("resp_1") Some("m")
            open 0 Other(Opaque { dialect: OpenaiResponses, raw: {"type":"shell_call","id":"sh"} })
            close 0
            note Turn(0) item_1 {"type":"reasoning","id":"r"}
            open 1 Reasoning
            delta 1 "hm"
            note Turn(0) item_2 {"type":"message","id":"m"}
            open 2 Text
            delta 2 "o"
            delta 2 "k"
            note Turn(0) item_2 {"type":"message","id":"m"}
            close 2
            carry 1 {"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]}
            note Turn(0) item_1 {"type":"reasoning","id":"r"}
            close 1
            stop Some(Length)
            finish
        "#]],
    );
}

#[test]
fn what_only_the_end_says_is_said() {
    check(
        &[
            json!({"type": "response.completed", "response": {"id": "resp_2", "model": "m", "created_at": 5, "status": "completed", "output": [
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "all"}, {"type": "refusal", "refusal": "but"}]},
                {"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "select"},
                {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA"}
            ]}}),
        ],
        &expect![[r#"
            start Some("resp_2") Some("m")
            note Turn(0) item_0 {"type":"message","content":[{},{}]}
            open 0 Text
            delta 0 "all"
            note Turn(0) item_0 {"type":"message","content":[{},{}]}
            open 1 Refusal
            delta 1 "but"
            note Turn(0) item_0 {"type":"message","content":[{},{}]}
            close 0
            close 1
            open 2 ToolCall { id: "c", name: "sql", kind: Custom }
            delta 2 "select"
            close 2
            note Turn(0) item_3 {"type":"image_generation_call","id":"ig_1","status":"completed"}
            open 3 Image { media_type: "image/png" }
            delta 3 "AAAA"
            note Turn(0) item_3 {"type":"image_generation_call","id":"ig_1","status":"completed"}
            close 3
            stop Some(ToolCalls)
            finish
        "#]],
    );
}

#[test]
fn a_stream_without_its_last_frame_is_a_cut() {
    let begun = [created(), delta("output_text", 0, "msg_1", "half")];
    let expected = expect![[r#"
        start Some("resp_1") Some("m")
        open 0 Text
        delta 0 "half"
        fail the stream ended without response.completed (stream_interrupted, provider fault)
    "#]];
    check(&begun, &expected);
    let done = Bytes::from([&stream(&begun)[..], b"data: [DONE]\n\n"].concat());
    assert_eq!(events(HERE, &[done]), events(HERE, &[stream(&begun)]));
}

#[test]
fn an_error_in_the_stream_ends_it() {
    for frame in [
        json!({"type": "error", "code": "server_is_overloaded", "message": "We are overloaded", "sequence_number": 3}),
        json!({"type": "error", "error": {"code": "server_is_overloaded", "message": "We are overloaded"}}),
        json!({"error": {"code": 503, "message": "We are overloaded"}}),
        json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_is_overloaded", "message": "We are overloaded"}}}),
    ] {
        check(
            &[created(), frame, delta("output_text", 0, "msg_1", "more")],
            &expect![[r#"
                start Some("resp_1") Some("m")
                fail We are overloaded (provider_overloaded, provider fault)
            "#]],
        );
    }
}

#[test]
fn an_error_in_a_200_is_a_failure() {
    for body in [
        "{\"error\":{\"code\":502,\"message\":\"bad gateway\"}}",
        "{\"status\":\"failed\",\"error\":null,\"output\":[]}",
        "{\"output\":\"none\"}",
        "<html>",
    ] {
        let failure = wire::read_response(&origin(HERE), body.as_bytes()).unwrap_err();
        assert_eq!(failure.kind.status(), 502, "{body}: {failure}");
    }
}

#[test]
fn a_call_without_an_id_gets_one_that_is_unlike_its_neighbours() {
    let body = json!({"output": [
        {"type": "function_call", "name": "f", "arguments": {"a": 1}},
        {"type": "function_call", "name": "f", "arguments": ""},
    ]});
    let response = wire::read_response(&origin(HERE), body.to_string().as_bytes()).unwrap();
    let calls: Vec<_> = response.candidates[0]
        .turn
        .parts
        .iter()
        .map(|part| match part {
            ir::AssistantPart::ToolCall(call) => call,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(calls.iter().all(|call| ir::dialect::made(&call.id)));
    assert_ne!(calls[0].id, calls[1].id);
    assert_eq!(calls[0].arguments.0, "{\"a\":1}");
}

#[test]
fn counts_beyond_reason_do_not_overflow() {
    let most = u64::MAX;
    let body = format!(
        "{{\"output\":[],\"usage\":{{\"input_tokens\":{most},\"output_tokens\":{most},\"total_tokens\":{most},\"output_tokens_details\":{{\"reasoning_tokens\":{most}}}}}}}"
    );
    let response = wire::read_response(&origin(HERE), body.as_bytes()).unwrap();
    assert_eq!(response.usage.as_ref().unwrap().output.0, most);
    wire::write_response(RESPONSES, &response);
}

#[test]
fn a_stream_that_fails_ends_with_the_error_that_clients_raise() {
    let read = events(
        HERE,
        &[stream(&[
            created(),
            json!({"type": "error", "error": {"code": "server_is_overloaded", "message": "We are overloaded"}}),
        ])],
    );
    let written = frames(&rewritten(RESPONSES, &read));
    let last = written.last().unwrap();
    assert_eq!(last["type"], "error");
    assert_eq!(last["sequence_number"], 2);
    assert_eq!(last["error"]["code"], "provider_overloaded");
    assert_eq!(last["error"]["fault"], "provider");
    let failure = ir::Failure::new(ir::Kind::StreamCut, "cut");
    let alone = wire::write_failure_frame(RESPONSES, &failure, &Context::default());
    assert_eq!(frames(&alone.into())[0]["error"]["message"], "cut");
}

#[test]
fn what_cannot_be_read_names_its_place() {
    let check = |body: &str, expected: &Expect| {
        let error = wire::read_request(RESPONSES, body.as_bytes()).unwrap_err();
        expected.assert_eq(&error.to_string());
    };
    check("{\"input\":\"hi\"}", &expect!["model: required, but not there (byte 9)"]);
    check(
        "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":7}]}",
        &expect![
            "input[0].content: expected a string or a list of parts, found a number (byte 47)"
        ],
    );
    check(
        "{\"model\":\"m\",\"input\":[{\"type\":\"function_call\",\"name\":\"f\"}]}",
        &expect!["input[0].call_id: required, but not there (byte 53)"],
    );
    check(
        "{\"model\":\"m\",\"input\":7}",
        &expect!["input: expected a string or a list of items, found a number (byte 21)"],
    );
}

#[test]
fn fields_of_a_wrong_kind_are_never_written_twice() {
    let body = r#"{"id":7,"model":[],"usage":5,"status":1,"incomplete_details":2,"created_at":"now","output":[{"type":"message","role":"user","content":"?"}]}"#;
    let response = wire::read_response(&origin(HERE), body.as_bytes()).unwrap();
    let again = wire::write_response(RESPONSES, &response);
    assert_eq!(wire::read_response(&origin(HERE), &again).unwrap(), response);
    let body = r#"{"model":"m","instructions":["a"],"input":[{"role":"system","content":"b"}],"tools":[],"tool_choice":"auto","text":7,"include":8,"user":9,"reasoning":"high","text_":{}}"#;
    let request = wire::read_request(RESPONSES, body.as_bytes()).unwrap();
    let written = wire::write_request(HERE, &request, ir::Quirks::default());
    assert_eq!(wire::read_request(RESPONSES, &written.bytes).unwrap(), request);
}
