//! What is refused while the tree is built, and what to do instead.

use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use super::{Holds, Hopeless, Open, Size, Tree, Written, place};
use crate::node::{Node, Scalar, Value};
use crate::problem::Place;
use crate::words;

/// Longer keys are none: paths repeat them.
const LONGEST_KEY: usize = 1024;

const MERGE: &str = "write the keys out where they are needed; a whole value can be an alias";

impl Tree<'_> {
    /// Refuses a key that is none, or that was there already.
    pub(super) fn check_key(&mut self, node: &Node) {
        let path = self.path();
        let Some(Open { holds: Holds::Map { lines, key: Some(key), .. }, .. }) =
            self.open.last_mut()
        else {
            return;
        };
        let at = key.at;
        let (message, help) = match node.scalar() {
            None => ("a map or a list cannot be a key".to_owned(), None),
            Some(Scalar::Plain(text)) if text.is_empty() || text == "~" => {
                ("a key is missing in front of the `:`".to_owned(), None)
            }
            Some(Scalar::Plain(text)) if text == "<<" => {
                ("merge keys (`<<`) are not supported".to_owned(), Some(MERGE.to_owned()))
            }
            Some(_) if key.text.len() > LONGEST_KEY => ("a key is too long".to_owned(), None),
            Some(_) => match lines.get(&key.text) {
                Some(line) => (format!("duplicate key, first written in line {line}"), None),
                None => return,
            },
        };
        key.kept = false;
        self.refuse(at, &path, message, help);
    }

    pub(super) fn tag(&mut self, tag: &str, at: Place) {
        let help = match tag {
            "!!str" => "quote the value to make it text",
            _ => "remove it; the value of a variable is written `${NAME}`",
        };
        let path = self.path();
        let message = format!("tags such as {} are not supported", words::shown(tag));
        self.refuse(at, &path, message, Some(help.to_owned()));
    }

    pub(super) fn unreadable(&mut self, error: &ScanError) -> Result<(), Hopeless> {
        let path = self.path();
        let help = repair(error.kind()).map(str::to_owned);
        self.refuse(place(*error.marker()), &path, error.info(), help);
        Err(Hopeless)
    }

    pub(super) fn unknown_alias(&mut self, name: &str, at: Place) -> Result<(), Hopeless> {
        let message = format!("unknown alias {}", words::shown(&format!("*{name}")));
        let anchor = words::shown(&format!("&{name}"));
        let help = format!("put {anchor} in front of what it stands for, or quote it");
        let path = self.path();
        self.refuse(at, &path, message, Some(help));
        let node = Node { at, value: Value::Scalar(Arc::new(Scalar::Quoted(String::new()))) };
        self.add(node, Size::scalar(0), &Written::Inline);
        Ok(())
    }
}

/// Returns what mostly lies behind a syntax error.
fn repair(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => Some("indent with spaces"),
        ErrorKind::MappingValueNotAllowed => Some("quote a text that holds `: `"),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            Some("between brackets quote a text that holds one, such as \"${NAME}\"")
        }
        ErrorKind::UnexpectedCharacter { character: '@' | '`' | '%' } => {
            Some("quote a text that starts so")
        }
        _ => None,
    }
}
