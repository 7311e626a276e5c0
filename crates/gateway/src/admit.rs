//! The first step: who asks. Keys are compared in constant time and never printed.

use hyper::http::request::Parts;
use hyper::{HeaderMap, Uri};
use ir::{Failure, Kind};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::World;
use crate::route::decoded;
use crate::world::OnLoss;

/// Where clients of the different dialects put their key.
const HEADERS: [&str; 3] = ["x-api-key", "x-goog-api-key", "api-key"];

/// Proof that the caller may call: the name of its key, when keys are required.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) key: Option<String>,
    /// What is done with requests that cannot be said whole.
    pub(crate) on_loss: OnLoss,
}

/// Admits a caller by its key.
pub(crate) fn admit(world: &World, parts: &Parts) -> Result<Admitted, Failure> {
    if world.keys.is_empty() {
        return Ok(Admitted { key: None, on_loss: OnLoss::Tell });
    }
    let Some(sent) = key_of(&parts.headers).map(str::to_owned).or_else(|| key_in(&parts.uri))
    else {
        return Err(Failure::new(Kind::Unauthenticated, "no key came with the request"));
    };
    // Every key is compared, whichever matches: time says nothing about them.
    let mut found = None;
    for key in &world.keys {
        if bool::from(key.secret.expose_secret().as_bytes().ct_eq(sent.as_bytes())) {
            found = Some((key.name.clone(), key.on_loss));
        }
    }
    match found {
        Some((name, on_loss)) => Ok(Admitted { key: Some(name), on_loss }),
        None => Err(Failure::new(Kind::Unauthenticated, "this gateway does not know the key")),
    }
}

fn key_of(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let bearer = text("authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    bearer.or_else(|| HEADERS.into_iter().find_map(text)).filter(|key| !key.is_empty())
}

/// Google's clients of old put the key into the query.
fn key_in(uri: &Uri) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let key = pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == "key");
    key.map(|(_, key)| decoded(key)).filter(|key| !key.is_empty())
}
