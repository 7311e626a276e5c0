//! The tools of a request and the choice among them.

use ir::{Choice, Dialect, Schema, Tool, Toolbox};

use super::{Writing, output};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::openai_chat::message::opaque;
use crate::openai_chat::{cache, custom};
use crate::undo;

/// Reads the tools and the choice among them; a choice without tools means nothing and stays among
/// the rest.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Option<Toolbox>, DecodeError> {
    if fields.peek("tools").is_none_or(|tools| matches!(tools.get(), "[]" | "null")) {
        return Ok(None);
    }
    let tools = fields.take("tools", |tools| tools.each(read_tool))?.unwrap_or_default();
    if tools.is_empty() {
        return Ok(None);
    }
    let choice = fields.take("tool_choice", |choice| read_choice(choice, &tools))?;
    let parallel = fields.take("parallel_tool_calls", |parallel| parallel.bool())?;
    Ok(Some(Toolbox { tools, choice, parallel }))
}

fn read_tool(tool: Value<'_, '_>) -> Result<Tool, DecodeError> {
    let mut around = tool.object()?;
    let kind = around.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    match kind.as_deref() {
        Some("function") if around.peek("function").is_some() => read_function(around),
        Some("custom") => Ok(read_custom(around)?.unwrap_or_else(|| Tool::Hosted(opaque(tool)))),
        _ => Ok(Tool::Hosted(opaque(tool))),
    }
}

fn read_function(mut around: Fields<'_, '_>) -> Result<Tool, DecodeError> {
    let cache = cache::take(&mut around)?;
    around
        .need("function", |function| {
            let mut fields = function.object()?;
            Ok((
                fields.need("name", |name| name.string())?,
                fields.take("description", |text| text.string())?,
                fields.take("parameters", |schema| Ok(schema.keep()))?,
                fields.take("strict", |strict| strict.bool())?,
                fields.rest(),
            ))
        })
        .map(|(name, description, parameters, strict, extras)| Tool::Function {
            name,
            description,
            parameters,
            strict,
            cache,
            extras,
            around: around.rest(),
        })
}

/// Reads a tool of free text in the published shape; any other shape stays opaque.
fn read_custom(mut around: Fields<'_, '_>) -> Result<Option<Tool>, DecodeError> {
    let read = |custom: Value<'_, '_>| {
        let mut fields = custom.object()?;
        let name = fields.take_if("name", |name| name.is_string(), |name| name.string())?;
        let description =
            fields.take_if("description", |text| text.is_string(), |text| text.string())?;
        Ok(name.map(|name| Tool::Custom { name, description, extras: fields.rest() }))
    };
    let tool = around.take_if("custom", |custom| custom.is_object(), read)?.flatten();
    Ok(tool.filter(|_| around.left().next().is_none()))
}

fn read_choice(choice: Value<'_, '_>, tools: &[Tool]) -> Result<Choice, DecodeError> {
    if choice.is_string() {
        return Ok(match choice.text()?.as_ref() {
            "auto" => Choice::Auto,
            "none" => Choice::Never,
            "required" | "any" => Choice::Required,
            _ => Choice::Other(opaque(choice)),
        });
    }
    let mut fields = choice.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.string())?;
    let kind = kind.unwrap_or_default();
    let named = |named: Value<'_, '_>| {
        let mut named = named.object()?;
        let name = named.take_if("name", |name| name.is_string(), |name| name.string())?;
        Ok(name.filter(|_| named.left().next().is_none()))
    };
    let name = fields.take_if(&kind, |named| named.is_object(), named)?.flatten();
    match name {
        // The writer finds out by the name whether it is a tool of free text.
        Some(name) if kind == word(&name, tools) && fields.left().next().is_none() => {
            Ok(Choice::Tool(name))
        }
        _ => Ok(Choice::Other(opaque(choice))),
    }
}

/// Returns the word for the kind of a named tool.
fn word(name: &str, tools: &[Tool]) -> &'static str {
    let free = |tool: &Tool| matches!(tool, Tool::Custom { name: known, .. } if known == name);
    if tools.iter().any(free) { "custom" } else { "function" }
}

