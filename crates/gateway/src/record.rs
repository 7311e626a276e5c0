//! What the ledger and the decision say of a request. The JSON here is an edge format of its own:
//! no type of another crate is serialised.

use health::Spent;
use ir::{Kind, Money, Usage};
use serde::Serialize;
use store::{Id, Outcome, Settlement, Used};

use crate::clock::micros;
use crate::hold::{self, Hold};
use crate::open::Attempt;
use crate::refusals;

/// Returns the id of a request.
pub(crate) fn request_id(id: Id) -> String {
    format!("req_{id}")
}

/// Returns the id of a decision.
pub(crate) fn decision_id(id: Id) -> String {
    format!("dec_{id}")
}

/// The longest caller's word kept: names of models and tasks are short, prompts are not.
const WORD: usize = 100;

/// The most losses kept with an attempt.
const LOSSES: usize = 100;

/// Cuts a caller's word to what may be kept.
pub(crate) fn word(text: &str) -> String {
    if text.len() <= WORD && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return text.to_owned();
    }
    text.chars().filter(|c| !c.is_control()).take(WORD).collect()
}

/// Makes the rows of a request.
pub(crate) fn settlement(hold: &Hold) -> Settlement {
    Settlement {
        id: hold.id,
        decision: decision(hold),
        attempts: hold
            .attempts
            .iter()
            .enumerate()
            .map(|(at, attempt)| row(hold, at, attempt))
            .collect(),
    }
}

fn row(hold: &Hold, at: usize, attempt: &Attempt) -> store::Attempt {
    let failure = attempt.failure.as_ref();
    let target = &attempt.way.target;
    store::Attempt {
        decision: hold.id,
        attempt: u32::try_from(at + 1).unwrap_or(u32::MAX),
        at_ms: attempt.at_ms,
        key: hold.shown.key.clone(),
        task: word(&hold.plan.task),
        asked: word(&hold.shown.asked),
        provider: target.provider.id.clone(),
        model: target.model.id.clone(),
        streamed: hold.shown.stream,
        outcome: attempt.outcome,
        failure: failure.map(|failure| failure.kind.code().to_owned()),
        fault: failure.map(|failure| failure.kind.fault().name().to_owned()),
        status: attempt.status,
        used: attempt.used.as_ref().map(used),
        cost: attempt.cost,
        prices: target.model.price.as_ref().map(|price| price.version.clone()),
        first_byte_us: attempt.first.map(micros),
        total_us: micros(attempt.took),
        answer: attempt.answer.clone(),
    }
}

fn used(usage: &Usage) -> Used {
    Used {
        input: usage.input,
        cached_input: usage.cached_input,
        cache_write: usage.cache_write,
        output: usage.output,
        reasoning: usage.reasoning,
        counted: usage.counted.name().to_owned(),
    }
}

#[derive(Serialize)]
struct Decision<'a> {
    id: String,
    request_id: String,
    at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    asked: String,
    task: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    named_by: Option<&'static str>,
    reason: Reason,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pinned: &'a [String],
    table: &'a str,
    limits: Limits,
    targets: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<Skipped<'a>>,
    /// Targets of the plan that were not asked, since they rest or have enough to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passed_over: Vec<PassedOver>,
    features: Features,
    attempts: Vec<Told<'a>>,
    /// What of the request's budget ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<String>,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Limits {
    timeout_ms: u128,
    total_ms: u128,
    commit: &'static str,
    retries: u32,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    spend_usd: Option<String>,
}

#[derive(Serialize)]
struct PassedOver {
    target: String,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    again_ms: Option<u128>,
}

#[derive(Serialize)]
struct Skipped<'a> {
    model: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Features {
    body_bytes: usize,
    stream: bool,
    tools: bool,
    schema: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    target: String,
    /// Where its provider has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
    at_ms: i64,
    /// How long it was waited before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_ms: Option<u128>,
    /// Whether it was made because another one was slow.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hedge: bool,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_content_ms: Option<u128>,
    total_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<Tokens>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prices: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    losses: Vec<Lost<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Checked<'a>>,
}

/// What the checks of the task said of an answer; no word of it is kept.
#[derive(Serialize)]
struct Checked<'a> {
    passed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    mended: bool,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    check: &'static str,
    passed: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct Lost<'a> {
    path: String,
    why: &'a str,
}

#[derive(Serialize)]
struct Failed<'a> {
    code: &'static str,
    fault: &'static str,
    /// What the gateway itself has to say; a provider's words may quote the prompt and are not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<String>,
}

#[derive(Serialize)]
struct Tokens {
    input: u64,
    cached_input: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
    counted: &'static str,
}

