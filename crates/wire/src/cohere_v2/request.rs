//! Requests, written.

use ir::dialect::SchemaBy;
use ir::{
    Budget, Cap, Choice, Dialect, Mode, Output, Quirks, RawJson, Request, Schema, Tool, Toolbox,
};

use super::message;
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::undo::{ANSWER_TOOL, free_text_schema, schema_in_words};
use crate::{Undo, Written};

const HERE: Dialect = Dialect::CohereV2;

/// Writes a request.
pub fn write(request: &Request, quirks: Quirks) -> Written {
    let mut losses = Losses::new(HERE, request.spoken);
    let mut undo = Undo::default();
    let said = message::gather(request, &mut losses);
    let mut tools = Tools::default();
    if let Some(toolbox) = &request.toolbox {
        tools.own(toolbox, &mut undo, &mut losses);
    }
    if let (Output::Schema(schema), SchemaBy::Tool) = (&request.output, quirks.schema) {
        undo.answer = true;
        tools.answer(schema);
    }
    unsaid(request, &mut losses);
    let mut bytes = Vec::with_capacity(1024);
    json::object(&mut bytes, |body| {
        body.field("model", &request.model);
        body.with("messages", |out| {
            let asked = in_words(&request.output, quirks);
            json::list(out, asked.into_iter().chain(said.messages), |out, message| {
                out.extend(message);
            });
        });
        body.field("stream", &matches!(request.mode, Mode::Stream { .. }));
        if !said.documents.is_empty() {
            body.with("documents", |out| {
                json::list(out, said.documents, |out, document| out.extend(document));
            });
        }
        tools.write(body);
        format(body, &request.output, quirks);
        settings(body, request);
        thinking(body, request, &mut losses);
        if let Some(extras) = losses.extras("", &request.extras) {
            body.extras(extras);
        }
    });
    Written { bytes, losses: losses.done(), undo, renamed: crate::Renamed::default() }
}

/// The tools, written already, and the choice among them.
#[derive(Default)]
struct Tools {
    tools: Vec<Vec<u8>>,
    choice: Option<&'static str>,
    strict: bool,
}

impl Tools {
    fn own(&mut self, toolbox: &Toolbox, undo: &mut Undo, losses: &mut Losses) {
        if toolbox.parallel == Some(false) {
            losses.lose("toolbox.parallel");
        }
        self.choice = match &toolbox.choice {
            None | Some(Choice::Auto) => None,
            Some(Choice::Never) => Some("NONE"),
            Some(Choice::Required | Choice::Tool(_)) => Some("REQUIRED"),
            Some(Choice::Other(opaque)) => {
                losses.opaque("toolbox.choice", opaque);
                None
            }
        };
        let (mut strict, mut loose) = (Vec::new(), false);
        for (at, tool) in toolbox.tools.iter().enumerate() {
            let path = format!("toolbox.tools[{at}]");
            // There is no word for one tool: it is the one that is offered.
            if let (Some(Choice::Tool(wanted)), Some(name)) = (&toolbox.choice, name(tool))
                && name != wanted
            {
                continue;
            }
            let strict_here = matches!(tool, Tool::Function { strict: Some(true), .. });
            if strict_here {
                strict.push(path.clone())
            } else {
                loose = true
            }
            self.tools.extend(own(tool, &path, undo, losses));
        }
        // One word stands for all of them.
        self.strict = !strict.is_empty() && !loose;
        if loose {
            let why = "tools are strict together here, or not at all";
            strict.into_iter().for_each(|path| losses.because(format!("{path}.strict"), why));
        }
    }

    fn answer(&mut self, schema: &Schema) {
        let description = schema.description.as_deref().unwrap_or("Gives the answer.");
        self.tools.push(function(ANSWER_TOOL, Some(description), schema.schema.as_ref()));
        self.choice = Some("REQUIRED");
    }

    fn write(self, body: &mut Object<'_>) {
        if self.tools.is_empty() {
            return;
        }
        body.with("tools", |out| json::list(out, self.tools, |out, tool| out.extend(tool)));
        body.optional("tool_choice", self.choice);
        if self.strict {
            body.field("strict_tools", &true);
        }
    }
}

