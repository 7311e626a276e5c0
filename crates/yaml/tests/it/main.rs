//! Reads one sample configuration: rightly, wrongly, and by laws.

mod bad;
mod config;
mod good;
mod laws;
mod shapes;
