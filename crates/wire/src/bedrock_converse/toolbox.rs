//! Tools and the choice among them. There is no word for "none", and a conversation in which tools
//! were called cannot be sent without any.

use ir::dialect::SchemaBy;
use ir::{Choice, Output, Quirks, RawJson, Request, Schema, Tool, Toolbox};

use super::points::{Among, Block, point};
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::schema::{self, For};
use crate::undo::{ANSWER_TOOL, Undo, free_text_schema};

/// The tools, written already, and the choice among them.
pub(super) struct Tools {
    specs: Vec<Block>,
    choice: Option<Picked>,
}

enum Picked {
    Auto,
    Any,
    Tool(String),
}

/// Gathers the tools of a request; `by` is how the answer is made to fit its schema, `called` are
/// the names of those called already.
pub(super) fn gather(
    request: &Request,
    quirks: Quirks,
    by: SchemaBy,
    called: &[String],
    undo: &mut Undo,
    losses: &mut Losses,
) -> Option<Tools> {
    let mut tools = Tools { specs: Vec::new(), choice: None };
    match &request.toolbox {
        Some(toolbox) => tools.own(toolbox, called, quirks, undo, losses),
        None => tools.specs.extend(called.iter().map(|name| bare(name).into())),
    }
    if let (Output::Schema(schema), SchemaBy::Tool) = (&request.output, by) {
        undo.answer = true;
        let others = !tools.specs.is_empty();
        tools.specs.push(answer(schema).into());
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
            self.specs.extend(called.iter().map(|name| bare(name).into()));
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
                let fitted = if *strict == Some(true) {
                    strict_schema(parameters.as_ref(), path, quirks, losses)
                } else {
                    None
                };
                let description = description.as_deref();
                let spec = Spec { name, description, strict: fitted.is_some() };
                self.specs.push(spec.write(fitted.as_ref().or(parameters.as_ref())).into());
                let marks = quirks.cache_marks;
                self.specs.extend(point(cache.as_ref(), path, Among::Tools, marks, losses));
            }
            Tool::Custom { name, description, extras } => {
                losses.extras(path, extras);
                undo.customs.push(name.clone());
                let spec = Spec { name, description: description.as_deref(), strict: false };
                self.specs.push(spec.write(Some(&free_text_schema())).into());
            }
            Tool::Hosted(opaque) => {
                let opaque = losses.opaque(path, opaque);
                self.specs.extend(opaque.map(|opaque| Vec::from(opaque.raw.text()).into()));
            }
        }
    }

    /// Returns the tools with the cache points among them.
    pub(super) fn blocks(&mut self) -> &mut Vec<Block> {
        &mut self.specs
    }

    /// Returns whether the model must call a tool.
    pub(super) fn forced(&self) -> bool {
        matches!(self.choice, Some(Picked::Any | Picked::Tool(_)))
    }

    /// Writes the tools and the choice.
    pub(super) fn write(&self, config: &mut Object<'_>) {
        config.with("tools", |out| {
            json::list(out, &self.specs, |out, spec| out.extend_from_slice(&spec.bytes));
        });
        let Some(choice) = &self.choice else { return };
        config.nest("toolChoice", |written| match choice {
            Picked::Auto => written.nest("auto", |_| {}),
            Picked::Any => written.nest("any", |_| {}),
            Picked::Tool(name) => written.nest("tool", |tool| tool.field("name", name)),
        });
    }
}

/// Brings the parameters of a strict tool to what is enforced here; where that cannot be, the tool
/// is not strict.
fn strict_schema(
    parameters: Option<&RawJson>,
    path: &str,
    quirks: Quirks,
    losses: &mut Losses,
) -> Option<RawJson> {
    if quirks.schema != SchemaBy::Native {
        losses.because(format!("{path}.strict"), "the model does not enforce schemas");
        return None;
    }
    let none = RawJson::parse("{}".to_owned()).expect("invariant: written here as JSON");
    let raw = parameters.unwrap_or(&none);
    let fitted = schema::fit(raw, For::Tool, &format!("{path}.parameters"), losses);
    fitted.map_err(|why| losses.because(format!("{path}.strict"), why)).ok()
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
