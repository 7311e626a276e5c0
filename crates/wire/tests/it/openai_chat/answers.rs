//! Answers of other dialects, written for clients of this one.

use expect_test::{Expect, expect};
use ir::{
    AssistantPart, AssistantTurn, Candidate, Citation, Dialect, Event, Extras, Finish, PartKind,
    Response, Said, Spot,
};
use serde_json::Value;

use super::{CHAT, opaque};
use crate::laws::rewritten_from;

const FROM: Dialect = Dialect::Gemini;

fn said(text: &str) -> Said {
    Said { text: text.to_owned(), ..Said::default() }
}

fn cited() -> Citation {
    let url = Some("https://a".to_owned());
    Citation { url, title: None, quote: None, span: None, raw: opaque(FROM, "{}") }
}

fn malformed() -> Option<Finish> {
    Some(Finish::Other("MALFORMED_FUNCTION_CALL".to_owned()))
}

/// Shows the one choice of an answer of these texts.
fn whole(spoken: Dialect, texts: Vec<Said>, finish: Option<Finish>, expected: &Expect) {
    let parts = texts.into_iter().map(AssistantPart::Text).collect();
    let turn = AssistantTurn { parts, extras: Extras::default() };
    let response = Response {
        spoken,
        id: None,
        model: None,
        created: None,
        candidates: vec![Candidate { turn, finish, extras: Extras::default() }],
        usage: None,
        extras: Extras::default(),
    };
    let body: Value = serde_json::from_slice(&wire::write_response(CHAT, &response)).unwrap();
    expected.assert_eq(&body["choices"][0].to_string());
}

/// Shows the choices of a stream of these texts.
fn streamed(texts: Vec<Said>, finish: Option<Finish>, expected: &Expect) {
    let mut told = vec![Event::Start { id: None, model: None, created: None }];
    for (part, said) in (0..).zip(texts) {
        let spot = Spot { candidate: 0, part };
        told.push(Event::Open(spot, PartKind::Text));
        told.extend((!said.text.is_empty()).then_some(Event::Delta(spot, said.text)));
        told.extend(said.citations.into_iter().map(|cited| Event::Cite(spot, cited)));
        told.extend(said.carrier.map(|carrier| Event::Carry(spot, carrier)));
        told.push(Event::Close(spot));
    }
    told.push(Event::Stop { candidate: 0, finish });
    told.push(Event::Finish);
    let stream = rewritten_from(CHAT, FROM, &told);
    let shown = crate::oracle::data(std::str::from_utf8(&stream).unwrap()).into_iter();
    let chunks = shown.filter_map(|data| serde_json::from_str::<Value>(&data).ok());
    expected
        .assert_eq(&chunks.map(|chunk| format!("{}\n", chunk["choices"][0])).collect::<String>());
}

#[test]
fn a_word_for_the_end_that_is_none_of_this_dialects_stands_beside() {
    whole(
        FROM,
        vec![said("so")],
        malformed(),
        &expect![[
            r#"{"index":0,"message":{"role":"assistant","content":"so"},"finish_reason":"stop","native_finish_reason":"MALFORMED_FUNCTION_CALL"}"#
        ]],
    );
    whole(
        Dialect::OpenaiChat,
        vec![said("so")],
        malformed(),
        &expect![[
            r#"{"index":0,"message":{"role":"assistant","content":"so"},"finish_reason":"MALFORMED_FUNCTION_CALL"}"#
        ]],
    );
    streamed(
        vec![said("so")],
        malformed(),
        &expect![[r#"
        {"index":0,"delta":{"role":"assistant","content":"so"},"finish_reason":null}
        {"index":0,"delta":{},"finish_reason":"stop","native_finish_reason":"MALFORMED_FUNCTION_CALL"}
    "#]],
    );
}

#[test]
fn a_citation_without_a_span_rests_under_the_text() {
    let texts = || vec![said("Été"), Said { citations: vec![cited()], ..said(" is so.") }];
    whole(
        FROM,
        texts(),
        Some(Finish::Stop),
        &expect![[
            r#"{"index":0,"message":{"role":"assistant","content":"Été is so.","annotations":[{"type":"url_citation","url_citation":{"url":"https://a","title":"","start_index":3,"end_index":10}}]},"finish_reason":"stop"}"#
        ]],
    );
    streamed(
        texts(),
        Some(Finish::Stop),
        &expect![[r#"
        {"index":0,"delta":{"role":"assistant","content":"Été"},"finish_reason":null}
        {"index":0,"delta":{"content":" is so."},"finish_reason":null}
        {"index":0,"delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"https://a","title":"","start_index":3,"end_index":10}}]},"finish_reason":null}
        {"index":0,"delta":{},"finish_reason":"stop"}
    "#]],
    );
    let none = vec![Said { citations: vec![cited()], ..said("") }];
    whole(
        FROM,
        none,
        Some(Finish::Stop),
        &expect![[
            r#"{"index":0,"message":{"role":"assistant","content":"","annotations":[{"type":"url_citation","url_citation":{"url":"https://a","title":""}}]},"finish_reason":"stop"}"#
        ]],
    );
}

#[test]
fn a_text_of_nothing_goes_without_its_carrier() {
    let carrier = Some(opaque(FROM, "\"sig\""));
    let texts = || vec![said("so"), Said { carrier: carrier.clone(), ..said("") }];
    whole(
        FROM,
        texts(),
        Some(Finish::Stop),
        &expect![[
            r#"{"index":0,"message":{"role":"assistant","content":"so"},"finish_reason":"stop"}"#
        ]],
    );
    streamed(
        texts(),
        Some(Finish::Stop),
        &expect![[r#"
        {"index":0,"delta":{"role":"assistant","content":"so"},"finish_reason":null}
        {"index":0,"delta":{},"finish_reason":"stop"}
    "#]],
    );
}
