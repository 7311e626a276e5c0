//! The laws over recorded traffic of OpenAI's `/responses` and of the hosts that speak after it.

mod abroad;
mod empty;
mod generated;
mod oracle;
mod small;
mod spelling;

use bytes::Bytes;
use ir::{Dialect, Grammar, Inbound, Quirks};
use serde_json::Value;
use testkit::corpus::{self, Case};

use crate::laws::{Tally, chunking, counts, events, fold, mangled, origin, rewritten};

const RESPONSES: Inbound = Inbound::OpenaiResponses;
const HERE: Dialect = Dialect::OpenaiResponses;

fn responses(filter: impl Fn(&Case) -> bool) -> Vec<Case> {
    corpus::cases(&|case| case.api == "responses" && filter(case))
}

#[test]
fn law_1_a_request_survives_at_home() {
    if corpus::require("law 1 for requests of openai_responses").is_none() {
        return;
    }
    let mut tally = Tally::default();
    let mut absent = 0;
    for case in responses(|_| true) {
        let Some(body) = &case.request_body else {
            absent += 1;
            continue;
        };
        let before: Value = serde_json::from_str(body).unwrap();
        let request = match wire::read_request(RESPONSES, body.as_bytes()) {
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
        let again = wire::read_request(RESPONSES, &written.bytes).unwrap();
        same(&again, &request, &case.id);
        tally.passed += 1;
    }
    tally.print("openai_responses, law 1, requests");
    println!("  {absent} recordings without a request");
    assert!(tally.passed >= 440, "only {} requests passed", tally.passed);
}

#[test]
fn law_1_an_answer_survives_at_home() {
    if corpus::require("law 1 for answers of openai_responses").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in responses(|case| !case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let response = match wire::read_response(&origin(HERE), &body) {
            Ok(response) => response,
            Err(failure) => {
                tally.leave_out(&case, format!("{}: {}", failure.kind.code(), failure.message));
                continue;
            }
        };
        let before: Value = serde_json::from_slice(&body).unwrap();
        let read = crate::oracle::folded(&response);
        assert_eq!(read, [oracle::whole(&before)], "{}", case.id);
        let bytes = wire::write_response(RESPONSES, &response);
        let after: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(spelling::response(after), spelling::response(before), "{}", case.id);
        let again = wire::read_response(&origin(HERE), &bytes).unwrap();
        same(&again, &response, &case.id);
        tally.passed += 1;
    }
    tally.print("openai_responses, law 1, answers");
    assert!(tally.passed >= 295, "only {} answers passed", tally.passed);
}

#[test]
fn law_4_a_stream_is_its_answer() {
    if corpus::require("law 4 for openai_responses").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in responses(|case| case.is_stream && case.status == 200) {
        let body = case.body_bytes().unwrap();
        let events = events(HERE, std::slice::from_ref(&body));
        let mut grammar = Grammar::default();
        for event in &events {
            let step = grammar.step(event);
            step.unwrap_or_else(|broken| panic!("{}: {broken} at {event:?}", case.id));
        }
        assert!(grammar.ended(), "{}: without an end", case.id);
        let response = match fold(HERE, &events) {
            Ok(response) => response,
            Err(failure) => {
                assert_eq!(oracle::stream(&case.response_body), None, "{}", case.id);
                if case.response_body.contains("event: error") {
                    // It says itself how it failed, and that is how it was read.
                    tally.passed += 1;
                    continue;
                }
                let why = format!("ends in {}: {}", failure.kind.code(), failure.message);
                tally.leave_out(&case, why);
                continue;
            }
        };
        let expected = oracle::stream(&case.response_body).unwrap();
        assert_eq!(
            crate::oracle::folded(&response),
            std::slice::from_ref(&expected),
            "{}",
            case.id
        );
        whole_at_the_end(&case, &response);
        let written = rewritten(RESPONSES, &events);
        let again = fold(HERE, &self::events(HERE, std::slice::from_ref(&written))).unwrap();
        assert_eq!(crate::oracle::folded(&again), [expected], "law 1 for streams: {}", case.id);
        assert_eq!(
            again.usage.as_ref().map(counts),
            response.usage.as_ref().map(counts),
            "law 1 for usage: {}",
            case.id
        );
        assert_eq!(again.extras, response.extras, "law 1 for notes: {}", case.id);
        assert_eq!(
            again.candidates[0].turn.extras, response.candidates[0].turn.extras,
            "law 1 for items: {}",
            case.id
        );
        tally.passed += 1;
    }
    tally.print("openai_responses, law 4, streams");
    assert!(tally.passed >= 150, "only {} streams passed", tally.passed);
}

/// The last frame holds the answer as one that was not streamed: what was folded must be it.
fn whole_at_the_end(case: &Case, folded: &ir::Response) {
    let last = crate::oracle::data(&case.response_body).into_iter().rev().find_map(|data| {
        let frame: Value = serde_json::from_str(&data).ok()?;
        frame.get("response").filter(|response| response["output"].is_array()).cloned()
    });
    let Some(last) = last else { return };
    if last["output"].as_array().is_some_and(Vec::is_empty) {
        // Some recorders cut the last frame short.
        return;
    }
    let whole = wire::read_response(&origin(HERE), last.to_string().as_bytes()).unwrap();
    let (mut folded, mut whole) = (folded.clone(), whole);
    // Every frame is encrypted anew, so only the rest must agree.
    [&mut folded, &mut whole].into_iter().for_each(forget_encrypted);
    same(&folded.candidates, &whole.candidates, &case.id);
    assert_eq!(folded.usage, whole.usage, "law 4, usage: {}", case.id);
    assert_eq!(folded.id, whole.id, "law 4, id: {}", case.id);
}

fn forget_encrypted(response: &mut ir::Response) {
    let turn = &mut response.candidates[0].turn;
    let carriers = turn.parts.iter_mut().filter_map(|part| match part {
        ir::AssistantPart::Reasoning(thoughts) => thoughts.carrier.as_mut(),
        _ => None,
    });
    let shells = turn.extras.0.iter_mut().map(|(_, raw)| raw);
    for raw in carriers.map(|carrier| &mut carrier.raw).chain(shells) {
        let mut item = raw.value();
        if let Some(encrypted) = item.get_mut("encrypted_content").filter(|it| it.is_string()) {
            *encrypted = "…".into();
        }
        // OpenRouter names its items anew as well.
        if item["id"].as_str().is_some_and(|id| id.contains("_tmp_")) {
            item["id"] = "…".into();
        }
        *raw = ir::RawJson::parse(item.to_string()).unwrap();
    }
}

/// Law 2, told by the first line that differs: a conversation is long.
fn same<T: PartialEq + std::fmt::Debug>(left: &T, right: &T, id: &str) {
    if left == right {
        return;
    }
    let (left, right) = (format!("{left:#?}"), format!("{right:#?}"));
    let differs = left.lines().zip(right.lines()).find(|(left, right)| left != right);
    panic!("law 2: {id}: {differs:#?}");
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5 for openai_responses").is_none() {
        return;
    }
    let splits = chunking(HERE, &responses(|case| case.is_stream && case.status == 200));
    println!("openai_responses, law 5: {splits} splits");
    assert!(splits >= 450);
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6 for openai_responses").is_none() {
        return;
    }
    let read = mangled(HERE, Some(RESPONSES), &responses(|_| true));
    println!("openai_responses, law 6: {read} mangled bodies");
    assert!(read >= 2_500);
}

/// Returns the objects of a stream that was written, by their data.
fn frames(written: &Bytes) -> Vec<Value> {
    let text = String::from_utf8(written.to_vec()).unwrap();
    let all = crate::oracle::data(&text);
    all.iter().map(|data| serde_json::from_str(data).unwrap()).collect()
}
