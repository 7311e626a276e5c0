//! The spellings of Gemini that mean the same, brought to one, so that JSON can be compared.

use serde_json::{Map, Value, json};

/// Fields whose value is the caller's own and not spelled by the dialect.
const FOREIGN: [&str; 5] =
    ["args", "response", "labels", "parametersJsonSchema", "responseJsonSchema"];

/// Brings a request to one spelling.
pub(crate) fn request(body: Value) -> Value {
    let mut body = camel(body);
    let Some(fields) = body.as_object_mut() else { return body };
    one_as_list(fields, "contents");
    for content in fields["contents"].as_array_mut().into_iter().flatten() {
        self::content(content);
    }
    let contents = fields["contents"].as_array().cloned().unwrap_or_default();
    fields.insert("contents".into(), Value::Array(regrouped(contents)));
    if let Some(instruction) = fields.get_mut("systemInstruction").and_then(Value::as_object_mut) {
        instruction.remove("role");
        one_as_list(instruction, "parts");
    }
    tools(fields);
    let mode =
        fields.get_mut("toolConfig").and_then(|all| all.pointer_mut("/functionCallingConfig/mode"));
    if let Some(mode) = mode {
        *mode = json!(mode.as_str().unwrap().to_uppercase());
    }
    if let Some(config) = fields.get_mut("generationConfig").and_then(Value::as_object_mut) {
        settings(config);
    }
    for name in ["generationConfig", "toolConfig", "tools"] {
        if fields.get(name).is_some_and(|value| *value == json!({}) || *value == json!([])) {
            fields.remove(name);
        }
    }
    body
}

/// Spells names in camel case and drops nulls.
fn camel(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(camel).collect(),
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            let spelled = kept.map(|(name, value)| {
                let name = if name.starts_with('_') { name } else { camel_name(&name) };
                let schema = matches!(name.as_str(), "parameters" | "responseSchema");
                let foreign = schema || FOREIGN.contains(&name.as_str());
                let value = if foreign { value } else { camel(value) };
                (name, value)
            });
            Value::Object(spelled.collect())
        }
        value => value,
    }
}

fn camel_name(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        name + &head.to_ascii_uppercase() + tail
    })
}

fn one_as_list(fields: &mut Map<String, Value>, name: &str) {
    if let Some(one) = fields.get_mut(name).filter(|one| one.is_object()) {
        *one = json!([one.take()]);
    }
}

fn content(content: &mut Value) {
    let Some(fields) = content.as_object_mut() else { return };
    one_as_list(fields, "parts");
    fields.entry("parts").or_insert_with(|| json!([]));
    let role = fields.entry("role").or_insert_with(|| json!("user"));
    if matches!(role.as_str(), Some("function" | "tool")) {
        *role = json!("user");
    }
    for part in fields["parts"].as_array_mut().into_iter().flatten() {
        self::part(part);
    }
    if fields["role"] == "model" {
        let silent = json!({"text": ""});
        fields["parts"].as_array_mut().unwrap().retain(|part| *part != silent);
    }
}

fn part(part: &mut Value) {
    let Some(fields) = part.as_object_mut() else { return };
    let signed = ["thought", "thoughtSignature"].iter().any(|name| fields.contains_key(*name));
    if signed && fields.keys().all(|name| name.starts_with("thought")) {
        fields.insert("text".into(), json!(""));
    }
    if let Some(response) = fields.get_mut("functionResponse").and_then(Value::as_object_mut) {
        response.entry("response").or_insert_with(|| json!({}));
    }
}

/// Splits contents where function responses begin and end, and joins those that belong together.
fn regrouped(contents: Vec<Value>) -> Vec<Value> {
    let mut groups: Vec<(Value, bool)> = Vec::new();
    for content in contents {
        let parts = content["parts"].as_array().cloned().unwrap_or_default();
        if content["role"] == "model" {
            match groups.last_mut() {
                Some((last, _)) if last["role"] == "model" => {
                    mended(last["parts"].as_array_mut().unwrap(), parts);
                }
                _ => groups.push((content, false)),
            }
            continue;
        }
        if parts.is_empty() || content["role"] != "user" {
            groups.push((content, false));
            continue;
        }
        let mut before = None;
        for part in parts {
            let result = part.get("functionResponse").is_some();
            let joins = groups.last().is_some_and(|(_, results)| *results && result)
                || before == Some(result);
            match groups.last_mut().filter(|_| joins) {
                Some((last, _)) => last["parts"].as_array_mut().unwrap().push(part),
                None => groups.push((json!({"role": "user", "parts": [part]}), result)),
            }
            before = Some(result);
        }
    }
    groups.into_iter().map(|(content, _)| content).collect()
}

