//! Real error answers, recorded and reported, read as what they are; the law that every row of the
//! table of failures is met by one of them or names the page it comes from.

mod envelopes;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use ir::{Dialect, Failure, Fault, Kind, Next};
use testkit::corpus::{self, ErrorCase};
use wire::failures::{self, Proof, Rule};

use crate::laws::origin_of;

/// What the corpus calls an error, the kind that is right for it, and what follows from the kind
/// for the client: status, fault, what happens next, whether waiting helps.
const RIGHT: [(&str, Kind, u16, Fault, Next, Waits); 12] = [
    ("invalid_request", Kind::InvalidRequest, 400, Fault::Client, Next::Stop, Waits::No),
    ("unsupported_parameter", Kind::Unsupported, 400, Fault::Client, Next::Elsewhere, Waits::No),
    (
        "context_length_exceeded",
        Kind::ContextLengthExceeded,
        400,
        Fault::Client,
        Next::Elsewhere,
        Waits::No,
    ),
    ("content_filter", Kind::ContentPolicy, 400, Fault::Policy, Next::Stop, Waits::No),
    ("authentication", Kind::Credential, 502, Fault::Policy, Next::Elsewhere, Waits::No),
    ("permission", Kind::Permission, 502, Fault::Policy, Next::Elsewhere, Waits::No),
    ("model_not_found", Kind::ModelUnavailable, 502, Fault::Policy, Next::Elsewhere, Waits::No),
    ("insufficient_quota", Kind::Credit, 402, Fault::Policy, Next::Elsewhere, Waits::No),
    ("rate_limit", Kind::RateLimited, 429, Fault::Provider, Next::Here, Waits::Yes),
    ("overloaded", Kind::Overloaded, 503, Fault::Provider, Next::Here, Waits::Yes),
    ("server_error", Kind::ProviderError, 502, Fault::Provider, Next::Here, Waits::Yes),
    ("tool_call_invalid", Kind::InvalidOutput, 502, Fault::Provider, Next::Here, Waits::No),
];

/// Whether asking again later may help.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Waits {
    Yes,
    No,
}

/// Where the corpus' own class is not what the body says: provider, class, words of the body, what
/// is right, and why.
const CORRECTED: [(&str, &str, &str, &str); 7] = [
    // The stream says rate_limit_exceeded, tokens per minute.
    ("openai", "other", "rate_limit_exceeded", "rate_limit"),
    // "The system encountered an unexpected error during processing. Try your request again."
    ("bedrock", "other", "", "server_error"),
    // The model used up its max_tokens, as in OpenAI's "max_tokens or model output limit".
    ("openrouter", "other", "Token limit reached", "invalid_request"),
    // The metric is per minute and the body says to retry in 48 seconds: a throttle.
    ("gemini", "insufficient_quota", "PerMinute", "rate_limit"),
    // The country is refused, not a parameter: the account must not do this from there.
    ("vertex", "unsupported_parameter", "User location is not supported", "permission"),
    // A stored prompt that is gone; the model is there.
    ("vertex", "model_not_found", "cache content metadata", "invalid_request"),
    // A member of the body is missing.
    ("bedrock", "model_not_found", "required key [toolUse] not found", "invalid_request"),
];

/// The corpus names hosts after the service; the catalogue has its own ids.
fn family(provider: &str) -> &str {
    match provider {
        "gemini" => "google",
        "azure-ai" | "azure-openai" => "azure",
        other => other,
    }
}

fn class(case: &ErrorCase) -> &str {
    let corrected = CORRECTED.iter().find(|(provider, class, says, _)| {
        *provider == case.provider && *class == case.class && case.body.contains(says)
    });
    corrected.map_or(&case.class, |(_, _, _, class)| class)
}

fn header(case: &ErrorCase) -> impl Fn(&str) -> Option<String> {
    let headers = case.headers.clone();
    move |name| {
        let found = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    }
}

/// Returns the bytes that are the error: the body, or the frame of a stream that holds it.
fn error_of(case: &ErrorCase) -> Vec<u8> {
    let body = case.body_bytes().unwrap();
    if case.encoding.as_deref() == Some("base64") {
        return exception(&body);
    }
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let says = |data: &&str| {
        let value: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
        [value.get("error"), value.pointer("/response/error")]
            .into_iter()
            .flatten()
            .any(|error| !error.is_null())
    };
    data.rfind(says).map_or_else(|| text.clone().into_bytes(), |data| data.into())
}

/// Finds the exception in a binary event stream, under the name that stands in its headers: a
/// reader of the tests' own, which looks for the one frame and nothing else.
fn exception(stream: &[u8]) -> Vec<u8> {
    let mut rest = stream;
    while let Some(prelude) = rest.first_chunk::<12>() {
        let number = |at: usize| {
            u32::from_be_bytes([prelude[at], prelude[at + 1], prelude[at + 2], prelude[at + 3]])
                as usize
        };
        let (total, headers) = (number(0), number(4));
        let Some(frame) = rest.get(..total) else {
            // The corpus keeps the end of a stream, which may begin amid a frame.
            rest = &rest[1..];
            continue;
        };
        let head = &frame[12..12 + headers];
        let name = b":exception-type\x07";
        if let Some(at) = head.windows(name.len()).position(|window| window == name) {
            let at = at + name.len();
            let length = usize::from(head[at]) << 8 | usize::from(head[at + 1]);
            let name = String::from_utf8_lossy(&head[at + 2..at + 2 + length]).into_owned();
            let payload = String::from_utf8_lossy(&frame[12 + headers..total - 4]).into_owned();
            return format!("{{\"{name}\":{payload}}}").into_bytes();
        }
        rest = &rest[total.max(16)..];
    }
    panic!("no exception in the stream");
}

