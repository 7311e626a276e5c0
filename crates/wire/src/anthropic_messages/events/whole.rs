//! A whole part of an answer, told as a stream.

use ir::{AssistantPart, Event, PartKind, Spot};

/// Tells a part from its start to its end; returns whether there was anything to tell.
pub(super) fn tell(part: AssistantPart, spot: Spot, out: &mut Vec<Event>) -> bool {
    let (kind, text, carrier, citations) = match part {
        AssistantPart::Text(said) => (PartKind::Text, said.text, said.carrier, said.citations),
        AssistantPart::Reasoning(thoughts) => {
            (PartKind::Reasoning, thoughts.text, thoughts.carrier, Vec::new())
        }
        AssistantPart::ToolCall(call) => {
            let kind = PartKind::ToolCall { id: call.id, name: call.name, kind: call.kind };
            (kind, call.arguments.0, call.carrier, Vec::new())
        }
        AssistantPart::Other(opaque) => (PartKind::Other(opaque), String::new(), None, Vec::new()),
        // No block of the dialect is read as one of these.
        AssistantPart::Refusal(_) | AssistantPart::Image(_) => return false,
    };
    out.push(Event::Open(spot, kind));
    if !text.is_empty() {
        out.push(Event::Delta(spot, text));
    }
    out.extend(citations.into_iter().map(|citation| Event::Cite(spot, citation)));
    out.extend(carrier.map(|carrier| Event::Carry(spot, carrier)));
    out.push(Event::Close(spot));
    true
}
