//! What a request says besides its conversation and its tools: the shape of the answer, thinking,
//! sampling, how the answer arrives.

use ir::dialect::SchemaBy;
use ir::{Cap, Extras, Logprobs, Mode, Output, Quirks, RawJson, Request, Schema, Thinking};

use super::content::string;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::losses::Losses;

/// The entries of `include` that are understood.
const LOGPROBS: &str = "message.output_text.logprobs";
const ENCRYPTED: &str = "reasoning.encrypted_content";

/// The least cap that OpenAI takes.
const LEAST_CAP: u64 = 16;

/// Reads the shape of the answer; the rest of `text`, and a shape that nobody knows, stay among the
/// rest.
pub(super) fn read_output(
    fields: &mut Fields<'_, '_>,
) -> Result<(Output, Option<RawJson>), DecodeError> {
    let read = |text: Value<'_, '_>| {
        let mut text = text.object()?;
        let known = |format: Value<'_, '_>| read_format(format).is_some();
        let output = text.take_if("format", known, |format| Ok(read_format(format)))?.flatten();
        let rest = text.rest();
        let left = (!rest.is_empty()).then(|| object(&rest));
        Ok((output.unwrap_or(Output::Text), left))
    };
    let said = fields.take_if("text", |text| text.is_object(), read)?;
    Ok(said.unwrap_or((Output::Text, None)))
}

fn object(extras: &Extras) -> RawJson {
    let mut out = Vec::new();
    json::object(&mut out, |object| object.extras(extras));
    let text = String::from_utf8(out).expect("invariant: JSON is text");
    RawJson::parse(text).expect("invariant: written here as JSON")
}

fn read_format(format: Value<'_, '_>) -> Option<Output> {
    let mut fields = format.object().ok()?;
    let kind = string(&mut fields, "type").ok()??;
    match kind.as_str() {
        "text" => fields.left().next().is_none().then_some(Output::Text),
        "json_object" => fields.left().next().is_none().then_some(Output::Json),
        "json_schema" => Some(Output::Schema(Schema {
            name: string(&mut fields, "name").ok()??,
            description: fields.take("description", |text| text.string()).ok()?,
            schema: fields.take("schema", |schema| Ok(schema.keep())).ok()?,
            strict: fields.take("strict", |strict| strict.bool()).ok()?,
            extras: fields.rest(),
        })),
        _ => None,
    }
}

/// Reads whether and how hard to think.
pub(super) fn read_thinking(fields: &mut Fields<'_, '_>) -> Result<Option<Thinking>, DecodeError> {
    let read = |reasoning: Value<'_, '_>| {
        let mut fields = reasoning.object()?;
        let effort = string(&mut fields, "effort")?;
        let auto = |word: Value<'_, '_>| word.raw.get() == "\"auto\"";
        let plain = fields.take_if("summary", auto, |_| Ok(true))?;
        // A summary of a certain kind is one as well; its word stays.
        let shown = plain.or_else(|| fields.peek("summary").map(|_| true));
        Ok(Thinking { effort, budget: None, shown, extras: fields.rest() })
    };
    fields.take_if("reasoning", |reasoning| reasoning.is_object(), read)
}

/// Reads which log probabilities are wanted; other things to include stay among the rest.
pub(super) fn read_logprobs(
    fields: &mut Fields<'_, '_>,
) -> Result<(Option<Logprobs>, Option<RawJson>), DecodeError> {
    let wanted = fields.peek("include").is_some_and(|include| include.get().contains(LOGPROBS));
    if !wanted {
        return Ok((None, None));
    }
    let read = |include: Value<'_, '_>| include.each(|entry| Ok(entry.keep()));
    let all = fields.take_if("include", |include| include.is_list(), read)?.unwrap_or_default();
    let own = RawJson::string(LOGPROBS);
    let others: Vec<&str> = all.iter().filter(|entry| **entry != own).map(RawJson::text).collect();
    let found = others.len() < all.len();
    let rest = (!others.is_empty()).then(|| {
        let text = format!("[{}]", others.join(","));
        RawJson::parse(text).expect("invariant: a list of JSON is JSON")
    });
    if !found {
        return Ok((None, rest));
    }
    let top = fields.take_if("top_logprobs", |top| top.count().is_ok(), |top| top.count())?;
    Ok((Some(Logprobs { top }), rest))
}

/// Reads how the answer is to arrive; usage always comes.
pub(super) fn read_mode(fields: &mut Fields<'_, '_>) -> Result<Mode, DecodeError> {
    if fields.take("stream", |stream| stream.bool())? != Some(true) {
        return Ok(Mode::Whole);
    }
    let options = fields.take_if(
        "stream_options",
        |options| options.is_object(),
        |options| Ok(options.object()?.rest()),
    )?;
    Ok(Mode::Stream { usage: true, extras: options.unwrap_or_default() })
}

