//! The laws of Cohere's chat. It is only spoken to providers, so its answers are held against a
//! second reading, and its requests against what they must look like.

mod oracle;
mod requests;
mod streams;

use ir::{Dialect, Grammar};
use testkit::corpus::{self, Case};

use crate::laws::{Tally, chunking, counts, events, fold, mangled, origin};

const HERE: Dialect = Dialect::CohereV2;

fn recorded(stream: bool) -> (Vec<Case>, Tally) {
    let cases = corpus::cases(&|case| {
        case.api == "cohere-chat" && case.is_stream == stream && case.status == 200
    });
    let mut tally = Tally::default();
    let newer = |case: &Case| {
        let v2 = case.path.contains("/v2/");
        if !v2 {
            tally.leave_out(case, "its path is the older dialect's");
        }
        v2
    };
    (cases.into_iter().filter(newer).collect(), tally)
}

#[test]
fn an_answer_is_read_as_a_second_reader_reads_it() {
    if corpus::require("cohere answers").is_none() {
        return;
    }
    let (cases, mut tally) = recorded(false);
    for case in cases {
        let body = case.body_bytes().unwrap();
        let response = wire::read_response(&origin(HERE), &body)
            .unwrap_or_else(|failure| panic!("{}: {failure}", case.id));
        let (expected, used) = oracle::whole(&serde_json::from_slice(&body).unwrap());
        assert_eq!(oracle::told(&response), expected, "{}", case.id);
        assert_eq!(response.usage.as_ref().map(counts), used, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("cohere, answers");
    assert!(tally.passed >= 55, "only {} answers passed", tally.passed);
}

#[test]
fn an_answer_goes_back_as_it_came() {
    if corpus::require("cohere answers sent back").is_none() {
        return;
    }
    let (cases, mut tally) = recorded(false);
    for case in cases {
        let mut body: serde_json::Value = serde_json::from_str(&case.response_body).unwrap();
        let response = wire::read_response(&origin(HERE), case.response_body.as_bytes()).unwrap();
        let mut message = body["message"].take();
        // An empty text is none.
        if let Some(content) = message.get_mut("content").and_then(|list| list.as_array_mut()) {
            content.retain(|part| part["text"] != "");
        }
        let empty = |value: &serde_json::Value| value == "" || *value == serde_json::json!([]);
        message.as_object_mut().unwrap().retain(|_, value| !value.is_null() && !empty(value));
        assert_eq!(crate::built::sent_back(HERE, &response), message, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("cohere, answers sent back");
    assert!(tally.passed >= 55, "only {} answers passed", tally.passed);
}

#[test]
fn law_4_a_stream_is_its_answer() {
    if corpus::require("cohere streams").is_none() {
        return;
    }
    let (cases, mut tally) = recorded(true);
    for case in cases {
        let body = case.body_bytes().unwrap();
        let events = events(HERE, std::slice::from_ref(&body));
        let mut grammar = Grammar::default();
        for event in &events {
            grammar
                .step(event)
                .unwrap_or_else(|broken| panic!("{}: {broken} at {event:?}", case.id));
        }
        let response = fold(HERE, &events).unwrap_or_else(|why| panic!("{}: {why}", case.id));
        let (expected, used) = oracle::stream(&case.response_body);
        assert_eq!(oracle::told(&response), expected, "{}", case.id);
        assert_eq!(response.usage.as_ref().map(counts), used, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("law 4, cohere");
    assert!(tally.passed >= 18, "only {} streams passed", tally.passed);
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5, cohere").is_none() {
        return;
    }
    let splits = chunking(HERE, &recorded(true).0);
    println!("law 5, cohere: {splits} splits");
    assert!(splits >= 54);
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6, cohere").is_none() {
        return;
    }
    let read = mangled(HERE, None, &corpus::cases(&|case| case.api == "cohere-chat"));
    println!("law 6, cohere: {read} mangled bodies");
    assert!(read >= 500);
}
