//! Judging recorded traffic: every record of a folder by every law, in a table or as JSON.
//!
//! New recordings in the same format are judged without new code. A record has failed when one law
//! failed on it; it is excluded when no law could be judged; records in no dialect of ours are
//! counted apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use testkit::Case;

use crate::laws::{Law, Ruling, Verdict, judge};

#[derive(Debug, Args)]
pub(crate) struct Corpus {
    /// A folder of recordings: *.jsonl, a record a line.
    dir: PathBuf,
    /// Print JSON: `total`, `passed`, `failed`, `excluded`, the same by provider, and every failure.
    #[arg(long)]
    json: bool,
    /// Judge records of this kind of endpoint alone, such as `messages`.
    #[arg(long)]
    api: Option<String>,
}

/// Counts of records.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counts {
    total: usize,
    passed: usize,
    failed: usize,
    excluded: usize,
}

/// What a report holds.
#[derive(Debug, Default, Serialize)]
struct Report {
    #[serde(flatten)]
    all: Counts,
    /// Records in no dialect of ours, by their kind of endpoint.
    other: BTreeMap<String, usize>,
    providers: BTreeMap<String, Provider>,
    /// How often each law was judged.
    laws: BTreeMap<&'static str, Counts>,
    /// Why a law could not be judged, by law and reason.
    exclusions: BTreeMap<String, usize>,
    failures: Vec<Failure>,
}

#[derive(Debug, Default, Serialize)]
struct Provider {
    #[serde(flatten)]
    all: Counts,
    kinds: BTreeMap<&'static str, Counts>,
}

#[derive(Debug, Serialize)]
struct Failure {
    provider: String,
    api: String,
    id: String,
    law: &'static str,
    why: String,
}

/// Whether a record shows something.
type Shows = fn(&Case) -> bool;

/// What a record shows, as the columns of the table.
const KINDS: [(&str, Shows); 7] = [
    ("whole", |case| !case.is_stream && case.status < 400),
    ("stream", |case| case.is_stream && case.status < 400),
    ("tools", |case| case.has_tools),
    ("images", |case| case.has_images),
    ("structured", |case| case.has_json_schema),
    ("reasoning", |case| case.has_reasoning),
    ("errors", |case| case.is_error),
];

#[expect(clippy::print_stdout, reason = "the report of a chore")]
pub(crate) fn run(args: &Corpus) -> anyhow::Result<ExitCode> {
    // A panic is a verdict, and need not be shown a thousand times.
    std::panic::set_hook(Box::new(|_| {}));
    let report = report(&args.dir, args.api.as_deref())?;
    drop(std::panic::take_hook());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.all.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Judges the records of a folder.
fn report(dir: &Path, api: Option<&str>) -> anyhow::Result<Report> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .with_context(|| format!("read the folder {}", dir.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    anyhow::ensure!(!files.is_empty(), "{} holds no *.jsonl", dir.display());
    files.sort();
    let wanted = |case: &Case| api.is_none_or(|api| case.api == api);
    let cases: Vec<Case> =
        files.iter().flat_map(|file| testkit::corpus::read(file, &wanted)).collect();
    let mut report = Report::default();
    for (case, rulings) in cases.iter().zip(judged(&cases)) {
        report.add(case, rulings);
    }
    Ok(report)
}

fn judged(cases: &[Case]) -> Vec<Option<Vec<Ruling>>> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = cases.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let part = |part: &'_ [Case]| part.iter().map(judge).collect::<Vec<_>>();
        let running: Vec<_> =
            cases.chunks(share).map(|cases| scope.spawn(move || part(cases))).collect();
        let joined = running.into_iter().map(|running| {
            running.join().expect("invariant: a panic in a law is caught and is a verdict")
        });
        joined.flatten().collect()
    })
}

impl Report {
    fn add(&mut self, case: &Case, rulings: Option<Vec<Ruling>>) {
        let Some(rulings) = rulings else {
            *self.other.entry(case.api.clone()).or_default() += 1;
            return;
        };
        for ruling in &rulings {
            self.laws.entry(ruling.law.name()).or_default().add(&ruling.verdict);
            self.explain(case, ruling);
        }
        let of_case = verdict(&rulings);
        self.all.add(&of_case);
        let provider = self.providers.entry(case.provider.clone()).or_default();
        provider.all.add(&of_case);
        for (kind, shows) in KINDS {
            if shows(case) {
                provider.kinds.entry(kind).or_default().add(&of_case);
            }
        }
    }

