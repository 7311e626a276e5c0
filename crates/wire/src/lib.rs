//! Dialects to and from the canonical conversation.
//!
//! Eight pure functions a dialect, `read` beside `write` in the same file: request, response,
//! events, failure. Nothing here waits, keeps time, draws random numbers or opens a socket, and
//! no provider and no model is known by name. The codec of a dialect is chosen here and nowhere else.
//!
//! ```
//! let body = br#"{"model":"auto","messages":[{"role":"user","content":"hi"}]}"#;
//! let request = wire::read_request(ir::Dialect::OpenaiChat, body).unwrap();
//! assert_eq!(request.model, "auto");
//!
//! let body = br#"{"model":"auto","messages":[{"role":"user","content":7}]}"#;
//! let error = wire::read_request(ir::Dialect::OpenaiChat, body).unwrap_err();
//! assert_eq!(error.to_string(), "messages[0].content: expected a string or a list of parts, found a number (byte 53)");
//! ```

pub mod decode;
pub mod failures;
pub mod openai_chat;
pub mod sse;

mod fields;
mod json;
mod splice;

use ir::{Dialect, Event, Failure, Loss, Request, Response};

pub use decode::DecodeError;
pub use openai_chat::events::Met;
pub use openai_chat::head::{Head, Sent};
pub use openai_chat::response::Glance;

/// A request written in a dialect, and what could not be said in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The body.
    pub bytes: Vec<u8>,
    /// The fields without a home.
    pub losses: Vec<Loss>,
}

/// Reads what routing needs of a client's request, and keeps its bytes for the verbatim lane.
pub fn read_head(dialect: Dialect, body: &[u8]) -> Result<Head<'_>, DecodeError> {
    match dialect {
        Dialect::OpenaiChat => openai_chat::head::read(body),
    }
}

/// Reads a client's request.
pub fn read_request(dialect: Dialect, body: &[u8]) -> Result<Request, DecodeError> {
    match dialect {
        Dialect::OpenaiChat => openai_chat::request::read(body),
    }
}

/// Writes a request for a provider.
pub fn write_request(dialect: Dialect, request: &Request) -> Written {
    match dialect {
        Dialect::OpenaiChat => openai_chat::request::write(request),
    }
}

/// Reads a provider's whole answer; an error that came with status 200 is a failure.
pub fn read_response(dialect: Dialect, body: &[u8]) -> Result<Response, Failure> {
    match dialect {
        Dialect::OpenaiChat => openai_chat::response::read(body),
    }
}

/// Reads what must be known of an answer that passes to the client as it is.
pub fn glance(dialect: Dialect, body: &[u8]) -> Result<Glance, Failure> {
    match dialect {
        Dialect::OpenaiChat => openai_chat::response::glance(body),
    }
}

/// Writes a whole answer for a client.
pub fn write_response(dialect: Dialect, response: &Response) -> Vec<u8> {
    match dialect {
        Dialect::OpenaiChat => openai_chat::response::write(response),
    }
}

/// Reads a provider's error answer.
pub fn read_failure(
    dialect: Dialect,
    status: u16,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Failure {
    match dialect {
        Dialect::OpenaiChat => openai_chat::failure::read(status, headers, body),
    }
}

/// Writes a failure for a client: the status and the body.
pub fn write_failure(
    dialect: Dialect,
    failure: &Failure,
    context: &failures::Context,
) -> (u16, Vec<u8>) {
    match dialect {
        Dialect::OpenaiChat => openai_chat::failure::write(failure, context),
    }
}

/// Reads a provider's stream.
#[derive(Debug)]
pub enum EventReader {
    /// OpenAI chat.
    OpenaiChat(openai_chat::events::Reader),
}

impl EventReader {
    /// Begins a stream.
    pub fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenaiChat => Self::OpenaiChat(openai_chat::events::Reader::default()),
        }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &sse::Frame, out: &mut Vec<Event>) -> Met {
        match self {
            Self::OpenaiChat(reader) => reader.read(frame, out),
        }
    }

    /// Ends the reading when the provider's bytes end.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        match self {
            Self::OpenaiChat(reader) => reader.end(out),
        }
    }
}

/// Writes the frame that ends a client's stream badly.
pub fn write_failure_frame(
    dialect: Dialect,
    failure: &Failure,
    context: &failures::Context,
) -> Vec<u8> {
    let mut out = Vec::new();
    match dialect {
        Dialect::OpenaiChat => openai_chat::events::failure_frame(failure, context, &mut out),
    }
    out
}

/// Returns the frame that ends a client's stream well.
pub fn end_frame(dialect: Dialect) -> &'static [u8] {
    match dialect {
        Dialect::OpenaiChat => b"data: [DONE]\n\n",
    }
}
