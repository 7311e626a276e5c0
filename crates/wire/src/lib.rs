//! Dialects to and from the canonical conversation.
//!
//! Eight pure functions a dialect, `read` beside `write` in the same file: request, response,
//! events, failure. Nothing here waits, keeps time, draws random numbers or opens a socket, and
//! no provider and no model is known by name but in the table of failures. The codec of a dialect
//! is chosen here and nowhere else.
//!
//! Clients speak an [`Inbound`] dialect: its requests are read and its answers written. Providers
//! speak any [`Dialect`]: its requests are written and its answers read.
//!
//! ```
//! use ir::Inbound;
//!
//! let body = br#"{"model":"auto","messages":[{"role":"user","content":"hi"}]}"#;
//! let request = wire::read_request(Inbound::OpenaiChat, body).unwrap();
//! assert_eq!(request.model, "auto");
//!
//! let body = br#"{"model":"auto","messages":[{"role":"user","content":7}]}"#;
//! let error = wire::read_request(Inbound::OpenaiChat, body).unwrap_err();
//! assert_eq!(error.to_string(), "messages[0].content: expected a string or a list of parts, found a number (byte 53)");
//! ```

pub mod decode;
pub mod failures;
pub mod framing;
pub mod head;
pub mod sigv4;
pub mod sse;

pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod cohere_v2;
pub mod embeddings;
pub mod gemini;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;

mod arguments;
mod check;
mod envelope;
mod fields;
mod fit;
mod ids;
mod json;
mod losses;
mod schema;
mod splice;
mod thoughts;
mod undo;

use std::sync::Arc;

use ir::response::Substance;
use ir::{Dialect, Event, Failure, Inbound, Loss, Quirks, Request, Response, Seed, Usage};

pub use check::check;
pub use decode::DecodeError;
pub use fit::Renamed;
pub use framing::Splitter;
pub use head::{Head, Sent};
pub use undo::{Undo, Undoing};

/// Whose answer is read.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What it speaks.
    pub dialect: Dialect,
    /// Whose errors it answers with: the provider's id, or that of the provider it takes after.
    pub family: Arc<str>,
    /// What ids are made from where it sends none.
    pub seed: Seed,
}

/// A request written in a dialect, and what could not be said in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The body.
    pub bytes: Vec<u8>,
    /// The fields without a home.
    pub losses: Vec<Loss>,
    /// What is to be taken back in the answer.
    pub undo: Undo,
    /// The tools that go by other names there; what is taken back in the answer is so called.
    pub renamed: Renamed,
}

/// What a glance at an answer shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// What it holds.
    pub substance: Substance,
    /// What it used, when the provider said so.
    pub usage: Option<Usage>,
    /// The provider's id of the answer.
    pub id: Option<String>,
}

/// What a frame of a stream was, for whoever passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Something a reader of the answer would see.
    Content,
    /// Something else of the answer.
    Quiet,
    /// The start of an answer that has started already.
    Repeated,
    /// Usage and nothing else.
    UsageOnly,
    /// The end.
    Done,
    /// An error.
    Failed,
}

/// Reads a client's request.
pub fn read_request(inbound: Inbound, body: &[u8]) -> Result<Request, DecodeError> {
    read_fields(inbound, fields::body(body)?)
}

fn read_fields(inbound: Inbound, fields: fields::Fields<'_, '_>) -> Result<Request, DecodeError> {
    match inbound {
        Inbound::OpenaiChat => openai_chat::request::read(fields),
        Inbound::OpenaiResponses => openai_responses::request::read(fields),
        Inbound::AnthropicMessages => anthropic_messages::request::read(fields),
        Inbound::Gemini => gemini::request::read(fields),
    }
}

/// Writes a request for a provider.
pub fn write_request(dialect: Dialect, request: &Request, quirks: Quirks) -> Written {
    let fitted = fit::fit(dialect, request, quirks);
    let mut written = write_fitted(dialect, &fitted.request, quirks);
    written.losses.splice(0..0, fitted.losses);
    written.renamed = fitted.renamed;
    written
}

fn write_fitted(dialect: Dialect, request: &Request, quirks: Quirks) -> Written {
    match dialect {
        Dialect::OpenaiChat => openai_chat::request::write(request, quirks),
        Dialect::OpenaiResponses => openai_responses::request::write(request, quirks),
        Dialect::AnthropicMessages => anthropic_messages::request::write(request, quirks),
        Dialect::Gemini => gemini::request::write(request, quirks),
        Dialect::BedrockConverse => bedrock_converse::request::write(request, quirks),
        Dialect::CohereV2 => cohere_v2::request::write(request, quirks),
        Dialect::Ollama => ollama::request::write(request, quirks),
    }
}

