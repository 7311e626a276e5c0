//! Whether the beginning of a streamed answer is one that may go out.

use crate::Wanted;

/// What can be said of an answer's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing yet.
    Undecided,
    /// It is a valid beginning.
    Valid,
    /// It can never become a valid answer, for this reason; the reason quotes nothing.
    Invalid(String),
}

/// Judges the beginning of an answer: the text so far, and the tool that is being called.
pub fn prefix(_wanted: &Wanted<'_>, _text: &str, _called: Option<&str>) -> Prefix {
    Prefix::Undecided
}
