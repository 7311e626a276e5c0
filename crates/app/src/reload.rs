//! Reloading while serving: when a file of the configuration changes, or on SIGHUP, everything is
//! read and made anew; only a world without a problem replaces the one that serves.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gateway::{Client, Gateway};
use notify::{RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::config::Config;
use crate::world;

/// How long changes may go on before they are read: editors and mounts write in several steps.
const SETTLE: Duration = Duration::from_millis(200);

/// Watches until the returned guard is dropped. Listening address, ledger and logs are those of the
/// start; a change of them is told and takes a restart.
pub(crate) fn watch(
    gateway: Arc<Gateway>,
    client: Client,
    config: Config,
) -> anyhow::Result<Guard> {
    let (changed, changes) = mpsc::channel(1);
    let told = changed.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // A full channel already says that something changed.
            let _ = told.try_send(());
        }
    })?;
    // Folders are watched, not files: an editor's rename or a mount's symlink swap replaces the file.
    for folder in folders(&config) {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    let task = tokio::spawn(reload(gateway, client, config, changes));
    let hangup = tokio::spawn(hangups(signal(SignalKind::hangup())?, changed));
    Ok(Guard { _watcher: watcher, tasks: [task, hangup] })
}

/// Ends the watching when dropped.
pub(crate) struct Guard {
    _watcher: notify::RecommendedWatcher,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

fn folders(config: &Config) -> BTreeSet<PathBuf> {
    let files = config.file.iter().chain(&config.routing);
    let parent = |file: &PathBuf| match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    files.map(parent).chain(config.catalog.clone()).collect()
}

async fn hangups(mut hangup: Signal, changed: mpsc::Sender<()>) {
    while hangup.recv().await.is_some() {
        let _ = changed.try_send(());
    }
}

async fn reload(
    gateway: Arc<Gateway>,
    client: Client,
    start: Config,
    mut changes: mpsc::Receiver<()>,
) {
    while changes.recv().await.is_some() {
        tokio::time::sleep(SETTLE).await;
        while changes.try_recv().is_ok() {}
        match remake(&client, &start).await {
            Ok(world) => {
                let routing = world.table.version.clone();
                gateway.turn(world);
                tracing::info!(routing, "reloaded");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "not reloaded; what served before goes on serving");
            }
        }
    }
}

async fn remake(client: &Client, start: &Config) -> anyhow::Result<gateway::World> {
    let config = Config::load(start.file.as_deref())?;
    for (what, changed) in
        [("listen", config.listen != start.listen), ("database", config.database != start.database)]
    {
        if changed {
            tracing::warn!(what, "changed, and takes a restart");
        }
    }
    let made = world::make(&config, client).await?;
    Ok(made.world)
}
