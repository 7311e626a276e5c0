//! Judging one recorded exchange by every law that applies to it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use ir::dialect::Form;
use ir::{Dialect, Event, Fold, Kind, Quirks, Response};
use serde_json::Value;

use super::{across, dialect, events, grammatical, inbound, mangle, oracles, origin, spellings};
use testkit::Case;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Law {
    /// The request survives at home, and survives being written (laws 1 and 2).
    RequestAtHome,
    /// The request says the same in every other dialect, but for declared losses (law 3).
    RequestAbroad,
    /// The answer survives at home, and says what an independent reading says (laws 1, 2, 4).
    AnswerAtHome,
    /// The answer says the same in every client dialect, whole and streamed.
    AnswerAbroad,
    /// Any split of the bytes gives the same events (law 5).
    Chunking,
    /// No mangled body makes a reader panic, and no mangled stream is ungrammatical (law 6).
    Mangled,
    /// An error answer is read as a failure with a kind.
    Error,
}

impl Law {
    /// Every law, in the order of reports.
    pub(crate) const ALL: [Self; 7] = [
        Self::RequestAtHome,
        Self::RequestAbroad,
        Self::AnswerAtHome,
        Self::AnswerAbroad,
        Self::Chunking,
        Self::Mangled,
        Self::Error,
    ];

    /// Returns the words of reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RequestAtHome => "request at home",
            Self::RequestAbroad => "request abroad",
            Self::AnswerAtHome => "answer at home",
            Self::AnswerAbroad => "answer abroad",
            Self::Chunking => "chunking",
            Self::Mangled => "mangled",
            Self::Error => "error",
        }
    }
}

/// What a law says of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds.
    Passed,
    /// It does not, and how.
    Failed(String),
    /// It could not be judged, and why.
    Excluded(String),
}

/// A law and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    /// The law.
    pub(crate) law: Law,
    /// What it says.
    pub(crate) verdict: Verdict,
}

/// Judges an exchange; `None` where it is in no dialect of ours.
pub(crate) fn judge(case: &Case) -> Option<Vec<Ruling>> {
    let dialect = dialect(case)?;
    let laws = Law::ALL.into_iter().filter_map(|law| {
        let judged = catch_unwind(AssertUnwindSafe(|| rule(law, dialect, case)));
        let verdict = judged.unwrap_or_else(|_| Some(Verdict::Failed("panicked".to_owned())))?;
        Some(Ruling { law, verdict })
    });
    Some(laws.collect())
}

fn rule(law: Law, dialect: Dialect, case: &Case) -> Option<Verdict> {
    let Ok(body) = case.body_bytes() else {
        return Some(Verdict::Excluded("its body is not what its encoding says".to_owned()));
    };
    let answered = (200..300).contains(&case.status);
    match law {
        Law::RequestAtHome => request_at_home(dialect, case),
        Law::RequestAbroad => request_abroad(dialect, case),
        Law::AnswerAtHome if answered => Some(answer_at_home(dialect, case, &body)),
        Law::AnswerAbroad if answered => answer_abroad(dialect, case, &body),
        Law::Chunking if answered && case.is_stream => Some(chunking(dialect, &body)),
        Law::Mangled => Some(mangle::judge(dialect, case, &body)),
        Law::Error if !answered => Some(error(dialect, case, &body)),
        _ => None,
    }
}

/// The request of a case, where the dialect has one that is read and the recording has it.
fn request(dialect: Dialect, case: &Case) -> Option<Result<&str, Verdict>> {
    inbound(dialect)?;
    Some(
        case.request_body
            .as_deref()
            .filter(|body| !body.trim().is_empty())
            .ok_or_else(|| Verdict::Excluded("the recording has no request".to_owned())),
    )
}

