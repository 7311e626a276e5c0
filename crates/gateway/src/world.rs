//! What a request is served with: catalogue, table, credentials, keys and limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::Catalog;
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use ir::Failure;
use router::Table;
use secrecy::{ExposeSecret, SecretString};

/// Everything a request is served with.
#[derive(Debug)]
pub struct World {
    /// Providers, models, prices.
    pub catalog: Catalog,
    /// The routing table.
    pub table: Table,
    /// The providers that can be reached, by id.
    pub reach: BTreeMap<String, Arc<Reach>>,
    /// The keys that may call; empty means that nobody is asked for one.
    pub keys: Vec<Key>,
    /// The largest body taken, in bytes.
    pub body_limit: usize,
    /// A word every answer carries, such as `DEMO`.
    pub badge: Option<String>,
}

impl World {
    /// Returns whether a provider can be reached.
    pub fn reaches(&self, provider: &str) -> bool {
        self.reach.contains_key(provider)
    }
}

/// A key that may call.
#[derive(Debug)]
pub struct Key {
    /// Its name, for the ledger.
    pub name: String,
    /// The secret.
    pub secret: SecretString,
}

/// How a provider is reached: its address and the header that authenticates there.
#[derive(Debug)]
pub struct Reach {
    /// The address, without a slash at its end.
    base: String,
    /// The header; marked sensitive, so that nothing prints it.
    auth: Option<(HeaderName, HeaderValue)>,
}

/// Why a provider cannot be reached as configured; never quotes the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReach {
    /// The address is none.
    #[error("`{0}` is not an address")]
    Address(String),
    /// The header's name is none.
    #[error("`{0}` is not a header's name")]
    Header(String),
    /// The secret holds bytes that cannot stand in a header, such as a line end.
    #[error("the secret holds characters that cannot stand in a header (a line end?)")]
    Secret,
}

impl Reach {
    /// Prepares a provider with the secret of its record, where it has one.
    pub fn new(
        base: &str,
        auth: &catalog::Auth,
        secret: Option<&SecretString>,
    ) -> Result<Self, BadReach> {
        let base = base.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| BadReach::Address(base.to_owned()))?;
        if uri.authority().is_none() {
            return Err(BadReach::Address(base.to_owned()));
        }
        let sensitive = |value: String| {
            let mut value = HeaderValue::from_str(&value).map_err(|_| BadReach::Secret)?;
            value.set_sensitive(true);
            Ok(value)
        };
        let auth = match (auth, secret) {
            (catalog::Auth::Bearer(_), Some(secret)) => {
                let value = sensitive(format!("Bearer {}", secret.expose_secret()))?;
                Some((hyper::header::AUTHORIZATION, value))
            }
            (catalog::Auth::Header { name, .. }, Some(secret)) => {
                let header = name.parse().map_err(|_| BadReach::Header(name.clone()))?;
                Some((header, sensitive(secret.expose_secret().to_owned())?))
            }
            (_, None) | (catalog::Auth::None(_), _) => None,
        };
        Ok(Self { base: base.to_owned(), auth })
    }

    /// Returns the address of a path below the provider's own.
    pub fn uri(&self, path: &str) -> Result<Uri, BadReach> {
        let address = format!("{}{path}", self.base);
        address.parse().map_err(|_| BadReach::Address(address))
    }

    /// Returns the header that authenticates.
    pub fn auth(&self) -> Option<&(HeaderName, HeaderValue)> {
        self.auth.as_ref()
    }

    /// Takes the credential out of a failure, should the provider quote it.
    pub(crate) fn scrubbed(&self, failure: Failure) -> Failure {
        Failure {
            message: self.scrub(&failure.message),
            param: failure.param.map(|param| self.scrub(&param)),
            provider_code: failure.provider_code.map(|code| self.scrub(&code)),
            ..failure
        }
    }

    fn scrub(&self, text: &str) -> String {
        let secret = self.auth.as_ref().and_then(|(_, value)| value.to_str().ok());
        let secret = secret.map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        match secret.filter(|secret| !secret.is_empty()) {
            Some(secret) => text.replace(secret, "[credential]"),
            None => text.to_owned(),
        }
    }

    /// Returns the provider's address.
    pub fn base(&self) -> &str {
        &self.base
    }
}
