//! The laws of Bedrock's converse. It is only spoken to providers, so its answers are held against
//! a second reading, and its requests against what they must look like.

mod oracle;
mod refused;
mod requests;
mod streams;

use ir::{Dialect, Grammar};
use testkit::corpus::{self, Case};

use crate::laws::{Tally, chunking, counts, events, fold, mangled, origin};

const HERE: Dialect = Dialect::BedrockConverse;

fn recorded(stream: bool) -> Vec<Case> {
    corpus::cases(&|case| case.api == "converse" && case.is_stream == stream && case.status == 200)
}

#[test]
fn an_answer_is_read_as_a_second_reader_reads_it() {
    if corpus::require("converse answers").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(false) {
        let body = case.body_bytes().unwrap();
        let response = wire::read_response(&origin(HERE), &body)
            .unwrap_or_else(|failure| panic!("{}: {failure}", case.id));
        let (expected, used) = oracle::whole(&serde_json::from_slice(&body).unwrap());
        assert_eq!(oracle::told(&response), expected, "{}", case.id);
        assert_eq!(response.usage.as_ref().map(counts), used, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("converse, answers");
    assert!(tally.passed >= 124, "only {} answers passed", tally.passed);
}

#[test]
fn an_answer_goes_back_as_it_came() {
    if corpus::require("converse answers sent back").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(false) {
        let body: serde_json::Value = serde_json::from_str(&case.response_body).unwrap();
        let content = body["output"]["message"]["content"].as_array().unwrap();
        // The service refuses a blank text.
        let blank = |block: &&serde_json::Value| {
            block["text"].as_str().is_some_and(|text| text.trim().is_empty())
        };
        let content = content.iter().filter(|block| !blank(block));
        let Some(expected) = content.map(oracle::as_sent_back).collect::<Option<Vec<_>>>() else {
            tally.leave_out(
                &case,
                "a citation stands apart from its text, or a thought is unsigned",
            );
            continue;
        };
        let response = wire::read_response(&origin(HERE), case.response_body.as_bytes()).unwrap();
        let message = crate::built::sent_back(HERE, &response);
        let content = message.get("content").and_then(|content| content.as_array());
        assert_eq!(content.cloned().unwrap_or_default(), expected, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("converse, answers sent back");
    assert!(tally.passed >= 105, "only {} answers passed", tally.passed);
}

#[test]
fn law_4_a_stream_is_its_answer() {
    if corpus::require("converse streams").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(true) {
        let body = case.body_bytes().unwrap();
        let events = events(HERE, std::slice::from_ref(&body));
        let mut grammar = Grammar::default();
        for event in &events {
            grammar
                .step(event)
                .unwrap_or_else(|broken| panic!("{}: {broken} at {event:?}", case.id));
        }
        let response = fold(HERE, &events).unwrap_or_else(|why| panic!("{}: {why}", case.id));
        let (expected, used) = oracle::stream(&body);
        assert_eq!(oracle::told(&response), expected, "{}", case.id);
        assert_eq!(response.usage.as_ref().map(counts), used, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("law 4, converse");
    assert!(tally.passed >= 58, "only {} streams passed", tally.passed);
}

#[test]
fn law_5_chunking_is_invisible() {
    if corpus::require("law 5, converse").is_none() {
        return;
    }
    let splits = chunking(HERE, &recorded(true));
    println!("law 5, converse: {splits} splits");
    assert!(splits >= 174);
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6, converse").is_none() {
        return;
    }
    let read = mangled(HERE, None, &corpus::cases(&|case| case.api == "converse"));
    println!("law 6, converse: {read} mangled bodies");
    assert!(read >= 500);
    let read: usize = recorded(true).iter().map(streams::mangled_payloads).sum();
    println!("law 6, converse: {read} streams with mangled payloads");
    assert!(read >= 500);
}
