//! The laws of Ollama's chat. It is only spoken to providers, so its answers are held against a
//! second reading, and its requests against what they must look like.

mod oracle;
mod requests;

use bytes::Bytes;
use expect_test::{Expect, expect};
use ir::{Dialect, Grammar};
use testkit::corpus::{self, Case};

use crate::laws::{Tally, chunking, counts, events, fold, mangled, origin};

const HERE: Dialect = Dialect::Ollama;

fn recorded(stream: bool) -> (Vec<Case>, Tally) {
    let cases = corpus::cases(&|case| {
        case.api == "ollama-chat" && case.is_stream == stream && case.status == 200
    });
    let mut tally = Tally::default();
    let own = |case: &Case| {
        let own = !case.response_body.contains("\"choices\"");
        if !own {
            tally.leave_out(case, "its answer is of OpenAI's dialect");
        }
        own
    };
    (cases.into_iter().filter(own).collect(), tally)
}

#[test]
fn an_answer_is_read_as_a_second_reader_reads_it() {
    if corpus::require("ollama answers").is_none() {
        return;
    }
    let (cases, mut tally) = recorded(false);
    for case in cases {
        let body = case.body_bytes().unwrap();
        let response = wire::read_response(&origin(HERE), &body)
            .unwrap_or_else(|failure| panic!("{}: {failure}", case.id));
        let (expected, used) = oracle::read(&case.response_body);
        assert_eq!(oracle::told(&response), expected, "{}", case.id);
        assert_eq!(response.usage.as_ref().map(counts), used, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("ollama, answers");
    assert!(tally.passed >= 20, "only {} answers passed", tally.passed);
}

#[test]
fn an_answer_goes_back_as_it_came() {
    if corpus::require("ollama answers sent back").is_none() {
        return;
    }
    let (cases, mut tally) = recorded(false);
    for case in cases {
        let mut body: serde_json::Value = serde_json::from_str(&case.response_body).unwrap();
        let response = wire::read_response(&origin(HERE), case.response_body.as_bytes()).unwrap();
        let mut message = body["message"].take();
        // Where a call stands says the list itself.
        for call in
            message.get_mut("tool_calls").and_then(|all| all.as_array_mut()).into_iter().flatten()
        {
            call["function"].as_object_mut().unwrap().remove("index");
        }
        assert_eq!(crate::built::sent_back(HERE, &response), message, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("ollama, answers sent back");
    assert!(tally.passed >= 20, "only {} answers passed", tally.passed);
}

#[test]
fn law_4_a_stream_is_its_answer() {
    if corpus::require("ollama streams").is_none() {
        return;
    }
    let (cases, mut tally) = recorded(true);
    for case in cases {
        let body = case.body_bytes().unwrap();
        let events = events(HERE, std::slice::from_ref(&body));
        let mut grammar = Grammar::default();
        for event in &events {
            grammar
                .step(event)
                .unwrap_or_else(|broken| panic!("{}: {broken} at {event:?}", case.id));
        }
        let response = fold(HERE, &events).unwrap_or_else(|why| panic!("{}: {why}", case.id));
        let (expected, used) = oracle::read(&case.response_body);
        assert_eq!(oracle::told(&response), expected, "{}", case.id);
        assert_eq!(response.usage.as_ref().map(counts), used, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("law 4, ollama");
    assert!(tally.passed >= 9, "only {} streams passed", tally.passed);
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5, ollama").is_none() {
        return;
    }
    let splits = chunking(HERE, &recorded(true).0);
    println!("law 5, ollama: {splits} splits");
    assert!(splits >= 27);
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6, ollama").is_none() {
        return;
    }
    let read = mangled(HERE, None, &corpus::cases(&|case| case.api == "ollama-chat"));
    println!("law 6, ollama: {read} mangled bodies");
    assert!(read >= 100);
}

fn check(lines: &[&str], expected: &Expect) {
    let body = Bytes::from(lines.join("\n"));
    let read = events(HERE, std::slice::from_ref(&body));
    let mut grammar = Grammar::default();
    read.iter().for_each(|event| grammar.step(event).unwrap());
    assert!(grammar.ended());
    assert_eq!(events(HERE, &testkit::chunks::splits(&body, 0)), read);
    expected.assert_eq(&read.iter().map(|event| format!("{event:?}\n")).collect::<String>());
}

#[test]
fn thoughts_then_calls_without_ids() {
    check(
        &[
            r#"{"model":"m","created_at":"2026-08-07T06:08:11.017589Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1.50}}},{"id":"own","function":{"index":1,"name":"g","arguments":{}}}]},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":3,"eval_count":2}"#,
        ],
        &expect![[r#"
            Start { id: None, model: Some("m"), created: Some(1786082891) }
            Open(Spot { candidate: 0, part: 0 }, Reasoning)
            Delta(Spot { candidate: 0, part: 0 }, "hm")
            Close(Spot { candidate: 0, part: 0 })
            Open(Spot { candidate: 0, part: 1 }, ToolCall { id: "call_pm000000000000000700", name: "f", kind: Function })
            Delta(Spot { candidate: 0, part: 1 }, "{\"a\":1.50}")
            Close(Spot { candidate: 0, part: 1 })
            Open(Spot { candidate: 0, part: 2 }, ToolCall { id: "own", name: "g", kind: Function })
            Delta(Spot { candidate: 0, part: 2 }, "{}")
            Close(Spot { candidate: 0, part: 2 })
            Note(Candidate(0), "done_reason", "stop")
            Usage(Usage { input: Tokens(3), cached_input: Tokens(0), cache_write: Tokens(0), output: Tokens(2), reasoning: Tokens(0), counted: Reported, extras: Extras([]) })
            Note(Answer, "total_duration", 5)
            Stop { candidate: 0, finish: Some(ToolCalls) }
            Finish
        "#]],
    );
}

#[test]
fn an_error_line_ends_the_stream_and_so_does_a_cut() {
    let half = r#"{"model":"m","message":{"role":"assistant","content":"half"},"done":false}"#;
    check(
        &[
            half,
            r#"{"error":"an error was encountered while running the model: unexpected EOF"}"#,
            half,
        ],
        &expect![[r#"
        Start { id: None, model: Some("m"), created: None }
        Open(Spot { candidate: 0, part: 0 }, Text)
        Delta(Spot { candidate: 0, part: 0 }, "half")
        Fail(Failure { kind: ProviderError, message: "an error was encountered while running the model: unexpected EOF", param: None, provider_status: Some(200), provider_code: None, retry_after: None })
    "#]],
    );
    check(
        &[half],
        &expect![[r#"
        Start { id: None, model: Some("m"), created: None }
        Open(Spot { candidate: 0, part: 0 }, Text)
        Delta(Spot { candidate: 0, part: 0 }, "half")
        Fail(Failure { kind: StreamCut, message: "the stream ended without a line that says done", param: None, provider_status: None, provider_code: None, retry_after: None })
    "#]],
    );
}

#[test]
fn an_error_in_a_200_is_a_failure() {
    for body in [r#"{"error":"no"}"#, r#"{"done":true}"#, "model not loaded"] {
        let failure = wire::read_response(&origin(HERE), body.as_bytes()).unwrap_err();
        assert_eq!(failure.kind.status(), 502, "{body}: {failure}");
    }
}
