//! Usage. The dialect counts as the conversation does: input with what was cached, output with
//! reasoning. A host that leaves reasoning out of its output gives itself away by a larger count.
//! The provider's own numbers are kept among the extras wherever they differ, so that at home they
//! are written as they came.

use ir::{Counted, Extras, Tokens, Usage};

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;

const INPUT: &str = "input_tokens_details";
const OUTPUT: &str = "output_tokens_details";

pub(super) fn read(usage: Value<'_, '_>) -> Result<Usage, DecodeError> {
    let mut fields = usage.object()?;
    let input = count(&mut fields, "input_tokens").unwrap_or(0);
    let output = count(&mut fields, "output_tokens").unwrap_or(0);
    let total = count(&mut fields, "total_tokens");
    let of_input = Details::take(&mut fields, INPUT)?;
    let of_output = Details::take(&mut fields, OUTPUT)?;
    let reasoning = of_output.reasoning;
    let whole = if reasoning > output { output.saturating_add(reasoning) } else { output };
    let mut extras = Extras::default();
    let kept = usage.object()?.rest();
    for (name, raw) in kept.0 {
        let derived = match name.as_str() {
            "input_tokens" => raw.text() == input.to_string(),
            "output_tokens" => raw.text() == whole.to_string(),
            "total_tokens" => {
                total.is_some() && raw.text() == input.saturating_add(whole).to_string()
            }
            INPUT => of_input.input_alone,
            OUTPUT => of_output.output_alone,
            _ => false,
        };
        if !derived {
            extras.0.push((name, raw));
        }
    }
    Ok(Usage {
        input: Tokens(input),
        cached_input: Tokens(of_input.cached),
        cache_write: Tokens(of_input.cache_write),
        output: Tokens(whole),
        reasoning: Tokens(reasoning),
        counted: Counted::Reported,
        extras,
    })
}

/// What the counts are made of.
#[derive(Default)]
struct Details {
    cached: u64,
    cache_write: u64,
    reasoning: u64,
    /// Whether nothing else than the dialect's own words was said of the input, or of the output.
    input_alone: bool,
    output_alone: bool,
}

impl Details {
    fn take(fields: &mut Fields<'_, '_>, name: &str) -> Result<Self, DecodeError> {
        let read = |details: Value<'_, '_>| {
            let mut fields = details.object()?;
            let all_of = |fields: &Fields<'_, '_>, names: &[&str]| {
                fields.left().all(|(name, raw)| {
                    names.contains(&name) && raw.get().bytes().all(|byte| byte.is_ascii_digit())
                })
            };
            let input_alone = all_of(&fields, &["cached_tokens", "cache_write_tokens"]);
            let output_alone = all_of(&fields, &["reasoning_tokens"]);
            Ok(Self {
                cached: count(&mut fields, "cached_tokens").unwrap_or(0),
                cache_write: count(&mut fields, "cache_write_tokens").unwrap_or(0),
                reasoning: count(&mut fields, "reasoning_tokens").unwrap_or(0),
                input_alone,
                output_alone,
            })
        };
        Ok(fields.take_if(name, |details| details.is_object(), read)?.unwrap_or_default())
    }
}

/// Takes a count; anything that is not one counts as not said, since a strange usage must not
/// spoil an answer.
fn count(fields: &mut Fields<'_, '_>, name: &str) -> Option<u64> {
    fields.take_if(name, |value| value.count().is_ok(), |value| value.count()).ok().flatten()
}

/// Writes usage; at home the provider's own numbers win where they were kept.
pub(super) fn write(body: &mut Object<'_>, usage: &Usage, home: bool) {
    let none = Extras::default();
    let extras = if home { &usage.extras } else { &none };
    let mut said = |name: &str, tokens: Tokens| {
        if extras.get(name).is_none() {
            body.field(name, &tokens.0);
        }
    };
    said("input_tokens", usage.input);
    said("output_tokens", usage.output);
    said("total_tokens", usage.input + usage.output);
    let mut details = |name: &str, counts: &[(&str, Tokens)]| {
        if extras.get(name).is_none() {
            body.nest(name, |details| {
                for (name, tokens) in counts {
                    details.field(name, &tokens.0);
                }
            });
        }
    };
    let (cached, written) = (usage.cached_input, usage.cache_write);
    details(INPUT, &[("cached_tokens", cached), ("cache_write_tokens", written)]);
    details(OUTPUT, &[("reasoning_tokens", usage.reasoning)]);
    body.extras(extras);
}