fn name(tool: &Tool) -> Option<&String> {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => Some(name),
        Tool::Hosted(_) => None,
    }
}

fn own(tool: &Tool, path: &str, undo: &mut Undo, losses: &mut Losses) -> Option<Vec<u8>> {
    match tool {
        Tool::Function { name, description, parameters, cache, extras, around, .. } => {
            losses.extras(path, extras);
            losses.extras(path, around);
            if cache.is_some() {
                losses.lose(format!("{path}.cache"));
            }
            Some(function(name, description.as_deref(), parameters.as_ref()))
        }
        Tool::Custom { name, description, extras } => {
            losses.extras(path, extras);
            undo.customs.push(name.clone());
            Some(function(name, description.as_deref(), Some(&free_text_schema())))
        }
        Tool::Hosted(opaque) => losses.opaque(path, opaque).map(|opaque| opaque.raw.text().into()),
    }
}

fn function(name: &str, description: Option<&str>, parameters: Option<&RawJson>) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |tool| {
        tool.field("type", "function");
        tool.nest("function", |function| {
            function.field("name", name);
            function.optional("description", description);
            match parameters {
                Some(parameters) => function.raw("parameters", parameters),
                None => function.nest("parameters", |schema| {
                    schema.field("type", "object");
                    schema.nest("properties", |_| {});
                }),
            }
        });
    });
    out
}

/// Asks in the instructions for what the JSON mode alone does not: to keep to a schema.
fn in_words(output: &Output, quirks: Quirks) -> Option<Vec<u8>> {
    let (Output::Schema(schema), SchemaBy::Prompt) = (output, quirks.schema) else { return None };
    let mut out = Vec::new();
    json::object(&mut out, |message| {
        message.field("role", "system");
        message.field("content", &schema_in_words(schema));
    });
    Some(out)
}

fn format(body: &mut Object<'_>, output: &Output, quirks: Quirks) {
    let schema = match (output, quirks.schema) {
        (Output::Json, _) | (Output::Schema(_), SchemaBy::Prompt) => None,
        (Output::Schema(schema), SchemaBy::Native) => schema.schema.as_ref(),
        (Output::Text, _) | (Output::Schema(_), SchemaBy::Tool) => return,
    };
    body.nest("response_format", |format| {
        format.field("type", "json_object");
        if let Some(schema) = schema {
            format.raw("json_schema", schema);
        }
    });
}

fn settings(body: &mut Object<'_>, request: &Request) {
    if let Some(Cap(cap)) = request.cap {
        body.field("max_tokens", &cap);
    }
    body.optional("temperature", request.temperature.as_ref());
    body.optional("p", request.top_p.as_ref());
    body.optional("k", request.top_k.as_ref());
    body.optional("frequency_penalty", request.frequency_penalty.as_ref());
    body.optional("presence_penalty", request.presence_penalty.as_ref());
    body.optional("seed", request.seed.as_ref());
    if !request.stop.is_empty() {
        body.field("stop_sequences", &request.stop);
    }
    if request.logprobs.is_some() {
        body.field("logprobs", &true);
    }
}

fn thinking(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let Some(thinking) = &request.thinking else { return };
    losses.extras("thinking", &thinking.extras);
    if thinking.shown == Some(false) {
        losses.lose("thinking.shown");
    }
    let Some(budget) = thinking.budget() else { return };
    body.nest("thinking", |written| match budget {
        Budget::Off => written.field("type", "disabled"),
        Budget::Auto => written.field("type", "enabled"),
        Budget::Tokens(tokens) => {
            written.field("type", "enabled");
            written.field("token_budget", &tokens);
        }
    });
}

/// Notes the settings that have no field.
fn unsaid(request: &Request, losses: &mut Losses) {
    let said = [
        ("candidates", request.candidates.is_some_and(|candidates| candidates > 1)),
        ("logprobs.top", request.logprobs.is_some_and(|logprobs| logprobs.top.is_some())),
        ("user", request.user.is_some()),
    ];
    said.into_iter().filter(|(_, said)| *said).for_each(|(name, _)| losses.lose(name));
    if let Output::Schema(schema) = &request.output {
        losses.extras("output", &schema.extras);
    }
    if let Mode::Stream { extras, .. } = &request.mode {
        losses.extras("mode", extras);
    }
}
