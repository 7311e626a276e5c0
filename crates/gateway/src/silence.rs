//! How long a provider has been silent. The time in which nobody reads is its client's and not
//! counted: a client that is slow to take what has come must not be blamed on the provider.

use std::time::Duration;

use tokio::time::Instant;

/// The clock of a provider's silence; it stands still while nobody reads.
#[derive(Debug)]
pub(crate) struct Silence {
    most: Duration,
    heard: Instant,
    /// Since when nobody reads.
    left: Option<Instant>,
}

impl Silence {
    /// Starts the clock; the provider may be silent for at most so long.
    pub(crate) fn new(most: Duration, now: Instant) -> Self {
        Self { most, heard: now, left: None }
    }

    /// Returns how long the provider may be silent.
    pub(crate) fn most(&self) -> Duration {
        self.most
    }

    /// Somebody reads on.
    pub(crate) fn read_on(&mut self, now: Instant) {
        if let Some(left) = self.left.take() {
            self.heard += now.saturating_duration_since(left);
        }
    }

    /// Nobody reads until `read_on`.
    pub(crate) fn leave(&mut self, now: Instant) {
        self.left = Some(now);
    }

    /// The provider was heard.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Returns when it has been silent for too long, unless it is heard before.
    pub(crate) fn until(&self) -> Instant {
        self.heard + self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn silence_is_counted_from_what_was_heard_last() {
        let now = Instant::now();
        let mut silence = Silence::new(seconds(10), now);
        assert_eq!(silence.until(), now + seconds(10));
        silence.heard(now + seconds(7));
        assert_eq!(silence.until(), now + seconds(17));
    }

    #[test]
    fn the_time_in_which_nobody_reads_is_not_counted() {
        let now = Instant::now();
        let mut silence = Silence::new(seconds(10), now);
        silence.leave(now + seconds(4));
        silence.read_on(now + seconds(60));
        assert_eq!(silence.until(), now + seconds(66), "four of ten seconds were silent");
    }

    #[test]
    fn reading_on_says_nothing_of_the_provider() {
        let now = Instant::now();
        let mut silence = Silence::new(seconds(10), now);
        // What passes and is no sign of life, again and again.
        for at in 1..10 {
            silence.leave(now + seconds(at));
            silence.read_on(now + seconds(at));
        }
        assert_eq!(silence.until(), now + seconds(10));
    }
}
