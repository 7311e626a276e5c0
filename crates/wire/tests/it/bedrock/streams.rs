//! Small streams of our own, fed past the splitter.

use expect_test::{Expect, expect};
use ir::{Event, Grammar};
use testkit::corpus::Case;
use wire::sse::Frame;
use wire::{EventReader, Splitter};

use super::HERE;
use crate::laws::origin;

fn frame(event: &str, data: &[u8]) -> Frame {
    Frame {
        raw: bytes::Bytes::new(),
        event: Some(event.to_owned()),
        data: Some(bytes::Bytes::copy_from_slice(data)),
    }
}

fn read(frames: &[Frame]) -> Vec<Event> {
    let (mut reader, mut out) = (EventReader::new(&origin(HERE)), Vec::new());
    for frame in frames {
        reader.read(frame, &mut out);
    }
    reader.end(&mut out);
    let mut grammar = Grammar::default();
    out.iter().for_each(|event| grammar.step(event).unwrap_or_else(|why| panic!("{why}: {out:?}")));
    assert!(grammar.ended());
    out
}

fn check(messages: &[(&str, &str)], expected: &Expect) {
    let frames: Vec<Frame> =
        messages.iter().map(|(event, data)| frame(event, data.as_bytes())).collect();
    expected
        .assert_eq(&read(&frames).iter().map(|event| format!("{event:?}\n")).collect::<String>());
}

/// Mangles the payloads of a recorded stream one by one, which its checksums would not let pass.
pub(super) fn mangled_payloads(case: &Case) -> usize {
    let mut splitter = Splitter::new(HERE);
    splitter.push(&case.body_bytes().unwrap());
    let mut frames = Vec::new();
    while let Some(frame) = splitter.next_frame().unwrap() {
        frames.push(frame);
    }
    for at in 0..frames.len() {
        let data = frames[at].data.clone().unwrap();
        let mut bad = data.to_vec();
        let spot = (at * 2_654_435_761) % bad.len();
        bad[spot] = b"{}[]\",:0n1"[at % 10];
        let mut mangled = frames.clone();
        mangled[at].data = Some(bad.into());
        read(&mangled);
        mangled.remove(at);
        read(&mangled);
    }
    frames.len()
}

