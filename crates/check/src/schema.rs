//! JSON Schema: whether a value fits the caller's schema.
//!
//! References are never fetched. A schema that is too large or does not compile is the caller's
//! matter and fails no answer.

use jsonschema::PatternOptions;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

/// Larger schemas are not compiled.
const LARGEST: usize = 256 * 1024;

/// More errors than these are not counted.
const MOST_ERRORS: usize = 20;

/// Steps a pattern of a schema may go back.
const BACKTRACKS: usize = 50_000;

/// The largest compiled pattern of a schema, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// A schema as a request says it, read once for every answer to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema(Result<Value, &'static str>);

/// Whether a value fits a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It does.
    Fits,
    /// The schema cannot be used, for this reason.
    Unusable(&'static str),
    /// It does not: where in the schema it fails, and how often.
    Misfit(String),
}

impl Schema {
    /// Reads a schema; one that cannot be used keeps why.
    pub fn read(text: &str) -> Self {
        if text.len() > LARGEST {
            return Self(Err("the schema is too large to be used"));
        }
        Self(serde_json::from_str(text).map_err(|_| "the schema is no JSON"))
    }

    /// Returns what it says; of one that cannot be used nothing.
    pub(crate) fn said(&self) -> &Value {
        self.0.as_ref().unwrap_or(&Value::Null)
    }

    /// Holds a value against it.
    pub(crate) fn fit(&self, value: &Value) -> Fit {
        match &self.0 {
            Ok(schema) => fit(schema, value),
            Err(why) => Fit::Unusable(why),
        }
    }
}

fn fit(schema: &Value, value: &Value) -> Fit {
    let patterns = PatternOptions::fancy_regex()
        .backtrack_limit(BACKTRACKS)
        .size_limit(LARGEST_PATTERN)
        .dfa_size_limit(LARGEST_PATTERN);
    let options = jsonschema::options().offline().with_pattern_options(patterns);
    let Ok(validator) = options.build(schema) else {
        return Fit::Unusable("the schema does not compile");
    };
    let mut errors = validator.iter_errors(value).take(MOST_ERRORS);
    let Some(first) = errors.next() else { return Fit::Fits };
    if let ValidationErrorKind::BacktrackLimitExceeded { .. } = first.kind() {
        return Fit::Unusable("a pattern of the schema takes too long");
    }
    // The place in the schema and not in the value, whose keys the model may have made up.
    let at = first.schema_path().to_string();
    match errors.count() {
        0 => Fit::Misfit(format!("at {at}")),
        more => Fit::Misfit(format!("at {at} and in {more} more places")),
    }
}

#[cfg(test)]
mod tests;
