//! A JSON Schema as Markdown: one section a map, one row a key. Knows the shapes that `schemars`
//! writes for the types of this project.

use std::fmt::Write as _;

use serde_json::Value;

/// The page being written.
struct Page<'s> {
    root: &'s Value,
    /// Definitions that have their section, by pointer, with its label.
    written: Vec<(String, String)>,
    /// Sections to come: label and schema.
    waiting: Vec<(String, &'s Value)>,
    text: String,
}

/// Returns the sections of a schema.
pub(super) fn keys(schema: &str) -> String {
    let root: Value = serde_json::from_str(schema).unwrap();
    let mut page =
        Page { root: &root, written: Vec::new(), waiting: Vec::new(), text: String::new() };
    page.section("## Top level", "", &root);
    while !page.waiting.is_empty() {
        let (label, schema) = page.waiting.remove(0);
        page.section(&format!("### `{label}`"), &label, schema);
    }
    page.text.trim_end().to_owned()
}

impl<'s> Page<'s> {
    fn section(&mut self, title: &str, label: &str, schema: &'s Value) {
        writeln!(self.text, "{title}\n").unwrap();
        let about = about(schema);
        if !label.is_empty() && !about.is_empty() {
            writeln!(self.text, "{about}\n").unwrap();
        }
        if let Some(ways) = schema["oneOf"].as_array() {
            return self.alternatives(label, ways);
        }
        self.text += "| key | type | what |\n|---|---|---|\n";
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let path = if label.is_empty() { key.clone() } else { format!("{label}.{key}") };
            let mut kind = self.kind(&path, value);
            if required.iter().any(|needed| needed == key) {
                kind += ", required";
            }
            let what = format!("{} {}", self::about(value), self.meanings(value));
            writeln!(self.text, "| `{key}` | {kind} | {} |", what.trim()).unwrap();
        }
        self.text += "\n";
    }

    /// Lists the maps of which one is written.
    fn alternatives(&mut self, label: &str, ways: &'s [Value]) {
        self.text += "One of:\n\n";
        for way in ways {
            let name = way["properties"].as_object().unwrap().keys().next().unwrap();
            let kind = self.kind(&format!("{label}.{name}"), &way["properties"][name]);
            writeln!(self.text, "- `{name}` ({kind}): {}", about(way)).unwrap();
        }
        self.text += "\n";
    }

    /// Says what may stand at a path, and makes a section of a map.
    fn kind(&mut self, path: &str, schema: &'s Value) -> String {
        if let Some(pointer) = schema["$ref"].as_str() {
            return self.reference(path, pointer);
        }
        if let Some(one) = schema["anyOf"].as_array().and_then(|any| any.first()) {
            return self.kind(path, one);
        }
        let kind = match &schema["type"] {
            Value::Array(any) => any.iter().find_map(Value::as_str).unwrap_or_default(),
            one => one.as_str().unwrap_or_default(),
        };
        match kind {
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "array" => format!("list of {}", self.kind(&format!("{path}[]"), &schema["items"])),
            "object" if schema["additionalProperties"].is_object() => {
                let each = &schema["additionalProperties"];
                format!("by name, {}", self.kind(&format!("{path}.<name>"), each))
            }
            _ => self.map(path, schema),
        }
    }

    fn reference(&mut self, path: &str, pointer: &str) -> String {
        let target = self.root.pointer(pointer.trim_start_matches('#')).unwrap();
        if !meanings(target).is_empty() {
            return "word".to_owned();
        }
        if let Some(words) = target["enum"].as_array() {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            return format!("`{}`", words.join("` or `"));
        }
        if target["format"] == "decimal" {
            return "decimal".to_owned();
        }
        if target["type"] == "string" {
            return self.kind(path, target);
        }
        if let Some((_, label)) = self.written.iter().find(|(known, _)| known == pointer) {
            return link(label);
        }
        self.written.push((pointer.to_owned(), path.to_owned()));
        self.map(path, target)
    }

    fn map(&mut self, path: &str, schema: &'s Value) -> String {
        self.waiting.push((path.to_owned(), schema));
        link(path)
    }

    /// Lists the words that may stand there, with what each means.
    fn meanings(&self, schema: &Value) -> String {
        let schema = schema["anyOf"].as_array().and_then(|any| any.first()).unwrap_or(schema);
        let schema = schema.get("items").unwrap_or(schema);
        let Some(pointer) = schema["$ref"].as_str() else { return String::new() };
        meanings(self.root.pointer(pointer.trim_start_matches('#')).unwrap()).join("; ")
    }
}

fn link(label: &str) -> String {
    let anchor = label.chars().filter(|c| c.is_alphanumeric() || *c == '_');
    format!("[map](#{})", anchor.collect::<String>())
}

fn meanings(schema: &Value) -> Vec<String> {
    let named = |way: &Value| {
        let word = way["const"].as_str()?;
        Some(format!("`{word}`: {}", about(way).trim_end_matches('.')))
    };
    schema["oneOf"].as_array().into_iter().flatten().filter_map(named).collect()
}

/// Returns what a schema says of itself, on one line.
fn about(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.replace('\n', " ").replace('|', "\\|")
}
