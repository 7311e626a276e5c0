//! The life of a request, from the socket to the ledger.
//!
//! One straight line, each step taking what the last one made, so that the body of an unadmitted
//! request is not read and an unheld request cannot be sent:
//!
//! ```text
//! admitted = admit(keys, headers)      who asks
//! received = accept(admitted, http)    the whole body within its limit; its head
//! plan     = router::plan(head, pins)  ordered targets, and why
//! hold     = Hold::open(received, …)   settles on every exit, also when dropped
//! won      = pursue(plan, hold)        the first target whose answer may go out
//! relay(won, hold)                     to the client; settled before the last byte
//! ```
//!
//! What runs is a [`World`]: catalogue, table, credentials, keys. It is swapped whole; a request
//! keeps the one it began with. This crate reads no arguments, no environment and no configuration
//! file, and it prints nothing.

mod accept;
mod admit;
mod answer;
mod array;
mod clock;
mod converse;
mod count;
mod embed;
mod google;
mod health;
mod hold;
mod lane;
mod life;
mod models;
mod pins;
mod pursue;
mod reach;
mod record;
mod relay;
mod route;
mod send;
mod serve;
mod stream;
mod world;

use std::sync::Arc;

use arc_swap::ArcSwap;
use store::Store;

pub use reach::{BadReach, Outgoing, Reach};
pub use send::{Client, TlsError, client};
pub use serve::{Shutdown, serve};
pub use world::{Key, OnLoss, World};

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    world: ArcSwap<World>,
    store: Store,
    client: Client,
}

impl Gateway {
    /// Puts a gateway together; [`serve`] runs it.
    pub fn new(world: World, store: Store, client: Client) -> Arc<Self> {
        Arc::new(Self { world: ArcSwap::from_pointee(world), store, client })
    }

    /// Swaps the world: requests that began keep theirs.
    pub fn turn(&self, world: World) {
        self.world.store(Arc::new(world));
    }

    /// Returns the world of new requests.
    pub fn world(&self) -> Arc<World> {
        self.world.load_full()
    }

    /// Returns the ledger.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Commits what is left and closes the ledger, once nobody else holds the gateway.
    pub fn close(self: Arc<Self>) {
        let health = self.store.health();
        if let Some(gateway) = Arc::into_inner(self) {
            gateway.store.close();
        }
        if health.trouble().is_some() {
            tracing::error!(requests = health.waiting(), "the ledger could not be written");
        }
    }
}
