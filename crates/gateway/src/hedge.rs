//! Hedging: a second attempt beside one that is slow; the first to answer wins, the other is given
//! up (Dean and Barroso, "The tail at scale", 2013).

use std::time::Duration;

use futures_util::future::{Either, select};
use ir::Failure;

use crate::attempt::{Brought, Prepared, attempt};
use crate::open::{Book, GivenUp, given_up};

/// Makes an attempt and, when it has not answered after `delay`, perhaps a second one.
pub(crate) async fn race<'p>(
    first: Prepared<'p>,
    delay: Duration,
    second: impl FnOnce() -> Option<Prepared<'p>>,
    book: &Book,
) -> Result<Brought, Failure> {
    let mut first = Box::pin(attempt(first));
    tokio::select! {
        biased;
        ended = &mut first => return ended,
        () = tokio::time::sleep(delay) => {}
    }
    let Some(second) = second() else { return first.await };
    let second = Box::pin(attempt(second));
    let (ended, other) = match select(first, second).await {
        Either::Left(ended) => ended,
        Either::Right(ended) => ended,
    };
    if ended.is_err() {
        return other.await;
    }
    given_up(book, GivenUp::Outrun);
    drop(other);
    given_up(book, GivenUp::ClientGone);
    ended
}
