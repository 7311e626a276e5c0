//! The laws of the parts and of the board, over generated interleavings, and an outage that is
//! lived through in virtual time.

mod breaker;
mod budget;
mod credential;
mod dice;
mod latency;
mod limit;
mod retry;
