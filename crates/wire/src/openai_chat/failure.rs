//! Failures: a provider's error answer to a kind, and a failure to a client's error body.
//!
//! Status alone lies: a bad key is 400 at xAI and at Gemini, an over-long prompt is 413 at Groq,
//! an empty account is 429 at OpenAI and 402 at DeepSeek, a 200 may hold an error. So the rows of
//! `RULES` look at the code, type and text as well, in order, and the status decides only when no
//! row speaks up.

use std::time::Duration;

use ir::{Failure, Kind};
use serde_json::Value;

use crate::failures::Context;
use crate::fields::Fields;
use crate::json;

/// Words of an error, in lower case, that say what it is; the first row that matches counts.
/// The order is a decision: credentials before models (a bad key may name the model), context
/// before rate (Groq calls an over-long prompt a rate limit), credit before rate (OpenAI answers
/// 429 to an empty account).
const RULES: &[(Kind, &[&str])] = &[
    (
        Kind::ContextLengthExceeded,
        &[
            "context_length_exceeded",
            "maximum context length",
            "prompt is too long",
            "context window",
            "input tokens exceed",
            "too_many_prompt_tokens",
            "too many tokens",
            "exceed_context_size",
            "prompt too long",
            "input is too long",
            "request too large for model",
            "input token count exceeds",
            "input token count (",
        ],
    ),
    (
        Kind::Credential,
        &[
            "invalid_api_key",
            "incorrect api key",
            "invalid api key",
            "api key not valid",
            "authentication_error",
            "no cookie auth",
            "invalid x-api-key",
            "unregistered callers",
            "unauthorized",
            "unauthenticated",
            "user not found",
        ],
    ),
    (
        Kind::Credit,
        &[
            "insufficient_quota",
            "insufficient balance",
            "credit balance is too low",
            "arrearage",
            "used all available credits",
            "insufficient credits",
            "exceeded your current quota, please",
            "requires more credits",
        ],
    ),
    (
        Kind::RateLimited,
        &["rate_limit", "rate limit", "ratelimit", "too many requests", "resource_exhausted"],
    ),
    (Kind::Overloaded, &["overloaded", "high demand", "capacity exceeded", "no capacity"]),
    (
        Kind::ContentPolicy,
        &[
            "content_filter",
            "content management policy",
            "datainspectionfailed",
            "moderation",
            "safety_check",
        ],
    ),
    (
        Kind::ModelUnavailable,
        &[
            "model_not_found",
            "model not found",
            "invalid_model",
            "invalid model",
            "does not exist",
            "deploymentnotfound",
            "not a valid model",
            "model_decommissioned",
            "supported api model names",
            "no endpoints found",
            "not found, try pulling",
            "unknown model",
            "model_not_available",
        ],
    ),
    (
        Kind::Unsupported,
        &["unsupported_parameter", "unsupported_value", "does not support", "not supported"],
    ),
];

/// Reads an error answer.
pub fn read(status: u16, headers: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> Failure {
    let told = Told::read(body);
    Failure { retry_after: retry_after(headers), ..told.failure(status) }
}

/// Finds the error inside an answer whose status was 200: at the top, in the first choice, or as
/// an event of its own.
pub(super) fn in_success(fields: &Fields<'_, '_>, body: &[u8]) -> Option<Failure> {
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
    let told = Told::read(&here);
    // OpenRouter and llama.cpp put the status they would have answered with into the code.
    let status = told.code.as_deref().and_then(|code| code.parse().ok());
    Some(told.failure(status.filter(|status| (400..600).contains(status)).unwrap_or(200)))
}

/// What an error body says, wherever it says it.
#[derive(Debug, Default)]
struct Told {
    message: String,
    code: Option<String>,
    kind: Option<String>,
    param: Option<String>,
}

impl Told {
    /// Reads the envelopes in use: `{"error":{…}}`, `{"error":"…"}`, the fields at the top, a
    /// `detail`, a list with one of these, or a text that is no JSON at all.
    fn read(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self { message: plain(body), ..Self::default() };
        };
        let value = value.get(0).unwrap_or(&value);
        let error = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
        if let Some(message) = error.as_str() {
            return Self {
                message: message.to_owned(),
                code: text(value.get("code")),
                ..Self::default()
            };
        }
        let message = ["message", "detail", "error_message"]
            .into_iter()
            .find_map(|name| text(error.get(name)));
        // OpenRouter wraps the host's own words as a text.
        let raw = error.pointer("/metadata/raw").and_then(Value::as_str);
        let message = message.unwrap_or_default();
        Self {
            message: raw.map_or(message.clone(), |raw| format!("{message}: {raw}")),
            code: text(error.get("code")),
            kind: text(error.get("type")).or_else(|| text(error.get("status"))),
            param: text(error.get("param")),
        }
    }

    fn failure(self, status: u16) -> Failure {
        let words = [self.code.as_deref(), self.kind.as_deref(), Some(&self.message)];
        let words = words.into_iter().flatten().collect::<Vec<_>>().join(" ").to_lowercase();
        let rule = RULES.iter().find(|(_, texts)| texts.iter().any(|text| words.contains(text)));
        let kind = rule.map_or_else(|| by_status(status), |(kind, _)| *kind);
        // Providers quote the credential they refuse, so their words stay here.
        let message = match kind {
            // A 403 may have another reason, which its words tell.
            Kind::Credential if status != 403 || self.message.is_empty() => {
                "the provider refused the gateway's credential".to_owned()
            }
            _ if self.message.is_empty() => {
                format!("the provider answered {status} without a message")
            }
            _ => self.message,
        };
        Failure {
            kind,
            message,
            param: self.param,
            provider_status: Some(status),
            provider_code: self.code.or(self.kind),
            retry_after: None,
        }
    }
}

fn by_status(status: u16) -> Kind {
    match status {
        401 | 403 => Kind::Credential,
        402 => Kind::Credit,
        404 | 410 => Kind::ModelUnavailable,
        408 | 504 | 524 => Kind::Timeout,
        413 => Kind::ContextLengthExceeded,
        429 => Kind::RateLimited,
        503 | 529 => Kind::Overloaded,
        400..=499 => Kind::InvalidRequest,
        _ => Kind::ProviderError,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Shortens a body that is no JSON; a page of HTML says nothing to a caller.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') {
        return "the provider answered with a page of HTML".to_owned();
    }
    text.chars().take(300).collect()
}

/// Reads how long to wait: milliseconds where a host says them, else seconds, fractions included.
fn retry_after(headers: &dyn Fn(&str) -> Option<String>) -> Option<Duration> {
    let number = |name| {
        headers(name)?.trim().parse::<f64>().ok().filter(|n| (0.0..=86_400_000.0).contains(n))
    };
    let millis = number("retry-after-ms").map(|ms| ms / 1_000.0);
    millis.or_else(|| number("retry-after")).map(Duration::from_secs_f64)
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