/// Writes all of these.
pub(super) fn write(body: &mut Object<'_>, losses: &mut Losses, request: &Request, quirks: Quirks) {
    write_cap(body, losses, request.cap);
    body.optional("temperature", request.temperature.as_ref());
    body.optional("top_p", request.top_p.as_ref());
    body.optional("user", request.user.as_ref());
    lose_sampling(losses, request);
    if let Mode::Stream { extras, .. } = &request.mode {
        body.field("stream", &true);
        let extras = losses.extras("stream_options", extras);
        if let Some(extras) = extras.filter(|extras| !extras.is_empty()) {
            body.nest("stream_options", |options| options.extras(extras));
        }
    }
    if let Some(thinking) = &request.thinking {
        write_thinking(body, losses, thinking);
    }
    write_output(body, losses, request, quirks);
    write_include(body, losses, request);
    if !losses.home() {
        // No other dialect's host keeps conversations unasked.
        body.field("store", &false);
    }
}

fn write_cap(body: &mut Object<'_>, losses: &mut Losses, cap: Option<Cap>) {
    let Some(Cap(cap)) = cap else { return };
    if losses.home() || cap >= LEAST_CAP {
        return body.field("max_output_tokens", &cap);
    }
    losses.because("cap", format!("raised to {LEAST_CAP}, the least openai_responses takes"));
    body.field("max_output_tokens", &LEAST_CAP);
}

fn lose_sampling(losses: &mut Losses, request: &Request) {
    let said = [
        ("top_k", request.top_k.is_some()),
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("seed", request.seed.is_some()),
        ("stop", !request.stop.is_empty()),
        ("candidates", request.candidates.is_some_and(|wanted| wanted > 1)),
    ];
    for (name, said) in said {
        if said {
            losses.lose(name);
        }
    }
}

fn write_thinking(body: &mut Object<'_>, losses: &mut Losses, thinking: &Thinking) {
    let extras = losses.extras("thinking", &thinking.extras);
    body.nest("reasoning", |reasoning| {
        reasoning.optional("effort", thinking.effort());
        let word = extras.is_some_and(|extras| extras.get("summary").is_some());
        if thinking.shown == Some(true) && !word {
            reasoning.field("summary", "auto");
        }
        if let Some(extras) = extras {
            reasoning.extras(extras);
        }
    });
}

fn write_output(body: &mut Object<'_>, losses: &mut Losses, request: &Request, quirks: Quirks) {
    let rest = request.extras.get("text").filter(|_| losses.home());
    let rest = rest.map(RawJson::value);
    let rest = rest.as_ref().and_then(serde_json::Value::as_object);
    let json = match (&request.output, quirks.schema) {
        (Output::Json, _) | (Output::Schema(_), SchemaBy::Prompt) => true,
        (Output::Text, _) | (Output::Schema(_), _) => false,
    };
    let schema = match (&request.output, quirks.schema) {
        (Output::Schema(schema), SchemaBy::Native) => Some(schema),
        _ => None,
    };
    if !json && schema.is_none() && rest.is_none() {
        return;
    }
    body.nest("text", |text| {
        if json {
            text.nest("format", |format| format.field("type", "json_object"));
        }
        if let Some(schema) = schema {
            text.nest("format", |format| write_schema(format, losses, schema));
        }
        for (name, value) in rest.into_iter().flatten() {
            text.field(name, value);
        }
    });
}

fn write_schema(format: &mut Object<'_>, losses: &mut Losses, schema: &Schema) {
    format.field("type", "json_schema");
    format.field("name", if schema.name.is_empty() { "answer" } else { &schema.name });
    format.optional("description", schema.description.as_ref());
    match &schema.schema {
        Some(text) => format.raw("schema", text),
        None if losses.home() => {}
        None => format.nest("schema", |_| {}),
    }
    format.optional("strict", schema.strict.as_ref());
    if let Some(extras) = losses.extras("output", &schema.extras) {
        format.extras(extras);
    }
}

/// Writes what is to be included: log probabilities, and for conversations that nobody keeps the
/// thoughts themselves, so that they can come back.
fn write_include(body: &mut Object<'_>, losses: &Losses, request: &Request) {
    let kept = request.extras.get("include").filter(|_| losses.home());
    let mut entries = match kept.map(RawJson::value) {
        Some(serde_json::Value::Array(entries)) => entries,
        Some(other) => return body.field("include", &other),
        None => Vec::new(),
    };
    let said = kept.is_some();
    if let Some(logprobs) = request.logprobs {
        entries.push(LOGPROBS.into());
        body.optional("top_logprobs", logprobs.top.as_ref());
    }
    let thinks = request.thinking.as_ref().is_some_and(|said| said.effort() != Some("none"));
    if !losses.home() && thinks {
        entries.push(ENCRYPTED.into());
    }
    if said || !entries.is_empty() {
        body.field("include", &entries);
    }
}
