//! Pointsman: an LLM gateway and task router in one binary.
//!
//! This crate reads what the operator says — arguments, environment, files — and wires the rest
//! together. It alone prints, and it alone knows where things lie.

mod args;
mod commands;
mod config;
mod demo;
mod discover;
mod exit;
mod faults;
mod logs;
mod out;
mod reload;
mod world;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    // One thread less than there are processors: the ledger's writer has one of its own, and threads
    // that find little to do cost more in waking each other than they bring.
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() - 1).max(1);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return exit::report(&anyhow::Error::from(error).context("start the runtime"));
        }
    };
    let done = runtime.block_on(run(args));
    // A thread that still blocks (a name being looked up) must not keep the process alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.config.as_deref();
    match args.command {
        Command::Serve(serve) => commands::serve::run(config, &serve).await,
        Command::Init(init) => commands::init::run(&init),
        Command::Doctor(doctor) => commands::doctor::run(config, &doctor).await,
        Command::Routing(routing) => commands::routing::run(config, &routing),
        Command::Ledger(ledger) => commands::ledger::run(config, &ledger).await,
        Command::Usage(usage) => commands::usage::run(config, &usage),
        Command::Demo(demo) => demo::run(&demo).await,
        Command::Faults(faults) => commands::faults::run(&faults).await,
        Command::Config(schema) => commands::schema::run(&schema),
        Command::Completions(shell) => Ok(commands::completions(shell.shell)),
    }
}
