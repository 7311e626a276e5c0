//! What a stream tells beside its text: errors, blocks of the service's own tools, fields nobody
//! knows.

use ir::{Event, Failure, RawJson, Scope};

use super::super::response;
use crate::fields::{self, Fields};
use crate::{Origin, failures, json};

/// The errors a stream may tell, and the status each would have been answered with. What the model
/// did wrong in mid-stream (424) is nobody's request's fault.
const EXCEPTIONS: [(&str, u16); 5] = [
    ("internalServerException", 500),
    ("modelStreamErrorException", 502),
    ("validationException", 400),
    ("throttlingException", 429),
    ("serviceUnavailableException", 503),
];

/// Puts a block of a service's tool together.
pub(super) fn whole(field: &str, start: &RawJson, said: &[String]) -> RawJson {
    let mut out = Vec::new();
    json::object(&mut out, |block| {
        block.nest(field, |written| {
            let fields = fields::body(start.text().as_bytes());
            written.extras(&fields.map(Fields::rest).unwrap_or_default());
            if field == "toolResult" {
                written.with("content", |out| {
                    json::list(out, said, |out, item| out.extend_from_slice(item.as_bytes()));
                });
                return;
            }
            let text = said.concat();
            match RawJson::parse(text) {
                Ok(input) => written.raw("input", &input),
                Err(_) => written.field("input", &said.concat()),
            }
        });
    });
    response::raw(out)
}

/// Reads an error told in a stream.
pub(super) fn told(origin: &Origin, exception: &str, data: &[u8]) -> Failure {
    let row = EXCEPTIONS.iter().find(|(name, _)| *name == exception);
    let mut fields = fields::body(data).ok();
    let string = |name| {
        let text = fields.as_mut()?.take_if(name, |text| text.is_string(), |text| text.string());
        text.ok().flatten()
    };
    let message = ["message", "Message", "originalMessage"].into_iter().find_map(string);
    let mut error = Vec::new();
    json::object(&mut error, |error| {
        error.field("code", exception);
        error.field("message", &message.unwrap_or_default());
    });
    failures::inside(&origin.family, row.map_or(500, |(_, status)| *status), &error)
}

/// Notes the fields of a message that nobody took.
pub(super) fn note_all(fields: &Fields<'_, '_>, out: &mut Vec<Event>) {
    for (name, raw) in fields.left().filter(|(_, raw)| raw.get() != "null") {
        out.push(Event::Note(Scope::Answer, name.to_owned(), RawJson::keep(raw)));
    }
}

/// Notes a piece of content of a kind nobody knows.
pub(super) fn note(fields: &Fields<'_, '_>, name: &str, out: &mut Vec<Event>) {
    for (kind, raw) in fields.left() {
        let mut list = Vec::new();
        json::list(&mut list, [raw], |out, raw| {
            json::object(out, |object| object.raw(kind, &RawJson::keep(raw)));
        });
        out.push(Event::Note(Scope::Turn(0), name.to_owned(), response::raw(list)));
    }
}
