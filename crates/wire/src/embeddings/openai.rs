//! OpenAI's `/v1/embeddings`, both halves, and what many hosts speak after it.
//!
//! Spellings that mean the same: `null` and an absent field; `data` in any order of its `index`.

use ir::{Extras, RawJson};

use super::{
    Dialect, EmbeddingRequest, EmbeddingResponse, Encoding, Input, Inputs, Purpose, Vector,
    Written, answer, count, lost, used,
};
use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::json::{self, Object};

/// The field in which hosts that know purposes take one, in words of their own.
pub(super) const PURPOSE: &str = "input_type";

/// The words for purposes in that field.
const PURPOSES: [(&str, Purpose); 9] = [
    ("query", Purpose::Query),
    ("search_query", Purpose::Query),
    ("document", Purpose::Document),
    ("search_document", Purpose::Document),
    ("passage", Purpose::Document),
    ("similarity", Purpose::Similarity),
    ("semantic_similarity", Purpose::Similarity),
    ("classification", Purpose::Classification),
    ("clustering", Purpose::Clustering),
];

pub(super) fn read_request(body: &[u8]) -> Result<EmbeddingRequest, DecodeError> {
    let mut fields = fields::body(body)?;
    let model = fields.need("model", |model| model.string())?;
    let inputs = fields.need("input", read_inputs)?;
    let dimensions = fields.take("dimensions", |dimensions| dimensions.count())?;
    let known = |format: Value<'_, '_>| matches!(format.raw.get(), "\"float\"" | "\"base64\"");
    let encoding = fields.take_if("encoding_format", known, |format| {
        Ok(if format.raw.get() == "\"float\"" { Encoding::Float } else { Encoding::Base64 })
    })?;
    let word = fields.peek(PURPOSE).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let purpose = word.and_then(|word| {
        PURPOSES.iter().find(|(known, _)| *known == word).map(|(_, purpose)| *purpose)
    });
    Ok(EmbeddingRequest {
        spoken: Dialect::Openai,
        model,
        inputs,
        dimensions,
        encoding,
        purpose,
        extras: fields.rest(),
    })
}

fn read_inputs(input: Value<'_, '_>) -> Result<Inputs, DecodeError> {
    if input.is_string() {
        return Ok(Inputs::One(Input::Text(input.string()?)));
    }
    if !input.is_list() {
        return Err(input.expected("a text, a list of texts, or tokens"));
    }
    if let Ok(tokens) = tokens(input)
        && !tokens.is_empty()
    {
        return Ok(Inputs::One(Input::Tokens(tokens)));
    }
    let item = |item: Value<'_, '_>| {
        if item.is_string() {
            return Ok(Input::Text(item.string()?));
        }
        if item.is_list() {
            return Ok(Input::Tokens(tokens(item)?));
        }
        if !item.is_object() {
            return Err(item.expected("a text or a list of tokens"));
        }
        Ok(Input::Other(item.keep()))
    };
    input.each(item).map(Inputs::Many)
}

fn tokens(list: Value<'_, '_>) -> Result<Vec<u64>, DecodeError> {
    list.each(|token| token.count())
}

pub(super) fn write_request(request: &EmbeddingRequest) -> Written {
    let mut losses = Vec::new();
    let mut bytes = Vec::with_capacity(256);
    let home = request.spoken == Dialect::Openai;
    json::object(&mut bytes, |body| {
        body.field("model", &request.model);
        body.with("input", |out| match &request.inputs {
            Inputs::One(input) => write_input(out, input),
            Inputs::Many(inputs) => json::list(out, inputs, write_input),
        });
        body.optional("dimensions", request.dimensions.as_ref());
        body.optional("encoding_format", request.encoding.map(word));
        if home {
            body.extras(&request.extras);
        }
    });
    if !home {
        losses.extend(request.extras.iter().map(|(name, _)| lost(Dialect::Openai, name)));
    }
    if request.purpose.is_some() && !(home && request.extras.get(PURPOSE).is_some()) {
        losses.push(lost(Dialect::Openai, "purpose"));
    }
    Written { bytes, losses }
}

