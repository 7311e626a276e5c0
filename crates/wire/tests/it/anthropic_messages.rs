//! The laws over recorded traffic of Anthropic's messages.

mod abroad;
mod generated;
mod oracle;
mod refused;
mod small;
mod spelling;

use ir::dialect::Form;
use ir::{Cap, Dialect, Grammar, Inbound, Quirks, Tokens};
use serde_json::Value;
use testkit::corpus::{self, Case};

use crate::laws::{Tally, chunking, events, fold, mangled, origin, rewritten};

const MESSAGES: Inbound = Inbound::AnthropicMessages;
const HERE: Dialect = Dialect::AnthropicMessages;

fn messages(filter: impl Fn(&Case) -> bool) -> Vec<Case> {
    corpus::cases(&|case| case.api == "messages" && filter(case))
}

/// Whether the body is one answer: some recorders kept the whole message of what was asked for as a
/// stream.
fn whole(case: &Case) -> bool {
    case.response_body.trim_start().starts_with('{')
}

fn quirks(body: &Value) -> Quirks {
    let vertex = body.get("anthropic_version").is_some();
    Quirks { form: if vertex { Form::Vertex } else { Form::Plain }, ..Quirks::default() }
}

#[test]
fn law_1_a_request_survives_at_home() {
    if corpus::require("law 1 for requests").is_none() {
        return;
    }
    let mut tally = Tally::default();
    // Other providers count tokens in dialects of their own.
    let counts = corpus::cases(&|case| case.api == "count_tokens" && case.provider == "anthropic");
    for case in messages(|_| true).into_iter().chain(counts) {
        let Some(body) = &case.request_body else {
            tally.leave_out(&case, "the recording has no request");
            continue;
        };
        let before: Value = serde_json::from_str(body).unwrap();
        let request = match wire::read_request(MESSAGES, body.as_bytes()) {
            Ok(request) => request,
            Err(error) => {
                tally.leave_out(&case, format!("status {}: {error}", case.status));
                continue;
            }
        };
        let written = wire::write_request(HERE, &request, quirks(&before));
        assert_eq!(written.losses, [], "{}", case.id);
        assert!(written.undo.is_empty(), "{}", case.id);
        let again = wire::read_request(MESSAGES, &written.bytes).unwrap();
        let mut after: Value = serde_json::from_slice(&written.bytes).unwrap();
        let mut expected = request;
        if expected.cap.is_none() {
            // A request for a count has no cap, and a request for an answer must have one.
            let cap = after.as_object_mut().unwrap().remove("max_tokens").unwrap();
            expected.cap = cap.as_u64().map(Cap);
        }
        assert_eq!(spelling::request(after), spelling::request(before), "{}", case.id);
        assert_eq!(again, expected, "law 2: {}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, requests");
    assert!(tally.passed >= 385, "only {} requests passed", tally.passed);
}

#[test]
fn law_1_an_answer_survives_at_home() {
    if corpus::require("law 1 for answers").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in messages(|case| case.status == 200 && whole(case)) {
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
        assert_eq!(oracle::folded(&response), oracle::message(&before), "{}", case.id);
        let bytes = wire::write_response(MESSAGES, &response);
        let after: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(spelling::response(after), spelling::response(before), "{}", case.id);
        let again = wire::read_response(&origin(HERE), &bytes).unwrap();
        assert_eq!(again, response, "law 2: {}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, answers");
    assert!(tally.passed >= 245, "only {} answers passed", tally.passed);
}

#[test]
fn law_1_a_count_survives_at_home() {
    if corpus::require("law 1 for counts").is_none() {
        return;
    }
    let counted = |case: &Case| {
        case.api == "count_tokens" && case.provider == "anthropic" && case.status == 200
    };
    let cases = corpus::cases(&counted);
    for case in &cases {
        let before: Value = serde_json::from_str(&case.response_body).unwrap();
        let count = before["input_tokens"].as_u64().unwrap();
        let bytes = wire::anthropic_messages::count::write(Tokens(count));
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), before, "{}", case.id);
    }
    println!("law 1, counts: {} passed", cases.len());
    assert!(cases.len() >= 10);
}

#[test]
fn law_4_a_stream_is_its_answer() {
    if corpus::require("law 4").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in messages(|case| case.is_stream && case.status == 200 && !whole(case)) {
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
                let why = format!("ends in {}: {}", failure.kind.code(), failure.message);
                tally.leave_out(&case, why);
                continue;
            }
        };
        let expected = oracle::stream(&case.response_body);
        assert_eq!(oracle::folded(&response), expected, "{}", case.id);
        let written = rewritten(MESSAGES, &events);
        let again = std::str::from_utf8(&written).unwrap();
        assert_eq!(oracle::stream(again), expected, "law 1 for streams: {}", case.id);
        let again = fold(HERE, &self::events(HERE, &[written])).unwrap();
        assert_eq!(again, response, "law 2 for streams: {}", case.id);
        tally.passed += 1;
    }
    tally.print("law 4, streams");
    assert!(tally.passed >= 135, "only {} streams passed", tally.passed);
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5").is_none() {
        return;
    }
    let splits = chunking(HERE, &messages(|case| case.is_stream && case.status == 200));
    println!("law 5: {splits} splits");
    assert!(splits >= 400);
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6").is_none() {
        return;
    }
    let read = mangled(HERE, Some(MESSAGES), &messages(|_| true));
    println!("law 6: {read} mangled bodies");
    assert!(read >= 2_000);
}
