//! Requests, written.

use ir::dialect::SchemaBy;
use ir::{Cap, Dialect, Mode, Output, Quirks, RawJson, Request, Schema};
use serde_json::Number;

use super::additional::{self, Additional, Bounds};
use super::message::{self, Role};
use super::points::{self, Block};
use super::toolbox;
use crate::json::{self, Object};
use crate::losses::Losses;
use crate::schema::{self, For};
use crate::undo::schema_in_words;
use crate::{Undo, Written};

const HERE: Dialect = Dialect::BedrockConverse;

/// Writes a request. The model and whether the answer is to come as a stream stand in the path.
pub fn write(request: &Request, quirks: Quirks) -> Written {
    let mut losses = Losses::new(HERE, request.spoken);
    let mut undo = Undo::default();
    let mut said = message::gather(request, quirks, &mut losses);
    let by = schema::by(&request.output, quirks.schema, &mut losses);
    said.system.extend(in_words(&request.output, by, &mut losses).map(Block::from));
    let mut tools = toolbox::gather(request, quirks, by, &said.called, &mut undo, &mut losses);
    let lists = tools.iter_mut().map(toolbox::Tools::blocks).chain([&mut said.system]);
    points::bound(
        lists.chain(said.messages.iter_mut().map(|message| &mut message.blocks)),
        &mut losses,
    );
    let bounds = Bounds {
        forced: tools.as_ref().is_some_and(toolbox::Tools::forced),
        thoughtless_call: said.thoughtless_call,
    };
    let additional = additional::gather(request, quirks, bounds, &mut losses);
    unsaid(request, &mut losses);
    let mut bytes = Vec::with_capacity(1024);
    json::object(&mut bytes, |body| {
        body.with("messages", |out| {
            json::list(out, &said.messages, |out, message| {
                json::object(out, |written| {
                    let user = message.role == Role::User;
                    written.field("role", if user { "user" } else { "assistant" });
                    written.with("content", |out| blocks(out, &message.blocks));
                });
            });
        });
        if !said.system.is_empty() {
            body.with("system", |out| blocks(out, &said.system));
        }
        settings(body, request, &additional, &mut losses);
        if let Some(tools) = &tools {
            body.nest("toolConfig", |config| tools.write(config));
        }
        additional.write(body);
        if let (Output::Schema(schema), SchemaBy::Native) = (&request.output, by) {
            body.nest("outputConfig", |config| format(config, schema, &mut losses));
        }
        if let Some(extras) = losses.extras("", &request.extras) {
            body.extras(extras);
        }
    });
    Written { bytes, losses: losses.done(), undo, renamed: crate::Renamed::default() }
}

fn blocks(out: &mut Vec<u8>, blocks: &[Block]) {
    json::list(out, blocks, |out, block| out.extend_from_slice(&block.bytes));
}

/// Asks for JSON in the instructions, where nothing else asks for it.
fn in_words(output: &Output, by: SchemaBy, losses: &mut Losses) -> Option<Vec<u8>> {
    match output {
        Output::Schema(schema) if by == SchemaBy::Prompt => {
            Some(message::text(&schema_in_words(schema)))
        }
        Output::Json => {
            losses.because(
                "output",
                "bedrock_converse has no JSON mode: the model is asked in words",
            );
            let any = RawJson::parse(r#"{"type":"object"}"#.to_owned());
            let any = Schema {
                name: String::new(),
                description: None,
                schema: Some(any.expect("invariant: written here as JSON")),
                strict: None,
                extras: ir::Extras::default(),
            };
            Some(message::text(&schema_in_words(&any)))
        }
        _ => None,
    }
}

/// Writes how the answer is sampled and where it ends.
fn settings(
    body: &mut Object<'_>,
    request: &Request,
    additional: &Additional<'_>,
    losses: &mut Losses,
) {
    let mut temperature = bounded(request.temperature.as_ref(), losses);
    let mut top_p = request.top_p.as_ref();
    if additional.steady() {
        let free = |number: &Number, least| number.as_f64().is_some_and(|number| number >= least);
        if temperature.as_ref().is_some_and(|number| !free(number, 1.0)) {
            temperature = None;
            losses.because("temperature", "the model does not take it while it thinks");
        }
        if top_p.is_some_and(|number| !free(number, 0.95)) {
            top_p = None;
            losses.because("top_p", "the model does not take it while it thinks");
        }
    }
    let blank = |text: &&String| text.trim().is_empty();
    let stop: Vec<&String> = request.stop.iter().filter(|text| !blank(text)).collect();
    if stop.len() < request.stop.len() {
        losses.because("stop", "a blank text ends no answer here");
    }
    let cap = request.cap.map(|Cap(cap)| cap.max(1));
    if cap.is_none() && temperature.is_none() && top_p.is_none() && stop.is_empty() {
        return;
    }
    body.nest("inferenceConfig", |config| {
        config.optional("maxTokens", cap.as_ref());
        config.optional("temperature", temperature.as_ref());
        config.optional("topP", top_p);
        if !stop.is_empty() {
            config.field("stopSequences", &stop);
        }
    });
}

/// Brings a temperature into the range from 0 to 1.
fn bounded(temperature: Option<&Number>, losses: &mut Losses) -> Option<Number> {
    let number = temperature?;
    if number.as_f64().is_some_and(|number| number > 1.0) {
        losses.because("temperature", "bedrock_converse takes no more than 1");
        return Some(1.into());
    }
    Some(number.clone())
}

/// Writes the schema the answer must fit, as the text it is here.
fn format(config: &mut Object<'_>, schema: &Schema, losses: &mut Losses) {
    let fitted = schema.schema.as_ref().and_then(|raw| {
        // One that does not fit was sent another way.
        schema::fit(raw, For::Answer, "output.schema", losses).ok()
    });
    config.nest("textFormat", |format| {
        format.field("type", "json_schema");
        format.nest("structure", |structure| {
            structure.nest("jsonSchema", |written| {
                written.field("schema", fitted.as_ref().map_or("{}", RawJson::text));
                if !schema.name.is_empty() {
                    written.field("name", &schema.name);
                }
                written.optional("description", schema.description.as_ref());
            });
        });
    });
}

/// Notes the settings that have no field.
fn unsaid(request: &Request, losses: &mut Losses) {
    let said = [
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("seed", request.seed.is_some()),
        ("candidates", request.candidates.is_some_and(|candidates| candidates > 1)),
        ("logprobs", request.logprobs.is_some()),
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
