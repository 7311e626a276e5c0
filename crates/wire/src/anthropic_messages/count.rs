//! `/messages/count_tokens`: the request is one for an answer without its cap, the answer a number.

use ir::Tokens;

use crate::json;

/// Writes the answer to a request that asked for a count.
pub fn write(input: Tokens) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    json::object(&mut bytes, |body| body.field("input_tokens", &input.0));
    bytes
}
