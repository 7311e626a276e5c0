//! The commands, one file each.

pub(crate) mod doctor;
pub(crate) mod faults;
pub(crate) mod init;
pub(crate) mod ledger;
pub(crate) mod routing;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod usage;

use std::process::ExitCode;

use clap::CommandFactory;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::args::Args::command(), "pointsman", &mut script);
    crate::out::line(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
