//! The straight line of a conversation: admitted → received → plan → hold → won → relay → settled.

use std::sync::Arc;

use hyper::Response;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use ir::{Failure, Inbound, Kind, Loss, Tokens};
use router::{Ask, Lacks, Needs, NoPlan, Pin, Plan};
use store::Outcome;
use wire::head::Sight;

use crate::accept::{Received, accept, undecodable};
use crate::admit::Admitted;
use crate::answer::{self, About, Body};
use crate::array;
use crate::clock::now_ms;
use crate::continuation::Continuation;
use crate::hold::{Hold, Shown};
use crate::lane::{Asked, Filled};
use crate::life::{self, Spoken};
use crate::open::{Book, GivenUp, given_up};
use crate::pins::pin;
use crate::pursue::{Rest, Won, pursue};
use crate::relay::{committed, relay};
use crate::{Gateway, World, models, record};

/// The header that names the task.
const TASK_HEADER: &str = "x-pointsman-task";

/// More bytes of a text in JSON than one token stands for in any script, also one that is written in
/// escapes (Russian has 28): a conversation that is too long even so is refused before it is sent.
const DENSEST: u64 = 64;

/// The most settlements that may wait for the ledger before new requests are refused: some tens of
/// megabytes.
const BACKLOG: u64 = 20_000;

/// Answers a conversation.
pub(crate) async fn converse(
    gateway: &Arc<Gateway>,
    world: &Arc<World>,
    admitted: Admitted,
    parts: Parts,
    body: &mut Incoming,
    spoken: Spoken,
) -> Result<Response<Body>, Failure> {
    has_room(gateway)?;
    let mut received = accept(gateway, admitted, parts, body, world.load).await?;
    let seat = received.seat.take();
    let Spoken { inbound, told, id } = spoken;
    let head = wire::head::read(inbound, &received.body, told.as_ref())
        .map_err(|error| undecodable(&error))?;
    let filled = Filled {
        id: record::request_id(id),
        created: u64::try_from(now_ms() / 1_000).unwrap_or(0),
        model: String::new(),
    };
    let mut asked = Asked::new(head, &received, told.as_ref(), filled);
    let head = &asked.head;
    let pins = pin(gateway, received.key.as_deref(), inbound, &asked.sight).await?;
    let needs = needs(head, &asked.sight);
    let plan = plan(world, &received, head, &pins, needs)?;
    let shown = Shown {
        key: received.key.clone(),
        asked: head.model.clone().into_owned(),
        stream: head.stream,
        tools: head.tools,
        schema: head.schema,
        body_bytes: received.body.len(),
        prose: asked.sight.prose,
        stored: inbound == Inbound::OpenaiResponses,
    };
    let mut hold = Hold::open(gateway, id, received.began, shown, plan, seat);
    let book = Arc::clone(hold.book());
    let pursued =
        unless_stopping(gateway, &book, pursue(gateway, world, &mut asked, &mut hold)).await;
    match pursued {
        Ok(Won::Whole(body)) => {
            hold.answered();
            let receipt = hold.settle();
            let about = about(&hold, world);
            tell(&hold, "answered");
            committed(receipt).await;
            Ok(answer::whole(200, body, &about))
        }
        Ok(Won::Stream { held, rest }) => {
            if matches!(rest, Rest::Flowing(_)) {
                hold.continuation = Continuation::of(world, &mut asked, &hold);
            }
            let about = About { cost: None, ..about(&hold, world) };
            let stream = relay(gateway, inbound, hold, held, rest);
            if inbound == Inbound::Gemini && array::wanted(&received.parts.uri) {
                return Ok(answer::streamed_as_array(array::array(stream), &about));
            }
            Ok(answer::streamed(stream, &about))
        }
        Err(failure) => {
            let receipt = hold.settle();
            tell(&hold, failure.kind.code());
            committed(receipt).await;
            Ok(answer::failure(inbound, &failure, &hold.context(), &about(&hold, world)))
        }
    }
}

/// Waits for what is under way, unless this gateway gives up what is left when it goes down.
pub(crate) async fn unless_stopping<T>(
    gateway: &Gateway,
    book: &Book,
    under_way: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let stopped = async {
        gateway.stopped().await;
        given_up(book, GivenUp::Stopping);
    };
    tokio::select! {
        biased;
        ended = under_way => ended,
        () = stopped => Err(stopping()),
    }
}

/// Says that this gateway is going down.
pub(crate) fn stopping() -> Failure {
    let said = "the gateway is going down, and the answer was not complete within its grace";
    Failure::new(Kind::ShuttingDown, said)
}

