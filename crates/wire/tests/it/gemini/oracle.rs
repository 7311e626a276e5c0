//! A second reading of streams and citations, written without the codecs: piece by piece over parsed
//! JSON. What it says an answer was is what folding the events must say.

use ir::{AssistantPart, Finish, Kind, Response};
use serde_json::Value;

/// What an answer said, with the parts of one kind joined.
#[derive(Debug, Default, PartialEq, Clone)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) thoughts: String,
    /// Name and arguments of each call, and its signature.
    pub(crate) calls: Vec<(String, Value, Option<String>)>,
    /// The signatures on texts and thoughts, each with the text it stands on.
    pub(crate) signed: Vec<(String, String)>,
    /// The bytes of pictures.
    pub(crate) pictures: Vec<String>,
    /// Parts of the dialect's own.
    pub(crate) others: Vec<Value>,
    pub(crate) finish: Option<String>,
    pub(crate) citations: Vec<Option<String>>,
}

/// What a stream was.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) said: Vec<Said>,
    /// Input, cached, output, reasoning.
    pub(crate) usage: Option<[u64; 4]>,
    error: bool,
    blocked: bool,
}

/// Words for a call that the host threw away: with them alone an answer says nothing, and is none.
const BROKEN: [&str; 4] = [
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
];

/// Returns whether a whole answer is none: the host threw a call away, and nothing is left.
pub(crate) fn broken(body: &Value) -> bool {
    let candidates = body["candidates"].as_array().into_iter().flatten();
    let mut said = Vec::new();
    for candidate in candidates {
        let mut one = Said::default();
        add(&mut one, &mut Vec::new(), candidate);
        said.push(one);
    }
    thrown_away(&said)
}

fn thrown_away(said: &[Said]) -> bool {
    let ended = |said: &Said| said.finish.as_deref().is_some_and(|word| BROKEN.contains(&word));
    let nothing = |said: &Said| *said == Said { finish: said.finish.clone(), ..Said::default() };
    said.iter().all(nothing) && said.iter().any(ended)
}

impl Stream {
    /// Returns whether the stream must fail.
    pub(crate) fn fails(&self) -> bool {
        let none = thrown_away(&self.said);
        self.error || self.blocked || none || !self.said.iter().any(|said| said.finish.is_some())
    }

    /// Returns whether a failure is the one that the stream was.
    pub(crate) fn is(&self, kind: Kind) -> bool {
        match kind {
            Kind::ContentPolicy => self.blocked,
            Kind::StreamCut => !self.error && !self.blocked,
            Kind::InvalidOutput => thrown_away(&self.said),
            _ => self.error,
        }
    }
}

/// Reads a recorded stream in either framing.
pub(crate) fn stream(body: &str) -> Stream {
    let pieces: Vec<Value> = if body.trim_start().starts_with('[') {
        serde_json::from_str(body).unwrap()
    } else {
        // An error may stand there as it is, without the framing.
        let plain = body.replace("\r\n", "\n");
        let bare = plain.split("\n\n").filter(|event| event.starts_with('{')).map(str::to_owned);
        let data = crate::oracle::data(body).into_iter().chain(bare);
        data.map(|data| serde_json::from_str(&data).unwrap()).collect()
    };
    let (mut stream, mut seen) = (Stream::default(), Vec::new());
    for piece in &pieces {
        stream.error |= piece.get("error").is_some();
        let candidates = piece["candidates"].as_array().map_or(&[][..], Vec::as_slice);
        stream.blocked |=
            candidates.is_empty() && piece["promptFeedback"]["blockReason"].is_string();
        for candidate in candidates {
            let index = usize::try_from(candidate["index"].as_u64().unwrap_or(0)).unwrap();
            stream.said.resize_with(stream.said.len().max(index + 1), Said::default);
            seen.resize_with(stream.said.len(), Vec::new);
            add(&mut stream.said[index], &mut seen[index], candidate);
        }
        let usage = &piece["usageMetadata"];
        let count = |name: &str| usage[name].as_u64().unwrap_or(0);
        let some = usage.as_object().is_some_and(|usage| {
            stream.usage.is_none() || usage.keys().any(|name| name.ends_with("TokenCount"))
        });
        if some {
            stream.usage = Some([
                count("promptTokenCount") + count("toolUsePromptTokenCount"),
                count("cachedContentTokenCount"),
                count("candidatesTokenCount") + count("thoughtsTokenCount"),
                count("thoughtsTokenCount"),
            ]);
        }
    }
    stream
}

