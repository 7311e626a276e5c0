//! Tools and the choice among them.
//!
//! A tool of Google's is an object with a list of function declarations, or with a field for a tool
//! of Google's own, or with both; here each function and each of the others is a tool.

use ir::{Choice, Opaque, RawJson, Schema, Tool, Toolbox};

use super::{HERE, opaque, schema, spelling};
use crate::Undo;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::undo::{ANSWER_TOOL, free_text_schema};

/// Where extras of the tool configuration are kept.
pub(super) const CONFIG: &str = "toolConfig";

/// The part of the tool configuration that is understood here.
const CALLING: &str = "functionCallingConfig";

/// Reads the tools and the choice among them, and the rest of the configuration. A choice without
/// tools means nothing and stays where it is.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
) -> Result<(Option<Toolbox>, ir::Extras), DecodeError> {
    let tools = spelling::take(fields, "tools", |tools| spelling::each(tools, read_tool))?;
    let tools: Vec<Tool> = tools.unwrap_or_default().into_iter().flatten().collect();
    let config = spelling::take(fields, CONFIG, |config| {
        let mut config = config.object()?;
        let read = |config: Value<'_, '_>| Ok((read_choice(config)?, config.keep()));
        let choice = match tools.is_empty() {
            true => None,
            false => spelling::take(&mut config, CALLING, read)?,
        };
        let mut rest = config.rest();
        let choice = choice.map(|(choice, raw)| match choice {
            Read::Choice(choice) => choice,
            Read::OneOf => {
                rest.set(CALLING, raw);
                Choice::Required
            }
        });
        Ok((choice, rest))
    })?;
    let (choice, rest) = config.unwrap_or_default();
    let toolbox = (!tools.is_empty()).then_some(Toolbox { tools, choice, parallel: None });
    Ok((toolbox, rest))
}

fn read_tool(tool: Value<'_, '_>) -> Result<Vec<Tool>, DecodeError> {
    let mut fields = tool.object()?;
    let functions = spelling::take(&mut fields, "functionDeclarations", |functions| {
        spelling::each(functions, read_function)
    })?;
    let declared = functions.is_some();
    let mut tools = functions.unwrap_or_default();
    if !declared {
        tools.push(Tool::Hosted(opaque(tool)));
        return Ok(tools);
    }
    let rest = fields.rest();
    if !rest.is_empty() {
        let mut text = Vec::new();
        json::object(&mut text, |tool| tool.extras(&rest));
        let text = String::from_utf8(text).expect("invariant: written from texts");
        let raw = RawJson::parse(text).expect("invariant: written as JSON");
        tools.push(Tool::Hosted(Opaque { dialect: HERE, raw }));
    }
    Ok(tools)
}

fn read_function(function: Value<'_, '_>) -> Result<Tool, DecodeError> {
    let mut fields = function.object()?;
    let name = fields.need("name", |name| name.string())?;
    let description = fields.take("description", |text| text.string())?;
    let parameters = spelling::take(&mut fields, "parametersJsonSchema", |raw| Ok(raw.keep()))?;
    let parameters = match parameters {
        Some(parameters) => Some(parameters),
        None => fields.take("parameters", |raw| Ok(schema::read(raw.raw)))?,
    };
    Ok(Tool::Function {
        name,
        description,
        parameters,
        strict: None,
        cache: None,
        extras: fields.rest(),
        around: ir::Extras::default(),
    })
}

/// A choice as it is read.
enum Read {
    Choice(Choice),
    /// One of several: elsewhere any, and which ones is kept for home.
    OneOf,
}

fn read_choice(config: Value<'_, '_>) -> Result<Read, DecodeError> {
    let mut fields = config.object()?;
    let mode = spelling::take_text(&mut fields, "mode")?;
    let allowed = spelling::take_if(
        &mut fields,
        "allowedFunctionNames",
        |names| names.is_list(),
        |names| names.each(|name| name.string()),
    )?;
    if fields.left().next().is_some() {
        return Ok(Read::Choice(Choice::Other(opaque(config))));
    }
    let mode = mode.map(|mode| mode.to_ascii_uppercase());
    Ok(Read::Choice(match (mode.as_deref(), allowed.as_deref()) {
        (Some("AUTO"), None) => Choice::Auto,
        (Some("NONE"), None) => Choice::Never,
        (Some("ANY"), None) => Choice::Required,
        (Some("ANY"), Some([name])) => Choice::Tool(name.clone()),
        (Some("ANY"), Some([_, _, ..])) => return Ok(Read::OneOf),
        _ => Choice::Other(opaque(config)),
    }))
}

/// What is written of the tools.
pub(super) struct Offer<'r> {
    /// The caller's tools.
    pub(super) toolbox: Option<&'r Toolbox>,
    /// The shape of the answer, when a tool stands for it.
    pub(super) answer: Option<&'r Schema>,
    /// What else the request said.
    pub(super) extras: Option<&'r ir::Extras>,
}

