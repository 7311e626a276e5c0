//! A short soak, so that a leak or a lost row shows before a change lands and not in the long one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::path::Path;
use std::process::Command;

#[test]
fn a_short_soak_breaks_no_bound() {
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let pointsman = xtask.with_file_name("pointsman");
    // Beside this program, as `cargo test --workspace` has built it already.
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--package", "pointsman"]);
    if xtask.parent().unwrap().ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    let mut soak = Command::new(xtask);
    soak.args(["soak", "--minutes", "1.5", "--streams", "128", "--idle", "0", "--binary"]);
    let output = soak.arg(pointsman).output().unwrap();
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", told(&output.stdout), told(&output.stderr));
}
