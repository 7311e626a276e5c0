//! The language and the script of an answer.

use crate::Finding;
use crate::checks::{Pattern, Wrong};

/// A language that can be told from others.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Language {
    code: &'static str,
}

/// A script that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    name: &'static str,
    letters: Pattern,
}

pub(crate) fn named(code: &str) -> Result<&'static Language, Vec<Wrong>> {
    Err(vec![Wrong::new("language", code)])
}

pub(crate) fn script(name: &str) -> Result<Script, Vec<Wrong>> {
    Err(vec![Wrong::new("script", name)])
}

pub(crate) fn check(language: &Language, _text: &str) -> Finding {
    Finding::pass("language", language.code)
}

pub(crate) fn check_script(script: &Script, _text: &str) -> Finding {
    Finding::pass("script", script.name)
}
