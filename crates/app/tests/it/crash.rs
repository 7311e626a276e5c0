//! `kill -9` under load: every answer a client has received in full is in the ledger.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use testkit::{Answer, Provider, Script};

use crate::support::{Setup, ask, client, rows};

#[tokio::test(flavor = "multi_thread")]
async fn no_row_is_lost_whose_answer_was_received() {
    let provider =
        Provider::start(Script::of(Answer::text("a short answer of a few words"))).await.unwrap();
    let (mut total, mut slowest) = (0, Duration::ZERO);
    for round in 0..20 {
        let setup = Setup::new();
        setup.provider("one", &provider.base_url());
        let mut served = setup.serve();
        let received = Arc::new(Mutex::new(HashSet::new()));
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (base, received) = (served.base.clone(), Arc::clone(&received));
            clients.spawn(async move { load(&base, number % 2 == 0, &received).await });
        }
        // Each round is killed at another moment of the load.
        while received.lock().unwrap().len() < 20 + 13 * round {
            assert!(served.child.try_wait().unwrap().is_none(), "it serves: {}", served.log());
            tokio::task::yield_now().await;
        }
        served.child.kill().unwrap();
        served.child.wait().unwrap();
        while clients.join_next().await.is_some() {}
        let recorded: HashSet<String> = rows(&setup)
            .iter()
            .filter(|row| row["outcome"] == "answered")
            .map(|row| row["decision"].as_str().unwrap().to_owned())
            .collect();
        let received = received.lock().unwrap().clone();
        let lost: Vec<_> = received.difference(&recorded).collect();
        assert_eq!(lost, Vec::<&String>::new(), "round {round}");
        total += received.len();
        let (began, before) = (Instant::now(), rows(&setup).len());
        let again = setup.serve();
        assert_eq!(again.chat(&ask("one-a", false, "hi")).await.status, 200, "it serves again");
        slowest = slowest.max(began.elapsed());
        assert_eq!(rows(&setup).len(), before + 1, "nothing was lost or doubled");
    }
    println!("20 kills, {total} answers received, 0 lost; served again after {slowest:?} at most");
}

/// Asks until the gateway is gone; keeps the decision of every answer that came in full.
pub(crate) async fn load(base: &str, stream: bool, received: &Mutex<HashSet<String>>) {
    let client = client();
    loop {
        let request = Request::post(format!("{base}/chat/completions"))
            .body(Full::from(ask("one-a", stream, "hi").to_string()))
            .unwrap();
        let Ok(response) = client.request(request).await else { return };
        let decision =
            response.headers().get("x-pointsman-decision").unwrap().to_str().unwrap().to_owned();
        let Ok(body) = response.into_body().collect().await else { return };
        let body = body.to_bytes();
        if !stream || body.ends_with(b"data: [DONE]\n\n") {
            received.lock().unwrap().insert(decision);
        }
    }
}
