//! Reading rows back.

use ir::{Money, Tokens};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::rows::{Attempt, Id, Outcome, Used};

/// A period of time, in milliseconds since 1970 UTC: from the first, up to and without the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its beginning.
    pub from_ms: i64,
    /// Its end.
    pub until_ms: i64,
}

pub(crate) fn decision(connection: &Connection, id: Id) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT record FROM decisions WHERE decision = ?1")?
        .query_row(params![id.0], |row| row.get(0))
        .optional()
}

pub(crate) fn answered(
    connection: &Connection,
    answer: &str,
    key: Option<&str>,
) -> rusqlite::Result<Option<(String, String)>> {
    connection
        .prepare_cached(
            "SELECT provider, model FROM answers WHERE answer = ?1 AND key = ?2 \
             ORDER BY at_ms DESC LIMIT 1",
        )?
        .query_row(params![answer, key.unwrap_or("")], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

pub(crate) fn attempts(
    connection: &Connection,
    period: Period,
    mut each: impl FnMut(Attempt),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM attempts WHERE decision >= ?1 AND decision < ?2 ORDER BY decision, attempt",
    )?;
    let bounds = params![Id::from_ms(period.from_ms).0, Id::from_ms(period.until_ms).0];
    let mut rows = statement.query(bounds)?;
    while let Some(row) = rows.next()? {
        each(attempt(row)?);
    }
    Ok(())
}

pub(crate) fn newest(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Attempt>> {
    let mut statement = connection
        .prepare_cached("SELECT * FROM attempts ORDER BY decision DESC, attempt DESC LIMIT ?1")?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![most], attempt)?;
    let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    found.reverse();
    Ok(found)
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let tokens = |name: &str| -> rusqlite::Result<Tokens> {
        let count: Option<i64> = row.get(name)?;
        Ok(Tokens(u64::try_from(count.unwrap_or(0)).unwrap_or(0)))
    };
    let counted: Option<String> = row.get("counted")?;
    let used = match counted {
        None => None,
        Some(counted) => Some(Used {
            input: tokens("input")?,
            cached_input: tokens("cached_input")?,
            cache_write: tokens("cache_write")?,
            output: tokens("output")?,
            reasoning: tokens("reasoning")?,
            counted,
        }),
    };
    let outcome: String = row.get("outcome")?;
    Ok(Attempt {
        decision: Id(row.get("decision")?),
        attempt: row.get("attempt")?,
        at_ms: row.get("at_ms")?,
        key: row.get("key")?,
        task: row.get("task")?,
        asked: row.get("asked")?,
        provider: row.get("provider")?,
        model: row.get("model")?,
        streamed: row.get("streamed")?,
        outcome: Outcome::named(&outcome).unwrap_or(Outcome::Failed),
        failure: row.get("failure")?,
        fault: row.get("fault")?,
        status: row.get("status")?,
        used,
        cost: row.get::<_, Option<i64>>("cost_nano")?.map(Money),
        prices: row.get("prices")?,
        first_byte_us: row.get("first_byte_us")?,
        total_us: row.get("total_us")?,
        answer: None,
    })
}
