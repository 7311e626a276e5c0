use ir::CallKind;

use super::{HELD, MOST_SPACE, Prefix, invalid, prefix, prefix_at_end};
use crate::{Offered, Schema, Shape, Wanted};

const CLOSED: &str = r#"{"type":"object","properties":{"name":{}},"additionalProperties":false}"#;

fn schema(text: &str) -> Shape {
    Shape::Schema(Schema::read(text))
}

fn wanted(shape: Shape) -> Wanted {
    let tools =
        vec![Offered { name: "weather".to_owned(), kind: CallKind::Function, schema: None }];
    Wanted { shape, prompt: String::new(), tools, hosted_tools: false }
}

fn check(shape: Shape, text: &str, expected: &Prefix) {
    assert_eq!(&prefix(&wanted(shape), text, None), expected, "{text}");
}

#[test]
fn an_object_is_valid_with_its_first_key() {
    check(Shape::Json, "", &Prefix::Undecided);
    check(Shape::Json, "\n{ ", &Prefix::Undecided);
    check(Shape::Json, "{\"na", &Prefix::Undecided);
    check(Shape::Json, "{\"na\\\"me", &Prefix::Undecided);
    check(Shape::Json, "{\"name\"", &Prefix::Valid);
    check(Shape::Json, "{}", &Prefix::Valid);
    check(Shape::Json, "[", &Prefix::Valid);
    check(Shape::Json, "{'name'", &invalid("an object without a quoted key"));
}

#[test]
fn prose_and_fences_are_no_json() {
    check(Shape::Json, "H", &invalid("begins with another bracket or none"));
    check(Shape::Json, "```json", &invalid("begins with another bracket or none"));
    check(Shape::Json, &" ".repeat(MOST_SPACE), &Prefix::Undecided);
    check(Shape::Json, &" ".repeat(MOST_SPACE + 1), &invalid("white space and no end of it"));
}

#[test]
fn a_closed_schema_knows_its_keys() {
    check(schema(CLOSED), "{\"name\"", &Prefix::Valid);
    check(schema(CLOSED), "{\"nom\"", &invalid("its first key is not of the schema"));
    check(schema(CLOSED), "[", &invalid("begins with another bracket or none"));
    check(schema("{\"type\":\"object\"}"), "{\"nom\"", &Prefix::Valid);
    check(schema("{\"type\":\"string\"}"), "\"", &Prefix::Valid);
}

#[test]
fn a_tool_is_valid_with_its_name() {
    assert_eq!(prefix(&wanted(Shape::Json), "", Some("weather")), Prefix::Valid);
    let unknown = prefix(&wanted(Shape::Text), "", Some("wether"));
    assert_eq!(unknown, invalid("the tool was not offered"));
}

#[test]
fn text_is_valid_unless_it_begins_as_refusals_do() {
    check(Shape::Text, "  ", &Prefix::Undecided);
    check(Shape::Text, "Here", &Prefix::Valid);
    check(Shape::Text, "I'm so", &Prefix::Undecided);
    check(Shape::Text, "I'm sorry, but I can't", &Prefix::Undecided);
    check(Shape::Text, "I'm sorry, but I can't help with", &invalid("begins as a refusal"));
    check(Shape::Text, "I'm sorting", &Prefix::Valid);
    let held = format!("I'm sorry {}", "to hear ".repeat(HELD / 8));
    check(Shape::Text, &held, &Prefix::Valid);
}

#[test]
fn what_is_undecided_at_the_end_is_text_and_no_json() {
    let at_end = |shape, text| prefix_at_end(&wanted(shape), text, None);
    let unbegun = invalid("it ended before its JSON had begun");
    for text in ["", "  ", "{", "{\"na"] {
        assert_eq!(at_end(Shape::Json, text), unbegun, "{text}");
        assert_eq!(at_end(schema(CLOSED), text), unbegun, "{text}");
    }
    assert_eq!(at_end(Shape::Json, "{}"), Prefix::Valid);
    assert_eq!(at_end(Shape::Text, "I'm sorry"), Prefix::Valid);
    assert_eq!(at_end(Shape::Text, ""), Prefix::Valid);
    assert_eq!(at_end(Shape::Text, "I can't help with that"), invalid("begins as a refusal"));
    assert_eq!(prefix_at_end(&wanted(Shape::Json), "", Some("weather")), Prefix::Valid);
}
