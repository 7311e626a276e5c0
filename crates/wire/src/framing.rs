//! How a stream of bytes is cut into frames: server-sent events for most dialects, the binary
//! event stream of Amazon, lines of JSON, a list of JSON that grows.

pub mod array;
pub mod eventstream;
pub mod lines;

use ir::Dialect;

use crate::sse::{self, Frame};

/// A stream that cannot be cut into frames.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFraming(pub String);

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub enum Splitter {
    /// Server-sent events.
    Sse(sse::Splitter),
    /// Amazon's event stream.
    EventStream(eventstream::Splitter),
    /// Lines of JSON.
    Lines(lines::Splitter),
    /// A list of JSON, or server-sent events.
    Array(array::Splitter),
}

impl Splitter {
    /// Begins a stream of a dialect.
    pub fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::BedrockConverse => Self::EventStream(eventstream::Splitter::default()),
            Dialect::Ollama => Self::Lines(lines::Splitter::default()),
            Dialect::Gemini => Self::Array(array::Splitter::default()),
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::AnthropicMessages
            | Dialect::CohereV2 => Self::Sse(sse::Splitter::default()),
        }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sse(splitter) => splitter.push(bytes),
            Self::EventStream(splitter) => splitter.push(bytes),
            Self::Lines(splitter) => splitter.push(bytes),
            Self::Array(splitter) => splitter.push(bytes),
        }
    }

    /// Cuts off the next complete frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BadFraming> {
        match self {
            Self::Sse(splitter) => {
                splitter.next_frame().map_err(|error| BadFraming(error.to_string()))
            }
            Self::EventStream(splitter) => splitter.next_frame(),
            Self::Lines(splitter) => splitter.next_frame(),
            Self::Array(splitter) => splitter.next_frame(),
        }
    }

    /// Returns whether the stream is a list of JSON and no series of events.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Array(splitter) if splitter.is_list())
    }

    /// Returns what is left when the stream ends.
    pub fn finish(&mut self) -> Option<Frame> {
        match self {
            Self::Sse(splitter) => splitter.finish(),
            // Half a message of this kind is no message.
            Self::EventStream(_) => None,
            Self::Lines(splitter) => splitter.finish(),
            Self::Array(splitter) => splitter.finish(),
        }
    }
}
