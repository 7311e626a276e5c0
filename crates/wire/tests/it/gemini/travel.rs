//! Signatures there and back: of Google's through the clients of others, and of others through Google's.

use bytes::Bytes;
use ir::dialect::Signatures;
use ir::{AssistantPart, Dialect, Event, Finish, Inbound, PartKind, Quirks, Reasoning, Spot, Turn};
use serde_json::{Value, json};

use super::abroad::opaque;
use super::{GOOGLE, HERE};
use crate::laws::{events, fold, origin, rewritten};

const ANSWER: &str = concat!(
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true},",
    "{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1},\"id\":\"x1\"},\"thoughtSignature\":\"c2ln\"},",
    "{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":2},\"id\":\"x2\"}}],\"role\":\"model\"},",
    "\"finishReason\":\"STOP\",\"index\":0}]}",
);

/// Returns the answer as a client of the dialect holds it when it was streamed.
fn streamed(inbound: Inbound) -> Value {
    let stream = Bytes::from(format!("data: {ANSWER}\n\n"));
    let bytes = rewritten(inbound, &events(HERE, &[stream]));
    if inbound == Inbound::OpenaiResponses {
        let frames = crate::oracle::data(std::str::from_utf8(&bytes).unwrap());
        let frames = frames.iter().filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let mut last = frames.filter(|frame| frame["type"] == "response.completed");
        return last.next().unwrap()["response"].clone();
    }
    let there = inbound.dialect();
    let held = fold(there, &events(there, &[bytes])).unwrap();
    serde_json::from_slice(&wire::write_response(inbound, &held)).unwrap()
}

/// Returns the request in which a client sends an answer back with the results of its calls.
fn sent_back(inbound: Inbound, answer: &Value) -> String {
    let body = match inbound {
        Inbound::AnthropicMessages => json!({"model": "m", "max_tokens": 9, "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "x2", "content": "two"},
                {"type": "tool_result", "tool_use_id": "x1", "content": "one"},
            ]},
        ]}),
        Inbound::OpenaiResponses => {
            let mut input = vec![json!({"role": "user", "content": "hi"})];
            input.extend(answer["output"].as_array().unwrap().iter().cloned());
            for (id, said) in [("x2", "two"), ("x1", "one")] {
                input.push(json!({"type": "function_call_output", "call_id": id, "output": said}));
            }
            json!({"model": "m", "input": input})
        }
        other => panic!("{other:?}"),
    };
    body.to_string()
}

#[test]
fn signatures_on_calls_come_back_on_their_calls() {
    for inbound in [Inbound::AnthropicMessages, Inbound::OpenaiResponses] {
        let read = wire::read_response(&origin(HERE), ANSWER.as_bytes()).unwrap();
        let whole = serde_json::from_slice(&wire::write_response(inbound, &read)).unwrap();
        for answer in [whole, streamed(inbound)] {
            let body = sent_back(inbound, &answer);
            let request = wire::read_request(inbound, body.as_bytes()).unwrap();
            let quirks = Quirks { signatures: Signatures::Dummy, ..Quirks::default() };
            let written = wire::write_request(HERE, &request, quirks);
            let written: Value = serde_json::from_slice(&written.bytes).unwrap();
            let parts = written["contents"][1]["parts"].as_array().unwrap();
            let calls: Vec<&Value> =
                parts.iter().filter(|part| part.get("functionCall").is_some()).collect();
            let signed = |part: &&Value| part["thoughtSignature"].as_str().map(str::to_owned);
            assert_eq!(
                calls.iter().map(signed).collect::<Vec<_>>(),
                [Some("c2ln".to_owned()), None],
                "{inbound:?}: {written}"
            );
            let ids = written["contents"][2]["parts"].as_array().unwrap().iter();
            let ids: Vec<_> = ids.map(|part| part["functionResponse"]["id"].as_str()).collect();
            assert_eq!(ids, [Some("x1"), Some("x2")], "{inbound:?}: {written}");
        }
    }
}

/// A host may carry thoughts twice, the second time in full.
#[test]
fn thoughts_that_are_carried_twice_are_signed_once() {
    let spot = Spot { candidate: 0, part: 0 };
    let (begun, full) = ("{\"id\":\"rs_1\"}", "{\"id\":\"rs_1\",\"encrypted_content\":\"e\"}");
    let carry = |raw| Event::Carry(spot, opaque(Dialect::OpenaiResponses, raw));
    let stream = rewritten(
        GOOGLE,
        &[
            Event::Start { id: None, model: None, created: None },
            Event::Open(spot, PartKind::Reasoning),
            carry(begun),
            Event::Delta(spot, "so ".to_owned()),
            Event::Delta(spot, "what".to_owned()),
            carry(full),
            Event::Close(spot),
            Event::Stop { candidate: 0, finish: Some(Finish::Stop) },
            Event::Finish,
        ],
    );
    let stream = std::str::from_utf8(&stream).unwrap();
    assert_eq!(stream.matches("thoughtSignature").count(), 1, "{stream}");
}

fn gathered(parts: &Value) -> Vec<AssistantPart> {
    let body = json!({"contents": [{"role": "model", "parts": parts}]}).to_string();
    let mut request = wire::read_request(GOOGLE, body.as_bytes()).unwrap();
    let Some(Turn::Assistant(turn)) = request.turns.pop() else { panic!("{body}") };
    turn.parts
}

/// Returns what stands in Google's field for something of another dialect.
fn sealed(dialect: Dialect, raw: &str) -> String {
    let thoughts = Reasoning { text: String::new(), carrier: Some(opaque(dialect, raw)) };
    let body = b"{\"candidates\":[{\"content\":{\"parts\":[]}}]}";
    let mut response = wire::read_response(&origin(HERE), body).unwrap();
    response.candidates[0].turn.parts.push(AssistantPart::Reasoning(thoughts));
    let written: Value = serde_json::from_slice(&wire::write_response(GOOGLE, &response)).unwrap();
    written["candidates"][0]["content"]["parts"][0]["thoughtSignature"].as_str().unwrap().to_owned()
}

#[test]
fn thoughts_that_come_back_twice_are_those_that_came_last() {
    let theirs = Dialect::OpenaiResponses;
    let full = "{\"id\":\"rs_1\",\"encrypted_content\":\"e\"}";
    let thought = |text: &str, signature: String| json!({"text": text, "thought": true, "thoughtSignature": signature});
    let parts = gathered(&json!([
        thought("so ", sealed(theirs, "{\"id\":\"rs_1\"}")),
        {"text": "what", "thought": true},
        thought("", sealed(theirs, full)),
        thought("next", sealed(theirs, "{\"id\":\"rs_2\"}")),
    ]));
    let of = |text: &str, raw| {
        let carrier = Some(opaque(theirs, raw));
        AssistantPart::Reasoning(Reasoning { text: text.to_owned(), carrier })
    };
    assert_eq!(parts, [of("so what", full), of("next", "{\"id\":\"rs_2\"}")]);
    // Nothing of a provider's is nothing that two thoughts share.
    let nothing = sealed(Dialect::AnthropicMessages, "null");
    let parts = gathered(&json!([thought("a", nothing.clone()), thought("b", nothing)]));
    assert_eq!(parts.len(), 2);
}
