//! What must go back untouched, through a client of this dialect and back: written into an answer,
//! whole or streamed, sent back in the next request, and there again.

use expect_test::expect;
use ir::{
    AssistantPart, AssistantTurn, Candidate, Citation, Dialect, Event, Extras, Finish, Image,
    Opaque, Quirks, Reasoning, Response, Said, Source, Tokens, ToolCall, Turn, Usage,
};
use serde_json::{Value, json};

use super::{CHAT, HERE, call, extra, opaque, raw, request};
use crate::laws::{events, fold, origin, rewritten_from};

const FROM: Dialect = Dialect::AnthropicMessages;

fn cited(span: (u64, u64)) -> Citation {
    Citation {
        url: Some("https://a".to_owned()),
        title: Some("A".to_owned()),
        quote: Some("so".to_owned()),
        span: Some(span),
        raw: opaque(FROM, "{\"type\":\"web_search_result_location\"}"),
    }
}

fn answer() -> Response {
    let said = |text: &str, citations, carrier: Option<Opaque>| {
        AssistantPart::Text(Said {
            text: text.to_owned(),
            citations,
            carrier,
            extras: extra("x", "1"),
            ..Said::default()
        })
    };
    let thoughts = |text: &str, carrier: Option<Opaque>| {
        AssistantPart::Reasoning(Reasoning { text: text.to_owned(), carrier })
    };
    let without_url = Citation { url: None, ..cited((0, 1)) };
    let parts = vec![
        thoughts("First é.", Some(opaque(FROM, "{\"signature\":\"s1\"}"))),
        thoughts("", Some(opaque(FROM, "{\"data\":\"redacted\"}"))),
        said("Été", vec![without_url], None),
        said(" is so.", vec![cited((1, 3))], Some(opaque(Dialect::Gemini, "\"sig\""))),
        AssistantPart::ToolCall(ToolCall {
            carrier: Some(opaque(Dialect::Gemini, "\"of the call\"")),
            extras: extra("x", "1"),
            ..call("toolu_1", "look", "")
        }),
    ];
    let turn = AssistantTurn { parts, extras: extra("container", "{}") };
    let candidate =
        Candidate { turn, finish: Some(Finish::ToolCalls), extras: extra("stop_reason", "\"x\"") };
    let usage = Usage {
        input: Tokens(10),
        cache_write: Tokens(4),
        output: Tokens(5),
        extras: extra("inference_geo", "\"eu\""),
        ..Usage::default()
    };
    Response {
        spoken: FROM,
        id: Some("msg_1".to_owned()),
        model: Some("m".to_owned()),
        created: None,
        candidates: vec![candidate],
        usage: Some(usage),
        extras: extra("container", "{}"),
    }
}

/// The events of the same answer.
fn told(response: &Response) -> Vec<Event> {
    use ir::{PartKind, Scope, Spot};
    let mut out = vec![Event::Start {
        id: response.id.clone(),
        model: response.model.clone(),
        created: response.created,
    }];
    for (part, said) in (0..).zip(&response.candidates[0].turn.parts) {
        let spot = Spot { candidate: 0, part };
        let (kind, text, carrier, citations) = match said {
            AssistantPart::Reasoning(Reasoning { text, carrier }) => {
                (PartKind::Reasoning, text, carrier, &[][..])
            }
            AssistantPart::Text(Said { text, carrier, citations, .. }) => {
                (PartKind::Text, text, carrier, &citations[..])
            }
            AssistantPart::ToolCall(ToolCall { id, name, kind, arguments, carrier, .. }) => {
                let (id, name, kind) = (id.clone(), name.clone(), *kind);
                (PartKind::ToolCall { id, name, kind }, &arguments.0, carrier, &[][..])
            }
            other => panic!("{other:?}"),
        };
        out.push(Event::Open(spot, kind));
        for piece in text.split_inclusive(' ') {
            out.push(Event::Delta(spot, piece.to_owned()));
        }
        out.extend(citations.iter().map(|cited| Event::Cite(spot, cited.clone())));
        out.extend(carrier.iter().map(|carrier| Event::Carry(spot, carrier.clone())));
        out.push(Event::Close(spot));
    }
    out.push(Event::Note(Scope::Turn(0), "container".to_owned(), raw("{}")));
    out.push(Event::Note(Scope::Candidate(0), "stop_reason".to_owned(), raw("\"x\"")));
    let finish = response.candidates[0].finish.clone();
    out.push(Event::Stop { candidate: 0, finish });
    out.extend(response.usage.clone().map(Event::Usage));
    out.push(Event::Finish);
    out
}

