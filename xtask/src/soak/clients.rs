//! The clients: each asks as soon as its last request has ended, and looks at how it ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::task::JoinSet;

use super::scenarios::{DEADLINE, LEAVE, Leaves, Scenario, pick};

/// The most complaints that are kept.
const COMPLAINTS: usize = 10;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Good,
    /// An error in the client's dialect, as an answer or as a stream's last frame.
    Told,
    /// The client hung up.
    Left,
    /// The connection was closed unanswered while the gateway ends.
    Closed,
    /// Neither end came within the deadline.
    Hung,
    /// The answer is no answer: it broke off, or says something that is in no dialect.
    Broken,
}

/// What clients were told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How requests ended, by scenario.
    pub(super) ends: BTreeMap<(&'static str, End), u64>,
    /// Requests whose answer named a decision, those of early leavers not among them.
    pub(super) decisions: u64,
    /// Requests of early leavers.
    pub(super) left_early: u64,
    /// The first of what was wrong.
    pub(super) complaints: Vec<String>,
}

impl Told {
    pub(super) fn count(&self, end: End) -> u64 {
        self.ends.iter().filter(|((_, ended), _)| *ended == end).map(|(_, count)| count).sum()
    }

    pub(super) fn all(&self) -> u64 {
        self.ends.values().sum()
    }

    pub(super) fn add(&mut self, other: Self) {
        for (key, count) in other.ends {
            *self.ends.entry(key).or_default() += count;
        }
        self.decisions += other.decisions;
        self.left_early += other.left_early;
        self.complaints.extend(other.complaints);
        self.complaints.truncate(COMPLAINTS);
    }
}

/// Clients that ask until they are stopped.
pub(super) struct Clients {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

struct Shared {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
    stopping: AtomicBool,
    ending: AtomicBool,
    told: Mutex<Told>,
}

impl Clients {
    pub(super) fn start(url: String, streams: usize) -> Self {
        let shared = Arc::new(Shared {
            url,
            client: Client::builder(TokioExecutor::new()).build_http(),
            stopping: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            told: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for number in 0..streams {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move { shared.keep_asking(number).await });
        }
        Self { shared, tasks }
    }

    /// From now on the gateway ends: what it does not take any more is no fault.
    pub(super) fn expect_end(&self) {
        self.shared.ending.store(true, Ordering::SeqCst);
    }

    /// Lets every client finish its request, and closes their connections.
    pub(super) async fn stop(mut self) -> Told {
        self.shared.stopping.store(true, Ordering::SeqCst);
        while self.tasks.join_next().await.is_some() {}
        std::mem::take(&mut *self.shared.told())
    }
}

/// A way of asking.
#[derive(Debug, Clone, Copy)]
struct Way {
    anthropic: bool,
    stream: bool,
}

impl Shared {
    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep_asking(&self, number: usize) {
        let mut dice = Dice(number as u64 * 2 + 1);
        while !self.stopping.load(Ordering::SeqCst) {
            let scenario = pick(dice.roll());
            // Who leaves with the first bytes needs some before the last ones.
            let stream = scenario.leaves == Leaves::Late || !dice.roll().is_multiple_of(4);
            let way = Way { anthropic: dice.roll().is_multiple_of(2), stream };
            let (end, complaint) = self.ask(scenario, way, dice.roll()).await;
            let mut told = self.told();
            *told.ends.entry((scenario.name, end)).or_default() += 1;
            if let (Some(complaint), true) = (complaint, told.complaints.len() < COMPLAINTS) {
                told.complaints.push(format!("{} {way:?}: {complaint}", scenario.name));
            }
            drop(told);
            if end == End::Closed {
                return;
            }
        }
    }

    async fn ask(&self, scenario: &Scenario, way: Way, roll: u64) -> (End, Option<String>) {
        if scenario.leaves == Leaves::Early {
            self.told().left_early += 1;
            let wait = Duration::from_millis(roll % 120);
            return match tokio::time::timeout(wait, self.send(scenario, way)).await {
                Ok(Err(_)) if self.ending.load(Ordering::SeqCst) => (End::Closed, None),
                _ => (End::Left, None),
            };
        }
        match tokio::time::timeout(DEADLINE, self.answer(scenario, way)).await {
            Ok((End::Broken, complaint)) => (End::Broken, Some(complaint)),
            Ok((end, _)) => (end, None),
            Err(_) => (End::Hung, Some(format!("no end after {DEADLINE:?}"))),
        }
    }

    async fn answer(&self, scenario: &Scenario, way: Way) -> (End, String) {
        let response = match self.send(scenario, way).await {
            Ok(response) => response,
            Err(_) if self.ending.load(Ordering::SeqCst) => return (End::Closed, String::new()),
            Err(error) => return (End::Broken, format!("{error:#}")),
        };
        if response.headers().contains_key("x-pointsman-decision") {
            self.told().decisions += 1;
        }
        let status = response.status().as_u16();
        let mut body = response.into_body();
        if scenario.leaves == Leaves::Late {
            let _ = body.frame().await;
            return (End::Left, String::new());
        }
        match body.collect().await {
            Ok(body) => judge(status, way, &body.to_bytes()),
            Err(error) => (End::Broken, format!("the answer broke off: {error}")),
        }
    }

    async fn send(&self, scenario: &Scenario, way: Way) -> anyhow::Result<Response<Incoming>> {
        debug_assert!(scenario.leaves != Leaves::Early || scenario.task == LEAVE);
        let path = if way.anthropic { "/v1/messages" } else { "/v1/chat/completions" };
        let body = json!({
            "model": format!("task/{}", scenario.task),
            "stream": way.stream,
            "max_tokens": 256,
            "messages": [{"role": "user", "content": scenario.question()}],
        });
        let request = Request::post(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(Full::from(body.to_string()))?;
        Ok(self.client.request(request).await?)
    }
}

/// Says how an answer ended.
fn judge(status: u16, way: Way, body: &[u8]) -> (End, String) {
    let text = String::from_utf8_lossy(body);
    let broken = || (End::Broken, format!("status {status}, {}", ending(&text)));
    if status != 200 || !way.stream {
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else { return broken() };
        let good = if way.anthropic { &json["content"] } else { &json["choices"] };
        let error = &json["error"]["type"];
        return match (status, good.is_array(), error.is_string()) {
            (200, true, _) => (End::Good, String::new()),
            (400.., _, true) => (End::Told, String::new()),
            _ => broken(),
        };
    }
    // Lines may end as the provider's do.
    let text = text.replace('\r', "");
    let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let (good, error) = if way.anthropic {
        (last.starts_with("event: message_stop\n"), last.starts_with("event: error\n"))
    } else {
        (last == "data: [DONE]", last.starts_with("data: {\"error\":"))
    };
    match (good, error) {
        (true, _) => (End::Good, String::new()),
        (_, true) => (End::Told, String::new()),
        _ => broken(),
    }
}

/// The end of a text, for a complaint.
fn ending(text: &str) -> String {
    let tail: Vec<char> = text.chars().rev().take(200).collect();
    format!("ends with {:?}", tail.into_iter().rev().collect::<String>())
}

/// A xorshift generator: the same load for the same number of clients.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 3
    }
}
