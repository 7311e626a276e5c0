//! The life of a request: where it goes by its path, and what it is answered when it goes nowhere.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{EXPECT, HeaderValue, UPGRADE};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use ir::{Failure, Inbound, Kind};
use store::Id;
use wire::failures::Context;

use crate::accept::new_id;
use crate::admit::admit;
use crate::answer::{self, About, Body};
use crate::converse::converse;
use crate::count::count;
use crate::embed::embed;
use crate::route::{self, Route};
use crate::taken::Taken;
use crate::{Gateway, World, models, record, status};

/// Answers a request; a panic on the way is an answer too. The answer may lie untaken for so long.
pub(crate) async fn handle(
    gateway: Arc<Gateway>,
    request: Request<Incoming>,
    untaken: Duration,
) -> Response<Taken> {
    let id = new_id();
    let world = gateway.world();
    let (parts, mut body) = request.into_parts();
    let (method, version) = (parts.method.clone(), parts.version);
    let waits = parts.headers.contains_key(EXPECT);
    let inbound = route::dialect(&parts.uri, &parts.headers);
    let about = about(&world, id);
    let handled = dispatch(&gateway, &world, parts, &mut body, id);
    let mut response = match AssertUnwindSafe(handled).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(failure)) => {
            // A client that waits for leave to send its body is not asked for it.
            if !waits {
                pour_away(&mut body, world.load.body).await;
            }
            refuse(inbound, &failure, id, &about)
        }
        Err(_) => {
            let said = "Pointsman itself failed on this request";
            refuse(inbound, &Failure::new(Kind::Internal, said), id, &about)
        }
    };
    if method == Method::HEAD {
        *response.body_mut() = Body::default();
    }
    response.map(|body| Taken::new(body, version, untaken))
}

/// How many bodies' worth of bytes, and for how long, a refused request may go on sending.
const POURED: usize = 4;
const POURING: Duration = Duration::from_secs(5);

/// Takes what is left of a refused request off the wire: a client that is cut off while it sends
/// does not read why it was refused.
async fn pour_away(body: &mut Incoming, limit: usize) {
    let mut left = limit.saturating_mul(POURED);
    let pour = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(size) else { return };
            left = rest;
        }
    };
    // Whoever is still sending then is cut off after all.
    let _ = tokio::time::timeout(POURING, pour).await;
}

/// Returns what every answer says of its request.
pub(crate) fn about(world: &World, id: Id) -> About {
    About { request_id: record::request_id(id), badge: world.badge.clone(), ..About::default() }
}

fn refuse(inbound: Inbound, failure: &Failure, id: Id, about: &About) -> Response<Body> {
    tracing::info!(
        request_id = %record::request_id(id),
        status = failure.kind.status(),
        code = failure.kind.code(),
        fault = failure.kind.fault().name(),
        "refused"
    );
    let context = Context { request_id: record::request_id(id), attempts: Vec::new() };
    let mut response = answer::failure(inbound, failure, &context, about);
    if failure.kind == Kind::UpgradeRequired {
        // The protocol that is spoken instead (RFC 9110, 15.5.22).
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("HTTP/1.1"));
    }
    response
}

async fn dispatch(
    gateway: &Arc<Gateway>,
    world: &Arc<World>,
    parts: Parts,
    body: &mut Incoming,
    id: Id,
) -> Result<Response<Body>, Failure> {
    let about = about(world, id);
    match route::route(&parts.method, parts.uri.path(), &parts.headers) {
        Route::Converse(inbound, told) => {
            let admitted = admit(world, &parts)?;
            converse(gateway, world, admitted, parts, body, Spoken { inbound, told, id }).await
        }
        Route::Count(inbound, told) => {
            let admitted = admit(world, &parts)?;
            count(gateway, world, admitted, parts, body, Spoken { inbound, told, id }).await
        }
        Route::Embed => {
            let admitted = admit(world, &parts)?;
            embed(gateway, world, admitted, parts, body, id).await
        }
        Route::Models => {
            admit(world, &parts)?;
            Ok(answer::whole(200, models::list(world, &parts).into(), &about))
        }
        Route::Model(name) => {
            admit(world, &parts)?;
            Ok(answer::whole(200, models::one(world, &parts, &name)?.into(), &about))
        }
        Route::Decision(text) => {
            admit(world, &parts)?;
            Ok(answer::whole(200, decision(gateway, text).await?.into(), &about))
        }
        Route::Live => Ok(answer::json(200, &status::live(), &about)),
        Route::Ready => {
            let (status, body) = status::ready(gateway, world);
            Ok(answer::json(status, &body, &about))
        }
        Route::Targets => {
            admit(world, &parts)?;
            Ok(answer::json(200, &status::targets(gateway), &about))
        }
        Route::Root => Ok(answer::json(200, &status::root(), &about)),
        Route::WebSocket => {
            let said = "conversations over WebSocket are not spoken here";
            Err(Failure::new(Kind::UpgradeRequired, said))
        }
        Route::WrongMethod { takes } => {
            let said = format!("{} takes {takes}, not {}", parts.uri.path(), parts.method);
            Err(Failure::new(Kind::MethodNotAllowed, said))
        }
        Route::Nowhere => {
            let said = format!("nothing lives at {} {}", parts.method, parts.uri.path());
            Err(Failure::new(Kind::NotFound, said))
        }
    }
}

/// How a conversation came in.
pub(crate) struct Spoken {
    pub(crate) inbound: Inbound,
    /// What the path says of it.
    pub(crate) told: Option<wire::head::Told>,
    /// The request's id.
    pub(crate) id: Id,
}

async fn decision(gateway: &Arc<Gateway>, text: String) -> Result<String, Failure> {
    let unknown = || {
        Failure::new(Kind::NotFound, format!("no decision has the id `{}`", record::word(&text)))
    };
    let id = Id::parse(&text).ok_or_else(unknown)?;
    let reader = Arc::clone(gateway);
    let read = tokio::task::spawn_blocking(move || reader.store.decision(id)).await;
    match read {
        Ok(Ok(Some(record))) => Ok(record),
        Ok(Ok(None)) => Err(unknown()),
        Ok(Err(error)) => Err(Failure::new(Kind::LedgerUnavailable, error.to_string())),
        Err(_) => Err(Failure::new(Kind::Internal, "reading the decision failed")),
    }
}
