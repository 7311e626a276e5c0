//! A second reading of answers, written without the codecs, over parsed JSON: blocks grow by their
//! deltas, and the message they make says what it says.

use ir::{AssistantPart, Finish, Response};
use serde_json::{Map, Value, json};

/// What an answer said, with the parts of one kind joined.
#[derive(Debug, Default, PartialEq, Clone)]
pub(crate) struct Said {
    text: String,
    reasoning: String,
    /// Signatures and hidden thoughts, in order.
    signed: Vec<Value>,
    calls: Vec<(String, String, Value)>,
    citations: Vec<Value>,
    /// Blocks of other kinds.
    others: Vec<Value>,
    finish: Option<String>,
    /// Input, read from and written to a cache, output, reasoning.
    usage: [u64; 5],
}

/// Reads a whole message.
pub(crate) fn message(message: &Value) -> Said {
    let mut said = Said::default();
    for block in message["content"].as_array().into_iter().flatten() {
        self::block(&mut said, block);
    }
    said.finish = message["stop_reason"].as_str().map(|word| finish(word, !said.calls.is_empty()));
    said.usage = usage(&message["usage"]);
    said
}

fn finish(word: &str, called: bool) -> String {
    match word {
        "end_turn" if called => "tool_use",
        "model_context_window_exceeded" => "max_tokens",
        word => word,
    }
    .to_owned()
}

fn block(said: &mut Said, block: &Value) {
    match block["type"].as_str().unwrap_or_default() {
        "text" => {
            said.text += block["text"].as_str().unwrap_or_default();
            said.citations.extend(block["citations"].as_array().into_iter().flatten().cloned());
        }
        "thinking" => {
            said.reasoning += block["thinking"].as_str().unwrap_or_default();
            said.signed.extend(block.get("signature").filter(|text| **text != "").cloned());
        }
        "redacted_thinking" => said.signed.push(block.clone()),
        "tool_use" => {
            let name = |field: &str| block[field].as_str().unwrap_or_default().to_owned();
            said.calls.push((name("id"), name("name"), block["input"].clone()));
        }
        _ => said.others.push(block.clone()),
    }
}

fn usage(usage: &Value) -> [u64; 5] {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let cached = count(&usage["cache_read_input_tokens"]);
    let written = count(&usage["cache_creation_input_tokens"]);
    let input = count(&usage["input_tokens"]) + cached + written;
    let reasoning = count(&usage["output_tokens_details"]["thinking_tokens"]);
    [input, cached, written, count(&usage["output_tokens"]), reasoning]
}

/// Reads a stream.
pub(crate) fn stream(body: &str) -> Said {
    let mut answer = json!({"content": []});
    let mut pieces: Vec<String> = Vec::new();
    for line in body.lines() {
        let Some(data) = line.strip_prefix("data:") else { continue };
        let Ok(event) = serde_json::from_str::<Value>(data.trim()) else { continue };
        let index = usize::try_from(event["index"].as_u64().unwrap_or(0)).unwrap();
        match event["type"].as_str().unwrap_or_default() {
            "message" => return message(&event),
            "message_start" => answer = event["message"].clone(),
            "content_block_start" => {
                let blocks = answer["content"].as_array_mut().unwrap();
                assert_eq!(blocks.len(), index, "blocks come one after another");
                blocks.push(event["content_block"].clone());
                pieces.push(String::new());
            }
            "content_block_delta" => {
                let block = answer["content"][index].as_object_mut().unwrap();
                delta(block, &mut pieces[index], &event["delta"]);
            }
            "content_block_stop" if !pieces[index].is_empty() => {
                answer["content"][index]["input"] = serde_json::from_str(&pieces[index]).unwrap();
            }
            "message_delta" => {
                answer["stop_reason"] = event["delta"]["stop_reason"].clone();
                for (name, count) in event["usage"].as_object().into_iter().flatten() {
                    if !count.is_null() {
                        answer["usage"][name] = count.clone();
                    }
                }
            }
            _ => {}
        }
    }
    message(&answer)
}

fn delta(block: &mut Map<String, Value>, pieces: &mut String, delta: &Value) {
    let mut grow = |field: &str| {
        let before = block.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        block.insert(field.into(), json!(before + delta[field].as_str().unwrap_or_default()));
    };
    match delta["type"].as_str().unwrap_or_default() {
        "text_delta" => grow("text"),
        "thinking_delta" => grow("thinking"),
        "signature_delta" => drop(block.insert("signature".into(), delta["signature"].clone())),
        "input_json_delta" => *pieces += delta["partial_json"].as_str().unwrap_or_default(),
        "citations_delta" => {
            let all = block.entry("citations").or_insert_with(|| json!([]));
            all.as_array_mut().unwrap().push(delta["citation"].clone());
        }
        _ => {}
    }
}

/// Says what the canonical answer said.
pub(crate) fn folded(response: &Response) -> Said {
    let mut said = Said::default();
    let candidate = response.candidates.first().unwrap();
    for part in &candidate.turn.parts {
        match part {
            AssistantPart::Text(text) => {
                said.text += &text.text;
                said.citations.extend(text.citations.iter().map(|cited| cited.raw.raw.value()));
            }
            AssistantPart::Refusal(_) | AssistantPart::Image(_) => unreachable!("not here"),
            AssistantPart::Reasoning(thoughts) => {
                said.reasoning += &thoughts.text;
                said.signed.extend(thoughts.carrier.iter().map(|carrier| carrier.raw.value()));
            }
            AssistantPart::ToolCall(call) => {
                let arguments = call.arguments.object().unwrap();
                said.calls.push((call.id.clone(), call.name.clone(), arguments));
            }
            AssistantPart::Other(opaque) => said.others.push(opaque.raw.value()),
        }
    }
    said.finish = candidate.finish.as_ref().map(|finish| match finish {
        Finish::Stop => "end_turn".to_owned(),
        Finish::StopSequence(_) => "stop_sequence".to_owned(),
        Finish::Length => "max_tokens".to_owned(),
        Finish::ToolCalls => "tool_use".to_owned(),
        Finish::ContentFilter | Finish::Refusal => "refusal".to_owned(),
        Finish::Pause => "pause_turn".to_owned(),
        Finish::Other(other) => other.clone(),
    });
    if let Some(used) = &response.usage {
        let counts = [used.input, used.cached_input, used.cache_write, used.output, used.reasoning];
        said.usage = counts.map(|tokens| tokens.0);
    }
    said
}
