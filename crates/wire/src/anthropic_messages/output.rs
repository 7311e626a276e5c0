//! Thinking, the shape of the answer and its cap: what `thinking`, `output_config`,
//! `output_format` and `max_tokens` say between them.
//!
//! Of another dialect's wishes, a number of tokens becomes `enabled` with that budget, a word
//! becomes `adaptive` with that effort; a model that takes only one of the two gets that one.

use ir::dialect::{SchemaBy, ThinkingBy};
use ir::{
    AssistantPart, Budget, Cap, Extras, Output, Quirks, RawJson, Reasoning, Request, Schema,
    Thinking, Turn,
};

use super::HERE;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::schema::{self, For};
use crate::{thoughts, undo};

/// The cap where none was said, which the API does not allow: as long an answer as every model of
/// Anthropic's that is still served, and the hosts that speak its dialect, can give.
const DEFAULT_CAP: u64 = 8_192;

/// The smallest budget the API takes.
const LEAST_BUDGET: u64 = 1_024;

/// The efforts the API knows.
const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];

/// The name of a schema that came without one.
const UNNAMED: &str = "answer";

/// What a request says about thinking and the shape of the answer.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) thinking: Option<Thinking>,
    pub(super) schema: Option<Schema>,
    /// What else `output_config` said.
    pub(super) config: Extras,
}

/// Reads what is wanted; what has no name here stays among the rest.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Wanted, DecodeError> {
    let said = fields.take_if(
        "thinking",
        |thinking| read_thinking(thinking).is_some(),
        |thinking| Ok(read_thinking(thinking)),
    )?;
    let mut wanted = Wanted { thinking: said.flatten(), ..Wanted::default() };
    fields.take_if(
        "output_config",
        |config| config.is_object(),
        |config| {
            let mut fields = config.object()?;
            let effort = fields.take_if("effort", |word| word.is_string(), |word| word.string())?;
            if effort.is_some() {
                wanted.thinking.get_or_insert_with(Thinking::default).effort = effort;
            }
            wanted.schema = take_format(&mut fields, "format")?;
            wanted.config = fields.rest();
            Ok(())
        },
    )?;
    if wanted.schema.is_none() {
        wanted.schema = take_format(fields, "output_format")?;
    }
    Ok(wanted)
}

fn read_thinking(thinking: Value<'_, '_>) -> Option<Thinking> {
    let mut fields = thinking.object().ok()?;
    let kind = fields.take("type", |kind| kind.text()).ok()??;
    let budget = match kind.as_ref() {
        "disabled" => Budget::Off,
        "adaptive" => Budget::Auto,
        "enabled" => Budget::Tokens(fields.take("budget_tokens", |n| n.count()).ok()??),
        _ => return None,
    };
    let known =
        |display: Value<'_, '_>| matches!(display.raw.get(), "\"summarized\"" | "\"omitted\"");
    let shown = fields
        .take_if("display", known, |display| Ok(display.raw.get() == "\"summarized\""))
        .ok()?;
    Some(Thinking { effort: None, budget: Some(budget), shown, extras: fields.rest() })
}

fn take_format(fields: &mut Fields<'_, '_>, name: &str) -> Result<Option<Schema>, DecodeError> {
    let read = |format: Value<'_, '_>| {
        let mut fields = format.object().ok()?;
        let kind = fields.take("type", |kind| kind.text()).ok()??;
        let schema = fields.take("schema", |schema| Ok(schema.keep())).ok()?;
        (kind == "json_schema").then(|| Schema {
            name: UNNAMED.to_owned(),
            description: None,
            schema,
            strict: None,
            extras: fields.rest(),
        })
    };
    let schema =
        fields.take_if(name, |format| read(format).is_some(), |format| Ok(read(format)))?;
    Ok(schema.flatten())
}

/// Returns what must be asked for in words: JSON, for which the dialect has no field, and a schema
/// where the host has none.
pub(super) fn in_words(request: &Request, quirks: Quirks, losses: &mut Losses) -> Option<String> {
    match &request.output {
        Output::Json => {
            losses.because("output", "JSON is asked for in words");
            Some("Answer with one JSON object, and with nothing before or after it.".to_owned())
        }
        Output::Schema(schema) if quirks.schema == SchemaBy::Prompt => {
            losses.because("output", "the schema is asked for in words");
            Some(undo::schema_in_words(schema))
        }
        Output::Schema(_) | Output::Text => None,
    }
}

