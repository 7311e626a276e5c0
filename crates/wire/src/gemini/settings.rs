//! `generationConfig`: sampling, the shape of the answer, thinking.
//!
//! Its unknown fields are kept among the request's as `generationConfig.NAME`.

use ir::dialect::{SchemaBy, ThinkingOff};
use ir::{Budget, Cap, Extras, Logprobs, Output, Request, Schema, Thinking};

use super::request::Shape;
use super::{HERE, schema, spelling};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::Object;
use crate::losses::Losses;

/// The field's name.
pub(super) const NAME: &str = "generationConfig";

const JSON: &str = "application/json";

/// Google's schemas have no name; other dialects want one.
const SCHEMA_NAME: &str = "answer";

/// The words for thinking levels.
const LEVELS: [&str; 4] = ["minimal", "low", "medium", "high"];

/// The most that every model that thinks takes as its budget.
const LARGEST_BUDGET: u64 = 24_576;

/// Reads the settings into an empty request.
pub(super) fn read(request: &mut Request, config: Value<'_, '_>) -> Result<Extras, DecodeError> {
    let mut fields = config.object()?;
    let of = &mut fields;
    request.temperature = spelling::take(of, "temperature", |number| number.number())?;
    request.top_p = spelling::take(of, "topP", |number| number.number())?;
    request.top_k = spelling::take(of, "topK", |number| number.number())?;
    request.seed = spelling::take(of, "seed", |number| number.number())?;
    request.presence_penalty = spelling::take(of, "presencePenalty", |number| number.number())?;
    request.frequency_penalty = spelling::take(of, "frequencyPenalty", |number| number.number())?;
    request.cap = spelling::take(of, "maxOutputTokens", |cap| cap.count())?.map(Cap);
    request.candidates = spelling::take(of, "candidateCount", |count| count.count())?;
    let stop = spelling::take(of, "stopSequences", |stop| stop.each(|text| text.string()))?;
    request.stop = stop.unwrap_or_default();
    let object = |value: Value<'_, '_>| value.is_object();
    request.thinking = spelling::take_if(of, "thinkingConfig", object, read_thinking)?;
    request.logprobs = read_logprobs(of)?;
    request.output = read_output(of)?;
    Ok(fields.rest())
}

fn read_thinking(config: Value<'_, '_>) -> Result<Thinking, DecodeError> {
    let mut fields = config.object()?;
    let known = |number: Value<'_, '_>| budget(number).is_some();
    let read = |number: Value<'_, '_>| Ok(budget(number));
    let budget = spelling::take_if(&mut fields, "thinkingBudget", known, read)?.flatten();
    let level = |word: Value<'_, '_>| word.text().is_ok_and(|word| level(&word).is_some());
    let effort = spelling::take_if(&mut fields, "thinkingLevel", level, |word| {
        Ok(word.string()?.to_ascii_lowercase())
    })?;
    let is_bool = |value: Value<'_, '_>| value.bool().is_ok();
    let shown = spelling::take_if(&mut fields, "includeThoughts", is_bool, |shown| shown.bool())?;
    Ok(Thinking { effort, budget, shown, extras: fields.rest() })
}

fn budget(number: Value<'_, '_>) -> Option<Budget> {
    match number.number().ok()?.as_i64()? {
        -1 => Some(Budget::Auto),
        0 => Some(Budget::Off),
        tokens => u64::try_from(tokens).ok().map(Budget::Tokens),
    }
}

fn level(word: &str) -> Option<&'static str> {
    LEVELS.into_iter().find(|level| level.eq_ignore_ascii_case(word))
}

fn read_logprobs(fields: &mut Fields<'_, '_>) -> Result<Option<Logprobs>, DecodeError> {
    let wanted = spelling::peek(fields, "responseLogprobs").is_some_and(|raw| raw.get() == "true");
    if !wanted {
        return Ok(None);
    }
    spelling::take(fields, "responseLogprobs", |_| Ok(()))?;
    let count = |top: Value<'_, '_>| top.count().is_ok();
    let top = spelling::take_if(fields, "logprobs", count, |top| top.count())?;
    Ok(Some(Logprobs { top }))
}

/// Reads the shape of the answer; a schema for anything but JSON stays among the rest.
fn read_output(fields: &mut Fields<'_, '_>) -> Result<Output, DecodeError> {
    let kind = spelling::peek(fields, "responseMimeType");
    let kind = kind.and_then(|kind| serde_json::from_str::<String>(kind.get()).ok());
    match kind.as_deref() {
        Some("text/plain") => {
            spelling::take(fields, "responseMimeType", |_| Ok(()))?;
            return Ok(Output::Text);
        }
        Some(JSON) => {}
        _ => return Ok(Output::Text),
    }
    spelling::take(fields, "responseMimeType", |_| Ok(()))?;
    let found = spelling::take(fields, "responseJsonSchema", |raw| Ok(raw.keep()))?;
    let found = match found {
        Some(found) => Some(found),
        None => spelling::take(fields, "responseSchema", |raw| Ok(schema::read(raw.raw)))?,
    };
    Ok(found.map_or(Output::Json, |found| {
        Output::Schema(Schema {
            name: SCHEMA_NAME.to_owned(),
            description: None,
            schema: Some(found),
            strict: None,
            extras: Extras::default(),
        })
    }))
}

