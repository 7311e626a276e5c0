//! The language and the script of an answer.
//!
//! Both look at what is spoken: of JSON the strings that are values, of Markdown what is outside
//! of code. A text too short to tell, or one that might be either of two languages, passes.

mod known;

use regex::Regex;
use serde_json::Value;
use whatlang::Info;
use whatlang::Script::Latin;

use crate::Finding;
use crate::checks::{Pattern, Wrong};
pub(crate) use known::Language;
use known::{LANGUAGES, SCRIPTS};

/// So many bytes of letters tell a language: 24 letters of Latin, 12 of Arabic, 8 of Chinese.
const TELLING: usize = 24;

/// The language is judged by so many bytes of letters, from the beginning.
const SAMPLE: usize = 400;

/// A script that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    name: &'static str,
    letters: Pattern,
}

/// Looks a language up by its code.
pub(crate) fn named(code: &str) -> Result<&'static Language, Vec<Wrong>> {
    if let Some(language) = LANGUAGES.iter().find(|language| language.code == code) {
        return Ok(language);
    }
    let wrong = Wrong::new("language", format!("`{code}` is no language that can be told"));
    let code_of = |name: &str| LANGUAGES.iter().find(|language| language.name() == name);
    let by_name = yaml::closest(code, LANGUAGES.iter().map(Language::name), 1);
    let lower = code.to_lowercase();
    // `EN`, `en-GB` and `eng` mean `en`; two letters are too few for likeness.
    let by_code = LANGUAGES.iter().find(|language| lower.starts_with(language.code));
    let meant = by_name.first().and_then(|name| code_of(name)).or(by_code);
    let help = match meant {
        Some(meant) => format!("did you mean `{}`, {}?", meant.code, meant.name()),
        None => "use a code of ISO 639-1, such as `en`, `ar` or `zh`".to_owned(),
    };
    Err(vec![wrong.help(help)])
}

/// Looks a script up by its name.
pub(crate) fn script(name: &str) -> Result<Script, Vec<Wrong>> {
    let known = SCRIPTS.iter().find(|known| **known == name);
    let compiled = known.and_then(|name| {
        let letters = Regex::new(&format!(r"[\p{{Alphabetic}}&&\p{{Script={name}}}]+")).ok()?;
        Some(Script { name, letters: Pattern(letters) })
    });
    compiled.ok_or_else(|| {
        let wrong = Wrong::new("script", format!("`{name}` is no script that is known"));
        let help = match yaml::closest(name, SCRIPTS, 1).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the scripts are {}", SCRIPTS.join(", ")),
        };
        vec![wrong.help(help)]
    })
}

/// Checks the language of a text.
pub(crate) fn check(wanted: &Language, text: &str) -> Finding {
    let check = "language";
    let mut sample = sample(&spoken(text));
    let size = letters(&sample);
    if size < TELLING {
        return Finding::pass(check, format!("{size} bytes of letters, too few to tell"));
    }
    if !Latin.langs().contains(&wanted.lang) {
        // Names and terms in Latin letters are many letters and few words.
        let without: String = sample.chars().filter(|c| !c.is_ascii_alphabetic()).collect();
        if letters(&without) * 3 >= size {
            sample = without;
        }
    }
    let Some(told) = whatlang::detect(&sample) else {
        return Finding::pass(check, "no language can be told");
    };
    let code = LANGUAGES.iter().find(|language| language.lang == told.lang());
    let code = code.map_or(told.lang().code(), |language| language.code);
    if told.lang() == wanted.lang {
        return Finding::pass(check, format!("`{code}`"));
    }
    if maybe(wanted, &told) {
        return Finding::pass(check, format!("`{code}`, but it may be `{}`", wanted.code));
    }
    Finding::fail(check, format!("`{code}`, not `{}`", wanted.code))
}

/// Returns how many bytes of a text are letters.
fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphabetic()).map(char::len_utf8).sum()
}

/// Returns whether what was told leaves room for what is wanted: the two are told apart badly, or
/// they share a script and the guess is weak.
fn maybe(wanted: &Language, told: &Info) -> bool {
    let weak = !told.is_reliable() && told.script().langs().contains(&wanted.lang);
    weak || known::alike(wanted.lang, told.lang())
}

/// Checks that most letters of a text are of a script.
pub(crate) fn check_script(wanted: &Script, text: &str) -> Finding {
    let check = "script";
    let spoken = spoken(text);
    let letters = spoken.chars().filter(|c| c.is_alphabetic()).count();
    if letters == 0 {
        return Finding::pass(check, "no letters to tell by");
    }
    let runs = wanted.letters.0.find_iter(&spoken);
    let of_script: usize = runs.map(|run| run.as_str().chars().count()).sum();
    let why = format!("{of_script} of {letters} letters are {}", wanted.name);
    if of_script * 2 > letters { Finding::pass(check, why) } else { Finding::fail(check, why) }
}

/// Returns what of a text is spoken.
fn spoken(text: &str) -> String {
    let mut spoken = String::new();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => strings(&value, &mut spoken),
        Err(_) => prose(text, &mut spoken),
    }
    spoken
}

fn strings(value: &Value, spoken: &mut String) {
    match value {
        Value::String(text) => {
            spoken.push_str(text);
            spoken.push('\n');
        }
        Value::Array(values) => values.iter().for_each(|value| strings(value, spoken)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, spoken)),
        _ => {}
    }
}

/// Leaves out fenced code, spans of code and addresses.
fn prose(text: &str, spoken: &mut String) {
    // Every second piece between fences, and between back-ticks, is code.
    for outside in text.split("```").step_by(2) {
        for piece in outside.split('`').step_by(2) {
            for word in piece.split_whitespace().filter(|word| !word.contains("://")) {
                spoken.push_str(word);
                spoken.push(' ');
            }
        }
    }
}

/// Returns the beginning of a text that holds enough letters.
fn sample(text: &str) -> String {
    let mut letters = 0;
    let enough = |c: &char| {
        let seen = letters;
        letters += if c.is_alphabetic() { c.len_utf8() } else { 0 };
        seen < SAMPLE
    };
    text.chars().take_while(enough).collect()
}

#[cfg(test)]
mod tests;
