//! Whole answers, and what they share with the lines of a stream.

use ir::{
    Arguments, AssistantPart, AssistantTurn, CallKind, Candidate, Counted, Dialect, Extras,
    Failure, Finish, Kind, RawJson, Reasoning, Response, Said, Tokens, ToolCall, Usage,
};

use crate::decode::DecodeError;
use crate::fields::{self, Fields, Value};
use crate::{Origin, failures};

const HERE: Dialect = Dialect::Ollama;

/// Reads an answer.
pub fn read(origin: &Origin, body: &[u8]) -> Result<Response, Failure> {
    let mut fields = fields::body(body).map_err(malformed)?;
    if is_error(&fields) {
        return Err(failures::inside(&origin.family, 200, body));
    }
    read_fields(origin, &mut fields)
        .map(|response| Response { extras: fields.rest(), ..response })
        .map_err(malformed)
}

/// Returns whether a line tells an error.
pub(super) fn is_error(fields: &Fields<'_, '_>) -> bool {
    fields.peek("error").is_some_and(|error| error.get() != "null")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` takes")]
pub(super) fn malformed(error: DecodeError) -> Failure {
    let said = format!("the provider's answer could not be read: {error}");
    Failure::new(Kind::MalformedReply, said)
}

fn read_fields(origin: &Origin, fields: &mut Fields<'_, '_>) -> Result<Response, DecodeError> {
    let said = fields.need("message", |message| read_message(origin, 0, message))?;
    let mut candidate = Candidate::default();
    let called = !said.calls.is_empty();
    let text = |text| AssistantPart::Text(Said { text, ..Said::default() });
    let thoughts = |text| AssistantPart::Reasoning(Reasoning { text, carrier: None });
    let some = |text: String| (!text.is_empty()).then_some(text);
    let parts = some(said.thoughts).map(thoughts).into_iter();
    let parts = parts.chain(some(said.text).map(text));
    let parts = parts.chain(said.calls.into_iter().map(AssistantPart::ToolCall)).collect();
    candidate.turn = AssistantTurn { parts, extras: said.extras };
    if let Some((finish, word)) = read_finish(fields, called)? {
        candidate.finish = Some(finish);
        candidate.extras.0.extend(word);
    }
    Ok(Response {
        spoken: HERE,
        id: None,
        model: fields.take_if("model", |model| model.is_string(), |model| model.string())?,
        created: read_created(fields)?,
        usage: read_usage(fields)?,
        candidates: vec![candidate],
        extras: {
            // What the writer says of itself.
            fields.take("done", |_| Ok(()))?;
            Extras::default()
        },
    })
}

/// What a message says, whole or of a stream's line.
pub(super) struct Message {
    pub(super) thoughts: String,
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
    pub(super) extras: Extras,
}

/// Reads a message; `called` is how many calls there were before it.
pub(super) fn read_message(
    origin: &Origin,
    called: usize,
    message: Value<'_, '_>,
) -> Result<Message, DecodeError> {
    let mut fields = message.object()?;
    fields.take_if("role", |role| role.raw.get() == "\"assistant\"", |_| Ok(()))?;
    let mut string =
        |name: &str| fields.take_if(name, |text| text.is_string(), |text| text.string());
    let (thoughts, text) = (string("thinking")?, string("content")?);
    let mut nth = called;
    let calls = fields.take_if(
        "tool_calls",
        |calls| calls.is_list(),
        |calls| {
            calls.each(|call| {
                nth += 1;
                read_call(origin, nth - 1, call)
            })
        },
    )?;
    Ok(Message {
        thoughts: thoughts.unwrap_or_default(),
        text: text.unwrap_or_default(),
        calls: calls.unwrap_or_default(),
        extras: fields.rest(),
    })
}

fn read_call(origin: &Origin, nth: usize, call: Value<'_, '_>) -> Result<ToolCall, DecodeError> {
    let mut fields = call.object()?;
    let id = fields.take_if("id", |id| id.is_string(), |id| id.string())?;
    let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| origin.seed.call_id(nth));
    fields.take_if("type", |kind| kind.raw.get() == "\"function\"", |_| Ok(()))?;
    let (name, arguments, mut extras) = fields.need("function", |function| {
        let mut function = function.object()?;
        let name = function.need("name", |name| name.string())?;
        let arguments = function.take("arguments", |arguments| {
            if arguments.is_string() {
                return arguments.string();
            }
            Ok(arguments.raw.get().to_owned())
        })?;
        // Where the call stands says the list itself.
        function.take_if("index", |index| index.count().is_ok(), |_| Ok(()))?;
        Ok((name, Arguments(arguments.unwrap_or_default()), function.rest()))
    })?;
    extras.0.extend(fields.rest().0);
    Ok(ToolCall {
        id,
        name,
        kind: CallKind::Function,
        arguments,
        carrier: None,
        cache: None,
        extras,
    })
}

/// Reads why the model stopped, with its word where that says something else: calls of tools end
/// with `stop`.
#[expect(clippy::type_complexity, reason = "a finish, and perhaps one extra field")]
pub(super) fn read_finish(
    fields: &mut Fields<'_, '_>,
    called: bool,
) -> Result<Option<(Finish, Option<(String, RawJson)>)>, DecodeError> {
    let word = fields.take_if("done_reason", |word| word.is_string(), |word| word.string())?;
    Ok(word.filter(|word| !word.is_empty()).map(|word| {
        let (finish, canonical) = match word.as_str() {
            "stop" if called => (Finish::ToolCalls, false),
            "stop" => (Finish::Stop, true),
            "length" => (Finish::Length, true),
            other => (Finish::Other(other.to_owned()), true),
        };
        (finish, (!canonical).then(|| ("done_reason".to_owned(), RawJson::string(&word))))
    }))
}

/// Reads usage, where it is said; the durations beside it are extras of the answer.
pub(super) fn read_usage(fields: &mut Fields<'_, '_>) -> Result<Option<Usage>, DecodeError> {
    let mut count = |name: &str| fields.take_if(name, |n| n.count().is_ok(), |n| n.count());
    let (input, output) = (count("prompt_eval_count")?, count("eval_count")?);
    if input.is_none() && output.is_none() {
        return Ok(None);
    }
    Ok(Some(Usage {
        input: Tokens(input.unwrap_or(0)),
        cached_input: Tokens(0),
        cache_write: Tokens(0),
        output: Tokens(output.unwrap_or(0)),
        reasoning: Tokens(0),
        counted: Counted::Reported,
        extras: Extras::default(),
    }))
}

/// Reads when the answer was made; a time that is none stays among the rest.
pub(super) fn read_created(fields: &mut Fields<'_, '_>) -> Result<Option<u64>, DecodeError> {
    let read = |at: Value<'_, '_>| at.text().ok().and_then(|text| seconds(&text));
    let created = fields.take_if("created_at", |at| read(at).is_some(), |at| Ok(read(at)))?;
    Ok(created.flatten())
}

/// Turns `2026-08-07T06:08:11.017589Z`, or the same with an offset, into seconds since 1970.
fn seconds(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let rest = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match rest.split_at_checked(1) {
        Some(("Z", "")) => 0,
        Some((sign @ ("+" | "-"), offset)) => {
            let (hours, minutes) = offset.split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if sign == "-" { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days counted by eras of 400 years that begin in March (Hinnant).
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60;
    u64::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_is_counted_in_seconds() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2026-08-07T06:08:11.017589Z"), Some(1_786_082_891));
        assert_eq!(seconds("2024-02-29T23:59:59.5-07:00"), Some(1_709_276_399));
        for none in ["", "2026-08-07", "2026-08-07T06:08:11", "2026-xx-07T06:08:11Z", "é"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }
}
