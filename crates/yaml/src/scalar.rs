//! What an unquoted scalar is: the core schema of YAML 1.2, with one strictness: of all spellings
//! of a boolean only `true` and `false` are one, so that `no` stays a country. Texts are kept, so
//! that `0.59` is never a float on its way to a decimal.

use serde_json::Number;

/// What a value can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    Bool,
    Whole,
    Fraction,
    Text,
    List,
    Map,
}

impl Kind {
    /// Returns what an unquoted text is.
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Nothing,
            "true" | "false" => Self::Bool,
            _ if is_whole(text) => Self::Whole,
            _ if is_fraction(text) => Self::Fraction,
            _ => Self::Text,
        }
    }

    /// Returns whether it counts as a value of a type of JSON Schema, or of `DECIMAL`.
    pub(crate) fn is(self, schema_type: &str) -> bool {
        match self {
            Self::Nothing => schema_type == "null",
            Self::Bool => schema_type == "boolean",
            Self::Whole => matches!(schema_type, "integer" | "number" | DECIMAL),
            Self::Fraction => matches!(schema_type, "number" | DECIMAL),
            Self::Text => matches!(schema_type, "string" | DECIMAL),
            Self::List => schema_type == "array",
            Self::Map => schema_type == "object",
        }
    }
}

/// The type that JSON Schema lacks: a number whose exact text is wanted, quoted or not.
pub(crate) const DECIMAL: &str = "decimal";

/// Reads a whole number or a fraction; nothing when it has no place in JSON (too big, infinite).
pub(crate) fn number(text: &str) -> Option<Number> {
    if !is_whole(text) {
        return text.parse().ok().and_then(Number::from_f64);
    }
    let whole = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => i128::from_str_radix(digits, 16),
        (_, Some(digits)) => i128::from_str_radix(digits, 8),
        _ => text.parse(),
    };
    Number::from_i128(whole.ok()?)
}

/// Returns whether a text is a decimal as people write prices: digits, perhaps a point and digits.
pub(crate) fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(part)
}

fn is_whole(text: &str) -> bool {
    let based = |prefix, radix| {
        let digits: Option<&str> = text.strip_prefix(prefix);
        digits.is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_digit(radix)))
    };
    is_digits(unsigned(text)) || based("0x", 16) || based("0o", 8)
}

fn is_fraction(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let text = unsigned(text);
    if matches!(text, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, unsigned(exponent)),
        None => (text, "0"),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |s: &str| s.is_empty() || is_digits(s);
    let some = !whole.is_empty() || !part.is_empty();
    some && digits(whole) && digits(part) && is_digits(exponent)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Kind, is_decimal, number};

    fn check(kind: Kind, texts: &[&str]) {
        for text in texts {
            assert_eq!(Kind::of(text), kind, "{text}");
        }
    }

    #[test]
    fn the_core_schema_decides_what_a_plain_scalar_is() {
        check(Kind::Nothing, &["", "~", "null"]);
        check(Kind::Bool, &["true", "false"]);
        check(Kind::Whole, &["0", "-7", "+7", "007", "0x1F", "0o17"]);
        check(
            Kind::Fraction,
            &["1.5", "1.", ".5", "-1e3", "1.10", "1e-3", ".inf", "-.inf", ".nan"],
        );
    }

    #[test]
    fn what_only_yaml_1_1_knows_is_text() {
        check(
            Kind::Text,
            &["yes", "no", "on", "off", "True", "FALSE", "y", "1_000", "12:30", "0b1"],
        );
        check(Kind::Text, &[".", "-", "+", "e5", "1e", "0x", "-0x1", "1.2.3", "٣"]);
    }

    #[test]
    fn a_number_has_a_value_or_no_place_in_json() {
        let read = |text| number(text).map(|n| n.to_string());
        assert_eq!(read("0x1F").as_deref(), Some("31"));
        assert_eq!(read("0o17").as_deref(), Some("15"));
        assert_eq!(read("007").as_deref(), Some("7"));
        assert_eq!(read("+7").as_deref(), Some("7"));
        assert_eq!(read("18446744073709551615").as_deref(), Some("18446744073709551615"));
        assert_eq!(read("1.50").as_deref(), Some("1.5"));
        for none in ["18446744073709551616", "1e999", ".inf", ".nan"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_decimal_is_written_plainly() {
        for good in ["0", "0.59", "-3", "12.500"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", "1e3", "+1", ".5", "1.", "1,5", "0x1", "1_000", "."] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }
}
