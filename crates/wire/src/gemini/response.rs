//! Whole answers: bytes to the canonical response and back.

use ir::{
    AssistantPart, AssistantTurn, Candidate, Failure, Finish, Kind, RawJson, Response, Source,
};

use super::grounding::Grounded;
use super::{HERE, Ids, call, failure, grounding, part, signature, usage};
use crate::Origin;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::json;

/// The field that says why a candidate ended.
pub(super) const FINISH: &str = "finishReason";

/// Reads an answer. An error inside a 200 is the failure it is, and so is a prompt that was blocked,
/// or a call that the provider threw away.
pub fn read(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    if let Some(failure) = failure::in_success(&origin.family, &fields, body) {
        return Err(failure);
    }
    let known = ["candidates", "promptFeedback", "usageMetadata", "responseId", "modelVersion"];
    if !known.into_iter().any(|name| fields.peek(name).is_some()) {
        let said = "the provider's answer has no candidates and nothing else of an answer";
        return Err(Failure::new(Kind::MalformedReply, said));
    }
    let response = read_fields(origin, &mut fields).map_err(malformed)?;
    let candidates = response.candidates.iter();
    if candidates.clone().all(|candidate| candidate.turn.parts.iter().all(signature::is_empty))
        && let Some(failure) = failure::without_content(candidates.map(|one| one.finish.clone()))
    {
        return Err(failure);
    }
    Ok(Response { extras: fields.rest(), ..response })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
fn malformed(error: DecodeError) -> Failure {
    let said = format!("the provider's answer could not be read: {error}");
    Failure::new(Kind::MalformedReply, said)
}

fn read_fields(origin: &Origin, fields: &mut Fields<'_, '_>) -> Result<Response, DecodeError> {
    let mut ids = Ids::new(origin.seed);
    let read = |candidates: Value<'_, '_>| {
        candidates.each(|candidate| read_candidate(candidate, &mut ids))
    };
    let candidates = fields.take("candidates", read)?;
    Ok(Response {
        spoken: HERE,
        id: fields.take_if("responseId", |id| id.is_string(), |id| id.string())?,
        model: fields.take_if("modelVersion", |model| model.is_string(), |model| model.string())?,
        created: None,
        candidates: candidates.unwrap_or_default(),
        usage: fields.take_if("usageMetadata", |usage| usage.is_object(), usage::read)?,
        extras: ir::Extras::default(),
    })
}

fn read_candidate(candidate: Value<'_, '_>, ids: &mut Ids) -> Result<Candidate, DecodeError> {
    let mut fields = candidate.object()?;
    fields.take("index", |_| Ok(()))?;
    let turn = fields.take("content", |content| {
        let mut fields = content.object()?;
        fields.take_if("role", |role| role.raw.get() == "\"model\"", |_| Ok(()))?;
        let parts = fields.take("parts", |parts| parts.each(|part| part::read_said(part, ids)))?;
        Ok(AssistantTurn { parts: parts.unwrap_or_default(), extras: fields.rest() })
    })?;
    let mut turn = turn.unwrap_or_default();
    for name in [grounding::GROUNDING, grounding::CITATIONS] {
        if let Some(metadata) = fields.peek(name) {
            cite(&mut turn.parts, grounding::read(name, metadata));
        }
    }
    let calls = turn.parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
    let finish = fields.peek(FINISH).and_then(|reason| read_finish(reason.get(), calls));
    let spelled = |reason: Value<'_, '_>| !is_kept(&reason.keep(), finish.as_ref());
    fields.take_if(FINISH, spelled, |_| Ok(()))?;
    Ok(Candidate { turn, finish, extras: fields.rest() })
}

/// Puts citations on the texts they stand on: the part that is named, otherwise the first text that
/// reaches so far.
fn cite(parts: &mut [AssistantPart], cited: Vec<grounding::Cited>) {
    for grounding::Cited { mut citation, part, bytes } in cited {
        let text = |part: &AssistantPart| match part {
            AssistantPart::Text(said) => Some(said.text.len()),
            _ => None,
        };
        let end = bytes.map_or(0, |(_, end)| end);
        let named = part.filter(|at| parts.get(*at).is_some_and(|part| text(part).is_some()));
        let reaches = || parts.iter().position(|part| text(part).is_some_and(|size| size >= end));
        let any = || parts.iter().position(|part| text(part).is_some());
        let at = named.or_else(reaches).or_else(any);
        if let Some(AssistantPart::Text(said)) = at.and_then(|at| parts.get_mut(at)) {
            citation.span = bytes.and_then(|bytes| grounding::characters(&said.text, bytes));
            said.citations.push(citation);
        }
    }
}

/// Reads why a candidate ended: a word, or the number of its enumeration, of which the two APIs of
/// Google's agree on the first few only.
pub(super) fn read_finish(reason: &str, calls: bool) -> Option<Finish> {
    let word = match reason {
        "1" => "STOP".to_owned(),
        "2" => "MAX_TOKENS".to_owned(),
        "3" => "SAFETY".to_owned(),
        "4" => "RECITATION".to_owned(),
        "0" | "null" => return None,
        raw => serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()),
    };
    Some(match word.as_str() {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" if calls => Finish::ToolCalls,
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR" => Finish::ContentFilter,
        _ => Finish::Other(word),
    })
}

