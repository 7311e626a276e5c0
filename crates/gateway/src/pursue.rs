//! The plan, target by target, until an answer may go out.
//!
//! Until then a failure goes on to the next target, when its kind says that another may do better
//! and the whole request's deadline leaves time. What comes back is committed: it has no way to be
//! tried again.

use bytes::Bytes;
use catalog::Found;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Response};
use ir::{Failure, Kind, Next};
use router::Commit;
use tokio::time::Instant;
use wire::Origin;

use crate::hold::Hold;
use crate::lane::{Asked, Lane};
use crate::reach::Outgoing;
use crate::send::send;
use crate::stream::{End, Feed};
use crate::{Gateway, World};

/// The largest answer taken whole or held whole, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;

/// An answer that may go out.
pub(crate) enum Won {
    /// All of it.
    Whole(Bytes),
    /// What came of it so far, and the rest.
    Stream {
        /// What has come.
        held: Vec<Bytes>,
        /// The rest.
        rest: Rest,
    },
}

/// The rest of a stream.
pub(crate) enum Rest {
    /// It is still to come.
    Flowing(Box<Feed>),
    /// It has ended as it should, with these last bytes.
    Finished(Bytes),
}

/// Tries the targets of the hold's plan.
pub(crate) async fn pursue(
    gateway: &Gateway,
    world: &World,
    asked: &mut Asked<'_>,
    hold: &mut Hold,
) -> Result<Won, Failure> {
    for target in hold.plan.targets.clone() {
        hold.begin(&target);
        let limit = hold.deadline().min(Instant::now() + hold.plan.limits.timeout);
        match attempt(gateway, world, asked, &target, hold, limit).await {
            Ok(won) => return Ok(won),
            Err(failure) => {
                let next = failure.kind.next();
                hold.failed(failure);
                if next == Next::Stop || Instant::now() >= hold.deadline() {
                    break;
                }
            }
        }
    }
    Err(hold.verdict())
}

async fn attempt(
    gateway: &Gateway,
    world: &World,
    asked: &mut Asked<'_>,
    target: &Found,
    hold: &mut Hold,
    limit: Instant,
) -> Result<Won, Failure> {
    let Some(reach) = world.reach.get(&target.provider.id) else {
        return Err(Failure::new(Kind::NoTarget, "the provider is not configured"));
    };
    let ready = asked.ready(target, hold.id)?;
    hold.lost(ready.losses);
    let stream = asked.head.stream;
    let spoken = ready.spoken;
    let path = if stream { spoken.stream_path.as_ref() } else { None };
    let outgoing = Outgoing {
        method: Method::POST,
        path: path.unwrap_or(&spoken.path),
        model: &target.model.id,
        body: ready.bytes,
        forward: ready.native.then(|| asked.headers()),
    };
    let response = send(&gateway.client, reach, outgoing, limit).await?;
    let status = response.status().as_u16();
    hold.status(status);
    if !response.status().is_success() {
        return Err(reach.scrubbed(refused(&ready.origin, response, limit).await));
    }
    let failure = |failure| Failure { provider_status: Some(status), ..reach.scrubbed(failure) };
    if stream && !is_json(response.headers()) {
        let feed = Feed::new(response.into_body(), &ready.origin, ready.lane, reach);
        return begin(feed, hold, limit).await.map_err(failure);
    }
    let body = collect(response.into_body(), limit).await.map_err(failure)?;
    // Some stream under JSON's type: one recorded host, and Google where it was not asked for SSE.
    if stream && !body.trim_ascii_start().starts_with(b"{") {
        let feed = Feed::of(body, &ready.origin, ready.lane, reach);
        return begin(feed, hold, limit).await.map_err(failure);
    }
    let read = whole(body, &ready.origin, &ready.lane, hold).map_err(failure)?;
    if stream {
        let said = "a stream was asked for, and the provider's answer is none";
        return Err(failure(Failure::new(Kind::MalformedReply, said)));
    }
    hold.first();
    Ok(Won::Whole(read))
}

/// Some hosts stream under another type than `text/event-stream`, or under none; only JSON is
/// surely no stream.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("application/json")
}

/// Reads an answer whose status is an error.
pub(crate) async fn refused(
    origin: &Origin,
    response: Response<Incoming>,
    limit: Instant,
) -> Failure {
    let (parts, body) = response.into_parts();
    let body = collect(body, limit).await.unwrap_or_default();
    let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    wire::read_failure(origin, parts.status.as_u16(), &header, &body)
}

pub(crate) async fn collect(body: Incoming, limit: Instant) -> Result<Bytes, Failure> {
    match tokio::time::timeout_at(limit, Limited::new(body, ANSWER_LIMIT).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let said = format!("the answer is larger than {ANSWER_LIMIT} bytes");
            Err(Failure::new(Kind::MalformedReply, said))
        }
        Ok(Err(error)) => {
            Err(Failure::new(Kind::StreamCut, format!("the provider's answer broke off: {error}")))
        }
        Err(_) => Err(Failure::new(
            Kind::Timeout,
            "the answer was not complete in the time the task allows",
        )),
    }
}

/// Takes an answer in one piece and returns what the client gets.
fn whole(body: Bytes, origin: &Origin, lane: &Lane, hold: &mut Hold) -> Result<Bytes, Failure> {
    let empty = || Failure::new(Kind::EmptyAnswer, "the answer has no choices");
    match lane {
        Lane::Verbatim { .. } => {
            let read = wire::glance(origin, &body)?;
            // Before anything is found wrong with it: what was used is paid for all the same.
            hold.progress(read.usage.as_ref(), body.len());
            hold.named(read.id.as_ref());
            if read.answered { Ok(body) } else { Err(empty()) }
        }
        Lane::Translate { inbound, undo, renamed, filled, .. } => {
            let mut read = wire::read_response(origin, &body)?;
            hold.progress(read.usage.as_ref(), body.len());
            hold.named(read.id.as_ref());
            if read.candidates.is_empty() {
                return Err(empty());
            }
            undo.response(&mut read);
            renamed.response(&mut read);
            filled.fill(&mut read.id, &mut read.model, &mut read.created);
            Ok(wire::write_response(*inbound, &read).into())
        }
    }
}

/// Reads a stream up to where it may go out: its first content, or its end where the task holds it.
async fn begin(mut feed: Feed, hold: &mut Hold, limit: Instant) -> Result<Won, Failure> {
    let mut held = Vec::new();
    // A held answer has the whole request's time to end; the attempt's own limit is for its start.
    let deadline = hold.deadline();
    let mut until = limit;
    let mut size = 0;
    loop {
        let batch = feed.next(until).await;
        size += batch.pass.len();
        if size > ANSWER_LIMIT {
            let said = format!("the answer held is larger than {ANSWER_LIMIT} bytes");
            return Err(Failure::new(Kind::MalformedReply, said));
        }
        if !batch.pass.is_empty() {
            held.push(batch.pass);
        }
        if batch.content {
            hold.first();
            until = deadline;
        }
        hold.progress(feed.usage.as_ref(), feed.written);
        hold.named(feed.answer.as_ref());
        match batch.end {
            Some(End::Finished(last)) => {
                return Ok(Won::Stream { held, rest: Rest::Finished(last) });
            }
            Some(End::Failed(failure)) => return Err(failure),
            None if batch.content && hold.plan.limits.commit == Commit::FirstToken => {
                return Ok(Won::Stream { held, rest: Rest::Flowing(Box::new(feed)) });
            }
            None => {}
        }
    }
}
