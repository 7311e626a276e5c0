//! What became of the rows: for scripts, for people, and side by side.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::client::End;
use super::judge::{Case, JUDGES, Verdict};
use super::row::Row;
use crate::out;

/// What became of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The gateway.
    pub(crate) target: String,
    /// The rows.
    pub(crate) total: usize,
    /// Those that passed.
    pub(crate) passed: usize,
    /// How long all of it took.
    pub(crate) seconds: f64,
    /// Row by row.
    pub(crate) rows: Vec<Played>,
}

/// What became of a row.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Played {
    /// What went wrong.
    pub(crate) scenario: String,
    /// How the answer was wanted: `whole` or `stream`.
    pub(crate) shape: String,
    /// When it went wrong: `before` or `after` the first content.
    pub(crate) when: String,
    /// Whose dialect the client spoke: `openai` or `anthropic`.
    pub(crate) client: String,
    /// Whether there was a fallback: `fallback` or `alone`.
    pub(crate) route: String,
    /// The verdicts by name.
    pub(crate) verdicts: BTreeMap<String, Told>,
    /// Whether no verdict is a failure.
    pub(crate) passed: bool,
    /// What was seen, for finding out why.
    pub(crate) saw: Saw,
}

/// A verdict as it is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    /// `pass`, `fail` or `not_applicable`.
    pub(crate) verdict: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) why: String,
}

/// What was seen of a row.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saw {
    /// How long it took, the wait for the wall included.
    milliseconds: u64,
    /// The answers the client got.
    answers: Vec<Answer>,
    /// The models the wall was asked for, each with the milliseconds after the first request.
    wall: Vec<(String, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    status: Option<u16>,
    milliseconds: u64,
    end: String,
    size: usize,
    body: String,
}

/// The characters of a body that a report shows.
const SHOWN: usize = 400;

impl Played {
    /// Puts together what became of a row.
    pub(crate) fn new(case: &Case<'_>, verdicts: Vec<Verdict>, began: Instant) -> Self {
        let Row { scenario, client, shape, when, route } = case.row;
        let passed = verdicts.iter().all(|verdict| !matches!(verdict, Verdict::Fail(_)));
        let told = JUDGES.iter().zip(verdicts).map(|(judge, verdict)| {
            let (verdict, why) = match verdict {
                Verdict::Pass(why) => ("pass", why),
                Verdict::Fail(why) => ("fail", why),
                Verdict::NotApplicable => ("not_applicable", String::new()),
            };
            (judge.name.to_owned(), Told { verdict: verdict.to_owned(), why })
        });
        Self {
            scenario: scenario.name.to_owned(),
            shape: shape.name().to_owned(),
            when: when.name().to_owned(),
            client: client.name().to_owned(),
            route: route.name().to_owned(),
            verdicts: told.collect(),
            passed,
            saw: Saw::of(case, began),
        }
    }

    /// Returns the verdicts that failed, in the order of the judges.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        JUDGES.iter().filter_map(|judge| {
            let told = self.verdicts.get(judge.name)?;
            (told.verdict == "fail").then_some((judge.name, told.why.as_str()))
        })
    }

    fn shown(&self) -> String {
        let Self { scenario, client, shape, when, route, .. } = self;
        format!("{scenario} {client} {shape} {when} {route}")
    }
}

impl Saw {
    fn of(case: &Case<'_>, began: Instant) -> Self {
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let answers = case.answers.iter().map(|(saw, _)| Answer {
            status: saw.status(),
            milliseconds: millis(saw.took()),
            end: match &saw.end {
                End::Complete => "complete".to_owned(),
                End::Broken(why) => format!("broken: {why}"),
                End::Hung => "hung".to_owned(),
                End::Left => "the client left".to_owned(),
            },
            size: saw.size,
            body: shown(&saw.body),
        });
        let first = case.tried.first().map(|seen| seen.at);
        let wall = case.tried.iter().map(|seen| {
            let model = seen.json().and_then(|body| Some(body.get("model")?.as_str()?.to_owned()));
            let after = first.map(|first| seen.at.duration_since(first)).unwrap_or_default();
            (model.unwrap_or_default(), millis(after))
        });
        Self {
            milliseconds: millis(began.elapsed()),
            answers: answers.collect(),
            wall: wall.collect(),
        }
    }
}

