//! Reads one value that is nearly JSON, and writes it as JSON. Gives up at the first thing that
//! only a guess could mend.

use serde_json::Number;

use super::Open;

/// Deeper values are not read: a little less than what the JSON parser reads.
const DEEPEST: usize = 100;

/// Words that stand for a value, in JSON and in Python.
const WORDS: [(&str, &str); 6] = [
    ("true", "true"),
    ("false", "false"),
    ("null", "null"),
    ("True", "true"),
    ("False", "false"),
    ("None", "null"),
];

/// Mends the value that begins at a place; returns it, and where it ends.
pub(super) fn mend_at(text: &str, at: usize, open: Open) -> Option<(String, usize)> {
    let mut mender = Mender { text, at, open, depth: 0, json: String::new() };
    mender.value()?;
    Some((mender.json, mender.at))
}

struct Mender<'a> {
    text: &'a str,
    at: usize,
    open: Open,
    depth: usize,
    json: String,
}

impl<'a> Mender<'a> {
    fn value(&mut self) -> Option<()> {
        self.skip();
        match self.peek()? {
            '{' => self.list('}', Self::field),
            '[' => self.list(']', Self::value),
            quote @ ('"' | '\'') => self.string(quote),
            c if c == '-' || c.is_ascii_digit() => self.number(),
            _ => self.word(),
        }
    }

    /// Reads fields or values between brackets.
    fn list(&mut self, close: char, item: fn(&mut Self) -> Option<()>) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let bracket = self.next()?;
        self.json.push(bracket);
        self.skip();
        if self.peek() != Some(close) {
            self.items(close, item)?;
        }
        if self.peek() == Some(close) {
            self.next();
        }
        self.json.push(close);
        self.depth -= 1;
        Some(())
    }

    /// Reads items up to the closing bracket, or up to the end where it may be added.
    fn items(&mut self, close: char, item: fn(&mut Self) -> Option<()>) -> Option<()> {
        loop {
            item(self)?;
            self.skip();
            match self.peek() {
                Some(',') => {}
                Some(c) if c == close => return Some(()),
                None if self.open == Open::Close => return Some(()),
                _ => return None,
            }
            self.next();
            self.skip();
            if self.peek() == Some(close) {
                return Some(());
            }
            self.json.push(',');
        }
    }

    fn field(&mut self) -> Option<()> {
        match self.peek()? {
            quote @ ('"' | '\'') => self.string(quote)?,
            _ => {
                let name = self.take(|c| c.is_alphanumeric() || "_$-".contains(c));
                if name.is_empty() {
                    return None;
                }
                self.json.push('"');
                self.json.push_str(name);
                self.json.push('"');
            }
        }
        self.skip();
        if self.next()? != ':' {
            return None;
        }
        self.json.push(':');
        self.value()
    }

    fn string(&mut self, quote: char) -> Option<()> {
        self.next()?;
        self.json.push('"');
        loop {
            match self.next()? {
                '\\' => self.escape()?,
                c if c == quote && (c == '"' || self.ends_a_string()) => break,
                '"' => self.json.push_str("\\\""),
                c => self.plain(c),
            }
        }
        self.json.push('"');
        Some(())
    }

    /// Reads what follows a backslash; one that begins no escape was meant to be read.
    fn escape(&mut self) -> Option<()> {
        let c = self.next()?;
        let hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let escapes = match c {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => true,
            'u' => self.rest().get(..4).is_some_and(hex),
            _ => false,
        };
        if escapes {
            self.json.push('\\');
        } else if c != '\'' && !c.is_control() {
            self.json.push_str("\\\\");
        }
        self.plain(c);
        Some(())
    }

    /// Writes a character of a string; the ones that JSON cannot have there are escaped.
    fn plain(&mut self, c: char) {
        match c {
            '\n' => self.json.push_str("\\n"),
            '\r' => self.json.push_str("\\r"),
            '\t' => self.json.push_str("\\t"),
            c if c < ' ' => self.json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => self.json.push(c),
        }
    }

    /// A single quote is an apostrophe unless what follows a string follows it.
    fn ends_a_string(&self) -> bool {
        self.rest().trim_start().chars().next().is_none_or(|c| ",:}]".contains(c))
    }

    fn number(&mut self) -> Option<()> {
        let number = self.take(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        serde_json::from_str::<Number>(number).ok()?;
        self.json.push_str(number);
        Some(())
    }

    fn word(&mut self) -> Option<()> {
        let word = self.take(char::is_alphanumeric);
        let (_, json) = WORDS.iter().find(|(known, _)| *known == word)?;
        self.json.push_str(json);
        Some(())
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            self.take(|c| c.is_whitespace() || c == '\u{feff}');
            let rest = self.rest();
            let comment = if rest.starts_with("//") {
                rest.find('\n')
            } else if rest.starts_with("/*") {
                rest.find("*/").map(|end| end + 2)
            } else {
                return;
            };
            self.at += comment.unwrap_or(rest.len());
        }
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Returns the next character; a fence ends the text.
    fn peek(&self) -> Option<char> {
        if self.rest().starts_with("```") { None } else { self.rest().chars().next() }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}
