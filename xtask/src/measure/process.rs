//! Processes of a measurement: what they used, as Linux counts it, and their end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// Clock ticks a second in /proc: 100 on every Linux that Rust supports (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

/// How long a process may take to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Processor time and memory of a process, its threads included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) rss_mb: f64,
    pub(crate) peak_rss_mb: f64,
}

impl Usage {
    /// Reads `/proc/PID`.
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("read /proc")?;
        // The name in parentheses may hold spaces; the fields after it are plain.
        let (_, fields) = stat.rsplit_once(')').context("read /proc stat")?;
        let field =
            |at: usize| fields.split_whitespace().nth(at).and_then(|text| text.parse::<f64>().ok());
        let ticks = field(11).zip(field(12)).map(|(user, system)| user + system);
        let status = fs::read_to_string(format!("/proc/{process}/status")).context("read /proc")?;
        let kb = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        Ok(Self {
            cpu_seconds: ticks.context("read /proc stat")? / TICKS,
            rss_mb: kb("VmRSS:").context("read VmRSS")? / 1024.0,
            peak_rss_mb: kb("VmHWM:").context("read VmHWM")? / 1024.0,
        })
    }
}

/// Returns the children of a process.
pub(crate) fn children(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// A process that was started; it ends with this value.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a process whose complaints go to a file of the folder.
    pub(crate) fn start(command: &mut Command, folder: &Path, name: &str) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let errors = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let child = command.stdin(Stdio::null()).stderr(errors).spawn();
        let child = child.with_context(|| format!("start {name}"))?;
        Ok(Self { child, log })
    }

    /// Returns what the process complained about.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Tells the process to end and waits; fails when it does not, and then ends it all the same.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        // SIGTERM, for nginx ends its workers then and a kill would leave them. The shell has it
        // built in.
        let id = self.child.id().to_string();
        Command::new("sh").args(["-c", "kill \"$0\"", &id]).stderr(Stdio::null()).status()?;
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let ended = self.child.try_wait()?.is_some();
        if !ended {
            self.child.kill()?;
            self.child.wait()?;
        }
        ensure!(ended, "the process did not end within {PATIENCE:?}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // Nobody is left to hear of a failure.
            let _ = self.stop();
        }
    }
}
