//! Where a suite is sent: the addresses of a gateway, and how it wants its models named. Templates
//! hold `{model}`, `{provider}`, `{base}` (the model's provider) and `{wall}` (the healthy one).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::client::Asking;
use super::row::{Client, Route, Row};
use super::wall::Address;

/// A gateway that has been configured for the wall.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What it is called in reports.
    pub(crate) name: String,
    /// The base URL of OpenAI's clients, with its version.
    pub(crate) openai: String,
    /// The base URL of Anthropic's clients, without one; those rows are left out where it is not
    /// known.
    pub(crate) anthropic: Option<String>,
    /// The key that its callers show.
    pub(crate) key: String,
    /// How a model with a fallback is named, and one without.
    pub(crate) names: [String; 2],
    /// Headers beside the usual ones.
    pub(crate) headers: Headers,
}

/// Headers by client, route and name, as templates: `{"openai": {"fallback": {"x-name": "…"}}}`.
pub(crate) type Headers = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

/// Reads a file of headers.
pub(crate) fn read_headers(file: &Path) -> anyhow::Result<Headers> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("read the headers in {}", file.display()))
}

/// Reads headers as they are written in arguments, `name: value`, for every row.
pub(crate) fn headers(written: &[String]) -> anyhow::Result<Headers> {
    let mut headers = Headers::new();
    for line in written {
        let (name, value) = line.split_once(':').context("a header is written `name: value`")?;
        for client in [Client::Openai, Client::Anthropic] {
            for route in [Route::Fallback, Route::Alone] {
                let of_client = headers.entry(client.name().to_owned()).or_default();
                let of_route = of_client.entry(route.name().to_owned()).or_default();
                of_route.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
    Ok(headers)
}

impl Target {
    /// Says whether a row can be asked of it.
    pub(crate) fn takes(&self, row: &Row) -> bool {
        row.client == Client::Openai || self.anthropic.is_some()
    }

    /// Returns the request of a row.
    pub(crate) fn asking(&self, row: &Row, address: Address, marker: &str) -> Asking {
        let fill = |template: &str| fill(template, row, address);
        let [with, alone] = &self.names;
        let name = fill(if row.route == Route::Fallback { with } else { alone });
        let of_client = self.headers.get(row.client.name());
        let more = of_client.and_then(|routes| routes.get(row.route.name()));
        let more = more.into_iter().flatten().map(|(name, value)| (name.clone(), fill(value)));
        let (url, usual) = match row.client {
            Client::Openai => {
                let bearer = format!("Bearer {}", self.key);
                let url = format!("{}/chat/completions", self.openai.trim_end_matches('/'));
                (url, vec![("authorization".to_owned(), bearer)])
            }
            Client::Anthropic => {
                let base = self.anthropic.as_deref().unwrap_or_default().trim_end_matches('/');
                let version = ("anthropic-version".to_owned(), "2023-06-01".to_owned());
                let key = ("x-api-key".to_owned(), self.key.clone());
                (format!("{base}/v1/messages"), vec![key, version])
            }
        };
        let headers = usual.into_iter().chain(more).collect();
        Asking { url, headers, body: row.body(&name, marker) }
    }
}

fn fill(template: &str, row: &Row, address: Address) -> String {
    template
        .replace("{model}", &row.model())
        .replace("{provider}", row.scenario.name)
        .replace("{base}", &format!("{}/v1", address.root_of(row.scenario.reached)))
        .replace("{wall}", &format!("{}/v1", address.root()))
}
