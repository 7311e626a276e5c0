//! How many tokens a conversation has, for clients that watch their window: asked of the provider
//! where it counts in the client's dialect, estimated otherwise. Nothing is billed, and nothing is
//! written to the ledger.

use std::sync::Arc;

use bytes::Bytes;
use catalog::Found;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Response};
use ir::{Failure, Inbound};
use router::Needs;
use tokio::time::Instant;
use wire::Head;

use crate::accept::{Received, accept, undecodable};
use crate::admit::Admitted;
use crate::answer::{self, About, Body};
use crate::attempt::collect;
use crate::converse::plan;
use crate::life::{self, Spoken};
use crate::open::estimate;
use crate::reach::Outgoing;
use crate::send::{Sending, send};
use crate::targets::Way;
use crate::{Gateway, World};

/// Answers how many tokens a conversation has for the model that would get it.
pub(crate) async fn count(
    gateway: &Arc<Gateway>,
    world: &Arc<World>,
    admitted: Admitted,
    parts: Parts,
    body: &mut Incoming,
    spoken: Spoken,
) -> Result<Response<Body>, Failure> {
    let received = accept(gateway, admitted, parts, body, world.load).await?;
    let Spoken { inbound, told, id } = spoken;
    let head = wire::head::read(inbound, &received.body, told.as_ref())
        .map_err(|error| undecodable(&error))?;
    let sight = head.look();
    // Whoever asks how long a conversation is may well have one that is too long.
    let plan = plan(world, &received, &head, &[], Needs::default())?;
    let target = &plan.targets[0];
    let about = About { model: Some(target.name()), ..life::about(world, id) };
    let clocks = plan.limits.clocks(target.clocks());
    let sending = Sending { connect: clocks.connect, until: Instant::now() + clocks.timeout };
    if !sight.enveloped
        && let Some(counted) = asked(gateway, world, &received, &head, target, sending).await
    {
        return Ok(answer::whole(200, counted, &about));
    }
    let told = sight.prose + head.around();
    let told = if told == 0 { received.body.len() } else { told.min(received.body.len()) };
    let tokens = estimate(told, 0).input.0;
    let mut response = answer::whole(200, counted(inbound, tokens).into(), &about);
    answer::estimated(&mut response);
    Ok(response)
}

/// Asks the provider, where it counts in the client's dialect; a count that it does not give is
/// estimated.
async fn asked(
    gateway: &Gateway,
    world: &World,
    received: &Received,
    head: &Head<'_>,
    target: &Found,
    sending: Sending,
) -> Option<Bytes> {
    let all = target.spoken();
    let native = all.iter().find(|spoken| spoken.dialect == head.inbound.dialect())?;
    let ways = Way::all(world, target, 1);
    // A credential that rests is asked only where none does not.
    let first = *gateway.targets.order(&ways).first()?;
    let reach = &ways.get(first)?.reach;
    let outgoing = Outgoing {
        method: Method::POST,
        path: native.count_path.as_deref()?,
        model: &target.model.id,
        body: head.send(&target.model.id, target.quirks(native)).bytes.into(),
        forward: Some(&received.parts.headers),
    };
    let response = send(&gateway.client, reach, outgoing, sending).await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    collect(response.into_body(), sending.until).await.ok()
}

fn counted(inbound: Inbound, tokens: u64) -> String {
    match inbound {
        Inbound::Gemini => format!("{{\"totalTokens\":{tokens}}}"),
        Inbound::OpenaiResponses => {
            format!("{{\"object\":\"response.input_tokens\",\"input_tokens\":{tokens}}}")
        }
        _ => format!("{{\"input_tokens\":{tokens}}}"),
    }
}
