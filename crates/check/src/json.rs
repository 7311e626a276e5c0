//! Whether an answer is JSON, and fits what the caller asked for.

use ir::Finish;
use serde_json::Value;

use crate::repair::{self, Open};
use crate::schema::Fit;
use crate::{Answer, Finding, Shape, Wanted};

/// How JSON is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Json {
    /// As it came.
    AsItCame,
    /// Mended where it must be.
    Mended,
}

/// What was found, and the mended text where there is one.
pub(crate) struct Judged {
    pub(crate) finding: Finding,
    pub(crate) repaired: Option<String>,
}

/// Checks that an answer is JSON of the shape that is wanted.
pub(crate) fn check(json: Json, wanted: &Wanted, answer: &Answer<'_>) -> Judged {
    let check = "json";
    let error = match serde_json::from_str::<Value>(&answer.text) {
        Ok(value) => {
            let finding = match fits(&wanted.shape, &value) {
                Ok(why) => Finding::pass(check, why),
                Err(why) => Finding::fail(check, why),
            };
            return Judged { finding, repaired: None };
        }
        Err(error) => error,
    };
    let broken = broken(&error);
    if json == Json::AsItCame {
        return Judged { finding: Finding::fail(check, broken), repaired: None };
    }
    let mended = repair::mend(&answer.text, open(answer));
    let value = mended.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(value) = value else {
        let why = format!("{broken}, and it cannot be mended");
        return Judged { finding: Finding::fail(check, why), repaired: None };
    };
    match fits(&wanted.shape, &value) {
        Ok(why) => Judged {
            finding: Finding::pass(check, format!("{why}, once mended")),
            repaired: mended,
        },
        Err(why) => {
            Judged { finding: Finding::fail(check, format!("{why}, even mended")), repaired: None }
        }
    }
}

/// Says where a text stops being JSON, and not how: the parser may quote it.
pub(crate) fn broken(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    if error.is_eof() {
        return format!("breaks off as JSON at line {line}, column {column}");
    }
    format!("no JSON at line {line}, column {column}")
}

fn open(answer: &Answer<'_>) -> Open {
    match answer.finish {
        Some(Finish::Length | Finish::ContentFilter | Finish::Pause) => Open::Keep,
        _ => Open::Close,
    }
}

fn fits(shape: &Shape, value: &Value) -> Result<String, String> {
    match shape {
        Shape::Text => Ok("JSON".to_owned()),
        Shape::Json if value.is_object() || value.is_array() => Ok("JSON".to_owned()),
        Shape::Json => Err("JSON, but neither an object nor a list".to_owned()),
        Shape::Schema(schema) => match schema.fit(value) {
            Fit::Fits => Ok("fits its schema".to_owned()),
            Fit::Unusable(why) => Ok(format!("JSON; {why}")),
            Fit::Misfit(place) => Err(format!("does not fit its schema: {place}")),
        },
    }
}
