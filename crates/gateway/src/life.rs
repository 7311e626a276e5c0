//! The life of a request: where it goes by its path, and the straight line of a chat.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use ir::{Dialect, Failure, Kind};
use router::{Ask, NoPlan, Plan};
use store::{Id, Outcome};
use wire::failures::Context;

use crate::accept::{accept, new_id, undecodable};
use crate::admit::admit;
use crate::answer::{self, About, Body};
use crate::hold::{Hold, Shown};
use crate::pursue::{Won, pursue};
use crate::relay::{committed, relay};
use crate::route::{Route, route};
use crate::{Gateway, World, health, models, record};

/// The header that names the task.
const TASK_HEADER: &str = "x-pointsman-task";

/// The most settlements that may wait for the ledger before new requests are refused: some tens of
/// megabytes.
const BACKLOG: u64 = 20_000;

/// Answers a request; a panic on the way is an answer too.
pub(crate) async fn handle(gateway: Arc<Gateway>, request: Request<Incoming>) -> Response<Body> {
    let id = new_id();
    let world = gateway.world();
    let method = request.method().clone();
    let about = About {
        request_id: record::request_id(id),
        badge: world.badge.clone(),
        ..About::default()
    };
    let handled = AssertUnwindSafe(dispatch(&gateway, &world, request, id)).catch_unwind().await;
    let mut response = match handled {
        Ok(Ok(response)) => response,
        Ok(Err(failure)) => refuse(&failure, id, &about),
        Err(_) => {
            let said = "Pointsman itself failed on this request";
            refuse(&Failure::new(Kind::Internal, said), id, &about)
        }
    };
    if method == Method::HEAD {
        *response.body_mut() = Body::default();
    }
    response
}

fn refuse(failure: &Failure, id: Id, about: &About) -> Response<Body> {
    tracing::info!(
        request_id = %record::request_id(id),
        status = failure.kind.status(),
        code = failure.kind.code(),
        fault = failure.kind.fault().name(),
        "refused"
    );
    let context = Context { request_id: record::request_id(id), attempts: Vec::new() };
    answer::failure(failure, &context, about)
}

async fn dispatch(
    gateway: &Arc<Gateway>,
    world: &Arc<World>,
    request: Request<Incoming>,
    id: Id,
) -> Result<Response<Body>, Failure> {
    let about = About {
        request_id: record::request_id(id),
        badge: world.badge.clone(),
        ..About::default()
    };
    match route(request.method(), request.uri().path()) {
        Route::Chat => chat(gateway, world, request, id).await,
        Route::Models => {
            admit(world, request.headers())?;
            Ok(answer::json(200, &models::list(world), &about))
        }
        Route::Model(name) => {
            admit(world, request.headers())?;
            Ok(answer::json(200, &models::one(world, &name)?, &about))
        }
        Route::Decision(text) => {
            admit(world, request.headers())?;
            Ok(answer::whole(200, decision(gateway, text).await?.into(), &about))
        }
        Route::Live => Ok(answer::json(200, &health::live(), &about)),
        Route::Ready => {
            let (status, body) = health::ready(gateway, world);
            Ok(answer::json(status, &body, &about))
        }
        Route::Root => Ok(answer::json(200, &health::root(), &about)),
        Route::WrongMethod { takes } => {
            let said = format!("{} takes {takes}, not {}", request.uri().path(), request.method());
            Err(Failure::new(Kind::MethodNotAllowed, said))
        }
        Route::Nowhere => {
            let said = format!("nothing lives at {} {}", request.method(), request.uri().path());
            Err(Failure::new(Kind::NotFound, said))
        }
    }
}

