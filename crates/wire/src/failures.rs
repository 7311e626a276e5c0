//! What an error answer says beyond its failure: which attempts were made, and the request's id.

use std::time::Duration;

use ir::Failure;

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
