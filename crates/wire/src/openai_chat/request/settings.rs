//! What a request says beside the conversation: how the answer is made and how it is to arrive.
//!
//! Thinking is asked for by a word, `reasoning_effort`, or by an object, `reasoning` (OpenRouter,
//! Vercel, Snowflake), which also says whether the thoughts are shown: that is how the writer knows
//! at home which of the two it was. From another dialect it is always the word.

use ir::dialect::{CapField, StreamUsage};
use ir::{Budget, Cap, Extras, Logprobs, Mode, Request, Thinking};

use super::Writing;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;

/// The most texts that end an answer.
const MOST_STOPS: usize = 4;

/// Reads how the answer is to arrive.
pub(super) fn read_mode(fields: &mut Fields<'_, '_>) -> Result<Mode, DecodeError> {
    if fields.take("stream", |stream| stream.bool())? != Some(true) {
        return Ok(Mode::Whole);
    }
    let options = fields.take_if(
        "stream_options",
        |options| options.is_object(),
        |options| {
            let mut options = options.object()?;
            let usage = options.take("include_usage", |usage| usage.bool())?;
            Ok((usage.unwrap_or(false), options.rest()))
        },
    )?;
    let (usage, extras) = options.unwrap_or((false, Extras::default()));
    Ok(Mode::Stream { usage, extras })
}

/// Reads the cap under either name; where both stand, the older one stays among the rest.
pub(super) fn read_cap(fields: &mut Fields<'_, '_>) -> Result<Option<Cap>, DecodeError> {
    let newer = fields.take("max_completion_tokens", |cap| cap.count())?;
    let cap = match newer {
        Some(cap) => Some(cap),
        None => fields.take("max_tokens", |cap| cap.count())?,
    };
    Ok(cap.map(Cap))
}

/// Reads the log probabilities that are wanted; what asks for none stays among the rest.
pub(super) fn read_logprobs(fields: &mut Fields<'_, '_>) -> Result<Option<Logprobs>, DecodeError> {
    if fields.take_if("logprobs", |wanted| wanted.raw.get() == "true", |_| Ok(()))?.is_none() {
        return Ok(None);
    }
    let top = fields.take_if("top_logprobs", |top| top.count().is_ok(), |top| top.count())?;
    Ok(Some(Logprobs { top }))
}

/// Reads whether and how hard to think; where the word and the object both stand, the object stays
/// among the rest.
pub(super) fn read_thinking(fields: &mut Fields<'_, '_>) -> Result<Option<Thinking>, DecodeError> {
    let effort =
        fields.take_if("reasoning_effort", |text| text.is_string(), |text| text.string())?;
    if effort.is_some() {
        return Ok(Some(Thinking { effort, ..Thinking::default() }));
    }
    fields.take_if("reasoning", |object| object.is_object(), read_reasoning)
}

fn read_reasoning(reasoning: Value<'_, '_>) -> Result<Thinking, DecodeError> {
    let mut fields = reasoning.object()?;
    let effort = fields.take_if("effort", |text| text.is_string(), |text| text.string())?;
    let most = fields.take_if("max_tokens", |most| most.count().is_ok(), |most| most.count())?;
    let hidden =
        fields.take_if("exclude", |hidden| hidden.bool().is_ok(), |hidden| hidden.bool())?;
    let mut budget = most.map(Budget::Tokens);
    if effort.is_none() && budget.is_none() {
        let on = fields.take_if("enabled", |on| on.bool().is_ok(), |on| on.bool())?;
        budget = on.map(|on| if on { Budget::Auto } else { Budget::Off });
    }
    let shown = Some(!hidden.unwrap_or(false));
    Ok(Thinking { effort, budget, shown, extras: fields.rest() })
}

/// Writes the settings.
pub(super) fn write(body: &mut Object<'_>, request: &Request, writing: &mut Writing) {
    if let Some(Cap(cap)) = request.cap {
        body.field(cap_field(writing), &cap);
    }
    body.optional("temperature", request.temperature.as_ref());
    body.optional("top_p", request.top_p.as_ref());
    if let Some(top_k) = &request.top_k {
        if writing.losses.home() {
            body.field("top_k", top_k);
        } else {
            writing.losses.lose("top_k");
        }
    }
    body.optional("seed", request.seed.as_ref());
    let most = if writing.losses.home() { request.stop.len() } else { MOST_STOPS };
    let stop: Vec<&String> = request.stop.iter().take(most).collect();
    if stop.len() < request.stop.len() {
        writing.losses.because("stop", "openai_chat takes the first four");
    }
    if !stop.is_empty() {
        body.field("stop", &stop);
    }
    body.optional("n", request.candidates.as_ref());
    body.optional("frequency_penalty", request.frequency_penalty.as_ref());
    body.optional("presence_penalty", request.presence_penalty.as_ref());
    if let Some(thinking) = &request.thinking {
        write_thinking(body, thinking, writing);
    }
    if let Some(Logprobs { top }) = request.logprobs {
        body.field("logprobs", &true);
        body.optional("top_logprobs", top.as_ref());
    }
    body.optional("user", request.user.as_ref());
    write_mode(body, &request.mode, writing);
}

fn cap_field(writing: &Writing) -> &'static str {
    match writing.quirks.cap {
        CapField::MaxCompletionTokens => "max_completion_tokens",
        CapField::MaxTokens => "max_tokens",
    }
}

fn write_thinking(body: &mut Object<'_>, thinking: &Thinking, writing: &mut Writing) {
    if !writing.losses.home() {
        if thinking.shown.is_some() {
            writing.losses.lose("thinking.shown");
        }
        writing.losses.extras("thinking", &thinking.extras);
        return body.optional("reasoning_effort", thinking.effort());
    }
    let Some(shown) = thinking.shown else {
        return body.optional("reasoning_effort", thinking.effort.as_ref());
    };
    body.nest("reasoning", |reasoning| {
        reasoning.optional("effort", thinking.effort.as_ref());
        match thinking.budget {
            None => {}
            Some(Budget::Tokens(most)) => reasoning.field("max_tokens", &most),
            Some(Budget::Auto) => reasoning.field("enabled", &true),
            Some(Budget::Off) => reasoning.field("enabled", &false),
        }
        if !shown {
            reasoning.field("exclude", &true);
        }
        reasoning.extras(&thinking.extras);
    });
}

/// Writes how the answer is to arrive. At home usage is asked for when the caller asked; other
/// dialects always tell it, so that a host which must be asked is.
fn write_mode(body: &mut Object<'_>, mode: &Mode, writing: &mut Writing) {
    let Mode::Stream { usage, extras } = mode else { return };
    body.field("stream", &true);
    let usage = if writing.losses.home() {
        *usage
    } else {
        writing.quirks.stream_usage == StreamUsage::Ask
    };
    let extras = writing.losses.extras("mode", extras).filter(|extras| !extras.is_empty());
    if usage || extras.is_some() {
        body.nest("stream_options", |options| {
            if usage {
                options.field("include_usage", &true);
            }
            if let Some(extras) = extras {
                options.extras(extras);
            }
        });
    }
}
