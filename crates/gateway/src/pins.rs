//! What a request holds that not every target can honour.

use std::sync::Arc;

use ir::{Failure, Inbound, Kind};
use router::{Grip, Pin, To};
use wire::head::Bound;

use crate::Gateway;

/// Finds the pins of a request: the answer it goes on from is looked up in the ledger.
pub(crate) async fn pin(
    gateway: &Arc<Gateway>,
    inbound: Inbound,
    bound: &Bound,
) -> Result<Vec<Pin>, Failure> {
    let speaker = || To::Dialect(inbound.dialect());
    let mut pins = Vec::new();
    if let Some(answer) = bound.answer.clone() {
        let to = match made_by(gateway, answer).await? {
            Some((provider, model)) => To::Provider { provider, model },
            None => speaker(),
        };
        pins.push(Pin { field: "previous_response_id", to, grip: Grip::Firm });
    }
    let more = [
        (bound.uploaded, "file_id", Grip::Firm),
        (bound.hosted, "tools", Grip::Loose),
        (bound.sealed && !bound.enveloped, "signed thoughts", Grip::Loose),
    ];
    let more = more.into_iter().filter(|(held, ..)| *held);
    pins.extend(more.map(|(_, field, grip)| Pin { field, to: speaker(), grip }));
    Ok(pins)
}

async fn made_by(
    gateway: &Arc<Gateway>,
    answer: String,
) -> Result<Option<(String, String)>, Failure> {
    let reader = Arc::clone(gateway);
    match tokio::task::spawn_blocking(move || reader.store.answered(&answer)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Failure::new(Kind::LedgerUnavailable, error.to_string())),
        Err(_) => Err(Failure::new(Kind::Internal, "looking the answer up failed")),
    }
}
