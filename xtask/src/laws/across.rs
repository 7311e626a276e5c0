//! Translation over recorded exchanges: what an answer says survives every client dialect, whole
//! and streamed; what a request says survives every dialect, but for declared losses.

use ir::event::unfold;
use ir::{AssistantPart, Candidate, Dialect, Event, Fold, Inbound, Quirks, Request, Response};
use wire::EventWriter;
use wire::failures::Context;

use super::{facts, origin};

/// What an answer says, as any client may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    text: String,
    reasoning: String,
    calls: Vec<(String, String)>,
    stop: &'static str,
}

/// Judges an answer in every client dialect; returns what differs.
pub(super) fn answer(response: &Response) -> Result<(), String> {
    for inbound in Inbound::ALL {
        let expected = said(response, inbound);
        let origin = origin(inbound.dialect(), "");
        let bytes = wire::write_response(inbound, response);
        let read = wire::read_response(&origin, &bytes)
            .map_err(|failure| format!("{inbound:?} whole cannot be read again: {failure}"))?;
        differ(inbound, "whole", &expected, &said(&read, inbound))?;
        used(inbound, "whole", response, &read)?;
        let (read, events) = streamed(response.spoken, inbound, &unfold(response))?;
        differ(inbound, "streamed", &expected, &said(&read, inbound))?;
        used(inbound, "streamed", response, &read)?;
        grammatical(&events).map_err(|broken| format!("{inbound:?} streamed: {broken}"))?;
    }
    Ok(())
}

/// Judges the events of a stream in every client dialect; returns what differs.
pub(super) fn stream(from: Dialect, events: &[Event]) -> Result<(), String> {
    let response = fold(from, events)?;
    for inbound in Inbound::ALL {
        let (read, written) = streamed(from, inbound, events)?;
        differ(inbound, "streamed", &said(&response, inbound), &said(&read, inbound))?;
        used(inbound, "streamed", &response, &read)?;
        grammatical(&written).map_err(|broken| format!("{inbound:?} streamed: {broken}"))?;
    }
    Ok(())
}

/// Judges a request in every other dialect that can be read again; returns what got lost silently.
pub(super) fn request(request: &Request) -> Result<(), String> {
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != request.spoken) {
        let written = wire::write_request(dialect, request, Quirks::default());
        if serde_json::from_slice::<serde_json::Value>(&written.bytes).is_err() {
            return Err(format!("{} is no JSON", dialect.name()));
        }
        let inbound = Inbound::ALL.into_iter().find(|inbound| inbound.dialect() == dialect);
        let Some(inbound) = inbound else { continue };
        let read = wire::read_request(inbound, &written.bytes)
            .map_err(|error| format!("{} cannot be read again: {error}", dialect.name()))?;
        if let Some(fact) = facts::silently_lost(request, &read, &written.losses) {
            return Err(format!("{} lost silently: {fact:?}", dialect.name()));
        }
    }
    Ok(())
}

fn streamed(
    from: Dialect,
    inbound: Inbound,
    events: &[Event],
) -> Result<(Response, Vec<Event>), String> {
    let mut writer = EventWriter::new(inbound, from, true);
    let mut bytes = Vec::new();
    for event in events {
        writer.write(event, &Context::default(), &mut bytes);
    }
    let read = super::events(inbound.dialect(), "", &[bytes.into()]);
    let response = fold(inbound.dialect(), &read).map_err(|why| format!("{inbound:?}: {why}"))?;
    Ok((response, read))
}

fn fold(dialect: Dialect, events: &[Event]) -> Result<Response, String> {
    let mut fold = Fold::new(dialect);
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish().map_err(|failure| failure.to_string())
}

fn grammatical(events: &[Event]) -> Result<(), String> {
    super::grammatical(events)
}

fn differ(inbound: Inbound, how: &str, expected: &[Said], read: &[Said]) -> Result<(), String> {
    if expected == read {
        return Ok(());
    }
    Err(format!("{inbound:?} {how} differs: expected {expected:?}, read {read:?}"))
}

/// Usage must count the same, where it was said.
fn used(inbound: Inbound, how: &str, before: &Response, after: &Response) -> Result<(), String> {
    let counts = |response: &Response| {
        let usage = response.usage.as_ref()?;
        Some([usage.input.0, usage.cached_input.0, usage.output.0])
    };
    match (counts(before), counts(after)) {
        (Some(before), after) if Some(before) != after => {
            Err(format!("{inbound:?} {how} counts differ: {before:?}, read {after:?}"))
        }
        _ => Ok(()),
    }
}

/// Anthropic's answers hold no pictures, so there they are links in the text.
fn without_pictures(text: &str) -> String {
    match text.find("![image](") {
        None => text.to_owned(),
        Some(at) => text[..at].trim_end().to_owned(),
    }
}

fn said(response: &Response, inbound: Inbound) -> Vec<Said> {
    // Two of the dialects have one answer a request.
    let most = match inbound {
        Inbound::AnthropicMessages | Inbound::OpenaiResponses => 1,
        Inbound::OpenaiChat | Inbound::Gemini => usize::MAX,
    };
    response.candidates.iter().take(most).map(of_candidate).collect()
}

fn of_candidate(candidate: &Candidate) -> Said {
    let mut said =
        Said { text: String::new(), reasoning: String::new(), calls: Vec::new(), stop: "" };
    for part in &candidate.turn.parts {
        match part {
            AssistantPart::Text(text) => said.text += &text.text,
            AssistantPart::Refusal(text) => said.text += text,
            AssistantPart::Reasoning(thoughts) => said.reasoning += &thoughts.text,
            AssistantPart::ToolCall(call) => {
                said.calls.push((call.name.clone(), facts::arguments(call)));
            }
            AssistantPart::Image(_) | AssistantPart::Other(_) => {}
        }
    }
    said.text = without_pictures(&said.text).trim_end().to_owned();
    said.stop = super::stop(candidate.finish.as_ref(), !said.calls.is_empty());
    said
}
