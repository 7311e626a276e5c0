//! Gathering what a conversation says and a dialect cannot.

use ir::{Dialect, Extras, Loss, Opaque};

/// The losses of one request while it is written.
pub(crate) struct Losses {
    here: Dialect,
    spoken: Dialect,
    found: Vec<Loss>,
}

impl Losses {
    /// Begins for a request spoken in one dialect and written in another.
    pub(crate) fn new(here: Dialect, spoken: Dialect) -> Self {
        Self { here, spoken, found: Vec::new() }
    }

    /// Returns whether the request is written in the dialect it was spoken in, so that its extras
    /// are at home.
    pub(crate) fn home(&self) -> bool {
        self.here == self.spoken
    }

    /// Returns the extras that may be written: all of them at home; abroad each is a loss.
    pub(crate) fn extras<'e>(&mut self, path: &str, extras: &'e Extras) -> Option<&'e Extras> {
        if self.home() {
            return Some(extras);
        }
        for (name, _) in extras.iter() {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            self.lose(path);
        }
        None
    }

    /// Returns what is opaque when it belongs to this dialect; otherwise it is a loss.
    pub(crate) fn opaque<'o>(&mut self, path: &str, opaque: &'o Opaque) -> Option<&'o Opaque> {
        if opaque.dialect == self.here {
            return Some(opaque);
        }
        let why = format!("only {} understands it", opaque.dialect.name());
        self.because(path, why);
        None
    }

    /// Notes something that has no field here.
    pub(crate) fn lose(&mut self, path: impl Into<String>) {
        let why = format!("{} has no field for it", self.here.name());
        self.because(path, why);
    }

    /// Notes something that could not be said, and why.
    pub(crate) fn because(&mut self, path: impl Into<String>, why: impl Into<String>) {
        self.found.push(Loss { path: path.into(), why: why.into() });
    }

    /// Returns what was lost.
    pub(crate) fn done(self) -> Vec<Loss> {
        self.found
    }
}
