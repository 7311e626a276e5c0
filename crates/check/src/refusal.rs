//! Whether an answer is a refusal.

use crate::{Answer, Finding};

pub(crate) fn check(_answer: &Answer<'_>) -> Finding {
    Finding::pass("refusal", "")
}
