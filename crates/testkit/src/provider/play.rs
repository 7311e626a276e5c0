//! Turns a request and its scripted reply into what happens: pure, from data to data.

use bytes::Bytes;

use super::Seen;
use super::ask::{Ask, Mode};
use super::chat::{self, Content, Line};
use super::dialect::{Dialect, Wrong};
use super::exchange::{Act, Exchange, Head};
use super::recorded::{recorded, recorded_good};
use super::spoil::{Good, Kind, spoil};
use super::stage::Place;

use crate::corpus::events_of;
use crate::{Fault, Reply, Usage};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";

/// A request, as far as its answer depends on it.
pub(super) struct Heard<'a> {
    /// Its number, from one.
    pub(super) number: u64,
    /// The request.
    pub(super) seen: &'a Seen,
    /// What its body asks.
    pub(super) ask: &'a Ask,
    /// Where in the script its answer stands.
    pub(super) place: Place,
}

/// Returns the answer that no script changes and no fault touches: the list of models, and what
/// the client did wrong.
///
/// Recordings and raw bytes answer any path, so there a client does nothing wrong. Only a rule
/// gives them for the list of models: a default recording leaves the list alone.
pub(super) fn aside(heard: &Heard<'_>, reply: &Reply, models: &[&str]) -> Option<Act> {
    let bytes = matches!(reply, Reply::Recorded { .. } | Reply::Raw { .. });
    let lists = heard.seen.method == "GET" && heard.seen.path.ends_with("/models");
    if lists && !(bytes && heard.place != Place::Default) {
        return Some(answer(heard, 200, chat::models(models)));
    }
    if bytes {
        return None;
    }
    heard.mistake().map(|(status, body)| answer(heard, status, Bytes::from(body)))
}

/// Returns what happens to a request that gets its scripted reply.
pub(super) fn play(heard: &Heard<'_>, reply: &Reply, fault: Option<&Fault>) -> Act {
    match reply {
        Reply::Recorded { case, cut } => match fault {
            None => Act::Answer(recorded(case, *cut)),
            Some(fault) => under(heard, Some(fault), recorded_good(case)),
        },
        Reply::Raw { status, headers, body } => {
            let head = Head { status: *status, headers: headers.clone() };
            under(heard, fault, raw(heard, head, body.clone()))
        }
        Reply::Text { text, usage } => match fault {
            // An empty answer is a good one whose text is empty.
            Some(Fault::Empty) => under(heard, None, spoken(heard, Content::Text(""), None)),
            _ => under(heard, fault, spoken(heard, Content::Text(text), *usage)),
        },
        Reply::ToolCall { name, arguments } => match fault {
            Some(Fault::Empty) => under(heard, None, spoken(heard, Content::Text(""), None)),
            _ => under(heard, fault, spoken(heard, Content::Call { name, arguments }, None)),
        },
    }
}

impl Heard<'_> {
    /// Returns what the client did wrong, if its request is no chat completion.
    fn mistake(&self) -> Option<(u16, String)> {
        let Seen { method, path, .. } = self.seen;
        let spoken = path.ends_with("/chat/completions") || path.ends_with("/messages");
        if method != "POST" || !spoken {
            let message = format!("Unknown request URL: {method} {path}.");
            let body = chat::error(&message, "invalid_request_error", Some("unknown_url"));
            return Some((404, body));
        }
        if !self.ask.is_json {
            let message = "We could not parse the JSON body of your request.";
            return Some((400, chat::error(message, "invalid_request_error", None)));
        }
        None
    }

    /// The server says what it is, and gives every answer an id, as providers do.
    fn head(&self, status: u16, content_type: &str) -> Head {
        let mut head = Head::of(status, content_type);
        let id = format!("req_scripted_{:06}", self.number);
        head.headers.push(("x-request-id".to_owned(), id));
        head.headers.push(("server".to_owned(), "scripted".to_owned()));
        head
    }
}

fn answer(heard: &Heard<'_>, status: u16, body: Bytes) -> Act {
    Act::Answer(Exchange::whole(heard.head(status, JSON), body))
}

fn under(heard: &Heard<'_>, fault: Option<&Fault>, good: Good) -> Act {
    match fault {
        Some(Fault::QuotedKey) => answer(heard, 401, quoted_key(heard)),
        Some(fault) => spoil(fault, good),
        None => Act::Answer(good.exchange()),
    }
}

/// Providers quote a credential in full or in part; in full shows who passes it on.
fn quoted_key(heard: &Heard<'_>) -> Bytes {
    let given = heard.seen.header("x-api-key").or_else(|| heard.seen.authorization());
    let given = given.unwrap_or_default();
    let message = format!("Incorrect API key provided: {}.", given.trim_start_matches("Bearer "));
    Bytes::from(Dialect::at(&heard.seen.path).error(Wrong::with(401), &message).to_string())
}

fn raw(heard: &Heard<'_>, head: Head, body: Bytes) -> Good {
    let dialect = Dialect::at(&heard.seen.path);
    match head.content_type().and_then(|kind| events_of(kind, body.clone())) {
        Some(frames) => Good { dialect, head, frames, kind: Kind::Events },
        None => Good { dialect, head, frames: vec![body], kind: Kind::Whole },
    }
}

fn spoken(heard: &Heard<'_>, content: Content<'_>, usage: Option<Usage>) -> Good {
    let usage = usage.unwrap_or_else(|| estimate(heard.ask.size, &content));
    let model = heard.ask.model.as_deref().unwrap_or("scripted");
    let line = Line { number: heard.number, model, content, usage };
    let dialect = Dialect::at(&heard.seen.path);
    let (kind, frames) = match (dialect, heard.ask.mode) {
        (Dialect::Chat, Mode::Whole) => (Kind::Whole, vec![line.whole()]),
        (Dialect::Chat, mode) => (Kind::Events, line.events(mode)),
        (Dialect::Messages, Mode::Whole) => (Kind::Whole, vec![line.whole_message()]),
        (Dialect::Messages, _) => (Kind::Events, line.message_events()),
    };
    let head = heard.head(200, if kind == Kind::Whole { JSON } else { EVENTS });
    Good { dialect, head, frames, kind }
}

/// Four bytes a token, rounded up.
fn estimate(asked: usize, content: &Content<'_>) -> Usage {
    let said = match content {
        Content::Text(text) => text.len(),
        Content::Call { name, arguments } => name.len() + arguments.len(),
    };
    let tokens = |bytes: usize| bytes.div_ceil(4) as u64;
    Usage { input: tokens(asked), cached_input: 0, output: tokens(said) }
}
