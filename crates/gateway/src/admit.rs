//! The first step: who asks. Keys are compared in constant time and never printed.

use hyper::HeaderMap;
use ir::{Failure, Kind};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::World;

/// Where clients of the different dialects put their key.
const HEADERS: [&str; 3] = ["x-api-key", "x-goog-api-key", "api-key"];

/// Proof that the caller may call: the name of its key, when keys are required.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) key: Option<String>,
}

/// Admits a caller by its key.
pub(crate) fn admit(world: &World, headers: &HeaderMap) -> Result<Admitted, Failure> {
    if world.keys.is_empty() {
        return Ok(Admitted { key: None });
    }
    let Some(sent) = key_of(headers) else {
        return Err(Failure::new(Kind::Unauthenticated, "no key came with the request"));
    };
    // Every key is compared, whichever matches: time says nothing about them.
    let mut found = None;
    for key in &world.keys {
        if bool::from(key.secret.expose_secret().as_bytes().ct_eq(sent.as_bytes())) {
            found = Some(key.name.clone());
        }
    }
    match found {
        Some(name) => Ok(Admitted { key: Some(name) }),
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
