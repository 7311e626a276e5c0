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
use hyper::{HeaderMap, Response};
use ir::{Dialect, Failure, Kind, Next};
use router::Commit;
use tokio::time::Instant;
use wire::{Head, Sent};

use crate::hold::Hold;
use crate::send::send;
use crate::stream::Feed;
use crate::{Gateway, World};

/// The largest answer taken whole or held whole, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;

/// An answer that may go out.
pub(crate) enum Won {
    /// All of it.
    Whole(Bytes),
    /// What came of it so far, and the rest as it comes; or all of it with its end.
    Stream {
        /// What has come.
        held: Vec<Bytes>,
        /// The rest; `None` when it has ended as it should.
        feed: Option<Box<Feed>>,
    },
}

/// Tries the targets of the hold's plan.
pub(crate) async fn pursue(
    gateway: &Gateway,
    world: &World,
    head: &Head<'_>,
    headers: &HeaderMap,
    hold: &mut Hold,
) -> Result<Won, Failure> {
    for target in hold.plan.targets.clone() {
        hold.begin(&target);
        let limit = hold.deadline().min(Instant::now() + hold.plan.limits.timeout);
        match attempt(gateway, world, head, headers, &target, hold, limit).await {
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
    head: &Head<'_>,
    headers: &HeaderMap,
    target: &Found,
    hold: &mut Hold,
    limit: Instant,
) -> Result<Won, Failure> {
    let provider = &target.provider;
    let Some(reach) = world.reach.get(&provider.id) else {
        return Err(Failure::new(Kind::NoTarget, "the provider is not configured"));
    };
    let spoken = provider.speaks.iter().find(|spoken| spoken.dialect == Dialect::OpenaiChat);
    let Some(spoken) = spoken else {
        return Err(Failure::new(
            Kind::NoTarget,
            "the provider does not speak the client's dialect",
        ));
    };
    let Sent { bytes, usage_added } = head.send(&target.model.id, provider.quirks);
    let response = send(&gateway.client, reach, &spoken.path, bytes, headers, limit).await?;
    let status = response.status().as_u16();
    hold.status(status);
    if !response.status().is_success() {
        return Err(reach.scrubbed(refused(response, limit).await));
    }
    let failure = |failure| Failure { provider_status: Some(status), ..reach.scrubbed(failure) };
    if head.stream && !is_json(response.headers()) {
        let feed = Feed::new(response.into_body(), spoken.dialect, usage_added, reach);
        begin(feed, hold, limit).await.map_err(failure)
    } else {
        let body = collect(response.into_body(), limit).await.map_err(failure)?;
        // One recorded host streams under JSON's type.
        if head.stream && !body.trim_ascii_start().starts_with(b"{") {
            let feed = Feed::of(body, spoken.dialect, usage_added, reach);
            return begin(feed, hold, limit).await.map_err(failure);
        }
        whole(body, head.stream, hold).map_err(failure)
    }
}

/// Some hosts stream under another type than `text/event-stream`, or under none; only JSON is
/// surely no stream.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("application/json")
}

/// Reads an answer whose status is an error.
async fn refused(response: Response<Incoming>, limit: Instant) -> Failure {
    let (parts, body) = response.into_parts();
    let body = collect(body, limit).await.unwrap_or_default();
    let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    wire::read_failure(Dialect::OpenaiChat, parts.status.as_u16(), &header, &body)
}

async fn collect(body: Incoming, limit: Instant) -> Result<Bytes, Failure> {
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

/// Takes an answer in one piece.
fn whole(body: Bytes, wanted_stream: bool, hold: &mut Hold) -> Result<Won, Failure> {
    let read = wire::glance(Dialect::OpenaiChat, &body)?;
    // Before anything is found wrong with it: what was used is paid for all the same.
    hold.progress(read.usage.as_ref(), body.len());
    if wanted_stream {
        let said = "a stream was asked for, and the provider's answer is none";
        return Err(Failure::new(Kind::MalformedReply, said));
    }
    if !read.answered {
        return Err(Failure::new(Kind::EmptyAnswer, "the answer has no choices"));
    }
    hold.first();
    Ok(Won::Whole(body))
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
        match batch.end {
            Some(Ok(())) => return Ok(Won::Stream { held, feed: None }),
            Some(Err(failure)) => return Err(failure),
            None if batch.content && hold.plan.limits.commit == Commit::FirstToken => {
                return Ok(Won::Stream { held, feed: Some(Box::new(feed)) });
            }
            None => {}
        }
    }
}
