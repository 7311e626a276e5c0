//! Tokens for a Google service account: its key signs a claim, and the claim is exchanged for a
//! token that holds for an hour (RFC 7523; Google's "OAuth 2.0 for server to server applications").

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use ir::{Failure, Kind};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::Client;
use crate::clock::now_ms;

/// Everything a model may be asked with.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);

/// How long the exchange may take.
const EXCHANGE: Duration = Duration::from_secs(10);

/// A service account.
#[derive(Debug)]
pub(crate) struct Account {
    email: String,
    key_id: String,
    token_uri: String,
    key: RsaKeyPair,
    held: Mutex<Option<(SecretString, Instant)>>,
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
        let granted = granted.map_err(|_| refused("the token was not given in time"))??;
        let token = SecretString::from(granted.access_token);
        let lasts = Duration::from_secs(granted.expires_in).saturating_sub(MARGIN);
        *held = Some((token.clone(), Instant::now() + lasts));
        Ok(token)
    }

    /// Forgets the token: a provider refused it before its time, as when it was revoked or this
    /// machine slept.
    pub(crate) async fn forget(&self) {
        *self.held.lock().await = None;
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
        let unreachable = |_| Failure::new(Kind::Unreachable, "the token's server is not reached");
        let response = client.request(request).await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(refused(&format!("the token's server answered {status}")));
        }
        let body = Limited::new(response.into_body(), 1 << 20).collect().await;
        let body = body.map_err(|_| refused("the token's answer broke off"))?.to_bytes();
        serde_json::from_slice(&body).map_err(|_| refused("the token's answer holds no token"))
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
