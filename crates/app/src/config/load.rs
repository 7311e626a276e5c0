//! How much is taken at once, how connections are served, and when a target is left alone: as they
//! are written, and as they are used.

use std::time::Duration;

use gateway::{Load, Serving};
use health::BreakerPolicy;
use jiff::SignedDuration;
use yaml::{Document, Path, Problem};

use super::raw::{RawBreaker, RawLimits, RawShutdown};

/// What holds where nothing is said.
pub(super) const LOAD: Load = Load { body: 32 << 20, requests: 1_024, memory: 512 << 20 };
pub(super) const SERVING: Serving = Serving {
    connections: 8_192,
    client_silence: Duration::from_secs(60),
    grace: Duration::from_secs(30),
};

/// Reads lengths of time, and tells of those that make no sense.
pub(super) struct Times<'t> {
    pub(super) document: &'t Document,
    pub(super) problems: &'t mut Vec<Problem>,
}

impl Times<'_> {
    /// Lowers the limits of load.
    pub(super) fn load(&mut self, raw: &RawLimits) -> Load {
        let body = raw.body.unwrap_or(LOAD.body);
        // One body of the largest size must have room.
        let memory = raw.memory.unwrap_or(LOAD.memory.max(body));
        if memory < body {
            let at = Path::root().key("limits").key("memory");
            self.wrong(&at, "less than one body may have", "raise it, or lower `limits.body`");
        }
        Load { body, requests: raw.requests.unwrap_or(LOAD.requests), memory }
    }

    /// Lowers how connections are served.
    pub(super) fn serving(
        &mut self,
        limits: &RawLimits,
        shutdown: Option<&RawShutdown>,
    ) -> Serving {
        let at = Path::root().key("limits").key("client_silence");
        let grace = shutdown.and_then(|shutdown| shutdown.grace).map(Duration::try_from);
        Serving {
            connections: limits.connections.unwrap_or(SERVING.connections),
            client_silence: self.time(&at, limits.client_silence, SERVING.client_silence),
            grace: grace.unwrap_or(Ok(SERVING.grace)).unwrap_or_else(|_| {
                let at = Path::root().key("shutdown").key("grace");
                self.wrong(&at, "shorter than nothing", "such as 30s");
                SERVING.grace
            }),
        }
    }

    /// Lowers when a target is left alone.
    pub(super) fn breaker(&mut self, raw: &RawBreaker) -> BreakerPolicy {
        let default = BreakerPolicy::default();
        let at = Path::root().key("breaker");
        let policy = BreakerPolicy {
            window: self.time(&at.key("window"), raw.window, default.window),
            minimum: raw.minimum.unwrap_or(default.minimum),
            ratio_percent: raw.ratio_percent.unwrap_or(default.ratio_percent),
            consecutive: raw.consecutive.unwrap_or(default.consecutive),
            open: self.time(&at.key("open"), raw.open, default.open),
            longest: self.time(&at.key("longest"), raw.longest, default.longest),
            probes: raw.probes.unwrap_or(default.probes),
            ..default
        };
        if policy.longest < policy.open {
            self.wrong(&at.key("longest"), "shorter than `open`", "it is what `open` grows to");
        }
        policy
    }

    fn time(&mut self, at: &Path, written: Option<SignedDuration>, under: Duration) -> Duration {
        match written.map(catalog::length) {
            None => under,
            Some(Some(length)) => length,
            Some(None) => {
                let (message, help) = catalog::SENSELESS;
                self.wrong(at, message, help);
                under
            }
        }
    }

    fn wrong(&mut self, at: &Path, message: &str, help: &str) {
        let problem = self.document.problem(at, message.to_owned());
        self.problems.push(problem.help(help.to_owned()));
    }
}