/// Writes the tools and the configuration of their use.
pub(super) fn write(body: &mut Object<'_>, offer: &Offer<'_>, losses: &mut Losses) -> Undo {
    let mut undo = Undo { answer: offer.answer.is_some(), customs: Vec::new() };
    let mut written: Vec<Vec<u8>> = Vec::new();
    let mut functions: Vec<Vec<u8>> = Vec::new();
    let tools = offer.toolbox.map_or(&[][..], |toolbox| &toolbox.tools);
    for (at, tool) in tools.iter().enumerate() {
        match tool {
            Tool::Hosted(hosted) => {
                if let Some(hosted) = losses.opaque(&format!("toolbox.tools[{at}]"), hosted) {
                    flush(&mut written, &mut functions);
                    written.push(hosted.raw.text().as_bytes().to_vec());
                }
            }
            tool => functions.push(write_function(tool, at, losses, &mut undo)),
        }
    }
    functions.extend(offer.answer.map(write_answer));
    flush(&mut written, &mut functions);
    if written.is_empty() {
        if let Some(choice) = offer.toolbox.and_then(|toolbox| toolbox.choice.as_ref())
            && !matches!(choice, Choice::Auto | Choice::Never)
        {
            losses.because("toolbox.choice", "none of the tools can be offered");
        }
    } else {
        body.with("tools", |out| super::part::write_all(out, &written));
    }
    if offer.toolbox.is_some_and(|toolbox| toolbox.parallel == Some(false)) {
        losses.lose("toolbox.parallel");
    }
    write_config(body, offer, !written.is_empty(), losses);
    undo
}

/// Closes a run of functions into one tool.
fn flush(written: &mut Vec<Vec<u8>>, functions: &mut Vec<Vec<u8>>) {
    if functions.is_empty() {
        return;
    }
    let mut tool = Vec::new();
    json::object(&mut tool, |tool| {
        tool.with("functionDeclarations", |out| super::part::write_all(out, functions));
    });
    written.push(tool);
    functions.clear();
}

fn write_function(tool: &Tool, at: usize, losses: &mut Losses, undo: &mut Undo) -> Vec<u8> {
    let path = format!("toolbox.tools[{at}]");
    let mut out = Vec::new();
    match tool {
        Tool::Function { name, description, parameters, strict, cache, extras, around } => {
            if *strict == Some(true) {
                losses.lose(format!("{path}.strict"));
            }
            if cache.is_some() {
                losses.lose(format!("{path}.cache"));
            }
            let extras = losses.extras(&path, extras);
            let around = losses.extras(&path, around);
            json::object(&mut out, |function| {
                declare(function, name, description.as_deref(), parameters.as_ref());
                extras.into_iter().chain(around).for_each(|extras| function.extras(extras));
            });
        }
        Tool::Custom { name, description, extras } => {
            losses.extras(&path, extras);
            undo.customs.push(name.clone());
            let schema = free_text_schema();
            json::object(&mut out, |function| {
                declare(function, name, description.as_deref(), Some(&schema));
            });
        }
        Tool::Hosted(_) => {}
    }
    out
}

fn write_answer(schema: &Schema) -> Vec<u8> {
    let what = schema.description.as_deref().unwrap_or("Gives the answer.");
    let mut out = Vec::new();
    json::object(&mut out, |function| {
        declare(function, ANSWER_TOOL, Some(what), schema.schema.as_ref());
    });
    out
}

fn declare(
    function: &mut Object<'_>,
    name: &str,
    description: Option<&str>,
    parameters: Option<&RawJson>,
) {
    function.field("name", name);
    function.optional("description", description);
    if let Some(parameters) = parameters {
        function.raw("parametersJsonSchema", parameters);
    }
}

fn write_config(body: &mut Object<'_>, offer: &Offer<'_>, offered: bool, losses: &mut Losses) {
    let choice = offer.toolbox.and_then(|toolbox| toolbox.choice.as_ref()).filter(|_| offered);
    let own = match choice {
        Some(Choice::Other(choice)) => losses.opaque("toolbox.choice", choice),
        _ => None,
    };
    let said: Option<(&str, Option<&str>)> = match (offer.answer, choice) {
        // With other tools beside it the model must still be free to call those first.
        (Some(_), choice) if offer.toolbox.is_some() && choice != Some(&Choice::Never) => {
            Some(("ANY", None))
        }
        (Some(_), _) => Some(("ANY", Some(ANSWER_TOOL))),
        (None, Some(Choice::Auto)) => Some(("AUTO", None)),
        (None, Some(Choice::Never)) => Some(("NONE", None)),
        (None, Some(Choice::Required)) => Some(("ANY", None)),
        (None, Some(Choice::Tool(name))) => Some(("ANY", Some(name))),
        (None, Some(Choice::Other(_)) | None) => None,
    };
    let rest = offer.extras.filter(|extras| spelling::has_nested(CONFIG, extras));
    // Which of several it must be is kept as it came, and says more.
    let kept_as = format!("{CONFIG}.{CALLING}");
    let kept = rest.is_some_and(|rest| rest.get(&kept_as).is_some());
    let said = said.filter(|_| !kept || offer.answer.is_some());
    if said.is_none() && own.is_none() && rest.is_none() {
        return;
    }
    body.nest(CONFIG, |config| {
        if let Some((mode, only)) = said {
            config.nest(CALLING, |calling| {
                calling.field("mode", mode);
                calling.optional("allowedFunctionNames", only.map(|name| [name]).as_ref());
            });
        } else if let Some(own) = own {
            config.raw(CALLING, &own.raw);
        }
        if let Some(mut rest) = rest.cloned() {
            rest.0.retain(|(name, _)| said.is_none() || *name != kept_as);
            spelling::write_nested(config, CONFIG, &rest);
        }
    });
}
