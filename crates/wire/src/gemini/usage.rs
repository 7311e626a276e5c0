//! Usage: Google's counts, brought to one meaning and back.
//!
//! `promptTokenCount` includes what was cached and not what its own tools brought in;
//! `candidatesTokenCount` does not include thoughts. A count of nothing may be said or not. A number
//! that would be written otherwise is kept among the extras, so that at home it is written as it came.

use ir::{Counted, Dialect, Tokens, Usage};

use super::HERE;
use crate::decode::DecodeError;
use crate::fields::Value;
use crate::json::Object;

const PROMPT: &str = "promptTokenCount";
const CACHED: &str = "cachedContentTokenCount";
const CANDIDATES: &str = "candidatesTokenCount";
const THOUGHTS: &str = "thoughtsTokenCount";
const TOOLS: &str = "toolUsePromptTokenCount";
const TOTAL: &str = "totalTokenCount";

/// Reads usage; a count that is none counts as not said, since it must not spoil an answer.
pub(super) fn read(usage: Value<'_, '_>) -> Result<Usage, DecodeError> {
    let fields = usage.object()?;
    let count = |name: &str| -> u64 {
        fields.peek(name).and_then(|raw| raw.get().parse().ok()).unwrap_or(0)
    };
    let (prompt, tools) = (count(PROMPT), count(TOOLS));
    let (candidates, thoughts) = (count(CANDIDATES), count(THOUGHTS));
    let mut read = Usage {
        input: Tokens(prompt.saturating_add(tools)),
        cached_input: Tokens(count(CACHED)),
        cache_write: Tokens(0),
        output: Tokens(candidates.saturating_add(thoughts)),
        reasoning: Tokens(thoughts),
        counted: Counted::Reported,
        extras: fields.rest(),
    };
    let written = counts(&read, tools);
    read.extras.0.retain(|(name, raw)| {
        let said = written.iter().find(|(known, _)| known == name);
        said.is_none_or(|(_, count)| *count == 0 || raw.text() != count.to_string())
    });
    Ok(read)
}

/// Returns whether a usage counts anything; in the middle of a stream Vertex says less.
pub(super) fn counts_something(usage: Value<'_, '_>) -> bool {
    usage.object().is_ok_and(|fields| fields.left().any(|(name, _)| name.ends_with("TokenCount")))
}

/// What Google says of usage beside its counts.
const BESIDE: [&str; 7] = [
    TOOLS,
    "promptTokensDetails",
    "cacheTokensDetails",
    "candidatesTokensDetails",
    "toolUsePromptTokensDetails",
    "trafficType",
    "serviceTier",
];

/// Returns a usage with those extras alone that have Google's names: in a stream nobody says whose
/// they are.
pub(super) fn at_home(usage: &Usage) -> Usage {
    let mut kept = usage.clone();
    let counts = [PROMPT, CACHED, CANDIDATES, THOUGHTS, TOTAL];
    kept.extras.0.retain(|(name, _)| [&BESIDE[..], &counts[..]].concat().contains(&name.as_str()));
    kept
}

/// Returns the counts as Google says them.
fn counts(usage: &Usage, tools: u64) -> [(&'static str, u64); 5] {
    [
        (PROMPT, usage.input.0.saturating_sub(tools)),
        (CACHED, usage.cached_input.0),
        (CANDIDATES, usage.output.0.saturating_sub(usage.reasoning.0)),
        (THOUGHTS, usage.reasoning.0),
        (TOTAL, usage.input.0.saturating_add(usage.output.0)),
    ]
}

/// Writes usage; the provider's own numbers win where they were kept.
pub(super) fn write(body: &mut Object<'_>, usage: &Usage, spoken: Dialect) {
    let extras = Some(&usage.extras).filter(|_| spoken == HERE);
    let kept = |name: &str| extras.and_then(|extras| extras.get(name));
    let tools = kept(TOOLS).and_then(|raw| raw.text().parse().ok()).unwrap_or(0);
    for (name, count) in counts(usage, tools) {
        if count > 0 && kept(name).is_none() {
            body.field(name, &count);
        }
    }
    if let Some(extras) = extras {
        body.extras(extras);
    }
}
