//! The JSON Schema of a configuration type: what editors complete and what the check walks by.

use schemars::JsonSchema;

/// Returns the JSON Schema of what `T` is read from.
pub fn schema<T: JsonSchema>() -> serde_json::Value {
    schemars::schema_for!(T).to_value()
}
