//! Pins: what a request holds that not every target can honour.
//!
//! A firm pin leaves only those who can; a loose one puts them first, and the others go on without
//! what they cannot honour, which is a loss that the caller sees.

use std::fmt;

use catalog::Found;
use ir::Dialect;

/// Something that not every target can honour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The field that holds it.
    pub field: &'static str,
    /// Who can honour it.
    pub to: To,
    /// Whether the request is nothing without it.
    pub grip: Grip,
}

/// Who can honour a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// The provider that has it: by its id, with the model that was asked.
    Provider {
        /// The provider's id.
        provider: String,
        /// The model that answered there.
        model: String,
    },
    /// Whoever speaks the dialect it is spelled in.
    Dialect(Dialect),
}

/// How firmly a pin holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    /// Nobody else may answer.
    Firm,
    /// Others may, without it.
    Loose,
}

impl Pin {
    /// Returns whether a target can honour it. A provider's own state is only reached in the
    /// dialect it was made in.
    pub(crate) fn honoured_by(&self, target: &Found) -> bool {
        let speaks = |dialect| target.spoken().iter().any(|spoken| spoken.dialect == dialect);
        match &self.to {
            To::Provider { provider, .. } => {
                target.provider.id == *provider && speaks(Dialect::OpenaiResponses)
            }
            To::Dialect(dialect) => speaks(*dialect),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            To::Provider { provider, model } => {
                write!(f, "`{}` names an answer of {provider}/{model}", self.field)
            }
            To::Dialect(dialect) => {
                write!(f, "only providers that speak {} know `{}`", dialect.name(), self.field)
            }
        }
    }
}
