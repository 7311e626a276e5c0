//! `usage`: what was used and what it cost, by task, model, day or key, against a named baseline.
//!
//! The baseline's number is what the answered requests would have cost there at the same token
//! counts. Another model's tokenizer would count a little differently and its answers would be of
//! another length, so the difference is an estimate, and it is said to be one. Attempts nobody can
//! price make the sums they belong to unknown, not smaller.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use catalog::{Catalog, Model};
use ir::{Money, Tokens, Usage as Used};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Attempt, Outcome, Period};

use crate::args::{Dimension, Usage};
use crate::config::Config;
use crate::{out, world};

/// Prints the sums.
pub(crate) fn run(config: Option<&Path>, args: &Usage) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let (catalog, table, _) = world::read(&config)?;
    let zone = zone(args.tz.as_deref())?;
    let period = period(&args.since, &zone)?;
    let chosen = args.baseline.clone().or_else(|| config.baseline.clone());
    let name = chosen.unwrap_or_else(|| table.default_model.clone());
    let baseline = baseline(&catalog, &name)?;
    let mut sums: BTreeMap<Vec<String>, Sum> = BTreeMap::new();
    let mut total = Sum::default();
    let reader = super::ledger::open(&config)?;
    reader.attempts(period, |row| {
        let group = args.by.iter().map(|by| dimension(&row, *by, &zone)).collect();
        sums.entry(group).or_default().add(&row, &baseline);
        total.add(&row, &baseline);
    })?;
    let report = Report::new(args, &name, period, &zone, &sums, &total);
    if args.json {
        out::json(&report)?
    } else {
        print(&report)
    }
    Ok(ExitCode::SUCCESS)
}

fn zone(name: Option<&str>) -> anyhow::Result<TimeZone> {
    match name {
        None => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name).with_context(|| format!("`{name}` is not a time zone")),
    }
}

/// Reads `7d` or `2026-11-01`; the period ends now.
fn period(since: &str, zone: &TimeZone) -> anyhow::Result<Period> {
    let now = Timestamp::now();
    let from = if let Ok(day) = since.parse::<jiff::civil::Date>() {
        day.to_zoned_datetime(zone.clone())?.timestamp()
    } else {
        let units = [("h", 1), ("d", 24), ("w", 7 * 24)];
        let found =
            units.iter().find_map(|(unit, hours)| Some((since.strip_suffix(unit)?, *hours)));
        let (count, hours) = found.unwrap_or_default();
        let count: i64 = count.parse().unwrap_or(0);
        anyhow::ensure!(
            hours > 0 && (1..=100_000).contains(&count),
            "`{since}` is no length of time: write 24h, 7d, 4w or a day such as 2026-11-01"
        );
        now.checked_sub(SignedDuration::from_hours(count * hours))?
    };
    // Ids of this very millisecond belong to it.
    Ok(Period { from_ms: from.as_millisecond(), until_ms: now.as_millisecond() + 1 })
}

fn baseline(catalog: &Catalog, name: &str) -> anyhow::Result<std::sync::Arc<Model>> {
    catalog.find(name, &|_| true).map(|found| found.model).map_err(|missing| {
        let help = missing.help().map(|help| format!("; {help}")).unwrap_or_default();
        anyhow::anyhow!("the baseline: {}{help}", missing.what(name))
    })
}

fn dimension(row: &Attempt, by: Dimension, zone: &TimeZone) -> String {
    match by {
        Dimension::Task => row.task.clone(),
        Dimension::Model => format!("{}/{}", row.provider, row.model),
        Dimension::Key => row.key.clone().unwrap_or_else(|| "none".to_owned()),
        Dimension::Day => Timestamp::from_millisecond(row.at_ms)
            .map(|at| at.to_zoned_datetime(zone.clone()).date().to_string())
            .unwrap_or_default(),
    }
}

/// The sums of one group.
#[derive(Debug, Default, Clone)]
struct Sum {
    requests: u64,
    attempts: u64,
    unanswered: u64,
    input: Tokens,
    output: Tokens,
    estimated: u64,
    unpriced: u64,
    cost: Option<Money>,
    baseline: Option<Money>,
    unknown_baseline: bool,
}

impl Sum {
    fn add(&mut self, row: &Attempt, baseline: &Model) {
        self.attempts += 1;
        self.requests += u64::from(row.attempt == 1);
        self.unanswered += u64::from(row.outcome != Outcome::Answered);
        let Some(used) = &row.used else { return };
        self.input += used.input;
        self.output += used.output;
        self.estimated += u64::from(used.counted == "estimated");
        match row.cost {
            Some(cost) => self.cost = Some(self.cost.unwrap_or(Money::ZERO) + cost),
            None => self.unpriced += 1,
        }
        if row.outcome == Outcome::Answered {
            let same = Used {
                input: used.input,
                // What was cached at one provider would have been cached at another as well.
                cached_input: used.cached_input,
                cache_write: used.cache_write,
                output: used.output,
                reasoning: used.reasoning,
                ..Used::default()
            };
            match &baseline.price {
                Some(price) => {
                    let so_far = self.baseline.unwrap_or(Money::ZERO);
                    self.baseline = Some(so_far + price.cost(&same, row.at_ms));
                }
                None => self.unknown_baseline = true,
            }
        }
    }

