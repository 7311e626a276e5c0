//! Embeddings: one named model, one row an attempt. Vectors of two models cannot be compared, so no
//! other model stands in; where a credential is at fault, the provider's others are tried.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::{EmbeddingsDialect, Found};
use health::{Refusal, Why};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use ir::{Failure, Inbound, Kind};
use router::Limits;
use store::Id;
use tokio::time::Instant;
use wire::Origin;
use wire::embeddings::{self, Dialect, EmbeddingRequest, Inputs};

use crate::accept::{Received, accept, undecodable};
use crate::admit::Admitted;
use crate::answer::{self, Body};
use crate::attempt::{by_clock, collect, refused};
use crate::converse::{about, has_room, tell, unless_stopping, unplanned};
use crate::hold::{Hold, Shown};
use crate::open::Open;
use crate::pursue::of_the_credential;
use crate::reach::Outgoing;
use crate::relay::committed;
use crate::send::{Sending, send};
use crate::targets::Way;
use crate::world::OnLoss;
use crate::{Gateway, World, models};

/// Answers with vectors.
pub(crate) async fn embed(
    gateway: &Arc<Gateway>,
    world: &Arc<World>,
    admitted: Admitted,
    parts: Parts,
    body: &mut Incoming,
    id: Id,
) -> Result<Response<Body>, Failure> {
    has_room(gateway)?;
    let mut received = accept(gateway, admitted, parts, body, world.load).await?;
    let seat = received.seat.take();
    let asked = embeddings::read_request(&received.body).map_err(|error| undecodable(&error))?;
    if matches!(&asked.inputs, Inputs::Many(inputs) if inputs.is_empty()) {
        return Err(Failure::new(Kind::InvalidRequest, "input: an empty list").at("input"));
    }
    models::sensible(&asked.model)?;
    let reaches = |id: &str| world.reaches(id);
    let plan = router::plan_embeddings(&asked.model, &world.table, &world.catalog, &reaches)
        .map_err(unplanned)?;
    let target = plan.targets[0].found.clone();
    let shown = Shown {
        key: received.key.clone(),
        asked: asked.model.clone(),
        stream: false,
        tools: false,
        schema: false,
        body_bytes: received.body.len(),
        prose: received.body.len(),
        stored: false,
    };
    let mut hold = Hold::open(gateway, id, received.began, shown, plan, seat);
    let book = Arc::clone(hold.book());
    let pursued = pursue(gateway, world, &received, &asked, &target, &mut hold);
    let answered = unless_stopping(gateway, &book, pursued).await;
    let receipt = hold.settle();
    let ended = answered.as_ref().map_or_else(|failure| failure.kind.code(), |_| "answered");
    tell(&hold, ended);
    committed(receipt).await;
    let about = about(&hold, world);
    Ok(match answered {
        Ok(body) => answer::whole(200, body, &about),
        Err(failure) => answer::failure(Inbound::OpenaiChat, &failure, &hold.context(), &about),
    })
}

/// Asks the one target, with whichever of its credentials may be asked first, then with the others
/// while it is the credential that fails.
async fn pursue(
    gateway: &Arc<Gateway>,
    world: &World,
    received: &Received,
    asked: &EmbeddingRequest,
    target: &Found,
    hold: &mut Hold,
) -> Result<Bytes, Failure> {
    let ways = Way::all(world, target, 1);
    let targets = &gateway.targets;
    let (limits, deadline) = (hold.plan.limits.clone(), hold.deadline());
    for way in targets.order(&ways).into_iter().map(|at| &ways[at]) {
        if let Err(spent) = hold.budget.check(targets.now()) {
            hold.stopped = Some(spent);
            break;
        }
        // Vectors of another model would be no answer: one that fails or throttles is asked all the
        // same, unless it said when to come again.
        let asked_anyway = |refusal: Refusal| match refusal.why {
            Why::Open | Why::Cooling => targets.ask_anyway(way),
            Why::Throttled | Why::Retired(_) | Why::Busy => Err(refusal),
        };
        let leave = match targets.ask(way).or_else(asked_anyway) {
            Ok(leave) => leave,
            Err(refusal) => {
                hold.pass_over(way, refusal);
                continue;
            }
        };
        if let Err(spent) = hold.budget.begin(targets.now()) {
            hold.stopped = Some(spent);
            break;
        }
        let mut open = hold.begin(way, Some(leave), Duration::ZERO, false);
        let since = Instant::now();
        let answered = attempt(gateway, received, asked, way, &limits, deadline, &mut open).await;
        hold.wait(since);
        match answered {
            Ok(body) => {
                open.answered();
                hold.gather();
                return Ok(body);
            }
            Err(failure) => {
                let goes_on = of_the_credential(failure.kind);
                open.failed(failure);
                hold.gather();
                if !goes_on {
                    break;
                }
            }
        }
    }
    Err(hold.failure())
}

