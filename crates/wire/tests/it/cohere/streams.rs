//! Small streams and answers of our own.

use bytes::Bytes;
use expect_test::{Expect, expect};
use ir::Grammar;

use super::HERE;
use crate::laws::{events, origin};

fn check(messages: &[&str], expected: &Expect) {
    let body: Bytes =
        messages.iter().map(|data| format!("data: {data}\n\n")).collect::<String>().into();
    let read = events(HERE, std::slice::from_ref(&body));
    let mut grammar = Grammar::default();
    read.iter().for_each(|event| grammar.step(event).unwrap());
    assert!(grammar.ended());
    assert_eq!(events(HERE, &testkit::chunks::splits(&body, 0)), read);
    expected.assert_eq(&read.iter().map(|event| format!("{event:?}\n")).collect::<String>());
}

#[test]
fn a_plan_then_two_calls_of_which_one_says_nothing() {
    check(
        &[
            r#"{"id":"m","type":"message-start","delta":{"message":{"role":"assistant"}}}"#,
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}"#,
            r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","type":"function","function":{"name":"f","arguments":""}}}}}"#,
            r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":1}"}}}}}"#,
            r#"{"type":"tool-call-end","index":0}"#,
            r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"type":"function","function":{"name":"g","arguments":""}}}}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1},"tokens":{"input_tokens":9,"output_tokens":2}}}}"#,
            "[DONE]",
        ],
        &expect![[r#"
            Start { id: Some("m"), model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Reasoning)
            Carry(Spot { candidate: 0, part: 0 }, Opaque { dialect: CohereV2, raw: {"tool_plan":true} })
            Delta(Spot { candidate: 0, part: 0 }, "I will")
            Close(Spot { candidate: 0, part: 0 })
            Open(Spot { candidate: 0, part: 1 }, ToolCall { id: "a", name: "f", kind: Function })
            Delta(Spot { candidate: 0, part: 1 }, "{\"a\":1}")
            Close(Spot { candidate: 0, part: 1 })
            Open(Spot { candidate: 0, part: 2 }, ToolCall { id: "call_pm000000000000000701", name: "g", kind: Function })
            Close(Spot { candidate: 0, part: 2 })
            Note(Candidate(0), "finish_reason", "COMPLETE")
            Usage(Usage { input: Tokens(9), cached_input: Tokens(0), cache_write: Tokens(0), output: Tokens(2), reasoning: Tokens(0), counted: Reported, extras: Extras([("billed_units", {"input_tokens":1})]) })
            Stop { candidate: 0, finish: Some(ToolCalls) }
            Finish
        "#]],
    );
}

#[test]
fn citations_of_the_text_and_of_the_plan() {
    check(
        &[
            r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Ruby"}}}}"#,
            r#"{"type":"content-end","index":0}"#,
            r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":4,"text":"Ruby","sources":[{"type":"document","document":{"title":"facts","text":"Ruby is"}},{"type":"tool","tool_output":{"url":"https://a.example/","content":"it"}}],"type":"TEXT_CONTENT"}}}}"#,
            r#"{"type":"citation-start","index":1,"delta":{"message":{"citations":{"start":0,"end":4,"sources":[],"type":"PLAN"}}}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}"#,
        ],
        &expect![[r#"
            Start { id: None, model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Text)
            Delta(Spot { candidate: 0, part: 0 }, "Ruby")
            Cite(Spot { candidate: 0, part: 0 }, Citation { url: None, title: Some("facts"), quote: Some("Ruby is"), span: Some((0, 4)), raw: Opaque { dialect: CohereV2, raw: {"start":0,"end":4,"text":"Ruby","sources":[{"type":"document","document":{"title":"facts","text":"Ruby is"}},{"type":"tool","tool_output":{"url":"https://a.example/","content":"it"}}],"type":"TEXT_CONTENT"} } })
            Cite(Spot { candidate: 0, part: 0 }, Citation { url: Some("https://a.example/"), title: None, quote: Some("it"), span: Some((0, 4)), raw: Opaque { dialect: CohereV2, raw: {"start":0,"end":4,"text":"Ruby","sources":[{"type":"document","document":{"title":"facts","text":"Ruby is"}},{"type":"tool","tool_output":{"url":"https://a.example/","content":"it"}}],"type":"TEXT_CONTENT"} } })
            Note(Turn(0), "citations", [{"start":0,"end":4,"sources":[],"type":"PLAN"}])
            Close(Spot { candidate: 0, part: 0 })
            Stop { candidate: 0, finish: Some(Length) }
            Finish
        "#]],
    );
}

#[test]
fn an_error_at_the_end_is_a_failure() {
    check(
        &[
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"half"}}}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"the model broke","error_type":"INTERNAL"}}"#,
        ],
        &expect![[r#"
            Start { id: None, model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Text)
            Delta(Spot { candidate: 0, part: 0 }, "half")
            Fail(Failure { kind: ProviderError, message: "the model broke", param: None, provider_status: Some(500), provider_code: Some("INTERNAL"), retry_after: None })
        "#]],
    );
    check(
        &[r#"{"message":"internal server error"}"#],
        &expect![[r#"
        Fail(Failure { kind: ProviderError, message: "internal server error", param: None, provider_status: Some(200), provider_code: None, retry_after: None })
    "#]],
    );
    check(
        &[
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"half"}}}}"#,
            "[DONE]",
        ],
        &expect![[r#"
            Start { id: None, model: None, created: None }
            Open(Spot { candidate: 0, part: 0 }, Text)
            Delta(Spot { candidate: 0, part: 0 }, "half")
            Fail(Failure { kind: StreamCut, message: "the stream ended without message-end", param: None, provider_status: None, provider_code: None, retry_after: None })
        "#]],
    );
}

#[test]
fn an_error_in_a_200_is_a_failure() {
    for (body, status) in [
        (r#"{"message":"no","id":"x"}"#, 502),
        (r#"{"message":{"role":"assistant","content":[]},"finish_reason":"ERROR"}"#, 502),
        (r#"{"message":{"role":"assistant","content":[]},"finish_reason":"TIMEOUT"}"#, 504),
        (r#"{"id":"x"}"#, 502),
        ("[]", 502),
    ] {
        let failure = wire::read_response(&origin(HERE), body.as_bytes()).unwrap_err();
        assert_eq!(failure.kind.status(), status, "{body}: {failure}");
    }
}
