//! The tools and the choice among them.

use ir::dialect::SchemaBy;
use ir::{Choice, Extras, Output, Quirks, RawJson, Request, Schema, Tool, Toolbox};
use serde_json::value::RawValue;

use super::blocks::{Blocks, take_cache, write_cache, write_extras};
use super::opaque;
use crate::Undo;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::json::Object;
use crate::losses::Losses;
use crate::schema::{self, For};
use crate::undo::{self, ANSWER_TOOL};

/// Reads the tools and the choice among them; a choice without tools means nothing and stays among
/// the rest.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Option<Toolbox>, DecodeError> {
    let none = |tools: &RawValue| matches!(tools.get(), "[]" | "null");
    if fields.peek("tools").is_none_or(none) {
        return Ok(None);
    }
    let tools = fields.take("tools", |tools| tools.each(read_tool))?.unwrap_or_default();
    if tools.is_empty() {
        return Ok(None);
    }
    let chosen = fields.take("tool_choice", read_choice)?;
    let (choice, parallel) = chosen.unzip();
    Ok(Some(Toolbox { tools, choice, parallel: parallel.flatten() }))
}

/// Reads a tool of the caller's; one with a type of its own is the host's.
fn read_tool(tool: Value<'_, '_>) -> Result<Tool, DecodeError> {
    let mut fields = tool.object()?;
    let custom = |kind: Value<'_, '_>| kind.raw.get() == "\"custom\"";
    fields.take_if("type", custom, |_| Ok(()))?;
    if fields.peek("type").is_some() {
        return Ok(Tool::Hosted(opaque(tool)));
    }
    let Some(name) = fields.take_if("name", |name| name.is_string(), |name| name.string())? else {
        return Ok(Tool::Hosted(opaque(tool)));
    };
    Ok(Tool::Function {
        name,
        description: fields.take_if(
            "description",
            |text| text.is_string(),
            |text| text.string(),
        )?,
        parameters: fields.take("input_schema", |schema| Ok(schema.keep()))?,
        strict: fields.take_if("strict", |strict| strict.bool().is_ok(), |strict| strict.bool())?,
        cache: take_cache(&mut fields)?,
        extras: fields.rest(),
        around: Extras::default(),
    })
}

/// Reads a choice, and whether several calls may come in one turn.
fn read_choice(choice: Value<'_, '_>) -> Result<(Choice, Option<bool>), DecodeError> {
    let mut fields = choice.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let name = fields.take_if("name", |name| name.is_string(), |name| name.string())?;
    let alone = fields.take_if(
        "disable_parallel_tool_use",
        |alone| alone.bool().is_ok(),
        |alone| alone.bool(),
    )?;
    let read = match (kind.as_deref(), name) {
        (Some("auto"), None) => Some(Choice::Auto),
        (Some("any"), None) => Some(Choice::Required),
        (Some("none"), None) => Some(Choice::Never),
        (Some("tool"), Some(name)) => Some(Choice::Tool(name)),
        _ => None,
    };
    match read.filter(|_| fields.left().next().is_none()) {
        Some(read) => Ok((read, alone.map(|alone| !alone))),
        None => Ok((Choice::Other(opaque(choice)), None)),
    }
}

/// Returns the schema that the answer is made to fit by a tool.
pub(super) fn answer(request: &Request, quirks: Quirks) -> Option<&Schema> {
    match &request.output {
        Output::Schema(schema) if quirks.schema == SchemaBy::Tool => Some(schema),
        _ => None,
    }
}

/// Returns whether the model is made to call a tool.
pub(super) fn forced(request: &Request, quirks: Quirks) -> bool {
    let choice = request.toolbox.as_ref().and_then(|toolbox| toolbox.choice.as_ref());
    answer(request, quirks).is_some() || matches!(choice, Some(Choice::Required | Choice::Tool(_)))
}

/// Writes the tools that can be said and the choice among them.
pub(super) fn write(
    body: &mut Object<'_>,
    request: &Request,
    quirks: Quirks,
    losses: &mut Losses,
    undo: &mut Undo,
) {
    let mut tools = Blocks::default();
    for (number, tool) in request.toolbox.iter().flat_map(|toolbox| &toolbox.tools).enumerate() {
        write_tool(&mut tools, number, tool, losses, undo);
    }
    let own = !tools.is_empty();
    if let Some(schema) = answer(request, quirks) {
        undo.answer = true;
        write_answer(&mut tools, schema, losses);
    }
    if !tools.is_empty() {
        body.with("tools", |out| tools.write(out));
        write_choice(body, request.toolbox.as_ref(), own, undo.answer, losses);
    } else if request.toolbox.as_ref().is_some_and(|toolbox| toolbox.choice.is_some()) {
        losses.because("toolbox.choice", "no tool is left to choose");
    }
}

