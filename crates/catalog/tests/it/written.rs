//! What a record may say of a host, and what becomes of it.

use catalog::{Auth, Catalog, Header, Missing, Named, Provider, Signing, Use};
use expect_test::expect;
use ir::Dialect;
use ir::dialect::{CapField, Form, Quirks, SchemaBy, StreamUsage};

use crate::{CLOUD, refused, with};

/// A host of every kind at once.
const HOST: &str = r#"
id: host
base_url: "https://${HOST_REGION}.host.example"
auth: { bearer: "env:HOST_KEY" }
headers:
  - { name: host-version, value: "${HOST_VERSION:-1}", unless_sent: true }
errors_like: openai
quirks: { cap: max_tokens, stream_usage: always }
speaks:
  - { dialect: openai_responses, path: /responses, quirks: { stream_usage: ask } }
  - dialect: gemini
    path: "/models/{model}:generateContent"
    stream_path: "/models/{model}:streamGenerateContent?alt=sse"
    count_path: "/models/{model}:countTokens"
  - { dialect: anthropic_messages, path: "/${HOST_PROJECT}/messages", quirks: { form: vertex } }
embeddings: { dialect: voyage, path: /embeddings }
models:
  - { id: talks, can: [tools] }
  - { id: only-messages, can: [], speaks: [anthropic_messages, gemini], quirks: { schema: tool } }
  - { id: embeds, can: [embeddings] }
  - { id: anything }
"#;

fn host() -> Catalog {
    with("host.yaml", HOST)
}

fn provider(auth: &str) -> Provider {
    let record = format!(
        "id: host\nbase_url: https://host.example\nauth: {auth}\n\
         speaks: [{{ dialect: openai_chat, path: /chat }}]\n"
    );
    Provider::clone(with("host.yaml", &record).provider("host").unwrap())
}

