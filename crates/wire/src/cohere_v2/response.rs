//! Whole answers, and what they share with streams: why a model stopped, usage, citations.

use ir::{
    Arguments, AssistantPart, AssistantTurn, CallKind, Candidate, Citation, Counted, Dialect,
    Extras, Failure, Finish, Kind, Opaque, RawJson, Reasoning, Response, Said, Tokens, ToolCall,
    Usage,
};

use super::plan;
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::{Origin, failures, json};

const HERE: Dialect = Dialect::CohereV2;

/// Reads an answer.
pub fn read(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    // An error's message is a text, an answer's is an object.
    let told = fields.peek("message").is_some_and(|message| message.get().starts_with('"'));
    if told || (fields.peek("error").is_some() && fields.peek("message").is_none()) {
        return Err(failures::inside(&origin.family, 200, body));
    }
    if let Some(failure) = failed(&origin.family, &fields) {
        return Err(failure);
    }
    read_fields(origin, &mut fields)
        .map(|response| Response { extras: fields.rest(), ..response })
        .map_err(malformed)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
pub(super) fn malformed(error: DecodeError) -> Failure {
    let said = format!("the provider's answer could not be read: {error}");
    Failure::new(Kind::MalformedReply, said)
}

/// Returns the failure that an answer's end tells, whole or in a stream.
pub(super) fn failed(family: &str, fields: &Fields<'_, '_>) -> Option<Failure> {
    let string = |name| -> Option<String> {
        fields.peek(name).and_then(|raw| serde_json::from_str(raw.get()).ok())
    };
    let (word, status) = match string("finish_reason")?.as_str() {
        "ERROR" => ("ERROR", 500),
        "TIMEOUT" => ("TIMEOUT", 504),
        _ => return None,
    };
    let code = string("error_type").unwrap_or_else(|| word.to_owned());
    let mut error = Vec::new();
    json::object(&mut error, |written| {
        written.field("code", &code);
        written.field("message", &string("error").unwrap_or_default());
    });
    Some(failures::inside(family, status, &error))
}

fn read_fields(origin: &Origin, fields: &mut Fields<'_, '_>) -> Result<Response, DecodeError> {
    let turn = fields.need("message", |message| read_message(origin, message))?;
    let called = turn.parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
    let word = fields.take_if("finish_reason", |word| word.is_string(), |word| word.string())?;
    let mut candidate = Candidate { turn, ..Candidate::default() };
    if let Some(word) = word {
        let (finish, canonical) = read_finish(&word, called);
        candidate.finish = Some(finish);
        if !canonical {
            candidate.extras.set("finish_reason", RawJson::string(&word));
        }
    }
    if let Some(logprobs) = fields.take("logprobs", |list| Ok(list.keep()))? {
        candidate.extras.set("logprobs", logprobs);
    }
    Ok(Response {
        spoken: HERE,
        id: fields.take_if("id", |id| id.is_string(), |id| id.string())?,
        model: None,
        created: None,
        candidates: vec![candidate],
        usage: fields.take_if("usage", |usage| usage.is_object(), read_usage)?,
        extras: Extras::default(),
    })
}

fn read_message(origin: &Origin, message: Value<'_, '_>) -> Result<AssistantTurn, DecodeError> {
    let mut fields = message.object()?;
    fields.take_if("role", |role| role.raw.get() == "\"assistant\"", |_| Ok(()))?;
    let mut parts = Vec::new();
    let planned = fields.take_if("tool_plan", |text| text.is_string(), |text| text.string())?;
    if let Some(text) = planned.filter(|text| !text.is_empty()) {
        parts.push(AssistantPart::Reasoning(Reasoning { text, carrier: Some(plan()) }));
    }
    // Which part is the content at which index: empty ones are none.
    let mut places = Vec::new();
    let plain = fields.take_if("content", |content| content.is_string(), |text| text.string())?;
    let read = |part: Value<'_, '_>| {
        let part = read_part(part)?;
        places.push(part.is_some().then_some(parts.len()));
        parts.extend(part);
        Ok(())
    };
    fields.take("content", |content| content.each(read))?;
    if let Some(text) = plain.filter(|text| !text.is_empty()) {
        places.push(Some(parts.len()));
        parts.push(AssistantPart::Text(Said { text, ..Said::default() }));
    }
    let citations = fields.take_if(
        "citations",
        |list| list.is_list(),
        |list| list.each(|citation| read_citation(citation)),
    )?;
    let mut homeless = Vec::new();
    for (of, cited) in citations.unwrap_or_default() {
        match text_at(&mut parts, &places, of) {
            Some(said) => said.citations.extend(cited),
            None => homeless.extend(cited.into_iter().next()),
        }
    }
    let calls = fields.take("tool_calls", |calls| {
        let mut nth = 0;
        calls.each(|call| {
            nth += 1;
            read_call(origin, nth - 1, call)
        })
    })?;
    parts.extend(calls.unwrap_or_default().into_iter().map(AssistantPart::ToolCall));
    let mut extras = fields.rest();
    if !homeless.is_empty() {
        extras.set("citations", listed(&homeless));
    }
    Ok(AssistantTurn { parts, extras })
}

/// Makes a list of citations as they came.
pub(super) fn listed(citations: &[Citation]) -> RawJson {
    let mut out = Vec::new();
    json::list(&mut out, citations, |out, cited| {
        out.extend_from_slice(cited.raw.raw.text().as_bytes());
    });
    let text = String::from_utf8(out).expect("invariant: JSON written from text is text");
    RawJson::parse(text).expect("invariant: a list of JSON values is JSON")
}

/// Finds the text a citation is of: at its index, or the last there is.
fn text_at<'p>(
    parts: &'p mut [AssistantPart],
    places: &[Option<usize>],
    of: Of,
) -> Option<&'p mut Said> {
    let at = match of {
        Of::Other => return None,
        Of::Text(Some(index)) => {
            usize::try_from(index).ok().and_then(|index| places.get(index).copied().flatten())?
        }
        Of::Text(None) => parts.iter().rposition(|part| matches!(part, AssistantPart::Text(_)))?,
    };
    match parts.get_mut(at) {
        Some(AssistantPart::Text(said)) => Some(said),
        _ => None,
    }
}