async fn attempt(
    gateway: &Gateway,
    received: &Received,
    asked: &EmbeddingRequest,
    way: &Way,
    limits: &Limits,
    deadline: Instant,
    open: &mut Open,
) -> Result<Bytes, Failure> {
    let Way { target, reach, .. } = way;
    let provider = &target.provider;
    let Some(spoken) = &provider.embeddings else {
        return Err(Failure::new(Kind::NoTarget, "the provider does not embed"));
    };
    let dialect = dialect(spoken.dialect);
    let body = written(received, asked, target, dialect, open)?;
    let clocks = limits.clocks(target.clocks());
    let began = Instant::now();
    let limit = deadline.min(began + clocks.timeout);
    let path = spoken.path.replace("{action}", embeddings::gemini_action(asked));
    let outgoing = Outgoing {
        method: Method::POST,
        path: &path,
        model: &target.model.id,
        body: body.into(),
        forward: None,
    };
    let sending =
        Sending { connect: clocks.connect, until: deadline.min(began + clocks.first_byte) };
    let late = |failure| by_clock(failure, deadline);
    let response = send(&gateway.client, reach, outgoing, sending).await.map_err(late)?;
    let status = response.status().as_u16();
    open.status(status);
    if !response.status().is_success() {
        // The form of the errors is the provider's, whatever it was asked for.
        let origin = Origin {
            dialect: ir::Dialect::OpenaiChat,
            family: Arc::clone(&provider.family),
            seed: ir::Seed::default(),
        };
        return Err(reach.scrubbed(refused(&origin, response, limit).await));
    }
    let failed = |failure| Failure { provider_status: Some(status), ..reach.scrubbed(failure) };
    let body = collect(response.into_body(), limit).await.map_err(late).map_err(failed)?;
    let mut read = embeddings::read_response(dialect, &provider.family, &body).map_err(failed)?;
    open.progress(read.usage.as_ref(), 0);
    if read.vectors.is_empty() {
        return Err(failed(Failure::new(Kind::EmptyAnswer, "the answer has no vectors")));
    }
    open.complete();
    if dialect == Dialect::Openai {
        return Ok(body);
    }
    read.model.get_or_insert_with(|| target.name());
    Ok(embeddings::write_response(&read, asked.encoding).into())
}

/// Writes the request: the client's own bytes, but for the model, where the provider speaks its
/// dialect.
fn written(
    received: &Received,
    asked: &EmbeddingRequest,
    target: &Found,
    dialect: Dialect,
    open: &mut Open,
) -> Result<Vec<u8>, Failure> {
    if dialect == Dialect::Openai {
        return wire::head::with_model(&received.body, &target.model.id)
            .map_err(|error| undecodable(&error));
    }
    let asked = EmbeddingRequest { model: target.model.id.clone(), ..asked.clone() };
    let written = embeddings::write_request(dialect, &asked)?;
    if received.on_loss == OnLoss::Reject && !written.losses.is_empty() {
        return Err(crate::lane::refused(&written.losses));
    }
    open.lost(written.losses);
    Ok(written.bytes)
}

fn dialect(spoken: EmbeddingsDialect) -> Dialect {
    match spoken {
        EmbeddingsDialect::Openai => Dialect::Openai,
        EmbeddingsDialect::Gemini => Dialect::Gemini,
        EmbeddingsDialect::Cohere => Dialect::Cohere,
        EmbeddingsDialect::Voyage => Dialect::Voyage,
    }
}
