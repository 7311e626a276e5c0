//! A text that breaks off after it has begun, and what another target makes of the rest of it.

use serde_json::{Value, json};
use testkit::{Answer, Fault, Provider, Script};

use crate::canned;
use crate::clients::{CLIENTS, Client};
use crate::support::{Served, Setup};

/// `first` breaks off after some words, and `second` takes the beginning of an answer.
struct Scene {
    served: Served,
    first: Provider,
    second: Provider,
}

async fn scene(first: &str, second: &str, on: bool) -> Scene {
    let cut = Answer::text("The sky is blue by day").failing(Fault::CutAfter(3));
    let providers = [
        Provider::start(Script::of(cut)).await.unwrap(),
        Provider::start(Script::saying("and black by night.")).await.unwrap(),
    ];
    let setup = Setup::new();
    setup.speaker("first", &providers[0].base_url(), first, "");
    setup.speaker("second", &providers[1].base_url(), second, "quirks: { prefill: turn }");
    setup.table(&format!(
        "version: test\ndefault_model: first/m\n\
         defaults: {{ retries: 0, continue_after_cut: {on} }}\n\
         tasks:\n  work: {{ primary: first/m, fallbacks: [second/m] }}\n"
    ));
    setup.never_open();
    let [first, second] = providers;
    let served = setup.serve();
    drop(setup.folder.keep());
    Scene { served, first, second }
}

/// Returns the text that the second target was given as the beginning of its answer.
fn begun(second: &Provider) -> String {
    let sent = second.seen().pop().unwrap().json().unwrap();
    let last = sent["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["role"], "assistant", "{sent:#}");
    match &last["content"] {
        Value::String(text) => text.clone(),
        parts => parts[0]["text"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn a_text_is_gone_on_with_for_clients_of_every_dialect() {
    for dialects in [["openai_chat", "anthropic_messages"], ["anthropic_messages", "openai_chat"]] {
        let Scene { served, first, second } = scene(dialects[0], dialects[1], true).await;
        for client in CLIENTS {
            let body = client.question("task/work", true);
            let got = client.ask(&served, "task/work", true, &body).await;
            let heard = client.heard_streamed(got.text());
            let at = format!("{client:?} {dialects:?}: {}", got.text());
            let begun = begun(&second);
            assert!(begun.starts_with("The sky") && !begun.ends_with(' '), "{begun:?}");
            assert!(heard.text.starts_with(&begun) && heard.text.ends_with("by night."), "{at}");
            assert_eq!((heard.ends, heard.errors), (1, 0), "{at}");
            let attempts = &served.decision(&got).await["attempts"];
            assert_eq!(attempts[0]["failure"]["code"], "stream_interrupted", "{attempts:#}");
            assert_eq!((attempts[1]["goes_on"].clone(), attempts.get(2)), (json!(true), None));
            assert!(attempts[0]["used"]["output"].as_u64() > Some(0), "what was made is billed");
        }
        assert_eq!((first.asked(), second.asked()), (4, 4));
    }
}

#[tokio::test]
async fn a_text_is_gone_on_with_only_where_the_task_asks_for_it() {
    let Scene { served, first: _first, second } = scene("openai_chat", "openai_chat", false).await;
    let body = Client::Chat.question("task/work", true);
    let got = Client::Chat.ask(&served, "task/work", true, &body).await;
    let heard = Client::Chat.heard_streamed(got.text());
    let told = served.decision(&got).await;
    let saw = (heard.ends, heard.errors, second.asked());
    assert_eq!(saw, (0, 1, 0), "{}\n{told:#}", got.text());
}

#[tokio::test]
async fn what_nobody_can_go_on_with_ends_with_the_error_it_broke_off_with() {
    let Scene { served, first, second } = scene("openai_chat", "openai_chat", true).await;
    let ask = async |change: &dyn Fn(&mut Value)| {
        let mut body = Client::Chat.question("task/work", true);
        change(&mut body);
        let got = Client::Chat.ask(&served, "task/work", true, &body).await;
        assert!(got.text().contains("stream_interrupted"), "{}", got.text());
        assert!(!got.text().contains("[DONE]"), "{}", got.text());
    };
    // A shape was asked for.
    ask(&|body| body["response_format"] = json!({"type": "json_object"})).await;
    assert_eq!(second.asked(), 0);
    // A call was begun.
    let call = Answer::tool_call("look", "{\"place\": \"a long way from here\"}");
    first.set(Script::of(call.failing(Fault::CutAfter(3))));
    ask(&|_| {}).await;
    assert_eq!(second.asked(), 0);
    // The second target calls a tool in the middle of the text.
    let cut = Answer::text("The sky is blue by day").failing(Fault::CutAfter(3));
    first.set(Script::of(cut));
    second.set(Script::of(Answer::tool_call("look", "{}")));
    ask(&|_| {}).await;
    // It fails, and nobody else is left.
    second.set(Script::of(Answer::text("").failing(Fault::status(503))));
    ask(&|_| {}).await;
    assert_eq!(second.asked(), 2);
}

#[tokio::test]
async fn responses_that_pass_as_they_are_are_not_gone_on_with() {
    let Scene { served, first, second } = scene("openai_responses", "openai_chat", true).await;
    let frames = canned::frames("openai_responses");
    let cut = canned::raw(200, "text/event-stream", frames.concat()).failing(Fault::CutAfter(6));
    first.set(Script::of(cut));
    let body = Client::Responses.question("task/work", true);
    let got = Client::Responses.ask(&served, "task/work", true, &body).await;
    let heard = Client::Responses.heard_streamed(got.text());
    assert_eq!((heard.ends, heard.errors, second.asked()), (0, 1, 0), "{}", got.text());
}
