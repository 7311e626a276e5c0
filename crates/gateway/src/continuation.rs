//! Going on with a plain text that broke off after it had begun: another target gets what was said
//! so far as the beginning of its answer, and the client's stream goes on with what it adds. Off
//! where the task does not ask for it; the decision says which attempt went on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::{Found, Spoken};
use hyper::HeaderMap;
use ir::dialect::Prefill;
use ir::event::Event;
use ir::{AssistantPart, AssistantTurn, Cap, Failure, Inbound, Next, Output, Request, Said, Turn};
use router::Commit;
use tokio::time::Instant;

use crate::attempt::{Brought, Prepared, Terms, attempt};
use crate::hold::Hold;
use crate::join::Broken;
use crate::judge::Judge;
use crate::lane::{Asked, Back, Lane, Ready};
use crate::pursue::{Rest, Won, ranks};
use crate::stream::Feed;
use crate::targets::Way;
use crate::witness::Witness;
use crate::{Gateway, World};

/// What is kept of a request so that another target can go on with its answer.
#[derive(Debug)]
pub(crate) struct Continuation {
    request: Request,
    back: Back,
    /// The ways that take the beginning of an answer, in the order of the plan.
    ways: Vec<Way>,
}

/// Bytes of text to a token, for what is left of a cap.
const DENSITY: u64 = 4;

impl Continuation {
    /// Keeps what is needed, where the task asks for it and somebody could go on: a shape that was
    /// asked for, or several answers, are not gone on with.
    pub(crate) fn of(world: &World, asked: &mut Asked<'_>, hold: &Hold) -> Option<Box<Self>> {
        if !hold.plan.limits.continue_after_cut || hold.shown.schema {
            return None;
        }
        let back = asked.back();
        let takes = |way: &Way| beginning(&way.target, back.inbound).is_some();
        let ways: Vec<Way> = ranks(world, hold).into_iter().flatten().filter(takes).collect();
        if ways.is_empty() {
            return None;
        }
        // One that cannot be read here went out as it is; it cannot be said anew.
        let request = asked.read_request().ok()?;
        let plain =
            matches!(request.output, Output::Text) && request.candidates.is_none_or(|n| n < 2);
        plain.then(|| Box::new(Self { request: request.clone(), back, ways }))
    }

    /// Makes the request to go on with a text.
    fn ready<'w>(&self, way: &'w Way, text: &str, hold: &Hold) -> Result<Ready<'w>, Failure> {
        let spoken = beginning(&way.target, self.back.inbound);
        let spoken = spoken.expect("invariant: only ways that take a beginning are kept");
        let mut request = self.request.clone();
        request.model.clone_from(&way.target.model.id);
        // A model that thinks would do so before the text it is in the middle of.
        request.thinking = None;
        let spent = text.len() as u64 / DENSITY;
        request.cap = request.cap.map(|Cap(most)| Cap(most.saturating_sub(spent).max(1)));
        let said = Said { text: text.to_owned(), ..Said::default() };
        let said = AssistantPart::Text(said);
        match request.turns.last_mut() {
            // The client began the answer itself.
            Some(Turn::Assistant(begun)) => begun.parts.push(said),
            _ => {
                let turn = AssistantTurn { parts: vec![said], ..AssistantTurn::default() };
                request.turns.push(Turn::Assistant(turn));
            }
        }
        self.back.ready(&request, &way.target, spoken, hold.id)
    }
}

/// Returns the dialect in which a target takes the beginning of an answer: the client's, or else
/// another.
fn beginning(target: &Found, inbound: Inbound) -> Option<&Spoken> {
    let takes = |spoken: &&Spoken| target.quirks(spoken).prefill != Prefill::None;
    let all: Vec<&Spoken> = target.spoken().into_iter().filter(takes).collect();
    let own = all.iter().find(|spoken| spoken.dialect == inbound.dialect());
    own.or(all.first()).copied()
}

/// Goes on with a stream that broke off, where that may be; the attempt that broke off has ended
/// then. What comes of it has begun to go out.
pub(crate) async fn go_on(
    gateway: &Arc<Gateway>,
    hold: &mut Hold,
    feed: &mut Feed,
    failure: &Failure,
) -> Option<(Vec<Bytes>, Rest)> {
    if failure.kind.next() == Next::Stop {
        return None;
    }
    let continuation = hold.continuation.take()?;
    feed.hang_up();
    let judge = feed.witness().map(Witness::judge);
    let seen = feed.seen()?;
    let broken = Broken::of(seen)?;
    hold.failed(failure.clone());
    let since = Instant::now();
    let mut went_on = None;
    for way in &continuation.ways {
        // Who failed already has had its turn.
        if hold.attempts.iter().any(|attempt| attempt.way.key() == way.key()) {
            continue;
        }
        let tried = attempted(gateway, hold, &continuation, way, &broken.text, seen, judge.clone());
        if let Some(won) = tried.await {
            went_on = Some(won);
            break;
        }
        hold.gather();
    }
    hold.wait(since);
    hold.continuation = Some(continuation);
    went_on
}

/// Tries one way to go on.
async fn attempted(
    gateway: &Arc<Gateway>,
    hold: &mut Hold,
    continuation: &Continuation,
    way: &Way,
    text: &str,
    seen: &[Event],
    judge: Option<Arc<Judge>>,
) -> Option<(Vec<Bytes>, Rest)> {
    let now = gateway.targets.now();
    if let Err(spent) = hold.budget.check(now) {
        hold.stopped = Some(spent);
        return None;
    }
    let leave = match gateway.targets.ask(way) {
        Ok(leave) => leave,
        Err(refusal) => {
            hold.pass_over(way, refusal);
            return None;
        }
    };
    hold.budget.begin(now).ok()?;
    let mut open = hold.begin(way, Some(leave), Duration::ZERO, false);
    open.goes_on();
    let mut ready = match continuation.ready(way, text, hold) {
        Ok(ready) => ready,
        Err(failure) => {
            open.failed(failure);
            return None;
        }
    };
    if let Lane::Translate { seen: already, .. } = &mut ready.lane {
        seen.clone_into(already);
    }
    let terms = Terms {
        stream: true,
        headers: &HeaderMap::new(),
        clocks: hold.plan.limits.clocks(way.target.clocks()),
        deadline: hold.deadline(),
        commit: Commit::FirstToken,
        judge,
        keeps: true,
    };
    let prepared = Prepared { gateway: Arc::clone(gateway), way, ready, open, terms };
    let Brought { open, won, .. } = attempt(prepared).await.ok()?;
    match won {
        Won::Stream { held, rest } => {
            hold.won(open);
            Some((held, rest))
        }
        // A stream was asked for.
        Won::Whole(_) => None,
    }
}
