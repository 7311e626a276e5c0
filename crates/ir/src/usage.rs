//! What an attempt used. One meaning for every dialect: `input` includes what was read from and
//! written to a cache, `output` includes reasoning; the sub-counts are "of which". Readers convert.

use crate::{Extras, Tokens};

/// The tokens of one attempt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Usage {
    /// Everything the model read, cached or not.
    pub input: Tokens,
    /// Of `input`: read from a prompt cache.
    pub cached_input: Tokens,
    /// Of `input`: written to a prompt cache.
    pub cache_write: Tokens,
    /// Everything the model wrote, reasoning included.
    pub output: Tokens,
    /// Of `output`: reasoning.
    pub reasoning: Tokens,
    /// Who counted.
    pub counted: Counted,
    /// What else the provider said about usage, in its own dialect.
    pub extras: Extras,
}

/// Who counted the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counted {
    /// The provider.
    #[default]
    Reported,
    /// The gateway, from the size of what was sent and received.
    Estimated,
}

impl Counted {
    /// Returns the word used in the ledger and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Estimated => "estimated",
        }
    }
}
