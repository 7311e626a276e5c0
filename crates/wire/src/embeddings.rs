//! Embeddings: texts to vectors. A conversation of its own, much smaller than the other: nothing
//! streams, nobody calls a tool.
//!
//! Clients speak OpenAI's `/v1/embeddings`; providers speak that, Gemini's `embedContent` and
//! `batchEmbedContents`, Cohere's `/v2/embed` (and `/v1/embed`), or Voyage's `/v1/embeddings`. An
//! input that a provider cannot be shown is a failure and not a loss: a vector of something else
//! would be worse than none.

mod cohere;
mod gemini;
mod openai;
mod vector;
mod voyage;

use ir::{Extras, Failure, Kind, Loss, RawJson, Tokens, Usage};

use crate::decode::DecodeError;
use crate::failures;
use crate::fields::{self, Value};

pub use gemini::action as gemini_action;
pub use vector::{Encoding, Vector};

/// A language in which embeddings are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's `/v1/embeddings`, and what many hosts speak after it.
    Openai,
    /// Gemini's `embedContent` and `batchEmbedContents`.
    Gemini,
    /// Cohere's `/v2/embed`.
    Cohere,
    /// Voyage's `/v1/embeddings`.
    Voyage,
}

impl Dialect {
    /// Every dialect, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Openai, Self::Gemini, Self::Cohere, Self::Voyage];

    /// Returns the name used in records and configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Gemini => "gemini",
            Self::Cohere => "cohere",
            Self::Voyage => "voyage",
        }
    }

    /// Finds a dialect by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

/// A request for vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingRequest {
    /// The dialect the extras are spelled in.
    pub spoken: Dialect,
    /// The model as the caller names it.
    pub model: String,
    /// What is to be embedded.
    pub inputs: Inputs,
    /// How long the vectors are to be.
    pub dimensions: Option<u64>,
    /// How the vectors are to be spelled.
    pub encoding: Option<Encoding>,
    /// What the vectors are for; where the caller said it, the word is among the extras too.
    pub purpose: Option<Purpose>,
    /// What else the request said.
    pub extras: Extras,
}

/// What is to be embedded: one thing, or a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// One, said without a list.
    One(Input),
    /// A list.
    Many(Vec<Input>),
}

impl Inputs {
    /// Returns the inputs in order.
    pub fn all(&self) -> &[Input] {
        match self {
            Self::One(input) => std::slice::from_ref(input),
            Self::Many(inputs) => inputs,
        }
    }
}

/// One thing to be embedded.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A text.
    Text(String),
    /// A text as the tokens of the model.
    Tokens(Vec<u64>),
    /// Anything newer, untouched.
    Other(RawJson),
}

/// What vectors are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To find with.
    Query,
    /// To be found.
    Document,
    /// To be compared.
    Similarity,
    /// To be sorted into classes.
    Classification,
    /// To be sorted into heaps.
    Clustering,
}

/// Vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingResponse {
    /// The dialect the extras are spelled in.
    pub spoken: Dialect,
    /// The model as the provider names it.
    pub model: Option<String>,
    /// A vector for each input, in the order of the inputs.
    pub vectors: Vec<Vector>,
    /// What it used, when the provider said so.
    pub usage: Option<Usage>,
    /// What else the answer said.
    pub extras: Extras,
}

/// A request written in a dialect, and what could not be said in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The body.
    pub bytes: Vec<u8>,
    /// The fields without a home.
    pub losses: Vec<Loss>,
}

/// Reads a client's request, in OpenAI's dialect.
pub fn read_request(body: &[u8]) -> Result<EmbeddingRequest, DecodeError> {
    openai::read_request(body)
}

/// Writes a request for a provider, or says which input it cannot be shown.
pub fn write_request(dialect: Dialect, request: &EmbeddingRequest) -> Result<Written, Failure> {
    match dialect {
        Dialect::Openai => Ok(openai::write_request(request)),
        Dialect::Gemini => gemini::write_request(request),
        Dialect::Cohere => cohere::write_request(request),
        Dialect::Voyage => voyage::write_request(request),
    }
}

/// Reads a provider's answer; `family` is whose errors it answers with.
pub fn read_response(
    dialect: Dialect,
    family: &str,
    body: &[u8],
) -> Result<EmbeddingResponse, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    let holds = match dialect {
        Dialect::Openai | Dialect::Voyage => ["data", "data"],
        Dialect::Gemini => ["embeddings", "embedding"],
        Dialect::Cohere => ["embeddings", "embeddings"],
    };
    if holds.iter().all(|name| fields.peek(name).is_none()) {
        return Err(failures::inside(family, 200, body));
    }
    let read = match dialect {
        Dialect::Openai => openai::read_response(&mut fields),
        Dialect::Gemini => gemini::read_response(&mut fields),
        Dialect::Cohere => cohere::read_response(&mut fields),
        Dialect::Voyage => voyage::read_response(&mut fields),
    };
    let response = read.map_err(malformed)?;
    Ok(EmbeddingResponse { spoken: dialect, extras: fields.rest(), ..response })
}

/// Writes an answer for a client, in OpenAI's dialect and in the encoding the client asked for;
/// one that did not ask gets what the provider sent.
pub fn write_response(response: &EmbeddingResponse, encoding: Option<Encoding>) -> Vec<u8> {
    openai::write_response(response, encoding)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
fn malformed(error: DecodeError) -> Failure {
    let said = format!("the provider's answer could not be read: {error}");
    Failure::new(Kind::MalformedReply, said)
}

/// Returns an answer's empty frame.
fn answer(vectors: Vec<Vector>, usage: Option<Usage>) -> EmbeddingResponse {
    let extras = Extras::default();
    EmbeddingResponse { spoken: Dialect::Openai, model: None, vectors, usage, extras }
}

/// Returns the usage of so many tokens read.
fn used(tokens: u64, extras: Extras) -> Usage {
    Usage { input: Tokens(tokens), extras, ..Usage::default() }
}

/// Takes a count; anything that is not one counts as not said. Cohere writes its counts with a
/// fraction now and then.
fn count(fields: &mut fields::Fields<'_, '_>, name: &str) -> Option<u64> {
    let number = |value: Value<'_, '_>| value.number();
    let number = fields.take_if(name, |value| value.number().is_ok(), number).ok().flatten()?;
    number.as_u64().or_else(|| number.as_f64().filter(|n| *n >= 0.0).map(whole))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of floats saturates, and the number is not negative"
)]
fn whole(number: f64) -> u64 {
    number.ceil() as u64
}

/// Returns the texts of a request, for dialects that take nothing else.
fn texts(dialect: Dialect, request: &EmbeddingRequest) -> Result<Vec<&str>, Failure> {
    let mut texts = Vec::new();
    for (at, input) in request.inputs.all().iter().enumerate() {
        let Input::Text(text) = input else {
            let said = format!("{} embeddings take texts alone", dialect.name());
            return Err(Failure::new(Kind::Unsupported, said).at(format!("input[{at}]")));
        };
        texts.push(text.as_str());
    }
    Ok(texts)
}

/// Notes what a request says that a foreign dialect cannot; the purpose has its own word there.
fn foreign(dialect: Dialect, request: &EmbeddingRequest) -> Vec<Loss> {
    let named = request.extras.iter().map(|(name, _)| name);
    let known = |name: &&str| !(*name == openai::PURPOSE && request.purpose.is_some());
    named.filter(known).map(|name| lost(dialect, name)).collect()
}

fn lost(dialect: Dialect, path: &str) -> Loss {
    let why = format!("{} embeddings have no field for it", dialect.name());
    Loss { path: path.to_owned(), why }
}