/// What is said of thinking, and the cap that leaves room for it.
pub(super) struct Fit {
    pub(super) cap: u64,
    thinking: Option<Budget>,
    effort: Option<String>,
}

impl Fit {
    /// Returns whether the model is to think, so that sampling is not the caller's to choose.
    pub(super) fn thinks(&self) -> bool {
        matches!(self.thinking, Some(Budget::Auto | Budget::Tokens(_)))
    }
}

/// Fits what is wanted of thinking to the cap and to what the API takes beside it.
pub(super) fn fit(request: &Request, forced: bool, quirks: Quirks, losses: &mut Losses) -> Fit {
    let cap = request.cap.map(|Cap(cap)| cap);
    let Some(thinking) = &request.thinking else {
        return Fit { cap: cap.unwrap_or(DEFAULT_CAP), thinking: None, effort: None };
    };
    let (budget, effort) = if losses.home() {
        (thinking.budget, thinking.effort.clone())
    } else {
        translated(&suited(thinking, quirks), losses)
    };
    let thinks = !matches!(budget, None | Some(Budget::Off));
    let asked = budget.filter(|budget| matches!(budget, Budget::Tokens(_)));
    let room = match asked.or_else(|| thinking.budget()) {
        Some(Budget::Tokens(tokens)) if thinks => tokens.max(LEAST_BUDGET),
        _ => 0,
    };
    // Without a cap of the caller's, thinking does not shorten the answer.
    let open = DEFAULT_CAP.saturating_add(room);
    let refused = if matches!(budget, Some(Budget::Tokens(_)))
        && unsigned(&request.turns, losses.home())
    {
        Some("the calls so far came without signed thoughts")
    } else if losses.home() {
        None
    } else if thinks && forced {
        Some("thinking does not go with a tool that must be called")
    } else if matches!((budget, cap), (Some(Budget::Tokens(_)), Some(cap)) if cap <= LEAST_BUDGET) {
        Some("the cap leaves no room for thinking")
    } else {
        None
    };
    if let Some(why) = refused {
        losses.because("thinking", why);
        return Fit { cap: cap.unwrap_or(DEFAULT_CAP), thinking: None, effort: None };
    }
    let budget = budget.map(|budget| match budget {
        Budget::Tokens(tokens) if !losses.home() => Budget::Tokens(clamped(tokens, cap, losses)),
        other => other,
    });
    Fit { cap: cap.unwrap_or(open), thinking: budget, effort }
}

/// Clamps a budget below the cap, which is the caller's word about money and is never raised; a
/// quarter of it stays for the answer.
fn clamped(tokens: u64, cap: Option<u64>, losses: &mut Losses) -> u64 {
    let most = cap.map_or(u64::MAX, |cap| cap - cap / 4);
    let fits = tokens.min(most).max(LEAST_BUDGET);
    if fits != tokens {
        let why = format!("a budget is at least {LEAST_BUDGET} and below the cap: {fits}");
        losses.because("thinking.budget", why);
    }
    fits
}

/// Brings a wish to the one way that a model takes.
fn suited(thinking: &Thinking, quirks: Quirks) -> Thinking {
    let mut suited = thinking.clone();
    match (quirks.thinking, thinking.budget) {
        (ThinkingBy::AsSaid, _) => {}
        (ThinkingBy::Budget, _) => {
            suited.budget = thoughts::in_tokens(thinking);
            suited.effort = None;
        }
        (ThinkingBy::Effort, Some(Budget::Tokens(_))) => {
            suited.effort = thinking.effort().map(str::to_owned);
            suited.budget = None;
        }
        (ThinkingBy::Effort, _) => {}
    }
    suited
}

/// Says another dialect's wish in this one's words: a budget or an effort, never both.
fn translated(thinking: &Thinking, losses: &mut Losses) -> (Option<Budget>, Option<String>) {
    losses.extras("thinking", &thinking.extras);
    match (thinking.budget, thinking.effort.as_deref()) {
        (Some(budget), effort) => {
            if effort.is_some() {
                losses.because("thinking.effort", "the budget says it already");
            }
            (Some(budget), None)
        }
        (None, Some("none")) => (Some(Budget::Off), None),
        (None, Some("minimal")) => {
            losses.because("thinking.effort", "the least effort here is low");
            (Some(Budget::Auto), Some("low".to_owned()))
        }
        (None, Some(effort)) if EFFORTS.contains(&effort) => {
            (Some(Budget::Auto), Some(effort.to_owned()))
        }
        (None, Some(_)) => {
            losses.because("thinking.effort", "there is no such effort here");
            (Some(Budget::Auto), None)
        }
        (None, None) => {
            if thinking.shown.is_some() {
                losses.because("thinking.shown", "there is no thinking to show");
            }
            (None, None)
        }
    }
}

