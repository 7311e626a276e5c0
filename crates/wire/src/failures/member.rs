//! The single things an error says, by the members they stand in: message, code, field at fault,
//! status, how long to wait, and all its words together.

use std::time::Duration;

use serde_json::{Map, Value};

use super::moment;

/// How much of an error's words is looked at.
pub(super) const LOOKED_AT: usize = 16 << 10;

/// How much of a message is passed on.
const LONGEST_MESSAGE: usize = 2_000;

/// Members that quote what a caller or a model wrote, which says nothing of the error.
const QUOTING: &[&str] = &[
    "failed_generation",
    "input",
    "choices",
    "output",
    "messages",
    "instructions",
    "raw",
    "id",
    "user_id",
    "request_id",
    "usage",
];

/// Where a message stands, first come first served.
const MESSAGES: &[&str] = &[
    "message",
    "detail",
    "error_message",
    "msg",
    "error_description",
    "Message",
    "errorMessage",
    "status_msg",
    "title",
    "details",
];

/// Where a code stands; words come before numbers, which only repeat the status.
pub(super) const CODES: &[&str] =
    &["code", "error_code", "type", "status", "error_type", "__type", "status_code"];

/// Reads the message, whatever kind of value it is.
pub(super) fn message(fields: &Map<String, Value>) -> Option<String> {
    let said = MESSAGES.iter().find_map(|name| match fields.get(*name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Object(inner) => message(inner),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(item).take(3).collect();
            (!items.is_empty()).then(|| items.join("; "))
        }
        _ => None,
    })?;
    // Vertex sometimes forgets to fill its template in, and has the text among the details.
    let unfilled = said.starts_with('$');
    let details = fields.get("details").filter(|_| unfilled).and_then(Value::as_array);
    let detail = details.and_then(|details| details.iter().find_map(|it| text(it.get("detail"))));
    Some(clip(detail.unwrap_or(said)))
}

/// Reads one complaint of a list: FastAPI says where and what.
fn item(item: &Value) -> Option<String> {
    let Value::Object(fields) = item else { return text(Some(item)) };
    let said = message(fields)?;
    Some(place(item).map_or(said.clone(), |place| format!("{place}: {said}")))
}

/// Reads FastAPI's place of an error, without the `body` it always begins with.
fn place(item: &Value) -> Option<String> {
    let steps = item.get("loc")?.as_array()?.iter();
    let steps: Vec<_> =
        steps.filter_map(|step| text(Some(step))).filter(|step| step != "body").collect();
    (!steps.is_empty()).then(|| steps.join("."))
}

/// Reads the code, or the type where there is none.
pub(super) fn code(fields: &Map<String, Value>) -> Option<String> {
    let codes = || CODES.iter().filter_map(|name| text(fields.get(*name)));
    let word = |code: &String| code != "error" && code.parse::<f64>().is_err();
    codes()
        .find(word)
        .or_else(|| codes().find(|code| code != "error"))
        .map(|code| bare(&code).to_owned())
}

/// Reads the field at fault.
pub(super) fn param(fields: &Map<String, Value>) -> Option<String> {
    let complaint = || {
        let lists = ["detail", "details"].iter().filter_map(|name| fields.get(*name));
        lists.filter_map(first_of).find_map(place)
    };
    let violation = || {
        let details = fields.get("details")?.as_array()?;
        details
            .iter()
            .find_map(|detail| text(first_of(detail.get("fieldViolations")?)?.get("field")))
    };
    text(fields.get("param")).or_else(complaint).or_else(violation)
}

/// Returns the first of a list.
pub(super) fn first_of(list: &Value) -> Option<&Value> {
    list.as_array()?.first()
}

/// Reads the status an error says it has, in one of the places where such numbers stand.
pub(super) fn status(fields: &Map<String, Value>) -> Option<u16> {
    let places = ["code", "status_code", "raw_status_code", "status"];
    let mut numbers = places.iter().filter_map(|name| text(fields.get(*name))?.parse().ok());
    numbers.find(|status| (400..600).contains(status))
}

/// Reads how long to wait, where a field says so: Google's `RetryInfo`, seconds elsewhere.
pub(super) fn wait(fields: &Map<String, Value>) -> Option<Duration> {
    let details = fields.get("details").and_then(Value::as_array);
    let delay = |detail: &Value| moment::span(detail.get("retryDelay")?.as_str()?);
    details.and_then(|details| details.iter().find_map(delay)).or_else(|| {
        let seconds = ["retry_after", "retry_after_seconds", "estimated_time"];
        let seconds = seconds.iter().find_map(|name| fields.get(*name)?.as_f64())?;
        Duration::try_from_secs_f64(seconds).ok()
    })
}

/// Gathers every text of an error, as far as it is about the error.
pub(super) fn gather(value: &Value, words: &mut String) {
    if words.len() > LOOKED_AT {
        return;
    }
    match value {
        Value::String(text) => {
            words.extend(text.chars().take(LOOKED_AT));
            words.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, words)),
        Value::Object(fields) => {
            let about = fields.iter().filter(|(name, _)| !QUOTING.contains(&name.as_str()));
            about.for_each(|(_, value)| gather(value, words));
        }
        _ => {}
    }
}

/// Takes an error's name out of Amazon's spelling, `namespace#Name:http://…`.
pub(super) fn bare(name: &str) -> &str {
    let name = name.split_once(":http").map_or(name, |(name, _)| name);
    let spelled = name.rsplit_once('#').map_or(name, |(_, name)| name);
    if spelled.contains(' ') { name } else { spelled }
}

/// Returns a text or a number as a text.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Shortens a message that is longer than anybody reads.
pub(super) fn clip(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(LONGEST_MESSAGE) {
        message.truncate(end);
        message.push('…');
    }
    message
}
