//! What Linux says of a process: memory, threads, descriptors, connections.

use std::fs;

use anyhow::Context;
use serde::Serialize;

use crate::measure::process::Usage;

/// The state of an established connection in /proc/net/tcp.
const ESTABLISHED: &str = "01";

/// How many descriptors more than at the start are none that were lost: the ledger's reader and its
/// files, opened when they are first needed.
const OWN: usize = 4;

/// A process at one moment.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    pub(super) rss_mb: f64,
    pub(super) threads: usize,
    pub(super) fds: usize,
    /// Connections that clients have open.
    pub(super) from_clients: usize,
    /// Connections to providers, those that wait in the pool among them.
    pub(super) to_providers: usize,
}

impl Sample {
    /// Looks at a process that listens on a port and has providers on others.
    pub(super) fn of(process: u32, port: u16, providers: &[u16]) -> anyhow::Result<Self> {
        let folder = |name: &str| {
            let path = format!("/proc/{process}/{name}");
            fs::read_dir(&path).map(Iterator::count).with_context(|| format!("read {path}"))
        };
        let tcp = fs::read_to_string(format!("/proc/{process}/net/tcp")).context("read /proc")?;
        let open: Vec<(u16, u16)> = tcp.lines().filter_map(connection).collect();
        Ok(Self {
            rss_mb: Usage::of(process)?.rss_mb,
            threads: folder("task")?,
            fds: folder("fd")?,
            from_clients: open.iter().filter(|(local, _)| *local == port).count(),
            to_providers: open.iter().filter(|(_, remote)| providers.contains(remote)).count(),
        })
    }

    /// Says whether it holds no more than at the start, but for the pool.
    pub(super) fn given_back(&self, base: &Self) -> bool {
        self.from_clients == 0 && self.fds.saturating_sub(self.to_providers) <= base.fds + OWN
    }
}

/// Reads the ports of an established connection: its own and the other side's.
fn connection(line: &str) -> Option<(u16, u16)> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
    (state == ESTABLISHED).then_some((port(local)?, port(remote)?))
}
