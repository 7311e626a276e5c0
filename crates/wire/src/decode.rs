//! What is wrong with a body, and where: a JSON path and a byte.

use std::fmt;

/// A body that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, as a JSON path; empty for the whole body.
    pub path: String,
    /// Where, as an offset into the body.
    pub byte: usize,
    /// What is wrong there.
    pub why: Why,
}

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is not JSON.
    Syntax(String),
    /// A value of another kind was expected.
    Expected {
        /// What was expected.
        expected: &'static str,
        /// What stood there.
        found: &'static str,
    },
    /// A field is not there.
    Missing,
    /// A field is there twice, so that nobody can say which one counts.
    Twice,
    /// A result answers a call of this id, and no turn before it makes one.
    NoCall(String),
    /// A call has the id of a call before it, so that nobody can say whose its result is.
    SameCall(String),
    /// What is sent along is not in base64.
    NotBase64,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "body" } else { &self.path };
        match &self.why {
            Why::Syntax(why) => write!(f, "{path}: not valid JSON: {why}")?,
            Why::Expected { expected, found } => {
                write!(f, "{path}: expected {expected}, found {found}")?;
            }
            Why::Missing => write!(f, "{path}: required, but not there")?,
            Why::Twice => write!(f, "{path}: there twice")?,
            Why::NoCall(id) => {
                write!(f, "{path}: answers the tool call {id:?}, which no turn before it makes")?;
            }
            Why::SameCall(id) => {
                write!(f, "{path}: has the id {id:?} of a tool call before it")?;
            }
            Why::NotBase64 => write!(f, "{path}: expected base64")?,
        }
        write!(f, " (byte {})", self.byte)
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    /// States a syntax error where `serde_json` met it.
    pub(crate) fn syntax(body: &[u8], error: &serde_json::Error) -> Self {
        let byte = offset(body, error.line(), error.column());
        let full = error.to_string();
        let why = full.split(" at line ").next().unwrap_or(&full).to_owned();
        Self { path: path_at(body, byte), byte, why: Why::Syntax(why) }
    }
}

/// Turns a line and column, both from 1, into an offset.
fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let starts = memchr::memchr_iter(b'\n', body).map(|at| at + 1);
    let start = std::iter::once(0).chain(starts).nth(line.saturating_sub(1)).unwrap_or(0);
    (start + column.saturating_sub(1)).min(body.len())
}

/// The most steps of a path that are named.
const DEEPEST: usize = 32;

/// The most bytes of a key that are named.
const LONGEST_KEY: usize = 64;

/// Names the JSON path of a byte in a text that is valid up to there.
fn path_at(body: &[u8], byte: usize) -> String {
    let mut steps: Vec<Step> = Vec::new();
    // Levels below the deepest that is named; a body may open millions.
    let mut below = 0_usize;
    let mut at = 0;
    while at < byte {
        match body[at] {
            b'{' | b'[' if steps.len() == DEEPEST => below += 1,
            b'}' | b']' if below > 0 => below -= 1,
            b'{' => steps.push(Step::Key(None)),
            b'[' => steps.push(Step::Index(0)),
            b'}' | b']' => drop(steps.pop()),
            b',' if below > 0 => {}
            b',' => match steps.last_mut() {
                Some(Step::Index(index)) => *index += 1,
                Some(Step::Key(key)) => *key = None,
                None => {}
            },
            b'"' => {
                let end = string_end(body, at);
                if let Some(Step::Key(key @ None)) = steps.last_mut()
                    && end <= byte
                    && below == 0
                {
                    let text = &body[at + 1..(end - 1).min(at + 1 + LONGEST_KEY)];
                    *key = Some(String::from_utf8_lossy(text).into_owned());
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(None) => {}
            Step::Key(Some(key)) if path.is_empty() => path.push_str(&key),
            Step::Key(Some(key)) => {
                path.push('.');
                path.push_str(&key);
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

enum Step {
    Key(Option<String>),
    Index(usize),
}

/// Returns the offset after the closing quote of the string that opens at `open`.
fn string_end(body: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < body.len() {
        match body[at] {
            b'\\' => at += 1,
            b'"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    body.len().max(open + 2)
}

#[cfg(test)]
mod tests {
    use super::DecodeError;

    fn check(body: &str, expected: &str) {
        let error = serde_json::from_str::<serde_json::Value>(body).unwrap_err();
        assert_eq!(DecodeError::syntax(body.as_bytes(), &error).to_string(), expected);
    }

    #[test]
    fn a_syntax_error_names_its_path_and_byte() {
        check(
            r#"{"model":"auto","messages":[{"role":"user","content":tru}]}"#,
            "messages[0].content: not valid JSON: expected ident (byte 56)",
        );
        check("{\"a\":[1,\n2,,3]}", "a[2]: not valid JSON: expected value (byte 11)");
        check("{\"a\" 1}", "a: not valid JSON: expected `:` (byte 5)");
        check("", "body: not valid JSON: EOF while parsing a value (byte 0)");
        check("{\"a\\\"b\":{\"c\":x}}", "a\\\"b.c: not valid JSON: expected value (byte 13)");
        check("{\"open", "body: not valid JSON: EOF while parsing a string (byte 5)");
    }
}
