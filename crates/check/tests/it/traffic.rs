//! The checks over recorded traffic: nothing panics, and what is called a refusal, of the wrong
//! length or no JSON is what a reader calls so.

use std::sync::LazyLock;

use check::{Answer, Checks, Finding, Prefix, Shape, Wanted, Written, WrittenLength};
use ir::{Dialect, Finish, Inbound, Request, Response, Seed};
use testkit::corpus::{self, Case};
use wire::{EventReader, Origin, Splitter};

/// What recordings call the dialects.
const APIS: [(&str, Inbound, Dialect); 4] = [
    ("chat", Inbound::OpenaiChat, Dialect::OpenaiChat),
    ("messages", Inbound::AnthropicMessages, Dialect::AnthropicMessages),
    ("responses", Inbound::OpenaiResponses, Dialect::OpenaiResponses),
    ("generateContent", Inbound::Gemini, Dialect::Gemini),
];

/// Answers that refuse, read one by one: six say so apart from text, three will not tell the
/// weather of the hour.
const REFUSALS: [&str; 9] = [
    "2d46f8fa60356489",
    "365e4320a4fee01a",
    "58169a8a225c901e",
    "964bd06ce8093a2e",
    "99062721d20763da",
    "ae3bf7b7e0b397ef",
    "cea628a8089e2e4a",
    "f6805aedfe266543",
    "ff3f68b095b9b787",
];

/// Answers that are not as long as was asked for, read one by one: six are cut in the first word
/// of an essay, and two answer after the one sentence that was asked for before.
const WRONG_LENGTHS: [&str; 8] = [
    "1afa5a57bc580924",
    "27336131f560e255",
    "3ec1ffe39f9da49d",
    "5bf32c150b1b1f10",
    "78c8a9da83817dfa",
    "82ee1e0df020072f",
    "8dde9587d2edbc1b",
    "c9537cc76a0156b3",
];

/// Calls of tools nobody offered, or with arguments nobody asked for, read one by one.
const WRONG_CALLS: [&str; 10] = [
    "0022c4b6972a451e",
    "18105a700b89fe3c",
    "3ba6e87a7d5126a7",
    "518b55c5668e1285",
    "5d699533fd482b1a",
    "8cedb3673497f4a5",
    "a6f2546dec5ec10b",
    "c873313d6b70bdeb",
    "e84748edc6d1cc05",
    "f792af5efa5ea153",
];

/// Long answers that begin as refusals do, and go on to what may help: a stream cannot know.
const REFUSING_BEGINNINGS: [&str; 2] = ["5f2cf3f552576ae4", "60d2b990a0a84ce1"];

/// Every recorded exchange that can be read.
static EXCHANGES: LazyLock<Vec<(String, Request, Response)>> = LazyLock::new(|| {
    let cases = corpus::cases(&|case| case.status == 200);
    let read = |case: &Case| {
        let (request, response) = exchange(case)?;
        Some((case.id.clone(), request, response))
    };
    cases.iter().filter_map(read).collect()
});

