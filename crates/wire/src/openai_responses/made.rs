//! Ids made for answers and items that came without one, because every client of this dialect needs
//! them. They are recognised when the conversation returns, and never reach a provider.

use crate::ids;

/// What made ids hold after their prefix.
const MADE: &str = "_pm";

/// Makes the ids of one answer: the same answer always gets the same ones.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Maker(u64);

impl Maker {
    /// Begins for an answer as its provider names it.
    pub(super) fn of(id: Option<&str>, model: Option<&str>, created: Option<u64>) -> Self {
        let named = format!(
            "{}\n{}\n{}",
            id.unwrap_or_default(),
            model.unwrap_or_default(),
            created.unwrap_or_default()
        );
        Self(ids::digest(&named))
    }

    /// Makes the id of the answer itself.
    pub(super) fn answer(self) -> String {
        format!("resp{MADE}{:016x}00", self.0)
    }

    /// Makes the id of an item, counted from 0.
    pub(super) fn item(self, prefix: &str, nth: usize) -> String {
        format!("{prefix}{MADE}{:016x}{nth:02x}", self.0)
    }
}

/// Returns whether an id was made here.
pub(super) fn made(id: &str) -> bool {
    let rest = id.split_once(MADE).map(|(_, rest)| rest);
    rest.is_some_and(|rest| rest.len() >= 18 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
