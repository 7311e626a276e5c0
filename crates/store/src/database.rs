//! The database's file: opening it, and writing settlements into it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OpenFlags, Transaction, TransactionBehavior, params};

use crate::rows::{Attempt, Settlement};
use crate::{StoreError, migrate};

/// How long a commit waits for a lock. Answers wait for commits, so a database that somebody else
/// holds for longer is one that cannot be written.
const BUSY: Duration = Duration::from_millis(100);

/// How long a read waits for a lock. In WAL mode none is in its way, but for a program that wants
/// the file for itself.
const READ_BUSY: Duration = Duration::from_secs(1);

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survives {
    /// A killed process: it is in the operating system's hands. A power cut may take the last
    /// moments.
    Kill,
    /// A power cut as well: it is on the disk.
    PowerCut,
}

/// Opens or creates the database for writing; `patience` is for locks.
pub(crate) fn open(path: &Path, patience: Duration) -> Result<Connection, StoreError> {
    let failed = |cause| StoreError::opening(path, cause);
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(patience).map_err(failed)?;
    prepare(&connection).map_err(failed)?;
    migrate::run(&mut connection)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    Ok(connection)
}

/// Readers never wait for the writer (WAL).
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // The tail of both tables is written again and again: move it to the file less often.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    cache(connection)
}

/// 2 MiB of page cache a connection: the tail of two tables is all that is hot.
fn cache(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -2048)
}

/// Opens the database of a running writer for reading.
pub(crate) fn open_beside(path: &Path) -> Result<Connection, StoreError> {
    // Read and write, as the writer does: a reader may have to make the index of the WAL anew.
    open_to_look(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens a database for reading alone; the file must be there.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_to_look(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    migrate::check(&connection)?;
    Ok(connection)
}

fn open_to_look(path: &Path, how: OpenFlags) -> Result<Connection, StoreError> {
    let failed = |cause| StoreError::opening(path, cause);
    let flags = how | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(READ_BUSY).map_err(failed)?;
    cache(&connection).map_err(failed)?;
    Ok(connection)
}

/// Writes settlements in one transaction. Rows that are there already are left as they are.
pub(crate) fn commit(
    connection: &mut Connection,
    batch: &[&Settlement],
    what: Survives,
) -> rusqlite::Result<()> {
    if what == Survives::PowerCut {
        connection.pragma_update(None, "synchronous", "FULL")?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    write(&transaction, batch)?;
    transaction.commit()?;
    if what == Survives::PowerCut {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
    }
    Ok(())
}

fn write(transaction: &Transaction<'_>, batch: &[&Settlement]) -> rusqlite::Result<()> {
    let mut decision = transaction
        .prepare_cached("INSERT OR IGNORE INTO decisions (decision, record) VALUES (?1, ?2)")?;
    let mut attempt = transaction.prepare_cached(
        "INSERT OR IGNORE INTO attempts VALUES \
         (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23)",
    )?;
    let mut answer =
        transaction.prepare_cached("INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for settlement in batch {
        decision.execute(params![settlement.id.0, settlement.decision])?;
        for row in &settlement.attempts {
            insert(&mut attempt, row)?;
            if let Some(id) = &row.answer {
                let key = row.key.as_deref().unwrap_or("");
                answer.execute(params![id, row.provider, row.model, key, row.at_ms])?;
            }
        }
    }
    Ok(())
}

fn insert(statement: &mut CachedStatement<'_>, row: &Attempt) -> rusqlite::Result<usize> {
    let tokens = |tokens: ir::Tokens| i64::try_from(tokens.0).unwrap_or(i64::MAX);
    let used = row.used.as_ref();
    statement.execute(params![
        row.decision.0,
        row.attempt,
        row.at_ms,
        row.key,
        row.task,
        row.asked,
        row.provider,
        row.model,
        row.streamed,
        row.outcome.name(),
        row.failure,
        row.fault,
        row.status,
        used.map(|used| tokens(used.input)),
        used.map(|used| tokens(used.cached_input)),
        used.map(|used| tokens(used.cache_write)),
        used.map(|used| tokens(used.output)),
        used.map(|used| tokens(used.reasoning)),
        used.map(|used| used.counted.as_str()),
        row.cost.map(|cost| cost.0),
        row.prices,
        row.first_byte_us,
        row.total_us,
    ])
}
