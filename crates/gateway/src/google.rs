//! Tokens for a Google service account: its key signs a claim, and the claim is exchanged for a
//! token that holds for an hour (RFC 7523; Google's "OAuth 2.0 for server to server applications").

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, StatusCode};
use ir::{Failure, Kind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::Client;
use crate::clock::now_ms;
use crate::record::word;

/// Everything a model may be asked with.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);

/// How long the exchange may take.
const EXCHANGE: Duration = Duration::from_secs(10);

/// How many tokens are known to be secret: requests under way may hold one that was replaced.
const REMEMBERED: usize = 4;

/// A service account.
#[derive(Debug)]
pub(crate) struct Account {
    email: String,
    key_id: String,
    token_uri: String,
    key: RsaKeyPair,
    held: Mutex<Option<(SecretString, Instant)>>,
    /// The newest tokens, newest last.
    given: std::sync::Mutex<VecDeque<SecretString>>,
}

/// The key as Google hands it out.
#[derive(Deserialize)]
struct Key {
    client_email: String,
    #[serde(default)]
    private_key_id: String,
    private_key: String,
    #[serde(default = "token_uri")]
    token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

/// What the token's server says when it refuses (RFC 6749, 5.2).
#[derive(Deserialize)]
struct Refused {
    error: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Account {
    /// Reads an account's key; errors never quote it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let key: Key = serde_json::from_str(text)
            .map_err(|_| "it is no JSON with client_email and private_key".to_owned())?;
        let pem: String =
            key.private_key.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(pem).map_err(|_| "private_key is no PEM".to_owned())?;
        let pair = RsaKeyPair::from_pkcs8(&der)
            .map_err(|_| "private_key is no RSA key in PKCS #8".to_owned())?;
        Ok(Self {
            email: key.client_email,
            key_id: key.private_key_id,
            token_uri: key.token_uri,
            key: pair,
            held: Mutex::new(None),
            given: std::sync::Mutex::default(),
        })
    }

    /// Returns a token, fetching one where none is at hand; whoever comes meanwhile waits for it.
    pub(crate) async fn token(&self, client: &Client) -> Result<SecretString, Failure> {
        let mut held = self.held.lock().await;
        if let Some((token, until)) = &*held
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let granted = tokio::time::timeout(EXCHANGE, self.exchange(client)).await;
        let late = |_| Failure::new(Kind::Timeout, "the account's token was not given in time");
        let granted = granted.map_err(late)??;
        let token = SecretString::from(granted.access_token);
        self.remember(&token);
        let lasts = Duration::from_secs(granted.expires_in).saturating_sub(MARGIN);
        *held = Some((token.clone(), Instant::now() + lasts));
        Ok(token)
    }

    /// Forgets the token that a request was sent with: the provider refused it before its time, as
    /// when it was revoked or this machine slept. One that was fetched since is another.
    pub(crate) async fn forget(&self, sent: &HeaderValue) {
        let mut held = self.held.lock().await;
        let same = |(token, _): &mut (SecretString, Instant)| {
            sent.as_bytes().strip_prefix(b"Bearer ") == Some(token.expose_secret().as_bytes())
        };
        held.take_if(same);
    }

    fn remember(&self, token: &SecretString) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() == REMEMBERED {
            given.pop_front();
        }
        given.push_back(token.clone());
    }

    /// Returns the tokens that requests under way may hold.
    pub(crate) fn given(&self) -> Vec<SecretString> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    async fn exchange(&self, client: &Client) -> Result<Granted, Failure> {
        let assertion = self.claim(now_ms() / 1_000).map_err(|why| refused(&why))?;
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
        );
        let request = Request::post(&self.token_uri)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .map_err(|_| refused("its token_uri is no address"))?;
        let response = client.request(request).await;
        let response = response.map_err(|_| unreachable("it is not reached"))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), 1 << 20).collect().await;
        let body = body.map_err(|_| unreachable("its answer broke off"))?.to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|bad| match bad.classify() {
                Category::Data => refused("the token's answer holds no token"),
                _ => unreachable("its answer is no JSON"),
            });
        }
        // Only what the server says of the account itself is the account's fault.
        let said = serde_json::from_slice::<Refused>(&body);
        Err(match (status, said) {
            (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED, Ok(said)) => {
                refused(&format!("the token's server answered {status}: {}", word(&said.error)))
            }
            _ => unreachable(&format!("it answered {status}")),
        })
    }

    /// Signs the claim that is exchanged (RFC 7515, RS256).
    fn claim(&self, now: i64) -> Result<String, String> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let claim = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": now,
            "exp": now + 3_600,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claim));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "its key does not sign".to_owned())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn refused(why: &str) -> Failure {
    Failure::new(Kind::Credential, format!("the service account gave no token: {why}"))
}

fn unreachable(why: &str) -> Failure {
    Failure::new(Kind::Unreachable, format!("the server of the account's tokens: {why}"))
}
