//! What is accepted, and as what.

use std::time::Duration;

use yaml::{Document, Path, Problems, Vars};

use crate::config::{Auth, Config, Decimal, Dialect, Next, OneOrMany, Prefer, Wait};

fn lookup(name: &str) -> Option<String> {
    let value = match name {
        "KEY" => "12345",
        "PORT" => "8080",
        "ON" => "true",
        "MODE" => "fast",
        "PRICE" => "0.590",
        "EMPTY" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

fn read(text: &str) -> Result<Config, Problems> {
    Document::parse("good.yaml", text, Vars::Lookup(&lookup))?.read()
}

fn accept(text: &str) -> Config {
    read(text).expect("a right configuration is accepted")
}

const FULL: &str = "\
version: '1.10'
server:
  port: 0x1F90
  workers: ~
  metrics: false
  timeout: 90s
  ratio: 1
  limits: {least: 1, most: 2}
providers:
  openai:
    base_url: https://api.openai.com
    auth: {bearer: \"env:OPENAI_API_KEY\"}
    dialect: openai_chat
    limit: {kind: tokens, per_day: 5}
    models:
      - name: gpt-4o
        price: 2.50
      - {name: '4', price: '0.10', window: 128000}
  local:
    base_url: http://localhost
    auth: none
  other:
    base_url: http://other
    auth:
      header: {name: x-key, value: v}
tasks:
  chat:
    models: [a, b]
    prefer: quality
    when: {all: [{input_over: 3}, {not: {input_over: 9}}]}
    labels: one
on_status:
  429: retry
  500: elsewhere
extra: {a: [1, 1.5, x, null, yes]}
";

#[test]
fn a_full_configuration_is_read() {
    let config = accept(FULL);
    assert_eq!(config.version.as_deref(), Some("1.10"));
    assert_eq!(config.server.port, 8080);
    assert_eq!(config.server.workers, None);
    assert!(!config.server.metrics);
    assert_eq!(config.server.timeout, Wait(Duration::from_secs(90)));
    assert!(config.server.limits.is_some());
    assert!(
        matches!(&config.providers["openai"].auth, Auth::Bearer(key) if key == "env:OPENAI_API_KEY")
    );
    assert!(matches!(config.providers["local"].auth, Auth::None));
    assert!(
        matches!(&config.providers["other"].auth, Auth::Header { name, .. } if name == "x-key")
    );
    assert_eq!(config.providers["openai"].dialect, Some(Dialect::OpenaiChat));
    assert_eq!(config.tasks["chat"].prefer, Prefer::Quality);
    assert_eq!(config.on_status[&429], Next::Retry);
    assert_eq!(config.extra.to_string(), r#"{"a":[1,1.5,"x",null,"yes"]}"#);
}

#[test]
fn a_decimal_keeps_every_digit_quoted_or_not() {
    let config = accept(FULL);
    let prices: Vec<_> = config.providers["openai"].models.iter().map(|m| &m.price).collect();
    assert_eq!(prices, [&Some(Decimal("2.50".into())), &Some(Decimal("0.10".into()))]);
}

#[test]
fn an_empty_document_is_an_empty_map() {
    for empty in ["", "# nothing yet\n", "---\n", "{}", "---\n# nothing\n...\n"] {
        let config = accept(empty);
        assert!(config.providers.is_empty());
    }
}

#[test]
fn a_variable_takes_the_type_its_place_asks_for() {
    let config = accept(
        "version: ${KEY}\nserver: {port: \"${PORT}\", metrics: \"${ON}\", workers: \"${EMPTY}\"}\n\
         tasks: {t: {models: [m], prefer: \"${MODE}\", labels: \"${KEY}\"}}\n\
         providers: {p: {base_url: \"http://h:${PORT}\", auth: {bearer: \"$${KEY}\"}, \
         models: [{name: m, price: \"${PRICE}\", window: \"${NONE:-7}\"}]}}\n",
    );
    let provider = &config.providers["p"];
    assert_eq!(config.version.as_deref(), Some("12345"), "a key of digits stays text");
    assert_eq!((config.server.port, config.server.metrics), (8080, true));
    assert_eq!(config.server.workers, None, "what is empty is left out");
    assert_eq!(config.tasks["t"].prefer, Prefer::Fast);
    assert!(matches!(&config.tasks["t"].labels, OneOrMany::One(text) if text == "12345"));
    assert_eq!(provider.base_url, "http://h:8080");
    assert!(matches!(&provider.auth, Auth::Bearer(key) if key == "${KEY}"));
    assert_eq!(provider.models[0].price, Some(Decimal("0.590".into())));
    assert_eq!(provider.models[0].window, Some(7));
}

#[test]
fn kept_variables_stay_as_they_are_written() {
    let text = "version: ${NONE:-$$}\n";
    let document = Document::parse("kept.yaml", text, Vars::Keep);
    let config: Config = document.and_then(|document| document.read()).unwrap();
    assert_eq!(config.version.as_deref(), Some("${NONE:-$$}"));
}

#[test]
fn an_alias_stands_for_its_anchor() {
    let config = accept(
        "tasks:\n  a: &shared\n    models: [x]\n    prefer: fast\n  b: *shared\nversion: &v text\n\
         extra: [*v, *v]\n",
    );
    assert_eq!(config.tasks["b"].prefer, Prefer::Fast);
    assert_eq!(config.extra.to_string(), r#"["text","text"]"#);
}

#[test]
fn a_place_is_the_values_or_that_of_what_holds_it() {
    let document = Document::parse("full.yaml", FULL, Vars::Keep).unwrap();
    let check = |path: &Path, place: &str| {
        assert_eq!(document.place(path).to_string(), place, "{path}");
    };
    let root = Path::root();
    let openai = root.key("providers").key("openai");
    check(&root, "1:1");
    check(&root.key("version"), "1:10");
    check(&root.key("server"), "2:1");
    check(&openai, "10:3");
    check(&openai.key("auth").key("bearer"), "12:20");
    check(&openai.key("models").index(1).key("price"), "18:28");
    check(&openai.key("models").index(0), "16:9");
    check(&openai.key("models").index(9).key("price"), "15:5");
    check(&root.key("version").key("none"), "1:10");
    check(&root.key("none").index(3), "1:1");
}

#[test]
fn the_schema_is_for_editors() {
    let schema = yaml::schema::<Config>();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Decimal"]["format"], "decimal");
}