/// What a client of the official library holds after a stream: texts joined, lists joined.
fn accumulated(stream: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": ""});
    for data in crate::oracle::data(stream) {
        let Ok(chunk) = serde_json::from_str::<Value>(&data) else { continue };
        let delta = chunk["choices"][0]["delta"].clone();
        for name in ["content", "reasoning_content"] {
            let said = message[name].as_str().unwrap_or_default().to_owned();
            if let Some(more) = delta[name].as_str() {
                message[name] = json!(said + more);
            }
        }
        for name in ["reasoning_details", "annotations"] {
            let mut list = message[name].as_array().cloned().unwrap_or_default();
            list.extend(delta[name].as_array().cloned().unwrap_or_default());
            message[name] = json!(list);
        }
        for piece in delta["tool_calls"].as_array().cloned().unwrap_or_default() {
            if piece["id"].is_string() {
                message["tool_calls"] = json!([piece]);
                message["tool_calls"][0].as_object_mut().unwrap().remove("index");
            } else {
                let call = &mut message["tool_calls"][0];
                if let Some(more) = piece["function"]["arguments"].as_str() {
                    call["function"]["arguments"] = json!(more);
                }
                if piece["extra_content"].is_object() {
                    call["extra_content"] = piece["extra_content"].clone();
                }
            }
        }
    }
    message
}

/// What comes back when a client sends the message it got.
fn returned(message: &Value) -> Vec<AssistantPart> {
    let body = json!({"model": "m", "messages": [message]}).to_string();
    let mut request = wire::read_request(CHAT, body.as_bytes()).unwrap();
    let Some(Turn::Assistant(turn)) = request.turns.pop() else { panic!("{request:?}") };
    turn.parts
}

/// The parts as they come back: texts are one, with its carrier; extras and citations of another
/// dialect stay behind.
fn expected() -> Vec<AssistantPart> {
    let mut parts = answer().candidates.remove(0).turn.parts;
    parts.remove(2);
    parts[2] = AssistantPart::Text(Said {
        text: "Été is so.".to_owned(),
        carrier: Some(opaque(Dialect::Gemini, "\"sig\"")),
        ..Said::default()
    });
    if let AssistantPart::ToolCall(call) = &mut parts[3] {
        call.extras = Extras::default();
        call.arguments.0 = "{}".to_owned();
    }
    parts
}

fn without_citations(mut parts: Vec<AssistantPart>) -> Vec<AssistantPart> {
    for part in &mut parts {
        if let AssistantPart::Text(said) = part {
            assert_eq!(said.citations.len(), 1);
            assert_eq!(said.citations[0].span, Some((4, 6)), "counted in the joined text");
            said.citations.clear();
        }
    }
    parts
}

