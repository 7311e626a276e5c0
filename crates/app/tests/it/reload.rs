//! Reloading while serving.

use testkit::{Provider, Script};

use crate::support::{Served, Setup, ask};

fn table(model: &str) -> String {
    format!("version: {model}\ndefault_model: one/{model}\ntasks: {{}}\n")
}

/// Asks until the answer comes from the model, or the log says what was looked for.
async fn until(served: &Served, wanted: impl Fn(&str, &str) -> bool) {
    let began = std::time::Instant::now();
    loop {
        assert!(began.elapsed().as_secs() < 60, "it never came: {}", served.log());
        let got = served.chat(&ask("auto", false, "hi")).await;
        let model = got.header("x-pointsman-model").unwrap_or_default().to_owned();
        if wanted(&model, &served.log()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_changed_table_serves_the_next_request_and_a_bad_one_does_not() {
    let provider = Provider::start(Script::saying("hi")).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    setup.table(&table("one-a"));
    let served = setup.serve();
    until(&served, |model, _| model == "one/one-a").await;

    setup.write("routing.yaml", &table("one-b"));
    until(&served, |model, _| model == "one/one-b").await;

    setup.write("routing.yaml", "version: broken\ndefault_model: one/one-z\ntasks: {}\n");
    until(&served, |model, log| {
        assert_eq!(model, "one/one-b", "the old one keeps serving");
        log.contains("not reloaded") && log.contains("one-z")
    })
    .await;

    setup.write("routing.yaml", &table("one-a"));
    until(&served, |model, _| model == "one/one-a").await;
}

#[tokio::test]
async fn a_new_record_is_a_new_provider_without_a_restart() {
    let provider = Provider::start(Script::saying("hi")).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    let served = setup.serve();
    assert_eq!(served.chat(&ask("two/two-a", false, "hi")).await.status, 404);
    setup.provider("two", &provider.base_url());
    while served.chat(&ask("two/two-a", false, "hi")).await.status != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hangup_reloads_too() {
    let provider = Provider::start(Script::saying("hi")).await.unwrap();
    let setup = Setup::new();
    setup.provider("one", &provider.base_url());
    let served = setup.serve();
    served.signal("-HUP");
    while !served.log().contains("\"reloaded\"") {
        assert_eq!(served.chat(&ask("one-a", false, "hi")).await.status, 200);
    }
}
