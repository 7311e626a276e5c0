//! What a measurement found: for a program as JSON, for a reader as a table.

use anyhow::Context;
use serde::Serialize;

use super::process::Usage;

/// A measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) concurrency: usize,
    /// The pause between the chunks of a stream.
    pub(crate) pause_ms: u64,
    pub(crate) modes: Vec<Compared>,
    /// One row a request, those of the warm-up included; absent when only nginx was measured.
    pub(crate) ledger_rows: Option<usize>,
}

/// The servers under the same load.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) mode: &'static str,
    /// Requests in a round.
    pub(crate) requests: usize,
    pub(crate) servers: Vec<Measured>,
}

/// A server under a load.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    server: &'static str,
    /// The median of the rounds.
    cpu_seconds_per_1000: f64,
    /// Processor time against the first server: the median of the ratios of the rounds.
    cpu_ratio: f64,
    /// The ratio of every round.
    cpu_ratios: Vec<f64>,
    requests_per_second: f64,
    rss_mb: f64,
    peak_rss_mb: f64,
}

impl Measured {
    /// Sums up the rounds of a server: processor seconds per 1,000 requests and requests a second.
    pub(crate) fn new(
        server: &'static str,
        rounds: &[(f64, f64)],
        first: &[(f64, f64)],
        usage: Usage,
    ) -> Self {
        let cpu_ratios: Vec<f64> =
            rounds.iter().zip(first).map(|(own, first)| own.0 / first.0).collect();
        Self {
            server,
            cpu_seconds_per_1000: median(rounds.iter().map(|round| round.0).collect()),
            cpu_ratio: median(cpu_ratios.clone()),
            cpu_ratios,
            requests_per_second: median(rounds.iter().map(|round| round.1).collect()),
            rss_mb: usage.rss_mb,
            peak_rss_mb: usage.peak_rss_mb,
        }
    }

    fn row(&self, mode: &str) -> String {
        let ratio_at = |pick: fn(f64, f64) -> f64| {
            self.cpu_ratios.iter().copied().reduce(pick).unwrap_or(f64::NAN)
        };
        format!(
            "{mode:<7} {:<10} {:>10.4} {:>7.2} {:>5.2}–{:<5.2} {:>10.0} {:>8.1} {:>9.1}",
            self.server,
            self.cpu_seconds_per_1000,
            self.cpu_ratio,
            ratio_at(f64::min),
            ratio_at(f64::max),
            self.requests_per_second,
            self.rss_mb,
            self.peak_rss_mb
        )
    }
}

impl Report {
    /// Prints it.
    #[expect(clippy::print_stdout, reason = "a chore prints its result")]
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self).context("write the report")?);
            return Ok(());
        }
        println!("mode    server     CPU s/1000   ratio  min–max   requests/s   RSS MB   peak MB");
        for mode in &self.modes {
            for server in &mode.servers {
                println!("{}", server.row(mode.mode));
            }
        }
        for mode in &self.modes {
            let rounds = mode.servers.first().map_or(0, |first| first.cpu_ratios.len());
            println!("{}: {rounds} rounds of {} requests", mode.mode, mode.requests);
        }
        println!("{} at once, {} ms between chunks", self.concurrency, self.pause_ms);
        if let Some(rows) = self.ledger_rows {
            println!("{rows} ledger rows, one a request, none missing");
        }
        Ok(())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
