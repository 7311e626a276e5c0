//! The second step: the whole body of an admitted request, within its limit.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use ir::{Failure, Kind};
use store::Id;
use tokio::time::Instant;
use wire::DecodeError;

use crate::Gateway;
use crate::admit::Admitted;
use crate::gate::Seat;
use crate::world::{Load, OnLoss};

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);

/// A request that has arrived.
pub(crate) struct Received {
    /// The name of the caller's key.
    pub(crate) key: Option<String>,
    /// What is done with requests that cannot be said whole.
    pub(crate) on_loss: OnLoss,
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) began: Instant,
    /// The request's place among those under way; taken by its hold.
    pub(crate) seat: Option<Seat>,
}

/// Makes an id: a UUIDv7, so that ids sort by time.
pub(crate) fn new_id() -> Id {
    Id(uuid::Uuid::now_v7().into_bytes())
}

/// Takes a request off the wire.
pub(crate) async fn accept(
    gateway: &Arc<Gateway>,
    admitted: Admitted,
    parts: Parts,
    body: &mut Incoming,
    load: Load,
) -> Result<Received, Failure> {
    let began = Instant::now();
    let mut seat = Seat::take(gateway, load.requests)?;
    // Said at once where the client tells the length, before a byte of it is read.
    if body.size_hint().lower() > load.body as u64 {
        return Err(too_large(load.body));
    }
    let whole = tokio::time::timeout(ARRIVAL, collect(body, load, &mut seat)).await;
    let body = whole.map_err(|_| {
        let said = format!("the body did not arrive within {} seconds", ARRIVAL.as_secs());
        Failure::new(Kind::RequestTimeout, said)
    })??;
    let Admitted { key, on_loss } = admitted;
    Ok(Received { key, on_loss, parts, body, began, seat: Some(seat) })
}

/// Collects a body; room is made for each piece before the next one is read.
async fn collect(body: &mut Incoming, load: Load, seat: &mut Seat) -> Result<Bytes, Failure> {
    let mut whole = BytesMut::new();
    let mut first = None;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Failure::new(Kind::ClientGone, "the client hung up while sending"));
        };
        let Ok(data) = frame.into_data() else { continue };
        let so_far = whole.len() + first.as_ref().map_or(0, Bytes::len);
        if so_far + data.len() > load.body {
            return Err(too_large(load.body));
        }
        seat.grow(data.len(), load.memory)?;
        // Most bodies come in one piece, which need not be copied.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(earlier) => {
                whole.reserve(usize::try_from(body.size_hint().lower()).unwrap_or(0));
                whole.extend_from_slice(&earlier);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

fn too_large(limit: usize) -> Failure {
    let said = format!("the body is larger than {limit} bytes, the most this gateway takes");
    Failure::new(Kind::BodyTooLarge, said)
}

/// States what is wrong with a body, for its sender.
pub(crate) fn undecodable(error: &DecodeError) -> Failure {
    let kind = match error.why {
        wire::decode::Why::Syntax(_) => Kind::InvalidJson,
        _ => Kind::InvalidRequest,
    };
    let failure = Failure::new(kind, error.to_string());
    if error.path.is_empty() { failure } else { failure.at(error.path.clone()) }
}
