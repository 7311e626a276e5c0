//! Schemas that a host compiles into a grammar, as Anthropic and Bedrock do with the schema of an
//! answer and with those of strict tools: a part of JSON Schema, in which every object is closed.
//!
//! What a grammar cannot hold becomes words in the description, as the official SDKs have it, and
//! is a loss. An object with keys of any name cannot be closed, and a schema that refers to itself
//! has no grammar: then the caller has to ask in another way.
//!
//! Source: <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>.

use ir::dialect::SchemaBy;
use ir::{Output, RawJson, Schema};
use serde_json::{Map, Value};

use crate::losses::Losses;

/// Below this depth a schema has no grammar.
const DEEPEST: usize = 64;

/// What no grammar holds. A `minItems` beyond 1, other formats and some patterns are judged by
/// their value.
const UNHELD: [&str; 22] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contains",
    "minContains",
    "maxContains",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "not",
    "if",
    "then",
    "else",
];

/// The formats of texts that a grammar knows.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// What the grammars of patterns do not know: words' ends, looking around and back.
const PATTERNS: [&str; 7] = ["\\b", "\\B", "(?=", "(?!", "(?<", "\\1", "\\k"];

/// What a schema stands for: parameters of which none are named are none, an answer of which none
/// are named is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// The answer.
    Answer,
    /// The parameters of a tool.
    Tool,
}

/// Why a schema has no grammar.
pub(crate) type Unfit = &'static str;

const OPEN: Unfit = "an object of the schema takes keys of any name, which cannot be enforced here";
const JOINED: Unfit = "objects of the schema are joined, which cannot be enforced here";
const CIRCLING: Unfit = "the schema refers to itself, which cannot be enforced here";
const DEEP: Unfit = "the schema is too deep to be enforced here";

/// Returns how an answer is made to fit its schema where a host would do it natively: one that it
/// cannot enforce goes by a tool, and in words where it is no object, since parameters are one.
pub(crate) fn by(output: &Output, wanted: SchemaBy, losses: &mut Losses) -> SchemaBy {
    let Output::Schema(Schema { schema: Some(raw), .. }) = output else { return wanted };
    if wanted != SchemaBy::Native || losses.home() {
        return wanted;
    }
    let Err(why) = Cleaner::clean(raw, For::Answer) else { return wanted };
    let object = raw.value().get("type").is_none_or(|kind| kind == "object");
    let (by, instead) = if object {
        (SchemaBy::Tool, "the answer comes by a tool")
    } else {
        (SchemaBy::Prompt, "it is asked for in words")
    };
    losses.because("output.schema", format!("{why}: {instead}"));
    by
}

/// Brings a schema to what a host enforces, and notes under its path what was changed.
pub(crate) fn fit(
    raw: &RawJson,
    of: For,
    path: &str,
    losses: &mut Losses,
) -> Result<RawJson, Unfit> {
    let (schema, cleaner) = Cleaner::clean(raw, of)?;
    if cleaner.closed {
        losses.because(path, "objects of a schema take no further fields here");
    }
    for (place, why) in cleaner.said {
        losses.because(format!("{path}{place}"), why);
    }
    Ok(RawJson::parse(schema.to_string()).unwrap_or_else(|_| raw.clone()))
}

#[derive(Default)]
struct Cleaner {
    /// Whether an object was closed that did not say so.
    closed: bool,
    /// What was said otherwise: where, and how.
    said: Vec<(String, &'static str)>,
}

impl Cleaner {
    fn clean(raw: &RawJson, of: For) -> Result<(Value, Self), Unfit> {
        let (mut schema, mut cleaner) = (raw.value(), Self::default());
        if circles(&schema) {
            return Err(CIRCLING);
        }
        if let (For::Tool, Value::Object(fields)) = (of, &mut schema)
            && !["properties", "anyOf", "oneOf", "allOf", "$ref"]
                .iter()
                .any(|name| fields.contains_key(*name))
        {
            fields.entry("type").or_insert_with(|| "object".into());
            fields.insert("properties".to_owned(), Map::new().into());
        }
        cleaner.schema(&mut schema, "", 0)?;
        Ok((schema, cleaner))
    }