/// Reads a provider's whole answer; an error that came with status 200 is a failure.
pub fn read_response(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    match origin.dialect {
        Dialect::OpenaiChat => openai_chat::response::read(origin, body),
        Dialect::OpenaiResponses => openai_responses::response::read(origin, body),
        Dialect::AnthropicMessages => anthropic_messages::response::read(origin, body),
        Dialect::Gemini => gemini::response::read(origin, body),
        Dialect::BedrockConverse => bedrock_converse::response::read(origin, body),
        Dialect::CohereV2 => cohere_v2::response::read(origin, body),
        Dialect::Ollama => ollama::response::read(origin, body),
    }
}

/// Reads what must be known of an answer that passes to the client as it is.
pub fn glance(origin: &Origin, body: &[u8]) -> Result<Glance, Failure> {
    if origin.dialect == Dialect::OpenaiChat {
        return openai_chat::response::glance(origin, body);
    }
    let response = read_response(origin, body)?;
    Ok(Glance { substance: response.substance(), usage: response.usage, id: response.id })
}

/// Writes a whole answer for a client.
pub fn write_response(inbound: Inbound, response: &Response) -> Vec<u8> {
    let marked = fit::marked(inbound, response);
    let response = marked.as_ref().unwrap_or(response);
    match inbound {
        Inbound::OpenaiChat => openai_chat::response::write(response),
        Inbound::OpenaiResponses => openai_responses::response::write(response),
        Inbound::AnthropicMessages => anthropic_messages::response::write(response),
        Inbound::Gemini => gemini::response::write(response),
    }
}

