//! Drives the scripted provider over a real connection, as a client of a provider would.

mod client;
mod counts;
mod faults;
mod recordings;
mod speaks;

/// How a test ends: what is not asserted is passed on.
type Tested = Result<(), Box<dyn std::error::Error>>;
