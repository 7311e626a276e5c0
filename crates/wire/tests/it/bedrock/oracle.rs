//! A second reading of converse answers, written without the codecs.

use ir::{AssistantPart, Finish, Response};
use serde_json::Value;

/// What an answer said, with the parts of one kind joined.
#[derive(Debug, Default, PartialEq, Clone)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    /// Id, name and arguments of each call.
    pub(crate) calls: Vec<(String, String, Value)>,
    /// Signatures and encrypted thoughts.
    pub(crate) carriers: Vec<Value>,
    /// The citations as they came.
    pub(crate) citations: Vec<Value>,
    /// What only the dialect understands.
    pub(crate) others: Vec<Value>,
    pub(crate) finish: String,
}

/// Says what an answer said that the codec read.
pub(crate) fn told(response: &Response) -> Told {
    let mut told = Told::default();
    let [candidate] = response.candidates.as_slice() else { panic!("one candidate") };
    for part in &candidate.turn.parts {
        match part {
            AssistantPart::Text(said) => {
                told.text += &said.text;
                told.citations.extend(said.citations.iter().map(|cited| cited.raw.raw.value()));
            }
            AssistantPart::Reasoning(thoughts) => {
                told.reasoning += &thoughts.text;
                told.carriers.extend(thoughts.carrier.iter().map(|carrier| carrier.raw.value()));
            }
            AssistantPart::ToolCall(call) => {
                let arguments = call.arguments.object().unwrap();
                told.calls.push((call.id.clone(), call.name.clone(), arguments));
            }
            AssistantPart::Other(opaque) => told.others.push(opaque.raw.value()),
            AssistantPart::Refusal(_) | AssistantPart::Image(_) => panic!("{part:?}"),
        }
    }
    told.finish = match candidate.finish.as_ref().unwrap() {
        Finish::Stop => "end_turn",
        Finish::ToolCalls => "tool_use",
        Finish::Length => "max_tokens",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::ContentFilter => "guardrail_intervened",
        finish => panic!("{finish:?}"),
    }
    .to_owned();
    told
}

/// Input, cached input, output, reasoning.
pub(crate) type Used = Option<[u64; 4]>;

fn used(usage: &Value) -> Used {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    let input =
        count("inputTokens") + count("cacheReadInputTokens") + count("cacheWriteInputTokens");
    if usage.is_object() {
        assert_eq!(count("totalTokens"), input + count("outputTokens"), "{usage}");
    }
    usage.is_object().then(|| [input, count("cacheReadInputTokens"), count("outputTokens"), 0])
}

/// Reads a whole answer.
pub(crate) fn whole(body: &Value) -> (Told, Used) {
    let mut told = Told::default();
    for block in body["output"]["message"]["content"].as_array().unwrap() {
        add(&mut told, block);
    }
    told.finish = body["stopReason"].as_str().unwrap().to_owned();
    (told, used(&body["usage"]))
}

fn add(told: &mut Told, block: &Value) {
    let (kind, value) = block.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "text" => told.text += value.as_str().unwrap(),
        "toolUse" if value["type"] != "server_tool_use" => told.calls.push((
            value["toolUseId"].as_str().unwrap().to_owned(),
            value["name"].as_str().unwrap().to_owned(),
            value["input"].clone(),
        )),
        "reasoningContent" if !value["reasoningText"].is_null() => {
            let text = &value["reasoningText"];
            told.reasoning += text["text"].as_str().unwrap();
            if let Some(signature) = text.get("signature") {
                told.carriers.push(serde_json::json!({ "signature": signature }));
            }
        }
        "reasoningContent" if !value["redactedContent"].is_null() => {
            told.carriers.push(value.clone())
        }
        "citationsContent" => {
            for text in value["content"].as_array().into_iter().flatten() {
                told.text += text["text"].as_str().unwrap();
            }
            told.citations.extend(value["citations"].as_array().into_iter().flatten().cloned());
        }
        _ => told.others.push(block.clone()),
    }
}

