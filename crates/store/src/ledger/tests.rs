//! The ledger under every order of failing, healing and dying: what was acknowledged is there, once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use proptest::test_runner::Config;
use tempfile::TempDir;

use super::*;
use crate::database;
use crate::rows::{Attempt, Id, Outcome};

/// What is wrong with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    ReadOnly,
    Full,
    /// As at the start of a process: it cannot even be opened.
    Locked,
}

/// A folder with a ledger that can be broken and killed.
struct Desk {
    folder: TempDir,
    wrong: Arc<AtomicU8>,
    ledger: Ledger,
    acknowledged: BTreeSet<u32>,
    serial: u32,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wrong = Arc::new(AtomicU8::new(0));
        let ledger = begin(&folder, &wrong).unwrap();
        Self { folder, wrong, ledger, acknowledged: BTreeSet::new(), serial: 0 }
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("ledger.db{ending}"))
    }

    fn set(&mut self, wrong: Wrong) {
        self.wrong.store(wrong as u8, Ordering::SeqCst);
        // A fault shows on the connection in use as well as on new ones.
        if let Some(database) = &self.ledger.database {
            let _ = spoil(database, wrong as u8);
        }
    }

    /// Breaks the database for whoever opens it next.
    fn set_unopened(&mut self, wrong: Wrong) {
        self.wrong.store(wrong as u8, Ordering::SeqCst);
    }

    fn record(&mut self, count: u32) -> Result<(), String> {
        let batch: Vec<Settlement> = (self.serial..self.serial + count).map(settlement).collect();
        self.serial += count;
        self.ledger.keep(&batch.iter().collect::<Vec<_>>())?;
        self.acknowledged.extend(batch.iter().map(serial));
        Ok(())
    }

    /// The process dies and another one starts.
    fn crash(&mut self) {
        let spool = Spool::beside(&self.path(".none"));
        self.ledger.database = None;
        self.ledger.spool = spool;
        self.ledger = begin(&self.folder, &self.wrong).unwrap();
    }

    /// Tries at once what would be tried after a pause.
    fn catch_up(&mut self) -> bool {
        if let Some(broken) = &mut self.ledger.broken {
            broken.again = Instant::now();
        }
        self.ledger.catch_up()
    }

    fn heal(&mut self) {
        self.set(Wrong::Nothing);
        while self.catch_up() {}
    }

    fn rows(&self) -> Vec<u32> {
        let connection = Connection::open(self.path("")).unwrap();
        let mut query = connection.prepare("SELECT total_us FROM attempts ORDER BY 1").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Every acknowledged row is in the database or in the spool.
    fn check(&self) {
        let mut found: BTreeSet<u32> = self.rows().into_iter().collect();
        let text = std::fs::read_to_string(self.path(".spool")).unwrap_or_default();
        let spooled = text.lines().filter_map(|line| {
            let (_, json) = line.split_once(' ')?;
            let line: serde_json::Value = serde_json::from_str(json).ok()?;
            u32::try_from(line["attempts"][0]["total_us"].as_u64()?).ok()
        });
        found.extend(spooled);
        let lost: Vec<_> = self.acknowledged.difference(&found).collect();
        assert_eq!(lost, Vec::<&u32>::new());
    }

    /// After healing every acknowledged row is in the database, once, and the spool is empty.
    fn check_healed(&self) {
        let rows = self.rows();
        let once: BTreeSet<u32> = rows.iter().copied().collect();
        assert_eq!(once.len(), rows.len(), "a row is there twice");
        assert_eq!(once, self.acknowledged);
        let spooled = std::fs::metadata(self.path(".spool")).map_or(0, |found| found.len());
        assert_eq!((spooled, self.ledger.spooled()), (0, (0, None)));
        assert_eq!(self.ledger.trouble(), None);
    }
}

fn begin(folder: &TempDir, wrong: &Arc<AtomicU8>) -> Result<Ledger, StoreError> {
    let (path, wrong) = (folder.path().join("ledger.db"), Arc::clone(wrong));
    let file = path.clone();
    let open = move |patience| {
        let database = database::open(&file, patience)?;
        spoil(&database, wrong.load(Ordering::SeqCst))?;
        Ok(database)
    };
    Ledger::begin(Box::new(open), Spool::beside(&path))
}

fn spoil(database: &Connection, wrong: u8) -> rusqlite::Result<()> {
    database.pragma_update(None, "query_only", wrong == Wrong::ReadOnly as u8)?;
    // A page count below what is there already lets nothing be added.
    let pages = if wrong == Wrong::Full as u8 { 1 } else { 1_000_000 };
    database.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    if wrong == Wrong::Locked as u8 {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(code, None));
    }
    Ok(())
}

