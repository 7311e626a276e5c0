//! The independent reading of each dialect, and whether the codec's reading agrees with it.

use std::fmt::Debug;

use ir::{Dialect, Response};
use serde_json::Value;
use testkit::Case;

#[path = "../../../crates/wire/tests/it/anthropic_messages/oracle.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod anthropic_messages;
#[path = "../../../crates/wire/tests/it/bedrock/oracle.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod bedrock_converse;
#[path = "../../../crates/wire/tests/it/cohere/oracle.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod cohere_v2;
#[path = "../../../crates/wire/tests/it/gemini/oracle.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod gemini;
#[path = "../../../crates/wire/tests/it/ollama/oracle.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod ollama;
#[path = "../../../crates/wire/tests/it/openai_responses/oracle.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod openai_responses;

use crate::oracle as openai_chat;

/// Holds a codec's reading of an answer against the independent one.
pub(super) fn agrees(
    dialect: Dialect,
    case: &Case,
    body: &[u8],
    read: &Response,
) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    let json = serde_json::from_slice::<Value>(body);
    match (dialect, json) {
        (Dialect::OpenaiChat, Ok(_)) => Ok(()),
        (Dialect::OpenaiChat, Err(_)) => {
            same(&openai_chat::folded(read), &openai_chat::read(&text))
        }
        (Dialect::OpenaiResponses, Ok(whole)) => {
            same(&openai_chat::folded(read), &vec![openai_responses::whole(&whole)])
        }
        (Dialect::OpenaiResponses, Err(_)) => {
            let said = openai_responses::stream(&text);
            same(&openai_chat::folded(read), &said.into_iter().collect())
        }
        (Dialect::AnthropicMessages, Ok(whole)) => {
            same(&anthropic_messages::folded(read), &anthropic_messages::message(&whole))
        }
        (Dialect::AnthropicMessages, Err(_)) => {
            same(&anthropic_messages::folded(read), &anthropic_messages::stream(&text))
        }
        (Dialect::Gemini, Ok(whole)) if !case.is_stream => {
            same(&gemini::cited(read), &gemini::whole_citations(&whole))
        }
        (Dialect::Gemini, _) => same(&gemini::folded(read), &gemini::stream(&text).said),
        (Dialect::BedrockConverse, Ok(whole)) => {
            same(&bedrock_converse::told(read), &bedrock_converse::whole(&whole).0)
        }
        (Dialect::BedrockConverse, Err(_)) => {
            same(&bedrock_converse::told(read), &bedrock_converse::stream(body).0)
        }
        (Dialect::CohereV2, Ok(whole)) => same(&cohere_v2::told(read), &cohere_v2::whole(&whole).0),
        (Dialect::CohereV2, Err(_)) => same(&cohere_v2::told(read), &cohere_v2::stream(&text).0),
        (Dialect::Ollama, _) => same(&ollama::told(read), &ollama::read(&text).0),
    }
}

fn same<T: Debug + PartialEq>(read: &T, expected: &T) -> Result<(), String> {
    if read == expected {
        return Ok(());
    }
    Err(format!("says {read:?}, should say {expected:?}"))
}