/// Cuts a recorded stream into the name and the payload of each message.
pub(crate) fn messages(mut bytes: &[u8]) -> Vec<(String, Value)> {
    let size = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (length, headers) = (size(bytes), size(&bytes[4..]));
        let head = String::from_utf8_lossy(&bytes[12..12 + headers]).into_owned();
        // A header's name, its type, its length in two bytes, its value up to the next header.
        let event = head.split(":event-type").nth(1).unwrap();
        let event: String = event.chars().skip(3).take_while(char::is_ascii_alphabetic).collect();
        let payload = &bytes[12 + headers..length - 4];
        all.push((event, serde_json::from_slice(payload).unwrap()));
        bytes = &bytes[length..];
    }
    all
}

/// Reads a recorded stream by making the whole answer of it.
pub(crate) fn stream(bytes: &[u8]) -> (Told, Used) {
    let mut blocks: Vec<(u64, Value)> = Vec::new();
    let mut body = serde_json::json!({});
    for (event, message) in messages(bytes) {
        let index = message["contentBlockIndex"].as_u64().unwrap_or(0);
        if event.starts_with("contentBlock") && !blocks.iter().any(|(known, _)| *known == index) {
            blocks.push((index, serde_json::json!({})));
        }
        let block = blocks.iter_mut().find(|(known, _)| *known == index).map(|(_, block)| block);
        match event.as_str() {
            "contentBlockStart" => *block.unwrap() = message["start"].clone(),
            "contentBlockDelta" => grow(block.unwrap(), &message["delta"]),
            "messageStop" => body["stopReason"] = message["stopReason"].clone(),
            "metadata" => body["usage"] = message["usage"].clone(),
            _ => {}
        }
    }
    let mut content = Vec::new();
    for (_, mut block) in blocks {
        if let Some(call) = block.get_mut("toolUse") {
            // A call without arguments has no deltas.
            let text = call["input"].as_str().filter(|text| !text.is_empty()).unwrap_or("{}");
            call["input"] = serde_json::from_str(text).unwrap();
        }
        content.push(block);
    }
    let content: Vec<Value> =
        content.into_iter().filter(|block| *block != serde_json::json!({})).collect();
    body["output"] = serde_json::json!({ "message": { "content": content } });
    whole(&body)
}

fn grow(block: &mut Value, delta: &Value) {
    let join = |slot: &mut Value, more: &Value| {
        *slot = format!("{}{}", slot.as_str().unwrap_or_default(), more.as_str().unwrap()).into();
    };
    let push = |slot: &mut Value, more: &Value| {
        let mut list = slot.as_array().cloned().unwrap_or_default();
        list.push(more.clone());
        *slot = list.into();
    };
    let (kind, value) = delta.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "text" if block["citationsContent"].is_null() => join(&mut block["text"], value),
        "text" => push(&mut block["citationsContent"]["content"], delta),
        "citation" => {
            push(&mut block["citationsContent"]["citations"], value);
            let text = block.as_object_mut().unwrap().remove("text");
            if let Some(text) = text.filter(|text| !text.is_null()) {
                push(
                    &mut block["citationsContent"]["content"],
                    &serde_json::json!({ "text": text }),
                );
            }
        }
        "toolUse" => join(&mut block["toolUse"]["input"], &value["input"]),
        "toolResult" => {
            for item in value.as_array().unwrap() {
                push(&mut block["toolResult"]["content"], item);
            }
        }
        "reasoningContent" => {
            let content = &mut block["reasoningContent"];
            for (field, more) in value.as_object().unwrap() {
                match field.as_str() {
                    "redactedContent" => join(&mut content["redactedContent"], more),
                    field => join(&mut content["reasoningText"][field], more),
                }
            }
        }
        kind => panic!("{kind}"),
    }
}

/// Returns a block of an answer as it stands in the next request, where it stands there alone: a
/// thought needs its signature, and a citation its text.
pub(crate) fn as_sent_back(block: &Value) -> Option<Value> {
    let mut block = block.clone();
    if block["toolUse"]["type"] == "tool_use" {
        block["toolUse"].as_object_mut().unwrap().remove("type");
    }
    let text = &block["reasoningContent"]["reasoningText"];
    let unsigned = text.is_object() && text["signature"].is_null();
    let apart =
        block["citationsContent"].is_object() && block["citationsContent"]["content"].is_null();
    (!unsigned && !apart).then(|| clean(&block))
}

/// Takes out the nulls that looking at a missing field puts in.
fn clean(block: &Value) -> Value {
    let fields = block.as_object().unwrap().clone();
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
