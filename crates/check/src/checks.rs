//! The checks of a task as they are used, compiled from what is written.

use regex::{Regex, RegexBuilder};

use crate::json::Json;
use crate::label::{self, Label};
use crate::language::{self, Language, Script};
use crate::length::{Band, Length};
use crate::{Mode, Written, WrittenLength};

/// The largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// What is asked of a task's answers, ready to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    pub(crate) mode: Mode,
    pub(crate) non_empty: bool,
    pub(crate) finish: bool,
    pub(crate) json: Option<Json>,
    pub(crate) labels: Option<Vec<Label>>,
    pub(crate) language: Option<&'static Language>,
    pub(crate) script: Option<Script>,
    pub(crate) length: Option<Length>,
    pub(crate) refusal: bool,
    pub(crate) matches: Option<Pattern>,
    pub(crate) must_contain: Vec<String>,
    pub(crate) must_not_contain: Vec<String>,
    pub(crate) tools: bool,
}

/// What is wrong with what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The field below `check`, its steps joined by dots: `matches`, `length.least`.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A regular expression, equal to another by its text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(pub(crate) Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl Checks {
    /// Compiles what is written; everything that is wrong with it is told at once.
    pub fn compile(written: &Written) -> Result<Self, Vec<Wrong>> {
        let mut wrongs = Vec::new();
        if asks_nothing(written) {
            let help = "name a check, such as `non_empty: true`, or leave `check` out";
            wrongs.push(Wrong::new("mode", "nothing is checked").help(help));
        }
        if written.repair && !written.json {
            let help = "set `json: true`, or leave `repair` out";
            wrongs.push(Wrong::new("repair", "mends nothing unless JSON is checked").help(help));
        }
        wordless("must_contain", &written.must_contain, &mut wrongs);
        wordless("must_not_contain", &written.must_not_contain, &mut wrongs);
        let checks = Self {
            mode: written.mode,
            non_empty: written.non_empty,
            finish: written.finish,
            json: json(written),
            labels: kept(written.labels.as_deref().map(label::compile), &mut wrongs),
            language: kept(written.language.as_deref().map(language::named), &mut wrongs),
            script: kept(written.script.as_deref().map(language::script), &mut wrongs),
            length: kept(written.length.as_ref().map(length), &mut wrongs),
            refusal: written.refusal,
            matches: kept(written.matches.as_deref().map(pattern), &mut wrongs),
            must_contain: written.must_contain.clone(),
            must_not_contain: written.must_not_contain.clone(),
            tools: written.tools,
        };
        if wrongs.is_empty() { Ok(checks) } else { Err(wrongs) }
    }

    /// Returns what becomes of an answer that does not pass.
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

impl Wrong {
    pub(crate) fn new(field: &'static str, why: impl Into<String>) -> Self {
        Self { field, why: why.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

fn asks_nothing(written: &Written) -> bool {
    // A `repair` alone has a message of its own.
    *written == Written { mode: written.mode, ..Written::default() }
}

fn json(written: &Written) -> Option<Json> {
    match (written.json, written.repair) {
        (false, _) => None,
        (true, false) => Some(Json::AsItCame),
        (true, true) => Some(Json::Mended),
    }
}

/// Keeps what was compiled, or what was wrong with it.
fn kept<T>(compiled: Option<Result<T, Vec<Wrong>>>, wrongs: &mut Vec<Wrong>) -> Option<T> {
    match compiled? {
        Ok(compiled) => Some(compiled),
        Err(found) => {
            wrongs.extend(found);
            None
        }
    }
}

fn wordless(field: &'static str, texts: &[String], wrongs: &mut Vec<Wrong>) {
    if texts.iter().any(String::is_empty) {
        wrongs.push(Wrong::new(field, "an empty text stands in every answer"));
    }
}

fn pattern(text: &str) -> Result<Pattern, Vec<Wrong>> {
    let compiled = RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build();
    compiled.map(Pattern).map_err(|error| {
        let help = "look-around and back-references are not known: they can take for ever";
        vec![Wrong::new("matches", format!("no regular expression: {error}")).help(help)]
    })
}

fn length(written: &WrittenLength) -> Result<Length, Vec<Wrong>> {
    let WrittenLength { least, most, unit, from_prompt } = *written;
    if least.is_none() && most.is_none() && !from_prompt {
        let help = "name `least`, `most` or `from_prompt: true`";
        return Err(vec![Wrong::new("length", "no length is asked for").help(help)]);
    }
    let band = Band { least: least.unwrap_or(0), most: most.unwrap_or(u64::MAX), unit };
    if band.least > band.most {
        let why = format!("at least {} is more than at most {}", band.least, band.most);
        return Err(vec![Wrong::new("length.least", why)]);
    }
    let fixed = (least.is_some() || most.is_some()).then_some(band);
    Ok(Length { fixed, from_prompt })
}
