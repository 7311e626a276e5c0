//! Cohere's `/v2/chat`, the client half: spoken to it, never to us.
//!
//! Sources: Cohere's published OpenAPI description and recorded traffic. The plan before tool calls
//! is a thought that remembers it was one, and goes back as a plan. No client speaks this dialect,
//! so what a request kept of its own dialect has no home here.
//!
//! Read into one: an empty text and none; a content that is a string and one that is a list with
//! one text. Usage is what the model read and wrote (`tokens`); what Cohere bills (`billed_units`,
//! without its own preamble) stays beside it.

pub mod events;
pub mod request;
pub mod response;

mod message;

use ir::{Dialect, Opaque, RawJson};

/// What a thought carries that was a plan.
fn plan() -> Opaque {
    let raw = RawJson::parse("{\"tool_plan\":true}".to_owned());
    let raw = raw.expect("invariant: written here as JSON");
    Opaque { dialect: Dialect::CohereV2, raw }
}