/// Writes the tools, and among them the one whose arguments are the answer, which must be called
/// when nothing else is.
pub(super) fn write(
    body: &mut Object<'_>,
    toolbox: Option<&Toolbox>,
    answer: Option<&Schema>,
    writing: &mut Writing,
) {
    let mut tools: Vec<(usize, &Tool)> = Vec::new();
    for (at, tool) in toolbox.into_iter().flat_map(|toolbox| &toolbox.tools).enumerate() {
        let path = format!("toolbox.tools[{at}]");
        match tool {
            Tool::Hosted(opaque) if writing.losses.opaque(&path, opaque).is_none() => {}
            tool => tools.push((at, tool)),
        }
    }
    let choice = toolbox.and_then(|toolbox| toolbox.choice.as_ref());
    if tools.is_empty() && answer.is_none() {
        if choice.is_some() {
            writing.losses.because("toolbox.choice", "no tool is left to choose");
        }
        return;
    }
    body.with("tools", |out| {
        let each = tools.iter().map(Some).chain(answer.map(|_| None));
        json::list(out, each, |out, tool| match (tool, answer) {
            (Some((at, tool)), _) => write_tool(out, *at, tool, writing),
            (None, Some(schema)) => output::write_tool(out, schema, writing),
            (None, None) => {}
        });
    });
    match answer {
        Some(_) => write_choice_of_answer(body, choice, &tools, writing),
        None => write_choice(body, choice, &tools, writing),
    }
    body.optional("parallel_tool_calls", toolbox.and_then(|toolbox| toolbox.parallel.as_ref()));
}

fn write_choice_of_answer(
    body: &mut Object<'_>,
    choice: Option<&Choice>,
    tools: &[(usize, &Tool)],
    writing: &mut Writing,
) {
    match choice {
        Some(Choice::Tool(_) | Choice::Other(_)) => write_choice(body, choice, tools, writing),
        None | Some(Choice::Auto | Choice::Required) if !tools.is_empty() => {
            body.field("tool_choice", "required");
        }
        _ => write_named(body, "function", undo::ANSWER_TOOL),
    }
}

fn write_choice(
    body: &mut Object<'_>,
    choice: Option<&Choice>,
    tools: &[(usize, &Tool)],
    writing: &mut Writing,
) {
    match choice {
        None => {}
        Some(Choice::Auto) => body.field("tool_choice", "auto"),
        Some(Choice::Never) => body.field("tool_choice", "none"),
        Some(Choice::Required) => body.field("tool_choice", "required"),
        Some(Choice::Tool(name)) => {
            let free = |(_, tool): &(usize, &Tool)| matches!(tool, Tool::Custom { name: known, .. } if known == name);
            let free = !writing.as_functions() && tools.iter().any(free);
            let kind = if free { "custom" } else { "function" };
            write_named(body, kind, name);
        }
        Some(Choice::Other(opaque)) => {
            if let Some(own) = writing.losses.opaque("toolbox.choice", opaque) {
                body.raw("tool_choice", &own.raw);
            }
        }
    }
}

fn write_named(body: &mut Object<'_>, kind: &str, name: &str) {
    body.nest("tool_choice", |choice| {
        choice.field("type", kind);
        choice.nest(kind, |function| function.field("name", name));
    });
}

fn write_tool(out: &mut Vec<u8>, at: usize, tool: &Tool, writing: &mut Writing) {
    let path = format!("toolbox.tools[{at}]");
    match tool {
        Tool::Hosted(opaque) => out.extend_from_slice(opaque.raw.text().as_bytes()),
        Tool::Custom { name, description, extras } if writing.as_functions() => {
            custom::lose(extras, &path, &mut writing.losses);
            writing.undo.customs.push(name.clone());
            json::object(out, |tool| {
                tool.field("type", "function");
                tool.nest("function", |function| {
                    function.field("name", name);
                    function.optional("description", description.as_ref());
                    function.raw("parameters", &undo::free_text_schema());
                });
            });
        }
        Tool::Custom { name, description, extras } => json::object(out, |tool| {
            tool.field("type", "custom");
            tool.nest("custom", |written| {
                written.field("name", name);
                written.optional("description", description.as_ref());
                if writing.losses.home() {
                    return written.extras(extras);
                }
                let format =
                    custom::format(extras, Dialect::OpenaiChat, &path, &mut writing.losses);
                if let Some(format) = format {
                    written.raw(custom::FORMAT, &format);
                }
            });
        }),
        Tool::Function { name, description, parameters, strict, cache, extras, around } => {
            json::object(out, |tool| {
                tool.field("type", "function");
                tool.nest("function", |function| {
                    function.field("name", name);
                    function.optional("description", description.as_ref());
                    if let Some(parameters) = parameters {
                        function.raw("parameters", parameters);
                    }
                    function.optional("strict", strict.as_ref());
                    if let Some(extras) = writing.losses.extras(&path, extras) {
                        function.extras(extras);
                    }
                });
                cache::write(tool, writing.cache(&path, cache.as_ref()));
                if let Some(around) = writing.losses.extras(&path, around) {
                    tool.extras(around);
                }
            });
        }
    }
}
