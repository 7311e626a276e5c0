//! Asking providers for their models: local servers at start, every provider by `doctor --live`.

use std::sync::Arc;
use std::time::Duration;

use catalog::Provider;
use gateway::{Client, Outgoing, Reach};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

/// How long a local server may take to answer; one that is there answers in a few milliseconds.
const LOCAL: Duration = Duration::from_millis(800);

/// How long a host with a key may take: `serve` waits for it at its start.
const REMOTE: Duration = Duration::from_secs(3);

/// The largest list read.
const LIST: usize = 8 << 20;

/// Asks several providers at once; `None` where one does not answer with a list.
pub(crate) async fn models(
    client: &Client,
    asked: &[(Arc<Provider>, Vec<Arc<Reach>>)],
) -> Vec<Option<Vec<String>>> {
    let mut answers = Vec::with_capacity(asked.len());
    let mut tasks = tokio::task::JoinSet::new();
    for (at, (provider, reach)) in asked.iter().enumerate() {
        answers.push(None);
        let Some(reach) = reach.first() else { continue };
        let request = request(client, provider, reach).await;
        let client = client.clone();
        let patience = if provider.auth.secrets().is_empty() { LOCAL } else { REMOTE };
        tasks.spawn(async move {
            let request = request?;
            let list = tokio::time::timeout(patience, list(&client, request)).await;
            Some((at, list.ok()?.ok()?))
        });
    }
    while let Some(done) = tasks.join_next().await {
        if let Ok(Some((at, ids))) = done {
            answers[at] = Some(ids);
        }
    }
    answers
}

/// Makes the request that lists a provider's models, where it has one.
pub(crate) async fn request(
    client: &Client,
    provider: &Provider,
    reach: &Reach,
) -> Option<hyper::Request<http_body_util::Full<bytes::Bytes>>> {
    let path = provider.models_path.as_deref()?;
    let (method, body) = (hyper::Method::GET, bytes::Bytes::new());
    let outgoing = Outgoing { method, path, model: "", body, forward: None };
    reach.request(client, outgoing).await.ok()
}

/// Lists the ids a provider names.
pub(crate) async fn list(
    client: &Client,
    request: hyper::Request<http_body_util::Full<bytes::Bytes>>,
) -> anyhow::Result<Vec<String>> {
    let response = client.request(request).await?;
    let status = response.status();
    anyhow::ensure!(status.is_success(), "it answered {status}");
    let body = Limited::new(response.into_body(), LIST).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("its list broke off: {error}"))?.to_bytes();
    let list: Value =
        serde_json::from_slice(&body).map_err(|_| anyhow::anyhow!("its list is no JSON"))?;
    // OpenAI and Anthropic; Google, Cohere and Ollama; Amazon; a bare list.
    let lists = ["data", "models", "modelSummaries"];
    let entries = lists.into_iter().find_map(|name| list.get(name)).or(Some(&list));
    let entries = entries.and_then(Value::as_array);
    let entries = entries.ok_or_else(|| anyhow::anyhow!("its answer is no list of models"))?;
    let id = |entry: &Value| {
        let names = ["id", "name", "modelId"];
        let name = names.into_iter().find_map(|name| entry.get(name)?.as_str())?;
        // Google's ids come with the folder they live in.
        Some(name.strip_prefix("models/").unwrap_or(name).to_owned())
    };
    Ok(entries.iter().filter_map(id).collect())
}
