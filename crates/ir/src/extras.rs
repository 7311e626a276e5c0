//! JSON that is carried, not understood: single values with their text, and the fields of an
//! object that a reader had no name for. Nothing here is ever re-serialised.

use std::fmt;

use serde_json::value::RawValue;

/// A JSON value kept as the text it came in.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Keeps a borrowed raw value.
    pub fn keep(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }

    /// Parses a text, to be sure that it is JSON; the text itself is kept.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(Self)
    }

    /// Writes a JSON string literal.
    pub fn string(text: &str) -> Self {
        let quoted = serde_json::to_string(text).expect("invariant: a str is always JSON");
        Self(RawValue::from_string(quoted).expect("invariant: a quoted str is JSON"))
    }

    /// Returns the text as it came.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Returns the parsed value.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(self.0.get()).expect("invariant: a RawValue holds valid JSON")
    }
}

/// Equal as JSON: white space and the order of keys do not count.
impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() || self.value() == other.value()
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The fields of one object that its reader did not understand, in the order they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extras(pub Vec<(String, RawJson)>);

impl Extras {
    /// Returns whether there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks a field up by name.
    pub fn get(&self, name: &str) -> Option<&RawJson> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, raw)| raw)
    }

    /// Sets a field, in place when it is there already.
    pub fn set(&mut self, name: &str, raw: RawJson) {
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, kept)) => *kept = raw,
            None => self.0.push((name.to_owned(), raw)),
        }
    }

    /// Adds what a stream says later: lists grow at their end, anything else is replaced.
    pub fn absorb(&mut self, name: &str, raw: &RawJson) {
        use serde_json::Value;
        let grown = match (self.get(name).map(RawJson::value), raw.value()) {
            (Some(Value::Array(mut old)), Value::Array(new)) => {
                old.extend(new);
                RawJson::parse(Value::Array(old).to_string())
                    .expect("invariant: a Value prints as JSON")
            }
            (Some(Value::Array(_)), Value::Null) => return,
            _ => raw.clone(),
        };
        self.set(name, grown);
    }

    /// Iterates over names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(name, raw)| (name.as_str(), raw))
    }
}
