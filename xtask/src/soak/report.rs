//! What a soak found: for a program as JSON, for a reader as tables.

use anyhow::Context;
use serde_json::{Value, json};

use super::bounds::{Bound, Found};
use super::clients::End;
use super::proc::Sample;
use super::scenarios::SCENARIOS;

/// How many points of a curve are shown.
const POINTS: usize = 12;

/// A soak.
pub(super) struct Report {
    pub(super) streams: usize,
    pub(super) found: Found,
    pub(super) bounds: Vec<Bound>,
}

impl Report {
    /// Says whether every bound holds.
    pub(super) fn holds(&self) -> bool {
        self.bounds.iter().all(|bound| bound.holds)
    }

    /// Prints it.
    #[expect(clippy::print_stdout, reason = "a chore prints its result")]
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            let text = serde_json::to_string_pretty(&self.json()).context("write the report")?;
            println!("{text}");
            return Ok(());
        }
        println!("second    RSS MB  threads    fds  clients  providers");
        for (second, sample) in self.curve() {
            println!(
                "{second:>6} {:>9.1} {:>8} {:>6} {:>8} {:>10}",
                sample.rss_mb, sample.threads, sample.fds, sample.from_clients, sample.to_providers
            );
        }
        println!("\n{:<24}{:>9}{:>9}{:>9}{:>9}", "scenario", "good", "error", "left", "wrong");
        for scenario in SCENARIOS {
            let [good, told, left, hung, broken] = self.ends(scenario.name);
            let wrong = hung + broken;
            println!("{:<24}{good:>9}{told:>9}{left:>9}{wrong:>9}", scenario.name);
        }
        println!();
        for bound in &self.bounds {
            let holds = if bound.holds { "holds " } else { "BROKEN" };
            println!("{holds}  {}: {}", bound.what, bound.found);
        }
        for complaint in &self.found.told.complaints {
            println!("        {complaint}");
        }
        println!(
            "\n{} requests, {} rows, {} at once, {} s under load",
            self.found.told.all(),
            self.found.books.rows,
            self.streams,
            self.found.load.len()
        );
        Ok(())
    }

    fn ends(&self, scenario: &'static str) -> [u64; 5] {
        [End::Good, End::Told, End::Left, End::Hung, End::Broken]
            .map(|end| self.found.told.ends.get(&(scenario, end)).copied().unwrap_or(0))
    }

    /// Returns points of the curve, the last one among them.
    fn curve(&self) -> impl Iterator<Item = (usize, &Sample)> {
        let step = self.found.load.len().div_ceil(POINTS).max(1);
        let last = self.found.load.len();
        let samples = self.found.load.iter().enumerate().map(|(at, sample)| (at + 1, sample));
        samples.filter(move |(second, _)| second % step == 0 || *second == last)
    }

    fn json(&self) -> Value {
        let scenario = |name: &'static str| {
            let [good, error, left, hung, broken] = self.ends(name);
            json!({"name": name, "good": good, "error": error, "left": left, "hung": hung, "broken": broken})
        };
        json!({
            "holds": self.holds(),
            "streams": self.streams,
            "seconds": self.found.load.len(),
            "requests": self.found.told.all(),
            "rows": self.found.books.rows,
            "rows_by_provider": self.found.books.by_provider,
            "asked_by_provider": self.found.asked,
            "bounds": self.bounds,
            "complaints": self.found.told.complaints,
            "scenarios": SCENARIOS.iter().map(|one| scenario(one.name)).collect::<Vec<_>>(),
            "samples": self.found.load,
        })
    }
}