/// The tool that takes the answer.
fn write_answer(tools: &mut Blocks, schema: &Schema, losses: &mut Losses) {
    write_extras_lost(losses, "output", &schema.extras);
    tools.add(|tool| {
        tool.field("name", ANSWER_TOOL);
        let description = schema.description.as_deref();
        tool.field("description", description.unwrap_or("Give the final answer with this tool."));
        write_schema(tool, schema.schema.as_ref(), losses.home());
    });
}

fn write_extras_lost(losses: &mut Losses, path: &str, extras: &Extras) {
    for (name, _) in extras.iter() {
        losses.lose(format!("{path}.{name}"));
    }
}

fn write_tool(
    tools: &mut Blocks,
    number: usize,
    tool: &Tool,
    losses: &mut Losses,
    undo: &mut Undo,
) {
    let path = format!("toolbox.tools[{number}]");
    match tool {
        Tool::Function { name, description, parameters, strict, cache, extras, around } => {
            let extras = losses.extras(&path, extras);
            let around = losses.extras(&path, around);
            let home = losses.home();
            let fitted = (!home && *strict == Some(true))
                .then(|| fitted(parameters.as_ref(), &path, losses));
            let (parameters, strict) = match &fitted {
                None => (parameters.as_ref(), *strict),
                Some(Some(fitted)) => (Some(fitted), *strict),
                Some(None) => (parameters.as_ref(), None),
            };
            tools.add(|tool| {
                tool.field("name", name);
                tool.optional("description", description.as_ref());
                write_schema(tool, parameters, home);
                tool.optional("strict", strict.as_ref());
                write_cache(tool, cache.as_ref());
                write_extras(tool, extras);
                write_extras(tool, around);
            });
        }
        Tool::Custom { name, description, extras } => {
            write_extras_lost(losses, &path, extras);
            undo.customs.push(name.clone());
            tools.add(|tool| {
                tool.field("name", name);
                tool.optional("description", description.as_ref());
                tool.raw("input_schema", &undo::free_text_schema());
            });
        }
        Tool::Hosted(opaque) => {
            if let Some(opaque) = losses.opaque(&path, opaque) {
                tools.raw(&opaque.raw);
            }
        }
    }
}

/// Brings the parameters of a strict tool of another dialect's to what is enforced here; where that
/// cannot be, the tool is not strict.
fn fitted(parameters: Option<&RawJson>, path: &str, losses: &mut Losses) -> Option<RawJson> {
    let none = RawJson::parse("{}".to_owned()).expect("invariant: written here as JSON");
    let raw = parameters.unwrap_or(&none);
    let fitted = schema::fit(raw, For::Tool, &format!("{path}.parameters"), losses);
    fitted.map_err(|why| losses.because(format!("{path}.strict"), why)).ok()
}

/// Writes the parameters of a function. Abroad they may be left out, or leave out that they are an
/// object, and the API refuses both.
fn write_schema(tool: &mut Object<'_>, schema: Option<&RawJson>, home: bool) {
    let raw = match schema {
        Some(raw) => raw,
        None if home => return,
        None => return tool.field("input_schema", &serde_json::json!({"type": "object"})),
    };
    let typed = home
        || fields::body(raw.text().as_bytes()).is_ok_and(|schema| schema.peek("type").is_some());
    match raw.value() {
        serde_json::Value::Object(mut schema) if !typed => {
            schema.insert("type".to_owned(), "object".into());
            tool.field("input_schema", &schema);
        }
        _ => tool.raw("input_schema", raw),
    }
}

/// Writes the choice: `own` says that tools of the caller's are there, `answer` that the answer is
/// a tool's, so that one of them must be called.
fn write_choice(
    body: &mut Object<'_>,
    toolbox: Option<&Toolbox>,
    own: bool,
    answer: bool,
    losses: &mut Losses,
) {
    let toolbox = toolbox.filter(|_| own);
    let alone = toolbox.and_then(|toolbox| toolbox.parallel).map(|parallel| !parallel);
    let choice = toolbox.and_then(|toolbox| toolbox.choice.as_ref());
    let (kind, name) = match choice {
        Some(Choice::Tool(name)) => ("tool", Some(name.as_str())),
        None | Some(Choice::Auto | Choice::Required) if answer && own => ("any", None),
        _ if answer => ("tool", Some(ANSWER_TOOL)),
        Some(Choice::Auto) => ("auto", None),
        Some(Choice::Required) => ("any", None),
        Some(Choice::Never) => ("none", None),
        Some(Choice::Other(opaque)) => {
            if let Some(opaque) = losses.opaque("toolbox.choice", opaque) {
                body.raw("tool_choice", &opaque.raw);
            }
            return;
        }
        None if alone == Some(true) => ("auto", None),
        None => return,
    };
    // The API takes no word about several calls where none may come.
    let alone = alone.filter(|_| kind != "none" || losses.home());
    body.nest("tool_choice", |choice| {
        choice.field("type", kind);
        choice.optional("name", name);
        choice.optional("disable_parallel_tool_use", alone.as_ref());
    });
}
