//! A request as it arrived, and how its answer ended.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use hyper::http::request::Parts;

/// A request that a provider was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method, such as `POST`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without its question mark.
    pub query: Option<String>,
    /// Headers in the order they came, names in lower case; bytes that are no text are replaced.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// When all of it was there.
    pub at: Instant,
    ending: Ending,
}

impl Seen {
    pub(super) fn of(head: &Parts, body: Bytes) -> Self {
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Self {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: headers.collect(),
            body,
            at: Instant::now(),
            ending: Ending::default(),
        }
    }

    pub(super) fn ending(&self) -> Ending {
        self.ending.clone()
    }

    /// Returns how its answer ended and when; nothing while that is under way.
    pub fn ended(&self) -> Option<(Ended, Instant)> {
        self.ending.0.get().copied()
    }

    /// Says whether the body holds this.
    pub fn says(&self, part: &str) -> bool {
        self.body.windows(part.len().max(1)).any(|window| window == part.as_bytes())
    }

    /// Returns the first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the `authorization` header.
    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// Returns the body as JSON, when it is.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All of it that was meant to be sent was, be it a fault.
    Complete,
    /// The client hung up first.
    HungUp,
}

/// The end of an answer, told once to everybody who holds a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ending(Arc<OnceLock<(Ended, Instant)>>);

impl Ending {
    /// Tells the end; only the first counts.
    pub(super) fn end(&self, how: Ended) {
        // An answer that is complete is also dropped.
        let _ = self.0.set((how, Instant::now()));
    }
}
