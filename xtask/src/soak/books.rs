//! The ledger after a soak, row by row, and each decision beside its rows.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use store::{Attempt, Id, Period, Reader, Store};

use super::scenarios::LEAVE;

/// What the ledger says.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) rows: u64,
    /// Rows by provider.
    pub(super) by_provider: BTreeMap<String, u64>,
    /// Decisions, those of early leavers not among them.
    pub(super) decisions: u64,
    /// Decisions of early leavers.
    pub(super) left_early: u64,
    /// Attempts that the decisions' records tell.
    pub(super) told: u64,
    /// Decisions whose record is missing or tells other attempts than its rows.
    pub(super) differ: u64,
}

/// A decision, as far as it matters here.
#[derive(Deserialize)]
struct Decision {
    attempts: Vec<IgnoredAny>,
}

impl Books {
    /// Reads the whole ledger, one decision at a time.
    pub(super) fn read(ledger: &Path) -> anyhow::Result<Self> {
        let reader = Store::open_to_read(ledger)?;
        let mut books = Self::default();
        let mut group: Vec<Attempt> = Vec::new();
        let mut failed = None;
        reader.attempts(Period { from_ms: 0, until_ms: i64::MAX }, |row| {
            if group.first().is_some_and(|first| first.decision != row.decision) {
                failed = failed.take().or(books.close(&reader, &group).err());
                group.clear();
            }
            group.push(row);
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        books.close(&reader, &group)?;
        Ok(books)
    }

    /// Counts the rows of one decision, which come in the order of their numbers.
    fn close(&mut self, reader: &Reader, group: &[Attempt]) -> anyhow::Result<()> {
        let Some(first) = group.first() else { return Ok(()) };
        self.rows += group.len() as u64;
        if first.task == LEAVE {
            self.left_early += 1
        } else {
            self.decisions += 1
        }
        for row in group {
            *self.by_provider.entry(row.provider.clone()).or_default() += 1;
        }
        let told = told(reader, first.decision)?;
        self.told += told.unwrap_or(0) as u64;
        let numbered = group.iter().zip(1..).all(|(row, number)| row.attempt == number);
        if told != Some(group.len()) || !numbered {
            self.differ += 1;
        }
        Ok(())
    }
}

fn told(reader: &Reader, id: Id) -> anyhow::Result<Option<usize>> {
    let Some(record) = reader.decision(id)? else { return Ok(None) };
    let decision: Decision = serde_json::from_str(&record)?;
    Ok(Some(decision.attempts.len()))
}
