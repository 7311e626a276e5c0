//! Small cases of our own: what Google does to streams, ids and signatures, one at a time.

use bytes::Bytes;
use expect_test::{Expect, expect};
use ir::{AssistantPart, Event, Grammar, Quirks, Turn};

use super::{GOOGLE, HERE, oracle};
use crate::laws::{events, fold, origin, rewritten};

/// Shows what a stream says, and checks that it obeys the grammar, any chunking, and rewriting.
fn check(stream: &str, expected: &Expect) {
    let body = Bytes::copy_from_slice(stream.as_bytes());
    let read = events(HERE, std::slice::from_ref(&body));
    let mut grammar = Grammar::default();
    read.iter().for_each(|event| grammar.step(event).unwrap());
    assert!(grammar.ended());
    assert_eq!(events(HERE, &testkit::chunks::splits(&body, 0)), read);
    if let Ok(response) = fold(HERE, &read) {
        let again = fold(HERE, &events(HERE, &[rewritten(GOOGLE, &read)])).unwrap();
        assert_eq!(oracle::folded(&again), oracle::folded(&response));
    }
    expected.assert_eq(&read.iter().map(shown).collect::<String>());
}

fn shown(event: &Event) -> String {
    match event {
        Event::Start { id, model, .. } => format!("start {id:?} {model:?}\n"),
        Event::Open(spot, kind) => format!("open {}.{} {kind:?}\n", spot.candidate, spot.part),
        Event::Delta(spot, text) => format!("delta {}.{} {text:?}\n", spot.candidate, spot.part),
        Event::Cite(spot, cited) => {
            format!("cite {}.{} {:?} {:?}\n", spot.candidate, spot.part, cited.url, cited.span)
        }
        Event::Carry(spot, carrier) => {
            format!("carry {}.{} {:?}\n", spot.candidate, spot.part, carrier.raw)
        }
        Event::Close(spot) => format!("close {}.{}\n", spot.candidate, spot.part),
        Event::Note(scope, name, raw) => format!("note {scope:?} {name} {raw:?}\n"),
        Event::Stop { candidate, finish } => format!("stop {candidate} {finish:?}\n"),
        Event::Usage(usage) => format!("usage {} {}\n", usage.input, usage.output),
        Event::Finish => "finish\n".to_owned(),
        Event::Fail(failure) => format!("fail {failure}\n"),
    }
}