fn request_at_home(dialect: Dialect, case: &Case) -> Option<Verdict> {
    let inbound = inbound(dialect)?;
    let body = match request(dialect, case)? {
        Ok(body) => body,
        Err(excluded) => return Some(excluded),
    };
    let Ok(before) = serde_json::from_str::<Value>(body) else {
        return Some(Verdict::Excluded("the request is no JSON".to_owned()));
    };
    let read = match wire::read_request(inbound, body.as_bytes()) {
        Ok(read) => read,
        // What the provider refused as well may be refused here.
        Err(error) if case.status >= 400 => {
            return Some(Verdict::Excluded(format!("refused there and here: {error}")));
        }
        Err(error) => return Some(Verdict::Failed(error.to_string())),
    };
    let written = wire::write_request(dialect, &read, quirks(&before));
    let after: Value = match serde_json::from_slice(&written.bytes) {
        Ok(after) => after,
        Err(error) => return Some(Verdict::Failed(format!("written as no JSON: {error}"))),
    };
    let (before, after) = (spellings::request(dialect, before), spellings::request(dialect, after));
    Some(if !written.losses.is_empty() {
        Verdict::Failed(format!("losses at home: {:?}", written.losses))
    } else if before != after {
        Verdict::Failed(difference(&before, &after))
    } else if wire::read_request(inbound, &written.bytes).as_ref() != Ok(&read) {
        Verdict::Failed("reads otherwise when it was written (law 2)".to_owned())
    } else {
        Verdict::Passed
    })
}

/// Anthropic's messages at Vertex leave the model to the path.
fn quirks(body: &Value) -> Quirks {
    let vertex = body.get("anthropic_version").is_some();
    Quirks { form: if vertex { Form::Vertex } else { Form::Plain }, ..Quirks::default() }
}

fn request_abroad(dialect: Dialect, case: &Case) -> Option<Verdict> {
    let body = match request(dialect, case)? {
        Ok(body) => body,
        Err(excluded) => return Some(excluded),
    };
    let Ok(mut read) = wire::read_request(inbound(dialect)?, body.as_bytes()) else {
        return Some(Verdict::Excluded("the request is refused at home".to_owned()));
    };
    if read.model.is_empty() {
        // It stands in the path, and whoever sends the request names it anew anyway.
        read.model = "a-model".to_owned();
    }
    Some(told(across::request(&read)))
}

fn answer_at_home(dialect: Dialect, case: &Case, body: &Bytes) -> Verdict {
    let origin = origin(dialect, &case.provider);
    let read = if case.is_stream {
        let events = events(dialect, &case.provider, std::slice::from_ref(body));
        if let Err(broken) = grammatical(&events) {
            return Verdict::Failed(broken);
        }
        fold(dialect, &events)
    } else {
        wire::read_response(&origin, body)
    };
    let read = match read {
        Ok(read) => read,
        Err(failure) => return failed(dialect, case, &failure),
    };
    // The independent readings are written for what was met so far, and give up on anything else.
    let agrees = catch_unwind(AssertUnwindSafe(|| oracles::agrees(dialect, case, body, &read)));
    match agrees {
        Ok(Ok(())) => {}
        Ok(Err(why)) => return Verdict::Failed(why),
        Err(_) => {
            let why = "the independent reading does not understand it";
            return Verdict::Excluded(why.to_owned());
        }
    }
    if case.is_stream { Verdict::Passed } else { written_again(dialect, body, &read) }
}

/// A whole answer, written for a client of its own dialect, is what came (laws 1 and 2).
fn written_again(dialect: Dialect, body: &Bytes, read: &Response) -> Verdict {
    let Some(inbound) = inbound(dialect) else { return Verdict::Passed };
    let bytes = wire::write_response(inbound, read);
    let (before, after): (Value, Value) =
        match (serde_json::from_slice(body), serde_json::from_slice(&bytes)) {
            (Ok(before), Ok(after)) => (before, after),
            _ => return Verdict::Failed("written as no JSON".to_owned()),
        };
    let (before, after) =
        (spellings::response(dialect, before), spellings::response(dialect, after));
    let again = wire::read_response(&origin(dialect, ""), &bytes);
    if before != after {
        Verdict::Failed(difference(&before, &after))
    } else if again.as_ref() != Ok(read) {
        Verdict::Failed("reads otherwise when it was written (law 2)".to_owned())
    } else {
        Verdict::Passed
    }
}

fn answer_abroad(dialect: Dialect, case: &Case, body: &Bytes) -> Option<Verdict> {
    if case.is_stream {
        let events = events(dialect, &case.provider, std::slice::from_ref(body));
        fold(dialect, &events).ok()?;
        return Some(told(across::stream(dialect, &events)));
    }
    let read = wire::read_response(&origin(dialect, &case.provider), body).ok()?;
    // Without a candidate it is no answer, which whoever passes answers on finds out first.
    if read.candidates.is_empty() {
        return None;
    }
    Some(told(across::answer(&read)))
}

fn chunking(dialect: Dialect, body: &Bytes) -> Verdict {
    let whole = events(dialect, "", std::slice::from_ref(body));
    for seed in [0, 1, 0x9e37_79b9_7f4a_7c15] {
        if events(dialect, "", &testkit::chunks::splits(body, seed)) != whole {
            return Verdict::Failed(format!("other events when split with seed {seed}"));
        }
    }
    Verdict::Passed
}

