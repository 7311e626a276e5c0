//! Requests: bytes to the canonical conversation and back.

use ir::dialect::{SchemaBesideTools, SchemaBy, ThinkingOff};
use ir::{Extras, Mode, Output, Quirks, Request, Tool};

use super::{HERE, settings, spelling, tools, turns};
use crate::Written;
use crate::decode::DecodeError;
use crate::fields::Fields;
use crate::json;
use crate::losses::Losses;
use crate::undo::schema_in_words;

/// Asks for JSON where the field for it cannot be used.
const JSON_IN_WORDS: &str = "Answer with one JSON object, and with nothing before or after it.";

/// Reads a request. Its model and whether to stream stand in the path, so they are not here yet.
pub(crate) fn read(mut fields: Fields<'_, '_>) -> Result<Request, DecodeError> {
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
    let shape = shape(request, quirks, &mut losses);
    let schema = match shape.output {
        Output::Schema(schema) => Some(schema),
        Output::Text | Output::Json => None,
    };
    let mut undo = crate::Undo::default();
    let extras = losses.extras("", &request.extras);
    if let Mode::Stream { extras, .. } = &request.mode {
        losses.extras("mode", extras);
    }
    if request.user.is_some() {
        losses.lose("user");
    }
    json::object(&mut bytes, |body| {
        let words = shape.words.as_deref();
        turns::write(body, &request.turns, words, quirks.signatures, &mut losses);
        let offer = tools::Offer {
            toolbox: request.toolbox.as_ref(),
            answer: schema.filter(|_| shape.by == SchemaBy::Tool),
            extras,
        };
        undo = tools::write(body, &offer, &mut losses);
        settings::write(body, request, &shape, extras, &mut losses);
        let plain = |(name, _): &(&str, _)| {
            !name.starts_with("generationConfig.") && !name.starts_with("toolConfig.")
        };
        for (name, raw) in extras.into_iter().flat_map(Extras::iter).filter(plain) {
            body.raw(name, raw);
        }
    });
    Written { bytes, losses: losses.done(), undo, renamed: crate::Renamed::default() }
}

/// How the answer is given its shape.
pub(super) struct Shape<'r> {
    /// What is asked for by a field or by a tool.
    pub(super) output: &'r Output,
    /// Which of the two it is.
    pub(super) by: SchemaBy,
    /// What is asked for in words.
    words: Option<String>,
    /// Whether the model can be told not to think.
    pub(super) off: ThinkingOff,
}

fn shape<'r>(request: &'r Request, quirks: Quirks, losses: &mut Losses) -> Shape<'r> {
    let (output, off) = (&request.output, quirks.thinking_off);
    let mine = |tool: &Tool| !matches!(tool, Tool::Hosted(own) if own.dialect != HERE);
    let tools = request.toolbox.as_ref().is_some_and(|toolbox| toolbox.tools.iter().any(mine));
    if quirks.schema_beside_tools == SchemaBesideTools::Tool && tools && !losses.home() {
        if *output == Output::Json {
            losses.because("output", "no media type stands beside tools; asked for in words");
            let words = Some(JSON_IN_WORDS.to_owned());
            return Shape { output: &Output::Text, by: quirks.schema, words, off };
        }
        return Shape { output, by: SchemaBy::Tool, words: None, off };
    }
    let words = match output {
        Output::Schema(schema) if quirks.schema == SchemaBy::Prompt => {
            Some(schema_in_words(schema))
        }
        _ => None,
    };
    Shape { output, by: quirks.schema, words, off }
}
