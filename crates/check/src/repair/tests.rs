use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use proptest::strategy::Strategy;
use serde_json::Value;

use super::{Open, mend, repair};

fn check(text: &str, expected: Option<&str>) {
    assert_eq!(repair(text).as_deref(), expected, "{text}");
}

#[test]
fn json_stays_as_it_is() {
    check(" {\"a\" : 1 }\n", Some(" {\"a\" : 1 }\n"));
    check("42", Some("42"));
    check("\"```json\"", Some("\"```json\""));
}

#[test]
fn fences_and_prose_are_taken_away() {
    check("```json\n{\"a\": [1, 2]}\n```", Some(r#"{"a": [1, 2]}"#));
    check("```\n42\n```", Some("42"));
    check("Here it is: {\"a\": 1}. Anything else?", Some(r#"{"a":1}"#));
    check("Sure!\n\n```json\n{\"a\": 1}\n```\n\nI used {name} and [x].", Some(r#"{"a":1}"#));
    check("The labels are:\n[\"a\", \"b\"]", Some(r#"["a","b"]"#));
    check("{\"code\": \"```rust\\nfn main() {}\\n```\",}", {
        Some("{\"code\":\"```rust\\nfn main() {}\\n```\"}")
    });
}

#[test]
fn habits_of_other_languages_are_mended() {
    check("{'a': 'it\\'s', 'b': 'it's', 'c': 'say \"hi\"'}", {
        Some(r#"{"a":"it's","b":"it's","c":"say \"hi\""}"#)
    });
    check("{a: True, b_c: None, d: [False]}", Some(r#"{"a":true,"b_c":null,"d":[false]}"#));
    check("{\"a\": 1, // one\n /* two */ \"b\": 2,}", Some(r#"{"a":1,"b":2}"#));
    check("{\"a\": [1, 2, ], }", Some(r#"{"a":[1,2]}"#));
}

#[test]
fn strings_keep_what_they_say() {
    check("{\"a\": \"two\nlines\"}", Some(r#"{"a":"two\nlines"}"#));
    check(r#"{"a": "\(x\) and \d"}"#, Some(r#"{"a":"\\(x\\) and \\d"}"#));
    check("\u{feff}{\"a\": \"http://example.com\"}", Some(r#"{"a": "http://example.com"}"#));
}

#[test]
fn brackets_open_at_the_end_are_closed() {
    check(r#"{"a": [1, {"b": "c"}"#, Some(r#"{"a":[1,{"b":"c"}]}"#));
    check("```json\n{\"a\": [1, 2]\n```", Some(r#"{"a":[1,2]}"#));
    assert_eq!(mend(r#"{"a": [1, {"b": "c"}"#, Open::Keep), None);
}

#[test]
fn what_only_a_guess_could_mend_stays_broken() {
    for text in [
        "",
        "no JSON at all",
        r#"{"a": "cut he"#,
        r#"{"a":"#,
        r#"{"a": 1, "b"#,
        "[1, 2,",
        "{",
        r#"{"a" 1}"#,
        r#"{"a": tru}"#,
        r#"{"a": NaN}"#,
    ] {
        check(text, None);
    }
}

#[test]
fn a_piece_of_something_is_no_answer() {
    check(r#"{"a": {"b": 1}, oops}"#, None);
    check(r#"{"a": "}", oops {"b": 1}}"#, None);
    check(r#"{"a": 1} or {"a": 2}"#, None);
    check("As shown in [1], lists are written [] and sets {}.", None);
    check("[1] A source.", None);
}

/// Texts of the pieces that JSON is made of, and of what models put between them.
fn nearly() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        ",",
        ":",
        "\\",
        "\n",
        " ",
        "a",
        "1",
        "-",
        ".5",
        "true",
        "None",
        "```",
        "```json\n",
        "//",
        "/*",
        "*/",
        "\"a\":",
        "{\"b\": ",
        "\\u12",
        "\\ud800",
        "é",
        "\u{feff}",
        "\u{0}",
        "1e999",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..24)
        .prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = proptest::prop_oneof![
        proptest::strategy::Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let fields = proptest::collection::vec((".{0,5}", inner), 0..4);
        let object = fields.prop_map(|fields| Value::Object(fields.into_iter().collect()));
        proptest::prop_oneof![list, object]
    })
}

proptest! {
    #[test]
    fn what_comes_back_parses_and_stays(text in proptest::prop_oneof![nearly(), ".{0,40}"]) {
        if let Some(mended) = repair(&text) {
            prop_assert!(serde_json::from_str::<Value>(&mended).is_ok());
            prop_assert_eq!(repair(&mended), Some(mended));
        }
    }

    #[test]
    fn json_is_never_altered(value in value()) {
        let text = value.to_string();
        prop_assert_eq!(repair(&text), Some(text));
    }

    #[test]
    fn prose_around_an_object_changes_no_value(value in value(), before in "[a-z ]{0,9}") {
        let Value::Object(fields) = &value else { return Ok(()) };
        if fields.is_empty() {
            return Ok(());
        }
        let mended = repair(&format!("{before}\n{value:#}\nthat is all"));
        let found: Value = serde_json::from_str(&mended.unwrap()).unwrap();
        prop_assert_eq!(found, value);
    }

    #[test]
    fn a_cut_never_panics_and_is_never_closed(value in value(), at in 0_usize..400) {
        let text = value.to_string();
        let cut = text.chars().take(at).collect::<String>();
        repair(&cut);
        if let (Some(mended), true) = (mend(&cut, Open::Keep), text.starts_with(['{', '['])) {
            prop_assert_eq!(mended, text);
        }
    }
}
