//! `ledger tail`: the newest rows, and new ones as they come.

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;
use store::{Attempt, Reader, Store};

use crate::args::{Ledger, LedgerCommand};
use crate::config::Config;
use crate::out;

/// How many of the newest rows `--follow` looks at: more than a busy gateway adds between two looks
/// and while its longest request runs.
const RECENT: usize = 10_000;

/// How often `--follow` looks.
const LOOK: Duration = Duration::from_millis(500);

/// Runs the command.
pub(crate) async fn run(config: Option<&Path>, args: &Ledger) -> anyhow::Result<ExitCode> {
    let LedgerCommand::Tail { rows, follow, json } = args.what;
    let config = Config::load(config)?;
    let reader = open(&config)?;
    let show =
        |row: &Attempt| if json { out::line(&as_json(row)) } else { out::line(&as_text(row)) };
    let mut signals = super::serve::Signals::listen()?;
    let newest = reader.newest(rows)?;
    newest.iter().for_each(show);
    if !follow {
        return Ok(ExitCode::SUCCESS);
    }
    // Rows are ordered by when their request began and come when it ends, so a new one may stand
    // among old ones: what was shown is remembered, not where it stood.
    let key = |row: &Attempt| (row.decision, row.attempt);
    let mut shown: HashSet<_> = reader.newest(RECENT)?.iter().map(key).collect();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = signals.stop() => return Ok(ExitCode::SUCCESS),
        }
        let recent = reader.newest(RECENT)?;
        recent.iter().filter(|row| !shown.contains(&key(row))).for_each(show);
        shown = recent.iter().map(key).collect();
    }
}

/// Opens the ledger for reading, or says how one comes about.
pub(crate) fn open(config: &Config) -> anyhow::Result<Reader> {
    let file = &config.database;
    anyhow::ensure!(
        file.is_file(),
        "no ledger at {}: it begins with the first request to `pointsman serve`",
        file.display()
    );
    Store::open_to_read(file).with_context(|| format!("read the ledger {}", file.display()))
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// A row for scripts; names and units are stable.
#[derive(Serialize)]
struct Row<'a> {
    decision: String,
    attempt: u32,
    at: String,
    key: Option<&'a str>,
    task: &'a str,
    asked: &'a str,
    provider: &'a str,
    model: &'a str,
    streamed: bool,
    outcome: &'static str,
    failure: Option<&'a str>,
    fault: Option<&'a str>,
    status: Option<u16>,
    input_tokens: Option<u64>,
    cached_input_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    output_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    counted: Option<&'a str>,
    cost_usd: Option<String>,
    prices: Option<&'a str>,
    first_content_us: Option<i64>,
    total_us: i64,
}

fn as_json(row: &Attempt) -> String {
    let used = row.used.as_ref();
    let row = Row {
        decision: format!("dec_{}", row.decision),
        attempt: row.attempt,
        at: time(row.at_ms),
        key: row.key.as_deref(),
        task: &row.task,
        asked: &row.asked,
        provider: &row.provider,
        model: &row.model,
        streamed: row.streamed,
        outcome: row.outcome.name(),
        failure: row.failure.as_deref(),
        fault: row.fault.as_deref(),
        status: row.status,
        input_tokens: used.map(|used| used.input.0),
        cached_input_tokens: used.map(|used| used.cached_input.0),
        cache_write_tokens: used.map(|used| used.cache_write.0),
        output_tokens: used.map(|used| used.output.0),
        reasoning_tokens: used.map(|used| used.reasoning.0),
        counted: used.map(|used| used.counted.as_str()),
        cost_usd: row.cost.map(|cost| cost.to_string()),
        prices: row.prices.as_deref(),
        first_content_us: row.first_byte_us,
        total_us: row.total_us,
    };
    serde_json::to_string(&row).expect("invariant: plain structs serialise")
}

fn as_text(row: &Attempt) -> String {
    let outcome = match row.failure.as_deref() {
        None => out::good(row.outcome.name()),
        Some(failure) => out::bad(&format!("{} {failure}", row.outcome.name())),
    };
    let used = row.used.as_ref().map_or_else(
        || "tokens unknown".to_owned(),
        |used| {
            let mark = if used.counted == "estimated" { " est." } else { "" };
            format!("{} in {} out{mark}", used.input, used.output)
        },
    );
    let cost = match row.cost {
        Some(cost) => out::dollars(Some(cost)),
        None if row.used.is_some() => out::warn("unpriced"),
        None => "—".to_owned(),
    };
    format!(
        "{}  #{} {:<18} {}/{}  {outcome}  {used}  {cost}  {} ms",
        out::dim(&time(row.at_ms)),
        row.attempt,
        row.task,
        row.provider,
        row.model,
        row.total_us / 1_000
    )
}
