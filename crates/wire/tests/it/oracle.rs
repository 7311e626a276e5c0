//! A second reading of a stream, written without the codecs: chunk by chunk over parsed JSON. What
//! it says an answer was is what folding the events must say.

use ir::{AssistantPart, Finish, Response};
use serde_json::Value;

/// What an answer said, with the parts of one kind joined.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) refusal: String,
    /// Name and arguments of each call.
    pub(crate) calls: Vec<(String, String)>,
    pub(crate) finish: Option<String>,
}

/// Returns the data of each event of a stream.
pub(crate) fn data(body: &str) -> Vec<String> {
    let body = body.replace("\r\n", "\n");
    let event = |event: &str| {
        let lines: Vec<&str> =
            event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
        (!lines.is_empty()).then(|| lines.join("\n").trim().to_owned())
    };
    body.split("\n\n").filter_map(event).filter(|data| !data.is_empty()).collect()
}

/// Reads a recorded stream.
pub(crate) fn read(body: &str) -> Vec<Said> {
    let mut all: Vec<Said> = Vec::new();
    let mut keys: Vec<Vec<(String, Value)>> = Vec::new();
    let chunks: Vec<Value> =
        data(body).iter().filter_map(|data| serde_json::from_str(data).ok()).collect();
    let plain = |choice: &Value| {
        let plain =
            |name: &str| choice["delta"][name].as_str().is_some_and(|text| !text.is_empty());
        plain("reasoning") || plain("reasoning_content")
    };
    let choices = |chunk: &Value| chunk["choices"].as_array().cloned().unwrap_or_default();
    let only_details = !chunks.iter().flat_map(choices).any(|choice| plain(&choice));
    for chunk in chunks {
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            let index = usize::try_from(choice["index"].as_u64().unwrap_or(0)).unwrap();
            all.resize_with(all.len().max(index + 1), Said::default);
            keys.resize_with(all.len(), Vec::new);
            add(&mut all[index], &mut keys[index], choice, only_details);
        }
    }
    for said in &mut all {
        let finish = said.finish.take();
        said.finish = finish.map(|word| ended(&word, !said.calls.is_empty()).to_owned());
    }
    all
}

/// Says in the dialect's own word why a model stopped.
fn ended(word: &str, called: bool) -> &str {
    match word {
        "stop" if called => "tool_calls",
        "tool_call" | "function_call" => "tool_calls",
        "eos" | "end_turn" => "stop",
        other => other,
    }
}

fn add(said: &mut Said, keys: &mut Vec<(String, Value)>, choice: &Value, only_details: bool) {
    let delta = &choice["delta"];
    let thoughts = delta["reasoning_content"].as_str().filter(|text| !text.is_empty());
    let thoughts = thoughts.or(delta["reasoning"].as_str()).unwrap_or_default();
    said.reasoning += thoughts;
    // Details repeat the thoughts, except at a host that says them nowhere else.
    for detail in delta["reasoning_details"].as_array().into_iter().flatten() {
        if only_details {
            let text = detail["text"].as_str().or(detail["summary"].as_str());
            said.reasoning += text.unwrap_or_default();
        }
    }
    match &delta["content"] {
        Value::String(text) => said.text += text,
        Value::Array(parts) => {
            for part in parts {
                for thought in part["thinking"].as_array().into_iter().flatten() {
                    said.reasoning += thought["text"].as_str().unwrap_or_default();
                }
                if part["type"] != "thinking" {
                    said.text += part["text"].as_str().unwrap_or_default();
                }
            }
        }
        _ => {}
    }
    said.refusal += delta["refusal"].as_str().unwrap_or_default();
    for call in delta["tool_calls"].as_array().into_iter().flatten() {
        let id = call["id"].as_str().unwrap_or_default();
        let known = if id.is_empty() && call["index"].is_null() {
            keys.len().checked_sub(1)
        } else if id.is_empty() {
            keys.iter().rposition(|(_, index)| *index == call["index"])
        } else {
            keys.iter().rposition(|(known, _)| known == id)
        };
        let at = known.unwrap_or_else(|| {
            let name = call["function"]["name"].as_str().or(call["custom"]["name"].as_str());
            said.calls.push((name.unwrap_or_default().to_owned(), String::new()));
            keys.push((id.to_owned(), call["index"].clone()));
            keys.len() - 1
        });
        let arguments = call["function"]["arguments"].as_str().or(call["custom"]["input"].as_str());
        said.calls[at].1 += arguments.unwrap_or_default();
    }
    if let Some(finish) =
        choice["finish_reason"].as_str().filter(|text| !text.is_empty() && *text != "null")
    {
        said.finish = Some(finish.to_owned());
    }
}

/// Says what a folded answer said.
pub(crate) fn folded(response: &Response) -> Vec<Said> {
    let candidate = |candidate: &ir::Candidate| {
        let mut said = Said::default();
        for part in &candidate.turn.parts {
            match part {
                AssistantPart::Text(text) => said.text += &text.text,
                AssistantPart::Refusal(text) => said.refusal += text,
                AssistantPart::Reasoning(thoughts) => said.reasoning += &thoughts.text,
                AssistantPart::ToolCall(call) => {
                    said.calls.push((call.name.clone(), call.arguments.0.clone()));
                }
                AssistantPart::Image(_) | AssistantPart::Other(_) => {}
            }
        }
        said.finish = candidate.finish.as_ref().map(|finish| match finish {
            Finish::Stop | Finish::StopSequence(_) | Finish::Pause => "stop".to_owned(),
            Finish::Length => "length".to_owned(),
            Finish::ToolCalls => "tool_calls".to_owned(),
            Finish::ContentFilter | Finish::Refusal => "content_filter".to_owned(),
            Finish::Other(other) => other.clone(),
        });
        said
    };
    response.candidates.iter().map(candidate).collect()
}
