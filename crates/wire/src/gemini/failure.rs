//! Failures: the error inside a success, and a failure to a client's error body.

use std::time::Duration;

use ir::{Failure, Finish, Kind};
use serde_json::Value;

use crate::failures::{self, Attempt, Context};
use crate::fields::Fields;
use crate::json::{self, Object};

/// Finds the failure inside an answer whose status was 200: an error, or a prompt that was blocked
/// and so has no candidates.
pub(super) fn in_success(family: &str, fields: &Fields<'_, '_>, body: &[u8]) -> Option<Failure> {
    if fields.peek("error").is_some_and(|error| error.get() != "null") {
        return Some(failures::inside(family, 200, body));
    }
    let answered = fields.peek("candidates");
    if answered.is_some_and(|candidates| !matches!(candidates.get(), "[]" | "null")) {
        return None;
    }
    let feedback: Value = serde_json::from_str(fields.peek("promptFeedback")?.get()).ok()?;
    let reason = match feedback.get("blockReason")? {
        Value::String(reason) => reason.clone(),
        Value::Null => return None,
        reason => reason.to_string(),
    };
    let said = match feedback.get("blockReasonMessage").and_then(Value::as_str) {
        Some(message) => format!("the provider blocked the prompt ({reason}): {message}"),
        None => format!("the provider blocked the prompt ({reason})"),
    };
    let provider_code = Some(reason);
    Some(Failure { provider_code, ..Failure::new(Kind::ContentPolicy, said) })
}

/// Words for a call that the model got wrong, or made where it must not.
const BROKEN: [&str; 4] = [
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
];

/// Finds the failure in why the candidates of an answer without any content ended: the model's call
/// was thrown away, and nothing is left.
pub(super) fn without_content(ended: impl Iterator<Item = Option<Finish>>) -> Option<Failure> {
    let broken = |finish| match finish {
        Some(Finish::Other(word)) if BROKEN.contains(&word.as_str()) => Some(word),
        _ => None,
    };
    let word = ended.into_iter().find_map(broken)?;
    let said = format!("the provider threw away what its model called ({word}); nothing is left");
    Some(Failure { provider_code: Some(word), ..Failure::new(Kind::InvalidOutput, said) })
}

/// Writes a failure: the status, and Google's envelope. What Google has no field for stands in the
/// metadata of an `ErrorInfo`, where every client of Google's looks for such things.
pub fn write(failure: &Failure, context: &Context) -> (u16, Vec<u8>) {
    let status = failure.kind.status();
    let mut bytes = Vec::with_capacity(512);
    json::object(&mut bytes, |body| {
        body.nest("error", |error| {
            error.field("code", &status);
            error.field("message", &failure.message);
            error.field("status", status_name(status));
            error.with("details", |out| {
                json::list(out, details(failure), |out, detail| {
                    json::object(out, |written| write_detail(written, detail, failure, context));
                });
            });
        });
    });
    (status, bytes)
}

/// A detail of an error, as Google's APIs give them.
#[derive(Clone, Copy)]
enum Detail<'f> {
    /// What it is, in words for programs.
    Info,
    /// The field at fault.
    Field(&'f str),
    /// How long to wait.
    Retry(Duration),
}

fn details(failure: &Failure) -> Vec<Detail<'_>> {
    let field = failure.param.as_deref().map(Detail::Field);
    let retry = failure.retry_after.map(Detail::Retry);
    [Some(Detail::Info), field, retry].into_iter().flatten().collect()
}

fn write_detail(
    written: &mut Object<'_>,
    detail: Detail<'_>,
    failure: &Failure,
    context: &Context,
) {
    match detail {
        Detail::Info => {
            written.field("@type", "type.googleapis.com/google.rpc.ErrorInfo");
            written.field("reason", &failure.kind.code().to_ascii_uppercase());
            written.field("domain", "pointsman");
            written.nest("metadata", |info| write_info(info, failure, context));
        }
        Detail::Field(field) => {
            written.field("@type", "type.googleapis.com/google.rpc.BadRequest");
            written.with("fieldViolations", |out| {
                json::list(out, [field], |out, field| {
                    json::object(out, |violation| {
                        violation.field("field", field);
                        violation.field("description", &failure.message);
                    });
                });
            });
        }
        Detail::Retry(wait) => {
            written.field("@type", "type.googleapis.com/google.rpc.RetryInfo");
            written.field("retryDelay", &format!("{}s", wait.as_secs_f64()));
        }
    }
}

fn write_info(info: &mut Object<'_>, failure: &Failure, context: &Context) {
    info.field("code", failure.kind.code());
    info.field("fault", failure.kind.fault().name());
    info.field("help", failure.kind.help());
    if !context.attempts.is_empty() {
        info.with("attempts", |out| json::list(out, &context.attempts, write_attempt));
    }
    info.field("request_id", &context.request_id);
}

fn write_attempt(out: &mut Vec<u8>, attempt: &Attempt) {
    let failure = &attempt.failure;
    json::object(out, |written| {
        written.field("target", &attempt.target);
        written.field("code", failure.kind.code());
        written.field("fault", failure.kind.fault().name());
        written.field("message", &failure.message);
        written.optional("provider_status", failure.provider_status.as_ref());
        written.optional("provider_code", failure.provider_code.as_ref());
        written.field("ms", &u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX));
    });
}

/// Returns the word that Google's APIs pair with a status.
fn status_name(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        405 => "UNIMPLEMENTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        499 => "CANCELLED",
        400..=498 => "INVALID_ARGUMENT",
        500 => "INTERNAL",
        _ => "UNAVAILABLE",
    }
}
