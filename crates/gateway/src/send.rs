//! Sending to a provider and hearing its first words. Knows nothing of plans and money.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ir::{Failure, Kind};
use tokio::time::Instant;

use crate::reach::{Outgoing, Reach};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The client for every provider: HTTP/1.1 with a pool of connections a host. (A pooled HTTP/2
/// client opens one connection a host, and the host's limit of streams becomes ours.)
pub type Client = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The certificates of this machine could not be used.
#[derive(Debug, thiserror::Error)]
#[error("set up TLS")]
pub struct TlsError(#[source] rustls::Error);

/// Makes the client: it trusts the machine's certificates and, where it has none, Mozilla's list.
pub fn client() -> Result<Client, TlsError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
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
        .build(connector))
}

/// Sends a request to a provider and waits for the head of its answer.
pub(crate) async fn send(
    client: &Client,
    reach: &Reach,
    outgoing: Outgoing<'_>,
    deadline: Instant,
) -> Result<Response<Incoming>, Failure> {
    let exchange = async {
        let request = reach.request(client, outgoing).await?;
        let response = client.request(request).await.map_err(|error| broken(&error))?;
        reach.heard(response.status()).await;
        Ok(response)
    };
    match tokio::time::timeout_at(deadline, exchange).await {
        Ok(answered) => answered,
        Err(_) => Err(Failure::new(Kind::Timeout, "no answer began in the time the task allows")),
    }
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
