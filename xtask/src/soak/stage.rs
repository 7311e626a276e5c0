//! What a soak runs on: the scripted providers in this process, and pointsman as a child in a
//! folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rusqlite::Connection;
use tempfile::TempDir;
use testkit::{DeadPort, Provider};

use super::proc::Sample;
use super::scenarios::{self, TABLE};
use crate::measure::process::Running;
use crate::measure::servers::{free_port, until_answered};

/// How long answers under way may take when it is told to end.
const GRACE: Duration = Duration::from_secs(15);

/// Everything that was started. Declared in the order in which it ends.
pub(super) struct Stage {
    running: Running,
    providers: BTreeMap<&'static str, Provider>,
    _dead: DeadPort,
    folder: TempDir,
    port: u16,
    pub(super) url: String,
}

impl Stage {
    /// Starts the providers, and pointsman in front of them.
    pub(super) async fn start(binary: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut providers = BTreeMap::new();
        for (id, script) in [
            ("shaky", scenarios::shaky()),
            ("steady", scenarios::steady()),
            ("late", scenarios::late()),
        ] {
            providers.insert(id, Provider::start(script).await?);
        }
        let dead = DeadPort::take()?;
        let port = free_port()?;
        configure(folder.path(), port)?;
        for (id, provider) in &providers {
            record(folder.path(), id, &provider.base_url())?;
        }
        record(folder.path(), "dead", &dead.base_url())?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--config").arg(folder.path().join("pointsman.yaml"));
        let mut running =
            Running::start(command.stdout(Stdio::null()), folder.path(), "pointsman")?;
        let url = format!("http://127.0.0.1:{port}");
        until_answered(&format!("{url}/health/ready"), &mut running).await?;
        Ok(Self { running, providers, _dead: dead, folder, port, url })
    }

    pub(super) fn sample(&self) -> anyhow::Result<Sample> {
        let providers: Vec<u16> = self.providers.values().map(Provider::port).collect();
        let sample = Sample::of(self.running.child.id(), self.port, &providers);
        sample.with_context(|| format!("look at pointsman: {}", self.running.complaints()))
    }

    /// Returns how many requests came to each provider.
    pub(super) fn asked(&self) -> BTreeMap<&'static str, u64> {
        self.providers.iter().map(|(id, provider)| (*id, provider.asked())).collect()
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// Locks the database, as another program may, until what it returns is dropped.
    pub(super) fn lock(&self) -> anyhow::Result<Connection> {
        let connection = Connection::open(self.ledger())?;
        connection.execute_batch("BEGIN EXCLUSIVE").context("lock the database")?;
        Ok(connection)
    }

    /// Returns how many bytes wait in the ledger's spool.
    pub(super) fn spooled(&self) -> u64 {
        fs::metadata(self.folder.path().join("ledger.db.spool")).map_or(0, |file| file.len())
    }

    /// Tells pointsman to end, and fails unless it does so in order, with all answers complete.
    pub(super) async fn terminate(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let id = self.running.child.id().to_string();
        Command::new("sh").args(["-c", "kill \"$0\"", &id]).status()?;
        while began.elapsed() < GRACE + Duration::from_secs(10) {
            if let Some(status) = self.running.child.try_wait()? {
                ensure!(status.success(), "it ended with {status}: {}", self.running.complaints());
                return Ok(began.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("it did not end")
    }
}

fn configure(folder: &Path, port: u16) -> anyhow::Result<()> {
    let config = format!(
        "listen: 127.0.0.1:{port}\ndatabase: ledger.db\nrouting: routing.yaml\n\
         shutdown: {{ grace: {}s }}\nlog: {{ level: error }}\n",
        GRACE.as_secs()
    );
    fs::write(folder.join("pointsman.yaml"), config)?;
    fs::write(folder.join("routing.yaml"), TABLE)?;
    Ok(fs::create_dir_all(folder.join("providers"))?)
}

fn record(folder: &Path, id: &str, base_url: &str) -> anyhow::Result<()> {
    let record = format!(
        "id: {id}\nbase_url: {base_url}\nauth: {{ none: true }}\n\
         speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n\
         models: [{{ id: m, price: {{ input: 1, output: 2 }} }}]\n"
    );
    Ok(fs::write(folder.join(format!("providers/{id}.yaml")), record)?)
}
