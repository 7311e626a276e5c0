//! How the writer is doing, for whoever asks: `/health/ready`, the backlog, the end of the program.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ledger::Ledger;

/// How the writer is doing.
#[derive(Debug, Default)]
pub struct Health {
    waiting: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    trouble: Option<String>,
    spooling: Option<Spooling>,
}

/// What the spool holds while the database cannot be written or has not caught up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooling {
    /// How many requests' rows.
    pub requests: u64,
    /// When the oldest of them began, in milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// Why the database cannot be written; `None` while it catches up.
    pub why: Option<String>,
}

impl Health {
    /// Returns how many settlements are kept nowhere yet but in memory.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Returns why rows can be kept nowhere, when that is so.
    pub fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Returns what the spool holds, while the database does not have it all.
    pub fn spooling(&self) -> Option<Spooling> {
        self.state().spooling.clone()
    }

    pub(crate) fn add_waiting(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn take_waiting(&self, kept: usize) {
        self.waiting.fetch_sub(kept as u64, Ordering::Relaxed);
    }

    /// Notes that rows can be kept nowhere.
    pub(crate) fn fail(&self, why: String) {
        self.state().trouble = Some(why);
    }

    /// Notes where rows are, once all that came are kept.
    pub(crate) fn note(&self, ledger: &Ledger) {
        let (requests, since_ms) = ledger.spooled();
        let why = ledger.trouble().map(str::to_owned);
        let spooling =
            (requests > 0 || why.is_some()).then_some(Spooling { requests, since_ms, why });
        *self.state() = State { trouble: None, spooling };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
