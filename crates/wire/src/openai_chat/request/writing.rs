//! What a request is written with: how its host differs, what got lost, what must be taken back.
//!
//! Each quirk is read in one function, most of them here.

use ir::dialect::{CacheMarks, CallIds};
use ir::{CacheMark, Dialect, Quirks};

use crate::losses::Losses;
use crate::openai_chat::custom;
use crate::{Undo, ids};

/// The most letters of a call's id that OpenAI takes.
const LONGEST_ID: usize = 40;

/// A request being written.
pub(in crate::openai_chat) struct Writing {
    pub(in crate::openai_chat) quirks: Quirks,
    pub(in crate::openai_chat) losses: Losses,
    pub(in crate::openai_chat) undo: Undo,
}

impl Writing {
    pub(super) fn new(spoken: Dialect, quirks: Quirks) -> Self {
        let losses = Losses::new(Dialect::OpenaiChat, spoken);
        Self { quirks, losses, undo: Undo::default() }
    }

    /// Returns the mark that may be written: at home as it came, abroad where the host takes marks.
    pub(in crate::openai_chat) fn cache<'m>(
        &mut self,
        path: &str,
        mark: Option<&'m CacheMark>,
    ) -> Option<&'m CacheMark> {
        let mark = mark?;
        if self.losses.home() || self.quirks.cache_marks == CacheMarks::CacheControl {
            return Some(mark);
        }
        self.losses.because(format!("{path}.cache"), "this host takes no prompt-cache marks");
        None
    }

    /// Returns whether tools of free text are told as functions.
    pub(super) fn as_functions(&self) -> bool {
        custom::as_functions(self.quirks, self.losses.home())
    }

    /// Returns the id of a call as the host takes it; a call and its result get the same.
    pub(super) fn call_id(&self, id: &str) -> String {
        match self.quirks.call_ids {
            CallIds::Nine => ids::nine(id),
            CallIds::Any if self.losses.home() => id.to_owned(),
            CallIds::Any => ids::fit(id, LONGEST_ID),
        }
    }
}
