//! The checks over labelled texts that lie beside the project: languages, and answers that are no
//! refusals.

use std::io::Write;
use std::path::PathBuf;

use check::{Answer, Checks, Finding, Shape, Wanted, Written};
use serde_json::Value;

/// Reads a file of labelled texts; when absent, says so, and stops a run in CI.
fn data(name: &str, what: &str) -> Option<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bench");
    let Ok(text) = std::fs::read_to_string(root.join(name)) else {
        let told =
            format!("texts not there: {name}, {what} ran on the project's own small cases\n");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{told}");
        // Written past the test harness, which shows nothing that a passing test prints.
        let _ = std::io::stderr().write_all(told.as_bytes());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn only(written: &Written, text: &str) -> Finding {
    let checks = Checks::compile(written).unwrap();
    let shape = Shape::Text;
    let wanted = Wanted { shape, prompt: String::new(), tools: Vec::new(), hosted_tools: false };
    let answer = Answer { text: text.into(), ..Answer::default() };
    check::check(&checks, &wanted, &answer).findings.remove(0)
}

fn language(code: &str) -> Written {
    Written { language: Some(code.to_owned()), ..Written::default() }
}

/// Returns the paragraphs of encyclopaedic articles in one language.
fn paragraphs(code: &str) -> Option<Vec<String>> {
    let data = data(&format!("xquad.{code}.json"), "languages")?;
    let articles = data["data"].as_array().unwrap();
    let paragraphs = articles.iter().flat_map(|it| it["paragraphs"].as_array().unwrap());
    Some(paragraphs.map(|it| it["context"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn paragraphs_pass_in_their_language_and_fail_in_others() {
    for of in ["ar", "en", "zh"] {
        let Some(paragraphs) = paragraphs(of) else { return };
        for wanted in ["ar", "en", "zh", "de"] {
            let passes = |text: &&String| only(&language(wanted), text).passed;
            let passed = paragraphs.iter().filter(passes).count();
            println!("{of} as {wanted}: {passed} of {} pass", paragraphs.len());
            // A guess that is weak passes: some paragraphs are names from elsewhere and little else.
            let expected = if of == wanted { paragraphs.len()..=paragraphs.len() } else { 0..=5 };
            assert!(expected.contains(&passed), "{of} as {wanted}: {passed}");
        }
    }
}

#[test]
fn short_english_is_hardly_ever_taken_for_something_else() {
    let Some(data) = data("clinc_test.json", "short English") else { return };
    let queries: Vec<&str> =
        data["test"].as_array().unwrap().iter().map(|it| it[0].as_str().unwrap()).collect();
    let fails = |text: &&&str| !only(&language("en"), text).passed;
    let failed = queries.iter().filter(fails).count();
    println!("short English: {failed} of {} fail", queries.len());
    assert!(failed * 200 < queries.len(), "{failed} of {}", queries.len());
}

#[test]
fn answers_from_documents_are_no_refusals() {
    let Some(data) = data("mtrag_human_ratings.json", "refusals") else { return };
    let answers = data["evaluations"].as_array().unwrap();
    let written = Written { refusal: true, ..Written::default() };
    let text = |it: &Value| it["model_response"].as_str().unwrap().to_owned();
    let refused: Vec<String> =
        answers.iter().map(text).filter(|text| !only(&written, text).passed).collect();
    println!("refusals: {} of {}", refused.len(), answers.len());
    assert_eq!(refused, [""; 0]);
}