/// Runs something over every recorded exchange; returns how many there were.
fn exchanges(mut each: impl FnMut(&str, &Wanted, &Answer<'_>)) -> usize {
    for (id, request, response) in EXCHANGES.iter() {
        each(id, &Wanted::of(request), &Answer::of(response));
    }
    EXCHANGES.len()
}

fn exchange(case: &Case) -> Option<(Request, Response)> {
    let (_, inbound, dialect) = APIS.iter().find(|(api, _, _)| *api == case.api)?;
    let request = wire::read_request(*inbound, case.request_body.as_ref()?.as_bytes()).ok()?;
    let body = case.body_bytes().ok()?;
    let origin = Origin { dialect: *dialect, family: "".into(), seed: Seed(7) };
    if !case.is_stream {
        return Some((request, wire::read_response(&origin, &body).ok()?));
    }
    let (mut splitter, mut reader) = (Splitter::new(*dialect), EventReader::new(&origin));
    let mut events = Vec::new();
    splitter.push(&body);
    while let Ok(Some(frame)) = splitter.next_frame() {
        reader.read(&frame, &mut events);
    }
    if let Some(frame) = splitter.finish() {
        reader.read(&frame, &mut events);
    }
    reader.end(&mut events);
    let mut fold = ir::Fold::new(*dialect);
    events.into_iter().for_each(|event| fold.push(event));
    Some((request, fold.finish().ok()?))
}

fn only(written: &Written, wanted: &Wanted, answer: &Answer<'_>) -> Finding {
    let checks = Checks::compile(written).unwrap();
    check::check(&checks, wanted, answer).findings.remove(0)
}

/// Counts what fails, and fails where no reader has seen it.
fn judged(what: &str, written: &Written, known: &[&str], least: usize) {
    if corpus::require(what).is_none() {
        return;
    }
    let mut failed = Vec::new();
    let read = exchanges(|id, wanted, answer| {
        if !only(written, wanted, answer).passed {
            failed.push(id.to_owned());
        }
    });
    println!("{what}: {} of {read} answers fail", failed.len());
    failed.retain(|id| !known.contains(&id.as_str()));
    assert_eq!(failed, [""; 0], "{what}");
    assert!(read >= least, "only {read} answers");
}

#[test]
fn only_refusals_are_called_so() {
    let written = Written { refusal: true, ..Written::default() };
    judged("refusals", &written, &REFUSALS, 2_400);
}

#[test]
fn only_wrong_calls_are_called_so() {
    let written = Written { tools: true, ..Written::default() };
    judged("calls", &written, &WRONG_CALLS, 2_400);
}

#[test]
fn lengths_are_judged_as_prompts_ask() {
    let length = WrittenLength { from_prompt: true, ..WrittenLength::default() };
    let written = Written { length: Some(length), ..Written::default() };
    judged("lengths", &written, &WRONG_LENGTHS, 2_400);
    if corpus::require("counting lengths").is_none() {
        return;
    }
    let mut asked = 0;
    exchanges(|_, wanted, answer| {
        asked += usize::from(only(&written, wanted, answer).why.ends_with("asked for"));
    });
    println!("lengths: asked for by {asked} prompts");
    assert!(asked >= 80, "only {asked} prompts ask for a length");
}

#[test]
fn answers_to_a_schema_fit_unless_they_were_cut_or_refused() {
    if corpus::require("schemas").is_none() {
        return;
    }
    let written = Written { json: true, repair: true, ..Written::default() };
    let mut fit = 0;
    exchanges(|id, wanted, answer| {
        if wanted.shape == Shape::Text {
            return;
        }
        let finding = only(&written, wanted, answer);
        fit += usize::from(finding.passed);
        let excused = answer.finish == Some(&Finish::Length) || answer.refusal.is_some();
        assert!(finding.passed || excused, "{id}: {}", finding.why);
    });
    println!("schemas: {fit} answers fit");
    assert!(fit >= 280, "only {fit} answers fit");
}

#[test]
fn a_beginning_is_decided_and_only_refusals_and_prose_are_invalid() {
    if corpus::require("beginnings").is_none() {
        return;
    }
    let (mut valid, mut invalid) = (0, 0);
    let read = exchanges(|id, wanted, answer| match check::prefix(wanted, &answer.text, None) {
        Prefix::Valid => valid += 1,
        Prefix::Invalid(why) => {
            let refuses = REFUSALS.contains(&id) || REFUSING_BEGINNINGS.contains(&id);
            let prose = wanted.shape != Shape::Text && answer.finish == Some(&Finish::Length);
            assert!(refuses || prose, "{id}: {why}");
            invalid += 1;
        }
        Prefix::Undecided => assert!(answer.text.chars().count() < 80, "{id}"),
    });
    println!("beginnings: {valid} of {read} valid, {invalid} invalid");
}