/// The serial number is kept where a row has a number of its own.
fn settlement(serial: u32) -> Settlement {
    let mut id = Id::from_ms(1_700_000_000_000);
    id.0[12..].copy_from_slice(&serial.to_be_bytes());
    let attempt = Attempt {
        decision: id,
        attempt: 1,
        at_ms: 5,
        key: None,
        task: "default".into(),
        asked: "one \"quoted\"\nname".into(),
        provider: "one".into(),
        model: "m".into(),
        streamed: true,
        outcome: Outcome::Answered,
        failure: None,
        fault: None,
        status: Some(200),
        used: None,
        cost: None,
        prices: None,
        first_byte_us: None,
        total_us: i64::from(serial),
        answer: None,
    };
    Settlement { id, decision: "{}".repeat(200), attempts: vec![attempt] }
}

fn serial(settlement: &Settlement) -> u32 {
    u32::try_from(settlement.attempts[0].total_us).unwrap()
}

#[test]
fn a_full_and_a_read_only_database_are_stood_in_for() {
    for (wrong, said) in [(Wrong::Full, "full"), (Wrong::ReadOnly, "readonly")] {
        let mut desk = Desk::new();
        desk.record(10).unwrap();
        desk.set(wrong);
        desk.record(2_500).unwrap();
        desk.record(10).unwrap();
        assert_eq!(desk.ledger.spooled(), (2_510, Some(1_700_000_000_000)));
        assert!(desk.ledger.trouble().unwrap().contains(said), "{:?}", desk.ledger.trouble());
        desk.check();
        assert!(!desk.catch_up());
        desk.heal();
        desk.check_healed();
    }
}

#[test]
fn new_rows_follow_the_spooled_ones_until_these_are_carried_over() {
    let mut desk = Desk::new();
    desk.set(Wrong::Full);
    desk.record(1_500).unwrap();
    desk.set(Wrong::Nothing);
    assert!(desk.catch_up());
    desk.record(1).unwrap();
    assert_eq!(desk.ledger.spooled().0, 501);
    assert!(desk.catch_up());
    desk.record(1).unwrap();
    assert_eq!(desk.ledger.spooled().0, 0);
    desk.check_healed();
}

#[test]
fn what_was_committed_before_a_crash_is_there_once_when_it_is_committed_again() {
    let mut desk = Desk::new();
    desk.set(Wrong::Full);
    desk.record(1_500).unwrap();
    let spooled = std::fs::read(desk.path(".spool")).unwrap();
    desk.heal();
    // As if it had died between the last commit and emptying the spool.
    std::fs::write(desk.path(".spool"), spooled).unwrap();
    desk.crash();
    assert_eq!(desk.ledger.spooled().0, 1_500);
    desk.heal();
    desk.check_healed();
}

#[test]
fn torn_and_foreign_lines_are_set_aside() {
    let mut desk = Desk::new();
    desk.set(Wrong::ReadOnly);
    desk.record(3).unwrap();
    let mut spooled = std::fs::read(desk.path(".spool")).unwrap();
    let whole = spooled.len();
    spooled[20] ^= 1;
    spooled.extend_from_slice(b"another program's line\n\xff\xfe\n");
    spooled.extend_from_within(whole - 300..whole - 40);
    std::fs::write(desk.path(".spool"), &spooled).unwrap();
    desk.crash();
    desk.record(2).unwrap();
    desk.acknowledged.remove(&0);
    desk.heal();
    desk.check_healed();
    let aside = std::fs::read(desk.path(".spool.bad")).unwrap();
    // The first of them had been spoiled, the last was torn: it ends where the new rows began.
    assert_eq!(aside.iter().filter(|byte| **byte == b'\n').count(), 4);
    assert!(aside.windows(23).any(|part| part == b"another program's line\n"));
}

#[test]
fn a_spool_that_another_program_shortened_is_carried_over_to_its_end() {
    // To nothing, to the beginning of a row, to some rows and the beginning of another.
    for left in [0, 20, 1_200_000] {
        let mut desk = Desk::new();
        desk.set(Wrong::ReadOnly);
        desk.record(2_500).unwrap();
        desk.set(Wrong::Nothing);
        assert!(desk.catch_up());
        let file = std::fs::OpenOptions::new().write(true).open(desk.path(".spool")).unwrap();
        assert!(file.metadata().unwrap().len() > left);
        file.set_len(left).unwrap();
        desk.record(5).unwrap();
        desk.heal();
        let rows: BTreeSet<u32> = desk.rows().into_iter().collect();
        let kept: BTreeSet<u32> = (0..1_000).chain(2_500..2_505).collect();
        assert!(rows.is_superset(&kept), "{left}: {} rows", rows.len());
        desk.acknowledged = rows;
        desk.check_healed();
    }
}

#[test]
fn lines_that_cannot_be_set_aside_keep_no_rows_back_and_are_written_once() {
    let mut desk = Desk::new();
    desk.set(Wrong::ReadOnly);
    desk.record(1_500).unwrap();
    let mut spooled = std::fs::read(desk.path(".spool")).unwrap();
    spooled.splice(0..0, *b"another program's line\n");
    std::fs::write(desk.path(".spool"), &spooled).unwrap();
    std::fs::create_dir(desk.path(".spool.bad")).unwrap();
    desk.crash();
    desk.heal();
    assert_eq!(desk.rows().len(), 1_500);
    assert_eq!(desk.ledger.spooled().0, 0);
    // It waits between its tries.
    assert!(desk.ledger.trouble().unwrap().contains("cannot be emptied"));
    assert!(desk.ledger.patience().unwrap() > Duration::ZERO);
    assert!(!desk.catch_up());
    std::fs::remove_dir(desk.path(".spool.bad")).unwrap();
    desk.heal();
    desk.check_healed();
    let aside = std::fs::read(desk.path(".spool.bad")).unwrap();
    assert_eq!(aside, b"another program's line\n");
}

