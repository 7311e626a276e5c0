//! What a request demands of a model, against what the catalogue knows of it. Where the catalogue
//! does not know, nobody is passed over.

use catalog::{Ability, Found};
use ir::Tokens;

/// What a request demands of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// It must look at pictures.
    pub images: bool,
    /// It must call tools.
    pub tools: bool,
    /// Its window must hold so many tokens at the very least.
    pub window: Tokens,
}

/// Something a model cannot do for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// Pictures.
    Images,
    /// Tools.
    Tools,
    /// Room.
    Window,
}

impl Lacks {
    /// Says it of a model.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Images => "does not look at pictures",
            Self::Tools => "does not call tools",
            Self::Window => "has too small a window for the conversation",
        }
    }
}

impl Needs {
    /// Returns what a target cannot do, as far as the catalogue knows.
    pub(crate) fn lacked_by(&self, target: &Found) -> Option<Lacks> {
        let model = &target.model;
        let cannot = |ability| model.can.as_ref().is_some_and(|can| !can.contains(&ability));
        if self.images && cannot(Ability::Images) {
            return Some(Lacks::Images);
        }
        if self.tools && cannot(Ability::Tools) {
            return Some(Lacks::Tools);
        }
        model.context.is_some_and(|window| window < self.window).then_some(Lacks::Window)
    }
}
