//! A database that cannot be written: answers go out, rows go to the spool, and it is said.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;
use testkit::{Answer, Provider, Script};

use crate::crash::load;
use crate::support::{Served, Setup, ask, rows};

async fn setup() -> (Setup, Provider) {
    let provider = Provider::start(Script::of(Answer::text("a few words"))).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    (setup, provider)
}

/// Keeps the database for itself until it is dropped, also from readers where so told.
pub(crate) fn locked(setup: &Setup, readers: bool) -> Connection {
    let blocker = Connection::open(setup.path("ledger.db")).unwrap();
    blocker.busy_timeout(Duration::from_secs(5)).unwrap();
    if readers {
        blocker.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    }
    blocker.execute_batch("BEGIN EXCLUSIVE").unwrap();
    blocker
}

async fn ledger(served: &Served) -> Value {
    let ready = served.get("/health/ready").await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_eq!(ready.json()["status"], "ready");
    ready.json()["ledger"].clone()
}

async fn until_caught_up(served: &Served) {
    let begun = Instant::now();
    while ledger(served).await["status"] != "ok" {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", served.log());
    }
}

/// Returns the decisions of the ledger's rows, each of which is there once.
fn recorded(setup: &Setup) -> HashSet<String> {
    let rows = rows(setup);
    let decision = |row: &Value| row["decision"].as_str().unwrap().to_owned();
    let decisions: HashSet<String> = rows.iter().map(decision).collect();
    assert_eq!(decisions.len(), rows.len(), "a row is there twice");
    decisions
}

#[tokio::test]
async fn answers_do_not_wait_for_a_locked_database() {
    let (setup, _provider) = setup().await;
    let served = setup.serve();
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200);
    let blocker = locked(&setup, false);
    let begun = Instant::now();
    let mut told = HashSet::new();
    for number in 0..40 {
        let got = served.chat(&ask("one-a", number % 2 == 0, "hi")).await;
        assert_eq!(got.status, 200);
        told.insert(got.header("x-pointsman-decision").unwrap().to_owned());
    }
    // Each of them waited two seconds before, and was not kept anywhere but in memory.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let state = ledger(&served).await;
    assert_eq!((&state["status"], &state["spooled"]), (&"spooling".into(), &40.into()), "{state}");
    assert_eq!(state["waiting"], 0);
    assert!(state["since_ms"].as_i64().unwrap() > 1_700_000_000_000, "{state}");
    assert!(state["trouble"].as_str().unwrap().contains("locked"), "{state}");
    drop(blocker);
    until_caught_up(&served).await;
    let recorded = recorded(&setup);
    assert_eq!(recorded.len(), 41);
    assert!(told.is_subset(&recorded));
    assert_eq!(std::fs::metadata(setup.path("ledger.db.spool")).unwrap().len(), 0);
    assert!(served.log().contains("has all rows of the spool"), "{}", served.log());
    assert_eq!(served.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_is_lost_whose_answer_was_received_while_it_spooled() {
    let (setup, _provider) = setup().await;
    let received = Arc::new(Mutex::new(HashSet::new()));
    for round in 0..6 {
        let mut served = setup.serve();
        let blocker = locked(&setup, false);
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (base, received) = (served.base.clone(), Arc::clone(&received));
            clients.spawn(async move { load(&base, number % 2 == 0, &received).await });
        }
        let enough = |more: usize| {
            let received = Arc::clone(&received);
            let wanted = received.lock().unwrap().len() + more;
            async move {
                while received.lock().unwrap().len() < wanted {
                    tokio::task::yield_now().await;
                }
            }
        };
        enough(150).await;
        // Every other round dies as it may be carrying over; the next start finds the spool.
        if round % 2 == 1 {
            drop(blocker);
            enough(30 * round).await;
        }
        served.child.kill().unwrap();
        served.child.wait().unwrap();
        while clients.join_next().await.is_some() {}
    }
    let served = setup.serve();
    until_caught_up(&served).await;
    let recorded = recorded(&setup);
    let received = received.lock().unwrap();
    let lost: Vec<_> = received.difference(&recorded).collect();
    assert_eq!(lost, Vec::<&String>::new());
    println!("6 kills while spooling, {} answers received, 0 lost", received.len());
}

#[tokio::test]
async fn a_database_locked_at_the_start_is_waited_for_while_it_serves() {
    let (setup, _provider) = setup().await;
    assert_eq!(setup.serve().stop(), Some(0));
    let blocker = locked(&setup, true);
    let served = setup.serve();
    assert_eq!(ledger(&served).await["status"], "spooling");
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200);
    assert_eq!(ledger(&served).await["spooled"], 1);
    for command in [&["usage"][..], &["ledger", "tail"]] {
        let (code, _, error) = setup.run(command);
        assert_eq!(code, 1);
        assert!(error.contains("locked by another program"), "{error}");
    }
    drop(blocker);
    until_caught_up(&served).await;
    assert_eq!(recorded(&setup).len(), 1);
}

#[tokio::test]
async fn what_is_spooled_when_it_stops_is_found_by_the_next_start() {
    let (setup, _provider) = setup().await;
    let served = setup.serve();
    let blocker = locked(&setup, false);
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200);
    assert_eq!(served.stop(), Some(0));
    assert_eq!(rows(&setup).len(), 0);
    drop(blocker);
    let served = setup.serve();
    until_caught_up(&served).await;
    assert_eq!(rows(&setup).len(), 1);
}

#[tokio::test]
async fn where_the_database_lies_is_for_the_log() {
    let (setup, _provider) = setup().await;
    let served = setup.serve();
    let blocker = locked(&setup, false);
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200);
    // What is tried again finds no file any more.
    std::fs::rename(setup.path("ledger.db"), setup.path("away.db")).unwrap();
    std::fs::create_dir(setup.path("ledger.db")).unwrap();
    drop(blocker);
    let begun = Instant::now();
    let trouble = loop {
        let trouble = ledger(&served).await["trouble"].as_str().unwrap_or_default().to_owned();
        if trouble.contains("open") {
            break trouble;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{trouble}: {}", served.log());
    };
    let folder = setup.folder.path().display().to_string();
    assert!(!trouble.contains("ledger.db") && !trouble.contains(&folder), "{trouble}");
    assert!(served.log().contains("open the database ledger.db"), "{}", served.log());
}

#[tokio::test]
async fn where_neither_can_be_written_the_gateway_is_not_ready() {
    let (setup, _provider) = setup().await;
    let served = setup.serve();
    std::fs::create_dir(setup.path("ledger.db.spool")).unwrap();
    let blocker = locked(&setup, false);
    assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200);
    let ready = served.get("/health/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["ledger"]["status"], "failing", "{}", ready.text());
    assert_eq!(ready.json()["ledger"]["waiting"], 1);
    drop(blocker);
    while served.get("/health/ready").await.status != 200 {}
    assert_eq!(rows(&setup).len(), 1);
}
