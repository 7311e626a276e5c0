//! Real error answers, recorded and reported, read as the kind they are.

use std::collections::BTreeMap;

use ir::{Dialect, Kind};
use testkit::corpus;

/// The corpus' own words for what an error is, and the kinds that are right for it.
fn right(class: &str) -> Option<&'static [Kind]> {
    Some(match class {
        "auth" | "authentication" | "invalid_api_key" | "permission" => &[Kind::Credential],
        "model_not_found" | "not_found" => &[Kind::ModelUnavailable],
        "context_length_exceeded" => &[Kind::ContextLengthExceeded],
        "rate_limited" | "rate_limit" | "rate_limit_exceeded" => &[Kind::RateLimited],
        "insufficient_quota" => &[Kind::Credit],
        "overloaded" => &[Kind::Overloaded],
        "content_filter" => &[Kind::ContentPolicy],
        _ => return None,
    })
}

/// The hosts whose errors come in this dialect's envelope; the other dialects bring their own rows.
const HERE: [&str; 16] = [
    "azure-ai",
    "azure-openai",
    "cerebras",
    "deepseek",
    "groq",
    "huggingface",
    "llamacpp",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "qwen",
    "together",
    "vllm",
    "xai",
];

#[test]
fn real_errors_are_read_as_what_they_are() {
    if corpus::require("reading real errors").is_none() {
        return;
    }
    let (mut read, mut wrong) = (0, Vec::new());
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for case in corpus::errors() {
        if !HERE.contains(&case.provider.as_str()) || case.mid_stream {
            continue;
        }
        let header = |name: &str| {
            let found = case.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let body = case.body_bytes().unwrap();
        let failure = wire::read_failure(Dialect::OpenaiChat, case.status, &header, &body);
        assert!(!failure.message.is_empty());
        let class = case.class.clone();
        *classes.entry(class.clone()).or_default() += 1;
        let Some(right) = right(&class) else { continue };
        read += 1;
        if !right.contains(&failure.kind) {
            wrong.push(format!(
                "{} {} {class}: {}",
                case.provider,
                case.status,
                failure.kind.code()
            ));
        }
    }
    println!(
        "{read} real errors with a class, {} read otherwise: {wrong:#?}\n{classes:#?}",
        wrong.len()
    );
    assert!(wrong.len() * 10 <= read, "{} of {read} read otherwise", wrong.len());
}

#[test]
fn a_refused_credential_is_never_quoted() {
    let body = br#"{"error":{"message":"Incorrect API key provided: sk-abcdef123. You can find...","code":"invalid_api_key"}}"#;
    let failure = wire::read_failure(Dialect::OpenaiChat, 401, &|_| None, body);
    assert_eq!(failure.kind, Kind::Credential);
    assert!(!format!("{failure:?}").contains("sk-abc"), "{failure:?}");
}
