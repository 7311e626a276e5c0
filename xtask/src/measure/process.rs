//! What a process used, as Linux counts it.

use std::fs;

use anyhow::Context;

/// Clock ticks a second in /proc: 100 on every Linux that Rust supports (`getconf CLK_TCK`).
const TICKS: f64 = 100.0;

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
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name in parentheses may hold spaces; the fields after it are plain.
        let (_, fields) = stat.rsplit_once(')').context("read /proc stat")?;
        let field =
            |at: usize| fields.split_whitespace().nth(at).and_then(|text| text.parse::<f64>().ok());
        let ticks = field(11).zip(field(12)).map(|(user, system)| user + system);
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
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