/// Writes the settings, when there are any.
pub(super) fn write(
    body: &mut Object<'_>,
    request: &Request,
    shape: &Shape<'_>,
    extras: Option<&Extras>,
    losses: &mut Losses,
) {
    let rest = extras.filter(|extras| spelling::has_nested(NAME, extras));
    let thinking = request.thinking.as_ref();
    let thinking = thinking.filter(|thinking| thinks(thinking, shape.off, losses));
    if rest.is_none() && thinking.is_none() && !says_something(request, shape) {
        return;
    }
    body.nest(NAME, |config| {
        config.optional("temperature", request.temperature.as_ref());
        config.optional("topP", request.top_p.as_ref());
        config.optional("topK", request.top_k.as_ref());
        config.optional("seed", request.seed.as_ref());
        config.optional("presencePenalty", request.presence_penalty.as_ref());
        config.optional("frequencyPenalty", request.frequency_penalty.as_ref());
        config.optional("maxOutputTokens", request.cap.map(|Cap(cap)| cap).as_ref());
        config.optional("candidateCount", request.candidates.as_ref());
        if !request.stop.is_empty() {
            config.field("stopSequences", &request.stop);
        }
        if let Some(logprobs) = &request.logprobs {
            config.field("responseLogprobs", &true);
            config.optional("logprobs", logprobs.top.as_ref());
        }
        write_output(config, shape.output, shape.by, losses);
        if let Some(thinking) = thinking {
            write_thinking(config, thinking, losses);
        }
        if let Some(rest) = rest {
            spelling::write_nested(config, NAME, rest);
        }
    });
}

fn says_something(request: &Request, shape: &Shape<'_>) -> bool {
    let shaped = match shape.output {
        Output::Text => false,
        Output::Json => true,
        Output::Schema(_) => shape.by != SchemaBy::Tool,
    };
    let numbers = [
        &request.temperature,
        &request.top_p,
        &request.top_k,
        &request.seed,
        &request.presence_penalty,
        &request.frequency_penalty,
    ];
    shaped
        || numbers.into_iter().any(Option::is_some)
        || request.cap.is_some()
        || request.candidates.is_some()
        || !request.stop.is_empty()
        || request.logprobs.is_some()
}

fn write_output(config: &mut Object<'_>, output: &Output, by: SchemaBy, losses: &mut Losses) {
    let Output::Schema(schema) = output else {
        if *output == Output::Json {
            config.field("responseMimeType", JSON);
        }
        return;
    };
    losses.extras("output", &schema.extras);
    if by == SchemaBy::Tool {
        return;
    }
    config.field("responseMimeType", JSON);
    if by == SchemaBy::Native {
        if schema.description.is_some() {
            losses.lose("output.description");
        }
        if let Some(schema) = &schema.schema {
            config.raw("responseJsonSchema", schema);
        }
    }
}

/// Returns whether anything is said of thinking. From elsewhere a model that cannot but think is not
/// told to stop: it would refuse the request.
fn thinks(thinking: &Thinking, off: ThinkingOff, losses: &mut Losses) -> bool {
    let refused = off == ThinkingOff::Never && thinking.budget() == Some(Budget::Off);
    if refused && !losses.home() {
        losses.extras("thinking", &thinking.extras);
        losses.because("thinking", "not every model can be told not to think");
        return false;
    }
    true
}

/// Writes the thinking: at home as it was said; from elsewhere as a budget, which every model that
/// thinks takes, while only newer ones take a level.
fn write_thinking(config: &mut Object<'_>, thinking: &Thinking, losses: &mut Losses) {
    let home = losses.home();
    let extras = losses.extras("thinking", &thinking.extras);
    let budget = if home { thinking.budget } else { thinking.budget() };
    let mut shown = thinking.shown;
    if !home && budget == Some(Budget::Off) && shown == Some(true) {
        losses.because("thinking.shown", "there are no thoughts to show without thinking");
        shown = None;
    }
    let budget = budget.map(|budget| match budget {
        Budget::Off => 0,
        Budget::Auto => -1,
        Budget::Tokens(tokens) => {
            let most = if home { u64::MAX } else { LARGEST_BUDGET };
            if tokens > most && thinking.budget.is_some() {
                let why = format!("{} takes at most {most} everywhere", HERE.name());
                losses.because("thinking.budget", why);
            }
            i64::try_from(tokens.min(most)).unwrap_or(i64::MAX)
        }
    });
    let level = thinking.effort.as_deref().filter(|_| home);
    config.nest("thinkingConfig", |config| {
        config.optional("thinkingBudget", budget.as_ref());
        config.optional("thinkingLevel", level.map(str::to_ascii_uppercase).as_ref());
        config.optional("includeThoughts", shown.as_ref());
        if let Some(extras) = extras {
            config.extras(extras);
        }
    });
}