/// Returns whether the conversation stands in the middle of calls that were made without thoughts
/// this dialect signed: then the API refuses a budget. At home only foreign thoughts, which are not
/// sent, make it so.
fn unsigned(turns: &[Turn], home: bool) -> bool {
    let last =
        turns.iter().rev().find(|turn| matches!(turn, Turn::Assistant(_) | Turn::User { .. }));
    let Some(Turn::Assistant(turn)) = last else { return false };
    let carried = |part: &AssistantPart, ours: bool| match part {
        AssistantPart::Reasoning(Reasoning { carrier: Some(carrier), .. }) => {
            let signed = carrier.dialect == HERE || thoughts::from_converse(carrier).is_some();
            signed == ours
        }
        _ => false,
    };
    let calls = |part: &AssistantPart| matches!(part, AssistantPart::ToolCall(_));
    turn.parts.iter().any(calls)
        && !turn.parts.first().is_some_and(|part| carried(part, true))
        && (!home || turn.parts.iter().any(|part| carried(part, false)))
}

/// Writes `thinking` and `output_config`.
pub(super) fn write(
    body: &mut Object<'_>,
    request: &Request,
    fit: &Fit,
    quirks: Quirks,
    losses: &mut Losses,
) {
    if let Some(budget) = fit.thinking {
        let thinking = request.thinking.as_ref();
        body.nest("thinking", |written| {
            match budget {
                Budget::Off => written.field("type", "disabled"),
                Budget::Auto => written.field("type", "adaptive"),
                Budget::Tokens(tokens) => {
                    written.field("type", "enabled");
                    written.field("budget_tokens", &tokens);
                }
            }
            if budget != Budget::Off || losses.home() {
                let display = |shown| if shown { "summarized" } else { "omitted" };
                let shown = thinking.and_then(|thinking| thinking.shown);
                written.optional("display", shown.map(display));
            }
            if let Some(thinking) = thinking.filter(|_| losses.home()) {
                written.extras(&thinking.extras);
            }
        });
    }
    let schema = match &request.output {
        Output::Schema(schema) if quirks.schema == SchemaBy::Native => Some(schema),
        _ => None,
    };
    let rest = config(request).filter(|_| losses.home());
    if fit.effort.is_none() && schema.is_none() && rest.is_none() {
        return;
    }
    body.nest("output_config", |config| {
        config.optional("effort", fit.effort.as_ref());
        if let Some(schema) = schema {
            config.nest("format", |format| write_format(format, schema, losses));
        }
        if let Some(rest) = rest {
            config.extras(&rest);
        }
    });
}

fn write_format(format: &mut Object<'_>, schema: &Schema, losses: &mut Losses) {
    format.field("type", "json_schema");
    match &schema.schema {
        Some(raw) if losses.home() => format.raw("schema", raw),
        Some(raw) => match schema::fit(raw, For::Answer, "output.schema", losses) {
            Ok(fitted) => format.raw("schema", &fitted),
            // One that does not fit was sent another way.
            Err(_) => format.raw("schema", raw),
        },
        None => {}
    }
    if schema.description.is_some() {
        losses.lose("output.description");
    }
    if schema.strict == Some(false) {
        losses.because("output.strict", "a schema is always enforced");
    }
    if let Some(extras) = losses.extras("output", &schema.extras) {
        format.extras(extras);
    }
}

/// The extra that holds what else `output_config` said.
pub(super) const CONFIG: &str = "output_config";

/// Returns what else `output_config` said; kept as it came when it is no object.
fn config(request: &Request) -> Option<Extras> {
    let raw = request.extras.get(CONFIG)?;
    let fields = crate::fields::body(raw.text().as_bytes()).ok()?;
    Some(fields.rest())
}

/// Keeps fields as one extra.
pub(super) fn keep(extras: &mut Extras, name: &str, fields: &Extras) {
    if fields.is_empty() {
        return;
    }
    let mut bytes = Vec::with_capacity(64);
    json::object(&mut bytes, |object| object.extras(fields));
    let text = String::from_utf8(bytes).expect("invariant: JSON is text");
    extras.set(name, RawJson::parse(text).expect("invariant: an object of JSON is JSON"));
}
