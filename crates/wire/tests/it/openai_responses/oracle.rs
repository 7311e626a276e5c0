//! A second reading of answers, written without the codecs: over parsed JSON, frame by frame.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::oracle::{Said, data};

/// Reads a whole answer.
pub(crate) fn whole(response: &Value) -> Said {
    let mut said = Said::default();
    for item in response["output"].as_array().into_iter().flatten() {
        match item["type"].as_str().unwrap_or_default() {
            "message" => {
                for part in item["content"].as_array().into_iter().flatten() {
                    said.text += part["text"].as_str().unwrap_or_default();
                    said.refusal += part["refusal"].as_str().unwrap_or_default();
                }
            }
            "function_call" => said.calls.push(call(item, "arguments")),
            "custom_tool_call" => said.calls.push(call(item, "input")),
            "reasoning" => {
                let content = texts(&item["content"]);
                said.reasoning +=
                    &if content.is_empty() { texts(&item["summary"]) } else { content };
            }
            _ => {}
        }
    }
    said.finish = finish(response, !said.calls.is_empty());
    said
}

fn call(item: &Value, field: &str) -> (String, String) {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    (text("name"), text(field))
}

fn texts(parts: &Value) -> String {
    let texts = parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn finish(response: &Value, calls: bool) -> Option<String> {
    let reason = response["incomplete_details"]["reason"].as_str();
    let finish = match (response["status"].as_str(), reason) {
        (Some("queued" | "in_progress"), _) => return None,
        (Some("incomplete"), Some("content_filter")) => "content_filter",
        (Some("incomplete"), _) => "length",
        _ if calls => "tool_calls",
        _ => "stop",
    };
    Some(finish.to_owned())
}

/// Reads a stream by its deltas; `None` when it does not end well.
pub(crate) fn stream(body: &str) -> Option<Said> {
    let mut said = Said::default();
    let mut calls: BTreeMap<u64, (String, String)> = BTreeMap::new();
    let mut thinking = None;
    for data in data(body) {
        let Ok(frame) = serde_json::from_str::<Value>(&data) else { continue };
        let delta = frame["delta"].as_str().unwrap_or_default();
        let item = frame["output_index"].as_u64().unwrap_or_default();
        match frame["type"].as_str().unwrap_or_default() {
            "response.output_text.delta" => said.text += delta,
            "response.refusal.delta" => said.refusal += delta,
            kind @ ("response.reasoning_summary_text.delta" | "response.reasoning_text.delta") => {
                let field =
                    if kind.contains("summary") { "summary_index" } else { "content_index" };
                let here = (item, frame[field].as_u64().unwrap_or_default());
                if thinking.is_some_and(|(at, piece)| at == here.0 && piece != here.1) {
                    said.reasoning += "\n\n";
                }
                thinking = Some(here);
                said.reasoning += delta;
            }
            "response.output_item.added" => {
                let name = frame["item"]["name"].as_str().unwrap_or_default().to_owned();
                let kind = frame["item"]["type"].as_str().unwrap_or_default();
                if matches!(kind, "function_call" | "custom_tool_call") {
                    calls.insert(item, (name, String::new()));
                }
            }
            "response.function_call_arguments.done" => {
                calls.get_mut(&item)?.1 = frame["arguments"].as_str()?.to_owned();
            }
            "response.custom_tool_call_input.done" => {
                calls.get_mut(&item)?.1 = frame["input"].as_str()?.to_owned();
            }
            "response.completed" | "response.incomplete" => {
                said.calls = calls.into_values().collect();
                said.finish = finish(&frame["response"], !said.calls.is_empty());
                return Some(said);
            }
            "error" | "response.failed" => return None,
            _ => {}
        }
    }
    None
}
