//! What became of an attempt, and what that says of its target: one table, read by the board alone.

use std::time::Duration;

use ir::Kind;

use crate::breaker::Judged;
use crate::limit::Felt;

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// How it failed; `None` when it answered.
    pub outcome: Option<Kind>,
    /// The time to the first token, or to the whole answer where it came whole and `first` was not
    /// called.
    pub first: Option<Duration>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether it was given up before its end, by the client or for another attempt; then nothing
    /// is made of its outcome.
    pub cancelled: bool,
}

impl Report {
    /// The report of a failure without more to say.
    pub fn failed(kind: Kind) -> Self {
        Self { outcome: Some(kind), first: None, retry_after: None, cancelled: false }
    }

    /// The report of an answer.
    pub fn answered(first: Option<Duration>) -> Self {
        Self { outcome: None, first, retry_after: None, cancelled: false }
    }

    /// The report of an attempt that was given up.
    pub fn cancelled() -> Self {
        Self { outcome: None, first: None, retry_after: None, cancelled: true }
    }
}

/// What an outcome says to each part of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// To the circuit.
    pub judged: Judged,
    /// To the concurrency limit.
    pub felt: Felt,
    /// To the standings.
    pub stands: Stands,
}

/// What an outcome says of standings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// The provider takes the credential for this model.
    Good,
    /// Nothing.
    Unsaid,
    /// The target cools, as long as the provider said: rates are counted for each model.
    TargetCools(Option<Duration>),
    /// The target is retired: another model of the credential may be allowed.
    TargetRetires(Kind),
    /// The target is retired where it was so the last time too.
    TargetSuspected(Kind),
    /// The credential is retired, and all its targets with it.
    CredentialRetires(Kind),
}

/// It answered.
const WELL: Verdict = Verdict { judged: Judged::Well, felt: Felt::Fine, stands: Stands::Good };
/// It is in trouble.
const ILL: Verdict = Verdict { judged: Judged::Ill, felt: Felt::Neither, stands: Stands::Unsaid };
/// It tells nothing.
const VOID: Verdict = Verdict { judged: Judged::Void, felt: Felt::Neither, stands: Stands::Unsaid };

/// Returns what an attempt says that ended so.
pub fn verdict(report: &Report) -> Verdict {
    if report.cancelled {
        return VOID;
    }
    let Some(kind) = report.outcome else { return WELL };
    match kind {
        // One that says for how long is heeded by everybody.
        Kind::Overloaded if report.retry_after.is_some() => {
            Verdict { stands: Stands::TargetCools(report.retry_after), ..ILL }
        }
        Kind::Overloaded
        | Kind::ProviderError
        | Kind::Unreachable
        | Kind::Timeout
        | Kind::StreamCut
        | Kind::MalformedReply => ILL,
        // The host took the request, ran the model and told what it made of it: the model failed.
        Kind::InvalidOutput | Kind::Refused | Kind::Rejected => WELL,
        // Either may be at fault, the model or a host that answers 200 in its trouble.
        Kind::EmptyAnswer => VOID,
        // The credential and the rate are looked at before any model is: an edge that refuses says
        // nothing of the hosts behind it.
        Kind::RateLimited => {
            Verdict { felt: Felt::Pushed, stands: Stands::TargetCools(report.retry_after), ..VOID }
        }
        Kind::Permission => Verdict { stands: Stands::TargetRetires(kind), ..VOID },
        // Hosts say the same of a file or an answer that one request names.
        Kind::ModelUnavailable => Verdict { stands: Stands::TargetSuspected(kind), ..VOID },
        Kind::Credential | Kind::Credit => {
            Verdict { stands: Stands::CredentialRetires(kind), ..VOID }
        }
        // So is the request, often.
        Kind::InvalidRequest
        | Kind::InvalidJson
        | Kind::BodyTooLarge
        | Kind::ContextLengthExceeded
        | Kind::ContentPolicy
        | Kind::Unsupported => VOID,
        // The request's own clock ran out; the attempt may have begun a moment before.
        Kind::DeadlineExceeded => VOID,
        // These are the gateway's own, and no target's.
        Kind::Unauthenticated
        | Kind::ModelNotFound
        | Kind::ModelAmbiguous
        | Kind::NotFound
        | Kind::MethodNotAllowed
        | Kind::UpgradeRequired
        | Kind::RequestTimeout
        | Kind::CircuitOpen
        | Kind::TargetBusy
        | Kind::AllAttemptsFailed
        | Kind::Pinned
        | Kind::NoTarget
        | Kind::ClientGone
        | Kind::LedgerUnavailable
        | Kind::Outrun
        | Kind::GatewayOverloaded
        | Kind::ShuttingDown
        | Kind::Internal => VOID,
    }
}
