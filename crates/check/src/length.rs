//! How long an answer may be: as the configuration says, and as the prompt asks.

mod asked;
mod forms;

use crate::{Finding, Unit, measure};
use asked::asked;

/// The lengths that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// What the configuration says.
    pub(crate) fixed: Option<Band>,
    /// Whether the prompt is read too.
    pub(crate) from_prompt: bool,
}

/// From here to there, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) unit: Unit,
}

/// Checks that a text is as long as it should be.
pub(crate) fn check(length: &Length, prompt: &str, text: &str) -> Finding {
    let check = "length";
    let mut whys = Vec::new();
    let fixed = length.fixed.map(|band| (band, "configured"));
    let asked = if length.from_prompt { asked(prompt) } else { Vec::new() };
    let from_prompt = match asked.as_slice() {
        [one] => Some((*one, "asked for")),
        [] => None,
        several => {
            whys.push(format!("the prompt asks for {} lengths, none is judged", several.len()));
            None
        }
    };
    for (band, by) in fixed.into_iter().chain(from_prompt) {
        let count = measure::count(band.unit, text);
        let why = format!("{count} {}, {} {by}", band.unit.name(), band.named());
        if count < band.least || count > band.most {
            return Finding::fail(check, why);
        }
        whys.push(why);
    }
    if whys.is_empty() {
        whys.push("the prompt asks for no length".to_owned());
    }
    Finding::pass(check, whys.join("; "))
}

impl Band {
    fn named(&self) -> String {
        match (self.least, self.most) {
            (0, most) => format!("at most {most}"),
            (least, u64::MAX) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        }
    }
}

#[cfg(test)]
mod tests;
