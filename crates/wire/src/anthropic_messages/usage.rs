//! Usage. `input_tokens` leaves out what was read from a cache and what was written to one, so the
//! canonical input is the sum of three counts.
//!
//! In a stream the counts of the end replace those of the start, field by field: they are totals.

use ir::{Counted, Extras, Tokens, Usage};

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;

const INPUT: &str = "input_tokens";
const WRITTEN: &str = "cache_creation_input_tokens";
const CACHED: &str = "cache_read_input_tokens";
const OUTPUT: &str = "output_tokens";
const DETAILS: &str = "output_tokens_details";
const THINKING: &str = "thinking_tokens";

/// What was said about usage so far.
#[derive(Debug, Default)]
pub(super) struct Said {
    input: Option<u64>,
    cached: Option<u64>,
    written: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
    extras: Extras,
}

impl Said {
    /// Takes in what is said now; what is not said again stays.
    pub(super) fn hear(&mut self, usage: Value<'_, '_>) -> Result<(), DecodeError> {
        let mut fields = usage.object()?;
        let mut hear = |name, place: &mut Option<u64>| *place = count(&mut fields, name).or(*place);
        hear(INPUT, &mut self.input);
        hear(CACHED, &mut self.cached);
        hear(WRITTEN, &mut self.written);
        hear(OUTPUT, &mut self.output);
        let known = |details: Value<'_, '_>| {
            let Ok(mut fields) = details.object() else { return None };
            let thinking = count(&mut fields, THINKING)?;
            fields.left().next().is_none().then_some(thinking)
        };
        let details = |details: Value<'_, '_>| Ok(known(details));
        let thinking = fields.take_if(DETAILS, |details| known(details).is_some(), details)?;
        self.thinking = thinking.flatten().or(self.thinking);
        for (name, raw) in &fields.rest().0 {
            if raw.text() != "null" {
                self.extras.set(name, raw.clone());
            }
        }
        Ok(())
    }

    /// Returns what it comes to.
    pub(super) fn sum(&self) -> Usage {
        let [input, cached, written] =
            [self.input, self.cached, self.written].map(|count| Tokens(count.unwrap_or(0)));
        Usage {
            input: input + cached + written,
            cached_input: cached,
            cache_write: written,
            output: Tokens(self.output.unwrap_or(0)),
            reasoning: Tokens(self.thinking.unwrap_or(0)),
            counted: Counted::Reported,
            extras: self.extras.clone(),
        }
    }
}

/// Reads the usage of a whole answer.
pub(super) fn read(usage: Value<'_, '_>) -> Result<Usage, DecodeError> {
    let mut said = Said::default();
    said.hear(usage)?;
    Ok(said.sum())
}

/// Takes a count; anything that is not one counts as not said, since a strange usage must not
/// spoil an answer.
fn count(fields: &mut Fields<'_, '_>, name: &str) -> Option<u64> {
    fields.take_if(name, |value| value.count().is_ok(), |value| value.count()).ok().flatten()
}

/// Writes usage.
pub(super) fn write(body: &mut Object<'_>, usage: &Usage, extras: Option<&Extras>) {
    let fresh = usage.input.less(usage.cached_input).less(usage.cache_write);
    let counts = [
        (INPUT, fresh),
        (WRITTEN, usage.cache_write),
        (CACHED, usage.cached_input),
        (OUTPUT, usage.output),
    ];
    for (name, tokens) in counts {
        body.field(name, &tokens.0);
    }
    let details = extras.is_some_and(|extras| extras.get(DETAILS).is_some());
    if usage.reasoning.0 > 0 && !details {
        body.nest(DETAILS, |details| details.field(THINKING, &usage.reasoning.0));
    }
    for (name, raw) in extras.into_iter().flat_map(Extras::iter) {
        if counts.iter().all(|(count, _)| *count != name) {
            body.raw(name, raw);
        }
    }
}