fn read(case: &ErrorCase) -> Failure {
    let family = family(&case.provider);
    if case.status == 200 {
        return failures::inside(family, 200, &error_of(case));
    }
    let origin = origin_of(Dialect::OpenaiChat, family);
    wire::read_failure(&origin, case.status, &header(case), &case.body_bytes().unwrap())
}

fn deciding(case: &ErrorCase) -> Option<&'static Rule> {
    failures::deciding(family(&case.provider), case.status, &header(case), &error_of(case))
}

#[test]
fn every_real_error_is_read_as_what_it_is() {
    if corpus::require("reading real errors").is_none() {
        return;
    }
    let (mut passed, mut left_out, mut wrong) = (0, Vec::new(), Vec::new());
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let cases = corpus::errors();
    for case in &cases {
        let failure = read(case);
        let (provider, status) = (&case.provider, case.status);
        let class = class(case);
        let Some(right) = RIGHT.iter().find(|(right, ..)| *right == class) else {
            left_out.push(format!("{provider} {status}: no kind is stated for {class}"));
            continue;
        };
        *classes.entry(class).or_default() += 1;
        let (_, kind, client, fault, next, waits) = right;
        let told = (failure.kind, failure.kind.status(), failure.kind.fault(), failure.kind.next());
        let advised = *waits == Waits::Yes || failure.retry_after.is_none();
        if told == (*kind, *client, *fault, *next) && advised && !failure.message.is_empty() {
            passed += 1;
        } else {
            let code = failure.kind.code();
            wrong.push(format!("{provider} {status} {class} read as {code}: {}", failure.message));
        }
    }
    println!(
        "{} real errors, {passed} read as what they are, left out: {left_out:#?}",
        cases.len()
    );
    println!("{classes:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(left_out.len() * 100 < cases.len() && passed >= 150, "{passed} passed");
}

#[test]
fn every_correction_is_needed() {
    if corpus::require("correcting classes").is_none() {
        return;
    }
    let cases = corpus::errors();
    for (provider, class, says, _) in CORRECTED {
        let met = cases.iter().any(|case| {
            case.provider == provider && case.class == class && case.body.contains(says)
        });
        assert!(met, "{provider} {class} {says}");
    }
}

/// A row is met by a body, with each of its words, or it names the page it comes from.
#[test]
fn every_row_of_the_table_is_met_or_names_its_page() {
    if corpus::require("meeting the rows of the table").is_none() {
        return;
    }
    let mut met: BTreeSet<(usize, &str)> = BTreeSet::new();
    for case in corpus::errors() {
        let Some(row) = deciding(&case) else { continue };
        let at = failures::table().iter().position(|other| std::ptr::eq(other, row)).unwrap();
        let error = String::from_utf8_lossy(&error_of(&case)).to_lowercase();
        let kind = header(&case)("x-amzn-errortype").unwrap_or_default().to_lowercase();
        let said = |says: &&&str| error.contains(**says) || kind.contains(**says);
        met.extend(row.says.iter().filter(said).map(|says| (at, *says)));
    }
    let mut unmet = Vec::new();
    for (at, row) in failures::table().iter().enumerate() {
        match row.proof {
            Proof::Page(page) => {
                assert!(page.starts_with("https://"), "{row:?}");
                println!("not among the bodies: {} {:?}, see {page}", row.kind.code(), row.says);
            }
            Proof::Met => {
                let words = row.says.iter().filter(|says| !met.contains(&(at, says)));
                unmet.extend(words.map(|says| format!("{} {says}", row.kind.code())));
            }
        }
        assert!(!row.says.is_empty() && row.says.iter().all(|says| *says == says.to_lowercase()));
    }
    assert!(unmet.is_empty(), "rows without a body that name no page: {unmet:#?}");
}

/// No row stands where an earlier one takes its words away.
#[test]
fn every_word_of_every_row_decides() {
    for row in failures::table() {
        let families = if row.families.is_empty() { &["somebody"] } else { row.families };
        let statuses = if row.statuses.is_empty() { &[400] } else { row.statuses };
        for family in families {
            for status in statuses {
                for says in row.says {
                    let body = serde_json::json!({ "error": { "message": says } }).to_string();
                    let by = failures::deciding(family, *status, &|_| None, body.as_bytes());
                    let by = by.unwrap_or_else(|| panic!("no row for {family} {status} {says}"));
                    assert!(std::ptr::eq(by, row), "{family} {status} {says} by {by:?}");
                }
            }
        }
    }
}

/// Law 6: whatever becomes of an error's bytes, it is a failure with a message.
#[test]
fn mangled_errors_are_failures_all_the_same() {
    for case in corpus::errors() {
        let body = error_of(&case);
        let family = family(&case.provider);
        for step in 0..64 {
            let cut = body.len() * step / 64;
            let mut flipped = body.clone();
            if let Some(byte) = flipped.get_mut(cut) {
                *byte ^= 0x15;
            }
            for bytes in [&body[..cut], &body[cut..], &flipped] {
                let failure = failures::inside(family, 200, bytes);
                assert!(!failure.message.is_empty());
                let origin = origin_of(Dialect::OpenaiChat, family);
                let failure = wire::read_failure(&origin, 400, &header(&case), bytes);
                assert!(!failure.message.is_empty());
            }
        }
    }
}

#[test]
fn no_credential_of_a_real_error_is_quoted() {
    for case in corpus::errors() {
        let told = format!("{:?}", read(&case));
        for key in ["sk-", "AIz", "test-key", "bad-key", "invalid-key", "****"] {
            assert!(!told.contains(key), "{told}");
        }
        // Nor is a word of the others taken for one.
        assert!(!told.contains("[masked]"), "{told}");
    }
}
