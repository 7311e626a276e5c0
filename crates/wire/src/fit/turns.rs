//! Turns: every call has its result, somebody speaks beside the instructions, and bytes are spelled in
//! the one alphabet that everybody reads.

use std::collections::BTreeSet;

use ir::{AssistantPart, Dialect, Extras, Source, Text, ToolResult, Turn, UserPart};

use super::Fitted;

/// Fits the turns.
pub(super) fn fit(dialect: Dialect, fitted: &mut Fitted<'_>) {
    answered(fitted);
    spoken(fitted);
    if dialect != Dialect::Gemini {
        spelled(fitted);
    }
}

/// Gives a result to every call that was never answered though the conversation went on: an
/// interrupted client leaves them so, and most providers refuse it.
fn answered(fitted: &mut Fitted<'_>) {
    let turns = &fitted.request.turns;
    let results: BTreeSet<&str> = turns
        .iter()
        .filter_map(|turn| match turn {
            Turn::Result(result) => Some(result.call.as_str()),
            _ => None,
        })
        .collect();
    let mut missing: Vec<(usize, String, String)> = Vec::new();
    for (at, turn) in turns.iter().enumerate().take(turns.len().saturating_sub(1)) {
        let Turn::Assistant(said) = turn else { continue };
        for part in said.parts.iter().rev() {
            if let AssistantPart::ToolCall(call) = part
                && !results.contains(call.id.as_str())
            {
                missing.push((at, call.id.clone(), call.name.clone()));
            }
        }
    }
    // From the last turn on, so that the places before stay what they are; in a turn from its first
    // call on.
    for (at, call, name) in missing.into_iter().rev() {
        let after = at + 1;
        let results = |turn: &Turn| matches!(turn, Turn::Result(_));
        let turns = &mut fitted.request.to_mut().turns;
        let more = turns[after..].iter().take_while(|turn| results(turn)).count();
        let text =
            Text { text: "no result: the call was interrupted".to_owned(), ..Text::default() };
        let result = ToolResult {
            call,
            name: Some(name),
            parts: vec![UserPart::Text(text)],
            failed: Some(true),
            cache: None,
            extras: Extras::default(),
        };
        turns.insert(after + more, Turn::Result(result));
        fitted.lose(format!("turns[{at}]"), "a call without a result is told to have failed");
    }
}

/// Lets somebody speak where there are instructions alone: most providers refuse a conversation in
/// which nobody does.
fn spoken(fitted: &mut Fitted<'_>) {
    let blank =
        |part: &UserPart| matches!(part, UserPart::Text(text) if text.text.trim().is_empty());
    let speaks = |turn: &Turn| match turn {
        Turn::Instruct { .. } => false,
        Turn::User { parts, .. } => !parts.iter().all(blank),
        _ => true,
    };
    if fitted.request.turns.iter().any(speaks) {
        return;
    }
    let turns = &mut fitted.request.to_mut().turns;
    turns.retain(|turn| matches!(turn, Turn::Instruct { .. }));
    let Some(at) = turns.len().checked_sub(1) else { return };
    if let Turn::Instruct { parts, extras, .. } = turns[at].clone() {
        turns[at] = Turn::User { parts, extras };
    }
    fitted.lose(format!("turns[{at}]"), "said as the user's, since nobody else speaks");
}

/// Spells inline bytes in the common alphabet of base64 (RFC 4648, section 4), and media types without
/// parameters; Google's own clients use the one for addresses.
fn spelled(fitted: &mut Fitted<'_>) {
    let odd = |source: &Source| match source {
        Source::Inline { media_type, base64 } => {
            base64.contains(['-', '_']) || media_type.contains(';') || media_type == "image/jpg"
        }
        _ => false,
    };
    let of = |part: &UserPart| match part {
        UserPart::Image(image) => odd(&image.source),
        UserPart::File(file) => odd(&file.source),
        _ => false,
    };
    let has = |turn: &Turn| parts(turn).iter().any(of);
    if !fitted.request.turns.iter().any(has) {
        return;
    }
    for turn in &mut fitted.request.to_mut().turns {
        for part in parts_mut(turn) {
            let source = match part {
                UserPart::Image(image) => &mut image.source,
                UserPart::File(file) => &mut file.source,
                _ => continue,
            };
            if let Source::Inline { media_type, base64 } = source {
                respell(media_type, base64);
            }
        }
    }
}

fn respell(media_type: &mut String, base64: &mut String) {
    if let Some(end) = media_type.find(';') {
        media_type.truncate(end);
    }
    if media_type == "image/jpg" {
        "image/jpeg".clone_into(media_type);
    }
    if base64.contains(['-', '_']) {
        *base64 = base64.replace('-', "+").replace('_', "/");
        while !base64.len().is_multiple_of(4) {
            base64.push('=');
        }
    }
}

fn parts(turn: &Turn) -> &[UserPart] {
    match turn {
        Turn::Instruct { parts, .. } | Turn::User { parts, .. } => parts,
        Turn::Result(result) => &result.parts,
        Turn::Assistant(_) | Turn::Other(_) => &[],
    }
}

fn parts_mut(turn: &mut Turn) -> &mut [UserPart] {
    match turn {
        Turn::Instruct { parts, .. } | Turn::User { parts, .. } => parts,
        Turn::Result(result) => &mut result.parts,
        Turn::Assistant(_) | Turn::Other(_) => &mut [],
    }
}
