//! The gate: how many requests and how many bytes of bodies are under way. What comes over it is
//! refused at once, before memory grows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ir::{Failure, Kind};

use crate::Gateway;

/// When a refused client may come again.
const AGAIN: Duration = Duration::from_secs(1);

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A request's place among those under way, given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    gateway: Arc<Gateway>,
    bytes: usize,
}

impl Gate {
    /// Returns how many requests are under way.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Seat {
    /// Takes a place, where there is one.
    pub(crate) fn take(gateway: &Arc<Gateway>, most: usize) -> Result<Self, Failure> {
        let seat = Self { gateway: Arc::clone(gateway), bytes: 0 };
        // The seat gives back what it took also when it is one too many.
        let others = gateway.gate.requests.fetch_add(1, Ordering::Relaxed);
        if others >= most {
            return Err(full(format!(
                "{most} requests are under way, the most this gateway takes"
            )));
        }
        Ok(seat)
    }

    /// Makes room for bytes of the request's body.
    pub(crate) fn grow(&mut self, bytes: usize, most: usize) -> Result<(), Failure> {
        self.bytes += bytes;
        let others = self.gateway.gate.bytes.fetch_add(bytes, Ordering::Relaxed);
        if others.saturating_add(bytes) > most {
            let said = format!("the bodies of requests under way fill {most} bytes");
            return Err(full(said));
        }
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.gateway.gate.requests.fetch_sub(1, Ordering::Relaxed);
        self.gateway.gate.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn full(said: String) -> Failure {
    Failure { retry_after: Some(AGAIN), ..Failure::new(Kind::GatewayOverloaded, said) }
}
