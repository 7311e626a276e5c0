//! Gemini's `embedContent`, for one input, and `batchEmbedContents`, for several.

use super::{
    Dialect, EmbeddingRequest, EmbeddingResponse, Purpose, Vector, Written, answer, count, foreign,
    texts, used,
};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json::{self, Object};
use ir::Failure;

/// Returns the action that stands in the path of a request.
pub fn action(request: &EmbeddingRequest) -> &'static str {
    if request.inputs.all().len() == 1 { "embedContent" } else { "batchEmbedContents" }
}

pub(super) fn write_request(request: &EmbeddingRequest) -> Result<Written, Failure> {
    let texts = texts(Dialect::Gemini, request)?;
    let losses = foreign(Dialect::Gemini, request);
    let mut bytes = Vec::with_capacity(256);
    json::object(&mut bytes, |body| match texts.as_slice() {
        [text] => write(body, request, text),
        texts => body.with("requests", |out| {
            json::list(out, texts, |out, text| {
                json::object(out, |body| write(body, request, text));
            });
        }),
    });
    Ok(Written { bytes, losses })
}

fn write(body: &mut Object<'_>, request: &EmbeddingRequest, text: &str) {
    let bare = request.model.strip_prefix("models/").unwrap_or(&request.model);
    body.field("model", &format!("models/{bare}"));
    body.nest("content", |content| {
        content.with("parts", |out| {
            json::list(out, [text], |out, text| {
                json::object(out, |part| part.field("text", text));
            });
        });
    });
    body.optional("taskType", request.purpose.map(task));
    body.optional("outputDimensionality", request.dimensions.as_ref());
}

fn task(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Query => "RETRIEVAL_QUERY",
        Purpose::Document => "RETRIEVAL_DOCUMENT",
        Purpose::Similarity => "SEMANTIC_SIMILARITY",
        Purpose::Classification => "CLASSIFICATION",
        Purpose::Clustering => "CLUSTERING",
    }
}

pub(super) fn read_response(fields: &mut Fields<'_, '_>) -> Result<EmbeddingResponse, DecodeError> {
    let one = fields.take("embedding", read_vector)?;
    let many = fields.take("embeddings", |all| all.each(read_vector))?;
    let vectors = one.into_iter().chain(many.unwrap_or_default()).collect();
    let usage = fields.take_if(
        "usageMetadata",
        |usage| usage.is_object(),
        |usage| {
            let mut fields = usage.object()?;
            let read = count(&mut fields, "promptTokenCount");
            Ok(used(read.unwrap_or(0), fields.rest()))
        },
    )?;
    Ok(answer(vectors, usage))
}

fn read_vector(embedding: Value<'_, '_>) -> Result<Vector, DecodeError> {
    let mut fields = embedding.object()?;
    let raw = fields.need("values", |values| {
        if values.is_list() { Ok(values.keep()) } else { Err(values.expected("a list of numbers")) }
    })?;
    Ok(Vector { raw, extras: fields.rest() })
}