/// Of a long body its two ends tell the most.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let count = text.chars().count();
    if count <= 2 * SHOWN {
        return text.into_owned();
    }
    let begin: String = text.chars().take(SHOWN).collect();
    let end: String = text.chars().skip(count - SHOWN).collect();
    format!("{begin} […] {end}")
}

impl Report {
    /// Sums up the rows.
    pub(crate) fn new(target: String, rows: Vec<Played>, began: Instant) -> Self {
        let passed = rows.iter().filter(|row| row.passed).count();
        Self { target, total: rows.len(), passed, seconds: began.elapsed().as_secs_f64(), rows }
    }

    /// Reads a report that `--json` printed.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("read the report in {}", file.display()))
    }

    /// Prints a line a scenario and client, and what failed.
    pub(crate) fn print(&self) {
        let mut table = out::table(&["scenario", "client", "whole", "before", "after"]);
        for (scenario, client) in self.pairs() {
            let cell = |shape: &str, when: &str| self.cell(&scenario, &client, shape, when);
            let cells =
                [cell("whole", "before"), cell("stream", "before"), cell("stream", "after")];
            table.add_row([vec![scenario.clone(), client.clone()], cells.to_vec()].concat());
        }
        out::line(&table.to_string());
        out::line(
            "\nEach cell: with a fallback, alone. Before and after the first content of a stream.",
        );
        for row in self.rows.iter().filter(|row| !row.passed) {
            for (at, (judge, why)) in row.failures().enumerate() {
                if at == 0 {
                    out::line(&format!("\n{}", out::strong(&row.shown())));
                }
                out::line(&format!("  {} {why}", out::bad(judge)));
            }
        }
        let sum = format!("{} of {} rows passed", self.passed, self.total);
        let sum = if self.passed == self.total { out::good(&sum) } else { out::bad(&sum) };
        out::line(&format!("\n{}: {sum} in {:.0} s.", self.target, self.seconds));
    }

    /// Returns the scenarios with their clients, in the order of the rows.
    fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<_> =
            self.rows.iter().map(|row| (row.scenario.clone(), row.client.clone())).collect();
        pairs.dedup();
        pairs
    }

    fn cell(&self, scenario: &str, client: &str, shape: &str, when: &str) -> String {
        let rows = self.rows.iter().filter(|row| {
            (row.scenario.as_str(), row.client.as_str(), row.shape.as_str(), row.when.as_str())
                == (scenario, client, shape, when)
        });
        let marks: Vec<_> = rows.map(|row| if row.passed { "ok" } else { "FAIL" }).collect();
        if marks.is_empty() { "—".to_owned() } else { marks.join(" ") }
    }
}

/// Prints reports side by side: the rows passed of each scenario, and of each verdict.
pub(crate) fn compare(reports: &[Report]) {
    let names: Vec<&str> = reports.iter().map(|report| report.target.as_str()).collect();
    let mut scenarios: Vec<&str> = Vec::new();
    for row in reports.iter().flat_map(|report| &report.rows) {
        if !scenarios.contains(&row.scenario.as_str()) {
            scenarios.push(&row.scenario);
        }
    }
    let mut table = out::table(&[&["scenario"], names.as_slice()].concat());
    for scenario in scenarios {
        let counts = reports.iter().map(|report| {
            count(report.rows.iter().filter(|row| row.scenario == scenario).map(|row| row.passed))
        });
        table.add_row([scenario.to_owned()].into_iter().chain(counts));
    }
    let all = reports.iter().map(|report| count(report.rows.iter().map(|row| row.passed)));
    table.add_row(["all rows".to_owned()].into_iter().chain(all));
    out::line(&table.to_string());
    let mut table = out::table(&[&["verdict"], names.as_slice()].concat());
    for judge in &JUDGES {
        let counts = reports.iter().map(|report| {
            let told = report.rows.iter().filter_map(|row| row.verdicts.get(judge.name));
            let judged = told.filter(|told| told.verdict != "not_applicable");
            count(judged.map(|told| told.verdict == "pass"))
        });
        table.add_row([judge.name.to_owned()].into_iter().chain(counts));
    }
    out::line(&format!("\n{table}"));
}

fn count(passed: impl Iterator<Item = bool>) -> String {
    let passed: Vec<bool> = passed.collect();
    if passed.is_empty() {
        return "—".to_owned();
    }
    format!("{}/{}", passed.iter().filter(|passed| **passed).count(), passed.len())
}