    fn explain(&mut self, case: &Case, ruling: &Ruling) {
        let law = ruling.law.name();
        match &ruling.verdict {
            Verdict::Passed => {}
            Verdict::Excluded(why) => {
                *self.exclusions.entry(format!("{law}: {why}")).or_default() += 1;
            }
            Verdict::Failed(why) => self.failures.push(Failure {
                provider: case.provider.clone(),
                api: case.api.clone(),
                id: case.id.clone(),
                law,
                why: why.clone(),
            }),
        }
    }
}

/// A record has failed when a law failed on it, and is excluded when none could be judged.
fn verdict(rulings: &[Ruling]) -> Verdict {
    let is = |verdict: fn(&Verdict) -> bool| rulings.iter().any(|ruling| verdict(&ruling.verdict));
    if is(|verdict| matches!(verdict, Verdict::Failed(_))) {
        return Verdict::Failed(String::new());
    }
    // Mangling applies to anything and says nothing of the record itself.
    let judged = |ruling: &Ruling| ruling.law != Law::Mangled && ruling.verdict == Verdict::Passed;
    if rulings.iter().any(judged) { Verdict::Passed } else { Verdict::Excluded(String::new()) }
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        self.total += 1;
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Excluded(_) => self.excluded += 1,
        }
    }
}

#[expect(clippy::print_stdout, reason = "the report of a chore")]
fn print(report: &Report) {
    print!("{:<18}{:>14}", "provider", "all");
    for (kind, _) in KINDS {
        print!("{kind:>12}");
    }
    println!("   (passed/total; excluded in brackets)");
    for (name, provider) in &report.providers {
        print!("{name:<18}{:>14}", short(Some(&provider.all)));
        for (kind, _) in KINDS {
            print!("{:>12}", short(provider.kinds.get(kind)));
        }
        println!();
    }
    println!("\n{:<18}{:>8}{:>8}{:>8}{:>10}", "law", "total", "passed", "failed", "excluded");
    for law in Law::ALL {
        let counts = report.laws.get(law.name()).copied().unwrap_or_default();
        let Counts { total, passed, failed, excluded } = counts;
        println!("{:<18}{total:>8}{passed:>8}{failed:>8}{excluded:>10}", law.name());
    }
    for (why, times) in &report.exclusions {
        println!("  excluded {times} × {why}");
    }
    for failure in &report.failures {
        let Failure { provider, api, id, law, why } = failure;
        println!("  failed {provider} {api} {id} {law}: {why}");
    }
    let other: usize = report.other.values().sum();
    println!("\n{other} records are in no dialect of ours: {:?}", report.other);
    let Counts { total, passed, failed, excluded } = report.all;
    println!("total {total}, passed {passed}, failed {failed}, excluded {excluded}");
}

fn short(counts: Option<&Counts>) -> String {
    match counts {
        None => "·".to_owned(),
        Some(Counts { total, passed, excluded: 0, .. }) => format!("{passed}/{total}"),
        Some(Counts { total, passed, excluded, .. }) => format!("{passed}/{total}[{excluded}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::report;

    #[test]
    fn every_recording_in_a_dialect_of_ours_obeys_the_laws() {
        let Some(dir) = testkit::corpus::require("judging every recording") else { return };
        let report = report(&dir, None).unwrap();
        assert!(report.failures.is_empty(), "{:#?}", report.failures);
        assert!(report.all.total > 3_000, "only {} records", report.all.total);
        // Under one in a hundred.
        assert!(report.all.excluded * 100 < report.all.total, "{:?}", report.exclusions);
    }

    #[test]
    fn a_new_recording_is_judged_without_new_code_and_a_broken_one_fails() {
        let folder = tempfile::tempdir().unwrap();
        let record = |id: &str, answer: &str| {
            serde_json::json!({
                "id": id, "source_repo": "", "source_path": "", "commit": "", "licence": "",
                "provider": "newhost", "api": "chat", "host": "", "method": "POST",
                "path": "/v1/chat/completions", "status": 200, "capture": "wire",
                "request_body": r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#,
                "response_body": answer, "response_body_encoding": "utf-8",
            })
            .to_string()
        };
        let good = r#"{"id":"c","choices":[{"index":0,"finish_reason":"stop",
            "message":{"role":"assistant","content":"hello"}}]}"#;
        let bad = r#"{"id":"c","choices":[{"index":0,"message":"hello"}]}"#;
        let lines = [record("00000000000000aa", good), record("00000000000000ab", bad)];
        std::fs::write(folder.path().join("new.jsonl"), lines.join("\n")).unwrap();
        let report = report(folder.path(), None).unwrap();
        let counts = &report.providers["newhost"].all;
        assert_eq!((counts.total, counts.passed, counts.failed), (2, 1, 1));
        assert_eq!(report.failures[0].id, "00000000000000ab");
    }
}
