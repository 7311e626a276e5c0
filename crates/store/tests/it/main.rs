//! The store against a real database file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

use ir::{Money, Tokens};
use store::{Attempt, Id, Outcome, Period, Settlement, Store, Used};

fn attempt(id: Id, number: u32, at_ms: i64) -> Attempt {
    Attempt {
        decision: id,
        attempt: number,
        at_ms,
        key: Some("team".into()),
        task: "summarization".into(),
        asked: "auto".into(),
        provider: "deepseek".into(),
        model: "deepseek-v4-flash".into(),
        streamed: true,
        outcome: Outcome::Answered,
        failure: None,
        fault: None,
        status: Some(200),
        used: Some(Used {
            input: Tokens(1_000),
            cached_input: Tokens(200),
            cache_write: Tokens(0),
            output: Tokens(50),
            reasoning: Tokens(10),
            counted: "reported".into(),
        }),
        cost: Some(Money(590_000)),
        prices: Some("list-1".into()),
        first_byte_us: Some(1_200),
        total_us: 5_000,
        answer: None,
    }
}

fn settlement(ms: i64, serial: u8) -> Settlement {
    let mut id = Id::from_ms(ms);
    id.0[15] = serial;
    Settlement {
        id,
        decision: format!("{{\"serial\":{serial}}}"),
        attempts: vec![attempt(id, 1, ms)],
    }
}

#[tokio::test]
async fn what_is_committed_is_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&path).unwrap();
    let told = settlement(1_700_000_000_000, 7);
    assert!(store.record(told.clone()).committed().await);

    let reader = Store::open_to_read(&path).unwrap();
    assert_eq!(reader.newest(10).unwrap(), told.attempts);
    assert_eq!(store.decision(told.id).unwrap().as_deref(), Some("{\"serial\":7}"));
    assert_eq!(Id::parse(&format!("dec_{}", told.id)), Some(told.id));
}

#[tokio::test]
async fn a_period_is_a_range_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&path).unwrap();
    for ms in [1_000, 2_000, 2_999, 3_000] {
        assert!(store.record(settlement(ms, 1)).committed().await);
    }
    let mut seen = Vec::new();
    let reader = Store::open_to_read(&path).unwrap();
    reader
        .attempts(Period { from_ms: 2_000, until_ms: 3_000 }, |row| seen.push(row.at_ms))
        .unwrap();
    assert_eq!(seen, [2_000, 2_999]);
}

#[tokio::test]
async fn a_row_recorded_twice_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&path).unwrap();
    assert!(store.record(settlement(5, 1)).committed().await);
    assert!(store.record(settlement(5, 1)).committed().await);
    store.close();
    assert_eq!(Store::open_to_read(&path).unwrap().newest(10).unwrap().len(), 1);
}

#[tokio::test]
async fn closing_commits_what_nobody_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&path).unwrap();
    for serial in 0..200 {
        drop(store.record(settlement(9, serial)));
    }
    store.close();
    assert_eq!(Store::open_to_read(&path).unwrap().newest(1_000).unwrap().len(), 200);
}

#[tokio::test]
async fn a_locked_database_delays_no_receipt_and_gets_each_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&path).unwrap();
    let blocker = rusqlite::Connection::open(&path).unwrap();
    blocker.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for serial in 0..200 {
        assert!(store.record(settlement(9, serial)).committed().await);
    }
    assert_eq!(store.health().waiting(), 0);
    let spooling = store.health().spooling().unwrap();
    assert_eq!((spooling.requests, spooling.since_ms), (200, Some(9)));
    assert!(spooling.why.unwrap().contains("locked"));
    assert_eq!(store.health().trouble(), None);
    blocker.execute_batch("COMMIT").unwrap();
    store.close();
    let rows = Store::open_to_read(&path).unwrap().newest(1_000).unwrap();
    let expected: Vec<_> = (0..200).flat_map(|serial| settlement(9, serial).attempts).collect();
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_spool_is_carried_over_by_the_next_store_as_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let blocker = rusqlite::Connection::open(&path).unwrap();
    let told = settlement(1_700_000_000_000, 7);
    let store = Store::open(&path).unwrap();
    blocker.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(store.record(told.clone()).committed().await);
    store.close();
    assert_eq!(Store::open_to_read(&path).unwrap().newest(10).unwrap(), []);
    blocker.execute_batch("COMMIT").unwrap();
    Store::open(&path).unwrap().close();
    let reader = Store::open_to_read(&path).unwrap();
    assert_eq!(reader.newest(10).unwrap(), told.attempts);
    assert_eq!(reader.decision(told.id).unwrap(), Some(told.decision));
}

#[test]
fn a_database_from_the_future_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&path).unwrap_err().to_string();
    assert!(error.contains("99"), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "these are notes, ".repeat(100)).unwrap();
    let error = Store::open(&path).unwrap_err().to_string();
    assert!(error.contains("notes.txt"), "{error}");
}
