//! How the program ends: exit codes, and the one place that prints an error.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::out;

/// Wrong configuration or routing table.
pub(crate) const CONFIG: u8 = 3;

/// Marks an error as the configuration's.
#[derive(Debug)]
pub(crate) struct BadConfig(pub(crate) yaml::Problems);

impl std::fmt::Display for BadConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.0.iter().count();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{count} {noun} in the configuration\n\n{}", self.0)
    }
}

impl std::error::Error for BadConfig {}

impl From<yaml::Problems> for BadConfig {
    fn from(problems: yaml::Problems) -> Self {
        Self(problems)
    }
}

/// A file that the configuration names, or that is the configuration, cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    path: PathBuf,
    cause: std::io::Error,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "read {}", self.path.display())
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// Reads a file of the configuration.
pub(crate) fn read(path: &Path) -> Result<String, Unreadable> {
    std::fs::read_to_string(path).map_err(|cause| Unreadable { path: path.to_owned(), cause })
}

/// Prints an error with its causes, once, and returns the code to exit with.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut told = String::new();
    for (depth, cause) in error.chain().enumerate() {
        told.push_str(if depth == 0 { "" } else { ": " });
        told.push_str(&cause.to_string());
    }
    out::complain(&format!("{}: {told}", out::bad("error")));
    let config = error.is::<BadConfig>() || error.is::<Unreadable>();
    ExitCode::from(if config { CONFIG } else { 1 })
}
