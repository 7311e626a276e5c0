//! Google's own schemas to JSON Schema: types in capitals or by number, `nullable`, counts as texts.
//! What is JSON Schema already stays the text it came in.

use ir::RawJson;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// Below this depth a schema is left as it is.
const DEEPEST: usize = 64;

/// The types by the number of their enumeration.
const TYPES: [&str; 8] =
    ["unspecified", "string", "number", "integer", "boolean", "array", "object", "null"];

/// Fields whose value is a schema, a list of schemas, or schemas by name.
const SCHEMAS: [&str; 11] = [
    "items",
    "not",
    "additionalProperties",
    "anyOf",
    "any_of",
    "oneOf",
    "allOf",
    "prefixItems",
    "properties",
    "$defs",
    "definitions",
];

/// Counts, which Google's JSON spells as texts.
const COUNTS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// Reads a schema of either kind as JSON Schema.
pub(super) fn read(raw: &RawValue) -> RawJson {
    let kept = RawJson::keep(raw);
    let Ok(before) = serde_json::from_str::<Value>(raw.get()) else { return kept };
    let mut after = before.clone();
    plain(&mut after, 0);
    if after == before {
        return kept;
    }
    RawJson::parse(after.to_string()).unwrap_or(kept)
}

fn plain(schema: &mut Value, depth: usize) {
    let Some(fields) = schema.as_object_mut().filter(|_| depth < DEEPEST) else { return };
    if let Some(kind) = fields.get_mut("type") {
        named(kind);
    }
    for name in COUNTS {
        if let Some(count) = fields.get_mut(name)
            && let Some(number) = count.as_str().and_then(|text| text.parse::<u64>().ok())
        {
            *count = json!(number);
        }
    }
    for (name, value) in fields.iter_mut().filter(|(name, _)| SCHEMAS.contains(&name.as_str())) {
        match value {
            Value::Array(schemas) => schemas.iter_mut().for_each(|one| plain(one, depth + 1)),
            Value::Object(schemas)
                if matches!(name.as_str(), "properties" | "$defs" | "definitions") =>
            {
                schemas.values_mut().for_each(|one| plain(one, depth + 1));
            }
            value => plain(value, depth + 1),
        }
    }
    if fields.get("nullable").is_some_and(Value::is_boolean) {
        let nullable = fields.shift_remove("nullable");
        if nullable == Some(json!(true)) {
            or_null(fields);
        }
    }
}

/// Spells a type as JSON Schema does; a list of types stays.
fn named(kind: &mut Value) {
    let name = match &*kind {
        Value::String(name) => name.to_ascii_lowercase(),
        Value::Number(number) => {
            let at = number.as_u64().and_then(|at| usize::try_from(at).ok());
            match at.and_then(|at| TYPES.get(at)) {
                Some(name) => (*name).to_owned(),
                None => return,
            }
        }
        _ => return,
    };
    *kind = Value::String(name);
}

fn or_null(fields: &mut Map<String, Value>) {
    if let Some(kind) = fields.get_mut("type") {
        if kind.is_string() {
            *kind = json!([kind.take(), "null"]);
        }
    } else if let Some(Value::Array(schemas)) = fields.get_mut("anyOf") {
        schemas.push(json!({"type": "null"}));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    fn check(before: &str, after: &str) {
        let raw = RawValue::from_string(before.to_owned()).unwrap();
        assert_eq!(super::read(&raw).text(), after);
    }

    #[test]
    fn a_schema_in_googles_words_becomes_json_schema_and_any_other_stays() {
        let same = r#"{ "type":"object", "properties":{"type":{"type":"string"}} }"#;
        check(same, same);
        check(
            r#"{"type":"OBJECT","properties":{"a":{"type":1,"nullable":true},"type":{"type":"ARRAY","minItems":"2","items":{"type":"STRING"}}},"required":["a"]}"#,
            r#"{"type":"object","properties":{"a":{"type":["string","null"]},"type":{"type":"array","minItems":2,"items":{"type":"string"}}},"required":["a"]}"#,
        );
        check(
            r#"{"anyOf":[{"type":"STRING"}],"nullable":true}"#,
            r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#,
        );
    }
}
