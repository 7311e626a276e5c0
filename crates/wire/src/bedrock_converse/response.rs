//! Whole answers, and what they share with streams: why a model stopped, usage, citations.

use ir::{
    Arguments, AssistantPart, AssistantTurn, CallKind, Candidate, Citation, Counted, Dialect,
    Extras, Failure, Finish, Image, Kind, Opaque, RawJson, Reasoning, Response, Said, Source,
    Tokens, ToolCall, Usage,
};

use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::{Origin, failures, json};

const HERE: Dialect = Dialect::BedrockConverse;

/// Reads an answer.
pub fn read(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    // The service answers a path it does not know with 200, and an error of its own making.
    let told = ["message", "__type", "Output"].into_iter().any(|name| fields.peek(name).is_some());
    if told && fields.peek("output").is_none() {
        return Err(failures::inside(&origin.family, 200, body));
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

fn read_fields(origin: &Origin, fields: &mut Fields<'_, '_>) -> Result<Response, DecodeError> {
    let turn = fields.need("output", |output| {
        output.object()?.need("message", |message| read_message(origin, message))
    })?;
    let called = turn.parts.iter().any(|part| matches!(part, AssistantPart::ToolCall(_)));
    let word = fields.take_if("stopReason", |word| word.is_string(), |word| word.string())?;
    let mut candidate = Candidate { turn, ..Candidate::default() };
    if let Some(word) = word {
        let (finish, canonical) = read_finish(&word, called);
        candidate.finish = Some(finish);
        if !canonical {
            candidate.extras.set("stopReason", RawJson::string(&word));
        }
    }
    Ok(Response {
        spoken: HERE,
        id: None,
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
    fields.take("content", |content| {
        content.each(|block| read_block(origin, block, &mut parts)).map(drop)
    })?;
    Ok(AssistantTurn { parts, extras: fields.rest() })
}

fn read_block(
    origin: &Origin,
    block: Value<'_, '_>,
    parts: &mut Vec<AssistantPart>,
) -> Result<(), DecodeError> {
    let mut fields = block.object()?;
    if let Some(text) = fields.take_if("text", |text| text.is_string(), |text| text.string())? {
        if !text.is_empty() {
            parts.push(AssistantPart::Text(Said { text, ..Said::default() }));
        }
        return Ok(());
    }
    let object = |value: Value<'_, '_>| value.is_object();
    let calls = parts.iter().filter(|part| matches!(part, AssistantPart::ToolCall(_))).count();
    let read = |call: Value<'_, '_>| read_call(origin, calls, call);
    if let Some(call) = fields.take_if("toolUse", object, read)?.flatten() {
        parts.push(AssistantPart::ToolCall(call));
        return Ok(());
    }
    let thoughts = fields.take_if("reasoningContent", object, read_thoughts)?;
    if let Some(thoughts) = thoughts.flatten() {
        parts.push(AssistantPart::Reasoning(thoughts));
        return Ok(());
    }
    if let Some((text, citations)) = fields.take_if("citationsContent", object, read_cited)? {
        rest_on(parts, text, citations);
        return Ok(());
    }
    let image = fields.take_if("image", object, read_image)?.flatten();
    let opaque = || AssistantPart::Other(Opaque { dialect: HERE, raw: block.keep() });
    parts.push(image.map_or_else(opaque, AssistantPart::Image));
    Ok(())
}

/// Adds a text with citations; citations without a text are of the text before them (Nova).
fn rest_on(parts: &mut Vec<AssistantPart>, text: String, citations: Vec<Citation>) {
    match parts.last_mut() {
        Some(AssistantPart::Text(said)) if text.is_empty() => said.citations.extend(citations),
        _ if text.is_empty() && citations.is_empty() => {}
        _ => parts.push(AssistantPart::Text(Said { text, citations, ..Said::default() })),
    }
}

/// Reads a call of the caller's tool; a call of a tool that the service runs is none.
fn read_call(
    origin: &Origin,
    nth: usize,
    call: Value<'_, '_>,
) -> Result<Option<ToolCall>, DecodeError> {
    let mut fields = call.object()?;
    fields.take_if("type", |kind| kind.raw.get() == "\"tool_use\"", |_| Ok(()))?;
    if fields.peek("type").is_some_and(|kind| kind.get() != "null") {
        return Ok(None);
    }
    let id = fields.take_if("toolUseId", |id| id.is_string(), |id| id.string())?;
    let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| origin.seed.call_id(nth));
    let name = fields.need("name", |name| name.string())?;
    let arguments = fields.take("input", |input| Ok(input.raw.get().to_owned()))?;
    Ok(Some(ToolCall {
        id,
        name,
        kind: CallKind::Function,
        arguments: Arguments(arguments.unwrap_or_default()),
        carrier: None,
        cache: None,
        extras: fields.rest(),
    }))
}

fn read_thoughts(content: Value<'_, '_>) -> Result<Option<Reasoning>, DecodeError> {
    let mut fields = content.object()?;
    let redacted =
        fields.take_if("redactedContent", |text| text.is_string(), |text| text.string())?;
    if let Some(redacted) = redacted {
        let carrier = Some(carrier("redactedContent", &redacted));
        return Ok(Some(Reasoning { text: String::new(), carrier }));
    }
    fields.take_if(
        "reasoningText",
        |text| text.is_object(),
        |text| {
            let mut fields = text.object()?;
            let text = fields.take_if("text", |text| text.is_string(), |text| text.string())?;
            let proof =
                fields.take_if("signature", |text| text.is_string(), |text| text.string())?;
            let carrier = proof.map(|proof| carrier("signature", &proof));
            Ok(Reasoning { text: text.unwrap_or_default(), carrier })
        },
    )
}

/// Makes what must go back with thoughts: `{"signature": …}` or `{"redactedContent": …}`.
pub(super) fn carrier(field: &str, text: &str) -> Opaque {
    let mut out = Vec::new();
    json::object(&mut out, |object| object.field(field, text));
    Opaque { dialect: HERE, raw: raw(out) }
}

/// Keeps JSON that was written here.
pub(super) fn raw(written: Vec<u8>) -> RawJson {
    let text = String::from_utf8(written).expect("invariant: JSON written from text is text");
    RawJson::parse(text).expect("invariant: written here as JSON")
}

fn read_cited(content: Value<'_, '_>) -> Result<(String, Vec<Citation>), DecodeError> {
    let mut fields = content.object()?;
    let list = |value: Value<'_, '_>| value.is_list();
    let text = fields.take_if("content", list, texts)?;
    let citations = fields.take_if("citations", list, |all| all.each(read_citation))?;
    Ok((text.unwrap_or_default(), citations.unwrap_or_default()))
}

/// Joins the texts of a list of blocks.
fn texts(blocks: Value<'_, '_>) -> Result<String, DecodeError> {
    let texts = blocks.each(|block| {
        if !block.is_object() {
            return Ok(None);
        }
        block.object()?.take_if("text", |text| text.is_string(), |text| text.string())
    })?;
    Ok(texts.into_iter().flatten().collect())
}

/// Reads a citation, whole or in a stream: they look alike.
pub(super) fn read_citation(citation: Value<'_, '_>) -> Result<Citation, DecodeError> {
    let raw = Opaque { dialect: HERE, raw: citation.keep() };
    let mut cited = Citation { url: None, title: None, quote: None, span: None, raw };
    if !citation.is_object() {
        return Ok(cited);
    }
    let mut fields = citation.object()?;
    let string = |text: Value<'_, '_>| text.is_string();
    cited.title = fields.take_if("title", string, |text| text.string())?;
    cited.quote = fields.take_if("sourceContent", |list| list.is_list(), texts)?;
    let web = fields.take_if(
        "location",
        |place| place.is_object(),
        |place| {
            place.object()?.take_if(
                "web",
                |web| web.is_object(),
                |web| web.object()?.take_if("url", |url| url.is_string(), |url| url.string()),
            )
        },
    )?;
    let source = fields.take_if("source", string, |text| text.string())?;
    let address = |source: &String| source.starts_with("https://") || source.starts_with("http://");
    cited.url = web.flatten().flatten().or(source.filter(address));
    Ok(cited)
}

fn read_image(image: Value<'_, '_>) -> Result<Option<Image>, DecodeError> {
    let mut fields = image.object()?;
    let format = fields.take_if("format", |text| text.is_string(), |text| text.string())?;
    let bytes = fields.take_if(
        "source",
        |source| source.is_object(),
        |source| {
            source.object()?.take_if("bytes", |bytes| bytes.is_string(), |bytes| bytes.string())
        },
    )?;
    let (Some(format), Some(base64)) = (format, bytes.flatten()) else { return Ok(None) };
    let source = Source::Inline { media_type: format!("image/{format}"), base64 };
    Ok(Some(Image { source, detail: None, cache: None, extras: fields.rest() }))
}

/// Reads why the model stopped, and whether the word says just that; who called a tool wants it to
/// be run, whatever the word.
pub(super) fn read_finish(word: &str, called: bool) -> (Finish, bool) {
    match word {
        "end_turn" | "stop_sequence" if called => (Finish::ToolCalls, false),
        "end_turn" => (Finish::Stop, true),
        "tool_use" => (Finish::ToolCalls, true),
        "max_tokens" => (Finish::Length, true),
        "model_context_window_exceeded" => (Finish::Length, false),
        "stop_sequence" => (Finish::StopSequence(None), true),
        "content_filtered" => (Finish::ContentFilter, true),
        "guardrail_intervened" => (Finish::ContentFilter, false),
        word => (Finish::Other(word.to_owned()), true),
    }
}

/// Reads usage: `inputTokens` leaves out what was read from and written to the cache.
pub(super) fn read_usage(usage: Value<'_, '_>) -> Result<Usage, DecodeError> {
    let mut fields = usage.object()?;
    let mut count = |names: &[&str]| {
        let found = names.iter().filter_map(|name| {
            let read = fields.take_if(name, |count| count.count().is_ok(), |count| count.count());
            read.ok().flatten()
        });
        Tokens(found.max().unwrap_or(0))
    };
    let cached_input = count(&["cacheReadInputTokens", "cacheReadInputTokenCount"]);
    let cache_write = count(&["cacheWriteInputTokens", "cacheWriteInputTokenCount"]);
    let plain = count(&["inputTokens"]).0;
    let output = count(&["outputTokens"]);
    count(&["totalTokens"]);
    let input = plain.saturating_add(cached_input.0).saturating_add(cache_write.0);
    Ok(Usage {
        input: Tokens(input),
        cached_input,
        cache_write,
        output,
        reasoning: Tokens(0),
        counted: Counted::Reported,
        extras: fields.rest(),
    })
}
