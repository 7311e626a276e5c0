//! Why a target is not to be asked, and when again.

use std::time::Duration;

use ir::Kind;

/// Why a target is not to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its circuit is open, or its probes are out.
    Open,
    /// It refused for rate, and said for how long.
    Throttled,
    /// It refused for rate, and how long is a guess.
    Cooling,
    /// It refused the credential.
    Retired(Kind),
    /// As many attempts as it bears are out.
    Busy,
}

impl Why {
    /// Returns how bad it is, by what would have to change.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Open | Self::Throttled | Self::Cooling => 0,
            Self::Busy => 1,
            Self::Retired(_) => 2,
        }
    }
}

/// A target is not to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: Why,
    /// After how long it may be, where that is known.
    pub again: Option<Duration>,
}
