//! Tools and the choice among them. There is no word for "none", and a conversation in which tools
//! were called cannot be sent without any.

use ir::dialect::SchemaBy;
use ir::{Choice, Output, Quirks, RawJson, Request, Schema, Tool, Toolbox};

use super::message;
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::undo::{ANSWER_TOOL, Undo, free_text_schema};

/// The tools, written already, and the choice among them.
pub(super) struct Tools {
    specs: Vec<Vec<u8>>,
    choice: Option<Picked>,
}

enum Picked {
    Auto,
    Any,
    Tool(String),
}

/// Gathers the tools of a request; `called` are the names of those called already.
pub(super) fn gather(
    request: &Request,
    quirks: Quirks,
    called: &[String],
    undo: &mut Undo,
    losses: &mut Losses,
) -> Option<Tools> {
    let mut tools = Tools { specs: Vec::new(), choice: None };
    match &request.toolbox {
        Some(toolbox) => tools.own(toolbox, called, quirks, undo, losses),
        None => tools.specs.extend(called.iter().map(|name| bare(name))),
    }
    if let (Output::Schema(schema), SchemaBy::Tool) = (&request.output, quirks.schema) {
        undo.answer = true;
        let others = !tools.specs.is_empty();
        tools.specs.push(answer(schema));
        match tools.choice {
            Some(Picked::Tool(_)) => {}
            _ if others && request.toolbox.is_some() => tools.choice = Some(Picked::Any),
            _ => tools.choice = Some(Picked::Tool(ANSWER_TOOL.to_owned())),
        }
    }
    (!tools.specs.is_empty()).then_some(tools)
}

impl Tools {
    fn own(
        &mut self,
        toolbox: &Toolbox,
        called: &[String],
        quirks: Quirks,
        undo: &mut Undo,
        losses: &mut Losses,
    ) {
        if toolbox.parallel == Some(false) {
            losses.lose("toolbox.parallel");
        }
        match &toolbox.choice {
            None => {}
            Some(Choice::Auto) => self.choice = Some(Picked::Auto),
            Some(Choice::Required) => self.choice = Some(Picked::Any),
            Some(Choice::Tool(name)) => self.choice = Some(Picked::Tool(name.clone())),
            // Without tools nothing is called.
            Some(Choice::Never) if called.is_empty() => return,
            Some(Choice::Never) => {
                let why = "bedrock_converse cannot forbid calls where some were made already";
                losses.because("toolbox.choice", why);
            }
            Some(Choice::Other(opaque)) => drop(losses.opaque("toolbox.choice", opaque)),
        }
        for (at, tool) in toolbox.tools.iter().enumerate() {
            self.tool(tool, &format!("toolbox.tools[{at}]"), quirks, undo, losses);
        }
        if self.specs.is_empty() {
            self.choice = None;
            self.specs.extend(called.iter().map(|name| bare(name)));
        }
    }

    fn tool(
        &mut self,
        tool: &Tool,
        path: &str,
        quirks: Quirks,
        undo: &mut Undo,
        losses: &mut Losses,
    ) {
        match tool {
            Tool::Function { name, description, parameters, strict, cache, extras, around } => {
                losses.extras(path, extras);
                losses.extras(path, around);
                let strict = *strict == Some(true);
                let known = quirks.schema == SchemaBy::Native;
                if strict && !known {
                    losses.because(format!("{path}.strict"), "the model does not enforce schemas");
                }
                let spec =
                    Spec { name, description: description.as_deref(), strict: strict && known };
                self.specs.push(spec.write(parameters.as_ref()));
                self.specs.extend(cache.as_ref().map(message::mark));
            }
            Tool::Custom { name, description, extras } => {
                losses.extras(path, extras);
                undo.customs.push(name.clone());
                let spec = Spec { name, description: description.as_deref(), strict: false };
                self.specs.push(spec.write(Some(&free_text_schema())));
            }
            Tool::Hosted(opaque) => {
                let opaque = losses.opaque(path, opaque);
                self.specs.extend(opaque.map(|opaque| opaque.raw.text().into()));
            }
        }
    }

    /// Returns whether the model must call a tool.
    pub(super) fn forced(&self) -> bool {
        matches!(self.choice, Some(Picked::Any | Picked::Tool(_)))
    }

    /// Writes the tools and the choice.
    pub(super) fn write(&self, config: &mut Object<'_>) {
        config.with("tools", |out| json::list(out, &self.specs, |out, spec| out.extend(spec)));
        let Some(choice) = &self.choice else { return };
        config.nest("toolChoice", |written| match choice {
            Picked::Auto => written.nest("auto", |_| {}),
            Picked::Any => written.nest("any", |_| {}),
            Picked::Tool(name) => written.nest("tool", |tool| tool.field("name", name)),
        });
    }
}

/// Writes a tool of which only the name is known: it was called before and is offered no more.
fn bare(name: &str) -> Vec<u8> {
    Spec { name, description: None, strict: false }.write(None)
}

/// Writes the tool whose arguments are the answer.
fn answer(schema: &Schema) -> Vec<u8> {
    let description = schema.description.as_deref().unwrap_or("Gives the answer.");
    Spec { name: ANSWER_TOOL, description: Some(description), strict: false }
        .write(schema.schema.as_ref())
}

struct Spec<'s> {
    name: &'s str,
    description: Option<&'s str>,
    strict: bool,
}

impl Spec<'_> {
    fn write(&self, schema: Option<&RawJson>) -> Vec<u8> {
        let mut out = Vec::new();
        json::object(&mut out, |tool| {
            tool.nest("toolSpec", |spec| {
                spec.field("name", self.name);
                spec.optional("description", self.description.filter(|text| !text.is_empty()));
                spec.nest("inputSchema", |written| match schema {
                    Some(schema) => written.raw("json", schema),
                    None => written.nest("json", |schema| {
                        schema.field("type", "object");
                        schema.nest("properties", |_| {});
                    }),
                });
                if self.strict {
                    spec.field("strict", &true);
                }
            });
        });
        out
    }
}
