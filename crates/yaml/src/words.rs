//! How problems speak: of text, lists and maps, not of strings, sequences and objects. Quotes only
//! what the file says.

use crate::closest::closest;
use crate::node::{Node, Scalar, Value};
use crate::scalar::{self, DECIMAL, Kind};

/// Longer quotations are cut.
const SHOWN: usize = 60;

/// Longer lists of what is known are cut.
const LISTED: usize = 20;

/// Quotes a text of the file: its first line, without what a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let quoted: String = line.chars().take(SHOWN).flat_map(printable).collect();
    let cut =
        if text.trim_end().len() > line.len() || line.chars().count() > SHOWN { "…" } else { "" };
    format!("`{quoted}{cut}`")
}

fn printable(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}

/// Says what a value is.
pub(crate) fn found(node: &Node) -> String {
    let scalar = match &node.value {
        Value::List(_) => return "a list".to_owned(),
        Value::Map(_) => return "a map".to_owned(),
        Value::Scalar(scalar) => scalar,
    };
    let shown = shown(scalar.written());
    match (&**scalar, Kind::of(scalar.text())) {
        (Scalar::Filled { .. }, _) => format!("the value of {shown}"),
        (Scalar::Plain(_), Kind::Nothing) => "nothing".to_owned(),
        (Scalar::Plain(_), Kind::Bool) => shown,
        (Scalar::Plain(_), Kind::Whole | Kind::Fraction) => format!("the number {shown}"),
        (_, _) => format!("the text {shown}"),
    }
}

/// Says which values are wanted, given types of JSON Schema.
pub(crate) fn wanted(types: &[&str]) -> String {
    let mut words: Vec<&str> = Vec::new();
    // That a value may also be left out is no news to somebody who gave one.
    for name in types.iter().filter(|name| types.len() == 1 || **name != "null") {
        let word = word(name);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => "nothing".to_owned(),
    }
}

fn word(schema_type: &str) -> &'static str {
    match schema_type {
        "null" => "nothing",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        DECIMAL => "a decimal number",
        "string" => "text",
        "array" => "a list",
        _ => "a map",
    }
}

/// Says how a value of the wrong type becomes one of the wanted types.
pub(crate) fn retype(node: &Node, types: &[&str]) -> Option<String> {
    let wants = |name| types.contains(&name);
    let scalar = node.scalar()?;
    // What helps a text of the file tells nothing of the value of a variable.
    if matches!(scalar, Scalar::Filled { .. }) {
        return None;
    }
    let text = scalar.text();
    match (scalar, Kind::of(text)) {
        (Scalar::Plain(_), Kind::Nothing) if wants("object") => {
            Some("remove the key, or write `{}` for an empty map".to_owned())
        }
        (Scalar::Plain(_), Kind::Nothing) if wants("array") => {
            Some("remove the key, or write `[]` for an empty list".to_owned())
        }
        (Scalar::Plain(_), Kind::Nothing) => Some("give it a value, or remove the key".to_owned()),
        (Scalar::Plain(_), Kind::Bool | Kind::Whole | Kind::Fraction) if wants("string") => {
            Some(format!("quote it: \"{text}\""))
        }
        (_, Kind::Text) if wants("boolean") => lax_bool(text),
        (Scalar::Quoted(_), kind) if types.iter().any(|name| kind.is(name)) => {
            Some("remove the quotes".to_owned())
        }
        (_, Kind::Text) if wants("integer") || wants("number") => spelled_number(text),
        (_, Kind::Text) if wants("object") && text.contains(':') => {
            Some("put a space after the `:`".to_owned())
        }
        (_, _) if wants("array") => Some("write each element of a list as `- …`".to_owned()),
        _ => None,
    }
}

fn lax_bool(text: &str) -> Option<String> {
    match &*text.to_lowercase() {
        "yes" | "on" | "y" | "true" => Some("write true".to_owned()),
        "no" | "off" | "n" | "false" => Some("write false".to_owned()),
        _ => None,
    }
}

fn spelled_number(text: &str) -> Option<String> {
    let bare = text.replace(['_', ' ', '\''], "");
    let is_number = scalar::is_decimal(&bare);
    is_number.then(|| format!("write only digits: {bare}"))
}

/// Says which known word was meant, or else which ones are known.
pub(crate) fn suggest(word: &str, known: &[&str]) -> Option<String> {
    let meant: Vec<String> =
        closest(word, known.iter().copied(), 2).into_iter().map(shown).collect();
    if meant.is_empty() {
        list(known)
    } else {
        Some(format!("did you mean {}?", meant.join(" or ")))
    }
}

/// Lists the known words.
pub(crate) fn list(known: &[&str]) -> Option<String> {
    let quoted: Vec<String> = known.iter().take(LISTED).map(|word| shown(word)).collect();
    let more = if known.len() > LISTED { ", …" } else { "" };
    match known {
        [] => None,
        [_] => Some(format!("only {} is known here", quoted.concat())),
        _ => Some(format!("one of {}{more}", quoted.join(", "))),
    }
}
