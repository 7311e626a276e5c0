//! The second step: the whole body of an admitted request, within its limit.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::http::request::Parts;
use ir::{Failure, Kind};
use store::Id;
use tokio::time::Instant;
use wire::DecodeError;

use crate::admit::Admitted;
use crate::world::OnLoss;

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
}

/// Makes an id: a UUIDv7, so that ids sort by time.
pub(crate) fn new_id() -> Id {
    Id(uuid::Uuid::now_v7().into_bytes())
}

/// Takes a request off the wire.
pub(crate) async fn accept(
    admitted: Admitted,
    parts: Parts,
    body: &mut Incoming,
    limit: usize,
) -> Result<Received, Failure> {
    let began = Instant::now();
    let too_large = || {
        let said = format!("the body is larger than {limit} bytes, the most this gateway takes");
        Failure::new(Kind::BodyTooLarge, said)
    };
    // Said at once where the client tells the length, before a byte of it is read.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let whole = tokio::time::timeout(ARRIVAL, Limited::new(body, limit).collect()).await;
    let body = match whole {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => {
            return Err(Failure::new(Kind::ClientGone, "the client hung up while sending"));
        }
        Err(_) => {
            let said = format!("the body did not arrive within {} seconds", ARRIVAL.as_secs());
            return Err(Failure::new(Kind::RequestTimeout, said));
        }
    };
    Ok(Received { key: admitted.key, on_loss: admitted.on_loss, parts, body, began })
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