#[test]
fn citations_before_and_after_their_text() {
    check(
        &[
            ("messageStart", r#"{"role":"assistant","p":"abc"}"#),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"citation":{"title":"facts"}}}"#,
            ),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Ruby"}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":1,"delta":{"citation":{"location":{"web":{"url":"https://a.example/"}}}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"text":"."}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
            ("messageStop", r#"{"stopReason":"end_turn"}"#),
            (
                "metadata",
                r#"{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":10,"cacheReadInputTokens":4,"cacheWriteInputTokens":1},"metrics":{"latencyMs":7}}"#,
            ),
        ],
        &expect![[r#"
            Start { id: None, model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Text)
            Cite(Spot { candidate: 0, part: 0 }, Citation { url: None, title: Some("facts"), quote: None, span: None, raw: Opaque { dialect: BedrockConverse, raw: {"title":"facts"} } })
            Delta(Spot { candidate: 0, part: 0 }, "Ruby")
            Cite(Spot { candidate: 0, part: 0 }, Citation { url: Some("https://a.example/"), title: None, quote: None, span: None, raw: Opaque { dialect: BedrockConverse, raw: {"location":{"web":{"url":"https://a.example/"}}} } })
            Close(Spot { candidate: 0, part: 0 })
            Open(Spot { candidate: 0, part: 1 }, Text)
            Delta(Spot { candidate: 0, part: 1 }, ".")
            Close(Spot { candidate: 0, part: 1 })
            Stop { candidate: 0, finish: Some(Stop) }
            Usage(Usage { input: Tokens(8), cached_input: Tokens(4), cache_write: Tokens(1), output: Tokens(2), reasoning: Tokens(0), counted: Reported, extras: Extras([]) })
            Note(Answer, "metrics", {"latencyMs":7})
            Finish
        "#]],
    );
}

#[test]
fn thoughts_calls_and_tools_of_the_service() {
    check(
        &[
            ("messageStart", r#"{"role":"assistant"}"#),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"YQ=="}}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"Yg=="}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
            (
                "contentBlockStart",
                r#"{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t1","name":"look","type":"server_tool_use"}}}"#,
            ),
            (
                "contentBlockDelta",
                r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"q\""}}}"#,
            ),
            ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":":1}"}}}"#),
            ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
            (
                "contentBlockStart",
                r#"{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"t2","name":"f"}}}"#,
            ),
            ("contentBlockStop", r#"{"contentBlockIndex":3}"#),
            ("messageStop", r#"{"stopReason":"end_turn","additionalModelResponseFields":{"a":1}}"#),
        ],
        &expect![[r#"
            Start { id: None, model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Reasoning)
            Delta(Spot { candidate: 0, part: 0 }, "hm")
            Carry(Spot { candidate: 0, part: 0 }, Opaque { dialect: BedrockConverse, raw: {"signature":"c2ln"} })
            Close(Spot { candidate: 0, part: 0 })
            Open(Spot { candidate: 0, part: 1 }, Reasoning)
            Carry(Spot { candidate: 0, part: 1 }, Opaque { dialect: BedrockConverse, raw: {"redactedContent":"YWI="} })
            Close(Spot { candidate: 0, part: 1 })
            Open(Spot { candidate: 0, part: 2 }, Other(Opaque { dialect: BedrockConverse, raw: {"toolUse":{"toolUseId":"t1","name":"look","type":"server_tool_use","input":{"q":1}}} }))
            Close(Spot { candidate: 0, part: 2 })
            Open(Spot { candidate: 0, part: 3 }, ToolCall { id: "t2", name: "f", kind: Function })
            Close(Spot { candidate: 0, part: 3 })
            Note(Candidate(0), "stopReason", "end_turn")
            Note(Answer, "additionalModelResponseFields", {"a":1})
            Stop { candidate: 0, finish: Some(ToolCalls) }
            Finish
        "#]],
    );
}

#[test]
fn an_exception_ends_the_stream() {
    check(
        &[
            ("messageStart", r#"{"role":"assistant"}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"half"}}"#),
            (
                "exception:throttlingException",
                r#"{"message":"Too many requests, please wait before trying again."}"#,
            ),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"more"}}"#),
        ],
        &expect![[r#"
            Start { id: None, model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Text)
            Delta(Spot { candidate: 0, part: 0 }, "half")
            Fail(Failure { kind: RateLimited, message: "Too many requests, please wait before trying again.", param: None, provider_status: Some(429), provider_code: Some("throttlingException"), retry_after: None })
        "#]],
    );
    check(
        &[("exception:internalServerException", "{")],
        &expect![[r#"
        Fail(Failure { kind: ProviderError, message: "the provider answered 500 without a message", param: None, provider_status: Some(500), provider_code: Some("internalServerException"), retry_after: None })
    "#]],
    );
}

#[test]
fn a_stream_without_its_stop_is_a_cut() {
    check(
        &[
            ("messageStart", r#"{"role":"assistant"}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"half"}}"#),
        ],
        &expect![[r#"
            Start { id: None, model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Text)
            Delta(Spot { candidate: 0, part: 0 }, "half")
            Fail(Failure { kind: StreamCut, message: "the stream ended without messageStop", param: None, provider_status: None, provider_code: None, retry_after: None })
        "#]],
    );
}

#[test]
fn an_error_in_a_200_is_a_failure() {
    for body in [
        r#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#,
        r#"{"message":"no"}"#,
        r#"{"output":{}}"#,
        "<html>",
    ] {
        let failure = wire::read_response(&origin(HERE), body.as_bytes()).unwrap_err();
        assert_eq!(failure.kind.status(), 502, "{body}: {failure}");
    }
}
