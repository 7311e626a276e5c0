//! How long an answer may be.

use crate::{Finding, Unit};

/// The lengths that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// What the configuration says.
    pub(crate) fixed: Option<Band>,
    /// Whether the prompt is read too.
    pub(crate) from_prompt: bool,
}

/// From here to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) unit: Unit,
}

pub(crate) fn check(_length: &Length, _prompt: &str, _text: &str) -> Finding {
    Finding::pass("length", "")
}
