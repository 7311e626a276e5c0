//! One request of the demo: sent over HTTP like a client's, then looked up in its decision.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use catalog::Catalog;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use ir::{Money, Tokens, Usage};
use serde::Serialize;
use serde_json::{Value, json};

use super::script::Asked;

/// What became of a request.
#[derive(Debug, Serialize)]
pub(crate) struct Played {
    /// What the client asked for, as it named it.
    pub(crate) asked_for: String,
    /// The task.
    pub(crate) task: String,
    /// The model that answered.
    pub(crate) model: Option<String>,
    /// Why it went there.
    #[serde(rename = "reason")]
    pub(crate) why: String,
    /// The same in a few words.
    #[serde(skip)]
    pub(crate) short: String,
    /// The status the client got.
    pub(crate) status: u16,
    /// Whether it was streamed.
    pub(crate) stream: bool,
    /// The id of its decision.
    pub(crate) decision: Option<String>,
    cost_usd: Option<String>,
    baseline_cost_usd: Option<String>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(skip)]
    pub(crate) tokens: Option<(u64, u64)>,
    #[serde(skip)]
    pub(crate) cost: Option<Money>,
    #[serde(skip)]
    pub(crate) baseline_cost: Option<Money>,
}

impl Played {
    /// Returns the model that answered, without its provider.
    pub(crate) fn answered_by(&self) -> &str {
        let name = self.model.as_deref().unwrap_or("nobody");
        name.split_once('/').map_or(name, |(_, model)| model)
    }
}

/// Sends a request and follows it to its decision.
pub(crate) async fn play(
    gateway: SocketAddr,
    asked: &Asked,
    catalog: &Catalog,
    baseline: &str,
) -> anyhow::Result<Played> {
    let body = json!({
        "model": asked.model,
        "stream": asked.stream,
        "max_tokens": 48,
        "messages": [{"role": "user", "content": asked.prompt}],
    });
    let mut request = Request::post(format!("http://{gateway}/v1/chat/completions"))
        .header("content-type", "application/json");
    if let Some(task) = asked.header {
        request = request.header("x-pointsman-task", task);
    }
    let (status, decision, _) = exchange(request.body(Full::from(body.to_string()))?).await?;
    let decision =
        decision.with_context(|| format!("request for {} has no decision", asked.shown()))?;
    let look =
        Request::get(format!("http://{gateway}/api/decisions/{decision}")).body(Full::default())?;
    let (_, _, told) = exchange(look).await?;
    let told: Value = serde_json::from_slice(&told).context("read the decision")?;
    Ok(played(asked, status, decision, &told, catalog, baseline))
}

async fn exchange(request: Request<Full<Bytes>>) -> anyhow::Result<(u16, Option<String>, Bytes)> {
    let response = gateway::client()?.request(request).await.context("ask the gateway")?;
    let status = response.status().as_u16();
    let decision = response.headers().get("x-pointsman-decision");
    let decision = decision.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let body = response.into_body().collect().await.context("read the gateway's answer")?;
    Ok((status, decision, body.to_bytes()))
}

fn played(
    asked: &Asked,
    status: u16,
    decision: String,
    told: &Value,
    catalog: &Catalog,
    baseline: &str,
) -> Played {
    let attempts = told["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let answered = attempts.iter().find(|attempt| attempt["outcome"] == "answered");
    let count = |name: &str| answered?["used"][name].as_u64();
    let tokens = count("input").zip(count("output"));
    let cost = answered.and_then(|attempt| attempt["cost_usd"].as_str()?.parse::<Money>().ok());
    let used = tokens.map(|(input, output)| Usage {
        input: Tokens(input),
        output: Tokens(output),
        ..Usage::default()
    });
    let price = catalog.find(baseline, &|_| true).ok().and_then(|found| found.model.price.clone());
    let baseline_cost = used.zip(price).map(|(used, price)| price.cost(&used, 0));
    Played {
        asked_for: asked.shown(),
        task: told["task"].as_str().unwrap_or_default().to_owned(),
        model: told["answered_by"].as_str().map(str::to_owned),
        why: why(told, attempts),
        short: short(told, attempts),
        status,
        stream: asked.stream,
        decision: Some(decision),
        cost_usd: cost.map(|cost| cost.to_string()),
        baseline_cost_usd: baseline_cost.map(|cost| cost.to_string()),
        input_tokens: count("input"),
        output_tokens: count("output"),
        tokens,
        cost,
        baseline_cost,
    }
}

/// Says why a request went where it went, failed attempts included.
fn why(told: &Value, attempts: &[Value]) -> String {
    let mut why = told["reason"]["text"].as_str().unwrap_or_default().to_owned();
    for attempt in attempts.iter().filter(|attempt| attempt["outcome"] == "failed") {
        let target = attempt["target"].as_str().unwrap_or_default();
        let code = attempt["failure"]["code"].as_str().unwrap_or_default();
        why.push_str(&format!("; {target} failed ({code}), so its fallback"));
    }
    why
}

/// Says it in a few words, for a narrow table.
fn short(told: &Value, attempts: &[Value]) -> String {
    let failed = attempts.iter().find(|attempt| attempt["outcome"] == "failed");
    if let Some(failed) = failed {
        let code = failed["failure"]["code"].as_str().unwrap_or_default();
        return format!("fallback: {code}");
    }
    let short = match told["reason"]["code"].as_str().unwrap_or_default() {
        "task_in_table" => "primary of its task",
        "unknown_task" => "unknown task: default",
        "no_task" => "no task: default",
        "task_not_reachable" => "not configured: default",
        other => other,
    };
    short.to_owned()
}
