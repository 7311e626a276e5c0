//! The laws over recorded OpenAI-compatible chat traffic.

use std::collections::BTreeMap;

use bytes::Bytes;
use ir::{Dialect, Event, Failure, Grammar, Response};
use serde_json::Value;
use testkit::corpus::{self, Case};
use wire::sse::Splitter;
use wire::{EventReader, openai_chat};

use crate::{oracle, spelling};

const CHAT: Dialect = Dialect::OpenaiChat;

/// Counts what a law covered and why it left the rest out.
#[derive(Default)]
struct Tally {
    passed: usize,
    left_out: BTreeMap<String, Vec<String>>,
}

impl Tally {
    fn leave_out(&mut self, case: &Case, why: impl Into<String>) {
        self.left_out.entry(why.into()).or_default().push(format!("{} {}", case.provider, case.id));
    }

    fn print(&self, law: &str) {
        let out: usize = self.left_out.values().map(Vec::len).sum();
        println!("{law}: {} cases, {} passed, {out} left out", self.passed + out, self.passed);
        for (why, ids) in &self.left_out {
            let shown = ids.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            println!("  {} × {why}: {shown}", ids.len());
        }
    }
}

fn chat(filter: impl Fn(&Case) -> bool) -> Vec<Case> {
    corpus::cases(&|case| case.api == "chat" && filter(case))
}

/// Reads a stream that comes in these pieces into events.
pub(crate) fn events(pieces: &[Bytes]) -> Vec<Event> {
    let (mut splitter, mut reader) = (Splitter::default(), EventReader::new(CHAT));
    let mut out = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame().unwrap() {
            reader.read(&frame, &mut out);
        }
    }
    if let Some(frame) = splitter.finish() {
        reader.read(&frame, &mut out);
    }
    reader.end(&mut out);
    out
}

pub(crate) fn fold(events: &[Event]) -> Result<Response, Failure> {
    let mut fold = ir::Fold::new(CHAT);
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish()
}

/// Writes events as a stream of a client's.
pub(crate) fn rewritten(events: &[Event]) -> Bytes {
    let mut writer = openai_chat::events::Writer::new(true);
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &wire::failures::Context::default(), &mut out);
    }
    out.into()
}

