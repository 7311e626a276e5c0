//! The program as its users meet it: the real binary, over real HTTP, against scripted providers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod architecture;
mod auth;
mod bad_input;
mod boundary;
mod canned;
mod checks;
mod cli;
mod clients;
mod continuation;
mod crash;
mod cuts;
mod dialects;
mod embeddings;
mod envelopes;
mod fallback;
mod faults;
mod host;
mod judged;
mod large;
mod load;
mod losses;
mod needs;
mod pins;
mod reference;
mod reload;
mod replay;
mod resilience;
mod rotation;
mod route;
mod sdk;
mod sealed;
mod settings;
mod spool;
mod stream;
mod support;
mod surface;
mod throttle;
mod turns;
mod untaken;
mod verbatim;
