//! Embeddings: one named model, one attempt, one row. Vectors of two models cannot be compared, so
//! nobody stands in for another.

use std::sync::Arc;

use bytes::Bytes;
use catalog::{EmbeddingsDialect, Found};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use ir::{Failure, Inbound, Kind};
use store::Id;
use tokio::time::Instant;
use wire::Origin;
use wire::embeddings::{self, Dialect, EmbeddingRequest, Inputs};

use crate::accept::{Received, accept, undecodable};
use crate::admit::Admitted;
use crate::answer::{self, Body};
use crate::converse::{about, has_room, tell, unplanned};
use crate::hold::{Hold, Shown};
use crate::pursue::{collect, refused};
use crate::reach::Outgoing;
use crate::relay::committed;
use crate::send::send;
use crate::world::OnLoss;
use crate::{Gateway, World};

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
    let received = accept(admitted, parts, body, world.body_limit).await?;
    let asked = embeddings::read_request(&received.body).map_err(|error| undecodable(&error))?;
    if matches!(&asked.inputs, Inputs::Many(inputs) if inputs.is_empty()) {
        return Err(Failure::new(Kind::InvalidRequest, "input: an empty list").at("input"));
    }
    let reaches = |id: &str| world.reaches(id);
    let plan = router::plan_embeddings(&asked.model, &world.table, &world.catalog, &reaches)
        .map_err(unplanned)?;
    let target = plan.targets[0].clone();
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
    let mut hold = Hold::open(gateway, id, received.began, shown, plan);
    hold.begin(&target);
    let answered = attempt(gateway, world, &received, &asked, &target, &mut hold).await;
    let answered = match answered {
        Ok(body) => {
            hold.answered();
            Ok(body)
        }
        Err(failure) => {
            hold.failed(failure);
            Err(hold.verdict())
        }
    };
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

async fn attempt(
    gateway: &Gateway,
    world: &World,
    received: &Received,
    asked: &EmbeddingRequest,
    target: &Found,
    hold: &mut Hold,
) -> Result<Bytes, Failure> {
    let provider = &target.provider;
    let (Some(reach), Some(spoken)) = (world.reach.get(&provider.id), &provider.embeddings) else {
        return Err(Failure::new(Kind::NoTarget, "the provider is not configured"));
    };
    let dialect = dialect(spoken.dialect);
    let body = written(received, asked, target, dialect, hold)?;
    let limit = hold.deadline().min(Instant::now() + hold.plan.limits.timeout);
    let path = spoken.path.replace("{action}", embeddings::gemini_action(asked));
    let outgoing = Outgoing {
        method: Method::POST,
        path: &path,
        model: &target.model.id,
        body,
        forward: None,
    };
    let response = send(&gateway.client, reach, outgoing, limit).await?;
    let status = response.status().as_u16();
    hold.status(status);
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
    let body = collect(response.into_body(), limit).await.map_err(failed)?;
    let mut read = embeddings::read_response(dialect, &provider.family, &body).map_err(failed)?;
    hold.progress(read.usage.as_ref(), 0);
    if read.vectors.is_empty() {
        return Err(failed(Failure::new(Kind::EmptyAnswer, "the answer has no vectors")));
    }
    hold.first();
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
    hold: &mut Hold,
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
    hold.lost(written.losses);
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
