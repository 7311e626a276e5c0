//! Whole answers: bytes to the canonical response and back.

use ir::{AssistantPart, Candidate, Dialect, Extras, Failure, Finish, Kind, RawJson, Response};

use super::content::string;
use super::item::Gathered;
use super::made::{Maker, made};
use super::{failure, output, usage};
use crate::Origin;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::json::{self, Object};

const HERE: Dialect = Dialect::OpenaiResponses;

/// What an answer says of itself and of its request besides its items, as it reads when nobody said
/// otherwise: clients need each of these fields.
pub(super) const DEFAULTS: [(&str, &str); 14] = [
    ("error", "null"),
    ("incomplete_details", "null"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("store", "false"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_p", "null"),
];

/// Reads an answer. An error inside a 200 is the failure it is.
pub fn read(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    let fields = fields::body(body).map_err(malformed)?;
    read_fields(origin, fields)
}

fn read_fields(origin: &Origin, mut fields: Fields<'_, '_>) -> Result<Response, Failure> {
    if let Some(failure) = failure::in_success(&origin.family, &fields) {
        return Err(failure);
    }
    let mut read = || {
        let turn = fields.need("output", |output| {
            let mut said = Gathered::of_answer(origin.seed, 0);
            output.each(|item| said.add(item))?;
            Ok(said.finish().unwrap_or_default())
        })?;
        let usage = fields.take_if("usage", |usage| usage.is_object(), usage::read)?;
        let calls = turn.parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
        let (finish, extras) = read_finish(&mut fields, calls)?;
        let told = Told::read(&mut fields)?;
        Ok::<_, DecodeError>(Response {
            spoken: HERE,
            id: told.id,
            model: told.model,
            created: told.created,
            candidates: vec![Candidate { turn, finish, extras }],
            usage,
            extras: Extras::default(),
        })
    };
    let response = read().map_err(malformed)?;
    Ok(Response { extras: rest(fields), ..response })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
pub(super) fn malformed(error: DecodeError) -> Failure {
    let said = format!("the provider's answer could not be read: {error}");
    Failure::new(Kind::MalformedReply, said)
}

/// How an answer names itself.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) created: Option<u64>,
}

impl Told {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Result<Self, DecodeError> {
        let whole = |at: Value<'_, '_>| at.count().is_ok();
        let mut created = fields.take_if("created_at", whole, |at| at.count())?;
        if created.is_none()
            && let Some(at) = fields.peek("created_at")
        {
            // Amazon writes a fraction of none, `1787150056.0`: it stays among the rest beside.
            created = at.get().split('.').next().and_then(|whole| whole.parse().ok());
        }
        // What the writer says where nothing was known is nothing.
        Ok(Self {
            id: string(fields, "id")?.filter(|id| !made(id)),
            model: string(fields, "model")?.filter(|model| !model.is_empty()),
            created: created.filter(|at| *at > 0),
        })
    }
}

/// Returns what else an answer said, but for what it says by default.
pub(super) fn rest(fields: Fields<'_, '_>) -> Extras {
    let mut extras = fields.rest();
    // What is still here of these is of a kind that no client could read.
    extras.0.retain(|(name, _)| !["id", "model", "usage"].contains(&name.as_str()));
    extras.0.retain(|(name, raw)| {
        let default = match name.as_str() {
            "object" => "\"response\"",
            name => {
                DEFAULTS.iter().find(|(known, _)| *known == name).map_or("null", |(_, text)| text)
            }
        };
        // Only a short value can be a default; a long one is not parsed to see that it is none.
        raw.text() != default
            && (raw.text().len() > 80
                || Some(raw) != RawJson::parse(default.to_owned()).ok().as_ref())
    });
    extras
}

/// Takes the status and why an answer is incomplete; where these are not the words that the finish
/// is written as, they are kept among the candidate's extras.
pub(super) fn read_finish(
    fields: &mut Fields<'_, '_>,
    calls: bool,
) -> Result<(Option<Finish>, Extras), DecodeError> {
    let kept = |fields: &Fields<'_, '_>, name: &str| {
        let raw = fields.peek(name).filter(|raw| raw.get() != "null");
        raw.map(|raw| (name.to_owned(), RawJson::keep(raw)))
    };
    let words = [kept(fields, "status"), kept(fields, "incomplete_details")];
    let status = string(fields, "status")?;
    fields.take("status", |_| Ok(()))?;
    let reason = fields.take("incomplete_details", |details| {
        if details.is_object() { string(&mut details.object()?, "reason") } else { Ok(None) }
    })?;
    let finish = match (status.as_deref(), reason.flatten().as_deref()) {
        (Some("queued" | "in_progress"), _) => None,
        (Some("incomplete"), Some("content_filter")) => Some(Finish::ContentFilter),
        (Some("incomplete"), Some("max_output_tokens") | None) => Some(Finish::Length),
        (Some("incomplete"), Some(other)) => Some(Finish::Other(other.to_owned())),
        (Some("cancelled"), _) => Some(Finish::Other("cancelled".to_owned())),
        _ if calls => Some(Finish::ToolCalls),
        _ => Some(Finish::Stop),
    };
    let kept = Extras(words.into_iter().flatten().collect());
    let (status, reason) = write_finish(finish.as_ref());
    let status = Some(RawJson::string(status));
    let expected = kept.get("status").is_none_or(|said| Some(said) == status.as_ref())
        && kept.get("incomplete_details") == details(reason).as_ref();
    Ok((finish, if expected { Extras::default() } else { kept }))
}

/// Returns the status of an answer that ended so, and the reason when it is incomplete.
pub(super) fn write_finish(finish: Option<&Finish>) -> (&'static str, Option<&'static str>) {
    match finish {
        Some(Finish::Length) => ("incomplete", Some("max_output_tokens")),
        Some(Finish::ContentFilter | Finish::Refusal) => ("incomplete", Some("content_filter")),
        Some(
            Finish::Stop
            | Finish::StopSequence(_)
            | Finish::ToolCalls
            | Finish::Pause
            | Finish::Other(_),
        )
        | None => ("completed", None),
    }
}

fn details(reason: Option<&str>) -> Option<RawJson> {
    let text = serde_json::json!({ "reason": reason? }).to_string();
    Some(RawJson::parse(text).expect("invariant: a Value prints as JSON"))
}

/// Writes an answer. The dialect has one candidate; nobody asks for more in it.
pub fn write(response: &Response) -> Vec<u8> {
    let home = response.spoken == HERE;
    let none = Extras::default();
    let candidate = response.candidates.first();
    let face = Face {
        id: response.id.as_deref(),
        model: response.model.as_deref(),
        created: response.created,
        extras: if home { &response.extras } else { &none },
    };
    let words = candidate.filter(|_| home).map_or(&none, |candidate| &candidate.extras);
    let finish = candidate.and_then(|candidate| candidate.finish.as_ref());
    let mut bytes = Vec::with_capacity(1024);
    face.write(&mut bytes, |body, maker| {
        write_status(body, finish, words);
        body.with("output", |out| match candidate {
            Some(candidate) => output::write(out, &candidate.turn, home, maker),
            None => out.extend_from_slice(b"[]"),
        });
        write_usage(body, response.usage.as_ref(), home);
    });
    bytes
}

/// Writes the status and why the answer is incomplete; the provider's own words win.
pub(super) fn write_status(body: &mut Object<'_>, finish: Option<&Finish>, words: &Extras) {
    let (status, reason) = write_finish(finish);
    if words.get("status").is_none() {
        body.field("status", status);
    }
    if words.get("incomplete_details").is_none() {
        // Words of the provider's that say no reason have none.
        let reason = details(reason.filter(|_| words.is_empty()));
        match reason {
            Some(reason) => body.raw("incomplete_details", &reason),
            None => body.field("incomplete_details", &None::<()>),
        }
    }
    body.extras(words);
}

/// Writes what the answer used.
pub(super) fn write_usage(body: &mut Object<'_>, used: Option<&ir::Usage>, home: bool) {
    match used {
        Some(used) => body.nest("usage", |body| usage::write(body, used, home)),
        None => body.field("usage", &None::<()>),
    }
}

/// An answer but for its items, status and usage.
pub(super) struct Face<'r> {
    pub(super) id: Option<&'r str>,
    pub(super) model: Option<&'r str>,
    pub(super) created: Option<u64>,
    pub(super) extras: &'r Extras,
}

impl Face<'_> {
    /// Writes a complete answer around what `fill` says of it.
    pub(super) fn write(&self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>, Maker)) {
        let maker = Maker::of(self.id, self.model, self.created);
        json::object(out, |body| {
            match self.id {
                Some(id) => body.field("id", id),
                None => body.field("id", &maker.answer()),
            }
            if self.extras.get("object").is_none() {
                body.field("object", "response");
            }
            if self.extras.get("created_at").is_none() {
                body.field("created_at", &self.created.unwrap_or_default());
            }
            body.field("model", self.model.unwrap_or_default());
            fill(body, maker);
            for (name, text) in DEFAULTS {
                if name != "incomplete_details" && self.extras.get(name).is_none() {
                    body.with(name, |out| out.extend_from_slice(text.as_bytes()));
                }
            }
            body.extras(self.extras);
        });
    }
}
