//! `${NAME}` and `${NAME:-default}` in texts, `$$` for a dollar. Where the values come from is the
//! caller's business; what was found is never part of a message.

use crate::words;

/// Whether variables in texts are replaced while reading.
#[derive(Clone, Copy)]
pub enum Vars<'a> {
    /// Texts stay as they are written, `$$` and all: somebody replaces them later.
    Keep,
    /// Each variable is replaced by what this returns for its name.
    Lookup(&'a dyn Fn(&str) -> Option<String>),
}

/// A text after its variables were replaced.
#[derive(Debug, PartialEq)]
pub(crate) enum Replaced {
    /// No variable was named; `$$` has become `$`.
    Literal(String),
    /// Holds the value of a variable or its default.
    Filled(String),
}

/// What is wrong with a variable, and what to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Vars<'_> {
    /// Replaces the variables of a text, or says what is wrong with each of them.
    pub(crate) fn replace(self, text: &str) -> Result<Replaced, Vec<Fault>> {
        let Self::Lookup(lookup) = self else { return Ok(Replaced::Literal(text.to_owned())) };
        let mut replaced = String::with_capacity(text.len());
        let mut named = false;
        let mut faults = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            replaced.push_str(before);
            rest = after;
            if let Some(after) = after.strip_prefix('$') {
                replaced.push('$');
                rest = after;
            } else if let Some(inside) = after.strip_prefix('{') {
                named = true;
                let Some((inside, after)) = inside.split_once('}') else {
                    faults.push(unclosed());
                    break;
                };
                match value(inside, lookup) {
                    Ok(value) => replaced.push_str(&value),
                    Err(fault) => faults.push(fault),
                }
                rest = after;
            } else {
                replaced.push('$');
            }
        }
        replaced.push_str(rest);
        match (faults.is_empty(), named) {
            (false, _) => Err(faults),
            (true, true) => Ok(Replaced::Filled(replaced)),
            (true, false) => Ok(Replaced::Literal(replaced)),
        }
    }
}

/// Returns the value of what stands between the braces. As in a shell, `:-` also answers for a
/// variable that is set and empty.
fn value(inside: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Fault> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        return Err(misspelled(inside));
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err(nested(name));
    }
    match (lookup(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(unset(name)),
    }
}

/// Replaces the variables of one text that was kept while reading; the error is the first
/// variable's.
pub fn fill(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    match Vars::Lookup(lookup).replace(text) {
        Ok(Replaced::Literal(text) | Replaced::Filled(text)) => Ok(text),
        Err(faults) => {
            Err(faults.into_iter().next().map(|fault| fault.message).unwrap_or_default())
        }
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn unset(name: &str) -> Fault {
    Fault {
        message: format!("the variable `{name}` is not set"),
        help: format!("set it, or give a default: `${{{name}:-…}}`"),
    }
}

fn misspelled(inside: &str) -> Fault {
    Fault {
        message: format!("{} is not a variable", words::shown(&format!("${{{inside}}}"))),
        help: "write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar".to_owned(),
    }
}

fn nested(name: &str) -> Fault {
    Fault {
        message: format!("the default of the variable `{name}` names another variable"),
        help: "a default is plain text".to_owned(),
    }
}

fn unclosed() -> Fault {
    Fault {
        message: "`${` has no closing `}`".to_owned(),
        help: "write `${NAME}`, and `$$` for a dollar".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Replaced, Vars};

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("example.com".to_owned()),
            "EMPTY" => Some(String::new()),
            "DOLLARS" => Some("$$ ${HOST}".to_owned()),
            _ => None,
        }
    }

    fn check(text: &str, expected: &Result<Replaced, Vec<&str>>) {
        let replaced = Vars::Lookup(&lookup).replace(text);
        let replaced = replaced.map_err(|faults| faults.into_iter().map(|f| f.message).collect());
        let expected = match expected {
            Ok(Replaced::Filled(text)) => Ok(Replaced::Filled(text.clone())),
            Ok(Replaced::Literal(text)) => Ok(Replaced::Literal(text.clone())),
            Err(messages) => Err(messages.iter().map(ToString::to_string).collect::<Vec<_>>()),
        };
        assert_eq!(replaced, expected, "{text}");
    }

    fn filled(text: &str, expected: &str) {
        check(text, &Ok(Replaced::Filled(expected.to_owned())));
    }

    fn literal(text: &str, expected: &str) {
        check(text, &Ok(Replaced::Literal(expected.to_owned())));
    }

    fn refused(text: &str, messages: &[&str]) {
        check(text, &Err(messages.to_vec()));
    }

    #[test]
    fn a_variable_is_replaced() {
        filled("https://${HOST}/v1", "https://example.com/v1");
        filled("${HOST}${HOST}", "example.comexample.com");
        filled("${EMPTY}", "");
    }

    #[test]
    fn a_default_answers_for_what_is_unset_or_empty() {
        filled("${PORT:-4000}", "4000");
        filled("${EMPTY:-x}", "x");
        filled("${HOST:-x}", "example.com");
        filled("${PORT:-}", "");
    }

    #[test]
    fn two_dollars_are_one_and_a_lone_dollar_stays() {
        literal("$$5 and $5 and ^a$", "$5 and $5 and ^a$");
        literal("$${HOST}", "${HOST}");
        filled("$$${HOST}", "$example.com");
    }

    #[test]
    fn a_value_is_not_looked_into() {
        filled("${DOLLARS}", "$$ ${HOST}");
    }

    #[test]
    fn every_fault_of_a_text_is_told() {
        refused("${A}/${B}", &["the variable `A` is not set", "the variable `B` is not set"]);
        refused("${A B}", &["`${A B}` is not a variable"]);
        refused("${}", &["`${}` is not a variable"]);
        refused("${A:-${B}}", &["the default of the variable `A` names another variable"]);
        refused("${A", &["`${` has no closing `}`"]);
    }

    #[test]
    fn kept_texts_are_untouched() {
        let kept = Vars::Keep.replace("$$ ${HOST");
        assert_eq!(kept, Ok(Replaced::Literal("$$ ${HOST".to_owned())));
    }
}
