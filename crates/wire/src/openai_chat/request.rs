//! Requests: bytes to the canonical conversation and back.

use ir::{
    AssistantPart, Authority, Cap, Choice, Dialect, Extras, Loss, Mode, Opaque, Output, RawJson,
    Request, Schema, Tool, ToolResult, Toolbox, Turn, UserPart,
};

use super::message::{self, opaque};
use crate::Written;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::json::{self, Object};

const HERE: Dialect = Dialect::OpenaiChat;

/// Reads a request.
pub fn read(body: &[u8]) -> Result<Request, DecodeError> {
    let mut fields = fields::body(body)?;
    let model = fields.need("model", |model| model.string())?;
    let turns = fields.need("messages", |messages| messages.each(read_turn))?;
    let toolbox = read_toolbox(&mut fields)?;
    let output = read_output(&mut fields)?;
    let mode = read_mode(&mut fields)?;
    let cap = read_cap(&mut fields)?;
    let stop = fields.take("stop", |stop| {
        if stop.is_string() { Ok(vec![stop.string()?]) } else { stop.each(|text| text.string()) }
    })?;
    Ok(Request {
        spoken: HERE,
        model,
        turns,
        toolbox,
        output,
        mode,
        cap,
        temperature: fields.take("temperature", |number| number.number())?,
        top_p: fields.take("top_p", |number| number.number())?,
        seed: fields.take("seed", |number| number.number())?,
        stop: stop.unwrap_or_default(),
        candidates: fields.take("n", |n| n.count())?,
        effort: fields.take_if(
            "reasoning_effort",
            |text| text.is_string(),
            |text| text.string(),
        )?,
        extras: fields.rest(),
    })
}

fn read_turn(message: Value<'_, '_>) -> Result<Turn, DecodeError> {
    let mut fields = message.object()?;
    let role = fields.need("role", |role| role.text())?;
    let instruct = |authority, mut fields: Fields<'_, '_>| {
        let parts = message::read_content(&mut fields)?;
        Ok(Turn::Instruct { authority, parts, extras: fields.rest() })
    };
    match role.as_ref() {
        "system" => instruct(Authority::System, fields),
        "developer" => instruct(Authority::Developer, fields),
        "user" => {
            let parts = message::read_content(&mut fields)?;
            Ok(Turn::User { parts, extras: fields.rest() })
        }
        "assistant" => Ok(Turn::Assistant(message::read_assistant(fields)?)),
        "tool" => {
            let call = fields.need("tool_call_id", |id| id.string())?;
            let parts = message::read_content(&mut fields)?;
            Ok(Turn::Result(ToolResult { call, parts, extras: fields.rest() }))
        }
        _ => Ok(Turn::Other(opaque(message))),
    }
}

/// Reads the tools and the choice among them; a choice without tools means nothing and stays among
/// the rest.
fn read_toolbox(fields: &mut Fields<'_, '_>) -> Result<Option<Toolbox>, DecodeError> {
    if fields.peek("tools").is_none_or(|tools| matches!(tools.get(), "[]" | "null")) {
        return Ok(None);
    }
    let tools = fields.take("tools", |tools| tools.each(read_tool))?.unwrap_or_default();
    if tools.is_empty() {
        return Ok(None);
    }
    let choice = fields.take("tool_choice", read_choice)?;
    let parallel = fields.take("parallel_tool_calls", |parallel| parallel.bool())?;
    Ok(Some(Toolbox { tools, choice, parallel }))
}

fn read_tool(tool: Value<'_, '_>) -> Result<Tool, DecodeError> {
    let mut around = tool.object()?;
    let kind = around.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    if kind.as_deref() != Some("function") || around.peek("function").is_none() {
        return Ok(Tool::Hosted(opaque(tool)));
    }
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
            extras,
            around: around.rest(),
        })
}

fn read_choice(choice: Value<'_, '_>) -> Result<Choice, DecodeError> {
    if choice.is_string() {
        return Ok(match choice.text()?.as_ref() {
            "auto" => Choice::Auto,
            "none" => Choice::Never,
            "required" | "any" => Choice::Required,
            _ => Choice::Other(opaque(choice)),
        });
    }
    let mut fields = choice.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let name = fields.take_if(
        "function",
        |function| function.is_object(),
        |function| {
            let mut function = function.object()?;
            let name = function.take("name", |name| name.string())?;
            Ok(name.filter(|_| function.left().next().is_none()))
        },
    )?;
    match (kind.as_deref(), name.flatten()) {
        (Some("function"), Some(name)) if fields.left().next().is_none() => Ok(Choice::Tool(name)),
        _ => Ok(Choice::Other(opaque(choice))),
    }
}

