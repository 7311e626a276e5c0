//! Where a value is inside a document: the keys and indexes that lead to it. A path says nothing
//! of lines; those are the document's.

use std::fmt;
use std::sync::Arc;

/// The keys and indexes from the root to a value, shown as `tasks.summarization[1]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Path(pub(crate) Vec<Step>);

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Key(Arc<str>),
    Index(usize),
}

impl Path {
    /// Returns the path of the whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// Returns the path of the value under a key.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.into()))
    }

    /// Returns the path of an element of a list, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if !is_plain(key) => write!(f, "[{key:?}]")?,
                Step::Key(key) if depth == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// Whether a key can stand between dots without being misread.
fn is_plain(key: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | ':' | '*');
    !key.is_empty() && key.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::Path;

    fn check(path: &Path, shown: &str) {
        assert_eq!(path.to_string(), shown);
    }

    #[test]
    fn keys_are_joined_by_dots_and_indexes_stand_in_brackets() {
        check(&Path::root().key("tasks").key("summarization").index(1), "tasks.summarization[1]");
    }

    #[test]
    fn a_key_with_a_dot_is_quoted() {
        check(&Path::root().key("models").key("gpt-4.1").key("price"), "models[\"gpt-4.1\"].price");
        check(&Path::root().key("a b"), "[\"a b\"]");
    }

    #[test]
    fn the_root_is_empty() {
        check(&Path::root(), "");
    }
}
