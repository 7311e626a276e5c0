//! Voyage's `/v1/embeddings`: OpenAI's, with a purpose and names of its own.

use ir::Failure;

use super::{
    Dialect, EmbeddingRequest, EmbeddingResponse, Inputs, Purpose, Written, foreign, lost, openai,
    texts,
};
use crate::decode::DecodeError;
use crate::fields::Fields;
use crate::json;

pub(super) fn write_request(request: &EmbeddingRequest) -> Result<Written, Failure> {
    let texts = texts(Dialect::Voyage, request)?;
    let mut losses = foreign(Dialect::Voyage, request);
    let purpose = match request.purpose {
        None => None,
        Some(Purpose::Query) => Some("query"),
        Some(Purpose::Document) => Some("document"),
        Some(Purpose::Similarity | Purpose::Classification | Purpose::Clustering) => {
            losses.push(lost(Dialect::Voyage, "purpose"));
            None
        }
    };
    let mut bytes = Vec::with_capacity(256);
    json::object(&mut bytes, |body| {
        body.field("model", &request.model);
        match (&request.inputs, texts.as_slice()) {
            (Inputs::One(_), [text]) => body.field("input", text),
            (_, texts) => body.field("input", texts),
        }
        body.optional("input_type", purpose);
        body.optional("output_dimension", request.dimensions.as_ref());
    });
    Ok(Written { bytes, losses })
}

pub(super) fn read_response(fields: &mut Fields<'_, '_>) -> Result<EmbeddingResponse, DecodeError> {
    openai::read_response(fields)
}
