//! The shape of the answer.

use ir::dialect::SchemaBy;
use ir::{Output, Schema};

use super::Writing;
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use crate::undo;

/// Reads the shape of the answer; a shape of a host's own stays among the rest.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Output, DecodeError> {
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

/// How this host is asked for the shape.
pub(super) enum Shape<'r> {
    Text,
    Json,
    Native(&'r Schema),
    Tool(&'r Schema),
    /// By JSON mode and these words.
    Words(String),
}

/// Decides how this host is asked for the shape.
pub(super) fn shape<'r>(output: &'r Output, writing: &mut Writing) -> Shape<'r> {
    let schema = match output {
        Output::Text => return Shape::Text,
        Output::Json => return Shape::Json,
        Output::Schema(schema) => schema,
    };
    match writing.quirks.schema {
        SchemaBy::Native => Shape::Native(schema),
        SchemaBy::Tool => {
            writing.undo.answer = true;
            Shape::Tool(schema)
        }
        SchemaBy::Prompt => {
            let unsaid = schema.strict.map(|_| "output.strict").into_iter();
            unsaid.for_each(|path| writing.losses.lose(path));
            for (name, _) in schema.extras.iter() {
                writing.losses.lose(format!("output.{name}"));
            }
            Shape::Words(undo::schema_in_words(schema))
        }
    }
}

impl Shape<'_> {
    /// Returns the words that ask for the shape.
    pub(super) fn words(&self) -> Option<&str> {
        match self {
            Self::Words(words) => Some(words),
            _ => None,
        }
    }

    /// Returns the schema that is asked for by a tool.
    pub(super) fn tool(&self) -> Option<&Schema> {
        match self {
            Self::Tool(schema) => Some(schema),
            _ => None,
        }
    }
}

/// Writes the shape into its own field.
pub(super) fn write(body: &mut Object<'_>, shape: &Shape<'_>, writing: &mut Writing) {
    match shape {
        Shape::Text | Shape::Tool(_) => {}
        Shape::Json | Shape::Words(_) => {
            body.nest("response_format", |format| format.field("type", "json_object"));
        }
        Shape::Native(schema) => body.nest("response_format", |format| {
            format.field("type", "json_schema");
            format.nest("json_schema", |written| {
                // A dialect without names for schemas leaves it empty; here one is demanded.
                let unnamed = schema.name.is_empty() && !writing.losses.home();
                written.field("name", if unnamed { "answer" } else { &schema.name });
                written.optional("description", schema.description.as_ref());
                if let Some(text) = &schema.schema {
                    written.raw("schema", text);
                }
                written.optional("strict", schema.strict.as_ref());
                if let Some(extras) = writing.losses.extras("output", &schema.extras) {
                    written.extras(extras);
                }
            });
        }),
    }
}

/// Writes the tool whose arguments are the answer.
pub(super) fn write_tool(out: &mut Vec<u8>, schema: &Schema, writing: &mut Writing) {
    for (name, _) in schema.extras.iter() {
        writing.losses.lose(format!("output.{name}"));
    }
    json::object(out, |tool| {
        tool.field("type", "function");
        tool.nest("function", |function| {
            function.field("name", undo::ANSWER_TOOL);
            let said = schema.description.as_deref();
            function.field("description", said.unwrap_or("Call this with your answer."));
            if let Some(text) = &schema.schema {
                function.raw("parameters", text);
            }
            function.optional("strict", schema.strict.as_ref());
        });
    });
}
