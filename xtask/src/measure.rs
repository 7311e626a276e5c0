//! Processor time and memory of `pointsman serve` beside nginx, both in front of the same scripted
//! provider, in the same run.
//!
//! The provider is a process of its own, so that its time counts for neither. Rounds alternate, the
//! first is for warming up, and what is compared is the ratio within a round: machines are noisy,
//! and a second's noise falls on both.

mod load;
mod process;
mod servers;

use std::process::ExitCode;

use anyhow::{Context, ensure};
use serde::Serialize;

use self::load::{Load, Mode};
use self::process::Usage;
use self::servers::{Server, Servers};

pub(crate) use self::servers::provider;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Measure {
    /// Requests in a round.
    #[arg(long, default_value_t = 10_000)]
    requests: usize,
    /// Requests under way at once.
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// Rounds that count.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    requests: usize,
    concurrency: usize,
    rounds: usize,
    modes: Vec<Compared>,
    ledger_rows: usize,
}

#[derive(Serialize)]
struct Compared {
    mode: &'static str,
    nginx: Measured,
    pointsman: Measured,
    /// The median of the ratios of the rounds.
    cpu_ratio: f64,
}

#[derive(Serialize)]
struct Measured {
    /// The median of the rounds.
    cpu_seconds_per_1000: f64,
    requests_per_second: f64,
    rss_mb: f64,
    peak_rss_mb: f64,
}

/// Measures and prints.
pub(crate) async fn run(args: &Measure) -> anyhow::Result<ExitCode> {
    let servers = Servers::start().await?;
    let mut modes = Vec::new();
    let mut sent = 0;
    for mode in [Mode::Whole, Mode::Stream] {
        // A stream is forty answers in one.
        let requests = if mode == Mode::Whole { args.requests } else { args.requests.div_ceil(5) };
        let load = Load { mode, requests, concurrency: args.concurrency };
        modes.push(compare(&servers, &load, args.rounds).await?);
        sent += requests * (args.rounds + 1);
    }
    let rows = servers.ledger_rows(sent + 1)?;
    ensure!(rows == sent, "{sent} requests were answered, and the ledger has {rows} rows");
    let report = Report {
        requests: args.requests,
        concurrency: args.concurrency,
        rounds: args.rounds,
        modes,
        ledger_rows: rows,
    };
    print(&report, args.json)?;
    Ok(ExitCode::SUCCESS)
}

async fn compare(servers: &Servers, load: &Load, rounds: usize) -> anyhow::Result<Compared> {
    let (mut nginx, mut pointsman) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        for (server, kept) in [(&servers.nginx, &mut nginx), (&servers.pointsman, &mut pointsman)] {
            let measured = measure(server, load).await?;
            // The first round warms up.
            if round > 0 {
                kept.push(measured);
            }
        }
    }
    let ratios = nginx.iter().zip(&pointsman).map(|(nginx, ours)| ours.0 / nginx.0).collect();
    Ok(Compared {
        mode: load.mode.name(),
        nginx: summed(&nginx, &servers.nginx)?,
        pointsman: summed(&pointsman, &servers.pointsman)?,
        cpu_ratio: median(ratios),
    })
}

/// Runs one round: processor seconds per 1,000 requests, and requests a second.
async fn measure(server: &Server, load: &Load) -> anyhow::Result<(f64, f64)> {
    let before = Usage::of(server.process)?;
    let took = load::run(server, load).await.with_context(|| server.name.to_owned())?;
    let after = Usage::of(server.process)?;
    let thousands = load.requests as f64 / 1_000.0;
    Ok((
        (after.cpu_seconds - before.cpu_seconds) / thousands,
        load.requests as f64 / took.as_secs_f64(),
    ))
}

fn summed(rounds: &[(f64, f64)], server: &Server) -> anyhow::Result<Measured> {
    let usage = Usage::of(server.process)?;
    Ok(Measured {
        cpu_seconds_per_1000: median(rounds.iter().map(|round| round.0).collect()),
        requests_per_second: median(rounds.iter().map(|round| round.1).collect()),
        rss_mb: usage.rss_mb,
        peak_rss_mb: usage.peak_rss_mb,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::print_stdout, reason = "a chore prints its result")]
fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
        return Ok(());
    }
    println!("mode    server     CPU s/1000   ratio   requests/s   RSS MB   peak MB");
    for mode in &report.modes {
        for (name, measured, ratio) in
            [("nginx", &mode.nginx, 1.0), ("pointsman", &mode.pointsman, mode.cpu_ratio)]
        {
            println!(
                "{:<7} {name:<10} {:>10.4}   {ratio:>5.2}   {:>10.0}   {:>6.1}   {:>7.1}",
                mode.mode,
                measured.cpu_seconds_per_1000,
                measured.requests_per_second,
                measured.rss_mb,
                measured.peak_rss_mb
            );
        }
    }
    println!(
        "{} requests a round ({} for streams), {} at once, median of {} rounds; {} ledger rows, none missing",
        report.requests,
        report.requests.div_ceil(5),
        report.concurrency,
        report.rounds,
        report.ledger_rows
    );
    Ok(())
}
