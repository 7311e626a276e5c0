//! Whole answers: bytes to the canonical response and back.

use ir::response::Substance;
use ir::{
    AssistantPart, Candidate, Dialect, Extras, Failure, Finish, Kind, RawJson, Response, Seed,
};

use super::thoughts::Whose;
use super::{failure, message, usage};
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::json::{self, Object};
use crate::{Glance, Origin};

/// Reads an answer. An error inside a 200, at the top or in the first choice, is the failure it is.
pub fn read(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    if let Some(failure) = failure::in_success(&origin.family, &fields, body) {
        return Err(failure);
    }
    let mut response = read_fields(&mut fields).map_err(malformed)?;
    response.extras = fields.rest();
    name_calls(&mut response.candidates, origin.seed);
    Ok(response)
}

/// Makes an id for each call that came without one: its result must refer to something.
fn name_calls(candidates: &mut [Candidate], seed: Seed) {
    let parts = candidates.iter_mut().flat_map(|candidate| &mut candidate.turn.parts);
    for (nth, part) in parts.enumerate() {
        if let AssistantPart::ToolCall(call) = part
            && call.id.is_empty()
        {
            call.id = seed.call_id(nth);
        }
    }
}

/// Reads what the verbatim lane must know of an answer that passes as it is: that it is one, and what
/// it used.
pub fn glance(origin: &Origin, body: &[u8]) -> Result<Glance, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    if let Some(failure) = failure::in_success(&origin.family, &fields, body) {
        return Err(failure);
    }
    // What passes as it is need not be read to its last field: a choice of a form of the host's own
    // is an answer.
    let substance = fields.need("choices", |choices| {
        choices.each(|choice| Ok(read_choice(choice).map_or(Substance::Answer, |c| c.substance())))
    });
    let substance = substance.map_err(malformed)?.into_iter().min_by_key(|held| *held as u8);
    let substance = substance.unwrap_or(Substance::Nothing);
    let usage = fields.take_if("usage", |usage| usage.is_object(), usage::read);
    let id = fields.take_if("id", |id| id.is_string(), |id| id.string()).map_err(malformed)?;
    Ok(Glance { substance, usage: usage.map_err(malformed)?, id })
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
            Extras::default()
        },
    })
}

fn read_choice(choice: Value<'_, '_>) -> Result<Candidate, DecodeError> {
    let mut fields = choice.object()?;
    fields.take("index", |_| Ok(()))?;
    let word = fields.take_if(FINISH, |text| text.is_string(), |text| text.string())?;
    let turn = fields.take("message", |message| {
        let mut fields = message.object()?;
        fields.take_if("role", |role| role.raw.get() == "\"assistant\"", |_| Ok(()))?;
        message::read(fields, Whose::Provider)
    })?;
    let turn = turn.unwrap_or_default();
    let calls = turn.parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
    let mut extras = fields.rest();
    let finish = word.and_then(|word| read_finish(&word, calls)).map(|(finish, word)| {
        if let Some(word) = word {
            extras.set(FINISH, word);
        }
        finish
    });
    Ok(Candidate { turn, finish, extras })
}

/// The field that says why the model stopped; among the extras it holds the host's own word.
pub(super) const FINISH: &str = "finish_reason";

/// Reads why the model stopped, and the host's own word where it is not the dialect's for it. An empty
/// text and the text "null" say nothing (Snowflake, DashScope); a host that was told which tool to
/// call may say `stop` after the call (OpenAI).
pub(super) fn read_finish(word: &str, calls: bool) -> Option<(Finish, Option<RawJson>)> {
    let finish = match word {
        "" | "null" => return None,
        "stop" | "eos" | "end_turn" if calls => Finish::ToolCalls,
        "stop" | "eos" | "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence(None),
        "length" | "max_tokens" | "model_length" => Finish::Length,
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        "refusal" => Finish::Refusal,
        other => Finish::Other(other.to_owned()),
    };
    let own = (write_finish(&finish) != word).then(|| RawJson::string(word));
    Some((finish, own))
}

pub(super) fn write_finish(finish: &Finish) -> &str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::Pause => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter | Finish::Refusal => "content_filter",
        Finish::Other(other) => other,
    }
}

/// Where a word that is none of the dialect's is kept for whoever looks for it (OpenRouter).
const NATIVE_FINISH: &str = "native_finish_reason";

/// Writes why the model stopped. Typed clients refuse a word they do not know: one of another dialect
/// stands beside.
pub(super) fn write_stop(choice: &mut Object<'_>, finish: Option<&Finish>, home: bool) {
    match finish {
        Some(Finish::Other(word)) if !home && word != "function_call" => {
            choice.field(FINISH, "stop");
            choice.field(NATIVE_FINISH, word);
        }
        finish => choice.field(FINISH, &finish.map(write_finish)),
    }
}

/// Writes an answer. Extras belong here only when the answer was spoken in this dialect.
pub fn write(response: &Response) -> Vec<u8> {
    let home = response.spoken == Dialect::OpenaiChat;
    let mut bytes = Vec::with_capacity(512);
    json::object(&mut bytes, |body| {
        body.optional("id", response.id.as_ref());
        if !home || response.extras.get("object").is_none() {
            body.field("object", "chat.completion");
        }
        body.optional("created", response.created.as_ref());
        body.optional("model", response.model.as_ref());
        body.with("choices", |out| {
            json::list(out, response.candidates.iter().enumerate(), |out, (index, candidate)| {
                write_choice(out, index, candidate, home);
            });
        });
        if let Some(used) = &response.usage {
            let extras = if home { &used.extras } else { &Extras::default() };
            body.nest("usage", |body| usage::write(body, used, extras));
        }
        if home {
            body.extras(&response.extras);
        }
    });
    bytes
}

fn write_choice(out: &mut Vec<u8>, index: usize, candidate: &Candidate, home: bool) {
    json::object(out, |choice| {
        choice.field("index", &index);
        choice.nest("message", |message| {
            if !home || candidate.turn.extras.get("role").is_none() {
                message.field("role", "assistant");
            }
            message::write_answer(message, &candidate.turn, home);
        });
        if !home || candidate.extras.get(FINISH).is_none() {
            write_stop(choice, candidate.finish.as_ref(), home);
        }
        if home {
            choice.extras(&candidate.extras);
        }
    });
}
