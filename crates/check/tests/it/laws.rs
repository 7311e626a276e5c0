//! Laws over generated answers: no check panics, no reason quotes the answer or the prompt, and
//! the beginning of a valid answer is never called invalid.

use check::{Answer, Call, Checks, Offered, Prefix, Schema, Shape, Wanted, Written, WrittenLength};
use ir::{CallKind, Finish};
use proptest::prelude::{Strategy, any, prop_assert, proptest};
use proptest::prop_oneof;
use proptest::strategy::Just;

/// A longer run of an answer in a reason is a quotation.
const QUOTED: usize = 12;

const SCHEMA: &str = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],
    "additionalProperties":false}"#;

fn everything() -> Checks {
    let compiled = Checks::compile(&Written {
        non_empty: true,
        finish: true,
        json: true,
        repair: true,
        labels: Some(vec!["yes".to_owned(), "no".to_owned()]),
        language: Some("ar".to_owned()),
        script: Some("Arabic".to_owned()),
        length: Some(WrittenLength { least: Some(3), from_prompt: true, ..Default::default() }),
        refusal: true,
        matches: Some("^x+$".to_owned()),
        must_contain: vec!["xyz".to_owned()],
        must_not_contain: vec!["a".to_owned()],
        tools: true,
        ..Written::default()
    });
    compiled.unwrap()
}

/// Answers of many kinds: any text, words, near-JSON, JSON with keys and values of its own.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,80}",
        "([a-zA-Zäعб我]{1,9}[ .,!\n]){0,30}",
        "[{}\\[\\]\"':,a-z0-9 `]{0,60}",
        "[a-z]{12,40}".prop_map(|secret| format!(r#"{{"{secret}": "{secret}"}}"#)),
        "[a-z]{12,40}".prop_map(|secret| format!("I'm sorry, but I can't {secret}")),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![Just(Shape::Text), Just(Shape::Json), Just(Shape::Schema(Schema::read(SCHEMA)))]
}

fn finish() -> impl Strategy<Value = Option<Finish>> {
    let other = "[a-z]{12,20}".prop_map(|why| Some(Finish::Other(why)));
    prop_oneof![Just(None), Just(Some(Finish::Stop)), Just(Some(Finish::Length)), other]
}

fn wanted(shape: Shape, prompt: &str) -> Wanted {
    let tools = vec![Offered {
        name: "f".to_owned(),
        kind: CallKind::Function,
        schema: Some(SCHEMA.to_owned()),
    }];
    Wanted { shape, prompt: prompt.into(), tools, hosted_tools: false }
}

fn quotes(why: &str, source: &str) -> bool {
    let letters: Vec<char> = source.chars().collect();
    letters.windows(QUOTED).any(|run| why.contains(&run.iter().collect::<String>()))
}

proptest! {
    #[test]
    fn no_reason_quotes_the_answer_or_the_prompt(
        text in text(),
        prompt in text(),
        shape in shape(),
        finish in finish(),
        name in prop_oneof![Just("f".to_owned()), "[a-z]{12,20}"],
        arguments in text(),
        calls in any::<bool>(),
    ) {
        let wanted = wanted(shape, &prompt);
        let call = Call { name: &name, kind: CallKind::Function, arguments: &arguments };
        let answer = Answer {
            text: text.as_str().into(),
            calls: if calls { vec![call] } else { Vec::new() },
            finish: finish.as_ref(),
            ..Answer::default()
        };
        let verdict = check::check(&everything(), &wanted, &answer);
        for finding in &verdict.findings {
            for source in [&text, &prompt, &name, &arguments] {
                prop_assert!(!quotes(&finding.why, source), "{finding:?} quotes {source:?}");
            }
        }
        if let Some(repaired) = verdict.repaired {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&repaired).is_ok());
        }
    }

    #[test]
    fn the_beginning_of_a_fitting_answer_is_never_invalid(n in any::<i32>(), at in 0_usize..20) {
        let whole = format!("\n {{ \"n\" : {n} }}");
        let cut: String = whole.chars().take(at).collect();
        let found = check::prefix(&wanted(Shape::Schema(Schema::read(SCHEMA)), ""), &cut, None);
        prop_assert!(!matches!(found, Prefix::Invalid(_)), "{cut:?} {found:?}");
    }

    #[test]
    fn a_decided_beginning_stays_decided(text in text(), shape in shape()) {
        let wanted = wanted(shape, "");
        let mut valid = false;
        for (at, _) in text.char_indices() {
            let found = check::prefix(&wanted, &text[..at], None);
            prop_assert!(!valid || found == Prefix::Valid, "{:?} {found:?}", &text[..at]);
            valid = found == Prefix::Valid;
        }
    }
}
