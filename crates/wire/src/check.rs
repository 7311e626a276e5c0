//! What no dialect forbids in its grammar and every provider refuses: a result of a call that nobody
//! made, two calls of one id, bytes that are no base64. Said of the canonical conversation, so that
//! it is said alike in every dialect, and before anything is sent.

use std::collections::HashSet;

use ir::{AssistantPart, Request, Source, Turn, UserPart};

use crate::decode::{DecodeError, Why};

/// Fields of a request that continue a conversation stored at the provider: calls may stand there.
const STORED: [&str; 2] = ["previous_response_id", "conversation"];

/// Checks a request that was read; the path of an error is one of the canonical conversation, such
/// as `turns[2].parts[0]`.
pub fn check(request: &Request) -> Result<(), DecodeError> {
    let mut calls = HashSet::new();
    let mut known = !STORED.iter().any(|name| request.extras.get(name).is_some());
    for (at, turn) in request.turns.iter().enumerate() {
        match turn {
            Turn::Instruct { parts, .. } | Turn::User { parts, .. } => check_parts(at, parts)?,
            Turn::Assistant(turn) => {
                for (part, said) in turn.parts.iter().enumerate() {
                    match said {
                        AssistantPart::ToolCall(call) => {
                            if !call.id.is_empty() && !calls.insert(call.id.as_str()) {
                                return Err(error(at, Some(part), Why::SameCall(call.id.clone())));
                            }
                        }
                        AssistantPart::Image(image) => check_source(at, part, &image.source)?,
                        // It may hold a call.
                        AssistantPart::Other(_) => known = false,
                        AssistantPart::Text(_)
                        | AssistantPart::Refusal(_)
                        | AssistantPart::Reasoning(_) => {}
                    }
                }
            }
            Turn::Result(result) => {
                if known && !calls.contains(result.call.as_str()) {
                    return Err(error(at, None, Why::NoCall(result.call.clone())));
                }
                check_parts(at, &result.parts)?;
            }
            Turn::Other(_) => known = false,
        }
    }
    Ok(())
}

fn check_parts(turn: usize, parts: &[UserPart]) -> Result<(), DecodeError> {
    for (at, part) in parts.iter().enumerate() {
        match part {
            UserPart::Image(image) => check_source(turn, at, &image.source)?,
            UserPart::File(file) => check_source(turn, at, &file.source)?,
            UserPart::Text(_) | UserPart::Other(_) => {}
        }
    }
    Ok(())
}

fn check_source(turn: usize, part: usize, source: &Source) -> Result<(), DecodeError> {
    match source {
        Source::Inline { base64, .. } if !is_base64(base64) => {
            Err(error(turn, Some(part), Why::NotBase64))
        }
        _ => Ok(()),
    }
}

/// Returns whether a text is base64 in either alphabet, with or without its padding.
fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let whole = if padding == 0 { bare.len() % 4 != 1 } else { text.len().is_multiple_of(4) };
    padding <= 2 && whole && bare.bytes().all(letter)
}

fn error(turn: usize, part: Option<usize>, why: Why) -> DecodeError {
    let part = part.map(|part| format!(".parts[{part}]")).unwrap_or_default();
    DecodeError { path: format!("turns[{turn}]{part}"), byte: 0, why }
}
