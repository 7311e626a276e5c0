//! The writer: one thread, one transaction for all that has gathered.
//!
//! When a transaction fails (a full disk, a locked file) it is tried again, with its rows kept, for
//! as long as the process lives; [`Health`] says so meanwhile, and callers that will not wait drop
//! their receipt without losing the rows. Rows recorded twice are kept once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use crate::rows::{Attempt, Settlement};

/// The most settlements in one transaction.
const BATCH: usize = 1_000;

/// While several requests are served at once, a transaction waits as long as each of these steps
/// brings more rows, which then share its cost. One request after another waits for nothing.
const GATHER: Duration = Duration::from_micros(100);

/// The most steps a transaction waits.
const STEPS: usize = 10;

/// How long a failed transaction waits for its next try.
const PAUSE: Duration = Duration::from_millis(250);

/// How often a failed transaction is tried again while the program ends: a disk that is full must not
/// keep it from ending. What is lost then is what [`Health::waiting`] counts.
const LAST_TRIES: u32 = 8;

/// How the writer is doing.
#[derive(Debug, Default)]
pub struct Health {
    waiting: AtomicU64,
    closing: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl Health {
    /// Returns how many settlements wait for their commit.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Returns why the last transaction failed, when it did.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// Proof to come that rows are committed.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<()>);

impl Receipt {
    /// Waits for the commit; false means that the writer ended without it.
    pub async fn committed(self) -> bool {
        self.0.await.is_ok()
    }
}

struct Job {
    settlement: Settlement,
    done: oneshot::Sender<()>,
}

/// A handle to the writer thread.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    health: Arc<Health>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Self {
        let (jobs, inbox) = channel();
        let health = Arc::new(Health::default());
        let seen = Arc::clone(&health);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || run(connection, &inbox, &seen))
            .expect("invariant: a thread can be started at program start");
        Self { jobs: Some(jobs), thread: Some(thread), health }
    }

    /// The channel has no bound of its own: whoever admits requests looks at [`Health::waiting`]
    /// and refuses new ones, since refusing a row of a request already answered would lose it.
    pub(crate) fn record(&self, settlement: Settlement) -> Receipt {
        let (done, receipt) = oneshot::channel();
        self.health.waiting.fetch_add(1, Ordering::Relaxed);
        let job = Job { settlement, done };
        if self.jobs.as_ref().is_none_or(|jobs| jobs.send(job).is_err()) {
            self.health.set_trouble(Some("the ledger's writer has ended".to_owned()));
        }
        Receipt(receipt)
    }

    pub(crate) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    pub(crate) fn close(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.health.closing.store(true, Ordering::Relaxed);
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the writer was already told through receipts that never came.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(mut connection: Connection, inbox: &Receiver<Job>, health: &Health) {
    let mut busy = false;
    while let Ok(first) = inbox.recv() {
        let batch = gather(first, inbox, busy);
        busy = batch.len() > 1;
        let mut left = LAST_TRIES;
        while let Err(error) = commit(&mut connection, &batch) {
            health.set_trouble(Some(error.to_string()));
            if health.closing.load(Ordering::Relaxed) {
                left -= 1;
                if left == 0 {
                    return;
                }
            }
            std::thread::sleep(PAUSE);
        }
        if health.trouble().is_some() {
            health.set_trouble(None);
        }
        health.waiting.fetch_sub(batch.len() as u64, Ordering::Relaxed);
        for job in batch {
            // Whoever stopped waiting has its rows all the same.
            let _ = job.done.send(());
        }
    }
}

/// Takes what has come, and what comes within the window when there is company to be expected.
fn gather(first: Job, inbox: &Receiver<Job>, busy: bool) -> Vec<Job> {
    let mut batch = vec![first];
    batch.extend(inbox.try_iter().take(BATCH - 1));
    for _ in 0..STEPS {
        let before = batch.len();
        if !busy || before >= BATCH {
            break;
        }
        std::thread::sleep(GATHER);
        batch.extend(inbox.try_iter().take(BATCH - before));
        if batch.len() == before {
            break;
        }
    }
    batch
}

fn commit(connection: &mut Connection, batch: &[Job]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut decision = transaction
            .prepare_cached("INSERT OR IGNORE INTO decisions (decision, record) VALUES (?1, ?2)")?;
        let mut attempt = transaction.prepare_cached(
            "INSERT OR IGNORE INTO attempts VALUES \
             (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23)",
        )?;
        let mut answer = transaction
            .prepare_cached("INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for Job { settlement, .. } in batch {
            decision.execute(params![settlement.id.0, settlement.decision])?;
            for row in &settlement.attempts {
                insert(&mut attempt, row)?;
                if let Some(id) = &row.answer {
                    let key = row.key.as_deref().unwrap_or("");
                    answer.execute(params![id, row.provider, row.model, key, row.at_ms])?;
                }
            }
        }
    }
    transaction.commit()
}

fn insert(statement: &mut rusqlite::CachedStatement<'_>, row: &Attempt) -> rusqlite::Result<usize> {
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
