//! A soak: `pointsman serve` under hundreds of streams for a long time, in front of providers that
//! misbehave in every way of the fault table, clients that hang up, and a database that is locked for a
//! while.
//!
//! What must hold: memory stays flat, descriptors and connections are given back, every request
//! ends in a good end or a typed error within its deadline, SIGTERM under load completes what is
//! under way, and the ledger agrees with what providers and clients counted. The providers run in
//! this process, where their counts are exact. Nothing here grows with the length of the run but one
//! sample a second.

mod books;
mod bounds;
mod clients;
mod proc;
mod report;
mod scenarios;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;

use self::books::Books;
use self::bounds::Found;
use self::clients::Clients;
use self::proc::Sample;
use self::report::Report;
use self::stage::Stage;
use crate::measure::{servers, stopped};

/// How long to soak, and how hard.
#[derive(Debug, clap::Args)]
pub(crate) struct Soak {
    /// Minutes under load.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Requests under way at once.
    #[arg(long, default_value_t = 256)]
    streams: usize,
    /// The most seconds to wait after the load for idle connections to providers to be closed. They
    /// are kept for 90 seconds and looked at as often. With 0 this is not waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 200)]
    idle: u64,
    /// Soak this pointsman instead of building one.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The longest that the database is locked.
const LOCKED: Duration = Duration::from_secs(30);

/// How long the load goes on before SIGTERM.
const BEFORE_TERM: Duration = Duration::from_secs(3);

/// How long connections of clients that are gone may take to be given back.
const GIVEN_BACK: Duration = Duration::from_secs(10);

/// Soaks and prints; exits with 1 when a bound is broken.
pub(crate) async fn run(args: &Soak) -> anyhow::Result<ExitCode> {
    let report = tokio::select! {
        report = soak(args) => report?,
        stopped = stopped() => return stopped.map(|()| ExitCode::FAILURE),
    };
    report.print(args.json)?;
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn soak(args: &Soak) -> anyhow::Result<Report> {
    let binary = args.binary.clone().map_or_else(servers::built, Ok)?;
    let mut stage = Stage::start(&binary).await?;
    let base = stage.sample()?;

    let clients = Clients::start(stage.url.clone(), args.streams);
    let (load, spooled) = watch(&stage, Duration::from_secs_f64(args.minutes * 60.0)).await?;
    let mut told = clients.stop().await;

    let left = settle(&stage, GIVEN_BACK, |now| now.given_back(&base)).await?;
    let idle = settle(&stage, Duration::from_secs(args.idle), |now| now.to_providers == 0).await?;

    let clients = Clients::start(stage.url.clone(), args.streams);
    tokio::time::sleep(BEFORE_TERM).await;
    clients.expect_end();
    let drained = stage.terminate().await;
    told.add(clients.stop().await);

    let books = Books::read(&stage.ledger()).context("read the ledger")?;
    let idle = (args.idle > 0).then_some(idle);
    let (spool, asked) = ((spooled, stage.spooled()), stage.asked());
    let found = Found { load, base, left, idle, drained, spool, told, books, asked };
    let bounds = bounds::judge(&found);
    Ok(Report { streams: args.streams, found, bounds })
}

/// Takes a sample a second. Around the middle another program locks the database for a while; also
/// returns how many bytes were spooled by the end of that.
async fn watch(stage: &Stage, time: Duration) -> anyhow::Result<(Vec<Sample>, u64)> {
    let began = Instant::now();
    let locked = time.mul_f64(0.4)..time.mul_f64(0.4) + time.mul_f64(0.1).min(LOCKED);
    let (mut samples, mut lock, mut spooled) = (Vec::new(), None, 0);
    while began.elapsed() < time {
        tokio::time::sleep(Duration::from_secs(1)).await;
        samples.push(stage.sample()?);
        match (locked.contains(&began.elapsed()), &lock) {
            (true, None) => lock = Some(stage.lock()?),
            (false, Some(_)) => {
                spooled = stage.spooled();
                lock = None;
            }
            _ => {}
        }
    }
    Ok((samples, spooled))
}

/// Waits until a sample is as it should be, and returns the last one taken.
async fn settle(
    stage: &Stage,
    time: Duration,
    done: impl Fn(&Sample) -> bool,
) -> anyhow::Result<Sample> {
    let began = Instant::now();
    loop {
        let sample = stage.sample()?;
        if done(&sample) || began.elapsed() >= time {
            return Ok(sample);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
