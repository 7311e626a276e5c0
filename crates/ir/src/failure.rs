//! How things fail: one table of kinds, each with the status and code a client gets, whose fault
//! it is, what may happen next and what the reader should do.
//!
//! Codes follow the words users know from OpenAI and OpenRouter. Which provider answer is which
//! kind is decided in `wire::failures`, once; nobody matches on message texts elsewhere.

use std::fmt;
use std::time::Duration;

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's request.
    Client,
    /// The operator's configuration: keys, limits, tables, credit.
    Policy,
    /// The provider.
    Provider,
    /// Pointsman itself.
    Gateway,
}

impl Fault {
    /// Returns the word used in errors, the ledger and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Policy => "policy",
            Self::Provider => "provider",
            Self::Gateway => "gateway",
        }
    }
}

/// What may happen after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it would fail the same everywhere.
    Stop,
    /// The next target of the plan.
    Elsewhere,
    /// The same target again after a pause, or the next one: it may pass.
    Here,
}

macro_rules! failures {
    ($($kind:ident, $status:literal, $code:literal, $fault:ident, $next:ident, $what:literal, $help:literal;)*) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $what] $kind),* }

        impl Kind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Returns the HTTP status a client gets.
            pub fn status(self) -> u16 { match self { $(Self::$kind => $status),* } }
            /// Returns the code a client gets.
            pub fn code(self) -> &'static str { match self { $(Self::$kind => $code),* } }
            /// Returns whose fault it is.
            pub fn fault(self) -> Fault { match self { $(Self::$kind => Fault::$fault),* } }
            /// Returns what may happen next.
            pub fn next(self) -> Next { match self { $(Self::$kind => Next::$next),* } }
            /// Returns what it means, in one sentence.
            pub fn what(self) -> &'static str { match self { $(Self::$kind => $what),* } }
            /// Returns what the reader can do about it, in one sentence.
            pub fn help(self) -> &'static str { match self { $(Self::$kind => $help),* } }
        }
    };
}

