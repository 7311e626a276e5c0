//! The program as its users meet it: the real binary, over real HTTP, against scripted providers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod architecture;
mod bad_input;
mod cli;
mod crash;
mod fallback;
mod host;
mod reference;
mod reload;
mod replay;
mod route;
mod sdk;
mod stream;
mod support;
