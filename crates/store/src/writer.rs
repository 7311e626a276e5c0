//! The writer: one thread, one transaction for all that has gathered.
//!
//! Rows that can neither be committed nor spooled are tried again, for as long as the process lives;
//! [`Health`] says so meanwhile, and callers that will not wait drop their receipt without losing
//! the rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::health::Health;
use crate::ledger::{BATCH, Ledger, PAUSE};
use crate::rows::Settlement;

/// While several requests are served at once, a transaction waits as long as each of these steps
/// brings more rows, which then share its cost. One request after another waits for nothing.
const GATHER: Duration = Duration::from_micros(100);

/// The most steps a transaction waits.
const STEPS: usize = 10;

/// How often rows that can be kept nowhere are tried again while the program ends: a disk that is
/// full must not keep it from ending. What is lost then is what [`Health::waiting`] counts.
const LAST_TRIES: u32 = 8;

/// How long the program's end may take to empty the spool; the next start takes up the rest.
const LAST_TIME: Duration = Duration::from_secs(5);

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
    closing: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn start(ledger: Ledger) -> Self {
        let (jobs, inbox) = channel();
        let health = Arc::new(Health::default());
        health.note(&ledger);
        let closing = Arc::new(AtomicBool::new(false));
        let (told, ends) = (Arc::clone(&health), Arc::clone(&closing));
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || run(ledger, &inbox, &told, &ends))
            .expect("invariant: a thread can be started at program start");
        Self { jobs: Some(jobs), thread: Some(thread), health, closing }
    }

    /// The channel has no bound of its own: whoever admits requests looks at [`Health::waiting`]
    /// and refuses new ones, since refusing a row of a request already answered would lose it.
    pub(crate) fn record(&self, settlement: Settlement) -> Receipt {
        let (done, receipt) = oneshot::channel();
        self.health.add_waiting();
        let job = Job { settlement, done };
        if self.jobs.as_ref().is_none_or(|jobs| jobs.send(job).is_err()) {
            self.health.fail("the ledger's writer has ended".to_owned());
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
        self.closing.store(true, Ordering::Relaxed);
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

fn run(mut ledger: Ledger, inbox: &Receiver<Job>, health: &Health, closing: &AtomicBool) {
    let mut busy = false;
    loop {
        let first = match ledger.patience() {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => inbox.recv_timeout(patience),
        };
        let batch = match first {
            Ok(first) => gather(first, inbox, busy),
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        busy = batch.len() > 1;
        if !keep(&mut ledger, &batch, health, closing) {
            return;
        }
        health.note(&ledger);
        health.take_waiting(batch.len());
        for job in batch {
            // Whoever stopped waiting has its rows all the same.
            let _ = job.done.send(());
        }
    }
    ledger.finish(LAST_TIME);
    health.note(&ledger);
}

/// Keeps a batch, however long that takes; gives up only while the program ends.
fn keep(ledger: &mut Ledger, batch: &[Job], health: &Health, closing: &AtomicBool) -> bool {
    let settlements: Vec<&Settlement> = batch.iter().map(|job| &job.settlement).collect();
    let mut left = LAST_TRIES;
    loop {
        let moved = ledger.catch_up();
        let Err(why) = ledger.keep(&settlements) else { return true };
        health.fail(why);
        if closing.load(Ordering::Relaxed) {
            left -= 1;
            if left == 0 {
                return false;
            }
        }
        if !moved {
            std::thread::sleep(PAUSE);
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
