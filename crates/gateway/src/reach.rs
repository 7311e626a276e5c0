//! How a provider is reached: its address, its fixed headers, and its credential, in whatever way
//! it wants to be authenticated. Nothing here prints a secret.

use std::sync::Arc;

use bytes::Bytes;
use catalog::{Auth, Credential, Provider};
use http_body_util::Full;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Builder;
use hyper::{HeaderMap, Method, Request, StatusCode, Uri};
use ir::Failure;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use crate::Client;
use crate::clock::now_ms;
use crate::google::Account;

/// The client's headers that a provider of its own dialect gets to see: versions and betas.
const FORWARDED: [&str; 3] = ["openai-beta", "anthropic-beta", "anthropic-version"];

/// What stays as it is in a step of a path or a value of a query (RFC 3986: unreserved, and the two
/// that models are named with).
const STEP: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b':');

/// The shortest secret that is looked for in a provider's words.
const SHORTEST: usize = 6;

/// How a provider is reached.
#[derive(Debug)]
pub struct Reach {
    /// What its credential is called.
    pub(crate) credential: String,
    /// How much of the provider's load goes to it.
    pub(crate) weight: u32,
    /// The address, without a slash at its end.
    base: String,
    /// The headers that go with every request, and whether the client's own go in their place.
    headers: Vec<(HeaderName, HeaderValue, bool)>,
    way: Way,
    /// What must never be quoted.
    secrets: Vec<SecretString>,
}

/// The ways to reach a provider.
#[derive(Debug)]
pub struct Reaches {
    /// One a credential, that of `auth` first.
    pub usable: Vec<Arc<Reach>>,
    /// The further credentials that cannot be used, and why.
    pub left_out: Vec<(String, BadReach)>,
}

/// How the credential goes along.
#[derive(Debug)]
enum Way {
    None,
    /// In a header, marked sensitive, so that nothing prints it.
    Header(HeaderName, HeaderValue),
    /// In the query.
    Query {
        name: String,
        value: SecretString,
    },
    /// As a signature (AWS Signature Version 4).
    Signature {
        region: String,
        service: String,
        key: SecretString,
        secret: SecretString,
        token: Option<SecretString>,
    },
    /// As a token that the account's key is exchanged for.
    Account(Arc<Account>),
}

/// Why a provider cannot be reached as configured; never quotes the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReach {
    /// The address is none.
    #[error("`{0}` is not an address")]
    Address(String),
    /// A header is none.
    #[error("`{0}` is not a header, or its value cannot stand in one")]
    Header(String),
    /// The secret holds bytes that cannot stand in a header, such as a line end.
    #[error("the secret holds characters that cannot stand in a header (a line end?)")]
    Secret,
    /// The key of a service account is not what Google hands out.
    #[error("the service account's key is not usable: {0}")]
    Account(String),
    /// A secret is not there.
    #[error("{0} is not set")]
    Unset(String),
}

/// A request to a provider.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// Its method.
    pub method: Method,
    /// The path below the provider's address; `{model}` stands for the model.
    pub path: &'a str,
    /// The model, where the path names it.
    pub model: &'a str,
    /// The body.
    pub body: Bytes,
    /// The headers of a client that speaks the provider's dialect.
    pub forward: Option<&'a HeaderMap>,
}

impl Reach {
    /// Prepares a provider whose variables are filled, for each of its credentials that can be used.
    /// The first stands for the credential of `auth`, which must be usable; of the others those that
    /// are not are returned with the reason.
    pub fn all(
        provider: &Provider,
        secret: &dyn Fn(&Auth, &str) -> Option<SecretString>,
    ) -> Result<Reaches, BadReach> {
        let first = Self::new(provider, catalog::FIRST, &provider.auth, provider.weight, secret)?;
        let (mut usable, mut left_out) = (vec![Arc::new(first)], Vec::new());
        for credential in &provider.credentials {
            let Credential { name, auth, weight } = credential;
            match Self::new(provider, name, auth, *weight, secret) {
                Ok(reach) => usable.push(Arc::new(reach)),
                Err(bad) => left_out.push((name.clone(), bad)),
            }
        }
        Ok(Reaches { usable, left_out })
    }

