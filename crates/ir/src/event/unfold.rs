//! The inverse of folding: a whole answer as the events of a stream, part after part.

use super::{Event, PartKind, Spot};
use crate::{AssistantPart, Image, Response, Source};

/// Returns the events of a stream that folds to the answer.
pub fn unfold(response: &Response) -> Vec<Event> {
    let mut events = vec![Event::Start {
        id: response.id.clone(),
        model: response.model.clone(),
        created: response.created,
    }];
    for (candidate, answer) in (0_u32..).zip(&response.candidates) {
        for (part, said) in (0_u32..).zip(&answer.turn.parts) {
            open(Spot { candidate, part }, said, &mut events);
        }
        events.push(Event::Stop { candidate, finish: answer.finish.clone() });
    }
    events.extend(response.usage.clone().map(Event::Usage));
    events.push(Event::Finish);
    events
}

fn open(spot: Spot, part: &AssistantPart, events: &mut Vec<Event>) {
    let (kind, text) = match part {
        AssistantPart::Text(said) => (PartKind::Text, said.text.clone()),
        AssistantPart::Refusal(text) => (PartKind::Refusal, text.clone()),
        AssistantPart::Reasoning(thoughts) => (PartKind::Reasoning, thoughts.text.clone()),
        AssistantPart::ToolCall(call) => {
            let (id, name, kind) = (call.id.clone(), call.name.clone(), call.kind);
            (PartKind::ToolCall { id, name, kind }, call.arguments.0.clone())
        }
        AssistantPart::Image(Image { source: Source::Inline { media_type, base64 }, .. }) => {
            (PartKind::Image { media_type: media_type.clone() }, base64.clone())
        }
        // A picture at an address has no stream of bytes.
        AssistantPart::Image(_) => (PartKind::Text, String::new()),
        AssistantPart::Other(opaque) => (PartKind::Other(opaque.clone()), String::new()),
    };
    events.push(Event::Open(spot, kind));
    if !text.is_empty() {
        events.push(Event::Delta(spot, text));
    }
    let carrier = match part {
        AssistantPart::Text(said) => {
            events.extend(said.citations.iter().map(|cited| Event::Cite(spot, cited.clone())));
            said.carrier.as_ref()
        }
        AssistantPart::Reasoning(thoughts) => thoughts.carrier.as_ref(),
        AssistantPart::ToolCall(call) => call.carrier.as_ref(),
        _ => None,
    };
    events.extend(carrier.map(|carrier| Event::Carry(spot, carrier.clone())));
    events.push(Event::Close(spot));
}
