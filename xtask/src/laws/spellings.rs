//! The spellings of each dialect that mean the same, brought to one.

use ir::Dialect;
use serde_json::Value;

#[path = "../../../crates/wire/tests/it/anthropic_messages/spelling.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod anthropic_messages;
#[path = "../../../crates/wire/tests/it/gemini/spelling.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod gemini;
#[path = "../../../crates/wire/tests/it/spelling.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod openai_chat;
#[path = "../../../crates/wire/tests/it/openai_responses/spelling.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests of the codecs"
)]
mod openai_responses;

/// Brings a request to one spelling.
pub(super) fn request(dialect: Dialect, body: Value) -> Value {
    match dialect {
        Dialect::OpenaiChat => openai_chat::request(body),
        Dialect::OpenaiResponses => openai_responses::request(body),
        Dialect::AnthropicMessages => anthropic_messages::request(body),
        Dialect::Gemini => gemini::request(body),
        Dialect::BedrockConverse | Dialect::CohereV2 | Dialect::Ollama => body,
    }
}

/// Brings an answer to one spelling.
pub(super) fn response(dialect: Dialect, body: Value) -> Value {
    match dialect {
        Dialect::OpenaiChat => openai_chat::response(body),
        Dialect::OpenaiResponses => openai_responses::response(body),
        Dialect::AnthropicMessages => anthropic_messages::response(body),
        Dialect::Gemini => gemini::response(body),
        Dialect::BedrockConverse | Dialect::CohereV2 | Dialect::Ollama => body,
    }
}
