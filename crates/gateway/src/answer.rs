//! Answers: their headers and bodies.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use ir::{Failure, Fault, Inbound, Kind, Money, Next};
use serde::Serialize;
use wire::failures::Context;

use crate::streams::watched;

/// The body of every answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What an answer says about itself in headers.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) request_id: String,
    pub(crate) decision: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) task: Option<String>,
    pub(crate) attempts: usize,
    pub(crate) cost: Option<Money>,
    pub(crate) overhead: Option<Duration>,
    pub(crate) badge: Option<String>,
    /// What of the request was lost on its way, as a header tells it.
    pub(crate) losses: Option<String>,
}

/// Answers with a whole body.
pub(crate) fn whole(status: u16, body: Bytes, about: &About) -> Response<Body> {
    dress(status, Full::new(body).boxed_unsync(), "application/json", about)
}

/// Answers with a stream.
pub(crate) fn streamed(
    frames: impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static,
    about: &About,
) -> Response<Body> {
    let body = StreamBody::new(frames).boxed_unsync();
    let mut response = dress(200, body, "text/event-stream", about);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Answers with a stream that is one JSON array.
pub(crate) fn streamed_as_array(
    frames: impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static,
    about: &About,
) -> Response<Body> {
    dress(200, StreamBody::new(frames).boxed_unsync(), "application/json", about)
}

/// Answers with JSON of the gateway's own.
pub(crate) fn json(status: u16, body: &impl Serialize, about: &About) -> Response<Body> {
    let body = serde_json::to_vec(body).expect("invariant: plain structs serialise");
    whole(status, body.into(), about)
}

/// Answers with metrics.
pub(crate) fn metrics(text: String, about: &About) -> Response<Body> {
    let mut response = whole(200, text.into(), about);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The longest that clients wait by themselves; what takes longer they would try again at once.
const WAITED_FOR: Duration = Duration::from_secs(60);

/// Answers with a failure in the client's dialect.
pub(crate) fn failure(
    inbound: Inbound,
    failure: &Failure,
    context: &Context,
    about: &About,
) -> Response<Body> {
    let (status, body) = wire::write_failure(inbound, failure, context);
    let mut response = whole(status, body.into(), about);
    // A client's own retries would repeat a plan of several targets, or what fails the same again.
    // What passes in moments is worth another try; so is a target that stood alone, however often it
    // was tried: its budget of retries holds for its clients together. One that says when to come
    // again may be asked then.
    let passing = matches!(
        failure.kind,
        Kind::LedgerUnavailable
            | Kind::RequestTimeout
            | Kind::GatewayOverloaded
            | Kind::TargetBusy
            | Kind::ShuttingDown
    );
    let passes = failure.kind.next() != Next::Stop || failure.kind == Kind::AllAttemptsFailed;
    let mut targets = context.attempts.iter().map(|attempt| &attempt.target);
    let first = targets.next();
    let alone = targets.all(|target| Some(target) == first);
    let told = failure.retry_after.is_some_and(|after| after <= WAITED_FOR);
    let theirs = failure.kind.fault() == Fault::Provider;
    let again = passing || (passes && (told || (theirs && alone)));
    let again = if again { "true" } else { "false" };
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static(again));
    if let Some(after) = failure.retry_after {
        headers.insert(
            RETRY_AFTER,
            HeaderValue::from(after.as_secs() + u64::from(after.subsec_nanos() > 0)),
        );
    }
    response
}

/// Says that what is answered was estimated.
pub(crate) fn estimated(response: &mut Response<Body>) {
    let name = HeaderName::from_static("x-pointsman-counted");
    response.headers_mut().insert(name, HeaderValue::from_static("estimated"));
}

fn dress(status: u16, body: Body, kind: &'static str, about: &About) -> Response<Body> {
    let mut response = Response::new(watched(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let mut say = |name: &'static str, value: Option<&str>| {
        // A task may be any text of the caller's: what cannot stand in a header is left out here
        // and told in the decision.
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    say("x-request-id", Some(&about.request_id));
    // Anthropic's clients show this one.
    say("request-id", Some(&about.request_id));
    say("x-pointsman-decision", about.decision.as_deref());
    say("x-pointsman-model", about.model.as_deref());
    say("x-pointsman-task", about.task.as_deref());
    if about.attempts > 0 {
        say("x-pointsman-attempts", Some(&about.attempts.to_string()));
    }
    say("x-pointsman-cost-usd", about.cost.map(|cost| cost.to_string()).as_deref());
    let micros = about.overhead.map(|overhead| overhead.as_micros().to_string());
    say("x-pointsman-overhead-us", micros.as_deref());
    say("x-pointsman-loss", about.losses.as_deref());
    say("x-pointsman-badge", about.badge.as_deref());
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ir::{Failure, Inbound, Kind};
    use wire::failures::{Attempt, Context};

    use super::{About, failure};

    fn check(failed: &Failure, targets: &[&str], again: &str) {
        let attempt = |target: &&str| Attempt {
            target: (*target).to_owned(),
            failure: failed.clone(),
            took: Duration::ZERO,
        };
        let attempts = targets.iter().map(attempt).collect();
        let context = Context { request_id: "req_1".to_owned(), attempts };
        let answer = failure(Inbound::OpenaiChat, failed, &context, &About::default());
        assert_eq!(answer.headers()["x-should-retry"], again, "{failed:?} {targets:?}");
    }

    #[test]
    fn a_client_tries_again_what_may_pass_and_was_not_tried_elsewhere() {
        let of = |kind| Failure::new(kind, "it failed");
        let told = |kind| Failure { retry_after: Some(Duration::from_secs(1)), ..of(kind) };
        check(&of(Kind::ProviderError), &["a/m"], "true");
        check(&of(Kind::ProviderError), &["a/m", "a/m"], "true");
        check(&of(Kind::ProviderError), &["a/m", "b/m"], "false");
        check(&of(Kind::AllAttemptsFailed), &["a/m", "b/m"], "false");
        check(&told(Kind::RateLimited), &["a/m", "b/m"], "true");
        check(&of(Kind::TargetBusy), &[], "true");
        check(&of(Kind::GatewayOverloaded), &[], "true");
        check(&of(Kind::Credential), &["a/m"], "false");
        check(&of(Kind::InvalidRequest), &[], "false");
    }
}
