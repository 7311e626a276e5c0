//! Usage: what the hosts of this dialect count where, brought to one meaning and back.
//!
//! The canonical input includes cached tokens and the canonical output includes reasoning. The
//! dialect says the same, but some hosts leave reasoning out of `completion_tokens` (xAI, Gemini's
//! compatible endpoint, some gateways) or audio out of `prompt_tokens` (Mistral); their totals, or
//! a reasoning count above the completion count, give it away. The provider's own numbers are kept
//! among the extras wherever they differ, so that at home they are written as they came.

use ir::{Counted, Extras, RawJson, Tokens, Usage};

use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;

/// Where hosts count what was read from the cache beside the published place: DeepSeek, Moonshot,
/// Together, Vercel.
const CACHED_ELSEWHERE: [&str; 3] =
    ["prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"];

/// Where hosts count what was written to the cache.
const WRITTEN_ELSEWHERE: &str = "cache_creation_input_tokens";

pub(super) fn read(usage: Value<'_, '_>) -> Result<Usage, DecodeError> {
    let kept = usage.object()?.rest();
    let mut fields = usage.object()?;
    let prompt = count(&mut fields, "prompt_tokens");
    let completion = count(&mut fields, "completion_tokens");
    let total = count(&mut fields, "total_tokens");
    let mut details = |name| {
        let read = |details: Value<'_, '_>| Ok(Counts::of(details.object()?));
        fields.take_if(name, |details| details.is_object(), read).map(Option::unwrap_or_default)
    };
    let input_details = details("prompt_tokens_details")?;
    let output_details = details("completion_tokens_details")?;
    let cached = input_details
        .cached
        .or_else(|| CACHED_ELSEWHERE.into_iter().find_map(|name| count(&mut fields, name)))
        .unwrap_or(0);
    let cache_write =
        input_details.cache_write.or_else(|| count(&mut fields, WRITTEN_ELSEWHERE)).unwrap_or(0);
    let reasoning = output_details.reasoning.unwrap_or(0);
    let (input, output) = whole(
        prompt.unwrap_or(0),
        completion.unwrap_or(0),
        total,
        reasoning,
        input_details.audio.unwrap_or(0),
    );
    // Grok behind Azure counts the cached prompt apart from the rest of it.
    let from_cache = cached.saturating_add(cache_write);
    let input = if from_cache > input { input.saturating_add(from_cache) } else { input };
    let mut extras = kept;
    extras.0.retain(|(name, raw)| {
        let said = |tokens: u64| raw.text() == tokens.to_string();
        match name.as_str() {
            "prompt_tokens" => !said(input),
            "completion_tokens" => !said(output),
            "total_tokens" => !said(input.saturating_add(output)),
            _ => true,
        }
    });
    Ok(Usage {
        input: Tokens(input),
        cached_input: Tokens(cached),
        cache_write: Tokens(cache_write),
        output: Tokens(output),
        reasoning: Tokens(reasoning),
        counted: Counted::Reported,
        extras,
    })
}

/// Puts back what a host left out of its two main counts.
fn whole(
    prompt: u64,
    completion: u64,
    total: Option<u64>,
    reasoning: u64,
    audio: u64,
) -> (u64, u64) {
    if reasoning > completion {
        return (prompt, completion.saturating_add(reasoning));
    }
    let missing = total.unwrap_or(0).saturating_sub(prompt.saturating_add(completion));
    if missing > 0 && missing == audio {
        (prompt.saturating_add(missing), completion)
    } else {
        (prompt, completion.saturating_add(missing))
    }
}

#[derive(Default)]
struct Counts {
    cached: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
    audio: Option<u64>,
}

impl Counts {
    fn of(mut fields: Fields<'_, '_>) -> Self {
        Self {
            cached: count(&mut fields, "cached_tokens"),
            cache_write: count(&mut fields, "cache_write_tokens"),
            reasoning: count(&mut fields, "reasoning_tokens"),
            audio: count(&mut fields, "audio_tokens"),
        }
    }
}

/// Takes a count; anything that is not one counts as not said, since a strange usage must not
/// spoil an answer.
fn count(fields: &mut Fields<'_, '_>, name: &str) -> Option<u64> {
    fields.take_if(name, |value| value.count().is_ok(), |value| value.count()).ok().flatten()
}

/// Writes usage with the extras that belong here; the provider's own numbers win where they were
/// kept.
pub(super) fn write(body: &mut Object<'_>, usage: &Usage, extras: &Extras) {
    let mut said = |name: &str, tokens: u64| {
        if extras.get(name).is_none() {
            body.field(name, &tokens);
        }
    };
    said("prompt_tokens", usage.input.0);
    said("completion_tokens", usage.output.0);
    said("total_tokens", (usage.input + usage.output).0);
    let mut details = |name: &str, counts: &[(&str, Tokens)]| {
        if extras.get(name).is_none() && !counts.is_empty() {
            body.nest(name, |details| {
                for (name, tokens) in counts {
                    details.field(name, &tokens.0);
                }
            });
        }
    };
    let mut input = Vec::with_capacity(2);
    if usage.cached_input.0 > 0 && !told(extras, &CACHED_ELSEWHERE) {
        input.push(("cached_tokens", usage.cached_input));
    }
    if usage.cache_write.0 > 0 && !told(extras, &[WRITTEN_ELSEWHERE]) {
        input.push(("cache_write_tokens", usage.cache_write));
    }
    details("prompt_tokens_details", &input);
    if usage.reasoning.0 > 0 {
        details("completion_tokens_details", &[("reasoning_tokens", usage.reasoning)]);
    }
    body.extras(extras);
}

/// Returns whether a count is among the extras under a name of the host's own.
fn told(extras: &Extras, names: &[&str]) -> bool {
    let told = |name| extras.get(name).is_some_and(|raw: &RawJson| raw.text() != "null");
    names.iter().copied().any(told)
}
