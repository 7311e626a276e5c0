//! Recorded traffic through the running gateway: every dialect read by its official SDK, recorded
//! errors and their exceptions, conversations that go on, and requests against the published
//! descriptions. A sample of all strata runs here; `tests/sdk/replay.py --all` runs everything.

use std::path::Path;

use testkit::corpus;

use crate::sdk::{run, told};

/// Runs a script over the recordings and shows its table; nothing where the recordings or the SDKs
/// are not there, which fails in CI.
async fn over_the_corpus(script: &str, more: &[&str]) {
    let Some(folder) = corpus::require(script) else { return };
    let folder = folder.to_str().expect("the path of the checkout is text");
    let mut arguments = vec!["--pointsman", env!("CARGO_BIN_EXE_pointsman"), "--corpus", folder];
    arguments.extend(more);
    let arguments = arguments.into_iter().map(str::to_owned).collect();
    let Some((passed, out)) = run(script, arguments).await else { return };
    told(&out);
    assert!(passed, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_answers_and_errors_reach_every_sdk_as_they_were() {
    over_the_corpus("replay.py", &["--sample", "320", "--seed", "1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_requests_reach_every_dialect_as_it_is_described() {
    let Some(folder) = corpus::require("validity.py") else { return };
    let specs = folder.parent().unwrap_or(Path::new("")).join("specs");
    let specs = specs.to_str().expect("the path of the checkout is text");
    over_the_corpus("validity.py", &["--specs", specs, "--sample", "150"]).await;
}
