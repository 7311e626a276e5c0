use ir::CallKind;

use crate::{Answer, Call, Checks, Offered, Shape, Wanted, Written};

const SCHEMA: &str =
    r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#;

fn wanted() -> Wanted {
    let weather = Offered {
        name: "weather".to_owned(),
        kind: CallKind::Function,
        schema: Some(SCHEMA.to_owned()),
    };
    let shell = Offered { name: "shell".to_owned(), kind: CallKind::Custom, schema: None };
    let tools = vec![weather, shell];
    Wanted { shape: Shape::Text, prompt: String::new(), tools, hosted_tools: false }
}

fn check(name: &str, arguments: &str, passes: bool, why: &str) {
    let written = Written { tools: true, ..Written::default() };
    let call = Call { name, kind: CallKind::Function, arguments };
    let answer = Answer { calls: vec![call], ..Answer::default() };
    let verdict = crate::check(&Checks::compile(&written).unwrap(), &wanted(), &answer);
    assert_eq!(verdict.passed(), passes, "{name} {arguments}");
    assert_eq!(verdict.findings[0].why, why, "{name} {arguments}");
}

#[test]
fn an_offered_tool_with_fitting_arguments_passes() {
    check("weather", r#"{"city":"Kyiv"}"#, true, "1 of 1 calls fit");
    check("shell", "ls -l | wc", true, "1 of 1 calls fit");
}

#[test]
fn a_tool_nobody_offered_fails() {
    check("wether", r#"{"city":"Kyiv"}"#, false, "call 1 of 1: this tool was not offered");
}

#[test]
fn arguments_must_be_json_and_fit() {
    let cut = "call 1 of 1: its arguments: breaks off as JSON at line 1, column 8";
    check("weather", r#"{"city":"#, false, cut);
    let no_object = "call 1 of 1: its arguments are no object";
    check("weather", "[]", false, no_object);
    let misfit = "call 1 of 1: its arguments do not fit: at /required";
    check("weather", "", false, misfit);
}
