//! What a request holds that not every target can honour.

use std::sync::Arc;

use ir::{Failure, Inbound, Kind};
use router::{Grip, Pin, To};
use wire::head::Sight;

use crate::Gateway;

/// Finds the pins of a request: the answer it goes on from is looked up in the ledger, among the
/// answers that the same key was given.
pub(crate) async fn pin(
    gateway: &Arc<Gateway>,
    key: Option<&str>,
    inbound: Inbound,
    sight: &Sight,
) -> Result<Vec<Pin>, Failure> {
    let speaker = || To::Dialect(inbound.dialect());
    let mut pins = Vec::new();
    if let Some(answer) = sight.answer.clone() {
        let to = match made_by(gateway, key, answer).await? {
            Some((provider, model)) => To::Provider { provider, model },
            None => speaker(),
        };
        pins.push(Pin { field: "previous_response_id", to, grip: Grip::Firm });
    }
    if sight.kept == Some("item_reference") && sight.unkept {
        let said = "the input refers to an item of an earlier answer, and no provider keeps that \
                    item: send the items themselves (with `store: false` clients do)";
        return Err(Failure::new(Kind::InvalidRequest, said).at("input"));
    }
    if let Some(field) = sight.kept {
        pins.push(Pin { field, to: speaker(), grip: Grip::Firm });
    }
    let loose = [
        (sight.hosted, "tools"),
        // What was made for another provider has to be translated wherever it goes.
        (sight.sealed && !sight.enveloped, "signed thoughts"),
    ];
    let loose = loose.into_iter().filter(|(held, _)| *held);
    pins.extend(loose.map(|(_, field)| Pin { field, to: speaker(), grip: Grip::Loose }));
    Ok(pins)
}

async fn made_by(
    gateway: &Arc<Gateway>,
    key: Option<&str>,
    answer: String,
) -> Result<Option<(String, String)>, Failure> {
    let reader = Arc::clone(gateway);
    let key = key.map(str::to_owned);
    let found = tokio::task::spawn_blocking(move || reader.store.answered(&answer, key.as_deref()));
    match found.await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Failure::new(Kind::LedgerUnavailable, error.to_string())),
        Err(_) => Err(Failure::new(Kind::Internal, "looking the answer up failed")),
    }
}
