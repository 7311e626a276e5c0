//! Scalars: their JSON, and what a schema says of a single value. Messages quote what the file
//! says; for the value of a variable they do not even say what it resembles.

use std::cmp::Ordering;

use serde_json::{Number, Value as Json};

use super::schemas::{self, Layer};
use crate::node::Scalar;
use crate::scalar::{self, Kind};
use crate::words;

/// Why a scalar does not fit.
pub(super) struct Misfit {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Returns the JSON of a scalar read as `kind`.
pub(super) fn json(scalar: &Scalar, kind: Kind, layers: &[&Layer]) -> Result<Json, Misfit> {
    let text = scalar.text();
    let decimal = layers.iter().any(|layer| schemas::is_decimal(layer));
    match kind {
        Kind::Nothing => Ok(Json::Null),
        _ if decimal => exact(scalar),
        Kind::Bool => Ok(Json::Bool(text == "true")),
        Kind::Whole | Kind::Fraction => match scalar::number(text) {
            Some(number) => Ok(Json::Number(number)),
            None => Err(Misfit {
                message: format!("the number {} is out of range", words::shown(scalar.written())),
                help: None,
            }),
        },
        Kind::Text | Kind::List | Kind::Map => Ok(Json::String(text.to_owned())),
    }
}

/// Hands over the text of a decimal, so that no digit is lost in a float.
fn exact(scalar: &Scalar) -> Result<Json, Misfit> {
    if scalar::is_decimal(scalar.text()) {
        return Ok(Json::String(scalar.text().to_owned()));
    }
    let message = format!("expected a decimal number, found {}", words::shown(scalar.written()));
    Err(Misfit { message, help: Some("write digits with a point, such as 0.59".to_owned()) })
}

/// Says what a schema has against a value of the right type.
pub(super) fn misfit(scalar: &Scalar, json: &Json, layers: &[&Layer]) -> Option<Misfit> {
    layers.iter().find_map(|layer| {
        not_allowed(scalar, json, layer)
            .or_else(|| out_of_bounds(scalar, json, layer))
            .or_else(|| wrong_length(json, layer))
    })
}

fn not_allowed(scalar: &Scalar, json: &Json, layer: &Layer) -> Option<Misfit> {
    let allowed: Vec<&Json> = match (layer.get("const"), layer.get("enum")) {
        (Some(only), _) => vec![only],
        (None, Some(Json::Array(several))) => several.iter().collect(),
        (None, _) => return None,
    };
    if allowed.contains(&json) {
        return None;
    }
    let others = allowed.iter().filter(|value| !value.is_null() && !value.is_string());
    let others: Vec<String> = others.map(ToString::to_string).collect();
    let texts = allowed.iter().filter_map(|value| value.as_str());
    let known: Vec<&str> = texts.chain(others.iter().map(String::as_str)).collect();
    Some(unknown(scalar, &known))
}

/// Says that a value is none of the known ones.
pub(super) fn unknown(scalar: &Scalar, known: &[&str]) -> Misfit {
    let message = format!("unknown value {}", words::shown(scalar.written()));
    let help = match scalar {
        Scalar::Filled { .. } => words::list(known),
        Scalar::Plain(text) | Scalar::Quoted(text) => words::suggest(text, known),
    };
    Misfit { message, help }
}

fn out_of_bounds(scalar: &Scalar, json: &Json, layer: &Layer) -> Option<Misfit> {
    let Json::Number(number) = json else { return None };
    let bounds = [
        ("minimum", "at least", Ordering::Less, false),
        ("maximum", "at most", Ordering::Greater, false),
        ("exclusiveMinimum", "greater than", Ordering::Less, true),
        ("exclusiveMaximum", "less than", Ordering::Greater, true),
    ];
    for (keyword, words, outside, or_equal) in bounds {
        let Some(bound) = layer.get(keyword).and_then(Json::as_number) else { continue };
        let order = compared(number, bound);
        if order == outside || (or_equal && order == Ordering::Equal) {
            return Some(beyond(scalar, words, &bound.to_string()));
        }
    }
    // schemars leaves these two to the reader.
    let (least, most) = match layer.get("format").and_then(Json::as_str)? {
        "uint32" => (0, i128::from(u32::MAX)),
        "int32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => return None,
    };
    match number.as_i128()? {
        small if small < least => Some(beyond(scalar, "at least", &least.to_string())),
        big if big > most => Some(beyond(scalar, "at most", &most.to_string())),
        _ => None,
    }
}

fn beyond(scalar: &Scalar, words: &str, bound: &str) -> Misfit {
    let shown = words::shown(scalar.written());
    Misfit { message: format!("must be {words} {bound}, found {shown}"), help: None }
}

fn compared(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128(), a.as_f64(), b.as_f64()) {
        (Some(a), Some(b), _, _) => a.cmp(&b),
        (_, _, Some(a), Some(b)) => a.total_cmp(&b),
        _ => Ordering::Equal,
    }
}

fn wrong_length(json: &Json, layer: &Layer) -> Option<Misfit> {
    let count = json.as_str()?.chars().count();
    let least = layer.get("minLength").and_then(Json::as_u64).unwrap_or_default();
    if count == 0 && least > 0 {
        return Some(Misfit { message: "must not be empty".to_owned(), help: None });
    }
    let bounds = ["minLength", "maxLength"];
    let message = schemas::too_few_or_many(&[layer], bounds, count, "character")?;
    Some(Misfit { message, help: None })
}
