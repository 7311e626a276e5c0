//! Small cases of our own: what recorded hosts do to the dialect, one at a time, so that the laws
//! also hold where the recordings are not.

use bytes::Bytes;
use expect_test::{Expect, expect};
use ir::{Dialect, Event, Grammar, Inbound};

use crate::laws::{events, fold, origin, rewritten};

/// Shows what a stream says, and checks that it obeys the grammar, any chunking, and rewriting.
fn check(stream: &str, expected: &Expect) {
    let body = Bytes::copy_from_slice(stream.as_bytes());
    let read = events(Dialect::OpenaiChat, std::slice::from_ref(&body));
    let mut grammar = Grammar::default();
    read.iter().for_each(|event| grammar.step(event).unwrap());
    assert!(grammar.ended());
    assert_eq!(events(Dialect::OpenaiChat, &testkit::chunks::splits(&body, 0)), read);
    if let Ok(response) = fold(Dialect::OpenaiChat, &read) {
        let again = fold(
            Dialect::OpenaiChat,
            &events(Dialect::OpenaiChat, &[rewritten(Inbound::OpenaiChat, &read)]),
        )
        .unwrap();
        assert_eq!(crate::oracle::folded(&again), crate::oracle::folded(&response));
    }
    expected.assert_eq(&read.iter().map(shown).collect::<String>());
}

fn shown(event: &Event) -> String {
    match event {
        Event::Start { id, model, .. } => format!("start {id:?} {model:?}\n"),
        Event::Open(spot, kind) => format!("open {}.{} {kind:?}\n", spot.candidate, spot.part),
        Event::Delta(spot, text) => format!("delta {}.{} {text:?}\n", spot.candidate, spot.part),
        Event::Cite(spot, cited) => {
            format!("cite {}.{} {:?}\n", spot.candidate, spot.part, cited.url)
        }
        Event::Carry(spot, _) => format!("carry {}.{}\n", spot.candidate, spot.part),
        Event::Close(spot) => format!("close {}.{}\n", spot.candidate, spot.part),
        Event::Note(scope, name, raw) => format!("note {scope:?} {name} {raw:?}\n"),
        Event::Stop { candidate, finish } => format!("stop {candidate} {finish:?}\n"),
        Event::Usage(usage) => format!("usage {} {}\n", usage.input, usage.output),
        Event::Finish => "finish\n".to_owned(),
        Event::Fail(failure) => format!("fail {failure}\n"),
    }
}