#[test]
fn where_nothing_can_be_written_nothing_is_acknowledged() {
    let mut desk = Desk::new();
    desk.set(Wrong::ReadOnly);
    std::fs::create_dir(desk.path(".spool")).unwrap();
    let why = desk.record(1).unwrap_err();
    assert!(why.contains("readonly") && why.contains("its spool cannot be written"), "{why}");
    std::fs::remove_dir(desk.path(".spool")).unwrap();
    desk.record(1).unwrap();
    desk.heal();
    desk.check_healed();
}

#[test]
fn a_database_that_is_out_of_reach_at_the_start_is_waited_for() {
    let mut desk = Desk::new();
    desk.record(1).unwrap();
    desk.set_unopened(Wrong::Locked);
    desk.crash();
    assert!(desk.ledger.trouble().unwrap().contains("locked"));
    desk.record(1).unwrap();
    assert_eq!(desk.ledger.spooled().0, 1);
    desk.heal();
    desk.check_healed();
}

#[test]
fn two_processes_do_not_write_to_one_spool() {
    let mut desk = Desk::new();
    desk.set(Wrong::ReadOnly);
    let mut other = begin(&desk.folder, &desk.wrong).unwrap();
    desk.record(1).unwrap();
    let refused = other.keep(&[&settlement(7)]).unwrap_err();
    assert!(refused.contains("another process uses it"), "{refused}");
    desk.heal();
    other.broken = None;
    desk.set(Wrong::Nothing);
    other.database = None;
    other.keep(&[&settlement(7)]).unwrap();
    desk.acknowledged.insert(7);
    desk.check_healed();
}

#[derive(Debug, Clone)]
enum Event {
    Record(u32),
    Break(Wrong),
    BreakSpool,
    Heal,
    CatchUp,
    Crash,
    /// Dies between a commit and forgetting what was committed.
    CrashAfterCommit,
    /// Dies while it appends.
    CrashTorn(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1..1_200_u32).prop_map(Event::Record),
        2 => prop_oneof![Just(Wrong::Full), Just(Wrong::ReadOnly)].prop_map(Event::Break),
        1 => Just(Event::BreakSpool),
        2 => Just(Event::Heal),
        4 => Just(Event::CatchUp),
        1 => Just(Event::Crash),
        1 => Just(Event::CrashAfterCommit),
        1 => (1..400_usize).prop_map(Event::CrashTorn),
    ]
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]
    #[test]
    fn what_was_acknowledged_is_there_once(events in proptest::collection::vec(event(), 1..24)) {
        let mut desk = Desk::new();
        // Rows that were refused may come in all the same, as after a crash before the answer.
        let mut refused = BTreeSet::new();
        for event in events {
            play(&mut desk, &event, &mut refused);
            desk.check();
        }
        free_spool(&desk);
        desk.heal();
        let rows = desk.rows();
        desk.acknowledged.extend(rows.iter().filter(|row| refused.contains(*row)));
        desk.check_healed();
    }
}

fn play(desk: &mut Desk, event: &Event, refused: &mut BTreeSet<u32>) {
    match *event {
        Event::Record(count) => {
            let from = desk.serial;
            if desk.record(count).is_err() {
                refused.extend(from..desk.serial);
            }
        }
        Event::Break(wrong) => desk.set(wrong),
        // Only an empty spool's place can be taken.
        Event::BreakSpool => {
            if desk.ledger.spooled().0 == 0 {
                let _ = std::fs::remove_file(desk.path(".spool"));
                let _ = std::fs::create_dir(desk.path(".spool"));
            }
        }
        Event::Heal => {
            free_spool(desk);
            desk.set(Wrong::Nothing);
        }
        Event::CatchUp => {
            desk.catch_up();
        }
        Event::Crash => desk.crash(),
        Event::CrashAfterCommit => {
            let spooled = std::fs::read(desk.path(".spool"));
            desk.catch_up();
            if let Ok(spooled) = spooled {
                std::fs::write(desk.path(".spool"), spooled).unwrap();
            }
            desk.crash();
        }
        Event::CrashTorn(kept) => {
            let Ok(mut spooled) = std::fs::read(desk.path(".spool")) else { return };
            spooled.extend(b"00000000 {\"id\":\"".iter().cycle().take(kept));
            std::fs::write(desk.path(".spool"), spooled).unwrap();
            desk.crash();
        }
    }
}

fn free_spool(desk: &Desk) {
    let _ = std::fs::remove_dir(desk.path(".spool"));
}
