//! Adding an OpenAI-compatible host takes one YAML file.

use testkit::{Provider, Script};

use crate::support::{Setup, ask, rows};

/// Returns the example of CONTRIBUTING.md: the YAML block that follows "Add a provider".
fn example() -> String {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../CONTRIBUTING.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let (_, after) = text.split_once("Add a provider").expect("CONTRIBUTING.md tells how");
    let (_, block) = after.split_once("```yaml\n").expect("with an example");
    block.split_once("```").unwrap().0.to_owned()
}

#[tokio::test]
async fn the_example_of_the_contributors_guide_is_a_host_that_works() {
    let provider = Provider::start(Script::saying("hello from a new host")).await.unwrap();
    let mut setup = Setup::new();
    let record = example();
    let address = record.lines().find(|line| line.starts_with("base_url:")).unwrap();
    let record = record.replace(address, &format!("base_url: {}", provider.base_url()));
    let id = record.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().trim().to_owned();
    let model = record
        .lines()
        .find_map(|line| line.trim().strip_prefix("- id: "))
        .unwrap()
        .trim()
        .to_owned();
    let variable = record.split_once("env:").unwrap().1;
    let variable: String =
        variable.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    setup.environment.push((variable, "a-key".into()));
    setup.write("providers/new.yaml", &record);

    let served = setup.serve();
    let name = format!("{id}/{model}");
    let got = served.chat(&ask(&name, false, "hi")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.header("x-pointsman-model"), Some(name.as_str()));
    assert_eq!(provider.seen().pop().unwrap().authorization(), Some("Bearer a-key"));
    let row = rows(&setup).remove(0);
    assert!(!row["cost_usd"].is_null(), "its price is known: {row}");
}

#[tokio::test]
async fn an_override_says_only_what_differs() {
    let provider = Provider::start(Script::saying("hi")).await.unwrap();
    let setup = Setup::new();
    setup.redirect("deepseek", &provider.base_url());
    let served = setup.serve();
    let got = served.chat(&ask("deepseek-v4-flash", false, "hi")).await;
    assert_eq!(got.header("x-pointsman-model"), Some("deepseek/deepseek-v4-flash"));
    assert!(got.header("x-pointsman-cost-usd").is_some(), "the shipped price holds");
}

#[test]
fn a_record_that_is_wrong_starts_nothing_and_says_where() {
    let setup = Setup::new();
    setup.write(
        "providers/new.yaml",
        "id: new\nbase_url: ftp://x\nauth: { bearer: sk-123 }\nspeeks: []\n",
    );
    let (code, _, error) = setup.run(&["serve"]);
    assert_eq!(code, 3);
    assert!(error.contains("providers/new.yaml:4:1: speeks: unknown key"), "{error}");
    assert!(error.contains("did you mean `speaks`?"), "{error}");
    setup.write("providers/new.yaml", "id: new\nbase_url: ftp://x\nauth: { bearer: sk-123 }\n");
    let (code, _, error) = setup.run(&["serve"]);
    assert_eq!(code, 3);
    for told in ["`speaks` is not there", "not an address", "not a reference to a secret"] {
        assert!(error.contains(told), "{told}: {error}");
    }
    assert!(!error.contains("sk-123"), "{error}");
}