    fn cost(&self) -> Option<Money> {
        self.cost.filter(|_| self.unpriced == 0)
    }

    fn baseline(&self) -> Option<Money> {
        self.baseline.filter(|_| !self.unknown_baseline)
    }

    fn saved(&self) -> Option<Money> {
        Some(self.baseline()? - self.cost()?)
    }
}

#[derive(Serialize)]
struct Report {
    by: Vec<&'static str>,
    since: String,
    until: String,
    time_zone: String,
    baseline: String,
    note: &'static str,
    groups: Vec<Line>,
    total: Line,
}

#[derive(Serialize)]
struct Line {
    group: Vec<String>,
    requests: u64,
    attempts: u64,
    unanswered_attempts: u64,
    input_tokens: u64,
    output_tokens: u64,
    attempts_with_estimated_tokens: u64,
    unpriced_attempts: u64,
    cost_usd: Option<String>,
    baseline_usd: Option<String>,
    saved_usd: Option<String>,
}

const NOTE: &str = "baseline: the answered requests at the same token counts; an estimate, since \
another model counts and answers differently";

impl Report {
    fn new(
        args: &Usage,
        baseline: &str,
        period: Period,
        zone: &TimeZone,
        sums: &BTreeMap<Vec<String>, Sum>,
        total: &Sum,
    ) -> Self {
        let at = |ms: i64| {
            let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
            at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
        };
        let by = args.by.iter().map(|by| match by {
            Dimension::Task => "task",
            Dimension::Model => "model",
            Dimension::Day => "day",
            Dimension::Key => "key",
        });
        Self {
            by: by.collect(),
            since: at(period.from_ms),
            until: at(period.until_ms),
            time_zone: zone.iana_name().unwrap_or("local").to_owned(),
            baseline: baseline.to_owned(),
            note: NOTE,
            groups: sums.iter().map(|(group, sum)| line(group.clone(), sum)).collect(),
            total: line(Vec::new(), total),
        }
    }
}

fn line(group: Vec<String>, sum: &Sum) -> Line {
    let text = |money: Option<Money>| money.map(|money| money.to_string());
    Line {
        group,
        requests: sum.requests,
        attempts: sum.attempts,
        unanswered_attempts: sum.unanswered,
        input_tokens: sum.input.0,
        output_tokens: sum.output.0,
        attempts_with_estimated_tokens: sum.estimated,
        unpriced_attempts: sum.unpriced,
        cost_usd: text(sum.cost()),
        baseline_usd: text(sum.baseline()),
        saved_usd: text(sum.saved()),
    }
}

fn print(report: &Report) {
    out::line(&format!(
        "{} to {} ({}), baseline {}",
        report.since,
        report.until,
        report.time_zone,
        out::strong(&report.baseline)
    ));
    if report.groups.is_empty() {
        out::line("\nNo requests in this time. `pointsman serve` prints one to try.");
        return;
    }
    let mut header = report.by.clone();
    header.extend([
        "requests",
        "attempts",
        "unanswered",
        "input",
        "output",
        "cost",
        "baseline",
        "saved",
    ]);
    let mut table = out::table(&header);
    let padding = report.by.len();
    for line in report.groups.iter().chain([&report.total]) {
        let mut cells = line.group.clone();
        if cells.is_empty() {
            cells.push("total".to_owned());
        }
        cells.resize(padding, String::new());
        let money = |text: &Option<String>| match text {
            None => "—".to_owned(),
            Some(text) => text
                .strip_prefix('-')
                .map_or_else(|| format!("${text}"), |text| format!("-${text}")),
        };
        let tilde = if line.attempts_with_estimated_tokens > 0 { "~" } else { "" };
        cells.extend([
            line.requests.to_string(),
            line.attempts.to_string(),
            line.unanswered_attempts.to_string(),
            format!("{tilde}{}", line.input_tokens),
            format!("{tilde}{}", line.output_tokens),
            money(&line.cost_usd),
            money(&line.baseline_usd),
            money(&line.saved_usd),
        ]);
        table.add_row(cells);
    }
    out::line(&format!("\n{table}\n"));
    out::line(&out::dim(report.note));
    if report.total.unpriced_attempts > 0 {
        let count = report.total.unpriced_attempts;
        out::line(&out::warn(&format!(
            "{count} attempts have no price, so the sums they belong to are unknown (—)"
        )));
    }
}
