//! Thoughts that nobody signed. A client of another dialect is given them with an empty mark of whose
//! they are: without one it would send them back as thoughts of its own dialect, which that
//! dialect's providers refuse.

use ir::{AssistantPart, Dialect, Event, Inbound, Opaque, PartKind, RawJson, Response, Spot, Turn};

use super::Fitted;

/// Says nothing but whose the thoughts are.
fn mark(dialect: Dialect) -> Opaque {
    let raw = RawJson::parse("null".to_owned()).expect("invariant: null is JSON");
    Opaque { dialect, raw }
}

fn is_mark(carrier: &Opaque) -> bool {
    carrier.raw.text() == "null"
}

/// The dialects whose clients send thoughts back, and whose providers check them.
fn checks(inbound: Inbound) -> bool {
    matches!(inbound, Inbound::AnthropicMessages | Inbound::OpenaiResponses)
}

/// Returns an answer with its unsigned thoughts marked, where a client of this dialect needs it.
pub(crate) fn marked(inbound: Inbound, response: &Response) -> Option<Response> {
    let unsigned = |part: &AssistantPart| matches!(part, AssistantPart::Reasoning(thoughts) if thoughts.carrier.is_none());
    let foreign = response.spoken != inbound.dialect();
    let any = |response: &Response| {
        response.candidates.iter().any(|candidate| candidate.turn.parts.iter().any(unsigned))
    };
    if !foreign || !checks(inbound) || !any(response) {
        return None;
    }
    let mut response = response.clone();
    for candidate in &mut response.candidates {
        for part in &mut candidate.turn.parts {
            if let AssistantPart::Reasoning(thoughts) = part {
                thoughts.carrier.get_or_insert_with(|| mark(response.spoken));
            }
        }
    }
    Some(response)
}

/// Marks unsigned thoughts in a stream.
#[derive(Debug, Default)]
pub(crate) struct Unsigned {
    open: Vec<Spot>,
}

impl Unsigned {
    /// Takes an event and returns what must be said before it.
    pub(crate) fn before(
        &mut self,
        inbound: Inbound,
        from: Dialect,
        event: &Event,
    ) -> Option<Event> {
        if !checks(inbound) || from == inbound.dialect() {
            return None;
        }
        match event {
            Event::Open(spot, PartKind::Reasoning) => self.open.push(*spot),
            Event::Carry(spot, _) => self.open.retain(|open| open != spot),
            Event::Close(spot) if self.open.contains(spot) => {
                self.open.retain(|open| open != spot);
                return Some(Event::Carry(*spot, mark(from)));
            }
            _ => {}
        }
        None
    }
}

/// Takes the marks off where the thoughts are at home again.
pub(super) fn unmark(dialect: Dialect, fitted: &mut Fitted<'_>) {
    let ours = |part: &AssistantPart| match part {
        AssistantPart::Reasoning(thoughts) => thoughts
            .carrier
            .as_ref()
            .is_some_and(|carrier| carrier.dialect == dialect && is_mark(carrier)),
        _ => false,
    };
    let has = |turn: &Turn| match turn {
        Turn::Assistant(turn) => turn.parts.iter().any(ours),
        _ => false,
    };
    if !fitted.request.turns.iter().any(has) {
        return;
    }
    for turn in &mut fitted.request.to_mut().turns {
        let Turn::Assistant(turn) = turn else { continue };
        for part in turn.parts.iter_mut().filter(|part| ours(part)) {
            if let AssistantPart::Reasoning(thoughts) = part {
                thoughts.carrier = None;
            }
        }
    }
}
