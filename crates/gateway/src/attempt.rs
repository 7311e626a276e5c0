//! One attempt: the request sent to one target with one credential, and its answer read to where it
//! may go out. It borrows nothing that a second attempt beside it would need.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Response};
use ir::response::Substance;
use ir::{Failure, Kind};
use router::{AttemptClocks, Commit};
use tokio::time::Instant;
use wire::Origin;

use crate::Gateway;
use crate::begin::begin;
use crate::judge::Judge;
use crate::lane::{Lane, Ready};
use crate::open::Open;
use crate::pursue::Won;
use crate::reach::Outgoing;
use crate::send::{Sending, send};
use crate::stream::Feed;
use crate::targets::Way;

/// The largest answer taken whole or held whole, in bytes.
pub(crate) const ANSWER_LIMIT: usize = 64 << 20;

/// An attempt that may be made.
pub(crate) struct Prepared<'p> {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) way: &'p Way,
    pub(crate) ready: Ready<'p>,
    pub(crate) open: Open,
    pub(crate) terms: Terms<'p>,
}

/// What an attempt must keep to.
#[derive(Clone)]
pub(crate) struct Terms<'p> {
    /// Whether a stream is asked for.
    pub(crate) stream: bool,
    /// The client's headers.
    pub(crate) headers: &'p HeaderMap,
    pub(crate) clocks: AttemptClocks,
    /// When the whole request must be over.
    pub(crate) deadline: Instant,
    pub(crate) commit: Commit,
    /// What must hold of the answer.
    pub(crate) judge: Option<Arc<Judge>>,
    /// Whether what goes out is kept, for another target to go on with.
    pub(crate) keeps: bool,
}

/// An answer that an attempt brought.
pub(crate) struct Brought {
    /// The attempt, which goes on until the answer's end.
    pub(crate) open: Open,
    pub(crate) won: Won,
    /// Whether it is a refusal, which another model may not make.
    pub(crate) refusal: bool,
}

/// Makes an attempt. One that fails has been recorded.
pub(crate) async fn attempt(prepared: Prepared<'_>) -> Result<Brought, Failure> {
    let Prepared { gateway, way, ready, mut open, terms } = prepared;
    match tried(&gateway, way, ready, &mut open, terms).await {
        Ok((won, refusal)) => Ok(Brought { open, won, refusal }),
        Err(failure) => {
            open.failed(failure.clone());
            Err(failure)
        }
    }
}

async fn tried(
    gateway: &Gateway,
    way: &Way,
    ready: Ready<'_>,
    open: &mut Open,
    terms: Terms<'_>,
) -> Result<(Won, bool), Failure> {
    let reach = &way.reach;
    let Terms { stream, clocks, .. } = terms;
    open.lost(ready.losses);
    let spoken = ready.spoken;
    let path = if stream { spoken.stream_path.as_ref() } else { None };
    let outgoing = Outgoing {
        method: Method::POST,
        path: path.unwrap_or(&spoken.path),
        model: &way.target.model.id,
        body: ready.bytes.into(),
        forward: ready.native.then_some(terms.headers),
    };
    let began = Instant::now();
    let until = |clock| terms.deadline.min(began + clock);
    let sending = Sending { connect: clocks.connect, until: until(clocks.first_byte) };
    let limit = until(clocks.timeout);
    let response = send(&gateway.client, reach, outgoing, sending).await?;
    let status = response.status().as_u16();
    open.status(status);
    if !response.status().is_success() {
        return Err(reach.scrubbed(refused(&ready.origin, response, limit).await));
    }
    let failure = |failure| Failure { provider_status: Some(status), ..reach.scrubbed(failure) };
    if stream && !is_json(response.headers()) {
        let body = response.into_body();
        let feed = Feed::new(body, &ready.origin, ready.lane, way, clocks.silence);
        return begin(
            feed.judged_by(terms.judge.clone()).keep_seen(terms.keeps),
            open,
            &terms,
            limit,
        )
        .await
        .map_err(failure);
    }
    let body = collect(response.into_body(), limit).await.map_err(failure)?;
    // Some stream under JSON's type: one recorded host, and Google where it was not asked for SSE.
    if stream && !body.trim_ascii_start().starts_with(b"{") {
        let feed = Feed::of(body, &ready.origin, ready.lane, way, clocks.silence);
        return begin(
            feed.judged_by(terms.judge.clone()).keep_seen(terms.keeps),
            open,
            &terms,
            limit,
        )
        .await
        .map_err(failure);
    }
    let (read, refusal) =
        whole(body, &ready.origin, &ready.lane, terms.judge.as_deref(), open).map_err(failure)?;
    if stream {
        let said = "a stream was asked for, and the provider's answer is none";
        return Err(failure(Failure::new(Kind::MalformedReply, said)));
    }
    Ok((Won::Whole(read), refusal))
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

/// Takes an answer in one piece and returns what the client gets, and whether it is a refusal.
fn whole(
    body: Bytes,
    origin: &Origin,
    lane: &Lane,
    judge: Option<&Judge>,
    open: &mut Open,
) -> Result<(Bytes, bool), Failure> {
    match lane {
        Lane::Verbatim { inbound, .. } => {
            let read = wire::glance(origin, &body)?;
            // Before anything is found wrong with it: what was used is paid for all the same.
            open.progress(read.usage.as_ref(), body.len());
            open.complete();
            open.named(read.id.as_ref());
            let refusal = substantial(read.substance)?;
            let Some(judge) = judge else { return Ok((body, refusal)) };
            let mut response = wire::read_response(origin, &body)?;
            let mended = judge.answer(&mut response, open)?;
            let body = if mended { wire::write_response(*inbound, &response).into() } else { body };
            Ok((body, refusal))
        }
        Lane::Translate { inbound, undo, renamed, filled, .. } => {
            let mut read = wire::read_response(origin, &body)?;
            open.progress(read.usage.as_ref(), body.len());
            open.complete();
            open.named(read.id.as_ref());
            let refusal = substantial(read.substance())?;
            undo.response(&mut read);
            renamed.response(&mut read);
            if let Some(judge) = judge {
                judge.answer(&mut read, open)?;
            }
            filled.fill(&mut read.id, &mut read.model, &mut read.created);
            Ok((wire::write_response(*inbound, &read).into(), refusal))
        }
    }
}

/// Returns whether an answer is a refusal; one that says nothing is a failure.
pub(crate) fn substantial(substance: Substance) -> Result<bool, Failure> {
    match substance {
        Substance::Answer => Ok(false),
        Substance::Refusal => Ok(true),
        Substance::Thoughts => {
            Err(Failure::new(Kind::EmptyAnswer, "the model thought and gave no answer"))
        }
        Substance::Nothing => Err(Failure::new(Kind::EmptyAnswer, "the answer holds nothing")),
    }
}
