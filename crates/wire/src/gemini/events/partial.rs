//! Arguments that come bit by bit (Vertex): each bit names its place by a JSON path.

use serde_json::{Map, Number, Value};

/// The most entries a list is grown to by an index in a path.
const LONGEST: usize = 4_096;

/// The most steps of a path.
const DEEPEST: usize = 64;

enum Step {
    Key(String),
    Index(usize),
}

/// Puts one bit into the arguments: a text grows, anything else is replaced. A path that cannot be
/// followed is passed over.
pub(super) fn put(arguments: &mut Value, bit: &Value) {
    let Some(path) = bit.get("jsonPath").and_then(Value::as_str).and_then(steps) else { return };
    let Some(place) = follow(arguments, &path) else { return };
    if let Some(more) = bit.get("stringValue").and_then(Value::as_str) {
        match place {
            Value::String(text) => text.push_str(more),
            place => *place = Value::String(more.to_owned()),
        }
    } else if let Some(number) = bit.get("numberValue") {
        *place = whole(number);
    } else if let Some(flag) = bit.get("boolValue") {
        *place = flag.clone();
    } else if bit.get("nullValue").is_some() {
        *place = Value::Null;
    }
}

/// Numbers come as doubles; one without a fraction is whole.
fn whole(number: &Value) -> Value {
    let text = number.to_string();
    let whole = text.strip_suffix(".0").and_then(|text| text.parse::<i64>().ok());
    whole.map_or_else(|| number.clone(), |whole| Value::Number(Number::from(whole)))
}

/// Reads `$.a.b[0]['c']`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == DEEPEST {
            return None;
        }
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, left) = after.split_at(end);
            steps.push(Step::Key(key.to_owned()));
            rest = left;
        } else {
            let (inside, left) = bracket(rest.strip_prefix('[')?)?;
            steps.push(inside);
            rest = left;
        }
    }
    Some(steps).filter(|steps| !steps.is_empty())
}

fn bracket(text: &str) -> Option<(Step, &str)> {
    for quote in ['\'', '"'] {
        if let Some(after) = text.strip_prefix(quote) {
            let (key, left) = after.split_once(quote)?;
            return Some((Step::Key(key.to_owned()), left.strip_prefix(']')?));
        }
    }
    let (index, left) = text.split_once(']')?;
    Some((Step::Index(index.parse().ok().filter(|index| *index < LONGEST)?), left))
}

fn follow<'v>(mut at: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    for step in path {
        at = match step {
            Step::Key(key) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut()?.entry(key.as_str()).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut()?;
                if list.len() <= *index {
                    list.resize(index + 1, Value::Null);
                }
                list.get_mut(*index)?
            }
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn bits_find_their_places() {
        let mut arguments = json!({});
        for bit in [
            json!({"jsonPath": "$.city", "stringValue": "New ", "willContinue": true}),
            json!({"jsonPath": "$.city", "stringValue": "Delhi"}),
            json!({"jsonPath": "$.days[1]['wet bulb']", "numberValue": 21.0}),
            json!({"jsonPath": "$.days[0]", "nullValue": "NULL_VALUE"}),
            json!({"jsonPath": "$.sure", "boolValue": true}),
            json!({"jsonPath": "nowhere", "boolValue": true}),
            json!({"jsonPath": "$.x[99999999]", "boolValue": true}),
        ] {
            super::put(&mut arguments, &bit);
        }
        let expected: Value =
            json!({"city": "New Delhi", "days": [null, {"wet bulb": 21}], "sure": true});
        let known = arguments.as_object().unwrap().iter().filter(|(name, _)| *name != "x");
        assert_eq!(Value::Object(known.map(|(n, v)| (n.clone(), v.clone())).collect()), expected);
    }
}
