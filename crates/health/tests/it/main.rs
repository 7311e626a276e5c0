//! The laws of the parts and of the board, over generated interleavings, and an outage that is
//! lived through in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "functions shared by tests fail and tell like tests"
)]

mod board;
mod breaker;
mod budget;
mod credential;
mod dice;
mod latency;
mod limit;
mod retry;
mod simulation;
