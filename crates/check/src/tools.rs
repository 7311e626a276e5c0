//! Whether the tools that are called were offered, with arguments that fit.

use ir::CallKind;
use serde_json::Value;

use crate::schema::Fit;
use crate::{Answer, Call, Finding, Schema, Wanted, json};

/// Checks every call of an answer; calls are named by number, because names may be made up.
pub(crate) fn check(wanted: &Wanted, answer: &Answer<'_>) -> Finding {
    let check = "tools";
    let all = answer.calls.len();
    let mut notes = Vec::new();
    for (call, number) in answer.calls.iter().zip(1..) {
        match judge(wanted, call) {
            Ok(None) => {}
            Ok(Some(note)) => notes.push(format!("call {number} of {all}: {note}")),
            Err(why) => return Finding::fail(check, format!("call {number} of {all}: {why}")),
        }
    }
    match (all, notes.is_empty()) {
        (0, _) => Finding::pass(check, "no call"),
        (_, true) => Finding::pass(check, format!("{all} of {all} calls fit")),
        (_, false) => Finding::pass(check, notes.join("; ")),
    }
}

/// Judges one call: what is wrong with it, or what could not be judged.
fn judge(wanted: &Wanted, call: &Call<'_>) -> Result<Option<&'static str>, String> {
    let Some(offered) = wanted.tools.iter().find(|tool| tool.name == call.name) else {
        if wanted.hosted_tools {
            return Ok(Some("a tool this request does not name, as it may"));
        }
        return Err("this tool was not offered".to_owned());
    };
    if offered.kind == CallKind::Custom || call.kind == CallKind::Custom {
        return Ok(None);
    }
    let text = if call.arguments.trim().is_empty() { "{}" } else { call.arguments };
    let arguments: Value = serde_json::from_str(text)
        .map_err(|error| format!("its arguments: {}", json::broken(&error)))?;
    if !arguments.is_object() {
        return Err("its arguments are no object".to_owned());
    }
    match offered.schema.as_ref().map(|schema| Schema::read(schema).fit(&arguments)) {
        None | Some(Fit::Fits) => Ok(None),
        Some(Fit::Unusable(why)) => Ok(Some(why)),
        Some(Fit::Misfit(place)) => Err(format!("its arguments do not fit: {place}")),
    }
}

#[cfg(test)]
mod tests;
