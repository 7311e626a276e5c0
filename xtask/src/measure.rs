//! Processor time and memory of `pointsman serve` beside nginx, both in front of the same scripted
//! provider, in the same run.
//!
//! The provider is a process of its own, so that its time counts for neither. Rounds alternate, the
//! first is for warming up, and what is compared is the ratio within a round: machines are noisy,
//! and a second's noise falls on both. Client and provider are optimised as well: slow ones leave the
//! servers idle between requests, and what a server saves under load would not show.

mod load;
pub(crate) mod process;
pub(crate) mod provider;
mod report;
pub(crate) mod servers;

use std::convert::Infallible;
use std::num::NonZero;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

use self::load::{Load, Mode};
use self::process::Usage;
use self::report::{Compared, Measured, Report};
use self::servers::{Kind, Server, Servers};

pub(crate) use self::provider::{Provide, provider};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Measure {
    /// Requests in a round; a fifth of them in a round of streams.
    #[arg(long, default_value = "20000")]
    requests: NonZero<usize>,
    /// Requests under way at once.
    #[arg(long, default_value = "32")]
    concurrency: NonZero<usize>,
    /// Rounds that count.
    #[arg(long, default_value = "5")]
    rounds: NonZero<usize>,
    /// Measure one of them alone.
    #[arg(long)]
    only: Option<Kind>,
    /// Measure this pointsman instead of building one, to compare two versions.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Let the provider wait between the chunks of a stream, so that none arrive joined.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pause: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Measures and prints. Exits with 2 when nginx is not installed.
#[expect(clippy::print_stderr, reason = "a chore says what it needs")]
pub(crate) async fn run(args: &Measure) -> anyhow::Result<ExitCode> {
    let kinds = args.only.map_or_else(|| vec![Kind::Nginx, Kind::Pointsman], |one| vec![one]);
    if kinds.contains(&Kind::Nginx) && !servers::nginx_is_installed() {
        eprintln!("nginx is not installed: apt-get install nginx-light");
        return Ok(ExitCode::from(2));
    }
    if cfg!(debug_assertions) {
        let Err(error) = optimised();
        return Err(error);
    }
    tokio::select! {
        report = measure(args, &kinds) => report?.print(args.json)?,
        stopped = stopped() => stopped?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Becomes the same program, optimised, with the same arguments.
fn optimised() -> anyhow::Result<Infallible> {
    let run = ["run", "--release", "--quiet", "--locked", "--package", "xtask", "--"];
    let mut cargo = Command::new("cargo");
    cargo.args(run).args(std::env::args_os().skip(1));
    Err(cargo.exec()).context("run cargo")
}

/// Fails when the chore is to stop; what it started ends with it.
pub(crate) async fn stopped() -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    bail!("stopped before it was done")
}

async fn measure(args: &Measure, kinds: &[Kind]) -> anyhow::Result<Report> {
    let mut servers = Servers::start(args, kinds).await?;
    let mut modes = Vec::new();
    let mut sent = 0;
    for mode in [Mode::Whole, Mode::Stream] {
        let requests = match mode {
            Mode::Whole => args.requests.get(),
            Mode::Stream => args.requests.get().div_ceil(5),
        };
        let load = Load { mode, requests, concurrency: args.concurrency.get() };
        modes.push(compare(&servers.list, &load, args.rounds.get()).await?);
        sent += requests * (args.rounds.get() + 1);
    }
    let ledger = kinds.contains(&Kind::Pointsman).then(|| servers.ledger_rows(sent + 1));
    let ledger_rows = ledger.transpose()?;
    ensure!(
        ledger_rows.is_none_or(|rows| rows == sent),
        "{sent} requests were answered, and the ledger has {ledger_rows:?} rows"
    );
    servers.stop()?;
    Ok(Report { concurrency: args.concurrency.get(), pause_ms: args.pause, modes, ledger_rows })
}

/// Puts the same load on all servers in turn, round after round.
async fn compare(servers: &[Server], load: &Load, rounds: usize) -> anyhow::Result<Compared> {
    let mut kept = vec![Vec::new(); servers.len()];
    for round in 0..=rounds {
        for (server, kept) in servers.iter().zip(&mut kept) {
            let measured = one_round(server, load).await?;
            // The first round warms up.
            if round > 0 {
                kept.push(measured);
            }
        }
    }
    let mut all = Vec::new();
    for (server, own) in servers.iter().zip(&kept) {
        let usage = Usage::of(server.process)?;
        all.push(Measured::new(server.kind.name(), own, &kept[0], usage));
    }
    Ok(Compared { mode: load.mode.name(), requests: load.requests, servers: all })
}

/// Runs one round: processor seconds per 1,000 requests, and requests a second.
async fn one_round(server: &Server, load: &Load) -> anyhow::Result<(f64, f64)> {
    let before = Usage::of(server.process)?;
    let took = load::run(server, load).await.with_context(|| server.kind.name())?;
    let after = Usage::of(server.process)?;
    let thousands = load.requests as f64 / 1_000.0;
    Ok((
        (after.cpu_seconds - before.cpu_seconds) / thousands,
        load.requests as f64 / took.as_secs_f64(),
    ))
}