fn add(said: &mut Said, seen: &mut Vec<Value>, candidate: &Value) {
    for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
        let signature = part["thoughtSignature"].as_str().map(str::to_owned);
        if let Some(text) = part["text"].as_str() {
            let all = if part["thought"] == true { &mut said.thoughts } else { &mut said.text };
            all.push_str(text);
            said.signed.extend(signature.map(|signature| (text.to_owned(), signature)));
        } else if let Some(name) = part["functionCall"]["name"].as_str() {
            let args = part["functionCall"].get("args").cloned();
            said.calls.push((name.to_owned(), args.unwrap_or(Value::Null), signature));
        } else if let Some(data) = part["inlineData"]["data"].as_str() {
            said.pictures.push(data.to_owned());
        } else {
            said.others.push(part.clone());
        }
    }
    match &candidate["finishReason"] {
        Value::Null => {}
        Value::String(reason) => said.finish = Some(reason.clone()),
        reason => said.finish = Some(reason.to_string()),
    }
    // A stream repeats what it cited before.
    for (cited, url) in citations(candidate) {
        if !seen.contains(&cited) {
            seen.push(cited);
            said.citations.push(url);
        }
    }
}

/// Returns all that a candidate cites, in order: what identifies a citation, and its address.
fn citations(candidate: &Value) -> Vec<(Value, Option<String>)> {
    let mut all = Vec::new();
    let grounding = &candidate["groundingMetadata"];
    for support in grounding["groundingSupports"].as_array().into_iter().flatten() {
        for index in support["groundingChunkIndices"].as_array().into_iter().flatten() {
            let index = usize::try_from(index.as_u64().unwrap()).unwrap();
            let Some(chunk) = grounding["groundingChunks"].get(index) else { continue };
            let (_, place) = chunk.as_object().unwrap().iter().next().unwrap();
            let url = place["uri"].as_str().map(str::to_owned);
            all.push((serde_json::json!([chunk, support["segment"]]), url));
        }
    }
    for name in ["citationSources", "citations"] {
        for source in candidate["citationMetadata"][name].as_array().into_iter().flatten() {
            all.push((source.clone(), source["uri"].as_str().map(str::to_owned)));
        }
    }
    all
}

/// Returns what the candidates of a whole answer cite, where they say a text at all.
pub(crate) fn whole_citations(body: &Value) -> Vec<Vec<Option<String>>> {
    let candidates = body["candidates"].as_array().into_iter().flatten();
    let cited = |candidate: &Value| {
        let mut parts = candidate["content"]["parts"].as_array().into_iter().flatten();
        let speaks = parts.any(|part| part["text"].is_string() && part["thought"] != true);
        let all = if speaks { citations(candidate) } else { Vec::new() };
        all.into_iter().map(|(_, url)| url).collect()
    };
    candidates.map(cited).map(sorted).collect()
}

/// Returns what the candidates of a canonical answer cite.
pub(crate) fn cited(response: &Response) -> Vec<Vec<Option<String>>> {
    let urls = |part: &AssistantPart| match part {
        AssistantPart::Text(said) => said.citations.iter().map(|one| one.url.clone()).collect(),
        _ => Vec::new(),
    };
    let of = |candidate: &ir::Candidate| candidate.turn.parts.iter().flat_map(urls).collect();
    response.candidates.iter().map(of).map(sorted).collect()
}

fn sorted(mut urls: Vec<Option<String>>) -> Vec<Option<String>> {
    urls.sort();
    urls
}

/// Says what a folded answer said.
pub(crate) fn folded(response: &Response) -> Vec<Said> {
    let candidate = |candidate: &ir::Candidate| {
        let mut said = Said::default();
        for part in &candidate.turn.parts {
            let text = |carrier: &Option<ir::Opaque>| {
                carrier.as_ref().map(|carrier| carrier.raw.value().as_str().unwrap().to_owned())
            };
            match part {
                AssistantPart::Text(part) => {
                    said.text += &part.text;
                    let signature = text(&part.carrier);
                    said.signed.extend(signature.map(|signed| (part.text.clone(), signed)));
                    said.citations.extend(part.citations.iter().map(|one| one.url.clone()));
                }
                AssistantPart::Reasoning(part) => {
                    said.thoughts += &part.text;
                    let signature = text(&part.carrier);
                    said.signed.extend(signature.map(|signed| (part.text.clone(), signed)));
                }
                AssistantPart::ToolCall(call) => {
                    let args = serde_json::from_str(&call.arguments.0).unwrap_or(Value::Null);
                    said.calls.push((call.name.clone(), args, text(&call.carrier)));
                }
                AssistantPart::Image(image) => {
                    if let ir::Source::Inline { base64, .. } = &image.source {
                        said.pictures.push(base64.clone());
                    }
                }
                AssistantPart::Refusal(_) => {}
                AssistantPart::Other(opaque) => said.others.push(opaque.raw.value()),
            }
        }
        said.finish = candidate.extras.get("finishReason").map(|raw| match raw.value() {
            Value::String(word) => word,
            other => other.to_string(),
        });
        let word = |finish: &Finish| match finish {
            Finish::Stop | Finish::ToolCalls => "STOP".to_owned(),
            Finish::Length => "MAX_TOKENS".to_owned(),
            Finish::ContentFilter => "SAFETY".to_owned(),
            other => match other {
                Finish::Other(word) => word.clone(),
                _ => panic!("Gemini has no {other:?}"),
            },
        };
        said.finish = said.finish.or_else(|| candidate.finish.as_ref().map(word));
        said
    };
    response.candidates.iter().map(candidate).collect()
}
