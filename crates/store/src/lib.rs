//! The ledger and the decisions: one row an attempt, one record a decision, in SQLite.
//!
//! Everything about one request is recorded at once, by a writer thread of its own that commits
//! whatever has gathered in one transaction (group commit). [`Store::record`] returns at once with
//! a [`Receipt`]; awaiting it is how the gateway knows that the rows survive a `kill -9` before the
//! client gets the last byte. Rows are only ever added. Nothing here knows HTTP, dialects or prices.
//!
//! Identifiers are UUIDv7, so the primary key is the order of time: a period is a range of keys and
//! no second index is kept.

mod migrate;
mod read;
mod rows;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

pub use read::Period;
pub use rows::{Attempt, Id, Outcome, Settlement, Used};
pub use writer::{Health, Receipt};

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
    /// A query failed.
    #[error("query the database")]
    Query(#[from] rusqlite::Error),
}

/// An open database.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    reader: Mutex<Connection>,
    writer: writer::Writer,
}

impl Store {
    /// Opens or creates the database and starts its writer.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = |cause| StoreError::Open { path: path.to_owned(), cause };
        let mut connection = Connection::open(path).map_err(open)?;
        prepare(&connection).map_err(open)?;
        migrate::run(&mut connection)?;
        let reader = Connection::open(path).map_err(open)?;
        prepare(&reader).map_err(open)?;
        let writer = writer::Writer::start(connection);
        Ok(Self { path: path.to_owned(), reader: Mutex::new(reader), writer })
    }

    /// Opens a database for reading alone; the file must be there.
    pub fn open_to_read(path: &Path) -> Result<Reader, StoreError> {
        let open = |cause| StoreError::Open { path: path.to_owned(), cause };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(open)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(open)?;
        migrate::check(&connection)?;
        Ok(Reader(connection))
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
        let reader = self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(read::decision(&reader, id)?)
    }

    /// Looks up who made an answer that a key was given, by the provider's id of it: provider and
    /// model.
    pub fn answered(
        &self,
        answer: &str,
        key: Option<&str>,
    ) -> Result<Option<(String, String)>, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(read::answered(&reader, answer, key)?)
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

/// Readers never wait for the writer (WAL). A commit is in the operating system's hands when it
/// returns, so a killed process loses nothing; a power cut may lose the last moments.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // The tail of both tables is written again and again: move it to the file less often.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    // 2 MiB of page cache a connection: the tail of two tables is all that is hot.
    connection.pragma_update(None, "cache_size", -2048)
}
