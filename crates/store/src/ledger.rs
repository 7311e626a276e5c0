//! The ledger as its writer keeps it: in the database, or in the spool while the database cannot be
//! written. Decides where a batch goes; starts no thread and waits for nothing but a lock's moment.
//!
//! While the spool holds something, new batches follow it there, so that one place is the newest.
//! It is carried over part by part, and new batches are kept in between. A part that was committed
//! and not yet forgotten is committed again by the next process: rows that are there stay as they
//! are, so each is there once.

use std::error::Error;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::StoreError;
use crate::database::{self, Survives};
use crate::rows::Settlement;
use crate::spool::Spool;

/// The most settlements in one transaction.
pub(crate) const BATCH: usize = 1_000;

/// How long a database that could not be written is left alone.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// How long the first opening waits for a lock.
const PATIENCE: Duration = Duration::from_secs(1);

/// Opens the database; it waits this long for a lock.
pub(crate) type Open = Box<dyn Fn(Duration) -> Result<Connection, StoreError> + Send>;

/// Where settlements are kept.
pub(crate) struct Ledger {
    open: Open,
    /// Closed after every failure: a file that was replaced or could only be read is found anew.
    database: Option<Connection>,
    spool: Spool,
    broken: Option<Broken>,
}

/// A database that could not be written.
struct Broken {
    why: String,
    again: Instant,
}

impl Ledger {
    /// Opens the database, or else its spool where the database may come back.
    pub(crate) fn begin(open: Open, spool: Spool) -> Result<Self, StoreError> {
        let mut ledger = Self { open, database: None, spool, broken: None };
        match (ledger.open)(PATIENCE) {
            Ok(database) => ledger.database = Some(database),
            Err(error) if error.may_pass() && ledger.spool.probe().is_ok() => {
                ledger.fail(chain(&error));
            }
            Err(error) => return Err(error),
        }
        if let Err(error) = ledger.spool.find() {
            tracing::warn!(%error, "the ledger's spool cannot be read");
        }
        Ok(ledger)
    }

    /// Keeps a batch where it outlives the process, or says why it cannot.
    pub(crate) fn keep(&mut self, batch: &[&Settlement]) -> Result<(), String> {
        if batch.is_empty() {
            return Ok(());
        }
        if self.spool.is_empty() && self.is_due() {
            match self.commit(batch, Survives::Kill) {
                Ok(()) => {
                    self.broken = None;
                    return Ok(());
                }
                Err(why) => self.fail(why),
            }
        }
        self.spool.append(batch).map_err(|error| {
            let why = self.trouble().unwrap_or("it is behind its spool");
            format!("{why}; its spool cannot be written: {error}")
        })
    }

    /// Carries the oldest part of the spool into the database, or tries whether it can be written
    /// again, when its time has come; says whether that went well.
    pub(crate) fn catch_up(&mut self) -> bool {
        let caught_up = self.spool.is_empty() && self.broken.is_none();
        if caught_up || !self.is_due() {
            return false;
        }
        match self.carry() {
            Ok(()) => {
                self.broken = None;
                true
            }
            Err(why) => {
                self.fail(why);
                false
            }
        }
    }

    /// Carries over what it can within a time.
    pub(crate) fn finish(&mut self, within: Duration) {
        let until = Instant::now() + within;
        if let Some(broken) = &mut self.broken {
            broken.again = Instant::now();
        }
        while Instant::now() < until && self.catch_up() {}
        if !self.spool.is_empty() {
            let requests = self.spool.left();
            tracing::warn!(requests, "the ledger's spool is carried over by the next start");
        }
    }

    /// Returns how long to wait at most for a batch before catching up; `None` where there is
    /// nothing to catch up with.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match &self.broken {
            Some(broken) => Some(broken.again.saturating_duration_since(Instant::now())),
            None if !self.spool.is_empty() => Some(Duration::ZERO),
            None => None,
        }
    }

    /// Returns how many settlements wait in the spool, and when the oldest began.
    pub(crate) fn spooled(&self) -> (u64, Option<i64>) {
        (self.spool.left(), self.spool.oldest_ms())
    }

    /// Returns why the database could not be written when it was last tried.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.broken.as_ref().map(|broken| broken.why.as_str())
    }

    fn carry(&mut self) -> Result<(), String> {
        if self.spool.is_empty() {
            return self.commit(&[], Survives::Kill);
        }
        let unread = |error| format!("its spool cannot be read: {error}");
        let part = self.spool.read(BATCH).map_err(unread)?;
        let batch: Vec<&Settlement> = part.settlements.iter().collect();
        self.commit(&batch, Survives::PowerCut)?;
        self.spool.forget(part).map_err(|error| format!("its spool cannot be emptied: {error}"))?;
        if self.spool.is_empty() {
            tracing::info!("the ledger's database has all rows of the spool");
        }
        Ok(())
    }

    fn commit(&mut self, batch: &[&Settlement], what: Survives) -> Result<(), String> {
        let mut database = match self.database.take() {
            Some(database) => database,
            None => (self.open)(Duration::ZERO).map_err(|error| chain(&error))?,
        };
        database::commit(&mut database, batch, what).map_err(|error| error.to_string())?;
        self.database = Some(database);
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.broken.as_ref().is_none_or(|broken| broken.again <= Instant::now())
    }

    fn fail(&mut self, why: String) {
        if self.broken.as_ref().is_none_or(|broken| broken.why != why) {
            tracing::error!(why, "the ledger's database cannot be written; rows go to its spool");
        }
        self.broken = Some(Broken { why, again: Instant::now() + PAUSE });
    }
}

/// Tells an error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told += &format!(": {error}");
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests;
