//! Requests: bytes to the canonical conversation and back.

mod output;
mod settings;
mod toolbox;
mod turns;
mod writing;

pub(super) use writing::Writing;

use ir::{Dialect, Quirks, Request};

use super::custom;
use crate::Written;
use crate::decode::DecodeError;
use crate::fields::Fields;
use crate::json;

const HERE: Dialect = Dialect::OpenaiChat;

/// Reads a request. One without a model is read as naming none: at Azure the path names it, and
/// where no path does, [`crate::head::read`] refuses the request before.
pub(crate) fn read(mut fields: Fields<'_, '_>) -> Result<Request, DecodeError> {
    let model = fields.take("model", |model| model.string())?.unwrap_or_default();
    let turns = fields.need("messages", |messages| messages.each(turns::read))?;
    let toolbox = toolbox::read(&mut fields)?;
    let output = output::read(&mut fields)?;
    let mode = settings::read_mode(&mut fields)?;
    let cap = settings::read_cap(&mut fields)?;
    let stop = fields.take("stop", |stop| {
        if stop.is_string() { Ok(vec![stop.string()?]) } else { stop.each(|text| text.string()) }
    })?;
    Ok(Request {
        spoken: HERE,
        model,
        turns,
        toolbox,
        output,
        mode,
        cap,
        temperature: fields.take("temperature", |number| number.number())?,
        top_p: fields.take("top_p", |number| number.number())?,
        // Not OpenAI's; what many hosts add to the dialect.
        top_k: fields.take_if("top_k", |k| k.number().is_ok(), |k| k.number())?,
        frequency_penalty: fields.take("frequency_penalty", |number| number.number())?,
        presence_penalty: fields.take("presence_penalty", |number| number.number())?,
        seed: fields.take("seed", |number| number.number())?,
        stop: stop.unwrap_or_default(),
        candidates: fields.take("n", |n| n.count())?,
        thinking: settings::read_thinking(&mut fields)?,
        logprobs: settings::read_logprobs(&mut fields)?,
        user: fields.take_if("user", |user| user.is_string(), |user| user.string())?,
        extras: fields.rest(),
    })
}

/// Writes a request.
pub fn write(request: &Request, quirks: Quirks) -> Written {
    let mut writing = Writing::new(request.spoken, quirks);
    let mut bytes = Vec::with_capacity(1024);
    json::object(&mut bytes, |body| {
        if !request.model.is_empty() {
            body.field("model", &request.model);
        }
        let shape = output::shape(&request.output, &mut writing);
        turns::write(body, &request.turns, shape.words(), &mut writing);
        settings::write(body, request, &mut writing);
        let toolbox = request.toolbox.as_ref();
        let allowed = toolbox.filter(|_| !writing.losses.home()).and_then(custom::allowed);
        toolbox::write(body, allowed.as_ref().or(toolbox), shape.tool(), &mut writing);
        output::write(body, &shape, &mut writing);
        if let Some(extras) = writing.losses.extras("", &request.extras) {
            body.extras(extras);
        }
    });
    Written {
        bytes,
        losses: writing.losses.done(),
        undo: writing.undo,
        renamed: crate::Renamed::default(),
    }
}
