//! The laws over recorded OpenAI-compatible chat traffic.

use ir::{AssistantPart, Dialect, Grammar, Inbound, Quirks, Response};
use serde_json::Value;
use testkit::corpus::{self, Case};

use crate::laws::{Tally, chunking, counts, events, fold, mangled, origin, rewritten};
use crate::{oracle, spelling};

const CHAT: Inbound = Inbound::OpenaiChat;
const HERE: Dialect = Dialect::OpenaiChat;

fn chat(filter: impl Fn(&Case) -> bool) -> Vec<Case> {
    corpus::cases(&|case| case.api == "chat" && filter(case))
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
        let written = wire::write_request(HERE, &request, Quirks::default());
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
        let response = match wire::read_response(&origin(HERE), &body) {
            Ok(response) => response,
            Err(failure) => {
                tally.leave_out(&case, format!("{}: {}", failure.kind.code(), failure.message));
                continue;
            }
        };
        let glance = wire::glance(&origin(HERE), &body).unwrap();
        assert_eq!(glance.usage, response.usage, "{}", case.id);
        assert_eq!(glance.substance, response.substance(), "{}", case.id);
        let before: Value = serde_json::from_slice(&body).unwrap();
        let bytes = wire::write_response(CHAT, &response);
        let after: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(spelling::response(after), spelling::response(before), "{}", case.id);
        assert_eq!(
            wire::read_response(&origin(HERE), &bytes).unwrap(),
            response,
            "law 2: {}",
            case.id
        );
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
    let (mut citations, mut details) = (0, 0);
    for case in chat(|case| case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let events = events(HERE, std::slice::from_ref(&body));
        let mut grammar = Grammar::default();
        for event in &events {
            grammar
                .step(event)
                .unwrap_or_else(|broken| panic!("{}: {broken} at {event:?}", case.id));
        }
        assert!(grammar.ended(), "{}: without an end", case.id);
        let response = match fold(HERE, &events) {
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
        assert_eq!(cited(&response), cited_in(&case.response_body), "{}", case.id);
        assert_eq!(detailed(&response), detailed_in(&case.response_body), "{}", case.id);
        citations += cited(&response).len();
        details += usize::from(!detailed(&response).is_empty());
        let again = fold(HERE, &self::events(HERE, &[rewritten(CHAT, &events)])).unwrap();
        assert_eq!(oracle::folded(&again), expected, "law 1 for streams: {}", case.id);
        assert_eq!(cited(&again), cited(&response), "law 1 for citations: {}", case.id);
        assert_eq!(detailed(&again), detailed(&response), "law 1 for details: {}", case.id);
        let words = |response: &Response| {
            let word = |of: &ir::Candidate| of.extras.get("finish_reason").cloned();
            response.candidates.iter().map(word).collect::<Vec<_>>()
        };
        assert_eq!(words(&again), words(&response), "law 1 for the end: {}", case.id);
        assert_eq!(
            again.usage.as_ref().map(counts),
            response.usage.as_ref().map(counts),
            "law 1 for usage: {}",
            case.id
        );
        tally.passed += 1;
    }
    tally.print("law 4, streams");
    println!("  {citations} citations, {details} streams with details of thoughts");
    assert!(citations >= 5 && details >= 20);
    assert!(tally.passed >= 360, "only {} streams passed", tally.passed);
}

/// The addresses that the texts of an answer rest on.
fn cited(response: &Response) -> Vec<String> {
    let parts = response.candidates.iter().flat_map(|candidate| &candidate.turn.parts);
    let said = parts.filter_map(|part| match part {
        AssistantPart::Text(said) => Some(&said.citations),
        _ => None,
    });
    said.flatten().filter_map(|cited| cited.url.clone()).collect()
}

/// The same, read without the codecs.
fn cited_in(body: &str) -> Vec<String> {
    let cited = deltas(body).into_iter().flat_map(|delta| list(&delta["annotations"]));
    cited.filter_map(|cited| Some(cited["url_citation"]["url"].as_str()?.to_owned())).collect()
}

/// What the details of thoughts say: texts, signatures and encrypted thoughts, each joined.
fn detailed(response: &Response) -> String {
    let parts = response.candidates.iter().flat_map(|candidate| &candidate.turn.parts);
    let lists = parts.filter_map(|part| match part {
        AssistantPart::Reasoning(thoughts) => thoughts.carrier.as_ref(),
        _ => None,
    });
    joined(&lists.flat_map(|carrier| list(&carrier.raw.value())).collect::<Vec<_>>())
}

/// The same, read without the codecs.
fn detailed_in(body: &str) -> String {
    let details = deltas(body).into_iter().flat_map(|delta| list(&delta["reasoning_details"]));
    joined(&details.collect::<Vec<_>>())
}

fn joined(details: &[Value]) -> String {
    let of = |names: &[&str]| -> String {
        let said = |detail: &Value| {
            let said = names.iter().filter_map(|name| detail[*name].as_str());
            said.collect::<String>()
        };
        details.iter().map(said).collect()
    };
    of(&["text", "summary"]) + &of(&["signature"]) + &of(&["data"])
}

fn deltas(body: &str) -> Vec<Value> {
    let chunks = oracle::data(body).into_iter();
    let chunks = chunks.filter_map(|data| serde_json::from_str::<Value>(&data).ok());
    chunks.flat_map(|chunk| list(&chunk["choices"])).map(|choice| choice["delta"].clone()).collect()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

#[test]
fn what_providers_took_passes_the_check() {
    if corpus::require("the check of requests").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in chat(|case| case.status == 200 && case.request_body.is_some()) {
        let body = case.request_body.clone().unwrap_or_default();
        let request = wire::read_request(CHAT, body.as_bytes()).unwrap();
        match wire::check(&request) {
            Ok(()) => tally.passed += 1,
            Err(error) => tally.leave_out(&case, error.to_string()),
        }
    }
    tally.print("check");
    let refused: Vec<&String> = tally.left_out.values().flatten().collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(tally.passed >= 1_100, "only {} requests passed", tally.passed);
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5").is_none() {
        return;
    }
    let splits = chunking(HERE, &chat(|case| case.is_stream && case.status == 200));
    println!("law 5: {splits} splits");
    assert!(splits >= 1_000);
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6").is_none() {
        return;
    }
    let read = mangled(HERE, Some(CHAT), &chat(|_| true));
    println!("law 6: {read} mangled bodies");
}
