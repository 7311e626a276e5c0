//! Requests: bytes to the canonical conversation and back.

use ir::dialect::SchemaBy;
use ir::{Extras, Mode, Output, Quirks, Request};

use super::{HERE, settings, spelling, tools, turns};
use crate::Written;
use crate::decode::DecodeError;
use crate::fields;
use crate::json;
use crate::losses::Losses;
use crate::undo::schema_in_words;

/// Reads a request. Its model and whether to stream stand in the path, so they are not here yet.
pub fn read(body: &[u8]) -> Result<Request, DecodeError> {
    let mut fields = fields::body(body)?;
    let turns = turns::read(&mut fields)?;
    let (toolbox, config) = tools::read(&mut fields)?;
    let mut request = Request {
        spoken: HERE,
        model: String::new(),
        turns,
        toolbox,
        output: Output::Text,
        mode: Mode::Whole,
        cap: None,
        temperature: None,
        top_p: None,
        top_k: None,
        frequency_penalty: None,
        presence_penalty: None,
        seed: None,
        stop: Vec::new(),
        candidates: None,
        thinking: None,
        logprobs: None,
        user: None,
        extras: Extras::default(),
    };
    let rest =
        spelling::take(&mut fields, settings::NAME, |config| settings::read(&mut request, config))?;
    request.extras = fields.rest();
    spelling::nested(&mut request.extras, settings::NAME, rest.unwrap_or_default());
    spelling::nested(&mut request.extras, tools::CONFIG, config);
    Ok(request)
}

/// Writes a request, but for its model and whether to stream, which go into the path.
pub fn write(request: &Request, quirks: Quirks) -> Written {
    let mut losses = Losses::new(HERE, request.spoken);
    let mut bytes = Vec::with_capacity(1024);
    let schema = match &request.output {
        Output::Schema(schema) => Some(schema),
        Output::Text | Output::Json => None,
    };
    let words = schema.filter(|_| quirks.schema == SchemaBy::Prompt).map(schema_in_words);
    let mut undo = crate::Undo::default();
    let extras = losses.extras("", &request.extras);
    if let Mode::Stream { extras, .. } = &request.mode {
        losses.extras("mode", extras);
    }
    if request.user.is_some() {
        losses.lose("user");
    }
    json::object(&mut bytes, |body| {
        turns::write(body, &request.turns, words.as_deref(), &mut losses);
        let offer = tools::Offer {
            toolbox: request.toolbox.as_ref(),
            answer: schema.filter(|_| quirks.schema == SchemaBy::Tool),
            extras,
        };
        undo = tools::write(body, &offer, &mut losses);
        settings::write(body, request, quirks.schema, extras, &mut losses);
        let plain = |(name, _): &(&str, _)| {
            !name.starts_with("generationConfig.") && !name.starts_with("toolConfig.")
        };
        for (name, raw) in extras.into_iter().flat_map(Extras::iter).filter(plain) {
            body.raw(name, raw);
        }
    });
    Written { bytes, losses: losses.done(), undo, renamed: crate::Renamed::default() }
}