/// The straight line: admitted → received → plan → hold → won → relay → settled.
async fn chat(
    gateway: &Arc<Gateway>,
    world: &Arc<World>,
    request: Request<Incoming>,
    id: Id,
) -> Result<Response<Body>, Failure> {
    let admitted = admit(world, request.headers())?;
    let backlog = gateway.store.health();
    if backlog.waiting() > BACKLOG {
        let said = format!("{} requests wait for the ledger", backlog.waiting());
        return Err(Failure::new(Kind::LedgerUnavailable, said));
    }
    let received = accept(admitted, request, world.body_limit).await?;
    let head = wire::read_head(Dialect::OpenaiChat, &received.body)
        .map_err(|error| undecodable(&error))?;
    let header_task = received.parts.headers.get(TASK_HEADER).and_then(|task| task.to_str().ok());
    let ask = Ask { model: &head.model, header_task, metadata_task: head.task.as_deref() };
    let plan = plan(world, &ask)?;
    let shown = Shown {
        key: received.key,
        asked: head.model.clone().into_owned(),
        stream: head.stream,
        tools: head.tools,
        schema: head.schema,
        body_bytes: received.body.len(),
    };
    let mut hold = Hold::open(gateway, id, received.began, shown, plan);
    let won = pursue(gateway, world, &head, &received.parts.headers, &mut hold).await;
    match won {
        Ok(Won::Whole(body)) => {
            hold.answered();
            let receipt = hold.settle();
            let about = about(&hold, world);
            tell(&hold, "answered");
            committed(receipt).await;
            Ok(answer::whole(200, body, &about))
        }
        Ok(Won::Stream { held, feed }) => {
            let about = About { cost: None, ..about(&hold, world) };
            Ok(answer::streamed(relay(hold, held, feed), &about))
        }
        Err(failure) => {
            let receipt = hold.settle();
            tell(&hold, failure.kind.code());
            committed(receipt).await;
            Ok(answer::failure(&failure, &hold.context(), &about(&hold, world)))
        }
    }
}

/// Plans, or says in the caller's words why nothing can be planned.
fn plan(world: &World, ask: &Ask<'_>) -> Result<Plan, Failure> {
    router::plan(ask, &world.table, &world.catalog, &|id| world.reaches(id)).map_err(|none| {
        match none {
            NoPlan::Model { name, missing } => models::missing(&name, &missing),
            NoPlan::Nothing { skipped } => {
                let told = skipped.iter().map(|skip| format!("{} ({})", skip.model, skip.why));
                let told = told.collect::<Vec<_>>().join(", ");
                Failure::new(Kind::NoTarget, format!("no model of the plan can be reached: {told}"))
            }
        }
    })
}

fn about(hold: &Hold, world: &World) -> About {
    let last = hold.attempts.last().map(|attempt| attempt.target.name());
    let under_way = hold.under_way();
    let attempts = hold.attempts.len() + usize::from(under_way.is_some());
    let waited: Duration = hold.waited();
    About {
        request_id: record::request_id(hold.id),
        decision: Some(record::decision_id(hold.id)),
        model: under_way.or(last),
        task: Some(hold.plan.task.clone()),
        attempts,
        cost: record::total(hold),
        overhead: Some(hold.began.elapsed().saturating_sub(waited)),
        badge: world.badge.clone(),
    }
}

/// Logs how a request ended: ids, names, numbers; no prompt, no answer, no secret. What was answered
/// is in the ledger and is logged for those who ask for it; what was not is news.
pub(crate) fn tell(hold: &Hold, ended: &str) {
    macro_rules! request {
        ($level:ident) => {
            tracing::$level!(
                request_id = %record::request_id(hold.id),
                task = %record::word(&hold.plan.task),
                model = hold.attempts.last().map(|attempt| attempt.target.name()),
                attempts = hold.attempts.len(),
                stream = hold.shown.stream,
                ms = u64::try_from(hold.began.elapsed().as_millis()).unwrap_or(u64::MAX),
                cost_usd = record::total(hold).map(|cost| cost.to_string()),
                ended,
                "request"
            )
        };
    }
    if hold.attempts.last().is_some_and(|attempt| attempt.outcome == Outcome::Answered) {
        request!(debug);
    } else {
        request!(warn);
    }
}

async fn decision(gateway: &Arc<Gateway>, text: String) -> Result<String, Failure> {
    let unknown = || {
        Failure::new(Kind::NotFound, format!("no decision has the id `{}`", record::word(&text)))
    };
    let id = Id::parse(&text).ok_or_else(unknown)?;
    let reader = Arc::clone(gateway);
    let read = tokio::task::spawn_blocking(move || reader.store.decision(id)).await;
    match read {
        Ok(Ok(Some(record))) => Ok(record),
        Ok(Ok(None)) => Err(unknown()),
        Ok(Err(error)) => Err(Failure::new(Kind::LedgerUnavailable, error.to_string())),
        Err(_) => Err(Failure::new(Kind::Internal, "reading the decision failed")),
    }
}