fn read_part(part: Value<'_, '_>) -> Result<Option<AssistantPart>, DecodeError> {
    let mut fields = part.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let string = |value: Value<'_, '_>| value.is_string();
    let part = match kind.as_deref() {
        Some("text") => fields.take_if("text", string, |text| text.string())?.map(|text| {
            AssistantPart::Text(Said { text, extras: fields.rest(), ..Said::default() })
        }),
        Some("thinking") => fields
            .take_if("thinking", string, |text| text.string())?
            .map(|text| AssistantPart::Reasoning(Reasoning { text, carrier: None })),
        _ => Some(AssistantPart::Other(Opaque { dialect: HERE, raw: part.keep() })),
    };
    Ok(part.filter(|part| match part {
        AssistantPart::Text(said) => !said.text.is_empty(),
        AssistantPart::Reasoning(thoughts) => !thoughts.text.is_empty(),
        _ => true,
    }))
}

fn read_call(origin: &Origin, nth: usize, call: Value<'_, '_>) -> Result<ToolCall, DecodeError> {
    let mut fields = call.object()?;
    fields.take_if("type", |kind| kind.raw.get() == "\"function\"", |_| Ok(()))?;
    let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
    let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| origin.seed.call_id(nth));
    let (name, arguments) = fields.need("function", |function| {
        let mut function = function.object()?;
        let name = function.need("name", |name| name.string())?;
        let arguments = function.take("arguments", |text| {
            if text.is_string() { text.string() } else { Ok(text.raw.get().to_owned()) }
        })?;
        Ok((name, Arguments(arguments.unwrap_or_default())))
    })?;
    Ok(ToolCall {
        id,
        name,
        kind: CallKind::Function,
        arguments,
        carrier: None,
        cache: None,
        extras: fields.rest(),
    })
}

/// What a citation is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The text at this index of the content.
    Text(Option<u64>),
    /// A thought or a plan, which has no citations.
    Other,
}

