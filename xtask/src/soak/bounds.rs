//! What must hold after a soak, each bound with what was found.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::books::Books;
use super::clients::{End, Told};
use super::proc::Sample;

/// How much memory may grow, as a part of what it was after the warm-up.
const GROWTH: f64 = 0.10;

/// Growth below this is none: pages, not leaks.
const PAGES_MB: f64 = 4.0;

/// Threads that may be there for a while: for work that waits on a file.
const THREADS: usize = 8;

/// What a soak found.
pub(super) struct Found {
    /// A sample a second under load.
    pub(super) load: Vec<Sample>,
    /// Before the load.
    pub(super) base: Sample,
    /// After the clients have gone.
    pub(super) left: Sample,
    /// After the pool's idle time, where that was waited for.
    pub(super) idle: Option<Sample>,
    /// How long it took to end under load.
    pub(super) drained: anyhow::Result<Duration>,
    /// Bytes in the spool while the database was locked, and at the end.
    pub(super) spool: (u64, u64),
    pub(super) told: Told,
    pub(super) books: Books,
    /// How many requests came to each provider.
    pub(super) asked: BTreeMap<&'static str, u64>,
}

/// Something that must hold.
#[derive(Debug, Serialize)]
pub(super) struct Bound {
    pub(super) what: &'static str,
    pub(super) holds: bool,
    pub(super) found: String,
}

/// Judges a soak.
pub(super) fn judge(found: &Found) -> Vec<Bound> {
    let mut bounds = memory(&found.load);
    bounds.extend(connections(found));
    bounds.extend(ends(&found.told, &found.drained));
    bounds.extend(ledger(found));
    bounds
}

fn bound(what: &'static str, holds: bool, found: String) -> Bound {
    Bound { what, holds, found }
}

/// Memory after the warm-up, a tenth of the time and at least 20 and at most 60 seconds: its first
/// window is what the last one and the highest moment are compared with.
fn memory(load: &[Sample]) -> Vec<Bound> {
    let warm = &load[(load.len() / 10).clamp(20, 60).min(load.len() / 2)..];
    let window = (warm.len() / 6).max(1);
    let median = |samples: &[Sample]| {
        let mut sizes: Vec<f64> = samples.iter().map(|sample| sample.rss_mb).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.get(sizes.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let first = median(&warm[..window.min(warm.len())]);
    let last = median(&warm[warm.len().saturating_sub(window)..]);
    let most = warm.iter().map(|sample| sample.rss_mb).fold(f64::NAN, f64::max);
    let limit = first + (first * GROWTH).max(PAGES_MB);
    let found = |what: f64| format!("{what:.1} MB, at most {limit:.1} ({first:.1} at first)");
    vec![
        bound("memory at the end is that after the warm-up", last <= limit, found(last)),
        bound("memory never rose above that", most <= limit, found(most)),
    ]
}

fn connections(found: &Found) -> Vec<Bound> {
    let Found { load, base, left, idle, .. } = found;
    let threads = load.iter().map(|sample| sample.threads).max().unwrap_or(0);
    let most = load.iter().map(|sample| sample.fds).max().unwrap_or(0);
    let pooled = load.iter().map(|sample| sample.to_providers).max().unwrap_or(0);
    let mut bounds = vec![
        bound(
            "descriptors are given back",
            left.given_back(base),
            format!(
                "{} before, {most} at most, {} after, {} of them pooled",
                base.fds, left.fds, left.to_providers
            ),
        ),
        bound(
            "the pool keeps no more than the load needed",
            left.to_providers <= pooled,
            format!("{} connections after, {pooled} at most under load", left.to_providers),
        ),
        bound(
            "threads do not grow with the load",
            threads <= base.threads + THREADS,
            format!("{} before, {threads} at most", base.threads),
        ),
    ];
    if let Some(idle) = idle {
        let found = format!("{} connections, {} descriptors", idle.to_providers, idle.fds);
        let holds = idle.to_providers == 0 && idle.given_back(base);
        bounds.push(bound("the pool is empty after its idle time", holds, found));
    }
    bounds
}

fn ends(told: &Told, drained: &anyhow::Result<Duration>) -> Vec<Bound> {
    let [hung, broken] = [End::Hung, End::Broken].map(|end| told.count(end));
    let drained_as = match drained {
        Ok(time) => format!("ended in order after {:.1} s", time.as_secs_f64()),
        Err(error) => format!("{error:#}"),
    };
    vec![
        bound("no request hangs", hung == 0, format!("{hung} of {}", told.all())),
        bound(
            "every answer has a good end or a typed error",
            broken == 0,
            format!(
                "{} good, {} errors, {} left by their client, {broken} neither",
                told.count(End::Good),
                told.count(End::Told),
                told.count(End::Left)
            ),
        ),
        bound("SIGTERM under load completes what is under way", drained.is_ok(), drained_as),
    ]
}

/// Providers count requests that came, so an attempt that reached one has its row and no other row
/// names it. Where clients leave before the answer begins, a request may not have been sent, and
/// there the rows are between what came and what was asked.
fn ledger(found: &Found) -> Vec<Bound> {
    let Found { told, books, asked, spool, .. } = found;
    let rows = |id: &str| books.by_provider.get(id).copied().unwrap_or(0);
    let came = |id: &str| asked.get(id).copied().unwrap_or(0);
    let equal = ["shaky", "steady"].iter().all(|id| rows(id) == came(id));
    vec![
        bound(
            "rows are the attempts that providers saw",
            equal,
            format!(
                "shaky {} rows, {} seen; steady {} rows, {} seen; {} more were refused a connection",
                rows("shaky"),
                came("shaky"),
                rows("steady"),
                came("steady"),
                rows("dead")
            ),
        ),
        bound(
            "early leavers: seen ≤ rows ≤ asked",
            came("late") <= rows("late") && rows("late") <= told.left_early,
            format!("{} ≤ {} ≤ {}", came("late"), rows("late"), told.left_early),
        ),
        bound(
            "decisions are the requests that were told one",
            books.decisions == told.decisions && books.left_early <= told.left_early,
            format!("{} decisions, {} told", books.decisions, told.decisions),
        ),
        bound(
            "the attempts of all decisions are the rows, each once",
            books.told == books.rows && books.differ == 0,
            format!("{} told, {} rows, {} decisions differ", books.told, books.rows, books.differ),
        ),
        bound(
            "rows are spooled while the database is locked, and not for longer",
            spool.0 > 0 && spool.1 == 0,
            format!("{} KB then, {} bytes at the end", spool.0 / 1024, spool.1),
        ),
    ]
}
