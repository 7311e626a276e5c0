//! Chores: refresh the price list, judge recorded traffic, measure, soak. Never needed to build or to test.

mod corpus;
mod lanes;
mod laws;
mod measure;
mod soak;

/// The codecs' own tests are held against the same independent readings.
#[path = "../../crates/wire/tests/it/oracle.rs"]
#[allow(clippy::unwrap_used, reason = "shared with the tests of the codecs")]
mod oracle;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Chores of the project")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Write catalog/prices.json anew from the genai-prices package.
    Prices {
        /// Passed on to xtask/prices.py: a folder of an unpacked package, `--on DATE`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Judge recorded traffic by the laws of the codecs.
    Corpus(corpus::Corpus),
    /// Compare processor time and memory with nginx in front of the same scripted provider.
    Measure(measure::Measure),
    /// Count the instructions of a request in each lane.
    Lanes(lanes::Lanes),
    /// Serve hundreds of streams for a long time in front of providers that misbehave.
    Soak(soak::Soak),
    /// Be the scripted provider of a measurement.
    #[command(hide = true)]
    Provider(measure::Provide),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Args::parse().chore {
        Chore::Prices { rest } => prices(&rest),
        Chore::Corpus(args) => corpus::run(&args),
        Chore::Measure(args) => measure::run(&args).await,
        Chore::Lanes(args) => lanes::run(&args).await,
        Chore::Soak(args) => soak::run(&args).await,
        Chore::Provider(how) => measure::provider(&how).await,
    }
}

/// Returns the project's root.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn prices(rest: &[String]) -> anyhow::Result<ExitCode> {
    let mut python = Command::new("python3");
    let status = python.arg("xtask/prices.py").args(rest).current_dir(root()).status();
    let status = status.context("run python3")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
