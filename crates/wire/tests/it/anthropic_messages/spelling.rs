//! The spellings of Anthropic's messages that mean the same, brought to one, so that JSON can be
//! compared.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Brings a request to one spelling.
pub(crate) fn request(mut body: Value) -> Value {
    without_nulls(&mut body);
    let Some(fields) = body.as_object_mut() else { return body };
    if fields.get("stream") == Some(&json!(false)) {
        fields.remove("stream");
    }
    if let Some(format) = fields.remove("output_format") {
        fields.entry("output_config").or_insert_with(|| json!({}))["format"] = format;
    }
    for name in ["metadata", "output_config"] {
        if fields.get(name) == Some(&json!({})) {
            fields.remove(name);
        }
    }
    for tool in fields.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(tool) = tool.as_object_mut()
            && tool.get("type") == Some(&json!("custom"))
        {
            tool.remove("type");
        }
    }
    if let Some(system) = fields.get_mut("system") {
        blocks(system);
    }
    let messages = fields.get_mut("messages").map(Value::take);
    let mut turns = Vec::new();
    for message in messages.as_ref().and_then(Value::as_array).into_iter().flatten() {
        self::turns(message, &mut turns);
    }
    if !fields.contains_key("system") && turns.first().is_some_and(|turn| turn["role"] == "system")
    {
        let first = turns.remove(0);
        fields.insert("system".into(), first["content"].clone());
    }
    fields.insert("messages".into(), turns.into());
    body
}

/// Takes a message apart: each result for itself, and the words between them.
fn turns(message: &Value, turns: &mut Vec<Value>) {
    let mut message = message.clone();
    let Some(fields) = message.as_object_mut() else { return turns.push(message) };
    if let Some(content) = fields.get_mut("content") {
        blocks(content);
    }
    let content = fields.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
    let results = content.iter().any(|block| block["type"] == "tool_result");
    if fields.get("role") != Some(&json!("user")) || !results {
        return turns.push(message);
    }
    let mut words = Vec::new();
    for block in content {
        if block["type"] == "tool_result" {
            if !words.is_empty() {
                turns.push(json!({"role": "user", "content": std::mem::take(&mut words)}));
            }
            turns.push(block);
        } else {
            words.push(block);
        }
    }
    if !words.is_empty() || fields.len() > 2 {
        fields.insert("content".into(), words.into());
        turns.push(message);
    }
}

/// Brings a content to a list of blocks, each spelled in one way.
fn blocks(content: &mut Value) {
    if let Some(text) = content.as_str() {
        *content = json!([{"type": "text", "text": text}]);
    }
    for block in content.as_array_mut().into_iter().flatten() {
        if let Some(block) = block.as_object_mut() {
            self::block(block);
        }
    }
}

fn block(block: &mut Map<String, Value>) {
    if block.get("citations") == Some(&json!([])) {
        block.remove("citations");
    }
    match block.get("type").and_then(Value::as_str).unwrap_or_default() {
        "tool_result" => {
            if let Some(content) = block.get_mut("content") {
                blocks(content);
            }
            if block.get("content") == Some(&json!([])) {
                block.remove("content");
            }
        }
        "thinking" if block.get("signature") == Some(&json!("")) => {
            block.remove("signature");
        }
        "tool_use" => drop(block.entry("input").or_insert_with(|| json!({}))),
        "document" => {
            let source = &block["source"];
            if source["type"] == "base64" && source["media_type"] == "text/plain" {
                let bytes = STANDARD.decode(source["data"].as_str().unwrap()).unwrap();
                let data = String::from_utf8(bytes).unwrap();
                let source = json!({"type": "text", "media_type": "text/plain", "data": data});
                block.insert("source".into(), source);
            }
        }
        _ => {}
    }
}

/// Brings a whole answer to one spelling.
pub(crate) fn response(mut body: Value) -> Value {
    without_nulls(&mut body);
    if let Some(content) = body.get_mut("content") {
        blocks(content);
    }
    if let Some(usage) = body.get_mut("usage").and_then(Value::as_object_mut) {
        if usage.get("output_tokens_details") == Some(&json!({"thinking_tokens": 0})) {
            usage.remove("output_tokens_details");
        }
        usage.retain(|_, count| *count != 0);
    }
    body
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
