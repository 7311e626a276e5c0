//! Tools, and the choice among them.

use ir::dialect::SchemaBy;
use ir::{Choice, Dialect, Extras, Output, Quirks, Request, Schema, Tool, Toolbox};

use super::content::{opaque, string};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::openai_chat::custom;
use crate::undo::{ANSWER_TOOL, Undo, free_text_schema};

const HERE: Dialect = Dialect::OpenaiResponses;

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
    let mut fields = tool.object()?;
    let kind = string(&mut fields, "type")?;
    if !fields.peek("name").is_some_and(|name| name.get().starts_with('"')) {
        return Ok(Tool::Hosted(opaque(tool)));
    }
    match kind.as_deref() {
        Some("function") => Ok(Tool::Function {
            name: fields.need("name", |name| name.string())?,
            description: fields.take("description", |text| text.string())?,
            parameters: fields.take("parameters", |schema| Ok(schema.keep()))?,
            strict: fields.take("strict", |strict| strict.bool())?,
            cache: None,
            extras: fields.rest(),
            around: Extras::default(),
        }),
        Some("custom") => Ok(Tool::Custom {
            name: fields.need("name", |name| name.string())?,
            description: fields.take("description", |text| text.string())?,
            extras: fields.rest(),
        }),
        _ => Ok(Tool::Hosted(opaque(tool))),
    }
}

fn read_choice(choice: Value<'_, '_>, tools: &[Tool]) -> Result<Choice, DecodeError> {
    if choice.is_string() {
        return Ok(match choice.text()?.as_ref() {
            "auto" => Choice::Auto,
            "none" => Choice::Never,
            "required" => Choice::Required,
            _ => Choice::Other(opaque(choice)),
        });
    }
    let mut fields = choice.object()?;
    let kind = string(&mut fields, "type")?;
    let name = string(&mut fields, "name")?;
    match (kind, name) {
        (Some(kind), Some(name))
            if fields.left().next().is_none() && kind == chosen(tools, &name) =>
        {
            Ok(Choice::Tool(name))
        }
        _ => Ok(Choice::Other(opaque(choice))),
    }
}

/// Returns the type a tool is chosen by.
fn chosen(tools: &[Tool], name: &str) -> &'static str {
    let custom = |tool: &Tool| matches!(tool, Tool::Custom { name: known, .. } if known == name);
    if tools.iter().any(custom) { "custom" } else { "function" }
}

/// Writes the tools and the choice among them, with the tool that stands for an answer's schema
/// where the host has no other way.
pub(super) fn write(
    body: &mut Object<'_>,
    losses: &mut Losses,
    request: &Request,
    quirks: Quirks,
    undo: &mut Undo,
) {
    let answer = match &request.output {
        Output::Schema(schema) if quirks.schema == SchemaBy::Tool => Some(schema),
        _ => None,
    };
    let allowed = request.toolbox.as_ref().filter(|_| !losses.home()).and_then(custom::allowed);
    let own = allowed.as_ref().or(request.toolbox.as_ref());
    let functions = custom::as_functions(quirks, losses.home());
    undo.answer = answer.is_some();
    let mut written: Vec<Vec<u8>> = Vec::new();
    for (at, tool) in own.iter().flat_map(|own| &own.tools).enumerate() {
        written.extend(write_tool(losses, &format!("toolbox.tools[{at}]"), tool, functions));
        if let (Tool::Custom { name, .. }, true) = (tool, functions) {
            undo.customs.push(name.clone());
        }
    }
    let others = !written.is_empty();
    written.extend(answer.map(answer_tool));
    if written.is_empty() {
        if own.is_some_and(|own| own.choice.is_some()) {
            losses.because("toolbox.choice", "no tool is left to choose");
        }
        return;
    }
    body.with("tools", |out| json::list(out, written, |out, tool| out.extend_from_slice(&tool)));
    match (answer, others) {
        (Some(_), true) => body.field("tool_choice", "required"),
        (Some(_), false) => name_choice(body, "function", ANSWER_TOOL),
        (None, _) => {
            if let Some(own) = own {
                write_choice(body, losses, own, functions);
            }
        }
    }
    body.optional("parallel_tool_calls", own.and_then(|own| own.parallel.as_ref()));
}

