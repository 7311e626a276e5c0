//! The schema, one step a version, forward only; the version is SQLite's `user_version`.

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// The steps in order: a released one is never edited.
const STEPS: &[&str] =
    &[include_str!("migrate/001_ledger.sql"), include_str!("migrate/002_answers.sql")];

/// Brings the database to the newest version.
pub(crate) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        let done = check(connection)?;
        let Some(step) = usize::try_from(done).ok().and_then(|done| STEPS.get(done)) else {
            return Ok(());
        };
        let version = done + 1;
        apply(connection, version, step).map_err(|cause| StoreError::Migrate { version, cause })?;
    }
}

/// Two processes may start at once: the second finds the version moved and does nothing.
fn apply(connection: &mut Connection, version: i64, step: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if user_version(&transaction)? < version {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    transaction.commit()
}

/// Returns the database's version, or refuses one from the future.
pub(crate) fn check(connection: &Connection) -> Result<i64, StoreError> {
    let found = user_version(connection)?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
