//! Plays a recorded exchange: its status, its headers but for those of the connection it was
//! recorded on, and its body byte for byte, cut as the script says.

use bytes::Bytes;

use super::dialect::Dialect;
use super::exchange::{Exchange, Head, Step};
use super::spoil::{Good, Kind};

use crate::{Case, Cut};

/// Headers of a recording that belong to its connection, or name what recorders strip.
const OF_THE_CONNECTION: [&str; 12] = [
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "connection",
    "set-cookie",
    "keep-alive",
    "alt-svc",
    "strict-transport-security",
    "date",
    "server",
    "report-to",
    "nel",
];

/// Returns the recorded answer, cut.
pub(super) fn recorded(case: &Case, cut: Cut) -> Exchange {
    let Ok(pieces) = case.pieces(cut) else { return unreadable(case).exchange() };
    let mut steps = Vec::new();
    for piece in pieces {
        if cut == Cut::Slow && !steps.is_empty() {
            steps.push(Step::Wait(Cut::PAUSE));
        }
        steps.push(Step::Send(piece));
    }
    if cut == Cut::Drop {
        steps.push(Step::Break);
    }
    Exchange { head: head(case), steps }
}

/// Returns the recorded answer as the good one that a fault is laid over.
pub(super) fn recorded_good(case: &Case) -> Good {
    let (cut, kind) = match case.framing.as_str() {
        "sse" => (Cut::Event, Kind::Events),
        _ => (Cut::Whole, Kind::Whole),
    };
    let Ok(frames) = case.pieces(cut) else { return unreadable(case) };
    Good { dialect: Dialect::at(&case.path), head: head(case), frames, kind }
}

fn head(case: &Case) -> Head {
    let kept = case.response_headers.iter().filter(|(name, value)| {
        let name = name.to_ascii_lowercase();
        !OF_THE_CONNECTION.contains(&name.as_str())
            && name != "content-type"
            && !value.contains('\n')
            && *value != "[REDACTED]"
    });
    let content_type = case
        .header("content-type")
        .filter(|value| !value.to_ascii_lowercase().contains("redacted"))
        .unwrap_or_else(|| usual_content_type(case));
    let mut head = Head::of(case.status, content_type);
    head.headers.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    head
}

fn usual_content_type(case: &Case) -> &'static str {
    match case.framing.as_str() {
        "eventstream" => "application/vnd.amazon.eventstream",
        "sse" => "text/event-stream",
        "ndjson" => "application/x-ndjson",
        _ => "application/json",
    }
}

/// 599 is no provider's status, so nobody takes it for an answer.
fn unreadable(case: &Case) -> Good {
    let text = format!("the body of record {} is not base64", case.id);
    let head = Head::of(599, "text/plain");
    Good { dialect: Dialect::Chat, head, frames: vec![Bytes::from(text)], kind: Kind::Whole }
}