/// Reads a provider's error answer.
pub fn read_failure(
    origin: &Origin,
    status: u16,
    headers: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> Failure {
    failures::read(origin, status, headers, body)
}

/// Writes a failure for a client: the status and the body.
pub fn write_failure(
    inbound: Inbound,
    failure: &Failure,
    context: &failures::Context,
) -> (u16, Vec<u8>) {
    match inbound {
        Inbound::OpenaiChat => openai_chat::failure::write(failure, context),
        Inbound::OpenaiResponses => openai_responses::failure::write(failure, context),
        Inbound::AnthropicMessages => anthropic_messages::failure::write(failure, context),
        Inbound::Gemini => gemini::failure::write(failure, context),
    }
}

/// Reads a provider's stream.
#[derive(Debug)]
pub enum EventReader {
    /// OpenAI chat.
    OpenaiChat(openai_chat::events::Reader),
    /// OpenAI responses.
    OpenaiResponses(openai_responses::events::Reader),
    /// Anthropic messages.
    AnthropicMessages(anthropic_messages::events::Reader),
    /// Gemini.
    Gemini(gemini::events::Reader),
    /// Bedrock converse.
    BedrockConverse(bedrock_converse::events::Reader),
    /// Cohere.
    CohereV2(cohere_v2::events::Reader),
    /// Ollama.
    Ollama(ollama::events::Reader),
}

macro_rules! each_reader {
    ($self:ident, $reader:ident => $then:expr) => {
        match $self {
            Self::OpenaiChat($reader) => $then,
            Self::OpenaiResponses($reader) => $then,
            Self::AnthropicMessages($reader) => $then,
            Self::Gemini($reader) => $then,
            Self::BedrockConverse($reader) => $then,
            Self::CohereV2($reader) => $then,
            Self::Ollama($reader) => $then,
        }
    };
}

impl EventReader {
    /// Begins a stream.
    pub fn new(origin: &Origin) -> Self {
        let origin = origin.clone();
        match origin.dialect {
            Dialect::OpenaiChat => Self::OpenaiChat(openai_chat::events::Reader::new(origin)),
            Dialect::OpenaiResponses => {
                Self::OpenaiResponses(openai_responses::events::Reader::new(origin))
            }
            Dialect::AnthropicMessages => {
                Self::AnthropicMessages(anthropic_messages::events::Reader::new(origin))
            }
            Dialect::Gemini => Self::Gemini(gemini::events::Reader::new(origin)),
            Dialect::BedrockConverse => {
                Self::BedrockConverse(bedrock_converse::events::Reader::new(origin))
            }
            Dialect::CohereV2 => Self::CohereV2(cohere_v2::events::Reader::new(origin)),
            Dialect::Ollama => Self::Ollama(ollama::events::Reader::new(origin)),
        }
    }

    /// Reads a frame into events and says what it was.
    pub fn read(&mut self, frame: &sse::Frame, out: &mut Vec<Event>) -> Met {
        each_reader!(self, reader => reader.read(frame, out))
    }

    /// Ends the reading when the provider's bytes end.
    pub fn end(&mut self, out: &mut Vec<Event>) {
        each_reader!(self, reader => reader.end(out));
    }
}

/// Writes a client's stream. From another dialect it keeps out what is spelled in that one: notes,
/// and what the provider said about usage beyond the counts.
#[derive(Debug)]
pub struct EventWriter {
    inbound: Inbound,
    from: Dialect,
    unsigned: fit::Unsigned,
    foreign: bool,
    speaks: Speaks,
}

#[derive(Debug)]
enum Speaks {
    OpenaiChat(openai_chat::events::Writer),
    OpenaiResponses(openai_responses::events::Writer),
    AnthropicMessages(anthropic_messages::events::Writer),
    Gemini(gemini::events::Writer),
}

impl EventWriter {
    /// Begins a stream of events that were read in the dialect `from`; `wants_usage` is the client's
    /// wish in the one dialect that knows it.
    pub fn new(inbound: Inbound, from: Dialect, wants_usage: bool) -> Self {
        let foreign = from != inbound.dialect();
        let speaks = match inbound {
            Inbound::OpenaiChat => {
                Speaks::OpenaiChat(openai_chat::events::Writer::new(wants_usage, foreign))
            }
            Inbound::OpenaiResponses => {
                Speaks::OpenaiResponses(openai_responses::events::Writer::default())
            }
            Inbound::AnthropicMessages => {
                Speaks::AnthropicMessages(anthropic_messages::events::Writer::new(from))
            }
            Inbound::Gemini => Speaks::Gemini(gemini::events::Writer::default()),
        };
        let unsigned = fit::Unsigned::default();
        Self { inbound, from, unsigned, foreign, speaks }
    }

    /// Writes what an event becomes; many become nothing by themselves.
    pub fn write(&mut self, event: &Event, context: &failures::Context, out: &mut Vec<u8>) {
        if let Some(mark) = self.unsigned.before(self.inbound, self.from, event) {
            self.speak(&mark, context, out);
        }
        let counts;
        let event = match event {
            Event::Note(..) if self.foreign => return,
            Event::Usage(usage) if self.foreign && !usage.extras.is_empty() => {
                counts = Event::Usage(Usage { extras: ir::Extras::default(), ..usage.clone() });
                &counts
            }
            event => event,
        };
        self.speak(event, context, out);
    }

    fn speak(&mut self, event: &Event, context: &failures::Context, out: &mut Vec<u8>) {
        match &mut self.speaks {
            Speaks::OpenaiChat(writer) => writer.write(event, context, out),
            Speaks::OpenaiResponses(writer) => writer.write(event, context, out),
            Speaks::AnthropicMessages(writer) => writer.write(event, context, out),
            Speaks::Gemini(writer) => writer.write(event, context, out),
        }
    }
}

/// Writes the frame that ends a client's stream badly.
pub fn write_failure_frame(
    inbound: Inbound,
    failure: &Failure,
    context: &failures::Context,
) -> Vec<u8> {
    let mut out = Vec::new();
    match inbound {
        Inbound::OpenaiChat => openai_chat::events::failure_frame(failure, context, &mut out),
        Inbound::OpenaiResponses => {
            openai_responses::events::failure_frame(failure, context, &mut out);
        }
        Inbound::AnthropicMessages => {
            anthropic_messages::events::failure_frame(failure, context, &mut out);
        }
        Inbound::Gemini => gemini::events::failure_frame(failure, context, &mut out),
    }
    out
}

/// Returns the frame that ends a client's stream well, where the dialect has one that says nothing
/// else.
pub fn end_frame(inbound: Inbound) -> Option<&'static [u8]> {
    match inbound {
        Inbound::OpenaiChat => Some(b"data: [DONE]\n\n"),
        Inbound::AnthropicMessages => {
            Some(b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
        }
        Inbound::OpenaiResponses | Inbound::Gemini => None,
    }
}
