//! Whole answers: bytes to the canonical response and back.

use ir::{Candidate, Dialect, Failure, Finish, Kind, Response, Usage};

use super::{failure, message, usage};
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::json;

/// Reads an answer. An error inside a 200, at the top or in the first choice, is the failure it is.
pub fn read(body: &[u8]) -> Result<Response, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    if let Some(failure) = failure::in_success(&fields, body) {
        return Err(failure);
    }
    read_fields(&mut fields)
        .map(|response| Response { extras: fields.rest(), ..response })
        .map_err(malformed)
}

/// Reads what the verbatim lane must know of an answer that passes as it is: that it is one, and what
/// it used.
pub fn glance(body: &[u8]) -> Result<Glance, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    if let Some(failure) = failure::in_success(&fields, body) {
        return Err(failure);
    }
    let answered = fields.need("choices", |choices| match choices.raw.get().strip_prefix('[') {
        Some(items) => Ok(!items.trim_start().starts_with(']')),
        None => Err(choices.expected("a list")),
    });
    let answered = answered.map_err(malformed)?;
    let usage = fields.take_if("usage", |usage| usage.is_object(), usage::read);
    Ok(Glance { answered, usage: usage.map_err(malformed)? })
}

/// What a glance at an answer shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// Whether it holds at least one candidate.
    pub answered: bool,
    /// What it used, when the provider said so.
    pub usage: Option<Usage>,
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
fn malformed(error: DecodeError) -> Failure {
    let said = format!("the provider's answer could not be read: {error}");
    Failure::new(Kind::MalformedReply, said)
}

fn read_fields(fields: &mut Fields<'_, '_>) -> Result<Response, DecodeError> {
    Ok(Response {
        spoken: Dialect::OpenaiChat,
        candidates: fields.need("choices", |choices| choices.each(read_choice))?,
        id: fields.take_if("id", |id| id.is_string(), |id| id.string())?,
        model: fields.take_if("model", |model| model.is_string(), |model| model.string())?,
        created: fields.take_if("created", |at| at.count().is_ok(), |at| at.count())?,
        usage: fields.take_if("usage", |usage| usage.is_object(), usage::read)?,
        extras: {
            // What the writer says of itself.
            fields.take_if(
                "object",
                |object| object.raw.get() == "\"chat.completion\"",
                |_| Ok(()),
            )?;
            ir::Extras::default()
        },
    })
}

fn read_choice(choice: Value<'_, '_>) -> Result<Candidate, DecodeError> {
    let mut fields = choice.object()?;
    fields.take("index", |_| Ok(()))?;
    let finish = fields.take_if("finish_reason", |text| text.is_string(), |text| text.text())?;
    let finish = finish.as_deref().and_then(read_finish);
    let turn = fields.take("message", |message| {
        let mut fields = message.object()?;
        fields.take_if("role", |role| role.raw.get() == "\"assistant\"", |_| Ok(()))?;
        message::read_assistant(fields)
    })?;
    Ok(Candidate { turn: turn.unwrap_or_default(), finish, extras: fields.rest() })
}

/// Reads why the model stopped; an empty text and the text "null" say nothing (Snowflake,
/// DashScope).
pub(super) fn read_finish(text: &str) -> Option<Finish> {
    match text {
        "" | "null" => None,
        "stop" => Some(Finish::Stop),
        "length" => Some(Finish::Length),
        "tool_calls" | "tool_call" => Some(Finish::ToolCalls),
        "content_filter" => Some(Finish::ContentFilter),
        other => Some(Finish::Other(other.to_owned())),
    }
}

pub(super) fn write_finish(finish: &Finish) -> &str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
        Finish::Other(other) => other,
    }
}

/// Writes an answer.
pub fn write(response: &Response) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    json::object(&mut bytes, |body| {
        body.optional("id", response.id.as_ref());
        if response.extras.get("object").is_none() {
            body.field("object", "chat.completion");
        }
        body.optional("created", response.created.as_ref());
        body.optional("model", response.model.as_ref());
        body.with("choices", |out| {
            json::list(out, response.candidates.iter().enumerate(), |out, (index, candidate)| {
                write_choice(out, index, candidate);
            });
        });
        if let Some(used) = &response.usage {
            body.nest("usage", |body| usage::write(body, used));
        }
        if response.spoken == Dialect::OpenaiChat {
            body.extras(&response.extras);
        }
    });
    bytes
}

fn write_choice(out: &mut Vec<u8>, index: usize, candidate: &Candidate) {
    json::object(out, |choice| {
        choice.field("index", &index);
        choice.nest("message", |message| {
            if candidate.turn.extras.get("role").is_none() {
                message.field("role", "assistant");
            }
            message::write_assistant(message, &candidate.turn);
        });
        choice.field("finish_reason", &candidate.finish.as_ref().map(write_finish));
        choice.extras(&candidate.extras);
    });
}
