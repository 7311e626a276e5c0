//! Settings that would do nothing, or something else than they say, are told.

use testkit::{Provider, Script};

use crate::support::{Served, Setup, ask};

const TABLE: &str = "version: t\ndefault_model: one/one-a\n";

/// Checks a table, and returns its code and what is said.
fn check(setup: &Setup, table: &str) -> (i32, String) {
    setup.write("routing.yaml", &format!("{TABLE}{table}"));
    let (code, out, error) = setup.run(&["routing", "check", "routing.yaml"]);
    (code, out + &error)
}

fn setup() -> Setup {
    let setup = Setup::new();
    setup.provider("one", "http://127.0.0.1:1/v1");
    setup
}

#[test]
fn clocks_that_cannot_run_out_are_told_with_their_place() {
    let setup = setup();
    for (limits, said) in [
        ("first_byte: 20s, timeout: 10s", "defaults.first_byte: longer than `timeout`"),
        ("timeout: 20s, total: 10s", "defaults.timeout: longer than `total`"),
    ] {
        let (code, told) = check(&setup, &format!("defaults: {{ {limits} }}\ntasks: {{}}\n"));
        assert_ne!(code, 0, "{told}");
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn a_name_for_equals_may_not_be_a_models_or_a_tasks() {
    let setup = setup();
    for (name, said) in [("one/one-a", "a model has this name"), ("work", "a task has this name")] {
        let table = format!(
            "equals: {{ {name}: {{ one/one-b: 1 }} }}\ntasks: {{ work: {{ primary: one/one-b }} }}\n"
        );
        let (code, told) = check(&setup, &table);
        assert_ne!(code, 0, "{told}");
        assert!(told.contains(said) && told.contains("equals"), "{told}");
    }
    let spread = "equals: { one-a: { one/one-a: 1, one/one-b: 1 } }\ntasks: {}\n";
    let (code, told) = check(&setup, spread);
    assert_eq!(code, 0, "{told}");
}

#[test]
fn a_bound_of_money_on_models_without_a_price_is_warned_of() {
    let setup = setup();
    let free = "id: free\nbase_url: http://127.0.0.1:1\nauth: { none: true }\n\
                speaks: [{ dialect: openai_chat, path: /c }]\nmodels: [{ id: m }]\n";
    setup.write("providers/free.yaml", free);
    let task = |model: &str| format!("tasks: {{ work: {{ primary: {model}, spend: 0.5 }} }}\n");
    let (code, told) = check(&setup, &task("free/m"));
    assert_eq!(code, 0, "it is no reason not to serve: {told}");
    assert!(told.contains("`spend` counts nothing of `free/m`"), "{told}");
    let (_, told) = check(&setup, &task("one/one-a"));
    assert!(!told.contains("spend"), "{told}");
}

#[test]
fn a_gateway_that_could_not_hold_one_body_is_not_started() {
    for (limits, said) in [
        ("body: 2000, memory: 1000", "limits.memory: less than one body"),
        ("connections: 9000000000000000000", "limits.connections"),
    ] {
        let setup = setup();
        setup.configure(&format!("limits: {{ {limits} }}"));
        let (code, out, error) = setup.run(&["serve", "--dry-run"]);
        assert_ne!(code, 0, "{out}");
        assert!(error.contains(said), "{error}");
    }
}

/// A provider with a second credential.
fn keyed(setup: &mut Setup, base_url: &str, second: Option<&str>) {
    let record = format!(
        "id: keyed\nbase_url: {base_url}\nauth: {{ bearer: env:KEY_ONE }}\n\
         credentials:\n  - {{ name: two, auth: {{ bearer: env:KEY_TWO }} }}\n\
         speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n\
         models: [{{ id: m, price: {{ input: 1, output: 2 }} }}]\n"
    );
    setup.write("providers/keyed.yaml", &record);
    setup.environment.push(("KEY_ONE".into(), "sk-one-0123456789".into()));
    if let Some(second) = second {
        setup.environment.push(("KEY_TWO".into(), second.into()));
    }
}

#[tokio::test]
async fn a_further_credential_that_cannot_be_used_is_told_and_does_not_stop_the_others() {
    let provider = Provider::start(Script::saying("well")).await.unwrap();
    for (second, why) in
        [(None, "is not set"), (Some("sk-two\u{7f}-x"), "cannot stand in a header")]
    {
        let mut setup = Setup::new();
        keyed(&mut setup, &provider.base_url(), second);
        let served = setup.serve();
        assert_eq!(served.chat(&ask("keyed/m", false, "hi")).await.status, 200);
        let log = served.log();
        assert!(log.contains("credential `two`") && log.contains(why), "{log}");
        let (_, out, _) = setup.run(&["doctor"]);
        assert!(out.contains("credential `two`") && out.contains(why), "{out}");
    }
}

async fn until_log(served: &Served, wanted: &str) {
    for _ in 0..500 {
        if served.log().contains(wanted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never said {wanted}: {}", served.log());
}

#[tokio::test]
async fn every_setting_that_takes_a_restart_says_so() {
    let setup = setup();
    let served = setup.serve();
    setup.configure(
        "breaker: { consecutive: 9 }\nlimits: { connections: 9, client_silence: 9s }\n\
         shutdown: { grace: 9s }\nlog: { level: debug }",
    );
    until_log(&served, "\"reloaded\"").await;
    let log = served.log();
    for what in ["breaker", "limits.connections", "limits.client_silence", "shutdown.grace", "log"]
    {
        assert!(log.contains(&format!("\"{what}\"")), "{what}: {log}");
    }
}

#[tokio::test]
async fn a_secret_file_that_changes_is_read_again() {
    let provider = Provider::start(Script::saying("well")).await.unwrap();
    let setup = Setup::new();
    setup.write("secret", "sk-old-0123456789");
    let record = format!(
        "id: p\nbase_url: {}\nauth: {{ bearer: 'file:{}' }}\n\
         speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\nmodels: [{{ id: m }}]\n",
        provider.base_url(),
        setup.path("secret").display()
    );
    setup.write("providers/p.yaml", &record);
    let served = setup.serve();
    setup.write("secret", "sk-rotated-0123456789");
    until_log(&served, "\"reloaded\"").await;
    assert_eq!(served.chat(&ask("p/m", false, "hi")).await.status, 200);
    let sent = provider.seen().pop().unwrap();
    assert_eq!(sent.authorization(), Some("Bearer sk-rotated-0123456789"));
}
