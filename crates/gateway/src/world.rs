//! What a request is served with: catalogue, table, keys and limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::Catalog;
use router::Table;
use secrecy::SecretString;

use crate::reach::Reach;

/// Everything a request is served with.
#[derive(Debug)]
pub struct World {
    /// Providers, models, prices.
    pub catalog: Catalog,
    /// The routing table.
    pub table: Table,
    /// The providers that can be reached, by id, each with its credentials; the first is the one
    /// of `auth`.
    pub reach: BTreeMap<String, Vec<Arc<Reach>>>,
    /// The keys that may call; empty means that nobody is asked for one.
    pub keys: Vec<Key>,
    /// How much is taken at once.
    pub load: Load,
    /// A word every answer carries, such as `DEMO`.
    pub badge: Option<String>,
}

impl World {
    /// Returns how a provider is reached with its first credential.
    pub fn first(&self, provider: &str) -> Option<&Arc<Reach>> {
        self.reach.get(provider)?.first()
    }

    /// Returns whether a provider can be reached.
    pub fn reaches(&self, provider: &str) -> bool {
        self.reach.contains_key(provider)
    }
}

/// How much is taken at once; what comes over it is refused before memory grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// The largest body, in bytes.
    pub body: usize,
    /// The most requests under way.
    pub requests: usize,
    /// The most bytes that bodies of requests under way may fill.
    pub memory: usize,
}

/// A key that may call.
#[derive(Debug)]
pub struct Key {
    /// Its name, for the ledger.
    pub name: String,
    /// The secret.
    pub secret: SecretString,
    /// What is done with its requests that a target's dialect cannot say whole.
    pub on_loss: OnLoss,
}

/// What is done with a request that cannot be said whole in a target's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnLoss {
    /// It is said as well as can be, and the caller is told what was lost.
    #[default]
    Tell,
    /// The target is passed over.
    Reject,
}