#[test]
fn every_way_to_authenticate_is_a_line() {
    let named = |name: &str, value: &str| Named { name: name.into(), value: value.into() };
    let rows = [
        (r#"{ bearer: "env:A" }"#, Auth::Bearer("env:A".into()), "env:A"),
        (
            r#"{ header: { name: x-key, value: "env:A" } }"#,
            Auth::Header(named("x-key", "env:A")),
            "env:A",
        ),
        (
            r#"{ query: { name: key, value: "file:/a" } }"#,
            Auth::Query(named("key", "file:/a")),
            "file:/a",
        ),
        (
            r#"{ sigv4: { region: "${R:-here}", service: s, key_id: "env:A", secret: "env:B", session_token: "env:C" } }"#,
            Auth::Sigv4(Signing {
                region: "${R:-here}".into(),
                service: "s".into(),
                key_id: "env:A".into(),
                secret: "env:B".into(),
                session_token: Some("env:C".into()),
            }),
            "env:A and env:B",
        ),
        (
            r#"{ google_service_account: "env:A" }"#,
            Auth::GoogleServiceAccount("env:A".into()),
            "env:A",
        ),
        ("{ none: true }", Auth::None(true), "an address"),
    ];
    for (written, auth, needs) in rows {
        let provider = provider(written);
        assert_eq!((provider.needs().as_str(), provider.auth), (needs, auth), "{written}");
    }
}

#[test]
fn a_provider_needs_its_secrets_and_every_variable_without_a_default() {
    let catalog = host();
    let provider = catalog.provider("host").unwrap();
    assert_eq!(provider.needs(), "env:HOST_KEY, env:HOST_REGION and env:HOST_PROJECT");
    let set = |name: &str| Some(name.to_lowercase());
    let filled = provider.filled(&set).unwrap();
    assert_eq!(filled.base_url, "https://host_region.host.example");
    assert_eq!(filled.speaks[2].path, "/host_project/messages");
    assert_eq!(filled.speaks[1].path, "/models/{model}:generateContent", "the model comes later");
    let version =
        Header { name: "host-version".into(), value: "host_version".into(), unless_sent: true };
    assert_eq!(filled.headers, [version]);
    let missing = provider.filled(&|_| None).unwrap_err();
    assert_eq!(missing, "the variable `HOST_REGION` is not set");
}

#[test]
fn a_dialects_quirks_go_over_the_records() {
    let catalog = host();
    let speaks = &catalog.provider("host").unwrap().speaks;
    let record =
        Quirks { cap: CapField::MaxTokens, stream_usage: StreamUsage::Always, ..Quirks::default() };
    assert_eq!(speaks[0].quirks, Quirks { stream_usage: StreamUsage::Ask, ..record });
    assert_eq!(speaks[1].quirks, record);
    assert_eq!(speaks[2].quirks, Quirks { form: Form::Vertex, ..record });
}

#[test]
fn a_models_quirks_go_over_its_dialects() {
    let found = host().find("only-messages", CLOUD).unwrap();
    let spoken = found.spoken()[0];
    let quirks = Quirks { schema: SchemaBy::Tool, ..spoken.quirks };
    assert_eq!(found.quirks(spoken), quirks);
    assert_eq!(quirks.form, Form::Vertex);
}

#[test]
fn an_operators_quirk_leaves_the_others() {
    let catalog = with("mine.yaml", "id: mistral\nquirks: { developer: as_system }\n");
    let quirks = catalog.provider("mistral").unwrap().speaks[0].quirks;
    assert_eq!(quirks.stream_usage, StreamUsage::Always);
}

#[test]
fn a_model_is_spoken_to_as_its_host_is_or_in_fewer_dialects() {
    let catalog = host();
    let spoken = |name: &str| -> Vec<Dialect> {
        let found = catalog.find(name, CLOUD).unwrap();
        found.spoken().iter().map(|spoken| spoken.dialect).collect()
    };
    assert_eq!(
        spoken("talks"),
        [Dialect::OpenaiResponses, Dialect::Gemini, Dialect::AnthropicMessages]
    );
    assert_eq!(spoken("only-messages"), [Dialect::AnthropicMessages, Dialect::Gemini]);
}

#[test]
fn nobody_talks_with_a_model_that_embeds() {
    let catalog = host();
    let not_for = |name: &str, wanted| Err(Missing::NotFor { name: name.to_owned(), wanted });
    let find = |wanted, name| catalog.find_for(wanted, name, CLOUD).map(|found| found.name());
    assert_eq!(find(Use::Chat, "embeds"), not_for("host/embeds", Use::Chat));
    assert_eq!(find(Use::Embeddings, "embeds"), Ok("host/embeds".into()));
    assert_eq!(find(Use::Embeddings, "talks"), not_for("host/talks", Use::Embeddings));
    assert_eq!(find(Use::Embeddings, "anything"), Ok("host/anything".into()));
    let host = catalog.provider("host").unwrap();
    let talk: Vec<_> = host.listed_for(Use::Chat).map(|model| model.id.as_str()).collect();
    assert_eq!(talk, ["talks", "only-messages", "anything"]);
}

#[test]
fn errors_are_the_hosts_own_or_of_the_family_it_names() {
    assert_eq!(&*host().provider("host").unwrap().family, "openai");
    assert_eq!(&*provider("{ none: true }").family, "host");
}

#[test]
fn one_more_host_is_one_file() {
    let text = r#"
id: one-more
base_url: https://api.one-more.example/v1
auth: { bearer: "env:ONE_MORE_API_KEY" }
speaks: [{ dialect: openai_chat, path: /chat/completions }]
models: [{ id: one-more-1 }]
"#;
    let catalog = with("one-more.yaml", text);
    let found = catalog.find("one-more-1", CLOUD).unwrap();
    assert_eq!(found.name(), "one-more/one-more-1");
    assert_eq!(found.spoken()[0].path, "/chat/completions");
    let shipped = Catalog::shipped().providers.len();
    assert_eq!(catalog.providers.len(), shipped + 1);
}

#[test]
fn what_a_host_cannot_mean_is_said() {
    refused(
        r#"
id: host
base_url: https://host.example
auth: { sigv4: { region: r, service: s, key_id: "env:A", secret: "env:B", session_token: abc } }
speaks:
  - { dialect: openai_chat, path: chat }
  - { dialect: openai_chat, path: /chat, stream_path: "chat?alt=sse" }
models:
  - { id: a, speaks: [gemini] }
  - { id: b, can: [embeddings] }
"#,
        &expect![[r#"
            mine.yaml:4:7: auth: not a reference to a secret
              help: write env:NAME or file:/path; the secret itself does not belong here
            mine.yaml:6:35: speaks[0].path: not a path
              help: begin with /
            mine.yaml:7:5: speaks[1]: the dialect is named twice
              help: a host with two addresses for one dialect is two providers
            mine.yaml:7:55: speaks[1].stream_path: not a path
              help: begin with /
            mine.yaml:9:22: models[0].speaks: its provider does not speak that
              help: a model speaks some of the dialects that its provider's `speaks` names
            mine.yaml:10:19: models[1].can: its provider's record does not say how it embeds
              help: add `embeddings` to the record"#]],
    );
}
