//! Recorded traffic, read in place: real exchanges with many hosts, one JSON record a line.
//!
//! The corpus lives beside the project, not in it, so it may be absent: then [`dir`] is `None`
//! and [`cases`] is empty. A record that is there and cannot be read stops the test that wanted
//! it, because a law that silently ran over fewer cases proves less than it says.

mod case;
mod cut;
mod error_case;

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use case::{Case, CaseError, Code};
pub use cut::Cut;
pub(crate) use cut::events_of;
pub use error_case::ErrorCase;

/// Returns the folder of recorded traffic, when it is there.
pub fn dir() -> Option<PathBuf> {
    Some(place()).filter(|place| place.is_dir())
}

/// Returns the folder of recorded traffic; when absent, says so in one line that names what ran
/// without it, and stops a run in CI.
pub fn require(what: &str) -> Option<PathBuf> {
    let found = dir();
    if found.is_none() {
        absent(what);
    }
    found
}

/// Returns the recorded cases that pass the filter, in the order of file names and lines.
pub fn cases(filter: &dyn Fn(&Case) -> bool) -> Vec<Case> {
    let files = dir().map(|dir| records_in(&dir)).unwrap_or_default();
    files.iter().flat_map(|file| read(file, filter)).collect()
}

/// Returns the recorded case with this id.
pub fn case(id: &str) -> Option<Case> {
    let files = records_in(&dir()?);
    files
        .iter()
        .find_map(|file| lines(file, &|line| line.contains(id)).find(|case: &Case| case.id == id))
}

/// Returns the cases of one file that pass the filter; the file may be anywhere.
pub fn read(file: &Path, filter: &dyn Fn(&Case) -> bool) -> Vec<Case> {
    lines(file, &|_| true).filter(filter).collect()
}

/// Returns the distinct error answers: recorded, and reported in public issues.
pub fn errors() -> Vec<ErrorCase> {
    let files = dir().map(|dir| records_in(&dir.join("errors"))).unwrap_or_default();
    files.iter().flat_map(|file| lines(file, &|_| true)).collect()
}

/// The project's root is two levels above this crate, and the corpus is the root's neighbour.
fn place() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/"));
    root.with_file_name("shared").join("corpus")
}

fn records_in(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|cause| stop(dir, 0, &cause));
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

/// Reads one line at a time, so that only the records that are wanted are ever held.
fn lines<'a, T: DeserializeOwned + 'a>(
    file: &'a Path,
    wanted: &'a dyn Fn(&str) -> bool,
) -> impl Iterator<Item = T> + 'a {
    let open = File::open(file).unwrap_or_else(|cause| stop(file, 0, &cause));
    let numbered = BufReader::new(open).lines().zip(1..);
    numbered.filter_map(move |(line, number)| {
        let line = line.unwrap_or_else(|cause| stop(file, number, &cause));
        if line.trim().is_empty() || !wanted(&line) {
            return None;
        }
        Some(serde_json::from_str(&line).unwrap_or_else(|cause| stop(file, number, &cause)))
    })
}

#[expect(clippy::panic, reason = "test support: a law over an unreadable corpus proves nothing")]
fn stop(file: &Path, line: usize, cause: &dyn fmt::Display) -> ! {
    panic!("read {}, line {line}: {cause}", file.display())
}

#[expect(clippy::panic, reason = "test support: in CI the corpus must be there")]
fn absent(what: &str) {
    let place = place();
    let place = place.display();
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        panic!("corpus not there: {place}, and {what} needs it in CI");
    }
    // Written past the test harness, which shows nothing that a passing test prints.
    let told = format!("corpus not there: {place}, {what} ran on the project's own small cases\n");
    let _ = std::io::stderr().write_all(told.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_read() {
        if require("reading every record").is_none() {
            return;
        }
        let cases = cases(&|_| true);
        assert!(cases.len() > 3_000, "only {} cases", cases.len());
        for case in &cases {
            let body = case.body_bytes();
            assert!(body.is_ok(), "{}: {body:?}", case.id);
        }
    }

    #[test]
    fn a_filter_keeps_what_it_names() {
        if require("filtering records").is_none() {
            return;
        }
        let kept = cases(&|case| case.provider == "xai" && case.is_stream);
        assert!(!kept.is_empty());
        assert!(kept.iter().all(|case| case.provider == "xai" && case.is_stream));
    }

    #[test]
    fn a_case_is_found_by_id() {
        if require("finding a record").is_none() {
            return;
        }
        let id = "252fc0aa60462a80";
        assert_eq!(case(id).map(|case| case.id).as_deref(), Some(id));
        assert!(case("no such id").is_none());
    }

    #[test]
    fn every_error_is_read() {
        if require("reading every error").is_none() {
            return;
        }
        let errors = errors();
        assert!(errors.len() > 100, "only {} errors", errors.len());
        assert!(errors.iter().any(|error| error.status == 529));
        assert!(errors.iter().all(|error| error.body_bytes().is_ok()));
    }
}
