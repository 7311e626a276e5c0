//! The ledger and the decisions: one row an attempt, one record a decision, in SQLite.
//!
//! Everything about one request is recorded at once, by a writer thread of its own that commits
//! whatever has gathered in one transaction (group commit). [`Store::record`] returns at once with
//! a [`Receipt`]; awaiting it is how the gateway knows that the rows survive a `kill -9` before the
//! client gets the last byte. Rows are only ever added. Nothing here knows HTTP, dialects or prices.
//!
//! A database that is locked, full or read-only holds nobody up: rows go to a spool beside it
//! ([`Health::spooling`] says so) and are carried over when it can be written again, each once.
//!
//! Identifiers are UUIDv7, so the primary key is the order of time: a period is a range of keys and
//! no second index is kept.

mod database;
mod health;
mod ledger;
mod migrate;
mod read;
mod rows;
mod spool;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, ErrorCode};

use self::ledger::Ledger;
use self::spool::Spool;

pub use health::{Health, Spooling};
pub use read::Period;
pub use rows::{Attempt, Id, Outcome, Settlement, Used};
pub use writer::Receipt;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened as a database.
    #[error("open the database {path}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// The schema cannot be brought up to date.
    #[error("bring the database to schema version {version}")]
    Migrate {
        /// The version that failed.
        version: i64,
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// The database was written by a newer program.
    #[error(
        "the database has schema version {found}, this program knows up to {known}: use a newer pointsman"
    )]
    Newer {
        /// The version in the file.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// Another program keeps the database for itself.
    #[error("the database is locked by another program: end it, or try again when it is done")]
    Locked(#[source] rusqlite::Error),
    /// A query failed.
    #[error("query the database")]
    Query(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(cause),
            _ => Self::Query(cause),
        }
    }
}

impl StoreError {
    fn opening(path: &Path, cause: rusqlite::Error) -> Self {
        match Self::from(cause) {
            Self::Query(cause) => Self::Open { path: path.to_owned(), cause },
            locked => locked,
        }
    }

    /// Says whether the database may be well and only out of reach for now: locked, read-only, full.
    fn may_pass(&self) -> bool {
        let cause = match self {
            Self::Open { cause, .. } | Self::Migrate { cause, .. } => cause,
            Self::Locked(cause) | Self::Query(cause) => cause,
            Self::Newer { .. } => return false,
        };
        matches!(
            cause.sqlite_error_code(),
            Some(
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::ReadOnly
                    | ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
            )
        )
    }
}

/// An open database.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Opened when it is first read.
    reader: Mutex<Option<Connection>>,
    writer: writer::Writer,
}

impl Store {
    /// Opens or creates the database and starts its writer. A database that is only out of reach
    /// for now is no error while its spool can be written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = path.to_owned();
        let open = Box::new(move |patience| database::open(&file, patience));
        let ledger = Ledger::begin(open, Spool::beside(path))?;
        let writer = writer::Writer::start(ledger);
        Ok(Self { path: path.to_owned(), reader: Mutex::new(None), writer })
    }

    /// Opens a database for reading alone; the file must be there.
    pub fn open_to_read(path: &Path) -> Result<Reader, StoreError> {
        Ok(Reader(database::open_to_read(path)?))
    }

    /// Returns where the database lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands everything about one request to the writer.
    pub fn record(&self, settlement: Settlement) -> Receipt {
        self.writer.record(settlement)
    }

    /// Says how the writer is doing.
    pub fn health(&self) -> Arc<Health> {
        self.writer.health()
    }

    /// Looks up the record of a decision.
    pub fn decision(&self, id: Id) -> Result<Option<String>, StoreError> {
        self.read(|reader| read::decision(reader, id))
    }

    /// Looks up who made an answer that a key was given, by the provider's id of it: provider and
    /// model.
    pub fn answered(
        &self,
        answer: &str,
        key: Option<&str>,
    ) -> Result<Option<(String, String)>, StoreError> {
        self.read(|reader| read::answered(reader, answer, key))
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match reader.take() {
            Some(connection) => connection,
            None => database::open_beside(&self.path)?,
        };
        // A connection that failed is not used again: the file may have been replaced.
        let found = query(&connection)?;
        *reader = Some(connection);
        Ok(found)
    }

    /// Commits what is left and stops the writer.
    pub fn close(self) {
        self.writer.close();
    }
}

/// A database open for reading.
#[derive(Debug)]
pub struct Reader(Connection);

impl Reader {
    /// Walks the attempts of a period in order of time.
    pub fn attempts(&self, period: Period, each: impl FnMut(Attempt)) -> Result<(), StoreError> {
        Ok(read::attempts(&self.0, period, each)?)
    }

    /// Returns the newest attempts, oldest of them first.
    pub fn newest(&self, most: usize) -> Result<Vec<Attempt>, StoreError> {
        Ok(read::newest(&self.0, most)?)
    }

    /// Looks up the record of a decision.
    pub fn decision(&self, id: Id) -> Result<Option<String>, StoreError> {
        Ok(read::decision(&self.0, id)?)
    }
}