    fn new(
        provider: &Provider,
        credential: &str,
        auth: &Auth,
        weight: u32,
        secret: &dyn Fn(&Auth, &str) -> Option<SecretString>,
    ) -> Result<Self, BadReach> {
        let base = provider.base_url.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| BadReach::Address(base.clone()))?;
        if uri.authority().is_none() {
            return Err(BadReach::Address(base));
        }
        let mut headers = Vec::new();
        for header in &provider.headers {
            let bad = || BadReach::Header(header.name.clone());
            let name: HeaderName = header.name.parse().map_err(|_| bad())?;
            let value = HeaderValue::from_str(&header.value).map_err(|_| bad())?;
            headers.push((name, value, header.unless_sent));
        }
        let (mut secrets, mut escapes) = (Vec::new(), Vec::new());
        let mut fetch = |reference: &str| {
            let found =
                secret(auth, reference).ok_or_else(|| BadReach::Unset(reference.to_owned()))?;
            secrets.push(found.clone());
            Ok(found)
        };
        let way = match auth {
            Auth::None(_) => Way::None,
            Auth::Bearer(reference) => {
                let value = format!("Bearer {}", fetch(reference)?.expose_secret());
                Way::Header(AUTHORIZATION, sensitive(&value)?)
            }
            Auth::Header(named) => {
                let name = named.name.parse().map_err(|_| BadReach::Header(named.name.clone()))?;
                Way::Header(name, sensitive(fetch(&named.value)?.expose_secret())?)
            }
            Auth::Query(named) => {
                let value = fetch(&named.value)?;
                // Whoever quotes the address quotes it escaped.
                let escaped = utf8_percent_encode(value.expose_secret(), STEP).to_string();
                escapes.push(SecretString::from(escaped));
                Way::Query { name: named.name.clone(), value }
            }
            Auth::Sigv4(signing) => Way::Signature {
                region: signing.region.clone(),
                service: signing.service.clone(),
                key: fetch(&signing.key_id)?,
                secret: fetch(&signing.secret)?,
                token: signing.session_token.as_deref().and_then(|token| fetch(token).ok()),
            },
            Auth::GoogleServiceAccount(reference) => {
                let account = Account::read(fetch(reference)?.expose_secret());
                Way::Account(Arc::new(account.map_err(BadReach::Account)?))
            }
        };
        secrets.append(&mut escapes);
        let credential = credential.to_owned();
        Ok(Self { credential, weight, base, headers, way, secrets })
    }

    /// Makes a request; a token is fetched first where one is needed and none is at hand.
    pub async fn request(
        &self,
        client: &Client,
        outgoing: Outgoing<'_>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let uri = self.uri(outgoing.path, outgoing.model).map_err(Failure::from)?;
        let mut request = Request::builder()
            .method(outgoing.method.clone())
            .uri(&uri)
            .header(ACCEPT, "application/json, text/event-stream")
            // The answer is read on its way through, so it must not come compressed.
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, concat!("pointsman/", env!("CARGO_PKG_VERSION")));
        if !outgoing.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request = self.dress(request, outgoing.forward);
        match &self.way {
            Way::None | Way::Query { .. } => {}
            Way::Header(name, value) => request = request.header(name, value),
            Way::Signature { .. } => {
                for (name, value) in self.signature(&uri, &outgoing) {
                    request = request.header(name, sensitive(&value).map_err(Failure::from)?);
                }
            }
            Way::Account(account) => {
                let token = account.token(client).await?;
                let value = format!("Bearer {}", token.expose_secret());
                request = request.header(AUTHORIZATION, sensitive(&value).map_err(Failure::from)?);
            }
        }
        let request = request.body(Full::new(outgoing.body));
        request.map_err(|error| Failure::new(ir::Kind::Internal, error.to_string()))
    }

    fn dress(&self, mut request: Builder, forward: Option<&HeaderMap>) -> Builder {
        let sent = |name: &HeaderName| forward.and_then(|headers| headers.get(name));
        for (name, value, unless_sent) in &self.headers {
            match sent(name) {
                Some(own) if *unless_sent => request = request.header(name, own),
                _ => request = request.header(name, value),
            }
        }
        for name in FORWARDED {
            let name = HeaderName::from_static(name);
            let fixed = self.headers.iter().any(|(known, ..)| *known == name);
            let values = forward.iter().flat_map(|headers| headers.get_all(&name));
            for value in values.filter(|_| !fixed) {
                request = request.header(&name, value);
            }
        }
        request
    }

    fn signature(&self, uri: &Uri, outgoing: &Outgoing<'_>) -> Vec<(String, String)> {
        let Way::Signature { region, service, key, secret, token } = &self.way else {
            return Vec::new();
        };
        wire::sigv4::sign(&wire::sigv4::Signing {
            method: outgoing.method.as_str(),
            host: uri.authority().map_or("", |authority| authority.as_str()),
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &[],
            body_sha256: &wire::sigv4::sha256(&outgoing.body),
            region,
            service,
            key_id: key.expose_secret(),
            secret: secret.expose_secret(),
            session_token: token.as_ref().map(ExposeSecret::expose_secret),
            now_unix: u64::try_from(now_ms() / 1_000).unwrap_or(0),
        })
    }

    /// Returns the address of a path below the provider's own.
    pub fn uri(&self, path: &str, model: &str) -> Result<Uri, BadReach> {
        let model = utf8_percent_encode(model, STEP).to_string();
        let mut address = format!("{}{}", self.base, path.replace("{model}", &model));
        if let Way::Query { name, value } = &self.way {
            let mark = if address.contains('?') { '&' } else { '?' };
            let value = utf8_percent_encode(value.expose_secret(), STEP);
            address = format!("{address}{mark}{name}={value}");
        }
        address.parse().map_err(|_| BadReach::Address(format!("{}{path}", self.base)))
    }

    /// Returns the token that a request carries, where it carries one that may be refused before its
    /// time.
    pub(crate) fn token_of(&self, request: &Request<Full<Bytes>>) -> Option<HeaderValue> {
        let account = matches!(self.way, Way::Account(_));
        request.headers().get(AUTHORIZATION).filter(|_| account).cloned()
    }

    /// Hears the status of an answer to a request with a token: one that refuses it ends its use. Says
    /// whether the request is worth sending once more, with a new token.
    pub(crate) async fn heard(&self, status: StatusCode, sent: Option<&HeaderValue>) -> bool {
        let (Way::Account(account), StatusCode::UNAUTHORIZED, Some(sent)) =
            (&self.way, status, sent)
        else {
            return false;
        };
        account.forget(sent).await;
        true
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
        let tokens = match &self.way {
            Way::Account(account) => account.given(),
            _ => Vec::new(),
        };
        let secrets = self.secrets.iter().chain(&tokens).map(ExposeSecret::expose_secret);
        // Shorter ones are words of the language, or what somebody wrote for want of a secret.
        secrets.filter(|secret| secret.len() >= SHORTEST).fold(text.to_owned(), |text, secret| {
            let encoded = utf8_percent_encode(secret, STEP).to_string();
            text.replace(secret, "[credential]").replace(&encoded, "[credential]")
        })
    }

    /// Returns whether it authenticates as the other does.
    pub(crate) fn same_secrets(&self, other: &Self) -> bool {
        let exposed = |reach: &Self| -> Vec<String> {
            reach.secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect()
        };
        exposed(self) == exposed(other)
    }

    /// Returns the provider's address.
    pub fn base(&self) -> &str {
        &self.base
    }
}

impl From<BadReach> for Failure {
    fn from(bad: BadReach) -> Self {
        Self::new(ir::Kind::Unreachable, bad.to_string())
    }
}

fn sensitive(value: &str) -> Result<HeaderValue, BadReach> {
    let mut value = HeaderValue::from_str(value).map_err(|_| BadReach::Secret)?;
    value.set_sensitive(true);
    Ok(value)
}