#[test]
fn a_whole_answer_brings_its_carriers_and_takes_them_back() {
    let bytes = wire::write_response(CHAT, &answer());
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    let message = &body["choices"][0]["message"];
    assert_eq!(without_citations(returned(message)), expected());
    let mut rest = body.clone();
    rest["choices"][0]["message"] = Value::Null;
    expect![[r#"{"id":"msg_1","object":"chat.completion","model":"m","choices":[{"index":0,"message":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cache_write_tokens":4}}}"#]].assert_eq(&rest.to_string());
    expect![[r#"
        {
          "role": "assistant",
          "reasoning_content": "First é.",
          "reasoning_details": [
            {
              "type": "reasoning.text",
              "text": "First é.",
              "format": "pointsman",
              "index": 0
            },
            {
              "type": "reasoning.encrypted",
              "data": "pm1.this.anthropic_messages.eyJzaWduYXR1cmUiOiJzMSJ9",
              "format": "pointsman",
              "index": 0
            },
            {
              "type": "reasoning.encrypted",
              "data": "pm1.this.anthropic_messages.eyJkYXRhIjoicmVkYWN0ZWQifQ",
              "format": "pointsman",
              "index": 1
            },
            {
              "type": "reasoning.encrypted",
              "data": "pm1.next.gemini.InNpZyI",
              "format": "pointsman",
              "index": 3
            }
          ],
          "content": "Été is so.",
          "annotations": [
            {
              "type": "url_citation",
              "url_citation": {
                "url": "https://a",
                "title": "A",
                "start_index": 4,
                "end_index": 6,
                "content": "so"
              }
            }
          ],
          "tool_calls": [
            {
              "id": "toolu_1",
              "type": "function",
              "function": {
                "name": "look",
                "arguments": "{}"
              },
              "extra_content": {
                "pointsman": {
                  "carrier": "pm1.this.gemini.Im9mIHRoZSBjYWxsIg"
                }
              }
            }
          ]
        }"#]]
    .assert_eq(&format!("{message:#}"));
}

#[test]
fn a_streamed_answer_brings_them_as_well() {
    let stream = rewritten_from(CHAT, FROM, &told(&answer()));
    let stream = std::str::from_utf8(&stream).unwrap();
    assert!(!stream.contains("container") && !stream.contains("inference_geo"), "{stream}");
    assert_eq!(without_citations(returned(&accumulated(stream))), expected());
}

#[test]
fn a_client_that_brings_back_only_the_details_is_understood() {
    let bytes = wire::write_response(CHAT, &answer());
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    let mut message = body["choices"][0]["message"].clone();
    message.as_object_mut().unwrap().remove("reasoning_content");
    assert_eq!(without_citations(returned(&message)), expected());
}

#[test]
fn what_comes_back_goes_on_only_to_its_own_dialect() {
    let turn = Turn::Assistant(AssistantTurn { parts: expected(), extras: Extras::default() });
    let written = wire::write_request(HERE, &request(HERE, vec![turn]), Quirks::default());
    let lost: Vec<String> = written.losses.into_iter().map(|loss| loss.path).collect();
    assert_eq!(
        lost,
        [
            "turns[0].parts[0].carrier",
            "turns[0].parts[1].carrier",
            "turns[0].parts[2].carrier",
            "turns[0].parts[3].carrier"
        ]
    );
}

#[test]
fn what_a_provider_sends_sealed_stays_sealed() {
    let bytes = wire::write_response(CHAT, &answer());
    let read = wire::read_response(&origin(HERE), &bytes).unwrap();
    let again = wire::write_response(CHAT, &read);
    let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    assert_eq!(value(&again), value(&bytes));
    let stream = rewritten_from(CHAT, FROM, &told(&answer()));
    let folded = fold(HERE, &events(HERE, &[stream])).unwrap();
    let carrier = |response: &Response| match &response.candidates[0].turn.parts[0] {
        AssistantPart::Reasoning(thoughts) => thoughts.carrier.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(carrier(&read).map(|own| own.dialect), Some(HERE));
    assert_eq!(carrier(&folded).map(|own| own.dialect), Some(HERE));
}

#[test]
fn pictures_of_an_answer() {
    let source = Source::Inline { media_type: "image/png".to_owned(), base64: "AAAA".to_owned() };
    let image = Image { source, detail: None, cache: None, extras: Extras::default() };
    let mut response = answer();
    response.candidates[0].turn.parts = vec![AssistantPart::Image(image.clone())];
    let bytes = wire::write_response(CHAT, &response);
    let read = wire::read_response(&origin(HERE), &bytes).unwrap();
    assert_eq!(read.candidates[0].turn.parts, [AssistantPart::Image(image.clone())]);
    let spot = ir::Spot { candidate: 0, part: 0 };
    let kind = ir::PartKind::Image { media_type: "image/png".to_owned() };
    let told = [
        Event::Start { id: None, model: None, created: None },
        Event::Open(spot, kind),
        Event::Delta(spot, "AA".to_owned()),
        Event::Delta(spot, "AA".to_owned()),
        Event::Close(spot),
        Event::Stop { candidate: 0, finish: Some(Finish::Stop) },
        Event::Finish,
    ];
    let folded = fold(HERE, &events(HERE, &[rewritten_from(CHAT, FROM, &told)])).unwrap();
    assert_eq!(folded.candidates[0].turn.parts, [AssistantPart::Image(image)]);
}