    fn schema(&mut self, schema: &mut Value, at: &str, depth: usize) -> Result<(), Unfit> {
        let Value::Object(fields) = schema else { return Ok(()) };
        if depth > DEEPEST {
            return Err(DEEP);
        }
        self.either(fields, at);
        self.describe(fields, at);
        self.close(fields)?;
        for (name, value) in fields.iter_mut() {
            match (name.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                    for (key, value) in named.iter_mut() {
                        self.schema(value, &format!("{at}.{name}.{key}"), depth + 1)?;
                    }
                }
                ("allOf", Value::Array(all)) if all.len() > 1 => return Err(JOINED),
                ("anyOf" | "allOf" | "prefixItems" | "items", Value::Array(all)) => {
                    for (number, value) in all.iter_mut().enumerate() {
                        self.schema(value, &format!("{at}.{name}[{number}]"), depth + 1)?;
                    }
                }
                ("items", value) => self.schema(value, &format!("{at}.items"), depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Says "one of" as "any of", which is what grammars know.
    fn either(&mut self, fields: &mut Map<String, Value>, at: &str) {
        // It says by which field the alternatives differ, which their constants say too.
        fields.shift_remove("discriminator");
        fields.shift_remove("$schema");
        if fields.get("oneOf").is_some_and(Value::is_array)
            && !fields.contains_key("anyOf")
            && let Some(all) = fields.shift_remove("oneOf")
        {
            fields.insert("anyOf".to_owned(), all);
            self.said.push((format!("{at}.oneOf"), "it is said as anyOf"));
        }
    }

    /// Moves what a grammar does not hold into the description.
    fn describe(&mut self, fields: &mut Map<String, Value>, at: &str) {
        let names: Vec<String> = fields
            .iter()
            .filter(|(name, value)| unheld(name, value))
            .map(|(n, _)| n.clone())
            .collect();
        if names.is_empty() {
            return;
        }
        let mut words = Vec::with_capacity(names.len());
        for name in names {
            if let Some(value) = fields.shift_remove(&name) {
                words.push(format!("{name}: {value}"));
            }
            self.said
                .push((format!("{at}.{name}"), "it is not enforced here, and described instead"));
        }
        let words = format!("{{{}}}", words.join(", "));
        let described = match fields.get("description").and_then(Value::as_str) {
            Some(said) if !said.is_empty() => format!("{said}\n\n{words}"),
            _ => words,
        };
        fields.insert("description".to_owned(), described.into());
    }

    /// Closes an object that does not say whether it is open. One that names no fields and does not
    /// say that it has none is open: closed it could only be empty.
    fn close(&mut self, fields: &mut Map<String, Value>) -> Result<(), Unfit> {
        let object = match fields.get("type") {
            Some(Value::String(kind)) => kind == "object",
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
            _ => fields.contains_key("properties"),
        };
        if fields.contains_key("patternProperties") {
            return Err(OPEN);
        }
        match fields.get("additionalProperties") {
            Some(Value::Bool(false)) => Ok(()),
            Some(_) => Err(OPEN),
            None if !object => Ok(()),
            None if !fields.contains_key("properties") => Err(OPEN),
            None => {
                self.closed = true;
                fields.insert("additionalProperties".to_owned(), false.into());
                Ok(())
            }
        }
    }
}

fn unheld(name: &str, value: &Value) -> bool {
    match name {
        "minItems" => value.as_u64().is_none_or(|least| least > 1),
        "format" => value.as_str().is_some_and(|format| !FORMATS.contains(&format)),
        "pattern" => {
            let strange = |pattern: &str| PATTERNS.iter().any(|words| pattern.contains(words));
            value.as_str().is_some_and(strange)
        }
        name => UNHELD.contains(&name) || name.starts_with("unevaluated"),
    }
}

/// Returns whether a schema refers to itself, by way of its definitions.
fn circles(schema: &Value) -> bool {
    let defined = |name: &str| {
        ["$defs", "definitions"].into_iter().find_map(|place| schema.get(place)?.get(name))
    };
    let mut starts = Vec::new();
    referred(schema, &mut starts);
    if starts.iter().any(|name| name == "#") {
        return true;
    }
    let all =
        ["$defs", "definitions"].into_iter().filter_map(|place| schema.get(place)?.as_object());
    let names: Vec<&String> = all.flat_map(Map::keys).collect();
    names.into_iter().any(|name| {
        let (mut seen, mut left) = (Vec::new(), Vec::new());
        left.push(name.clone());
        while let Some(next) = left.pop() {
            let mut further = Vec::new();
            if let Some(definition) = defined(&next) {
                referred(definition, &mut further);
            }
            for reference in further {
                if reference == *name {
                    return true;
                }
                if !seen.contains(&reference) {
                    seen.push(reference.clone());
                    left.push(reference);
                }
            }
        }
        false
    })
}

/// Gathers the names of the definitions that a schema refers to; `#` is the whole.
fn referred(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(place)) = fields.get("$ref") {
                let name = place.rsplit('/').next().unwrap_or_default();
                names.push(name.to_owned());
            }
            fields.values().for_each(|value| referred(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| referred(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use ir::{Dialect, RawJson};

    use super::{For, fit};
    use crate::losses::Losses;

    fn check(of: For, schema: &str, expected: &Expect) {
        let mut losses = Losses::new(Dialect::AnthropicMessages, Dialect::OpenaiChat);
        let raw = RawJson::parse(schema.to_owned()).unwrap();
        let mut shown = match fit(&raw, of, "s", &mut losses) {
            Ok(schema) => format!("{}\n", schema.text()),
            Err(why) => format!("{why}\n"),
        };
        for loss in losses.done() {
            shown += &format!("{}: {}\n", loss.path, loss.why);
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn what_no_grammar_holds_is_described() {
        check(
            For::Answer,
            r##"{"$schema":"x","type":"object","properties":{"minimum":{"type":"integer","minimum":1,"maximum":9,"description":"How many."},"tags":{"type":"array","minItems":2,"items":{"type":"string","pattern":"^a+$","format":"phone"}},"n":{"oneOf":[{"type":"string","pattern":"a(?=b)"},{"type":"null"}]}},"default":{"minimum":1}}"##,
            &expect![[r#"
                {"type":"object","properties":{"minimum":{"type":"integer","description":"How many.\n\n{minimum: 1, maximum: 9}"},"tags":{"type":"array","items":{"type":"string","pattern":"^a+$","description":"{format: \"phone\"}"},"description":"{minItems: 2}"},"n":{"anyOf":[{"type":"string","description":"{pattern: \"a(?=b)\"}"},{"type":"null"}]}},"default":{"minimum":1},"additionalProperties":false}
                s: objects of a schema take no further fields here
                s.properties.minimum.minimum: it is not enforced here, and described instead
                s.properties.minimum.maximum: it is not enforced here, and described instead
                s.properties.tags.minItems: it is not enforced here, and described instead
                s.properties.tags.items.format: it is not enforced here, and described instead
                s.properties.n.oneOf: it is said as anyOf
                s.properties.n.anyOf[0].pattern: it is not enforced here, and described instead
            "#]],
        );
        check(
            For::Tool,
            r##"{"type":"object","properties":{"a":{"type":"array","minItems":1,"items":{"$ref":"#/$defs/P"}}},"additionalProperties":false,"$defs":{"P":{"properties":{"x":{"type":"number"}}}}}"##,
            &expect![[r##"
                {"type":"object","properties":{"a":{"type":"array","minItems":1,"items":{"$ref":"#/$defs/P"}}},"additionalProperties":false,"$defs":{"P":{"properties":{"x":{"type":"number"}},"additionalProperties":false}}}
                s: objects of a schema take no further fields here
            "##]],
        );
    }

    #[test]
    fn a_tool_without_parameters_takes_none_and_an_answer_without_fields_is_any() {
        check(
            For::Tool,
            "{}",
            &expect![[r#"
            {"type":"object","properties":{},"additionalProperties":false}
            s: objects of a schema take no further fields here
        "#]],
        );
        check(
            For::Answer,
            r#"{"type":"object"}"#,
            &expect![[r#"
            an object of the schema takes keys of any name, which cannot be enforced here
        "#]],
        );
    }

    #[test]
    fn what_cannot_be_closed_has_no_grammar() {
        for open in [
            r##"{"type":"object","additionalProperties":{"type":"string"}}"##,
            r##"{"type":"object","properties":{"a":{"type":"object"}}}"##,
            r##"{"type":"object","properties":{"a":{"type":["object","null"],"properties":{},"additionalProperties":true}}}"##,
        ] {
            let mut losses = Losses::new(Dialect::AnthropicMessages, Dialect::OpenaiChat);
            let raw = RawJson::parse(open.to_owned()).unwrap();
            assert_eq!(fit(&raw, For::Answer, "s", &mut losses).unwrap_err(), super::OPEN);
            assert!(losses.done().is_empty());
        }
        check(
            For::Answer,
            r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}}},"B":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}}}"##,
            &expect![[r#"
                the schema refers to itself, which cannot be enforced here
            "#]],
        );
        check(
            For::Answer,
            r#"{"allOf":[{"type":"object"},{"type":"object"}]}"#,
            &expect![[r#"
            objects of the schema are joined, which cannot be enforced here
        "#]],
        );
    }
}
