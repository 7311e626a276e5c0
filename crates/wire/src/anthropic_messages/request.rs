//! Requests: bytes to the canonical conversation and back.

use ir::dialect::Form;
use ir::{Cap, Extras, Mode, Output, Quirks, Request};
use serde_json::Number;

use super::output::{self, Fit};
use super::{HERE, tools, turns};
use crate::decode::DecodeError;
use crate::fields::{self, Fields};
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::{Undo, Written, schema};

/// What Vertex wants in the body in place of the model.
const VERSION: &str = "anthropic_version";
const VERTEX: &str = "vertex-2023-10-16";

/// The extra that holds what else `metadata` said.
const METADATA: &str = "metadata";

/// Reads a request for an answer, or for a count of its tokens: that has no cap.
pub(crate) fn read(mut fields: Fields<'_, '_>) -> Result<Request, DecodeError> {
    let model = if fields.peek(VERSION).is_some() {
        // At Vertex the path says it.
        fields.take("model", |model| model.string())?.unwrap_or_default()
    } else {
        fields.need("model", |model| model.string())?
    };
    let turns = turns::read(&mut fields)?;
    let toolbox = tools::read(&mut fields)?;
    let wanted = output::read(&mut fields)?;
    let (user, metadata) = read_metadata(&mut fields)?;
    let stream = fields.take("stream", |stream| stream.bool())?;
    let mut request = Request {
        spoken: HERE,
        model,
        turns,
        toolbox,
        output: wanted.schema.map_or(Output::Text, Output::Schema),
        mode: match stream {
            // Usage comes unasked.
            Some(true) => Mode::Stream { usage: true, extras: Extras::default() },
            _ => Mode::Whole,
        },
        cap: fields.take("max_tokens", |cap| cap.count())?.map(Cap),
        temperature: fields.take("temperature", |number| number.number())?,
        top_p: fields.take("top_p", |number| number.number())?,
        top_k: fields.take("top_k", |number| number.number())?,
        frequency_penalty: None,
        presence_penalty: None,
        seed: None,
        stop: fields
            .take("stop_sequences", |stop| stop.each(|text| text.string()))?
            .unwrap_or_default(),
        candidates: None,
        thinking: wanted.thinking,
        logprobs: None,
        user,
        extras: fields.rest(),
    };
    output::keep(&mut request.extras, output::CONFIG, &wanted.config);
    output::keep(&mut request.extras, METADATA, &metadata);
    Ok(request)
}

/// Reads whose request it is, and what else `metadata` says.
fn read_metadata(fields: &mut Fields<'_, '_>) -> Result<(Option<String>, Extras), DecodeError> {
    let read = fields.take_if(
        METADATA,
        |metadata| metadata.is_object(),
        |metadata| {
            let mut fields = metadata.object()?;
            let user = fields.take_if("user_id", |user| user.is_string(), |user| user.string())?;
            Ok((user, fields.rest()))
        },
    )?;
    Ok(read.unwrap_or_default())
}

/// Writes a request.
pub fn write(request: &Request, quirks: Quirks) -> Written {
    let mut losses = Losses::new(HERE, request.spoken);
    let mut undo = Undo::default();
    let mut bytes = Vec::with_capacity(1024);
    let quirks =
        Quirks { schema: schema::by(&request.output, quirks.schema, &mut losses), ..quirks };
    let asked = output::in_words(request, quirks, &mut losses);
    let fit = output::fit(request, tools::forced(request, quirks), quirks, &mut losses);
    json::object(&mut bytes, |body| {
        match quirks.form {
            Form::Plain => body.field("model", &request.model),
            Form::Vertex => body.field(VERSION, VERTEX),
        }
        body.field("max_tokens", &fit.cap);
        turns::write(body, request, asked.as_deref(), &mut losses);
        tools::write(body, request, quirks, &mut losses, &mut undo);
        output::write(body, request, &fit, quirks, &mut losses);
        write_sampling(body, request, &fit, &mut losses);
        write_rest(body, request, quirks.form, &mut losses);
    });
    unsaid(request, &mut losses);
    Written { bytes, losses: losses.done(), undo, renamed: crate::Renamed::default() }
}

/// Writes how tokens are chosen. Abroad a temperature may go up to 2 and stand beside `top_p` or
/// thinking, all of which the API refuses.
fn write_sampling(body: &mut Object<'_>, request: &Request, fit: &Fit, losses: &mut Losses) {
    let Request { temperature, top_p, top_k, .. } = request;
    if losses.home() {
        body.optional("temperature", temperature.as_ref());
        body.optional("top_p", top_p.as_ref());
        body.optional("top_k", top_k.as_ref());
        return;
    }
    if fit.thinks() {
        // 1 is the temperature of thinking itself.
        let warm = temperature.as_ref().filter(|warm| warm.as_f64() != Some(1.0));
        let said = [("temperature", warm), ("top_p", top_p.as_ref()), ("top_k", top_k.as_ref())];
        for (name, _) in said.into_iter().filter(|(_, number)| number.is_some()) {
            losses.because(name, "thinking does not go with it");
        }
        return;
    }
    if let Some(warm) = temperature {
        let most = Number::from(1);
        let hot = warm.as_f64().is_some_and(|warm| warm > 1.0);
        if hot {
            losses.because("temperature", "the highest is 1");
        }
        body.field("temperature", if hot { &most } else { warm });
    }
    match top_p {
        Some(_) if temperature.is_some() => {
            losses.because("top_p", "it does not go with a temperature");
        }
        top_p => body.optional("top_p", top_p.as_ref()),
    }
    body.optional("top_k", top_k.as_ref());
}

fn write_rest(body: &mut Object<'_>, request: &Request, form: Form, losses: &mut Losses) {
    let mut stop: Vec<&str> = request.stop.iter().map(String::as_str).collect();
    if !losses.home() && stop.iter().any(|text| text.trim().is_empty()) {
        losses.because("stop", "a stop sequence of white space alone is refused");
        stop.retain(|text| !text.trim().is_empty());
    }
    if !stop.is_empty() {
        body.field("stop_sequences", &stop);
    }
    if let Mode::Stream { extras, .. } = &request.mode {
        body.field("stream", &true);
        if !extras.is_empty() {
            losses.extras("mode", extras);
        }
    }
    let metadata = request.extras.get(METADATA).filter(|_| losses.home());
    let kept = metadata.and_then(|raw| Some(fields::body(raw.text().as_bytes()).ok()?.rest()));
    if request.user.is_some() || kept.is_some() {
        body.nest(METADATA, |metadata| {
            metadata.optional("user_id", request.user.as_ref());
            if let Some(kept) = &kept {
                metadata.extras(kept);
            }
        });
    }
    let Some(extras) = losses.extras("", &request.extras) else { return };
    for (name, raw) in extras.iter() {
        let written = match name {
            METADATA => kept.is_some(),
            output::CONFIG => raw.text().starts_with('{'),
            VERSION => form == Form::Vertex,
            _ => false,
        };
        if !written {
            body.raw(name, raw);
        }
    }
}

/// Notes the wishes that the dialect has no field for.
fn unsaid(request: &Request, losses: &mut Losses) {
    let said = [
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("seed", request.seed.is_some()),
        ("candidates", request.candidates.is_some_and(|wanted| wanted > 1)),
        ("logprobs", request.logprobs.is_some()),
    ];
    for (name, _) in said.into_iter().filter(|(_, said)| *said) {
        losses.lose(name);
    }
}
