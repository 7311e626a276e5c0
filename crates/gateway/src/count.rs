//! How many tokens a conversation has, for clients that watch their window: asked of the provider
//! where it counts in the client's dialect, estimated otherwise. Nothing is billed, and nothing is
//! written to the ledger.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use ir::{Failure, Inbound};
use tokio::time::Instant;
use wire::Origin;

use crate::accept::{accept, undecodable};
use crate::admit::Admitted;
use crate::answer::{self, About, Body};
use crate::converse::plan;
use crate::hold::estimate;
use crate::life::{self, Spoken};
use crate::pursue::{collect, refused};
use crate::reach::Outgoing;
use crate::send::send;
use crate::{Gateway, World};

/// Answers how many tokens a conversation has for the model that would get it.
pub(crate) async fn count(
    gateway: &Arc<Gateway>,
    world: &Arc<World>,
    admitted: Admitted,
    parts: Parts,
    body: Incoming,
    spoken: Spoken,
) -> Result<Response<Body>, Failure> {
    let received = accept(admitted, parts, body, world.body_limit).await?;
    let Spoken { inbound, told, id } = spoken;
    let head = wire::head::read(inbound, &received.body, told.as_ref())
        .map_err(|error| undecodable(&error))?;
    let plan = plan(world, &received, &head, &[])?;
    let target = &plan.targets[0];
    let about = About { model: Some(target.name()), ..life::about(world, id) };
    let all = target.spoken();
    let native = all.iter().find(|spoken| spoken.dialect == inbound.dialect());
    let native = native.and_then(|spoken| Some((*spoken, spoken.count_path.as_deref()?)));
    let reach = world.reach.get(&target.provider.id);
    let (Some((native, path)), Some(reach)) = (native, reach) else {
        let tokens = estimate(received.body.len(), 0).input.0;
        let mut response = answer::whole(200, counted(inbound, tokens).into(), &about);
        answer::estimated(&mut response);
        return Ok(response);
    };
    let until = Instant::now() + plan.limits.timeout;
    let outgoing = Outgoing {
        method: Method::POST,
        path,
        model: &target.model.id,
        body: head.send(&target.model.id, target.quirks(native)).bytes,
        forward: Some(&received.parts.headers),
    };
    let response = send(&gateway.client, reach, outgoing, until).await?;
    if !response.status().is_success() {
        let origin = Origin {
            dialect: native.dialect,
            family: Arc::clone(&target.provider.family),
            seed: ir::Seed::default(),
        };
        return Err(reach.scrubbed(refused(&origin, response, until).await));
    }
    let body = collect(response.into_body(), until).await?;
    Ok(answer::whole(200, body, &about))
}

fn counted(inbound: Inbound, tokens: u64) -> String {
    match inbound {
        Inbound::Gemini => format!("{{\"totalTokens\":{tokens}}}"),
        _ => format!("{{\"input_tokens\":{tokens}}}"),
    }
}