/// Reads the shape of the answer; a shape of a host's own stays among the rest.
fn read_output(fields: &mut Fields<'_, '_>) -> Result<Output, DecodeError> {
    let known = |format: Value<'_, '_>| -> Option<Output> {
        let mut fields = format.object().ok()?;
        let kind = fields.take("type", |kind| kind.text()).ok()??;
        let output = match kind.as_ref() {
            "text" => Output::Text,
            "json_object" => Output::Json,
            "json_schema" => Output::Schema(fields.take("json_schema", read_schema).ok()??),
            _ => return None,
        };
        fields.left().next().is_none().then_some(output)
    };
    let output = fields.take_if(
        "response_format",
        |format| known(format).is_some(),
        |format| Ok(known(format)),
    )?;
    Ok(output.flatten().unwrap_or(Output::Text))
}

fn read_schema(schema: Value<'_, '_>) -> Result<Schema, DecodeError> {
    let mut fields = schema.object()?;
    Ok(Schema {
        name: fields.need("name", |name| name.string())?,
        description: fields.take("description", |text| text.string())?,
        schema: fields.take("schema", |schema| Ok(schema.keep()))?,
        strict: fields.take("strict", |strict| strict.bool())?,
        extras: fields.rest(),
    })
}

fn read_mode(fields: &mut Fields<'_, '_>) -> Result<Mode, DecodeError> {
    if fields.take("stream", |stream| stream.bool())? != Some(true) {
        return Ok(Mode::Whole);
    }
    let options = fields.take_if(
        "stream_options",
        |options| options.is_object(),
        |options| {
            let mut options = options.object()?;
            let usage = options.take("include_usage", |usage| usage.bool())?;
            Ok((usage.unwrap_or(false), options.rest()))
        },
    )?;
    let (usage, extras) = options.unwrap_or((false, Extras::default()));
    Ok(Mode::Stream { usage, extras })
}

/// Reads the cap under either name; where both stand, the older one stays among the rest.
fn read_cap(fields: &mut Fields<'_, '_>) -> Result<Option<Cap>, DecodeError> {
    let newer = fields.take("max_completion_tokens", |cap| cap.count())?;
    let cap = match newer {
        Some(cap) => Some(cap),
        None => fields.take("max_tokens", |cap| cap.count())?,
    };
    Ok(cap.map(Cap))
}

/// Writes a request.
pub fn write(request: &Request) -> Written {
    let mut losses = Vec::new();
    let mut bytes = Vec::with_capacity(1024);
    json::object(&mut bytes, |body| {
        body.field("model", &request.model);
        body.with("messages", |out| {
            json::list(out, request.turns.iter().enumerate(), |out, (at, turn)| {
                lost_in_turn(&mut losses, at, turn);
                write_turn(out, turn);
            });
        });
        write_settings(body, request);
        if let Some(toolbox) = &request.toolbox {
            write_toolbox(body, toolbox);
        }
        write_output(body, &request.output);
        if request.spoken == HERE {
            body.extras(&request.extras);
        }
    });
    if request.spoken != HERE {
        let lost = |(name, _): (&str, &RawJson)| lost(name.to_owned());
        losses.extend(request.extras.iter().map(lost));
    }
    Written { bytes, losses }
}

fn lost(path: String) -> Loss {
    let why = format!("{} has no field for it", HERE.name());
    Loss { path, why }
}

/// Notes the parts of a turn that only another dialect understands.
fn lost_in_turn(losses: &mut Vec<Loss>, at: usize, turn: &Turn) {
    let foreign = |opaque: &Opaque| opaque.dialect != HERE;
    let parts = match turn {
        Turn::Assistant(turn) => {
            for (part, said) in turn.parts.iter().enumerate() {
                let carrier = match said {
                    AssistantPart::Other(opaque) => Some(opaque),
                    AssistantPart::Reasoning(thoughts) => thoughts.carrier.as_ref(),
                    _ => None,
                };
                if carrier.is_some_and(foreign) {
                    losses.push(lost(format!("turns[{at}].parts[{part}]")));
                }
            }
            return;
        }
        Turn::Other(opaque) => {
            if foreign(opaque) {
                losses.push(lost(format!("turns[{at}]")));
            }
            return;
        }
        Turn::Instruct { parts, .. } | Turn::User { parts, .. } => parts,
        Turn::Result(result) => &result.parts,
    };
    for (part, said) in parts.iter().enumerate() {
        if matches!(said, UserPart::Other(opaque) if foreign(opaque)) {
            losses.push(lost(format!("turns[{at}].parts[{part}]")));
        }
    }
}

