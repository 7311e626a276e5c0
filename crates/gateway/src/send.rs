//! Sending to a provider and hearing its first words. Knows nothing of plans and money.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ir::{Failure, Kind};
use tokio::time::Instant;
use tower_service::Service;

use crate::reach::{Outgoing, Reach};

/// The client for every provider: HTTP/1.1 with a pool of connections a host. (A pooled HTTP/2
/// client opens one connection a host, and the host's limit of streams becomes ours.)
pub type Client = hyper_util::client::legacy::Client<Connector, Full<Bytes>>;

/// After how long an idle connection is asked whether its other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long a connection may take where the request does not say: that of a model list, of a token.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// How long a connection may take that a request needs; the pool makes connections on its
    /// behalf and has no other way to be told.
    static CONNECT: Duration;
}

/// Makes connections, TLS included, each within its request's own clock.
#[derive(Debug, Clone)]
pub struct Connector(HttpsConnector<HttpConnector>);

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let most = CONNECT.try_with(|most| *most).unwrap_or(LONGEST_CONNECT);
        let connecting = self.0.call(uri);
        Box::pin(async move {
            let late = |_| format!("none within {} s", most.as_secs_f64());
            tokio::time::timeout(most, connecting).await.map_err(late)?
        })
    }
}

/// The certificates of this machine could not be used.
#[derive(Debug, thiserror::Error)]
#[error("set up TLS")]
pub struct TlsError(#[source] rustls::Error);

/// Makes the client: it trusts the machine's certificates and, where it has none, Mozilla's list.
pub fn client() -> Result<Client, TlsError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // A host behind a firewall that drops packets is told from one that is only quiet.
    tcp.set_keepalive(Some(KEEPALIVE));
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder =
        match HttpsConnectorBuilder::new().with_provider_and_native_roots(provider.clone()) {
            Ok(builder) => builder,
            Err(_) => HttpsConnectorBuilder::new()
                .with_provider_and_webpki_roots(provider)
                .map_err(TlsError)?,
        };
    let connector = builder.https_or_http().enable_http1().wrap_connector(tcp);
    Ok(hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(90))
        .build(Connector(connector)))
}

/// The clocks of sending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    /// How long a connection may take to come about, TLS included.
    pub(crate) connect: Duration,
    /// When the head of the answer must be there.
    pub(crate) until: Instant,
}

/// Sends a request to a provider and waits for the head of its answer.
pub(crate) async fn send(
    client: &Client,
    reach: &Reach,
    outgoing: Outgoing<'_>,
    clocks: Sending,
) -> Result<Response<Incoming>, Failure> {
    let exchange = async {
        let (response, token) = ask(client, reach, outgoing.clone(), clocks.connect).await?;
        // A token may be revoked before its time: nothing was done with it, and a new one will do.
        if !reach.heard(response.status(), token.as_ref()).await {
            return Ok(response);
        }
        let (response, token) = ask(client, reach, outgoing, clocks.connect).await?;
        reach.heard(response.status(), token.as_ref()).await;
        Ok(response)
    };
    match tokio::time::timeout_at(clocks.until, exchange).await {
        Ok(answered) => answered,
        Err(_) => Err(Failure::new(Kind::Timeout, "no answer began in the time the task allows")),
    }
}

/// Sends it, and returns the token it was sent with, where there was one.
async fn ask(
    client: &Client,
    reach: &Reach,
    outgoing: Outgoing<'_>,
    connect: Duration,
) -> Result<(Response<Incoming>, Option<HeaderValue>), Failure> {
    let request = reach.request(client, outgoing).await?;
    let token = reach.token_of(&request);
    let response = CONNECT.scope(connect, client.request(request)).await;
    Ok((response.map_err(|error| broken(&error))?, token))
}

/// Says why an exchange broke, without addresses that an operator would not want shown.
fn broken(error: &hyper_util::client::legacy::Error) -> Failure {
    let mut cause = error.source();
    let mut said = None;
    while let Some(error) = cause {
        said = Some(error.to_string());
        cause = error.source();
    }
    let said = said.unwrap_or_else(|| error.to_string());
    if error.is_connect() {
        Failure::new(Kind::Unreachable, format!("no connection came about: {said}"))
    } else {
        Failure::new(Kind::ProviderError, format!("the connection broke before an answer: {said}"))
    }
}