/// Adds the parts of the next content, joined where a text or a thought goes on.
fn mended(before: &mut Vec<Value>, mut parts: Vec<Value>) {
    let bare = |part: &Value| {
        let known = |name: &String| matches!(name.as_str(), "text" | "thought");
        part["text"].is_string() && part.as_object().is_some_and(|part| part.keys().all(known))
    };
    if let (Some(last), Some(first)) = (before.last(), parts.first())
        && bare(last)
        && bare(first)
        && last.get("thought") == first.get("thought")
    {
        let joined = last["text"].as_str().unwrap().to_owned() + first["text"].as_str().unwrap();
        parts[0]["text"] = json!(joined);
        before.pop();
    }
    before.extend(parts);
}

fn tools(fields: &mut Map<String, Value>) {
    one_as_list(fields, "tools");
    let mut joined: Vec<Value> = Vec::new();
    for tool in fields.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(functions) = tool.get_mut("functionDeclarations").and_then(Value::as_array_mut)
        else {
            joined.push(tool.take());
            continue;
        };
        for function in &mut *functions {
            let function = function.as_object_mut().unwrap();
            if let Some(mut schema) = function.remove("parameters") {
                json_schema(&mut schema);
                function.insert("parametersJsonSchema".into(), schema);
            }
        }
        let functions = functions.clone();
        match joined.last_mut().and_then(|last| last.get_mut("functionDeclarations")) {
            Some(last) => last.as_array_mut().unwrap().extend(functions),
            None => joined.push(json!({"functionDeclarations": functions})),
        }
    }
    if fields.contains_key("tools") {
        fields.insert("tools".into(), Value::Array(joined));
    }
}

fn settings(config: &mut Map<String, Value>) {
    if let Some(mut schema) = config.remove("responseSchema") {
        json_schema(&mut schema);
        config.insert("responseJsonSchema".into(), schema);
    }
    if config.get("responseMimeType") == Some(&json!("text/plain")) {
        config.remove("responseMimeType");
    }
    if config.get("stopSequences") == Some(&json!([])) {
        config.remove("stopSequences");
    }
    if let Some(level) =
        config.get_mut("thinkingConfig").and_then(|all| all.get_mut("thinkingLevel"))
    {
        *level = json!(level.as_str().unwrap().to_uppercase());
    }
}

/// Spells the types of a schema as JSON Schema does, wherever they stand.
fn json_schema(schema: &mut Value) {
    const NUMBERED: [&str; 7] = ["", "string", "number", "integer", "boolean", "array", "object"];
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let ("type", Some(word)) = (name.as_str(), value.as_str()) {
                    *value = json!(word.to_lowercase());
                } else if let ("type", Some(number)) = (name.as_str(), value.as_u64()) {
                    *value = json!(NUMBERED[usize::try_from(number).unwrap()]);
                } else if !matches!(name.as_str(), "enum" | "required" | "default") {
                    json_schema(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(json_schema),
        _ => {}
    }
}

/// Brings a whole answer to one spelling.
pub(crate) fn response(mut body: Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    fields.entry("candidates").or_insert_with(|| json!([]));
    let candidates = fields["candidates"].as_array_mut().into_iter().flatten();
    for (index, candidate) in candidates.enumerate() {
        let candidate = candidate.as_object_mut().unwrap();
        candidate.entry("index").or_insert_with(|| json!(index));
        let content = candidate.entry("content").or_insert_with(|| json!({}));
        if content.is_null() {
            *content = json!({});
        }
        let content = content.as_object_mut().unwrap();
        content.entry("role").or_insert_with(|| json!("model"));
        content.entry("parts").or_insert_with(|| json!([]));
        content["parts"].as_array_mut().into_iter().flatten().for_each(part);
    }
    if let Some(usage) = fields.get_mut("usageMetadata").and_then(Value::as_object_mut) {
        self::usage(usage);
    }
    body
}

/// A count of nothing may be said or not, and the total is the sum where nobody says it.
fn usage(usage: &mut Map<String, Value>) {
    usage.retain(|name, count| !(name.ends_with("TokenCount") && *count == json!(0)));
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
    let sum = count("promptTokenCount")
        + count("toolUsePromptTokenCount")
        + count("candidatesTokenCount")
        + count("thoughtsTokenCount");
    if sum > 0 {
        usage.entry("totalTokenCount").or_insert_with(|| json!(sum));
    }
}
