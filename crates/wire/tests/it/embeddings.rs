//! The laws of embeddings: OpenAI's dialect at home, and the others' answers against a second
//! reading.

mod small;

use serde_json::{Map, Value, json};
use testkit::corpus::{self, Case};
use wire::embeddings::{
    self, Dialect, EmbeddingRequest, EmbeddingResponse, Encoding, Input, Inputs, Purpose,
};

use crate::laws::Tally;

fn dialect(case: &Case) -> Dialect {
    match case.provider.as_str() {
        "gemini" | "vertex" => Dialect::Gemini,
        "cohere" => Dialect::Cohere,
        "voyage" => Dialect::Voyage,
        _ => Dialect::Openai,
    }
}

fn recorded(wanted: impl Fn(&Case) -> bool) -> Vec<Case> {
    corpus::cases(&|case| case.api == "embeddings" && wanted(case))
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Reads a body, `null` and absent as one.
fn body(text: &str) -> Value {
    let mut value = serde_json::from_str(text).unwrap();
    without_nulls(&mut value);
    value
}

#[test]
fn law_1_a_request_survives_at_home() {
    if corpus::require("law 1, embeddings").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(|case| dialect(case) == Dialect::Openai) {
        let text = case.request_body.clone().unwrap();
        let request = embeddings::read_request(text.as_bytes()).unwrap();
        let written = embeddings::write_request(Dialect::Openai, &request).unwrap();
        assert_eq!(written.losses, [], "{}", case.id);
        let again = std::str::from_utf8(&written.bytes).unwrap();
        assert_eq!(body(again), body(&text), "{}", case.id);
        assert_eq!(embeddings::read_request(&written.bytes).unwrap(), request, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, requests for embeddings");
    assert!(tally.passed >= 47, "only {} requests passed", tally.passed);
}

#[test]
fn law_1_an_answer_survives_at_home() {
    if corpus::require("law 1, embeddings").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(|case| dialect(case) == Dialect::Openai && case.status == 200) {
        let response =
            embeddings::read_response(Dialect::Openai, "", case.response_body.as_bytes()).unwrap();
        let written = embeddings::write_response(&response, None);
        let again = std::str::from_utf8(&written).unwrap();
        assert_eq!(body(again), body(&case.response_body), "{}", case.id);
        // Either spelling comes back as it was by way of the other, as far as a float holds it.
        let floats = written_as(&response, Encoding::Float);
        let packed = written_as(&response, Encoding::Base64);
        let back = embeddings::read_response(Dialect::Openai, "", packed.as_bytes()).unwrap();
        assert_eq!(numbers(&written_as(&back, Encoding::Float)), numbers(&floats), "{}", case.id);
        tally.passed += 1;
    }
    tally.print("law 1, answers with embeddings");
    assert!(tally.passed >= 45, "only {} answers passed", tally.passed);
}

fn written_as(response: &EmbeddingResponse, encoding: Encoding) -> String {
    String::from_utf8(embeddings::write_response(response, Some(encoding))).unwrap()
}

/// Returns the vectors of an answer as floats of 32 bits, or as the text they are.
fn numbers(body: &str) -> Vec<Result<Vec<f32>, String>> {
    let body: Value = serde_json::from_str(body).unwrap();
    let vector = |item: &Value| match &item["embedding"] {
        Value::String(text) => Err(text.clone()),
        list => Ok(serde_json::from_value(list.clone()).unwrap()),
    };
    body["data"].as_array().unwrap().iter().map(vector).collect()
}

/// Reads an answer without the codecs: its vectors as they came, and the tokens it says it read.
fn second_reading(dialect: Dialect, body: &Value) -> (Vec<Value>, Option<u64>) {
    let list = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let count = |path: &str| body.pointer(path).and_then(Value::as_u64);
    match dialect {
        Dialect::Openai | Dialect::Voyage => {
            let vectors = list(&body["data"]).into_iter().map(|item| item["embedding"].clone());
            let read = count("/usage/prompt_tokens").or(count("/usage/total_tokens"));
            (vectors.collect(), read)
        }
        Dialect::Gemini => {
            let one = body.get("embedding").map(|item| item["values"].clone());
            let many = list(&body["embeddings"]).into_iter().map(|item| item["values"].clone());
            (one.into_iter().chain(many).collect(), count("/usageMetadata/promptTokenCount"))
        }
        Dialect::Cohere => {
            let images = count("/meta/billed_units/image_tokens").unwrap_or(0);
            let read = count("/meta/billed_units/input_tokens").map(|read| read + images);
            (list(&body["embeddings"]["float"]), read)
        }
    }
}

#[test]
fn an_answer_is_read_as_a_second_reader_reads_it() {
    if corpus::require("answers with embeddings").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(|case| case.status == 200) {
        let (dialect, body) = (dialect(&case), case.response_body.as_bytes());
        let response = embeddings::read_response(dialect, "", body)
            .unwrap_or_else(|failure| panic!("{}: {failure}", case.id));
        let (vectors, read) = second_reading(dialect, &serde_json::from_slice(body).unwrap());
        let raws: Vec<Value> = response.vectors.iter().map(|vector| vector.raw.value()).collect();
        assert!(!raws.is_empty(), "{}", case.id);
        assert_eq!(raws, vectors, "{}", case.id);
        assert_eq!(response.usage.map(|usage| usage.input.0), read, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("answers with embeddings");
    assert!(tally.passed >= 75, "only {} answers passed", tally.passed);
}

/// What a recorded request of another dialect asks for, as a client of OpenAI's would ask.
fn asked(dialect: Dialect, model: &str, body: &Value) -> Option<EmbeddingRequest> {
    let first = body.pointer("/requests/0").unwrap_or(body);
    let texts: Vec<Input> = match dialect {
        Dialect::Gemini => {
            let one = [body.clone()];
            let all = body["requests"].as_array().map_or(one.as_slice(), Vec::as_slice);
            let text = |request: &Value| match request["content"]["parts"].as_array()?.as_slice() {
                [part] => part["text"].as_str().map(|text| Input::Text(text.to_owned())),
                _ => None,
            };
            all.iter().map(text).collect::<Option<_>>()?
        }
        _ => {
            let texts = if body["texts"].is_array() { &body["texts"] } else { &body["input"] };
            let text = |text: &Value| Some(Input::Text(text.as_str()?.to_owned()));
            match texts {
                Value::Array(all) => all.iter().map(text).collect::<Option<_>>()?,
                one => vec![text(one)?],
            }
        }
    };
    let single = body["input"].is_string();
    let dimensions = first.get("outputDimensionality").or(first.get("output_dimension"));
    let purpose = match first.get("taskType").or(first.get("input_type")).and_then(Value::as_str) {
        None => None,
        Some("RETRIEVAL_QUERY" | "search_query" | "query") => Some(Purpose::Query),
        Some("RETRIEVAL_DOCUMENT" | "search_document" | "document") => Some(Purpose::Document),
        Some(other) => panic!("{other}"),
    };
    Some(EmbeddingRequest {
        spoken: Dialect::Openai,
        model: body["model"].as_str().unwrap_or(model).to_owned(),
        inputs: match texts.as_slice() {
            [one] if single => Inputs::One(one.clone()),
            _ => Inputs::Many(texts),
        },
        dimensions: dimensions.and_then(Value::as_u64),
        encoding: None,
        purpose,
        extras: ir::Extras::default(),
    })
}

#[test]
fn a_request_is_written_as_it_was_recorded() {
    if corpus::require("requests for embeddings").is_none() {
        return;
    }
    let mut tally = Tally::default();
    for case in recorded(|case| dialect(case) != Dialect::Openai) {
        let dialect = dialect(&case);
        let mut before = body(case.request_body.as_deref().unwrap());
        let Some(model) = case.path.split("models/").nth(1).or(Some("")) else { continue };
        let model = model.split(':').next().unwrap();
        let Some(request) = asked(dialect, model, &before) else {
            tally.leave_out(&case, "its input is more than a text");
            continue;
        };
        let written = embeddings::write_request(dialect, &request).unwrap();
        assert_eq!(written.losses, [], "{}", case.id);
        let mut after = body(std::str::from_utf8(&written.bytes).unwrap());
        assert_eq!(
            case.path.contains(embeddings::gemini_action(&request)),
            dialect == Dialect::Gemini
                && (request.inputs.all().len() > 1) == before.get("requests").is_some(),
            "{}",
            case.id
        );
        unlike(&mut before, &mut after);
        assert_eq!(after, before, "{}", case.id);
        tally.passed += 1;
    }
    tally.print("requests for embeddings of other dialects");
    assert!(tally.passed >= 28, "only {} requests passed", tally.passed);
}

/// Takes out what the recorders asked for beyond the texts, and brings one text to one spelling.
fn unlike(before: &mut Value, after: &mut Value) {
    for body in [before, after] {
        if let Some(one) = body.get("requests").filter(|all| all.as_array().unwrap().len() == 1) {
            *body = one[0].clone();
        }
        let none = Map::new();
        let only = |name: &str| {
            !["truncate", "truncation", "title", "embedding_types", "encoding_format", "model"]
                .contains(&name)
        };
        let clean = |value: &Value| -> Value {
            let fields = value.as_object().unwrap_or(&none);
            fields
                .iter()
                .filter(|(name, _)| only(name))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect()
        };
        let mut cleaned = clean(body);
        for request in
            cleaned.get_mut("requests").and_then(Value::as_array_mut).into_iter().flatten()
        {
            *request = clean(request);
        }
        if let Some(content) = cleaned.get_mut("content").and_then(Value::as_object_mut) {
            content.remove("role");
        }
        for request in
            cleaned.get_mut("requests").and_then(Value::as_array_mut).into_iter().flatten()
        {
            request["content"].as_object_mut().unwrap().remove("role");
        }
        *body = cleaned;
    }
}

#[test]
fn law_6_no_body_makes_a_reader_panic() {
    if corpus::require("law 6, embeddings").is_none() {
        return;
    }
    let mut read = 0;
    for (number, case) in (0_usize..).zip(recorded(|_| true)) {
        let answer = case.response_body.clone().into_bytes();
        let request = case.request_body.clone().unwrap_or_default().into_bytes();
        for body in [answer, request] {
            for step in 0..6 {
                let at = (number * 7_919 + step * 104_729) % body.len();
                let mut bad = body.clone();
                bad[at] = b"{}[]\",:0n\xff"[(number + step) % 10];
                for dialect in Dialect::ALL {
                    if let Ok(response) = embeddings::read_response(dialect, "", &bad) {
                        embeddings::write_response(&response, Some(Encoding::Base64));
                        embeddings::write_response(&response, Some(Encoding::Float));
                    }
                    if let Ok(request) = embeddings::read_request(&bad) {
                        let _ = embeddings::write_request(dialect, &request);
                    }
                }
                read += 1;
            }
        }
    }
    println!("law 6, embeddings: {read} mangled bodies");
    assert!(read >= 900);
    let wild =
        json!({"data": [{"embedding": [1e300, -1e300]}], "usage": {"prompt_tokens": u64::MAX}});
    let response =
        embeddings::read_response(Dialect::Openai, "", wild.to_string().as_bytes()).unwrap();
    embeddings::write_response(&response, Some(Encoding::Base64));
}
