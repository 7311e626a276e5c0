//! Failures: the error inside a success, and a failure to a client's error body.

use ir::{Failure, Kind};
use serde_json::Value;

use crate::failures::{self, Context};
use crate::fields::Fields;
use crate::json;

/// Finds the error inside an answer whose status was 200: at the top, in the first choice, or as
/// an event of its own.
pub(super) fn in_success(family: &str, fields: &Fields<'_, '_>, body: &[u8]) -> Option<Failure> {
    let here = fields.peek("error").filter(|error| error.get() != "null");
    let here = here.map(|_| body.to_vec()).or_else(|| {
        let choices = fields.peek("choices")?.get();
        if !choices.contains("\"error\"") {
            return None;
        }
        let choices: Vec<Value> = serde_json::from_str(choices).ok()?;
        let error = choices.first()?.get("error").filter(|error| !error.is_null())?;
        Some(serde_json::json!({ "error": error }).to_string().into_bytes())
    })?;
    Some(failures::inside(family, 200, &here))
}

/// Writes a failure: the status, and OpenAI's envelope with the attempts and the request's id
/// beside what OpenAI puts there.
pub fn write(failure: &Failure, context: &Context) -> (u16, Vec<u8>) {
    let mut bytes = Vec::with_capacity(256);
    json::object(&mut bytes, |body| {
        body.nest("error", |error| {
            error.field("message", &failure.message);
            error.field("type", kind_name(failure.kind));
            error.field("param", &failure.param);
            error.field("code", failure.kind.code());
            error.field("fault", failure.kind.fault().name());
            error.field("help", failure.kind.help());
            if !context.attempts.is_empty() {
                error.with("attempts", |out| json::list(out, &context.attempts, write_attempt));
            }
            error.field("request_id", &context.request_id);
        });
    });
    (failure.kind.status(), bytes)
}

fn write_attempt(out: &mut Vec<u8>, attempt: &crate::failures::Attempt) {
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

/// Returns OpenAI's `type` for a kind, which its clients show beside the code.
fn kind_name(kind: Kind) -> &'static str {
    match kind.status() {
        401 => "authentication_error",
        402 => "insufficient_quota",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}
