//! Small cases of our own: what hosts of this dialect do, and what its writer makes of others.

use bytes::Bytes;
use expect_test::{Expect, expect};
use ir::{
    CallKind, Citation, Dialect, Event, Failure, Finish, Grammar, Kind, Opaque, PartKind, RawJson,
    Spot, Tokens, Usage,
};
use serde_json::Value;
use wire::failures::{Attempt, Context};

use super::{HERE, MESSAGES};
use crate::laws::{events, fold, origin};

/// Shows what a stream says, and checks that it obeys the grammar and any chunking.
fn check(frames: &[&str], expected: &Expect) {
    let stream: String = frames.iter().map(|data| format!("event: x\ndata: {data}\n\n")).collect();
    let body = Bytes::from(stream);
    let read = events(HERE, std::slice::from_ref(&body));
    let mut grammar = Grammar::default();
    read.iter().for_each(|event| grammar.step(event).unwrap());
    assert!(grammar.ended());
    assert_eq!(events(HERE, &testkit::chunks::splits(&body, 0)), read);
    expected.assert_eq(&read.iter().map(shown).collect::<String>());
}

fn shown(event: &Event) -> String {
    let at = |spot: &Spot| format!("{}.{}", spot.candidate, spot.part);
    match event {
        Event::Start { id, model, .. } => format!("start {id:?} {model:?}\n"),
        Event::Open(spot, kind) => format!("open {} {kind:?}\n", at(spot)),
        Event::Delta(spot, text) => format!("delta {} {text:?}\n", at(spot)),
        Event::Cite(spot, cited) => format!("cite {} {:?}\n", at(spot), cited.url),
        Event::Carry(spot, carrier) => format!("carry {} {:?}\n", at(spot), carrier.raw),
        Event::Close(spot) => format!("close {}\n", at(spot)),
        Event::Note(scope, name, raw) => format!("note {scope:?} {name} {raw:?}\n"),
        Event::Stop { candidate, finish } => format!("stop {candidate} {finish:?}\n"),
        Event::Usage(usage) => {
            let counts = [usage.input, usage.cached_input, usage.cache_write, usage.output];
            format!("usage {:?}\n", counts.map(|tokens| tokens.0))
        }
        Event::Finish => "finish\n".to_owned(),
        Event::Fail(failure) => format!("fail {failure}\n"),
    }
}

const START: &str = r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"usage":{"input_tokens":3,"cache_read_input_tokens":40,"output_tokens":1}}   }"#;
const STOP: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":5,"output_tokens":9}}"#;

