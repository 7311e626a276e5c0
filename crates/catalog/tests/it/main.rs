//! The shipped catalogue is data, and is tested like code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod recorded;
mod written;

use std::collections::BTreeMap;

use catalog::{Ability, Blended, Catalog, Missing, Use};
use expect_test::{Expect, expect};
use ir::{Tokens, Usage};

const CLOUD: &dyn Fn(&str) -> bool = &|_| true;

fn with(name: &str, text: &str) -> Catalog {
    Catalog::with(&[(name.to_owned(), text.to_owned())]).unwrap()
}

fn refused(text: &str, expected: &Expect) {
    let problems = Catalog::with(&[("mine.yaml".to_owned(), text.to_owned())]).unwrap_err();
    expected.assert_eq(&problems.to_string());
}

/// Hosts whose prices no list gives: they bill in credits or by plan, or nobody has listed them.
const UNPRICED: [&str; 3] = ["crusoe", "heroku", "snowflake"];

#[test]
fn every_record_has_what_a_provider_needs() {
    let catalog = Catalog::shipped();
    assert!(catalog.providers.len() >= 40);
    for provider in &catalog.providers {
        let id = &provider.id;
        let here = provider.base_url.contains("127.0.0.1");
        let secure = ["https://", "${"].iter().any(|start| provider.base_url.starts_with(start));
        assert!(secure, "{id}: {}", provider.base_url);
        assert_eq!(provider.auth.secrets().is_empty(), here, "{id}: a key is for hosts");
        assert!(!provider.speaks.is_empty() || provider.embeddings.is_some(), "{id}: speaks");
        let asked = provider.discover;
        assert_eq!(provider.listed().count() == 0, asked, "{id}: models are listed or asked for");
        assert!(provider.models_path.is_some() || !asked, "{id}: nowhere to ask");
    }
}

#[test]
fn every_listed_model_has_a_price_with_a_version() {
    for provider in &Catalog::shipped().providers {
        let unpriced = UNPRICED.contains(&provider.id.as_str());
        for model in provider.listed() {
            let name = format!("{}/{}", provider.id, model.id);
            let price = model.price.as_ref();
            assert_eq!(price.is_none(), unpriced, "{name}");
            assert!(price.is_none_or(|price| price.version.contains("@2")), "{name}: {price:?}");
            assert!(model.context.is_none_or(|window| window > Tokens(1_000)), "{name}");
        }
    }
}

#[test]
fn a_model_that_embeds_costs_what_its_input_does() {
    let found = Catalog::shipped().find_for(Use::Embeddings, "voyage-4", CLOUD).unwrap();
    let used = Usage { input: Tokens(1_000_000), ..Usage::default() };
    assert_eq!(found.model.price.as_ref().unwrap().cost(&used, 0).to_string(), "0.06");
}

#[test]
fn a_bare_name_belongs_to_one_provider() {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for provider in Catalog::shipped().providers.iter().filter(|provider| !provider.qualified_only)
    {
        for model in provider.listed() {
            for name in std::iter::once(&model.id).chain(&model.aliases) {
                let owner = owners.insert(name.clone(), provider.id.clone());
                assert!(owner.is_none(), "{name}: {owner:?} and {}", provider.id);
            }
        }
    }
}

#[test]
fn the_articles_models_are_found_under_its_names() {
    let catalog = Catalog::shipped();
    let found = |name: &str| catalog.find(name, CLOUD).unwrap().name();
    let blended = Blended::shipped();
    let names: Vec<String> = blended.models.iter().map(|blend| found(&blend.model)).collect();
    assert_eq!(
        names,
        [
            "deepseek/deepseek-v4-flash",
            "deepseek/deepseek-v4-pro",
            "qwen/qwen3.6-plus",
            "google/gemini-3.1-pro-preview",
            "openai/gpt-4o",
            "anthropic/claude-sonnet-4-6",
        ]
    );
    assert!(blended.models.iter().all(|blend| blend.rate().is_some()));
}

