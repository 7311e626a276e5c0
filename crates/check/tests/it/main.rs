//! The checks over recorded traffic, labelled texts and generated answers.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod laws;
mod texts;
mod traffic;