fn word(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Float => "float",
        Encoding::Base64 => "base64",
    }
}

fn write_input(out: &mut Vec<u8>, input: &Input) {
    match input {
        Input::Text(text) => json::value(out, text),
        Input::Tokens(tokens) => json::value(out, tokens),
        Input::Other(raw) => out.extend_from_slice(raw.text().as_bytes()),
    }
}

pub(super) fn read_response(fields: &mut Fields<'_, '_>) -> Result<EmbeddingResponse, DecodeError> {
    let mut vectors = fields.need("data", |data| data.each(read_vector))?;
    vectors.sort_by_key(|(index, _)| *index);
    let vectors = vectors.into_iter().map(|(_, vector)| vector).collect();
    let usage = fields.take_if(
        "usage",
        |usage| usage.is_object(),
        |usage| {
            let mut fields = usage.object()?;
            let total = count(&mut fields, "total_tokens");
            let read = count(&mut fields, "prompt_tokens");
            let mut extras = fields.rest();
            // Only a total that says something else is kept.
            if let (Some(total), Some(read)) = (total, read)
                && total != read
            {
                extras.set("total_tokens", number(total));
            }
            Ok(used(read.or(total).unwrap_or(0), extras))
        },
    )?;
    let model = fields.take_if("model", |model| model.is_string(), |model| model.string())?;
    fields.take_if("object", |object| object.raw.get() == "\"list\"", |_| Ok(()))?;
    Ok(EmbeddingResponse { model, ..answer(vectors, usage) })
}

fn number(number: u64) -> RawJson {
    RawJson::parse(number.to_string()).expect("invariant: a number is JSON")
}

/// Reads a vector and where it stands; without an index it stays where it is.
fn read_vector(item: Value<'_, '_>) -> Result<(u64, Vector), DecodeError> {
    let mut fields = item.object()?;
    let index = fields.take_if("index", |at| at.count().is_ok(), |at| at.count())?;
    fields.take_if("object", |object| object.raw.get() == "\"embedding\"", |_| Ok(()))?;
    let raw = fields.need("embedding", |embedding| {
        if embedding.is_string() || embedding.is_list() {
            Ok(embedding.keep())
        } else {
            Err(embedding.expected("a list of numbers or a text in base64"))
        }
    })?;
    Ok((index.unwrap_or(0), Vector { raw, extras: fields.rest() }))
}

pub(super) fn write_response(response: &EmbeddingResponse, encoding: Option<Encoding>) -> Vec<u8> {
    let home = response.spoken == Dialect::Openai;
    let mut bytes = Vec::with_capacity(4096);
    json::object(&mut bytes, |body| {
        if !home || response.extras.get("object").is_none() {
            body.field("object", "list");
        }
        body.with("data", |out| {
            json::list(out, response.vectors.iter().enumerate(), |out, (index, vector)| {
                json::object(out, |item| write_vector(item, index, vector, home, encoding));
            });
        });
        body.optional("model", response.model.as_ref());
        if let Some(usage) = &response.usage {
            body.nest("usage", |written| {
                let none = Extras::default();
                let extras = if home { &usage.extras } else { &none };
                written.field("prompt_tokens", &usage.input.0);
                if extras.get("total_tokens").is_none() {
                    written.field("total_tokens", &usage.input.0);
                }
                written.extras(extras);
            });
        }
        if home {
            body.extras(&response.extras);
        }
    });
    bytes
}

fn write_vector(
    item: &mut Object<'_>,
    index: usize,
    vector: &Vector,
    home: bool,
    encoding: Option<Encoding>,
) {
    if !home || vector.extras.get("object").is_none() {
        item.field("object", "embedding");
    }
    item.field("index", &index);
    item.with("embedding", |out| vector.write(out, encoding));
    if home {
        item.extras(&vector.extras);
    }
}