#[test]
fn a_model_only_the_price_list_knows_is_reached_by_its_full_name_alone() {
    let catalog = Catalog::shipped();
    let openai = catalog.provider("openai").unwrap();
    let unlisted = openai.models.iter().find(|model| !model.listed).unwrap();
    assert_eq!(
        catalog.find(&format!("openai/{}", unlisted.id), CLOUD).unwrap().model.id,
        unlisted.id
    );
    assert!(matches!(catalog.find(&unlisted.id, CLOUD), Err(Missing::Unknown { .. })));
}

#[test]
fn what_is_not_found_comes_with_what_is_near() {
    let catalog = Catalog::shipped();
    let Err(Missing::Unknown { closest }) = catalog.find("gpt4o", CLOUD) else { panic!() };
    assert_eq!(closest[0], "gpt-4o");
    let missing = catalog.find("gpt-4o", &|_| false).unwrap_err();
    let needs = "env:OPENAI_API_KEY".to_owned();
    assert_eq!(missing, Missing::NotConfigured { name: "openai/gpt-4o".into(), needs });
    let missing = catalog.find("ollama/whatever", &|_| false).unwrap_err();
    assert!(matches!(missing, Missing::NotConfigured { .. }), "only the server knows its models");
}

#[test]
fn an_override_keeps_what_it_does_not_name() {
    let text = "id: openai\nmodels:\n  - { id: gpt-4o, price: { input: 9, output: 8.5 } }\n";
    let catalog = with("mine.yaml", text);
    let found = catalog.find("gpt-4o", CLOUD).unwrap();
    assert_eq!(found.provider.base_url, "https://api.openai.com/v1");
    assert_eq!(found.model.context, Some(Tokens(128_000)));
    assert!(found.model.can.as_ref().unwrap().contains(&Ability::Tools));
    let used = Usage { input: Tokens(1_000_000), output: Tokens(2_000_000), ..Usage::default() };
    assert_eq!(found.model.price.as_ref().unwrap().cost(&used, 0).to_string(), "26");
}

#[test]
fn a_name_two_configured_providers_share_is_ambiguous() {
    let text = "id: mine\nbase_url: https://x.example/v1\nauth: { bearer: 'env:X' }\n\
                speaks: [{ dialect: openai_chat, path: /chat/completions }]\nmodels: [{ id: gpt-4o }]\n";
    let catalog = with("mine.yaml", text);
    let Err(Missing::Ambiguous { names }) = catalog.find("gpt-4o", CLOUD) else { panic!() };
    assert_eq!(names, ["mine/gpt-4o", "openai/gpt-4o"]);
    let only = catalog.find("gpt-4o", &|id| id == "mine").unwrap();
    assert_eq!(only.name(), "mine/gpt-4o", "one that is configured is not ambiguous");
}

#[test]
fn a_record_that_is_wrong_says_all_of_it() {
    refused(
        "id: task\nbase_url: x.example\nauth: { bearer: sk-1 }\nmodels:\n  - { id: a, price: { input: 1e3, output: 2 } }\n  - { id: a }\n",
        &expect![[r#"
            mine.yaml:5:30: models[0].price.input: expected a decimal number, found `1e3`
              help: write digits with a point, such as 0.59"#]],
    );
    refused(
        "id: task\nbase_url: x.example\nauth: { bearer: sk-1 }\nmodels:\n  - { id: a }\n  - { id: a }\n",
        &expect![[r#"
            mine.yaml:1:1: `speaks` is not there
              help: a new provider needs it; an override of a shipped one does not
            mine.yaml:1:5: id: `task` is taken
              help: requests name tasks and the router that way
            mine.yaml:2:11: base_url: not an address
              help: begin with https:// (or http:// for your own machine)
            mine.yaml:3:7: auth: not a reference to a secret
              help: write env:NAME or file:/path; the secret itself does not belong here
            mine.yaml:6:5: models[1]: `a` names two models of task"#]],
    );
}