/// Reads a citation, whole or in a stream: one for each of its sources.
pub(super) fn read_citation(citation: Value<'_, '_>) -> Result<(Of, Vec<Citation>), DecodeError> {
    let raw = Opaque { dialect: HERE, raw: citation.keep() };
    let bare = Citation { url: None, title: None, quote: None, span: None, raw };
    if !citation.is_object() {
        return Ok((Of::Other, vec![bare]));
    }
    let mut fields = citation.object()?;
    let kind = fields.take_if("type", |kind| kind.is_string(), |kind| kind.text())?;
    let count = |value: Value<'_, '_>| value.count().is_ok();
    let start = fields.take_if("start", count, |at| at.count())?;
    let end = fields.take_if("end", count, |at| at.count())?;
    let index = fields.take_if("content_index", count, |at| at.count())?;
    let bare = Citation { span: start.zip(end), ..bare };
    let sources = fields.take_if(
        "sources",
        |list| list.is_list(),
        |list| {
            list.each(|source| {
                let (url, title, quote) = read_source(source)?;
                Ok(Citation { url, title, quote, ..bare.clone() })
            })
        },
    )?;
    let sources = sources.filter(|sources| !sources.is_empty()).unwrap_or_else(|| vec![bare]);
    let of = match kind.as_deref() {
        None | Some("TEXT_CONTENT") => Of::Text(index),
        Some(_) => Of::Other,
    };
    Ok((of, sources))
}

type Source = (Option<String>, Option<String>, Option<String>);

/// Reads the address, the title and the words of a source: a document, or what a tool returned.
fn read_source(source: Value<'_, '_>) -> Result<Source, DecodeError> {
    if !source.is_object() {
        return Ok((None, None, None));
    }
    let mut fields = source.object()?;
    let object = |value: Value<'_, '_>| value.is_object();
    let read = |held: Value<'_, '_>| {
        let mut held = held.object()?;
        let mut string =
            |name: &str| held.take_if(name, |text| text.is_string(), |text| text.string());
        let quote = [string("text")?, string("snippet")?, string("content")?];
        Ok((string("url")?, string("title")?, quote.into_iter().flatten().next()))
    };
    let held = match fields.take_if("document", object, read)? {
        Some(held) => Some(held),
        None => fields.take_if("tool_output", object, read)?,
    };
    Ok(held.unwrap_or_default())
}

/// Reads why the model stopped, and whether the word says just that.
pub(super) fn read_finish(word: &str, called: bool) -> (Finish, bool) {
    match word {
        "COMPLETE" | "STOP_SEQUENCE" if called => (Finish::ToolCalls, false),
        "COMPLETE" => (Finish::Stop, true),
        "STOP_SEQUENCE" => (Finish::StopSequence(None), true),
        "MAX_TOKENS" => (Finish::Length, true),
        "TOOL_CALL" => (Finish::ToolCalls, true),
        "ERROR_TOXIC" => (Finish::ContentFilter, false),
        word => (Finish::Other(word.to_owned()), true),
    }
}

/// Reads usage: what the model read and wrote, or what was billed where only that is said.
pub(super) fn read_usage(usage: Value<'_, '_>) -> Result<Usage, DecodeError> {
    let mut fields = usage.object()?;
    let counts = |counts: Value<'_, '_>| Ok(Counts::of(counts.object()?));
    let billed = Counts::of_raw(fields.peek("billed_units").map(|raw| raw.get()));
    let tokens = fields.take_if("tokens", |tokens| tokens.is_object(), counts)?;
    let tokens = tokens.unwrap_or_default();
    let cached = fields.take_if("cached_tokens", |n| n.count().is_ok(), |n| n.count())?;
    let input = tokens.input.or(billed.input).unwrap_or(0).saturating_add(tokens.image);
    Ok(Usage {
        input: Tokens(input),
        cached_input: Tokens(cached.unwrap_or(0)),
        cache_write: Tokens(0),
        output: Tokens(tokens.output.or(billed.output).unwrap_or(0)),
        reasoning: Tokens(tokens.reasoning),
        counted: Counted::Reported,
        extras: fields.rest(),
    })
}

#[derive(Debug, Default)]
struct Counts {
    input: Option<u64>,
    output: Option<u64>,
    image: u64,
    reasoning: u64,
}

impl Counts {
    fn of(mut fields: Fields<'_, '_>) -> Self {
        let mut count = |name| {
            let read = fields.take_if(name, |n| n.number().is_ok(), |n| n.number());
            read.ok().flatten().and_then(|number| number.as_u64())
        };
        Self {
            input: count("input_tokens"),
            output: count("output_tokens"),
            image: count("image_tokens").unwrap_or(0),
            reasoning: count("reasoning_tokens").unwrap_or(0),
        }
    }

    fn of_raw(raw: Option<&str>) -> Self {
        let fields = raw.and_then(|raw| fields::body(raw.as_bytes()).ok());
        fields.map(Self::of).unwrap_or_default()
    }
}