/// Refuses when the ledger is too far behind to take another request.
pub(crate) fn has_room(gateway: &Gateway) -> Result<(), Failure> {
    let backlog = gateway.store.health();
    if backlog.waiting() <= BACKLOG {
        return Ok(());
    }
    let said = format!("{} requests wait for the ledger", backlog.waiting());
    Err(Failure::new(Kind::LedgerUnavailable, said))
}

/// Returns what a request demands of a model.
fn needs(head: &wire::Head<'_>, sight: &Sight) -> Needs {
    Needs { images: sight.images, tools: head.tools, window: Tokens(sight.prose as u64 / DENSEST) }
}

/// Plans, or says why nothing can be planned.
pub(crate) fn plan(
    world: &World,
    received: &Received,
    head: &wire::Head<'_>,
    pins: &[Pin],
    needs: Needs,
) -> Result<Plan, Failure> {
    models::sensible(&head.model)?;
    let header_task = received.parts.headers.get(TASK_HEADER).and_then(|task| task.to_str().ok());
    let metadata_task = head.task.as_deref();
    let ask = Ask { model: &head.model, header_task, metadata_task, pins, needs };
    let reaches = |id: &str| world.reaches(id);
    router::plan(&ask, &world.table, &world.catalog, &reaches).map_err(unplanned)
}

/// Says in the caller's words why nothing can be planned.
pub(crate) fn unplanned(none: NoPlan) -> Failure {
    match none {
        NoPlan::Model { name, missing } => models::missing(&name, &missing),
        NoPlan::Nothing { skipped } => {
            let told = skipped.iter().map(|skip| format!("{} ({})", skip.model, skip.why));
            let told = told.collect::<Vec<_>>().join(", ");
            Failure::new(Kind::NoTarget, format!("no model of the plan can be reached: {told}"))
        }
        NoPlan::Unable { lacks, skipped } => {
            let kind = match lacks {
                Lacks::Window => Kind::ContextLengthExceeded,
                Lacks::Images | Lacks::Tools => Kind::Unsupported,
            };
            let told = skipped.iter().map(|skip| format!("{} {}", skip.model, skip.why));
            Failure::new(kind, told.collect::<Vec<_>>().join(", "))
        }
        NoPlan::Pinned { pin, skipped } => {
            let models = skipped.iter().map(|skip| skip.model.as_str());
            let models = models.collect::<Vec<_>>().join(", ");
            let said = format!("{pin}, and the plan has only {models}");
            Failure::new(Kind::Pinned, said).at(pin.field)
        }
    }
}

pub(crate) fn about(hold: &Hold, world: &World) -> About {
    let ended = hold.telling().map(|attempt| attempt.way.target.name());
    let under_way = hold.under_way().map(|way| way.target.name());
    let attempts = hold.attempts.len() + usize::from(under_way.is_some());
    About {
        decision: Some(record::decision_id(hold.id)),
        model: under_way.or(ended),
        task: Some(hold.plan.task.clone()),
        attempts,
        cost: record::total(hold),
        overhead: Some(hold.began.elapsed().saturating_sub(hold.waited())),
        losses: lost(hold.losses()),
        ..life::about(world, hold.id)
    }
}

/// The longest path that a header names.
const LONGEST_PATH: usize = 80;

/// The most losses a header names.
const NAMED: usize = 8;

/// Names the places of losses in a header; the decision has all of them, with the reasons.
fn lost(losses: &[Loss]) -> Option<String> {
    let path = |loss: &Loss| {
        let plain = |c: char| if c.is_ascii_graphic() { c } else { '_' };
        loss.path.chars().take(LONGEST_PATH).map(plain).collect::<String>()
    };
    let mut named: Vec<String> = losses.iter().map(path).take(NAMED).collect();
    let more = losses.len().saturating_sub(NAMED);
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    (!named.is_empty()).then(|| named.join(", "))
}

/// Logs how a request ended: ids, names, numbers; no prompt, no answer, no secret. What was answered
/// is in the ledger and is logged for those who ask for it; what was not is news.
pub(crate) fn tell(hold: &Hold, ended: &str) {
    macro_rules! request {
        ($level:ident) => {
            tracing::$level!(
                request_id = %record::request_id(hold.id),
                task = %record::word(&hold.plan.task),
                model = hold.telling().map(|attempt| attempt.way.target.name()),
                attempts = hold.attempts.len(),
                stream = hold.shown.stream,
                ms = u64::try_from(hold.began.elapsed().as_millis()).unwrap_or(u64::MAX),
                cost_usd = record::total(hold).map(|cost| cost.to_string()),
                ended,
                "request"
            )
        };
    }
    if hold.telling().is_some_and(|attempt| attempt.outcome == Outcome::Answered) {
        request!(debug);
    } else {
        request!(warn);
    }
}
