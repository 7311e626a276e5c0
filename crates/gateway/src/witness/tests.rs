use std::sync::Arc;

use check::{Checks, Mode, Prefix, Written};
use ir::event::{PartKind, Spot};
use ir::{CallKind, Dialect, Event, Finish, Inbound};
use router::Commit;

use super::Witness;
use crate::attempt::ANSWER_LIMIT;
use crate::judge::Judge;

/// The witness of a judge who looks on, for a request with the tool `look`.
fn witness() -> Witness {
    let written = Written { mode: Mode::Observe, non_empty: true, ..Written::default() };
    let checks = Checks::compile(&written).expect("these are checks");
    let body = br#"{"model":"m","messages":[{"role":"user","content":"hi"}],
        "tools":[{"type":"function","function":{"name":"look"}}]}"#;
    let request = wire::read_request(Inbound::OpenaiChat, body).expect("this is a request");
    let judge = Judge::for_request(Some(Arc::new(checks)), Commit::Prefix, &request);
    Witness::new(Arc::new(judge), Dialect::OpenaiChat)
}

fn spot(candidate: u32) -> Spot {
    Spot { candidate, part: 0 }
}

fn says(candidate: u32, text: &str) -> [Event; 3] {
    let spot = spot(candidate);
    [Event::Open(spot, PartKind::Text), Event::Delta(spot, text.to_owned()), Event::Close(spot)]
}

fn ends() -> [Event; 2] {
    [Event::Stop { candidate: 0, finish: Some(Finish::Stop) }, Event::Finish]
}

fn heard(witness: &mut Witness, events: impl IntoIterator<Item = Event>) {
    events.into_iter().for_each(|event| witness.hear(&event));
}

#[test]
fn an_answer_that_has_gone_out_has_a_verdict() {
    let mut witness = witness();
    heard(&mut witness, says(0, "words").into_iter().chain(ends()));
    witness.grow(ANSWER_LIMIT);
    assert!(witness.observed().is_some_and(|verdict| verdict.passed()));
}

#[test]
fn one_that_grows_without_end_has_none() {
    let mut witness = witness();
    heard(&mut witness, says(0, "words"));
    witness.grow(ANSWER_LIMIT + 1);
    assert!(witness.fold.is_none(), "nothing is kept of it");
    heard(&mut witness, ends());
    assert_eq!(witness.observed(), None);
}

#[test]
fn the_first_candidate_decides_the_beginning() {
    let mut witness = witness();
    let call = PartKind::ToolCall {
        id: "1".to_owned(),
        name: "unknown".to_owned(),
        kind: CallKind::Function,
    };
    heard(&mut witness, [Event::Open(spot(1), call)]);
    heard(&mut witness, says(2, "Words."));
    assert_eq!(witness.prefix(), Prefix::Undecided);
    heard(&mut witness, says(0, "Words."));
    assert_eq!(witness.prefix(), Prefix::Valid);
}
