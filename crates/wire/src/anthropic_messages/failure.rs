//! Failures: the error inside a success, and a failure to a client's error body.

use ir::{Failure, Kind};

use crate::failures::{self, Attempt, Context};
use crate::fields::Fields;
use crate::json::{self, Object};

/// The words of the dialect, and the statuses they come with.
const WORDS: &[(u16, &str)] = &[
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (408, "timeout_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"),
    (500, "api_error"),
    (504, "timeout_error"),
    (529, "overloaded_error"),
];

/// Finds the error inside an answer, or a frame of one, whose status was 200.
pub(super) fn in_success(family: &str, fields: &Fields<'_, '_>, body: &[u8]) -> Option<Failure> {
    let error = fields.peek("error").filter(|error| error.get() != "null");
    let told = fields.peek("type").is_some_and(|kind| kind.get() == "\"error\"");
    if error.is_none() && !told {
        return None;
    }
    let word = error.and_then(|error| {
        let mut fields = crate::fields::body(error.get().as_bytes()).ok()?;
        fields.take("type", |kind| kind.string()).ok()?
    });
    let known = WORDS.iter().rev().find(|(_, known)| Some(*known) == word.as_deref());
    Some(failures::inside(family, known.map_or(200, |(status, _)| *status), body))
}

/// Writes a failure: the status, and Anthropic's envelope with what this gateway knows beside what
/// Anthropic puts there.
pub fn write(failure: &Failure, context: &Context) -> (u16, Vec<u8>) {
    let mut bytes = Vec::with_capacity(256);
    json::object(&mut bytes, |body| {
        body.field("type", "error");
        body.nest("error", |error| write_error(error, failure, context));
        body.field("request_id", &context.request_id);
    });
    (failure.kind.status(), bytes)
}

fn write_error(error: &mut Object<'_>, failure: &Failure, context: &Context) {
    error.field("type", word(failure.kind));
    error.field("message", &failure.message);
    error.optional("param", failure.param.as_ref());
    error.field("code", failure.kind.code());
    error.field("fault", failure.kind.fault().name());
    error.field("help", failure.kind.help());
    if !context.attempts.is_empty() {
        error.with("attempts", |out| json::list(out, &context.attempts, write_attempt));
    }
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

/// Returns Anthropic's word for a kind. In a stream it is all that a client sees of the status, so
/// a provider without capacity is `overloaded_error` there and here, whatever the status.
fn word(kind: Kind) -> &'static str {
    if kind == Kind::Overloaded {
        return "overloaded_error";
    }
    let status = kind.status();
    let exact = WORDS.iter().find(|(known, _)| *known == status).map(|(_, word)| *word);
    exact.unwrap_or(if status < 500 { "invalid_request_error" } else { "api_error" })
}
