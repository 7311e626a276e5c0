//! A line of the spool: a checksum, a space, and a settlement as JSON. A format of its own: it may
//! be read by another version of the program than wrote it, which sets aside what it does not know.

use ir::{Money, Tokens};
use serde::{Deserialize, Serialize};

use crate::rows::{Attempt, Id, Outcome, Settlement, Used};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    decision: String,
    attempts: Vec<Row>,
}

/// The decision that a row belongs to is the line's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    attempt: u32,
    at_ms: i64,
    key: Option<String>,
    task: String,
    asked: String,
    provider: String,
    model: String,
    streamed: bool,
    outcome: String,
    failure: Option<String>,
    fault: Option<String>,
    status: Option<u16>,
    used: Option<Count>,
    cost_nano: Option<i64>,
    prices: Option<String>,
    first_byte_us: Option<i64>,
    total_us: i64,
    answer: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    input: u64,
    cached_input: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
    counted: String,
}

/// Writes a settlement as a line.
pub(super) fn write(settlement: &Settlement, out: &mut Vec<u8>) {
    let line = Line {
        id: settlement.id.to_string(),
        decision: settlement.decision.clone(),
        attempts: settlement.attempts.iter().map(row).collect(),
    };
    let json = serde_json::to_string(&line).expect("invariant: plain structs serialise");
    let checksum = crc32fast::hash(json.as_bytes());
    out.extend_from_slice(format!("{checksum:08x} {json}\n").as_bytes());
}

/// Reads a line; `None` where it is torn or of another kind.
pub(super) fn read(line: &[u8]) -> Option<Settlement> {
    let (checksum, json) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    if u32::from_str_radix(checksum, 16).ok()? != crc32fast::hash(json.as_bytes()) {
        return None;
    }
    let line: Line = serde_json::from_str(json).ok()?;
    let id = Id::parse(&line.id)?;
    let attempts = line.attempts.into_iter().map(|row| attempt(id, row));
    Some(Settlement { id, decision: line.decision, attempts: attempts.collect::<Option<_>>()? })
}

fn row(attempt: &Attempt) -> Row {
    Row {
        attempt: attempt.attempt,
        at_ms: attempt.at_ms,
        key: attempt.key.clone(),
        task: attempt.task.clone(),
        asked: attempt.asked.clone(),
        provider: attempt.provider.clone(),
        model: attempt.model.clone(),
        streamed: attempt.streamed,
        outcome: attempt.outcome.name().to_owned(),
        failure: attempt.failure.clone(),
        fault: attempt.fault.clone(),
        status: attempt.status,
        used: attempt.used.as_ref().map(|used| Count {
            input: used.input.0,
            cached_input: used.cached_input.0,
            cache_write: used.cache_write.0,
            output: used.output.0,
            reasoning: used.reasoning.0,
            counted: used.counted.clone(),
        }),
        cost_nano: attempt.cost.map(|cost| cost.0),
        prices: attempt.prices.clone(),
        first_byte_us: attempt.first_byte_us,
        total_us: attempt.total_us,
        answer: attempt.answer.clone(),
    }
}

fn attempt(decision: Id, row: Row) -> Option<Attempt> {
    Some(Attempt {
        decision,
        attempt: row.attempt,
        at_ms: row.at_ms,
        key: row.key,
        task: row.task,
        asked: row.asked,
        provider: row.provider,
        model: row.model,
        streamed: row.streamed,
        outcome: Outcome::named(&row.outcome)?,
        failure: row.failure,
        fault: row.fault,
        status: row.status,
        used: row.used.map(|count| Used {
            input: Tokens(count.input),
            cached_input: Tokens(count.cached_input),
            cache_write: Tokens(count.cache_write),
            output: Tokens(count.output),
            reasoning: Tokens(count.reasoning),
            counted: count.counted,
        }),
        cost: row.cost_nano.map(Money),
        prices: row.prices,
        first_byte_us: row.first_byte_us,
        total_us: row.total_us,
        answer: row.answer,
    })
}
