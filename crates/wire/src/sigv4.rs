//! Signature Version 4, by which Amazon knows who sends a request.
//!
//! A pure function of the request and the time. What is signed here must be what is sent: the same
//! path, the same query, the same headers, the same body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A request to be signed, and by whom.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The host, with its port where that is not the usual one.
    pub host: &'a str,
    /// The path as it is sent, percent-encoded.
    pub path: &'a str,
    /// The query as it is sent, without `?`; empty for none.
    pub query: &'a str,
    /// Further headers to be signed.
    pub headers: &'a [(&'a str, &'a str)],
    /// The SHA-256 of the body in hexadecimal, as [`sha256`] says it.
    pub body_sha256: &'a str,
    /// The region, such as `us-east-1`.
    pub region: &'a str,
    /// The service, such as `bedrock`.
    pub service: &'a str,
    /// The id of the access key.
    pub key_id: &'a str,
    /// The secret access key.
    pub secret: &'a str,
    /// The token of a session, where the key is a passing one.
    pub session_token: Option<&'a str>,
    /// The time, in seconds since 1970.
    pub now_unix: u64,
}

/// Returns the headers that are to be added to the request, in lower case.
pub fn sign(signing: &Signing<'_>) -> Vec<(String, String)> {
    let time = timestamp(signing.now_unix);
    let day = &time[..8];
    let mut added = vec![("x-amz-date".to_owned(), time.clone())];
    added.extend(
        signing.session_token.map(|token| ("x-amz-security-token".to_owned(), token.to_owned())),
    );
    let (headers, names) = headers(signing, &added);
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        signing.method,
        encoded(&normal(signing.path)),
        sorted(signing.query),
        signing.body_sha256,
    );
    let scope = format!("{day}/{}/{}/aws4_request", signing.region, signing.service);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let first = format!("AWS4{}", signing.secret).into_bytes();
    let steps = [day, signing.region, signing.service, "aws4_request"];
    let key = steps.into_iter().fold(first, |key, step| keyed(&key, step));
    let signature = hexadecimal(&keyed(&key, &text));
    let credential = format!("{}/{scope}", signing.key_id);
    added.push((
        "authorization".to_owned(),
        format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        ),
    ));
    added
}

/// Returns the SHA-256 of a body in hexadecimal.
pub fn sha256(body: &[u8]) -> String {
    hexadecimal(&Sha256::digest(body))
}

/// Spells the headers in the order of their names, a line each, and then the names alone.
fn headers(signing: &Signing<'_>, added: &[(String, String)]) -> (String, String) {
    let given = signing.headers.iter().copied();
    let added = added.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all = std::iter::once(("host", signing.host)).chain(given).chain(added);
    let spelled = |(name, value): (&str, &str)| {
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        (name.to_ascii_lowercase(), value)
    };
    let mut all: Vec<_> = all.map(spelled).collect();
    all.sort();
    let lines = all.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    (lines, names.join(";"))
}

/// Takes `.`, `..` and empty steps out of a path.
fn normal(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    let end = if path.ends_with('/') && !steps.is_empty() { "/" } else { "" };
    format!("/{}{end}", steps.join("/"))
}

/// Sorts the pairs of a query, which is encoded already.
fn sorted(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all of a path but unreserved bytes and `/`; what is encoded already is encoded again, as
/// every service but S3 wants it.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).expect("invariant: a key of this kind has any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Spells a time as `20150830T123600Z`. The days are counted by eras of 400 years that begin in
/// March, so that the leap day is the last of its year.
fn timestamp(unix: u64) -> String {
    let (days, seconds) = (unix / 86_400 + 719_468, unix % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let year = year + era * 400;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{date:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
#[path = "sigv4/tests.rs"]
mod tests;