#[test]
fn law_1_a_request_survives_at_home() {
    if corpus::require("law 1 for requests").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in chat(|_| true) {
        let Some(body) = &case.request_body else {
            tally.leave_out(&case, "the recording has no request");
            continue;
        };
        let Ok(before) = serde_json::from_str::<Value>(body) else {
            tally.leave_out(&case, "the request is no JSON");
            continue;
        };
        let request = match wire::read_request(CHAT, body.as_bytes()) {
            Ok(request) => request,
            Err(error) => {
                tally.leave_out(&case, format!("status {}: {error}", case.status));
                continue;
            }
        };
        let written = wire::write_request(CHAT, &request);
        assert_eq!(written.losses, [], "{}", case.id);
        let after: Value = serde_json::from_slice(&written.bytes).unwrap();
        assert_eq!(spelling::request(after), spelling::request(before), "{}", case.id);
        let again = wire::read_request(CHAT, &written.bytes).unwrap();
        assert_eq!(again, request, "law 2: {}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, requests");
    assert!(tally.passed >= 1_200, "only {} requests passed", tally.passed);
}

#[test]
fn law_1_an_answer_survives_at_home() {
    if corpus::require("law 1 for answers").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in chat(|case| !case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let response = match wire::read_response(CHAT, &body) {
            Ok(response) => response,
            Err(failure) => {
                tally.leave_out(&case, format!("{}: {}", failure.kind.code(), failure.message));
                continue;
            }
        };
        let glance = wire::glance(CHAT, &body).unwrap();
        assert_eq!(glance.usage, response.usage, "{}", case.id);
        assert_eq!(glance.answered, !response.candidates.is_empty(), "{}", case.id);
        let before: Value = serde_json::from_slice(&body).unwrap();
        let bytes = wire::write_response(CHAT, &response);
        let after: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(spelling::response(after), spelling::response(before), "{}", case.id);
        assert_eq!(wire::read_response(CHAT, &bytes).unwrap(), response, "law 2: {}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, answers");
    assert!(tally.passed >= 900, "only {} answers passed", tally.passed);
}

#[test]
fn law_4_a_stream_is_its_answer() {
    if corpus::require("law 4").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in chat(|case| case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let events = events(std::slice::from_ref(&body));
        let mut grammar = Grammar::default();
        for event in &events {
            grammar
                .step(event)
                .unwrap_or_else(|broken| panic!("{}: {broken} at {event:?}", case.id));
        }
        assert!(grammar.ended(), "{}: without an end", case.id);
        let response = match fold(&events) {
            Ok(response) => response,
            Err(failure) => {
                tally.leave_out(
                    &case,
                    format!("ends in {}: {}", failure.kind.code(), failure.message),
                );
                continue;
            }
        };
        let expected = oracle::read(&case.response_body);
        assert_eq!(oracle::folded(&response), expected, "{}", case.id);
        let again = fold(&self::events(&[rewritten(&events)])).unwrap();
        assert_eq!(oracle::folded(&again), expected, "law 1 for streams: {}", case.id);
        assert_eq!(
            again.usage.as_ref().map(counts),
            response.usage.as_ref().map(counts),
            "law 1 for usage: {}",
            case.id
        );
        tally.passed += 1;
    }
    tally.print("law 4, streams");
    assert!(tally.passed >= 360, "only {} streams passed", tally.passed);
}

fn counts(usage: &ir::Usage) -> [u64; 4] {
    [usage.input.0, usage.cached_input.0, usage.output.0, usage.reasoning.0]
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5").is_none() {
        return;
    }
    let mut splits = 0;
    for case in chat(|case| case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let whole = events(std::slice::from_ref(&body));
        for seed in [0, 1, 0x9e37_79b9_7f4a_7c15] {
            let pieces = testkit::chunks::splits(&body, seed);
            assert_eq!(events(&pieces), whole, "{} seed {seed}", case.id);
            splits += 1;
        }
    }
    println!("law 5: {splits} splits");
    assert!(splits >= 1_000);
}

/// Cuts and scrambles every recorded body; the readers may refuse, never panic.
#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6").is_none() {
        return;
    }
    let mut read = 0;
    for (number, case) in (0_usize..).zip(chat(|_| true)) {
        let answer = case.body_bytes().unwrap().to_vec();
        let request = case.request_body.clone().unwrap_or_default().into_bytes();
        for (round, body) in [answer, request].into_iter().enumerate() {
            for mangled in mangle(&body, number * 7 + round) {
                let _ = wire::read_request(CHAT, &mangled);
                let _ = wire::read_head(CHAT, &mangled);
                let _ = wire::read_response(CHAT, &mangled);
                let _ = wire::glance(CHAT, &mangled);
                let _ = wire::read_failure(CHAT, 400, &|_| None, &mangled);
                let events = events(&[mangled.into()]);
                let mut grammar = Grammar::default();
                events.iter().for_each(|event| grammar.step(event).unwrap());
                read += 1;
            }
        }
    }
    println!("law 6: {read} mangled bodies");
}

fn mangle(body: &[u8], seed: usize) -> Vec<Vec<u8>> {
    if body.is_empty() {
        return Vec::new();
    }
    let at =
        |step: usize| (seed.wrapping_mul(2_654_435_761).wrapping_add(step * 40_503)) % body.len();
    let cut = body[..at(1)].to_vec();
    let mut flipped = body.to_vec();
    let mut swapped = body.to_vec();
    for step in 2..6 {
        let (flip, swap) = (at(step), at(step + 10));
        flipped[flip] ^= 1 << (step % 8);
        swapped[swap] = b"{}[]\",:0n\n"[step];
    }
    vec![cut, flipped, swapped]
}
