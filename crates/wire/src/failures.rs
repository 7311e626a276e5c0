//! How providers fail and how that is read: a table of rows, what an error says wherever it says
//! it, how long to wait; and what surrounds a failure when it is told to a client.
//!
//! Which kind a provider's answer is gets decided here, once, and nobody matches on the words of a
//! message anywhere else.

mod mask;
mod member;
mod moment;
mod read;
mod rule;
mod rules;
mod told;
mod wait;

use std::time::Duration;

use ir::Failure;

pub(crate) use read::read;
pub use read::{deciding, inside};
pub use rule::{Proof, Rule};

/// What surrounds a failure when it is written for a client.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// The request's id.
    pub request_id: String,
    /// Every attempt that was made, in order.
    pub attempts: Vec<Attempt>,
}

/// One attempt that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Where it went, as provider/model.
    pub target: String,
    /// How it failed.
    pub failure: Failure,
    /// How long it took.
    pub took: Duration,
}

/// Returns the rows that decide what a provider's error is, in their order; where none of them
/// speaks up the status decides, as [`Rule::by_status`] says.
pub fn table() -> &'static [Rule] {
    rules::RULES
}
