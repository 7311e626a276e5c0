//! The laws over recorded traffic of Google's `generateContent`, from the Gemini API and Vertex.

mod abroad;
mod generated;
mod oracle;
mod refused;
mod small;
mod spelling;
mod travel;

use ir::{Dialect, Grammar, Inbound, Kind, Quirks};
use serde_json::Value;
use testkit::corpus::{self, Case};

use crate::laws::{Tally, chunking, counts, events, fold, mangled, origin, rewritten};

const GOOGLE: Inbound = Inbound::Gemini;
const HERE: Dialect = Dialect::Gemini;

fn recorded(filter: impl Fn(&Case) -> bool) -> Vec<Case> {
    corpus::cases(&|case| case.api == "generateContent" && filter(case))
}

#[test]
fn law_1_a_request_survives_at_home() {
    if corpus::require("law 1 for Gemini's requests").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(|case| case.request_body.is_some()) {
        let body = case.request_body.clone().unwrap();
        if body.is_empty() {
            continue;
        }
        let before: Value = serde_json::from_str(&body).unwrap();
        let request = match wire::read_request(GOOGLE, body.as_bytes()) {
            Ok(request) => request,
            Err(error) => {
                tally.leave_out(&case, format!("status {}: {error}", case.status));
                continue;
            }
        };
        let written = wire::write_request(HERE, &request, Quirks::default());
        assert_eq!(written.losses, [], "{}", case.id);
        let after: Value = serde_json::from_slice(&written.bytes).unwrap();
        assert_eq!(spelling::request(after), spelling::request(before), "{}", case.id);
        let again = wire::read_request(GOOGLE, &written.bytes).unwrap();
        assert_eq!(again, request, "law 2: {}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, Gemini's requests");
    assert!(tally.passed >= 480, "only {} requests passed", tally.passed);
}

#[test]
fn law_1_an_answer_survives_at_home() {
    if corpus::require("law 1 for Gemini's answers").is_none() {
        return;
    }
    let (mut tally, mut blocked) = (Tally::default(), 0);
    for case in recorded(|case| !case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let response = match wire::read_response(&origin(HERE), &body) {
            Ok(response) => response,
            Err(failure) => {
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                if body["promptFeedback"]["blockReason"].is_string() {
                    assert_eq!(failure.kind, Kind::ContentPolicy, "{}", case.id);
                    blocked += 1;
                } else if oracle::broken(&body) {
                    assert_eq!(failure.kind, Kind::InvalidOutput, "{}", case.id);
                } else {
                    tally.leave_out(&case, format!("{}: {}", failure.kind.code(), failure.message));
                }
                continue;
            }
        };
        let glance = wire::glance(&origin(HERE), &body).unwrap();
        assert_eq!(glance.usage, response.usage, "{}", case.id);
        let before: Value = serde_json::from_slice(&body).unwrap();
        let bytes = wire::write_response(GOOGLE, &response);
        let after: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(oracle::cited(&response), oracle::whole_citations(&before), "{}", case.id);
        assert_eq!(spelling::response(after), spelling::response(before), "{}", case.id);
        let again = wire::read_response(&origin(HERE), &bytes).unwrap();
        assert_eq!(again, response, "law 2: {}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, Gemini's answers");
    println!("and {blocked} blocked prompts, each read as one");
    assert!(tally.passed >= 380, "only {} answers passed", tally.passed);
}

#[test]
fn law_4_a_stream_is_its_answer() {
    if corpus::require("law 4 for Gemini").is_none() {
        return;
    }
    let (mut tally, mut lists, mut failed) = (Tally::default(), 0, 0);
    for case in recorded(|case| case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let events = events(HERE, std::slice::from_ref(&body));
        let mut grammar = Grammar::default();
        for event in &events {
            let step = grammar.step(event);
            step.unwrap_or_else(|broken| panic!("{}: {broken} at {event:?}", case.id));
        }
        assert!(grammar.ended(), "{}: without an end", case.id);
        let expected = oracle::stream(&case.response_body);
        let response = match fold(HERE, &events) {
            Ok(response) => response,
            Err(failure) => {
                assert!(expected.fails() && expected.is(failure.kind), "{}: {failure}", case.id);
                failed += 1;
                continue;
            }
        };
        assert!(!expected.fails(), "{}", case.id);
        assert_eq!(oracle::folded(&response), expected.said, "{}", case.id);
        assert_eq!(response.usage.as_ref().map(counts), expected.usage, "{}", case.id);
        let again = fold(HERE, &self::events(HERE, &[rewritten(GOOGLE, &events)])).unwrap();
        assert_eq!(oracle::folded(&again), expected.said, "law 1 for streams: {}", case.id);
        assert_eq!(
            again.usage.as_ref().map(counts),
            response.usage.as_ref().map(counts),
            "law 1 for usage: {}",
            case.id
        );
        lists += usize::from(case.response_body.trim_start().starts_with('['));
        tally.passed += 1;
    }
    tally.print("law 4, Gemini's streams");
    println!("of these {lists} came as a list; and {failed} failed as they should");
    assert!(tally.passed >= 180, "only {} streams passed", tally.passed);
    assert!(lists >= 14, "only {lists} lists passed");
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5 for Gemini").is_none() {
        return;
    }
    let splits = chunking(HERE, &recorded(|case| case.is_stream && case.status == 200));
    println!("law 5, Gemini: {splits} splits");
    assert!(splits >= 500);
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6 for Gemini").is_none() {
        return;
    }
    let read = mangled(HERE, Some(GOOGLE), &recorded(|_| true));
    println!("law 6, Gemini: {read} mangled bodies");
    assert!(read >= 3_000);
}