fn write_choice(body: &mut Object<'_>, losses: &mut Losses, toolbox: &Toolbox, functions: bool) {
    match &toolbox.choice {
        None => {}
        Some(Choice::Auto) => body.field("tool_choice", "auto"),
        Some(Choice::Never) => body.field("tool_choice", "none"),
        Some(Choice::Required) => body.field("tool_choice", "required"),
        Some(Choice::Tool(name)) if functions => name_choice(body, "function", name),
        Some(Choice::Tool(name)) => name_choice(body, chosen(&toolbox.tools, name), name),
        Some(Choice::Other(other)) => {
            if let Some(own) = losses.opaque("toolbox.choice", other) {
                body.raw("tool_choice", &own.raw);
            }
        }
    }
}

fn name_choice(body: &mut Object<'_>, kind: &str, name: &str) {
    body.nest("tool_choice", |choice| {
        choice.field("type", kind);
        choice.field("name", name);
    });
}

fn write_tool(losses: &mut Losses, path: &str, tool: &Tool, functions: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match tool {
        Tool::Hosted(hosted) => {
            out.extend_from_slice(losses.opaque(path, hosted)?.raw.text().as_bytes());
        }
        Tool::Custom { name, description, extras } if functions => {
            custom::lose(extras, path, losses);
            json::object(&mut out, |tool| {
                tool.field("type", "function");
                tool.field("name", name);
                tool.optional("description", description.as_ref());
                tool.raw("parameters", &free_text_schema());
                tool.field("strict", &false);
            });
        }
        Tool::Custom { name, description, extras } => json::object(&mut out, |tool| {
            tool.field("type", "custom");
            tool.field("name", name);
            tool.optional("description", description.as_ref());
            if losses.home() {
                return tool.extras(extras);
            }
            if let Some(format) = custom::format(extras, HERE, path, losses) {
                tool.raw(custom::FORMAT, &format);
            }
        }),
        Tool::Function { name, description, parameters, strict, cache, extras, around } => {
            json::object(&mut out, |tool| {
                tool.field("type", "function");
                tool.field("name", name);
                tool.optional("description", description.as_ref());
                match parameters {
                    Some(parameters) => tool.raw("parameters", parameters),
                    None if losses.home() => {}
                    None => tool.nest("parameters", |none| {
                        none.field("type", "object");
                        none.nest("properties", |_| {});
                    }),
                }
                // Where nothing is said, this dialect is strict and every other is not.
                let unsaid = if losses.home() { None } else { Some(&false) };
                tool.optional("strict", strict.as_ref().or(unsaid));
                if cache.is_some() {
                    super::content::unmarked(losses, path);
                }
                for extras in [extras, around] {
                    if let Some(extras) = losses.extras(path, extras) {
                        tool.extras(extras);
                    }
                }
            });
        }
    }
    Some(out)
}

/// Writes the tool whose arguments are the answer.
fn answer_tool(schema: &Schema) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |tool| {
        tool.field("type", "function");
        tool.field("name", ANSWER_TOOL);
        let description = schema.description.as_deref().unwrap_or("Gives the answer.");
        tool.field("description", description);
        match &schema.schema {
            Some(text) => tool.raw("parameters", text),
            None => tool.nest("parameters", |any| any.field("type", "object")),
        }
        tool.field("strict", &schema.strict.unwrap_or(false));
    });
    out
}

#[cfg(test)]
mod tests {
    use ir::Tool;

    use super::chosen;

    #[test]
    fn a_tool_is_chosen_by_its_kind() {
        let custom =
            Tool::Custom { name: "sql".into(), description: None, extras: ir::Extras::default() };
        let hosted = Tool::Hosted(ir::Opaque {
            dialect: ir::Dialect::OpenaiResponses,
            raw: ir::RawJson::parse("{\"type\":\"web_search\"}".into()).expect("JSON"),
        });
        assert_eq!(chosen(&[hosted.clone(), custom], "sql"), "custom");
        assert_eq!(chosen(&[hosted], "sql"), "function");
    }
}
