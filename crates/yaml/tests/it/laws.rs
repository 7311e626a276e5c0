//! What holds for every text.

use proptest::prelude::*;
use yaml::{Document, Problems, Vars};

use crate::config::Config;

/// A value that no file says and no message contains by chance.
const SECRET: &str = "zq7-s3cr3t-w9";

fn lookup(name: &str) -> Option<String> {
    Some(format!("{SECRET}{name}"))
}

fn read(text: &str, vars: Vars<'_>) -> Result<Config, Problems> {
    Document::parse("law.yaml", text, vars)?.read()
}

/// Texts that are nearly YAML: what matters to the parser, in any order.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a", "server", "port", "tasks", "models", ":", ": ", "- ", "\n", "\n  ", "\n    ", "[",
        "]", "{", "}", ",", "&a ", "*a ", "<<", "'", "\"", "|\n", ">\n", "#", "!", "!!str ",
        "---\n", "...\n", "%", "? ", "~", "${A}", "${A:-b}", "$$", "${", "1", "1.5", "true", "é",
        "\t", "\u{feff}", "\0", "\\x", "@", "`",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

/// Documents of the right shape with anything in the places of their values.
fn shaped() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("${A}".to_owned()),
        Just("\"${A} b\"".to_owned()),
        Just("'x${A:-y}'".to_owned()),
        Just("[\"${A}\", 1]".to_owned()),
        Just("{a: \"${A}\"}".to_owned()),
        Just("{kind: \"${A}\"}".to_owned()),
        Just("{bearer: \"${A}\"}".to_owned()),
        Just("{header: {name: \"${A}\"}}".to_owned()),
        Just("{least: 3, most: 2, note: \"${A}\"}".to_owned()),
        Just("{least: 3, most: \"${A}\"}".to_owned()),
        "[a-z0-9.]{0,4}",
    ];
    prop::collection::vec(value, 12).prop_map(|v| {
        format!(
            "version: {}\nserver:\n  port: {}\n  metrics: {}\n  timeout: {}\n  limits: {}\n\
             providers:\n  p:\n    base_url: {}\n    auth: {}\n    dialect: {}\n    limit: {}\n\
             tasks:\n  t:\n    models: {}\n    prefer: {}\n    when: {}\n",
            v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11]
        )
    })
}

fn silent(text: &str) -> Result<(), TestCaseError> {
    let Err(problems) = read(text, Vars::Lookup(&lookup)) else { return Ok(()) };
    prop_assert!(!problems.to_string().contains(SECRET), "{problems}");
    let debugged = format!("{problems:?}");
    prop_assert!(!debugged.contains(SECRET));
    Ok(())
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in any::<String>()) {
        let _ = read(&text, Vars::Keep);
        let _ = read(&text, Vars::Lookup(&|_| None));
    }

    #[test]
    fn nothing_nearly_yaml_is_a_panic(text in nearly_yaml()) {
        let _ = read(&text, Vars::Keep);
        let _ = read(&text, Vars::Lookup(&|_| None));
    }

    #[test]
    fn no_problem_tells_a_secret(text in prop_oneof![nearly_yaml(), shaped(), shaped()]) {
        silent(&text)?;
    }

    #[test]
    fn problems_come_in_order_and_inside_the_text(text in prop_oneof![nearly_yaml(), shaped()]) {
        let Err(problems) = read(&text, Vars::Keep) else { return Ok(()) };
        let places: Vec<_> = problems.iter().map(|problem| problem.at).collect();
        prop_assert!(places.is_sorted());
        let lines = text.split(['\n', '\r']).count();
        prop_assert!(places.iter().all(|at| (1..=lines + 1).contains(&at.line)));
    }

    #[test]
    fn a_quoted_text_survives(text in "[ -~é\n]{0,40}") {
        let quoted = serde_json::to_string(&text).unwrap();
        let config = read(&format!("version: {quoted}\n"), Vars::Keep).unwrap();
        prop_assert_eq!(config.version, Some(text));
    }

    #[test]
    fn a_json_document_is_read_as_json_reads_it(a in any::<i64>(), b in any::<bool>(), c in "[a-z]{1,9}") {
        let json = serde_json::json!({"extra": {"a": a, "b": [b, null], "c": c}});
        let config = read(&json.to_string(), Vars::Keep).unwrap();
        prop_assert_eq!(&config.extra, &json["extra"]);
    }

    #[test]
    fn suggestions_are_known_words(word in "\\PC{0,20}", known in prop::collection::vec("[a-z-]{1,9}", 0..9)) {
        let found = yaml::closest(&word, known.iter().map(String::as_str), 3);
        prop_assert!(found.len() <= 3 && found.iter().all(|word| known.iter().any(|k| k == word)));
    }
}
