//! What a request holds that not every target can honour.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use ir::{Failure, Inbound, Kind};
use router::{Grip, Pin, To};
use wire::head::Sight;

use crate::Gateway;
use crate::open::Attempt;

/// How many answers are remembered beside the ledger.
const REMEMBERED: usize = 4_096;

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
    if let Some(found) = gateway.recent.find(key, &answer) {
        return Ok(Some(found));
    }
    let reader = Arc::clone(gateway);
    let key = key.map(str::to_owned);
    let found = tokio::task::spawn_blocking(move || reader.store.answered(&answer, key.as_deref()));
    match found.await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Failure::new(Kind::LedgerUnavailable, error.to_string())),
        Err(_) => Err(Failure::new(Kind::Internal, "looking the answer up failed")),
    }
}

/// The newest answers that may be gone on from, and who made them. Conversations go on within
/// minutes, and their rows may be in the ledger's spool by then, where nothing is looked up.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Answers>);

/// An answer's id, with the name of the key that it was given to.
type Given = (Option<String>, String);

#[derive(Debug, Default)]
struct Answers {
    made_by: HashMap<Given, (String, String)>,
    /// Oldest first.
    order: VecDeque<Given>,
}

impl Recent {
    /// Remembers the answers of attempts.
    pub(crate) fn note(&self, key: Option<&String>, attempts: &[Attempt]) {
        for attempt in attempts {
            let Some(answer) = attempt.answer.clone() else { continue };
            let target = &attempt.way.target;
            let made_by = (target.provider.id.clone(), target.model.id.clone());
            self.put((key.cloned(), answer), made_by);
        }
    }

    fn put(&self, given: Given, made_by: (String, String)) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.made_by.insert(given.clone(), made_by).is_some() {
            return;
        }
        answers.order.push_back(given);
        if answers.order.len() > REMEMBERED
            && let Some(oldest) = answers.order.pop_front()
        {
            answers.made_by.remove(&oldest);
        }
    }

    fn find(&self, key: Option<&str>, answer: &str) -> Option<(String, String)> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.made_by.get(&(key.map(str::to_owned), answer.to_owned())).cloned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use super::{REMEMBERED, Recent};

    #[test]
    fn the_newest_answers_are_remembered_for_the_key_they_were_given_to() {
        let recent = Recent::default();
        let given = |at: usize| (Some("house".to_owned()), format!("resp_{at}"));
        for at in 0..=REMEMBERED {
            recent.put(given(at), ("p".to_owned(), at.to_string()));
        }
        let found = |key, at: usize| recent.find(key, &format!("resp_{at}"));
        assert_eq!(found(Some("house"), REMEMBERED).unwrap().1, REMEMBERED.to_string());
        assert_eq!(found(Some("house"), 0), None, "the oldest made room");
        assert_eq!((found(Some("other"), 1), found(None, 1)), (None, None));
        let answers = recent.0.lock().unwrap();
        assert_eq!((answers.order.len(), answers.made_by.len()), (REMEMBERED, REMEMBERED));
    }
}
