//! Reading failures: a provider's error answer, or an error inside a success, to a kind.
//!
//! Status alone lies: a bad key is 400 at xAI and at Gemini, credit is 400 at Anthropic, a 429
//! means quota at OpenAI and a throttle at Qwen, a 503 is a throttle at Bedrock, a 200 may hold an
//! error. So the rows of the table come first, in their order, and the status decides only when
//! none of them speaks up.

use ir::{Failure, Kind};

use super::mask::mask;
use super::rule::Rule;
use super::told::Told;
use super::wait::wait;
use super::{rule, rules};
use crate::Origin;

/// Where Amazon says what an error is; the body has the message alone.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// What OpenRouter calls the provider behind it, in lower case, where that is not our id.
const CALLED: &[(&str, &str)] = &[
    ("amazon bedrock", "bedrock"),
    ("google ai studio", "google"),
    ("google", "vertex"),
    ("alibaba", "qwen"),
];

/// Reads an error answer.
pub(crate) fn read(
    origin: &Origin,
    status: u16,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Failure {
    let told = answered(headers, body);
    let kind = kind(&origin.family, status, &told);
    Failure { retry_after: wait(kind, headers, &told), ..failure(kind, status, told) }
}

/// Reads an error that stood inside a success: in a body of status 200, or in a frame of a stream.
/// `status` is what the error itself says it would have been answered with, 200 where it does not.
pub fn inside(family: &str, status: u16, error: &[u8]) -> Failure {
    let told = Told::read(error);
    let status = told.status.unwrap_or(status);
    let kind = kind(family, status, &told);
    Failure { retry_after: wait(kind, &|_| None, &told), ..failure(kind, status, told) }
}

/// Returns the row of the table that decides what an error is, if one does; status 200 is for an
/// error inside a success.
pub fn deciding(
    family: &str,
    status: u16,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Option<&'static Rule> {
    let told = answered(headers, body);
    let said = told.status.filter(|_| status == rule::SUCCESS);
    row(family, said.unwrap_or(status), &told)
}

fn answered(headers: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> Told {
    let mut told = Told::read(body);
    if let Some(name) = headers(ERROR_TYPE) {
        told.named(&name);
    }
    told
}

fn kind(family: &str, status: u16, told: &Told) -> Kind {
    row(family, status, told).map_or_else(|| Rule::by_status(status), |row| row.kind)
}

/// Finds the row for an error: what the provider behind said decides before what the one in front
/// made of it.
fn row(family: &str, status: u16, told: &Told) -> Option<&'static Rule> {
    let find =
        |family: &str, words: &str| rules::RULES.iter().find(|row| row.fits(family, status, words));
    let behind = told.behind.as_ref().and_then(|behind| {
        let name = behind.name.as_ref()?.to_lowercase();
        let ours = CALLED.iter().find(|(called, _)| *called == name).map(|(_, id)| *id);
        find(ours.unwrap_or(&name), &behind.told.words)
    });
    behind.or_else(|| find(family, &told.words))
}

fn failure(kind: Kind, status: u16, told: Told) -> Failure {
    let message = match kind {
        // Providers quote the credential they refuse, in spellings no mask knows: their words stay
        // here.
        Kind::Credential => "the provider refused the gateway's credential".to_owned(),
        _ if told.message.is_empty() && status == rule::SUCCESS => {
            "the provider reported an error without a message".to_owned()
        }
        _ if told.message.is_empty() => {
            format!("the provider answered {status} without a message")
        }
        _ => mask(&told.message),
    };
    Failure {
        kind,
        message,
        param: told.param,
        provider_status: Some(status),
        provider_code: told.code.map(|code| mask(&code)),
        retry_after: None,
    }
}