#[test]
fn thoughts_text_a_call_and_a_signature_at_the_end() {
    check(
        concat!(
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":3},\"modelVersion\":\"m\",\"responseId\":\"r\"}\r\n\r\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"h\u{e9}\"}],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"m\",\"responseId\":\"r\"}\r\n\r\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1}},\"thoughtSignature\":\"c2ln\"},{\"functionCall\":{\"name\":\"g\",\"id\":\"x1\"}}],\"role\":\"model\"},\"index\":0}]}\r\n\r\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"bGFzdA==\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":4,\"thoughtsTokenCount\":5,\"totalTokenCount\":12}}\r\n\r\n",
        ),
        &expect![[r#"
            start Some("r") Some("m")
            open 0.0 Reasoning
            delta 0.0 "hm"
            usage 3 0
            close 0.0
            open 0.1 Text
            delta 0.1 "hé"
            close 0.1
            open 0.2 ToolCall { id: "call_pm000000000000000700", name: "f", kind: Function }
            carry 0.2 "c2ln"
            delta 0.2 "{\"a\":1}"
            close 0.2
            open 0.3 ToolCall { id: "x1", name: "g", kind: Function }
            close 0.3
            open 0.4 Text
            carry 0.4 "bGFzdA=="
            usage 3 9
            close 0.4
            stop 0 Some(ToolCalls)
            finish
        "#]],
    );
}

#[test]
fn a_list_with_a_reason_in_every_piece_and_a_citation_in_characters() {
    check(
        concat!(
            "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\u{e9}t\u{e9} \"}]},\"finishReason\":\"STOP\"}]}\n,\r\n",
            "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"chaud\"}]},\"finishReason\":\"STOP\",",
            "\"groundingMetadata\":{\"groundingChunks\":[{\"web\":{\"uri\":\"https://a.example\",\"title\":\"A\"}}],",
            "\"groundingSupports\":[{\"segment\":{\"startIndex\":6,\"endIndex\":11,\"text\":\"chaud\"},\"groundingChunkIndices\":[0,7]}]}}]}]",
        ),
        &expect![[r#"
            start None None
            open 0.0 Text
            delta 0.0 "été "
            delta 0.0 "chaud"
            cite 0.0 Some("https://a.example") Some((4, 9))
            note Candidate(0) groundingMetadata {"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}}],"groundingSupports":[{"segment":{"startIndex":6,"endIndex":11,"text":"chaud"},"groundingChunkIndices":[0,7]}]}
            close 0.0
            stop 0 Some(Stop)
            finish
        "#]],
    );
}

#[test]
fn arguments_that_come_bit_by_bit() {
    check(
        concat!(
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"willContinue\":true}}]}}]}\n\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.city\",\"stringValue\":\"New \",\"willContinue\":true}],\"willContinue\":true}}]}}]}\n\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.city\",\"stringValue\":\"Delhi\"}],\"willContinue\":true}}]}}]}\n\n",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{}}]},\"finishReason\":\"STOP\"}]}\n\n",
        ),
        &expect![[r#"
            start None None
            open 0.0 ToolCall { id: "call_pm000000000000000700", name: "f", kind: Function }
            delta 0.0 "{\"city\":\"New Delhi\"}"
            close 0.0
            stop 0 Some(ToolCalls)
            finish
        "#]],
    );
}

#[test]
fn an_error_with_and_without_framing_a_block_and_a_cut() {
    let begun = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half\"}]}}]}\n\n";
    let error = "{\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}";
    for stream in [
        format!("{begun}data: {error}\n\n"),
        format!("{begun}{error}\n"),
        format!("[{},\n{error}]", &begun[6..]),
    ] {
        check(
            &stream,
            &expect![[r#"
                start None None
                open 0.0 Text
                delta 0.0 "half"
                fail The model is overloaded. (provider_overloaded, provider fault)
            "#]],
        );
    }
    check(
        "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n",
        &expect![[r#"
            fail the provider blocked the prompt (SAFETY) (content_policy_violation, policy fault)
        "#]],
    );
    check(
        begun,
        &expect![[r#"
        start None None
        open 0.0 Text
        delta 0.0 "half"
        fail the stream ended without a finish reason (stream_interrupted, provider fault)
    "#]],
    );
}

#[test]
fn an_answer_that_is_none_is_a_failure() {
    for (body, kind) in [
        ("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", ir::Kind::ContentPolicy),
        ("{\"error\":{\"code\":503,\"message\":\"overloaded\"}}", ir::Kind::Overloaded),
        ("[{\"error\":{\"code\":503,\"message\":\"overloaded\"}}]", ir::Kind::MalformedReply),
        ("{\"candidates\":\"none\"}", ir::Kind::MalformedReply),
        ("{\"this\":[]}", ir::Kind::MalformedReply),
        ("<html>", ir::Kind::MalformedReply),
    ] {
        let failure = wire::read_response(&origin(HERE), body.as_bytes()).unwrap_err();
        assert_eq!(failure.kind, kind, "{body}: {failure}");
    }
}

#[test]
fn calls_without_ids_find_their_results_by_name_and_are_written_without_again() {
    let body = concat!(
        "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"function_call\":{\"name\":\"f\",\"args\":{\"a\":1}}},",
        "{\"functionCall\":{\"name\":\"g\"}},{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":2}}}]},",
        "{\"parts\":[{\"functionResponse\":{\"name\":\"g\",\"response\":{\"error\":\"no\"}}},",
        "{\"functionResponse\":{\"name\":\"f\",\"response\":{\"output\":\"one\"}}},{\"text\":\"and\"},",
        "{\"function_response\":{\"name\":\"f\",\"response\":{\"n\":2}}}]}]}",
    );
    let request = wire::read_request(GOOGLE, body.as_bytes()).unwrap();
    let calls = request.turns.iter().flat_map(|turn| match turn {
        Turn::Assistant(turn) => turn.parts.as_slice(),
        _ => &[],
    });
    let calls: Vec<&str> = calls
        .filter_map(|part| match part {
            AssistantPart::ToolCall(call) => Some(call.id.as_str()),
            _ => None,
        })
        .collect();
    let results = request.turns.iter().filter_map(|turn| match turn {
        Turn::Result(result) => Some((result.call.as_str(), result.failed)),
        _ => None,
    });
    let expected = [(calls[1], Some(true)), (calls[0], None), (calls[2], None)];
    assert_eq!(results.collect::<Vec<_>>(), expected);
    let written = wire::write_request(HERE, &request, Quirks::default());
    expect![[r#"{"contents":[{"parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"g"}},{"functionCall":{"name":"f","args":{"a":2}}}],"role":"model"},{"parts":[{"functionResponse":{"name":"g","response":{"error":"no"}}},{"functionResponse":{"name":"f","response":{"output":"one"}}}],"role":"user"},{"parts":[{"text":"and"}],"role":"user"},{"parts":[{"functionResponse":{"name":"f","response":{"n":2}}}],"role":"user"}]}"#]].assert_eq(std::str::from_utf8(&written.bytes).unwrap());
}

/// A request of many calls and results, or of many pieces, costs its length and not its square.
#[test]
fn many_calls_and_pieces_are_put_together_cheaply() {
    let call = "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]},";
    let result = "{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{}}}]}";
    let body = format!(
        "{{\"contents\":[{}{}{result}]}}",
        call.repeat(40_000),
        format!("{result},").repeat(40_000)
    );
    let request = wire::read_request(GOOGLE, body.as_bytes()).unwrap();
    assert_eq!(request.turns.len(), 40_002);
    let piece = "{\"role\":\"model\",\"parts\":[{\"text\":\"0123456789\"}]},";
    let body = format!("{{\"contents\":[{}{result}]}}", piece.repeat(200_000));
    let request = wire::read_request(GOOGLE, body.as_bytes()).unwrap();
    assert_eq!(request.turns.len(), 2);
}

#[test]
fn the_head_takes_what_google_takes() {
    let told = wire::head::Told { model: "m".to_owned(), stream: true };
    let body = concat!(
        "{\"contents\":{\"parts\":{\"text\":\"hi\"}},\"labels\":{\"task\":\"rag\",\"a\":\"b\"},",
        "\"generation_config\":{\"response_json_schema\":{}}}",
    );
    let head = wire::head::read(GOOGLE, body.as_bytes(), Some(&told)).unwrap();
    assert!(head.schema && head.stream && head.model == "m");
    assert_eq!(head.task.as_deref(), Some("rag"));
    let sent = head.send("other", Quirks::default());
    assert_eq!(sent.bytes, body.replace("\"task\":\"rag\",", "").as_bytes());
    let refused = wire::head::read(GOOGLE, b"{\"contents\":7}", Some(&told)).unwrap_err();
    assert!(refused.to_string().starts_with("contents: expected a list"), "{refused}");
}

/// What a client keeps of a stream is one turn again, whatever its last piece says.
#[test]
fn the_contents_of_a_stream_are_one_turn() {
    let pieces = [
        "{\"text\":\"a\",\"thought\":true}",
        "{\"text\":\"b\",\"thought\":true}",
        "{\"text\":\"c\"}",
        "{\"text\":\"d\"}",
        "{\"text\":\"e\",\"thoughtSignature\":\"cw==\"}",
        "{\"text\":\"\"}",
    ];
    let contents = pieces.map(|part| format!("{{\"role\":\"model\",\"parts\":[{part}]}}"));
    let body = format!("{{\"contents\":[{}]}}", contents.join(","));
    let request = wire::read_request(GOOGLE, body.as_bytes()).unwrap();
    let written = wire::write_request(HERE, &request, Quirks::default());
    expect![[r#"{"contents":[{"parts":[{"text":"ab","thought":true},{"text":"cd"},{"text":"e","thoughtSignature":"cw=="}],"role":"model"}]}"#]].assert_eq(std::str::from_utf8(&written.bytes).unwrap());
}