failures! {
    InvalidRequest, 400, "invalid_request", Client, Stop,
        "The request is not what the dialect asks for.",
        "Correct the field that the message names.";
    InvalidJson, 400, "invalid_json", Client, Stop,
        "The body is not JSON.",
        "Look at the byte and the path that the message names.";
    BodyTooLarge, 413, "request_too_large", Client, Stop,
        "The body is larger than this gateway takes.",
        "Send less, or raise `limits.body` in pointsman.yaml.";
    Unauthenticated, 401, "invalid_api_key", Client, Stop,
        "No key came with the request, or a key this gateway does not know.",
        "Send one of the gateway's keys where your client puts its API key.";
    ModelNotFound, 404, "model_not_found", Client, Stop,
        "No provider serves a model of that name.",
        "List the models with GET /v1/models, or send `auto`.";
    ModelAmbiguous, 400, "model_ambiguous", Client, Stop,
        "Several providers serve a model of that name.",
        "Name one of them as provider/model.";
    NotFound, 404, "not_found", Client, Stop,
        "Nothing lives at that path.",
        "See the reference for the paths; OpenAI's clients take a base URL that ends in /v1.";
    MethodNotAllowed, 405, "method_not_allowed", Client, Stop,
        "The path does not take that method.",
        "See the reference for the methods of each path.";
    UpgradeRequired, 426, "upgrade_required", Client, Stop,
        "The path does not speak the protocol that the client wants to change to.",
        "Go on over HTTP: POST the same request, and stream with server-sent events.";
    RequestTimeout, 408, "request_timeout", Client, Stop,
        "The request did not arrive in time.",
        "Send the body without long pauses.";
    ContextLengthExceeded, 400, "context_length_exceeded", Client, Elsewhere,
        "The conversation is longer than the model's window.",
        "Send less, or name a model with a larger window.";
    ContentPolicy, 400, "content_policy_violation", Policy, Stop,
        "The provider's filter refused the request or ended the answer.",
        "Change the prompt; the provider's message says which rule it met.";
    Unsupported, 400, "unsupported_parameter", Client, Elsewhere,
        "The model or its provider does not take a field of the request.",
        "Leave the field out, or name another model.";
    Credential, 502, "provider_authentication_failed", Policy, Elsewhere,
        "The provider refused the gateway's credential.",
        "The operator must renew or correct the provider's key.";
    Permission, 502, "provider_permission_denied", Policy, Elsewhere,
        "The provider does not let the gateway's account do this: a right, a region, terms not accepted.",
        "The operator must grant the right, enable the API or accept the terms at the provider.";
    Credit, 402, "insufficient_quota", Policy, Elsewhere,
        "The gateway's account at the provider has no credit or quota left.",
        "The operator must top up the account or raise its quota.";
    ModelUnavailable, 502, "provider_model_unavailable", Policy, Elsewhere,
        "The provider does not serve this model, or not to this account.",
        "The operator must correct the record or the account's access.";
    RateLimited, 429, "rate_limit_exceeded", Provider, Here,
        "The provider refused for rate.",
        "Wait as long as Retry-After says, or add a fallback to the task.";
    Overloaded, 503, "provider_overloaded", Provider, Here,
        "The provider has no capacity at the moment.",
        "Try again later, or add a fallback to the task.";
    ProviderError, 502, "provider_error", Provider, Here,
        "The provider failed.",
        "Try again; the provider's own status and message are in the attempt.";
    Unreachable, 502, "provider_unreachable", Provider, Here,
        "No connection to the provider came about.",
        "Check the provider's base URL and the network with `pointsman doctor`.";
    Timeout, 504, "timeout", Provider, Elsewhere,
        "The provider did not answer in the time the task allows.",
        "Raise the task's timeout, or put a faster model first.";
    DeadlineExceeded, 504, "deadline_exceeded", Policy, Stop,
        "The time that the task allows the whole request ran out.",
        "Raise the task's `total`, or lower its `timeout` so that time is left for a fallback.";
    StreamCut, 502, "stream_interrupted", Provider, Here,
        "The provider's stream broke off before its end.",
        "Try again; what came before the cut is incomplete.";
    MalformedReply, 502, "malformed_reply", Provider, Here,
        "The provider's answer is not what its dialect says.",
        "Check the provider's base URL and dialect; a proxy may stand in between.";
    InvalidOutput, 502, "invalid_model_output", Provider, Here,
        "The provider refused what its own model made: a tool call or JSON that does not fit its schema.",
        "Try again, ask for a simpler schema, or put another model first.";
    EmptyAnswer, 502, "empty_answer", Provider, Here,
        "The provider answered without content.",
        "Try again, or put another model first.";
    Refused, 502, "model_refusal", Provider, Elsewhere,
        "The model would not answer.",
        "Change the prompt, or put another model first.";
    Rejected, 502, "answer_rejected", Provider, Elsewhere,
        "The answer did not pass the checks of its task.",
        "The attempt says which check; loosen it in the routing table, or put another model first.";
    CircuitOpen, 503, "provider_circuit_open", Provider, Elsewhere,
        "The target failed so often that it rests before it is asked again.",
        "Wait as long as Retry-After says; GET /api/health/targets says why and until when.";
    TargetBusy, 503, "provider_busy", Policy, Elsewhere,
        "As many requests are under way at the target as it may have.",
        "Try again later, raise `concurrency` in its record, or add a fallback to the task.";
    AllAttemptsFailed, 502, "all_attempts_failed", Provider, Stop,
        "Every target of the plan failed.",
        "Each attempt and its fault are listed in `error.attempts`.";
    Pinned, 400, "pinned_elsewhere", Client, Stop,
        "The request holds something that only another provider can honour.",
        "Name a model of the provider that the message names, or send the whole conversation without it.";
    NoTarget, 503, "no_target", Policy, Stop,
        "No model of the plan has a configured provider.",
        "Set the API key that the message names, or change the routing table.";
    ClientGone, 499, "client_closed_request", Client, Stop,
        "The client hung up before the answer was complete.",
        "Nothing to do here; what was used is in the ledger.";
    LedgerUnavailable, 503, "ledger_unavailable", Gateway, Stop,
        "The ledger cannot be written, and this gateway does not answer without it.",
        "The operator must look at the database; `/health/ready` says what is wrong.";
    Outrun, 499, "outrun", Gateway, Stop,
        "Another attempt of the same request was quicker, and this one was given up.",
        "Nothing to do here; what was used is in the ledger.";
    GatewayOverloaded, 503, "gateway_overloaded", Gateway, Stop,
        "As many requests are under way as this gateway takes.",
        "Try again later, or raise `limits.requests` or `limits.memory` in pointsman.yaml.";
    ShuttingDown, 503, "gateway_shutting_down", Gateway, Stop,
        "This gateway is going down and gave up what was still under way.",
        "Send the request again; another instance, or this one after its restart, answers it.";
    Internal, 500, "internal_error", Gateway, Elsewhere,
        "Pointsman itself failed.",
        "Report it with the request id; the log has the details.";
}

/// One failure: what, in whose words, and what the provider said about trying again.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Which row of the table.
    pub kind: Kind,
    /// What happened, for the caller; never a secret, never a prompt.
    pub message: String,
    /// The field at fault, as a JSON path, when it is the caller's.
    pub param: Option<String>,
    /// The status the provider answered with.
    pub provider_status: Option<u16>,
    /// The provider's own code or type.
    pub provider_code: Option<String>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// States a failure without a provider's answer behind it.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            param: None,
            provider_status: None,
            provider_code: None,
            retry_after: None,
        }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {} fault)", self.message, self.kind.code(), self.kind.fault().name())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Kind;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        let codes: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| (400..600).contains(&kind.status())));
    }
}
