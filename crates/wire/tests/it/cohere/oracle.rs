//! A second reading of Cohere's answers, written without the codecs.

use ir::{AssistantPart, Finish, Response};
use serde_json::{Value, json};

/// What an answer said, with the parts of one kind joined.
#[derive(Debug, Default, PartialEq, Clone)]
pub(crate) struct Told {
    pub(crate) plan: String,
    pub(crate) thinking: String,
    pub(crate) text: String,
    /// Id, name and arguments of each call.
    pub(crate) calls: Vec<(String, String, String)>,
    /// The span and the first source's words and title of each citation.
    pub(crate) citations: Vec<(u64, u64, Value, Value)>,
    pub(crate) finish: String,
}

/// Says what an answer said that the codec read.
pub(crate) fn told(response: &Response) -> Told {
    let mut told = Told::default();
    let [candidate] = response.candidates.as_slice() else { panic!("one candidate") };
    let mut last = None;
    for part in &candidate.turn.parts {
        match part {
            AssistantPart::Text(said) => {
                told.text += &said.text;
                for cited in &said.citations {
                    // One for each source.
                    if last.as_ref() != Some(&cited.raw) {
                        let (start, end) = cited.span.unwrap();
                        told.citations.push((start, end, json!(cited.quote), json!(cited.title)));
                    }
                    last = Some(cited.raw.clone());
                }
            }
            AssistantPart::Reasoning(thoughts) if thoughts.carrier.is_some() => {
                told.plan += &thoughts.text;
            }
            AssistantPart::Reasoning(thoughts) => told.thinking += &thoughts.text,
            AssistantPart::ToolCall(call) => {
                told.calls.push((call.id.clone(), call.name.clone(), call.arguments.0.clone()));
            }
            part => panic!("{part:?}"),
        }
    }
    told.finish = match candidate.finish.as_ref().unwrap() {
        Finish::Stop => "COMPLETE",
        Finish::ToolCalls => "TOOL_CALL",
        Finish::Length => "MAX_TOKENS",
        Finish::StopSequence(_) => "STOP_SEQUENCE",
        finish => panic!("{finish:?}"),
    }
    .to_owned();
    told
}

fn used(usage: &Value) -> Option<[u64; 4]> {
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    usage.is_object().then(|| {
        [
            count("/tokens/input_tokens") + count("/tokens/image_tokens"),
            count("/cached_tokens"),
            count("/tokens/output_tokens"),
            count("/tokens/reasoning_tokens"),
        ]
    })
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn cited(citation: &Value) -> (u64, u64, Value, Value) {
    let source = &citation["sources"][0];
    let held =
        if source["document"].is_object() { &source["document"] } else { &source["tool_output"] };
    let words = if held["text"].is_string() { &held["text"] } else { &held["content"] };
    let (start, end) = (citation["start"].as_u64(), citation["end"].as_u64());
    (start.unwrap(), end.unwrap(), words.clone(), held["title"].clone())
}

fn called(call: &Value) -> (String, String, String) {
    let function = &call["function"];
    (string(&call["id"]), string(&function["name"]), string(&function["arguments"]))
}

/// Reads a whole answer.
pub(crate) fn whole(body: &Value) -> (Told, Option<[u64; 4]>) {
    let message = &body["message"];
    let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
    let told = Told {
        plan: string(&message["tool_plan"]),
        thinking: list("content").iter().map(|part| string(&part["thinking"])).collect(),
        text: list("content").iter().map(|part| string(&part["text"])).collect(),
        calls: list("tool_calls").iter().map(called).collect(),
        citations: list("citations").iter().map(cited).collect(),
        finish: string(&body["finish_reason"]),
    };
    (told, used(&body["usage"]))
}

/// Reads a recorded stream.
pub(crate) fn stream(body: &str) -> (Told, Option<[u64; 4]>) {
    let (mut told, mut usage) = (Told::default(), None);
    for data in crate::oracle::data(body) {
        let Ok(event) = serde_json::from_str::<Value>(&data) else { continue };
        let message = &event["delta"]["message"];
        match event["type"].as_str().unwrap() {
            "tool-plan-delta" => told.plan += &string(&message["tool_plan"]),
            "content-start" | "content-delta" => {
                told.thinking += &string(&message["content"]["thinking"]);
                told.text += &string(&message["content"]["text"]);
            }
            "tool-call-start" => told.calls.push(called(&message["tool_calls"])),
            "tool-call-delta" => {
                let more = string(&message["tool_calls"]["function"]["arguments"]);
                told.calls.last_mut().unwrap().2 += &more;
            }
            "citation-start" => told.citations.push(cited(&message["citations"])),
            "message-end" => {
                told.finish = string(&event["delta"]["finish_reason"]);
                usage = used(&event["delta"]["usage"]);
            }
            _ => {}
        }
    }
    (told, usage)
}