#[test]
fn a_plain_answer() {
    check(
        concat!(
            "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\u{e9}\"}}]}\n\n",
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
            "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n",
            "data: [DONE]\n\n",
        ),
        &expect![[r#"
            start Some("c") Some("m")
            open 0.0 Text
            delta 0.0 "hé"
            usage 3 1
            close 0.0
            stop 0 Some(Stop)
            finish
        "#]],
    );
}

#[test]
fn thoughts_then_text_then_two_calls_with_the_same_index() {
    check(
        concat!(
            ": keep-alive\r\n\r\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\",\"reasoning\":\"hm\"}}]}\r\n\r\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"ok\"}}]}\r\n\r\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\r\n\r\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\"}}]}}]}\r\n\r\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"}\"}}]},\"finish_reason\":\"tool_calls\"}]}\r\n\r\n",
        ),
        &expect![[r#"
            start Some("c") None
            open 0.0 Reasoning
            delta 0.0 "hm"
            close 0.0
            open 0.1 Text
            delta 0.1 "ok"
            close 0.1
            open 0.2 ToolCall { id: "a", name: "f", kind: Function }
            delta 0.2 "{}"
            open 0.3 ToolCall { id: "b", name: "g", kind: Function }
            delta 0.3 "{"
            delta 0.3 "}"
            close 0.2
            close 0.3
            stop 0 Some(ToolCalls)
            finish
        "#]],
    );
}

/// Writes a stream of deltas, the last of which finishes.
fn stream(deltas: &[&str], finish: &str) -> String {
    let mut out = String::new();
    for (at, delta) in deltas.iter().enumerate() {
        let finish = if at + 1 == deltas.len() { format!("\"{finish}\"") } else { "null".into() };
        out += "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":";
        out += &format!("{delta},\"finish_reason\":{finish}}}]}}\n\n");
    }
    out
}

#[test]
fn details_grow_together_and_do_not_double_the_thoughts() {
    let body = stream(
        &[
            r#"{"reasoning":"h","reasoning_details":[{"type":"reasoning.text","text":"h","index":0}]}"#,
            r#"{"reasoning":"m","reasoning_details":[{"type":"reasoning.text","text":"m","index":0}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.text","signature":"s","index":0}]}"#,
            r#"{"content":"ok"}"#,
            r#"{"content":"","reasoning_details":[{"type":"reasoning.encrypted","data":"d"}]}"#,
            r#"{"content":"."}"#,
        ],
        "end_turn",
    );
    check(
        &body,
        &expect![[r#"
        start Some("c") None
        open 0.0 Reasoning
        delta 0.0 "h"
        delta 0.0 "m"
        carry 0.0
        close 0.0
        open 0.1 Text
        delta 0.1 "ok"
        delta 0.1 "."
        close 0.1
        open 0.2 Reasoning
        carry 0.2
        close 0.2
        note Candidate(0) finish_reason "end_turn"
        stop 0 Some(Stop)
        finish
    "#]],
    );
    let read = events(Dialect::OpenaiChat, &[Bytes::from(body)]);
    let carriers: Vec<String> = read
        .iter()
        .filter_map(|event| match event {
            Event::Carry(_, carrier) => Some(carrier.raw.text().to_owned()),
            _ => None,
        })
        .collect();
    expect![[r#"
        [{"type":"reasoning.text","text":"hm","index":0,"signature":"s"}]
        [{"type":"reasoning.encrypted","data":"d"}]"#]]
    .assert_eq(&carriers.join("\n"));
}

#[test]
fn details_alone_say_the_thoughts() {
    let body = stream(
        &[
            r#"{"reasoning_details":[{"type":"reasoning.text","text":"hm"}]}"#,
            r#"{"content":"ok"}"#,
        ],
        "stop",
    );
    check(
        &body,
        &expect![[r#"
        start Some("c") None
        open 0.0 Reasoning
        delta 0.0 "hm"
        carry 0.0
        close 0.0
        open 0.1 Text
        delta 0.1 "ok"
        close 0.1
        stop 0 Some(Stop)
        finish
    "#]],
    );
}

#[test]
fn citations_wait_for_their_text() {
    let cited = r#"{"type":"url_citation","url_citation":{"url":"https://a","start_index":0,"end_index":0}}"#;
    let early = format!(r#"{{"content":"","annotations":[{cited}]}}"#);
    let late = format!(r#"{{"annotations":[{cited},{cited}]}}"#);
    check(
        &stream(&[&early, r#"{"content":"ok"}"#, &late], "stop"),
        &expect![[r#"
        start Some("c") None
        open 0.0 Text
        cite 0.0 Some("https://a")
        delta 0.0 "ok"
        cite 0.0 Some("https://a")
        cite 0.0 Some("https://a")
        close 0.0
        stop 0 Some(Stop)
        finish
    "#]],
    );
    check(
        &stream(&[&early], "stop"),
        &expect![[r#"
        start Some("c") None
        note Turn(0) annotations [{"type":"url_citation","url_citation":{"url":"https://a","start_index":0,"end_index":0}}]
        stop 0 Some(Stop)
        finish
    "#]],
    );
}

#[test]
fn what_a_call_carries_and_a_stop_that_means_calls() {
    let body = stream(
        &[
            r#"{"tool_calls":[{"function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}"#,
        ],
        "stop",
    );
    check(
        &body,
        &expect![[r#"
        start Some("c") None
        open 0.0 ToolCall { id: "call_pm000000000000000700", name: "f", kind: Function }
        delta 0.0 "{}"
        carry 0.0
        close 0.0
        note Candidate(0) finish_reason "stop"
        stop 0 Some(ToolCalls)
        finish
    "#]],
    );
    let whole = r#"{"id":"c","choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]},"finish_reason":"stop"}]}"#;
    let response = wire::read_response(&origin(Dialect::OpenaiChat), whole.as_bytes()).unwrap();
    assert_eq!(response.candidates[0].finish, Some(ir::Finish::ToolCalls));
    let again = wire::write_response(Inbound::OpenaiChat, &response);
    expect![[r#"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_pm000000000000000700","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]},"finish_reason":"stop"}]}"#]].assert_eq(std::str::from_utf8(&again).unwrap());
}

#[test]
fn words_for_the_end() {
    let mut shown = String::new();
    for word in ["stop", "eos", "end_turn", "max_tokens", "function_call", "refusal", "", "new"] {
        let body =
            format!(r#"{{"choices":[{{"message":{{"content":"a"}},"finish_reason":"{word}"}}]}}"#);
        let response = wire::read_response(&origin(Dialect::OpenaiChat), body.as_bytes()).unwrap();
        let candidate = &response.candidates[0];
        shown += &format!(
            "{word:?} {:?} {:?}\n",
            candidate.finish,
            candidate.extras.get("finish_reason")
        );
    }
    expect![[r#"
        "stop" Some(Stop) None
        "eos" Some(Stop) Some("eos")
        "end_turn" Some(Stop) Some("end_turn")
        "max_tokens" Some(Length) Some("max_tokens")
        "function_call" Some(ToolCalls) Some("function_call")
        "refusal" Some(Refusal) Some("refusal")
        "" None None
        "new" Some(Other("new")) None
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_stream_without_finish_and_without_done_is_a_cut() {
    check(
        "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n",
        &expect![[r#"
            start Some("c") None
            open 0.0 Text
            delta 0.0 "half"
            fail the stream ended without a finish reason and without [DONE] (stream_interrupted, provider fault)
        "#]],
    );
}

#[test]
fn an_error_in_the_stream_ends_it() {
    check(
        concat!(
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n",
            "event: error\ndata: {\"error\":{\"message\":\"The server is overloaded\",\"code\":503}}\n\n",
            "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"more\"}}]}\n\n",
        ),
        &expect![[r#"
            start Some("c") None
            open 0.0 Text
            delta 0.0 "half"
            fail The server is overloaded (provider_overloaded, provider fault)
        "#]],
    );
}

#[test]
fn an_error_in_a_200_is_a_failure() {
    for body in [
        "{\"error\":{\"code\":502,\"message\":\"bad gateway\"}}",
        "\n  \n {\"choices\":[{\"error\":{\"code\":502,\"message\":\"bad gateway\"}}]}",
        "{\"choices\":\"none\"}",
        "<html>",
    ] {
        let failure =
            wire::read_response(&origin(Dialect::OpenaiChat), body.as_bytes()).unwrap_err();
        assert_eq!(failure.kind.status(), 502, "{body}: {failure}");
    }
}

#[test]
fn a_stream_that_says_nothing_is_no_answer() {
    check(
        "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":0}}\n\ndata: [DONE]\n\n",
        &expect![[r#"
            start Some("c") None
            usage 3 0
            fail the stream ended without an answer (empty_answer, provider fault)
        "#]],
    );
}

#[test]
fn counts_beyond_reason_do_not_overflow() {
    let most = u64::MAX;
    let body = format!(
        "{{\"choices\":[{{}}],\"usage\":{{\"prompt_tokens\":{most},\"completion_tokens\":{most},\"total_tokens\":{most},\"completion_tokens_details\":{{\"reasoning_tokens\":{most}}}}}}}"
    );
    let response = wire::read_response(&origin(Dialect::OpenaiChat), body.as_bytes()).unwrap();
    assert_eq!(response.usage.as_ref().unwrap().output.0, most);
    wire::write_response(Inbound::OpenaiChat, &response);
}

/// A body of millions of keys or levels costs its length and not its square, and its error is short.
#[test]
fn wide_and_deep_bodies_are_refused_cheaply() {
    let wide: String = (0..200_000).map(|number| format!("\"k{number}\":1,")).collect();
    let wide = format!("{{{wide}\"k7\":2}}");
    let error = wire::head::read(Inbound::OpenaiChat, wide.as_bytes(), None).unwrap_err();
    assert!(error.to_string().starts_with("k7: there twice"), "{error}");
    let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
    let error = wire::head::read(Inbound::OpenaiChat, deep.as_bytes(), None).unwrap_err();
    assert!(error.to_string().len() < 400, "{} bytes", error.to_string().len());
}
