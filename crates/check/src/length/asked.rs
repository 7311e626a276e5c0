//! The length that a prompt asks for, in the common forms of six languages.
//!
//! A length is asked for by a number and a unit with a word that binds them to the answer: "in 100
//! words", "at most two sentences", "a 50-word summary". What is said of each of several things, or
//! deep inside a long prompt, is not said of the answer.

use std::cmp::Reverse;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Band;
use super::forms::{FORMS, Form, NOT_THE_ANSWER, NUMBERS, UNITS};
use crate::{Unit, measure};

/// A prompt is read so many characters from its beginning and from its end.
const READ: usize = 400;

static READERS: LazyLock<Vec<Regex>> = LazyLock::new(|| FORMS.iter().map(reader).collect());

fn reader(form: &Form) -> Regex {
    let words: Vec<&str> = NUMBERS.iter().map(|(word, _)| *word).collect();
    let number = format!(r"\d{{1,2}}[,.]?\d{{3}}|\d{{1,4}}|{}", words.join("|"));
    let pattern = form
        .pattern
        .replace('N', &format!("(?<n>{number})"))
        .replace('M', &format!("(?<m>{number})"))
        .replace('U', &format!("(?<unit>{})", form.units));
    Regex::new(&format!("(?i){pattern}")).expect("invariant: the forms are tested to compile")
}

/// Returns the lengths that a prompt asks for, each once, with their tolerance.
pub(super) fn asked(prompt: &str) -> Vec<Band> {
    let mut found = Vec::new();
    for text in ends(prompt) {
        for band in bands(&text) {
            if !found.contains(&band) {
                found.push(band);
            }
        }
    }
    found
}

fn bands(text: &str) -> Vec<Band> {
    let forms = READERS.iter().flat_map(|reader| reader.captures_iter(text));
    let mut forms: Vec<_> = forms.filter_map(|form| Some((form.get(0)?.range(), form))).collect();
    // A form of one language may stand inside a longer one of another: "de 100" in "moins de 100".
    forms.sort_by_key(|(place, _)| (place.start, Reverse(place.end)));
    let mut read = 0;
    let mut bands = Vec::new();
    for (place, form) in forms {
        if place.start >= read {
            read = place.end;
            bands.extend(band(text, &form));
        }
    }
    bands
}

/// Returns the prompt, or its beginning and its end where it is long.
fn ends(prompt: &str) -> Vec<String> {
    let length = prompt.chars().count();
    if length <= 2 * READ {
        return vec![prompt.to_owned()];
    }
    let beginning = prompt.chars().take(READ).collect();
    let end = prompt.chars().skip(length - READ).collect();
    vec![beginning, end]
}

fn band(text: &str, form: &Captures<'_>) -> Option<Band> {
    let whole = form.get(0)?;
    let line = text[..whole.start()].rfind('\n').map_or(0, |end| end + 1);
    if measure::marker(&text[line..]).is_some() {
        // An item of a list of things that are asked for is one of them.
        return None;
    }
    if NOT_THE_ANSWER.iter().any(|word| around(text, whole.range()).contains(word)) {
        return None;
    }
    let named = |names: &[&str]| names.iter().find_map(|name| form.name(name));
    let unit = named(&["unit", "one", "two"])?.as_str().to_lowercase();
    // The longest beginning tells: a paragraph is no "para".
    let known = UNITS.iter().filter(|(begins, _)| unit.starts_with(begins));
    let (_, unit) = known.max_by_key(|(begins, _)| begins.len())?;
    let n = match (form.name("n"), form.name("one")) {
        (Some(n), _) => number(n.as_str())?,
        (None, Some(_)) => 1,
        (None, None) => 2,
    };
    let m = form.name("m").and_then(|m| number(m.as_str())).unwrap_or(n);
    let low = n.saturating_sub(tolerance(*unit, n)).max(1);
    let high = m + tolerance(*unit, m);
    let most = named(&["most", "most2"]).is_some();
    let least = named(&["least", "least2"]).is_some();
    match (most, least) {
        (true, _) => Some(Band { least: 0, most: high, unit: *unit }),
        (_, true) => Some(Band { least: low, most: u64::MAX, unit: *unit }),
        _ => (low <= high).then_some(Band { least: low, most: high, unit: *unit }),
    }
}

/// Returns the words around a length, and itself.
fn around(text: &str, place: std::ops::Range<usize>) -> String {
    let before: String = text[..place.start].chars().rev().take(12).collect();
    let before: String = before.chars().rev().collect();
    let after: String = text[place.end..].chars().take(24).collect();
    format!("{before}{}{after}", &text[place]).to_lowercase()
}

/// How far off an answer may be, as the documentation of `from_prompt` says it.
fn tolerance(unit: Unit, n: u64) -> u64 {
    match unit {
        Unit::Words | Unit::Characters => n.div_ceil(4),
        Unit::Sentences | Unit::Paragraphs => 1,
        Unit::Items => 0,
    }
}

fn number(text: &str) -> Option<u64> {
    let lower = text.to_lowercase();
    if let Some((_, number)) = NUMBERS.iter().find(|(word, _)| *word == lower) {
        return Some(*number);
    }
    text.replace([',', '.'], "").parse().ok().filter(|number| *number > 0)
}