fn decision(hold: &Hold) -> String {
    let plan = &hold.plan;
    let total = total(hold);
    let decision = Decision {
        id: decision_id(hold.id),
        request_id: request_id(hold.id),
        at_ms: hold.at_ms,
        key: hold.shown.key.as_deref(),
        asked: word(&hold.shown.asked),
        task: word(&plan.task),
        named_by: plan.named_by.map(router::NamedBy::name),
        reason: Reason { code: plan.reason.code(), text: plan.reason.to_string() },
        pinned: &plan.pinned,
        table: &plan.table,
        limits: Limits {
            timeout_ms: plan.limits.timeout.as_millis(),
            total_ms: plan.limits.total.as_millis(),
            commit: plan.limits.commit.name(),
            retries: plan.limits.retries,
            attempts: plan.limits.attempts,
            spend_usd: plan.limits.spend.map(|spend| spend.to_string()),
        },
        targets: plan.targets.iter().map(|target| target.name()).collect(),
        skipped: plan
            .skipped
            .iter()
            .map(|skip| Skipped { model: &skip.model, why: &skip.why })
            .collect(),
        passed_over: hold.passed_over.iter().map(passed_over).collect(),
        features: Features {
            body_bytes: hold.shown.body_bytes,
            stream: hold.shown.stream,
            tools: hold.shown.tools,
            schema: hold.shown.schema,
        },
        attempts: hold.attempts.iter().map(told).collect(),
        stopped_by: hold.stopped.map(|spent| match spent {
            Spent::Attempts => "attempts",
            Spent::Time => "time",
            Spent::Money => "spend",
        }),
        answered_by: hold
            .attempts
            .iter()
            .find(|attempt| attempt.outcome == Outcome::Answered)
            .map(|attempt| attempt.way.target.name()),
        cost_usd: total.map(|cost| cost.to_string()),
    };
    serde_json::to_string(&decision).expect("invariant: plain structs serialise")
}

/// Sums what the request cost: unknown when no attempt is known to have used anything, and as soon
/// as one that did is unpriced.
pub(crate) fn total(hold: &Hold) -> Option<Money> {
    let mut used = hold.attempts.iter().filter(|attempt| attempt.used.is_some()).peekable();
    used.peek()?;
    used.map(|attempt| attempt.cost).sum()
}

fn passed_over(passed: &hold::PassedOver) -> PassedOver {
    PassedOver {
        target: passed.way.name(),
        why: refusals::why(passed.refusal.why),
        again_ms: passed.refusal.again.map(|again| again.as_millis()),
    }
}

fn told(attempt: &Attempt) -> Told<'_> {
    let target = &attempt.way.target;
    let several = !target.provider.credentials.is_empty();
    Told {
        target: target.name(),
        credential: several.then_some(attempt.way.reach.credential.as_str()),
        at_ms: attempt.at_ms,
        paused_ms: (!attempt.paused.is_zero()).then_some(attempt.paused.as_millis()),
        hedge: attempt.hedge,
        outcome: attempt.outcome.name(),
        failure: attempt.failure.as_ref().map(|failure| Failed {
            code: failure.kind.code(),
            fault: failure.kind.fault().name(),
            message: (failure.provider_status.is_none() && failure.kind != Kind::MalformedReply)
                .then_some(failure.message.as_str()),
            provider_status: failure.provider_status,
            provider_code: failure.provider_code.as_deref().map(word),
        }),
        first_content_ms: attempt.first.map(|first| first.as_millis()),
        total_ms: attempt.took.as_millis(),
        used: attempt.used.as_ref().map(|usage| Tokens {
            input: usage.input.0,
            cached_input: usage.cached_input.0,
            cache_write: usage.cache_write.0,
            output: usage.output.0,
            reasoning: usage.reasoning.0,
            counted: usage.counted.name(),
        }),
        cost_usd: attempt.cost.map(|cost| cost.to_string()),
        prices: target.model.price.as_ref().map(|price| price.version.as_str()),
        losses: attempt
            .losses
            .iter()
            .take(LOSSES)
            .map(|loss| Lost { path: word(&loss.path), why: &loss.why })
            .collect(),
        check: attempt.verdict.as_ref().map(checked),
    }
}

fn checked(verdict: &check::Verdict) -> Checked<'_> {
    Checked {
        passed: verdict.passed(),
        mended: verdict.repaired.is_some(),
        findings: verdict
            .findings
            .iter()
            .map(|found| Finding { check: found.check, passed: found.passed, why: &found.why })
            .collect(),
    }
}
