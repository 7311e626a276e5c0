//! Cohere's `/v2/embed`, and the answers of `/v1/embed`.

use ir::{Extras, Failure, Loss};

use super::{
    Dialect, EmbeddingRequest, EmbeddingResponse, Purpose, Vector, Written, answer, count, foreign,
    texts, used,
};
use crate::decode::DecodeError;
use crate::fields::{Fields, Value};
use crate::json;

pub(super) fn write_request(request: &EmbeddingRequest) -> Result<Written, Failure> {
    let texts = texts(Dialect::Cohere, request)?;
    let mut losses = foreign(Dialect::Cohere, request);
    // A purpose must be said; vectors that are kept are mostly those of documents.
    let purpose = match request.purpose {
        None | Some(Purpose::Document) => "search_document",
        Some(Purpose::Query) => "search_query",
        Some(Purpose::Classification) => "classification",
        Some(Purpose::Clustering) => "clustering",
        Some(Purpose::Similarity) => {
            let why = "cohere embeddings know no such purpose: said as search_document".to_owned();
            losses.push(Loss { path: "purpose".to_owned(), why });
            "search_document"
        }
    };
    let mut bytes = Vec::with_capacity(256);
    json::object(&mut bytes, |body| {
        body.field("model", &request.model);
        body.field("input_type", purpose);
        body.field("embedding_types", &["float"]);
        body.field("texts", &texts);
        body.optional("output_dimension", request.dimensions.as_ref());
    });
    Ok(Written { bytes, losses })
}

pub(super) fn read_response(fields: &mut Fields<'_, '_>) -> Result<EmbeddingResponse, DecodeError> {
    let vectors = fields.need("embeddings", |embeddings| {
        // The older answer is the list itself, the newer one has a list for each type.
        if embeddings.is_list() {
            return embeddings.each(read_vector);
        }
        embeddings.object()?.need("float", |all| all.each(read_vector))
    })?;
    let usage = fields.take_if(
        "meta",
        |meta| meta.is_object(),
        |meta| {
            let mut meta = meta.object()?;
            let billed = meta.take_if(
                "billed_units",
                |billed| billed.is_object(),
                |billed| {
                    let mut billed = billed.object()?;
                    let text = count(&mut billed, "input_tokens");
                    let image = count(&mut billed, "image_tokens");
                    Ok(text.or(image).map(|_| {
                        used(text.unwrap_or(0).saturating_add(image.unwrap_or(0)), billed.rest())
                    }))
                },
            )?;
            Ok(billed.flatten())
        },
    )?;
    Ok(answer(vectors, usage.flatten()))
}

fn read_vector(vector: Value<'_, '_>) -> Result<Vector, DecodeError> {
    if !vector.is_list() {
        return Err(vector.expected("a list of numbers"));
    }
    Ok(Vector { raw: vector.keep(), extras: Extras::default() })
}
