//! What is refused, where, and with what advice.

use expect_test::Expect;
use yaml::{Document, Problems, Vars};

use crate::config::Config;

mod choices;
mod keys;
mod syntax;
mod values;
mod variables;

fn lookup(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "s3cr3t".to_owned())
}

fn read(text: &str) -> Result<Config, Problems> {
    Document::parse("c.yaml", text, Vars::Lookup(&lookup))?.read()
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(text: &str, expected: Expect) {
    let told = read(text).map_or_else(|problems| problems.to_string(), |_| "accepted".to_owned());
    assert!(!told.contains("s3cr3t"), "{told}");
    expected.assert_eq(&told);
}

/// A provider that is right but for one line.
fn check_auth(auth: &str, expected: Expect) {
    check(&format!("providers:\n  p:\n    base_url: u\n    auth: {auth}\n"), expected);
}

fn check_task(line: &str, expected: Expect) {
    check(&format!("tasks:\n  t:\n    models: [m]\n    {line}\n"), expected);
}