fn write_turn(out: &mut Vec<u8>, turn: &Turn) {
    let said = |out: &mut Vec<u8>, role: &str, parts: &[UserPart], extras: &Extras| {
        json::object(out, |message| {
            message.field("role", role);
            message.with("content", |out| message::write_content(out, parts));
            message.extras(extras);
        });
    };
    match turn {
        Turn::Instruct { authority: Authority::System, parts, extras } => {
            said(out, "system", parts, extras);
        }
        Turn::Instruct { authority: Authority::Developer, parts, extras } => {
            said(out, "developer", parts, extras);
        }
        Turn::User { parts, extras } => said(out, "user", parts, extras),
        Turn::Assistant(turn) => json::object(out, |message| {
            message.field("role", "assistant");
            message::write_assistant(message, turn);
        }),
        Turn::Result(ToolResult { call, parts, extras }) => json::object(out, |message| {
            message.field("role", "tool");
            message.field("tool_call_id", call);
            message.with("content", |out| message::write_content(out, parts));
            message.extras(extras);
        }),
        Turn::Other(opaque) => out.extend_from_slice(opaque.raw.text().as_bytes()),
    }
}

fn write_settings(body: &mut Object<'_>, request: &Request) {
    if let Some(Cap(cap)) = request.cap {
        body.field("max_completion_tokens", &cap);
    }
    body.optional("temperature", request.temperature.as_ref());
    body.optional("top_p", request.top_p.as_ref());
    body.optional("seed", request.seed.as_ref());
    if !request.stop.is_empty() {
        body.field("stop", &request.stop);
    }
    body.optional("n", request.candidates.as_ref());
    body.optional("reasoning_effort", request.effort.as_ref());
    if let Mode::Stream { usage, extras } = &request.mode {
        body.field("stream", &true);
        if *usage || !extras.is_empty() {
            body.nest("stream_options", |options| {
                if *usage {
                    options.field("include_usage", &true);
                }
                options.extras(extras);
            });
        }
    }
}

fn write_toolbox(body: &mut Object<'_>, toolbox: &Toolbox) {
    body.with("tools", |out| json::list(out, &toolbox.tools, write_tool));
    match &toolbox.choice {
        None => {}
        Some(Choice::Auto) => body.field("tool_choice", "auto"),
        Some(Choice::Never) => body.field("tool_choice", "none"),
        Some(Choice::Required) => body.field("tool_choice", "required"),
        Some(Choice::Tool(name)) => body.nest("tool_choice", |choice| {
            choice.field("type", "function");
            choice.nest("function", |function| function.field("name", name));
        }),
        Some(Choice::Other(opaque)) => body.raw("tool_choice", &opaque.raw),
    }
    body.optional("parallel_tool_calls", toolbox.parallel.as_ref());
}

fn write_tool(out: &mut Vec<u8>, tool: &Tool) {
    match tool {
        Tool::Hosted(opaque) => out.extend_from_slice(opaque.raw.text().as_bytes()),
        Tool::Function { name, description, parameters, strict, extras, around } => {
            json::object(out, |tool| {
                tool.field("type", "function");
                tool.nest("function", |function| {
                    function.field("name", name);
                    function.optional("description", description.as_ref());
                    if let Some(parameters) = parameters {
                        function.raw("parameters", parameters);
                    }
                    function.optional("strict", strict.as_ref());
                    function.extras(extras);
                });
                tool.extras(around);
            });
        }
    }
}

fn write_output(body: &mut Object<'_>, output: &Output) {
    match output {
        Output::Text => {}
        Output::Json => body.nest("response_format", |format| format.field("type", "json_object")),
        Output::Schema(schema) => body.nest("response_format", |format| {
            format.field("type", "json_schema");
            format.nest("json_schema", |written| {
                written.field("name", &schema.name);
                written.optional("description", schema.description.as_ref());
                if let Some(text) = &schema.schema {
                    written.raw("schema", text);
                }
                written.optional("strict", schema.strict.as_ref());
                written.extras(&schema.extras);
            });
        }),
    }
}