#[test]
fn counts_at_the_end_replace_those_at_the_start() {
    check(
        &[START, r#"{"type":"ping"}"#, STOP, r#"{"type":"message_stop"           }"#],
        &expect![[r#"
            start Some("m") Some("c")
            usage [43, 40, 0, 1]
            usage [45, 40, 0, 9]
            stop 0 Some(Stop)
            finish
        "#]],
    );
}

#[test]
fn a_call_without_arguments_has_none_and_ends_in_tool_calls() {
    check(
        &[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{},"caller":{"type":"direct"}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            STOP,
        ],
        &expect![[r#"
            start Some("m") Some("c")
            usage [43, 40, 0, 1]
            open 0.0 ToolCall { id: "t", name: "f", kind: Function }
            delta 0.0 "{}"
            close 0.0
            note Candidate(0) stop_reason "end_turn"
            usage [45, 40, 0, 9]
            stop 0 Some(ToolCalls)
            finish
        "#]],
    );
}

#[test]
fn an_unknown_block_is_told_whole() {
    check(
        &[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"q\":"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"compaction","content":null}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"compaction_delta","content":"so far"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"redacted_thinking","data":"x"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            STOP,
        ],
        &expect![[r#"
            start Some("m") Some("c")
            usage [43, 40, 0, 1]
            open 0.0 Other(Opaque { dialect: AnthropicMessages, raw: {"type":"server_tool_use","id":"s","name":"web_search","input":{"q":1}} })
            close 0.0
            open 0.1 Other(Opaque { dialect: AnthropicMessages, raw: {"type":"compaction","content":"so far"} })
            close 0.1
            open 0.2 Reasoning
            carry 0.2 {"type":"redacted_thinking","data":"x"}
            close 0.2
            usage [45, 40, 0, 9]
            stop 0 Some(Stop)
            finish
        "#]],
    );
}

#[test]
fn a_stream_without_a_stop_reason_is_a_cut() {
    check(
        &[
            START,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"half"}}"#,
        ],
        &expect![[r#"
            start Some("m") Some("c")
            usage [43, 40, 0, 1]
            open 0.0 Text
            delta 0.0 "half"
            fail the stream ended without a stop reason and without message_stop (stream_interrupted, provider fault)
        "#]],
    );
}

#[test]
fn an_error_in_the_stream_ends_it() {
    check(
        &[
            START,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            r#"{"type":"message_stop"}"#,
        ],
        &expect![[r#"
            start Some("m") Some("c")
            usage [43, 40, 0, 1]
            fail Overloaded (provider_overloaded, provider fault)
        "#]],
    );
}

#[test]
fn nothing_at_all_is_no_answer() {
    check(
        &[r#"{"type":"message_stop"}"#],
        &expect![[r#"
            fail the stream ended without an answer (empty_answer, provider fault)
        "#]],
    );
}

#[test]
fn an_error_in_a_200_is_a_failure() {
    let body = br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#;
    let failure = wire::read_response(&origin(HERE), body).unwrap_err();
    assert_eq!(failure.kind, Kind::RateLimited);
    for body in ["{\"content\":7}", "{}", "<html>", "{\"type\":\"message\"}"] {
        let failure = wire::read_response(&origin(HERE), body.as_bytes()).unwrap_err();
        assert_eq!(failure.kind, Kind::MalformedReply, "{body}");
    }
}

#[test]
fn the_word_for_an_end_without_a_kind_of_its_own_is_kept() {
    let body = br#"{"type":"message","role":"assistant","content":[],"stop_reason":"model_context_window_exceeded","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}}"#;
    let response = wire::read_response(&origin(HERE), body).unwrap();
    assert_eq!(response.candidates[0].finish, Some(Finish::Length));
    let written: Value =
        serde_json::from_slice(&wire::write_response(MESSAGES, &response)).unwrap();
    assert_eq!(written["stop_reason"], "model_context_window_exceeded");
}

#[test]
fn counts_beyond_reason_do_not_overflow() {
    let most = u64::MAX;
    let body = format!(
        "{{\"content\":[],\"usage\":{{\"input_tokens\":{most},\"cache_read_input_tokens\":{most},\"output_tokens\":{most}}}}}"
    );
    let response = wire::read_response(&origin(HERE), body.as_bytes()).unwrap();
    assert_eq!(response.usage.as_ref().unwrap().input.0, most);
    wire::write_response(MESSAGES, &response);
}

/// Writes events of another dialect, shows the frames, and checks that what they say is read again.
fn written(events: &[Event], expected: &Expect) {
    let mut writer = wire::anthropic_messages::events::Writer::new(Dialect::Gemini);
    let context = Context { request_id: "r1".to_owned(), attempts: Vec::new() };
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &context, &mut out);
    }
    let text = String::from_utf8(out.clone()).unwrap();
    for frame in text.split_terminator("\n\n") {
        let (name, data) = frame.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name);
    }
    if !matches!(events.last(), Some(Event::Fail(_))) {
        fold(HERE, &self::events(HERE, &[out.into()])).unwrap();
    }
    let short: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .fold(String::new(), |shown, line| shown + line + "\n");
    expected.assert_eq(&short);
}

fn at(part: u32) -> Spot {
    Spot { candidate: 0, part }
}

fn start() -> Event {
    Event::Start { id: None, model: Some("g".to_owned()), created: Some(7) }
}

fn call(part: u32, id: &str, kind: CallKind) -> Event {
    let kind = PartKind::ToolCall { id: id.to_owned(), name: "f".to_owned(), kind };
    Event::Open(at(part), kind)
}

fn delta(part: u32, text: &str) -> Event {
    Event::Delta(at(part), text.to_owned())
}

fn stop(finish: Finish) -> [Event; 3] {
    let usage = Usage {
        input: Tokens(10),
        cached_input: Tokens(4),
        output: Tokens(6),
        reasoning: Tokens(2),
        ..Usage::default()
    };
    [Event::Stop { candidate: 0, finish: Some(finish) }, Event::Usage(usage), Event::Finish]
}

#[test]
fn parts_that_are_open_together_are_told_one_after_another() {
    let mut events = vec![start(), call(0, "a.1", CallKind::Function)];
    events.extend([call(1, "b", CallKind::Function), delta(1, "{\"y\""), delta(0, "{\"x\":1")]);
    events.extend([delta(1, ":2}"), delta(0, "}"), Event::Close(at(1)), Event::Close(at(0))]);
    events.extend(stop(Finish::ToolCalls));
    written(
        &events,
        &expect![[r#"
            {"type":"message_start","message":{"id":"msg_r1","type":"message","role":"assistant","model":"g","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}
            {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"call_e61dec190466df35","name":"f","input":{}}}
            {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"x\":1"}}
            {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"}"}}
            {"type":"content_block_stop","index":0}
            {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"b","name":"f","input":{}}}
            {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"y\""}}
            {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":":2}"}}
            {"type":"content_block_stop","index":1}
            {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":6,"output_tokens_details":{"thinking_tokens":2}}}
            {"type":"message_stop"}
        "#]],
    );
}

#[test]
fn a_foreign_carrier_stands_sealed_in_front_of_its_part_or_on_it() {
    let carrier = Opaque { dialect: Dialect::Gemini, raw: RawJson::string("sig") };
    let mut events = vec![start(), Event::Open(at(0), PartKind::Reasoning), delta(0, "hm")];
    events.extend([Event::Carry(at(0), carrier.clone()), Event::Close(at(0))]);
    events.extend([call(1, "c", CallKind::Function), delta(1, "{}")]);
    events.extend([Event::Carry(at(1), carrier), Event::Close(at(1))]);
    events.extend(stop(Finish::ToolCalls));
    written(
        &events,
        &expect![[r#"
            {"type":"message_start","message":{"id":"msg_r1","type":"message","role":"assistant","model":"g","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}
            {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}
            {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}
            {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"pm1.this.gemini.InNpZyI"}}
            {"type":"content_block_stop","index":0}
            {"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"","signature":""}}
            {"type":"content_block_delta","index":1,"delta":{"type":"signature_delta","signature":"pm1.next.gemini.InNpZyI"}}
            {"type":"content_block_stop","index":1}
            {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c","name":"f","input":{}}}
            {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}
            {"type":"content_block_stop","index":2}
            {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":6,"output_tokens_details":{"thinking_tokens":2}}}
            {"type":"message_stop"}
        "#]],
    );
}

#[test]
fn pictures_free_text_and_citations_find_a_place() {
    let cited = Citation {
        url: Some("https://e.org".to_owned()),
        title: None,
        quote: None,
        span: Some((0, 2)),
        raw: Opaque { dialect: Dialect::Gemini, raw: RawJson::string("c") },
    };
    let picture = PartKind::Image { media_type: "image/png".to_owned() };
    let mut events = vec![start(), Event::Open(at(0), PartKind::Text), delta(0, "so")];
    events.extend([Event::Cite(at(0), cited), Event::Close(at(0))]);
    events.extend([Event::Open(at(1), picture), delta(1, "AA=="), Event::Close(at(1))]);
    events.extend([call(2, "c", CallKind::Custom), delta(2, "a\"\n"), Event::Close(at(2))]);
    events.extend([Event::Open(at(3), PartKind::Text), Event::Close(at(3))]);
    events.extend(stop(Finish::Other("ODD".to_owned())));
    written(
        &events,
        &expect![[r#"
            {"type":"message_start","message":{"id":"msg_r1","type":"message","role":"assistant","model":"g","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}
            {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
            {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"so"}}
            {"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","cited_text":"","url":"https://e.org","title":null,"encrypted_index":"pm1.this.gemini.ImMi"}}}
            {"type":"content_block_stop","index":0}
            {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}
            {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"![image](data:image/png;base64,"}}
            {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"AA=="}}
            {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":")"}}
            {"type":"content_block_stop","index":1}
            {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c","name":"f","input":{}}}
            {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"input\":\""}}
            {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"a\\\"\\n"}}
            {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"}"}}
            {"type":"content_block_stop","index":2}
            {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":6,"output_tokens_details":{"thinking_tokens":2}}}
            {"type":"message_stop"}
        "#]],
    );
}

#[test]
fn a_failure_ends_the_stream_with_an_error_and_nothing_else() {
    let failure = Failure::new(Kind::Overloaded, "no capacity");
    let open = Event::Open(at(0), PartKind::Text);
    written(
        &[start(), open, delta(0, "half"), Event::Fail(failure)],
        &expect![[r#"
            {"type":"message_start","message":{"id":"msg_r1","type":"message","role":"assistant","model":"g","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}
            {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
            {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"half"}}
            {"type":"error","error":{"type":"overloaded_error","message":"no capacity","code":"provider_overloaded","fault":"provider","help":"Try again later, or add a fallback to the task."},"request_id":"r1"}
        "#]],
    );
}

#[test]
fn a_failure_is_told_in_the_words_of_the_dialect() {
    let context = Context {
        request_id: "r1".to_owned(),
        attempts: vec![Attempt {
            target: "p/m".to_owned(),
            failure: Failure::new(Kind::Timeout, "slow"),
            took: std::time::Duration::from_millis(9),
        }],
    };
    let failure = Failure::new(Kind::ModelNotFound, "no such model").at("model");
    let (status, body) = wire::write_failure(MESSAGES, &failure, &context);
    assert_eq!(status, 404);
    expect![[r#"{"type":"error","error":{"type":"not_found_error","message":"no such model","param":"model","code":"model_not_found","fault":"client","help":"List the models with GET /v1/models, or send `auto`.","attempts":[{"target":"p/m","code":"timeout","fault":"provider","message":"slow","ms":9}]},"request_id":"r1"}"#]].assert_eq(std::str::from_utf8(&body).unwrap());
    for kind in Kind::ALL {
        let (status, body) = wire::write_failure(MESSAGES, &Failure::new(*kind, "x"), &context);
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, kind.status());
        assert!(
            body["error"]["type"]
                .as_str()
                .is_some_and(|word| word.ends_with("_error") || word == "request_too_large")
        );
    }
}
