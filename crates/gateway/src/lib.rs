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
mod attempt;
mod begin;
mod clock;
mod continuation;
mod converse;
mod count;
mod embed;
mod flow;
mod gate;
mod google;
mod hedge;
mod hold;
mod join;
mod judge;
mod lane;
mod life;
mod metrics;
mod models;
mod open;
mod patient;
mod pins;
mod pursue;
mod reach;
mod record;
mod refusals;
mod relay;
mod route;
mod send;
mod serve;
mod silence;
mod status;
mod stream;
mod streams;
mod targets;
mod turn;
mod witness;
mod world;
mod worth;

use std::sync::Arc;

use arc_swap::ArcSwap;
use health::Policies;
use store::Store;
use tokio::sync::watch;

use gate::Gate;
use pins::Recent;
use targets::Targets;

pub use reach::{BadReach, Outgoing, Reach, Reaches};
pub use send::{Client, TlsError, client};
pub use serve::{Serving, Shutdown, serve};
pub use world::{Key, Load, OnLoss, World};

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    world: ArcSwap<World>,
    store: Store,
    client: Client,
    targets: Arc<Targets>,
    gate: Gate,
    recent: Recent,
    stopping: watch::Sender<bool>,
}

impl Gateway {
    /// Puts a gateway together; [`serve`] runs it.
    pub fn new(world: World, store: Store, client: Client, policies: Policies) -> Arc<Self> {
        Arc::new(Self {
            world: ArcSwap::from_pointee(world),
            store,
            client,
            targets: Arc::new(Targets::new(policies)),
            gate: Gate::default(),
            recent: Recent::default(),
            stopping: watch::Sender::new(false),
        })
    }

    /// Swaps the world: requests that began keep theirs. What is known of a credential that was
    /// changed is forgotten.
    pub fn turn(&self, world: World) {
        let new = Arc::new(world);
        // First the new one is in force: a request that still takes the old credential has begun
        // before the renewal, and its refusal is no news after it.
        let old = self.world.swap(Arc::clone(&new));
        for (provider, reaches) in &new.reach {
            for reach in reaches {
                let known = old.reach.get(provider).into_iter().flatten();
                let mut known = known.filter(|known| known.credential == reach.credential);
                if known.next().is_none_or(|known| !known.same_secrets(reach)) {
                    self.targets.renew(provider, &reach.credential);
                }
            }
        }
    }

    /// Resolves when what is still under way is given up.
    async fn stopped(&self) {
        // The sender lives as long as this gateway.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Gives up what is still under way: each stream is told so, each request answered.
    fn give_up(&self) {
        self.stopping.send_replace(true);
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
