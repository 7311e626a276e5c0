//! The spellings of OpenAI chat that mean the same, brought to one, so that JSON can be compared.

use serde_json::{Map, Value, json};

/// Brings a request to one spelling.
pub(crate) fn request(mut body: Value) -> Value {
    let Some(fields) = body.as_object_mut() else { return body };
    if !fields.contains_key("max_completion_tokens")
        && let Some(cap) = fields.remove("max_tokens")
    {
        fields.insert("max_completion_tokens".into(), cap);
    }
    if let Some(stop) = fields.get_mut("stop").filter(|stop| stop.is_string()) {
        *stop = json!([stop.take()]);
    }
    if fields.get("stop") == Some(&json!([])) {
        fields.remove("stop");
    }
    if fields.get("response_format") == Some(&json!({"type": "text"})) {
        fields.remove("response_format");
    }
    if fields.get("tool_choice") == Some(&json!("any")) {
        fields.insert("tool_choice".into(), json!("required"));
    }
    if fields.get("stream") == Some(&json!(false)) {
        fields.remove("stream");
    }
    if fields.get("stream_options") == Some(&json!({"include_usage": false})) {
        fields.remove("stream_options");
    }
    if let Some(reasoning) = fields.get_mut("reasoning").and_then(Value::as_object_mut)
        && reasoning.get("exclude") == Some(&json!(false))
    {
        reasoning.remove("exclude");
    }
    for message in fields.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = message.as_object_mut() {
            self::message(fields);
        }
    }
    without_nulls(&mut body);
    body
}

/// Brings a whole answer to one spelling.
pub(crate) fn response(mut body: Value) -> Value {
    for choice in body.get_mut("choices").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(choice) = choice.as_object_mut() else { continue };
        choice.remove("index");
        if let Some("" | "null") = choice.get("finish_reason").and_then(Value::as_str) {
            choice.remove("finish_reason");
        }
        let message = choice.entry("message").or_insert_with(|| json!({}));
        if let Some(fields) = message.as_object_mut() {
            fields.entry("role").or_insert_with(|| json!("assistant"));
            self::message(fields);
        }
    }
    if let Some(fields) = body.as_object_mut() {
        fields.entry("object").or_insert_with(|| json!("chat.completion"));
        if let Some(usage) = fields.get_mut("usage").and_then(Value::as_object_mut) {
            self::usage(usage);
        }
    }
    without_nulls(&mut body);
    body
}

/// Counts of nothing may be said or not; a total is the sum where nobody says it.
fn usage(usage: &mut Map<String, Value>) {
    let count = |usage: &Map<String, Value>, name: &str| usage.get(name).and_then(Value::as_u64);
    let sum =
        count(usage, "prompt_tokens").unwrap_or(0) + count(usage, "completion_tokens").unwrap_or(0);
    usage.entry("total_tokens").or_insert_with(|| json!(sum));
    usage.entry("prompt_tokens").or_insert_with(|| json!(0));
    usage.entry("completion_tokens").or_insert_with(|| json!(0));
}

fn message(fields: &mut Map<String, Value>) {
    if let Some(content) = fields.get_mut("content")
        && let Some([part]) = content.as_array().map(Vec::as_slice)
        && part.as_object().is_some_and(|part| part.len() == 2)
        && part["type"] == "text"
        && part["text"].is_string()
    {
        *content = part["text"].clone();
    }
    if let (Some(text), Some(mark)) = (fields.get("content"), fields.get("cache_control"))
        && let (Some(text), true) = (text.as_str(), fields.get("role") != Some(&json!("tool")))
    {
        let part = json!([{"type": "text", "text": text, "cache_control": mark}]);
        fields.insert("content".into(), part);
        fields.remove("cache_control");
    }
    if fields.get("role") == Some(&json!("assistant")) {
        if !fields.get("reasoning_content").is_some_and(Value::is_string) {
            if fields.get("reasoning").is_some_and(Value::is_string) {
                let thoughts = fields.remove("reasoning").unwrap_or_default();
                fields.insert("reasoning_content".into(), thoughts);
            }
        } else if fields.get("reasoning") == fields.get("reasoning_content") {
            fields.remove("reasoning");
        }
        if let Some(details) = fields.get("reasoning_details").and_then(Value::as_array) {
            let said = |detail: &Value| {
                let text = detail["text"].as_str().or(detail["summary"].as_str());
                text.map(str::to_owned)
            };
            let told: String = details.iter().filter_map(said).collect();
            if !details.is_empty() && fields.get("reasoning_content") == Some(&json!(told)) {
                fields.remove("reasoning_content");
            }
        }
    }
    for empty in ["tool_calls", "content"] {
        if fields.get(empty) == Some(&json!([])) {
            fields.remove(empty);
        }
    }
    for call in fields.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(call) = call.as_object_mut() else { continue };
        call.entry("type").or_insert_with(|| json!("function"));
        let id = call.entry("id").or_insert_with(|| json!(""));
        if id.as_str().is_some_and(ir::dialect::made) {
            *id = json!("");
        }
        if let Some(function) = call.get_mut("function").and_then(Value::as_object_mut) {
            let arguments = function.entry("arguments").or_insert_with(|| json!(""));
            if !arguments.is_string() && !arguments.is_null() {
                *arguments = json!(arguments.to_string());
            }
        }
    }
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
