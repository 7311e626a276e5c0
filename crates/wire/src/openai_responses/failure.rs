//! Failures: the error inside a success, and a failure to a client's error body.

use ir::{Failure, Kind};

use crate::failures::{self, Context};
use crate::fields::Fields;

/// Finds the error inside an answer whose status was 200: an error of its own, or an answer whose
/// status says that it failed.
pub(super) fn in_success(family: &str, fields: &Fields<'_, '_>) -> Option<Failure> {
    let error = fields.peek("error").filter(|error| error.get() != "null");
    if let Some(error) = error {
        let body = format!("{{\"error\":{}}}", error.get());
        return Some(failures::inside(family, 200, body.as_bytes()));
    }
    let failed = fields.peek("status").is_some_and(|status| status.get() == "\"failed\"");
    failed.then(|| Failure::new(Kind::ProviderError, "the provider failed without saying why"))
}

/// Writes a failure in OpenAI's one envelope, which both of its dialects share.
pub fn write(failure: &Failure, context: &Context) -> (u16, Vec<u8>) {
    crate::openai_chat::failure::write(failure, context)
}
