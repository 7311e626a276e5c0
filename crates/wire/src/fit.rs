//! Bringing a conversation of one dialect into what another takes, before it is written there: what
//! is the same for every codec stands here once. A conversation that fits is not copied.
//!
//! At home nothing is touched, but for marks that were made here.

mod names;
mod settings;
mod turns;
mod unsigned;

use std::borrow::Cow;

use ir::{Dialect, Loss, Quirks, Request};

pub use names::Renamed;
pub(crate) use unsigned::{Unsigned, marked};

/// A conversation that fits.
pub(crate) struct Fitted<'r> {
    pub(crate) request: Cow<'r, Request>,
    pub(crate) losses: Vec<Loss>,
    pub(crate) renamed: Renamed,
}

/// Fits a conversation.
pub(crate) fn fit<'r>(dialect: Dialect, request: &'r Request, quirks: Quirks) -> Fitted<'r> {
    let mut fitted =
        Fitted { request: Cow::Borrowed(request), losses: Vec::new(), renamed: Renamed::default() };
    unsigned::unmark(dialect, &mut fitted);
    if request.spoken == dialect {
        return fitted;
    }
    turns::fit(dialect, &mut fitted);
    settings::fit(dialect, quirks, &mut fitted);
    names::fit(dialect, &mut fitted);
    fitted
}

impl Fitted<'_> {
    /// Notes something that could not be said as it was.
    fn lose(&mut self, path: impl Into<String>, why: &str) {
        self.losses.push(Loss { path: path.into(), why: why.to_owned() });
    }
}
