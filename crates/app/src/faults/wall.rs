//! The wall: one scripted provider whose model name selects the fault, and beside it a port on which
//! nothing listens.

use anyhow::Context;
use testkit::{Answer, DeadPort, Fault, Provider, Script, Seen, When};

use super::row::{ARGUMENTS, FALLBACK, HEALTHY, PRIMARY, Row};
use super::scenario::{Play, Reached, Says};

/// The requests of one client after which a provider has recovered.
const RECOVERS_AFTER: u32 = 2;

/// The credential with which gateways come to the wall. Whoever shows it to a client leaks it.
pub(crate) const CREDENTIAL: &str = "sk-wall-2f8c1d0e7b964a35";

/// Where the wall is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address {
    /// The port of the scripted provider.
    pub(crate) port: u16,
    /// The port on which nothing listens.
    pub(crate) dead: u16,
}

impl Address {
    /// Returns the address of a wall on a chosen port; the dead port is the next one.
    pub(crate) fn at(port: u16) -> Self {
        Self { port, dead: port.saturating_add(1) }
    }

    /// Returns the base URL of the wall without a version.
    pub(crate) fn root(self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the base URL of a provider that is reached so, without a version.
    pub(crate) fn root_of(self, reached: Reached) -> String {
        match reached {
            Reached::Wall => self.root(),
            Reached::DeadPort => format!("http://127.0.0.1:{}", self.dead),
            Reached::PlainPort => format!("https://127.0.0.1:{}", self.port),
            Reached::NoHost => "http://wall.invalid".to_owned(),
        }
    }
}

/// A wall that stands.
#[derive(Debug)]
pub(crate) struct Wall {
    provider: Provider,
    _dead: DeadPort,
    /// Where it is.
    pub(crate) address: Address,
}

impl Wall {
    /// Builds the wall for these rows on the chosen ports, or on free ones.
    pub(crate) async fn build(rows: &[Row], port: Option<u16>) -> anyhow::Result<Self> {
        let script = script(rows)?;
        let provider = Provider::start_at(port.unwrap_or(0), script).await;
        let provider = provider.with_context(|| match port {
            Some(port) => format!("listen on 127.0.0.1:{port} for the wall"),
            None => "listen on loopback for the wall".to_owned(),
        })?;
        let dead = port.map_or(0, |port| Address::at(port).dead);
        let dead = DeadPort::take_at(dead).context("hold the port beside the wall's")?;
        let address = Address { port: provider.port(), dead: dead.port() };
        Ok(Self { provider, _dead: dead, address })
    }

    /// Returns the requests that bear a marker.
    pub(crate) fn seen(&self, marker: &str) -> Vec<Seen> {
        self.provider.seen_saying(marker)
    }
}

/// Returns what the wall answers: the faulty models by name, and everything else well.
fn script(rows: &[Row]) -> anyhow::Result<Script> {
    let healthy = Script::saying(FALLBACK).when(When::model(HEALTHY), Answer::text(FALLBACK));
    rows.iter().try_fold(healthy, |script, row| {
        let fault = Fault::parse(row.fault())?;
        let answer = match row.scenario.says {
            Says::Text | Says::TextAndUsage => Answer::text(PRIMARY),
            Says::Call => Answer::tool_call("look_up", ARGUMENTS),
        };
        let answer = match row.scenario.play {
            Play::UntilRecovered => answer.failing_first(RECOVERS_AFTER, fault),
            Play::Several => answer.flapping(fault),
            Play::Once | Play::LeavesEarly | Play::LeavesLate => answer.failing(fault),
        };
        Ok(script.when(When::model(&row.model()), answer))
    })
}
