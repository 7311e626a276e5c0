//! Whole answers: bytes to the canonical response and back.

use std::hash::{DefaultHasher, Hash, Hasher};

use ir::{
    AssistantPart, AssistantTurn, Candidate, Extras, Failure, Finish, Kind, RawJson, Response,
};

use super::blocks::Blocks;
use super::{HERE, answer, assistant, failure, usage};
use crate::Origin;
use crate::decode::DecodeError;
use crate::fields::{self, Fields};
use crate::json::{self, Object};

const REASON: &str = "stop_reason";
const SEQUENCE: &str = "stop_sequence";
const DETAILS: &str = "stop_details";

/// Reads an answer; an error inside a 200 is the failure it is.
pub fn read(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    let fields = fields::body(body).map_err(malformed)?;
    if let Some(failure) = failure::in_success(&origin.family, &fields, body) {
        return Err(failure);
    }
    read_fields(fields).map_err(malformed)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
pub(super) fn malformed(error: DecodeError) -> Failure {
    let said = format!("the provider's answer could not be read: {error}");
    Failure::new(Kind::MalformedReply, said)
}

/// Reads the fields of a message.
pub(super) fn read_fields(mut fields: Fields<'_, '_>) -> Result<Response, DecodeError> {
    take_constants(&mut fields)?;
    let parts = fields.need("content", assistant::read_parts)?;
    let called = parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
    let stop = take_stop(&mut fields, called)?;
    Ok(Response {
        spoken: HERE,
        id: fields.take_if("id", |id| id.is_string(), |id| id.string())?,
        model: fields.take_if("model", |model| model.is_string(), |model| model.string())?,
        created: None,
        candidates: vec![Candidate {
            turn: AssistantTurn { parts, extras: Extras::default() },
            finish: stop.finish,
            extras: stop.extras,
        }],
        usage: fields.take_if("usage", |usage| usage.is_object(), usage::read)?,
        extras: said(fields),
    })
}

/// Takes what the writer says of itself.
pub(super) fn take_constants(fields: &mut Fields<'_, '_>) -> Result<(), DecodeError> {
    fields.take_if("type", |kind| kind.raw.get() == "\"message\"", |_| Ok(()))?;
    fields.take_if("role", |role| role.raw.get() == "\"assistant\"", |_| Ok(()))?;
    Ok(())
}

/// Returns what nobody took and what says something.
fn said(fields: Fields<'_, '_>) -> Extras {
    let mut extras = fields.rest();
    extras.0.retain(|(_, raw)| raw.text() != "null");
    extras
}

/// Why a model stopped, and what else was said about it.
pub(super) struct Stop {
    pub(super) finish: Option<Finish>,
    pub(super) extras: Extras,
}

/// Takes why the model stopped. The word stays beside it where it is not the one that would be
/// written; `called` says whether the model called a tool.
pub(super) fn take_stop(fields: &mut Fields<'_, '_>, called: bool) -> Result<Stop, DecodeError> {
    let word = fields.take_if(REASON, |word| word.is_string(), |word| word.string())?;
    let mut sequence = fields.take_if(SEQUENCE, |text| text.is_string(), |text| text.string())?;
    let details = fields.take(DETAILS, |details| Ok(details.keep()))?;
    let finish = word.as_deref().map(|word| match word {
        "end_turn" if called => Finish::ToolCalls,
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence(sequence.take()),
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "pause_turn" => Finish::Pause,
        "refusal" => Finish::Refusal,
        other => Finish::Other(other.to_owned()),
    });
    let mut extras = Extras::default();
    if let (Some(word), Some(finish)) = (&word, &finish)
        && write_finish(finish) != word
    {
        extras.set(REASON, RawJson::string(word));
    }
    if let Some(sequence) = sequence {
        extras.set(SEQUENCE, RawJson::string(&sequence));
    }
    if let Some(details) = details {
        extras.set(DETAILS, details);
    }
    Ok(Stop { finish, extras })
}

fn write_finish(finish: &Finish) -> &str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::StopSequence(_) => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Refusal | Finish::ContentFilter => "refusal",
        Finish::Pause => "pause_turn",
        Finish::Other(other) => other,
    }
}

/// Writes why the model stopped. A client's loop goes by the word, so abroad there always is one it
/// knows.
pub(super) fn write_stop(
    body: &mut Object<'_>,
    finish: Option<&Finish>,
    extras: &Extras,
    home: bool,
) {
    let extra = |name| extras.get(name).filter(|_| home);
    match (extra(REASON), finish) {
        (Some(word), _) => body.raw(REASON, word),
        (None, None | Some(Finish::Other(_))) if !home => body.field(REASON, "end_turn"),
        (None, finish) => body.field(REASON, &finish.map(write_finish)),
    }
    match (extra(SEQUENCE), finish) {
        (Some(sequence), _) => body.raw(SEQUENCE, sequence),
        (None, Some(Finish::StopSequence(sequence))) => body.field(SEQUENCE, sequence),
        (None, _) => body.field(SEQUENCE, &None::<&str>),
    }
    for (name, raw) in extras.iter().filter(|(name, _)| home && ![REASON, SEQUENCE].contains(name))
    {
        body.raw(name, raw);
    }
}

/// Writes an answer. The dialect has room for one candidate: the first.
pub fn write(response: &Response) -> Vec<u8> {
    let home = response.spoken == HERE;
    let nothing = Candidate::default();
    let candidate = response.candidates.first().unwrap_or(&nothing);
    let mut content = Blocks::default();
    answer::write(&mut content, &candidate.turn.parts, response.spoken);
    let mut bytes = Vec::with_capacity(512);
    json::object(&mut bytes, |body| {
        let id = response.id.clone().filter(|id| home || !id.is_empty());
        body.field("id", &id.unwrap_or_else(|| made_id(response)));
        for (name, word) in [("type", "message"), ("role", "assistant")] {
            if !home || response.extras.get(name).is_none() {
                body.field(name, word);
            }
        }
        body.field("model", response.model.as_deref().unwrap_or_default());
        body.with("content", |out| content.write(out));
        write_stop(body, candidate.finish.as_ref(), &candidate.extras, home);
        let used = response.usage.clone().unwrap_or_default();
        body.nest("usage", |body| {
            usage::write(body, &used, Some(&used.extras).filter(|_| home));
        });
        if home {
            body.extras(&response.extras);
        }
    });
    bytes
}

/// Makes an id where the provider sent none: clients tell answers apart by it.
fn made_id(response: &Response) -> String {
    let mut hasher = DefaultHasher::new();
    format!("{response:?}").hash(&mut hasher);
    format!("msg_{:016x}", hasher.finish())
}
