//! The spellings of OpenAI responses that mean the same, brought to one, so that JSON can be
//! compared.

use serde_json::{Map, Value, json};

/// Brings a request to one spelling.
pub(crate) fn request(mut body: Value) -> Value {
    without_nulls(&mut body);
    let Some(fields) = body.as_object_mut() else { return body };
    if let Some(input) = fields.get_mut("input").filter(|input| input.is_string()) {
        *input = json!([{"role": "user", "content": input.take()}]);
    }
    for item in fields.get_mut("input").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = item.as_object_mut() {
            self::item(fields);
        }
    }
    if let Some(input) = fields.get_mut("input").and_then(Value::as_array_mut) {
        let head = input.first().filter(|item| {
            item["role"] == "system"
                && item["content"].is_string()
                && item.as_object().is_some_and(|item| item.len() == 2)
        });
        let text = head.map(|item| item["content"].clone());
        if let Some(text) = text.filter(|_| !fields.contains_key("instructions")) {
            fields["input"].as_array_mut().map(|input| input.remove(0));
            fields.insert("instructions".into(), text);
        }
    }
    if fields.get("input") == Some(&json!([])) {
        fields.remove("input");
    }
    if let Some(text) = fields.get_mut("text").and_then(Value::as_object_mut)
        && text.get("format") == Some(&json!({"type": "text"}))
    {
        text.remove("format");
    }
    if fields.get("text") == Some(&json!({})) {
        fields.remove("text");
    }
    if fields.get("stream") == Some(&json!(false)) {
        fields.remove("stream");
    }
    if let Some(include) = fields.get_mut("include").and_then(Value::as_array_mut) {
        include.sort_by_key(Value::to_string);
    }
    body
}

/// What an answer says when nobody said otherwise.
fn defaults() -> Value {
    json!({
        "object": "response", "status": "completed", "metadata": {}, "parallel_tool_calls": true,
        "store": false, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
        "reasoning": {}
    })
}

/// Brings a whole answer to one spelling.
pub(crate) fn response(mut body: Value) -> Value {
    without_nulls(&mut body);
    let Some(fields) = body.as_object_mut() else { return body };
    for (name, value) in defaults().as_object().into_iter().flatten() {
        fields.entry(name).or_insert_with(|| value.clone());
    }
    for item in fields.get_mut("output").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = item.as_object_mut() {
            self::item(fields);
        }
    }
    if let Some(usage) = fields.get_mut("usage").and_then(Value::as_object_mut) {
        self::usage(usage);
    }
    body
}

/// Counts of nothing may be said or not; a total is the sum where nobody says it.
fn usage(usage: &mut Map<String, Value>) {
    let count = |usage: &Map<String, Value>, name: &str| usage.get(name).and_then(Value::as_u64);
    let sum =
        count(usage, "input_tokens").unwrap_or(0) + count(usage, "output_tokens").unwrap_or(0);
    usage.entry("total_tokens").or_insert_with(|| json!(sum));
    let details = [
        ("input_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cache_write_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
    ];
    for (name, count) in details {
        let details = usage.entry(name).or_insert_with(|| json!({}));
        if let Some(details) = details.as_object_mut() {
            details.entry(count).or_insert_with(|| json!(0));
        }
    }
}

fn item(fields: &mut Map<String, Value>) {
    if fields.contains_key("role") && fields.get("type") == Some(&json!("message")) {
        fields.remove("type");
    }
    let made = |id: &Value| id.as_str().is_some_and(|id| id.contains("_pm"));
    if fields.get("id").is_some_and(made) {
        fields.remove("id");
    }
    let understood = fields.contains_key("role") || fields.contains_key("call_id");
    if !fields.contains_key("id") && understood && fields.get("status") == Some(&json!("completed"))
    {
        fields.remove("status");
    }
    for field in ["arguments", "input"] {
        let called = fields.get("type").is_some_and(|kind| kind == "function_call");
        if let Some(text) = fields.get_mut(field).filter(|text| called && !text.is_string()) {
            *text = json!(text.to_string());
        }
    }
    for field in ["content", "output"] {
        let Some(content) = fields.get_mut(field) else { continue };
        for part in content.as_array_mut().into_iter().flatten() {
            if part["type"] == "output_text" && part.get("annotations").is_none() {
                part["annotations"] = json!([]);
            }
        }
        if let Some([part]) = content.as_array().map(Vec::as_slice)
            && let Some(text) = plain(part)
        {
            *content = text;
        }
    }
}

fn plain(part: &Value) -> Option<Value> {
    let fields = part.as_object()?;
    let text = fields.get("text").filter(|text| text.is_string())?.clone();
    match fields.get("type")?.as_str()? {
        "input_text" if fields.len() == 2 => Some(text),
        "output_text" if fields.len() == 3 && fields["annotations"] == json!([]) => Some(text),
        _ => None,
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