/// Returns Google's word for why a candidate ended.
pub(super) fn write_finish(finish: &Finish) -> &str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::ContentFilter | Finish::Refusal => "SAFETY",
        Finish::Pause => "OTHER",
        Finish::Other(other) => other,
    }
}

/// Writes an answer.
pub fn write(response: &Response) -> Vec<u8> {
    let home = response.spoken == HERE;
    let mut bytes = Vec::with_capacity(512);
    json::object(&mut bytes, |body| {
        body.with("candidates", |out| {
            json::list(out, response.candidates.iter().enumerate(), |out, (index, candidate)| {
                write_candidate(out, index, candidate, home);
            });
        });
        if let Some(used) = &response.usage {
            body.nest("usageMetadata", |body| usage::write(body, used, response.spoken));
        }
        body.optional("modelVersion", response.model.as_ref());
        body.optional("responseId", response.id.as_ref());
        if home {
            body.extras(&response.extras);
        }
    });
    bytes
}

fn write_candidate(out: &mut Vec<u8>, index: usize, candidate: &Candidate, home: bool) {
    json::object(out, |written| {
        written.nest("content", |content| {
            content.with("parts", |out| {
                let parts = candidate.turn.parts.iter();
                let parts: Vec<_> = parts.filter_map(|part| write_part(part, home)).collect();
                part::write_all(out, &parts);
            });
            let extras = Some(&candidate.turn.extras).filter(|_| home);
            if extras.is_none_or(|extras| extras.get("role").is_none()) {
                content.field("role", "model");
            }
            extras.into_iter().for_each(|extras| content.extras(extras));
        });
        let extras = Some(&candidate.extras).filter(|_| home);
        if extras.is_none_or(|extras| extras.get(FINISH).is_none()) {
            written.optional(FINISH, candidate.finish.as_ref().map(write_finish));
        }
        written.field("index", &index);
        if !home {
            grounding::write(written, &foreign(&candidate.turn.parts));
        }
        let broken = candidate.turn.parts.iter().find_map(broken);
        if extras.is_none_or(|extras| extras.get(MESSAGE).is_none()) {
            written.optional(MESSAGE, broken.as_ref());
        }
        extras.into_iter().for_each(|extras| written.extras(extras));
    });
}

/// The field in which Google explains why a candidate ended.
pub(super) const MESSAGE: &str = "finishMessage";

/// Says that a call's arguments are no JSON object, where they are not.
fn broken(part: &AssistantPart) -> Option<String> {
    match part {
        AssistantPart::ToolCall(call) if !call::takes(call) => Some(call::broken(&call.name)),
        _ => None,
    }
}

/// Writes a part of an answer; what only another dialect understands has no place in it.
fn write_part(part: &AssistantPart, home: bool) -> Option<Vec<u8>> {
    match part {
        AssistantPart::Text(said) => {
            let signature = said.carrier.as_ref().map(signature::sealed);
            let extras = Some(&said.extras).filter(|_| home);
            Some(part::write_text(&said.text, false, signature.as_ref(), extras))
        }
        AssistantPart::Refusal(text) => Some(part::write_text(text, false, None, None)),
        AssistantPart::Reasoning(thoughts) => {
            let signature = thoughts.carrier.as_ref().map(signature::sealed);
            Some(part::write_text(&thoughts.text, true, signature.as_ref(), None))
        }
        AssistantPart::ToolCall(call) => {
            let signature = call.carrier.as_ref().map(signature::sealed);
            let extras = Some(&call.extras).filter(|_| home);
            Some(call::write_call(call, signature.as_ref(), extras))
        }
        AssistantPart::Image(image) => {
            let extras = Some(&image.extras).filter(|_| home);
            let taken = home || !matches!(image.source, Source::Uploaded(_));
            taken.then(|| part::write_media(&image.source, extras))
        }
        AssistantPart::Other(opaque) => {
            (opaque.dialect == HERE).then(|| opaque.raw.text().as_bytes().to_vec())
        }
    }
}

/// Gathers the citations of another dialect with their places among the parts that are written.
fn foreign(parts: &[AssistantPart]) -> Vec<Grounded> {
    let mut found = Vec::new();
    let written = parts.iter().filter(|part| !matches!(part, AssistantPart::Other(_)));
    for (part, said) in written.enumerate() {
        let AssistantPart::Text(said) = said else { continue };
        let placed = |citation| grounding::placed(citation, &said.text, part, 0);
        found.extend(said.citations.iter().map(placed));
    }
    found
}

/// Returns whether a reason must be kept as it came, since the canonical one is written otherwise.
pub(super) fn is_kept(reason: &RawJson, finish: Option<&Finish>) -> bool {
    finish.is_none_or(|finish| RawJson::string(write_finish(finish)) != *reason)
}
