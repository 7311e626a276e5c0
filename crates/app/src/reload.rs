//! Reloading while serving: when a file of the configuration changes, or on SIGHUP, everything is
//! read and made anew; only a world without a problem replaces the one that serves.
//!
//! The files are looked at once a second. Events of the operating system would come sooner and cost
//! more: the ledger mostly lies in the same folder, and each of its writes would be one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway::{Client, Gateway, World};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::world;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Watches until the returned guard is dropped; what changed since the start began to read counts.
/// Some settings are those of the start: a change of one is told and takes a restart.
pub(crate) fn watch(
    gateway: Arc<Gateway>,
    client: Client,
    start: Config,
    began: SystemTime,
) -> std::io::Result<Guard> {
    let hangup = signal(SignalKind::hangup())?;
    let seen = Seen::now(&start, &gateway.world()).before(began);
    Ok(Guard(tokio::spawn(run(gateway, client, start, seen, hangup))))
}

/// Ends the watching when dropped.
pub(crate) struct Guard(tokio::task::JoinHandle<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn run(
    gateway: Arc<Gateway>,
    client: Client,
    start: Config,
    mut seen: Seen,
    mut hangup: Signal,
) {
    let mut config = start.clone();
    loop {
        let told = tokio::select! {
            () = tokio::time::sleep(LOOK) => false,
            _ = hangup.recv() => true,
        };
        let now = Seen::now(&config, &gateway.world());
        if told || now != seen {
            // What was seen before reading: a change while it is read is one for the next look.
            seen = now;
            if let Some(read) = reload(&gateway, &client, &start).await {
                config = read;
            }
        }
    }
}

/// Reads everything anew; returns the configuration it read when that serves now.
async fn reload(gateway: &Gateway, client: &Client, start: &Config) -> Option<Config> {
    match remake(client, start).await {
        Ok((config, world)) => {
            let routing = world.table.version.clone();
            gateway.turn(world);
            tracing::info!(routing, "reloaded");
            Some(config)
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(error, "not reloaded; what served before goes on serving");
            None
        }
    }
}

async fn remake(client: &Client, start: &Config) -> anyhow::Result<(Config, World)> {
    let config = Config::load(start.file.as_deref())?;
    for what in restarts(&config, start) {
        tracing::warn!(what, "changed, and takes a restart");
    }
    let world = world::make(&config, client).await?.world;
    Ok((config, world))
}

/// Names the settings that changed and are those of the start all the same.
fn restarts(now: &Config, start: &Config) -> Vec<&'static str> {
    let (serving, served) = (now.serving, start.serving);
    let settings = [
        ("listen", now.listen != start.listen),
        ("database", now.database != start.database),
        ("breaker", now.breaker != start.breaker),
        ("limits.connections", serving.connections != served.connections),
        ("limits.client_silence", serving.client_silence != served.client_silence),
        ("shutdown.grace", serving.grace != served.grace),
        ("log", now.log != start.log),
    ];
    settings.into_iter().filter(|(_, changed)| *changed).map(|(what, _)| what).collect()
}

/// What a look at the files shows: of each its time of change and its size. A file that is swapped
/// by a rename or behind a link shows itself the same way.
#[derive(Debug, PartialEq, Eq)]
struct Seen(Vec<(PathBuf, Option<(SystemTime, u64)>)>);

impl Seen {
    fn now(config: &Config, world: &World) -> Self {
        let look = |path: PathBuf| {
            let found = std::fs::metadata(&path).ok();
            let state = found.and_then(|found| Some((found.modified().ok()?, found.len())));
            (path, state)
        };
        let files = config.file.iter().chain(&config.routing).cloned();
        // The folder beside the configuration counts before it is there.
        let beside = config.file.as_deref().and_then(Path::parent).map(|at| at.join("providers"));
        let folders = config.catalog.iter().chain(&beside).map(|folder| records(folder));
        let secrets = world::secret_files(config, &world.catalog);
        Self(files.chain(folders.flatten()).chain(secrets).map(look).collect())
    }

    /// Forgets what changed after a moment: it may have been read before or after.
    fn before(mut self, moment: SystemTime) -> Self {
        for (_, state) in &mut self.0 {
            *state = state.filter(|(changed, _)| *changed < moment);
        }
        self
    }
}

fn records(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}