fn error(dialect: Dialect, case: &Case, body: &Bytes) -> Verdict {
    let header = |name: &str| case.header(name).map(str::to_owned);
    let origin = origin(dialect, &case.provider);
    let failure = wire::read_failure(&origin, case.status, &header, body);
    if failure.message.is_empty() {
        return Verdict::Failed("a failure without a message".to_owned());
    }
    Verdict::Passed
}

/// An answer that is read as a failure is one where the recording says so too: an error, a blocked
/// prompt, a stream that breaks off, or no answer of the dialect at all.
fn failed(dialect: Dialect, case: &Case, failure: &ir::Failure) -> Verdict {
    let says = |words: &[&str]| words.iter().any(|word| case.response_body.contains(word));
    let blocked = failure.kind == Kind::ContentPolicy && says(&["blockReason", "content_filter"]);
    let told = failure.provider_status.is_some() && says(&["\"error\""]);
    // An answer without content, whose call the host threw away, is none.
    let thrown = ["_FUNCTION_CALL", "_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"];
    let thrown = failure.kind == Kind::InvalidOutput && says(&thrown);
    if case.is_error || blocked || told || thrown {
        return Verdict::Passed;
    }
    let (ends, answers): (&[&str], &[&str]) = match dialect {
        Dialect::OpenaiChat => {
            (&["\"finish_reason\": \"", "\"finish_reason\":\"", "[DONE]"], &["\"choices\""])
        }
        Dialect::OpenaiResponses => (
            &["response.completed", "response.incomplete"],
            &["\"response.created\"", "\"output\""],
        ),
        Dialect::AnthropicMessages => {
            (&["message_stop", "message_delta"], &["\"content\"", "message_start"])
        }
        Dialect::Gemini => (&["finishReason"], &["\"candidates\""]),
        Dialect::BedrockConverse => (&["messageStop"], &["\"output\"", "messageStart"]),
        Dialect::CohereV2 => (&["message-end"], &["\"message\"", "message-start"]),
        Dialect::Ollama => (&["\"done\":true", "\"done\": true"], &["\"message\""]),
    };
    // Some recorders file what an OpenAI-compatible path of the host answered under its own.
    let chat = dialect == Dialect::Ollama && says(&["\"choices\""]);
    if case.response_body_encoding == "utf-8" && (chat || !says(answers)) {
        return Verdict::Excluded("the body is no answer of its dialect".to_owned());
    }
    if failure.kind == Kind::StreamCut && !says(ends) {
        return Verdict::Excluded("the recorded stream breaks off".to_owned());
    }
    Verdict::Failed(failure.to_string())
}

fn told(judged: Result<(), String>) -> Verdict {
    judged.map_or_else(Verdict::Failed, |()| Verdict::Passed)
}

fn fold(dialect: Dialect, events: &[Event]) -> Result<Response, ir::Failure> {
    let mut fold = Fold::new(dialect);
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish()
}

/// Names the first place at which two values differ.
fn difference(before: &Value, after: &Value) -> String {
    fn walk(path: &mut String, before: &Value, after: &Value) -> Option<String> {
        match (before, after) {
            (Value::Object(a), Value::Object(b)) => {
                for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                    let (left, right) = (a.get(key), b.get(key));
                    let length = path.len();
                    path.push_str(&format!(".{key}"));
                    let null = Value::Null;
                    let found = match (left, right) {
                        (Some(left), Some(right)) => walk(path, left, right),
                        _ => Some(told(path, left.unwrap_or(&null), right.unwrap_or(&null))),
                    };
                    if found.is_some() {
                        return found;
                    }
                    path.truncate(length);
                }
                None
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                a.iter().zip(b).enumerate().find_map(|(at, (left, right))| {
                    let length = path.len();
                    path.push_str(&format!("[{at}]"));
                    let found = walk(path, left, right);
                    path.truncate(length);
                    found
                })
            }
            (left, right) if left == right => None,
            (left, right) => Some(told(path, left, right)),
        }
    }
    fn told(path: &str, before: &Value, after: &Value) -> String {
        let short = |value: &Value| value.to_string().chars().take(200).collect::<String>();
        format!("{path}: was {}, is {}", short(before), short(after))
    }
    walk(&mut String::new(), before, after).unwrap_or_default()
}
