//! Lanes: how a request goes to a target and how its answer comes back.
//!
//! Where the target speaks the client's dialect, the client's own bytes go out with only the named
//! members changed, and the provider's bytes come back. Where it does not, the request is read,
//! written in the target's dialect, and the answer the other way round; what could not be said is a
//! loss that the caller can see.

use std::borrow::Cow;

use catalog::{Ability, Found, Spoken};
use hyper::HeaderMap;
use ir::{Cap, Dialect, Event, Failure, Inbound, Kind, Loss, Mode, Quirks, Request, Seed};
use store::Id;
use wire::head::{Sight, Told};
use wire::{Head, Origin, Renamed, Sent, Undo, Written};

use crate::accept::{Received, undecodable};
use crate::world::OnLoss;

/// A request as its client sent it.
pub(crate) struct Asked<'a> {
    pub(crate) head: Head<'a>,
    received: &'a Received,
    told: Option<&'a Told>,
    filled: Filled,
    /// What can be seen of it.
    pub(crate) sight: Sight,
    /// Read when a target needs it.
    request: Option<Result<Request, Failure>>,
}

/// What an answer must say and a provider may leave out.
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    /// The request's id.
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    /// The target's name.
    pub(crate) model: String,
}

impl Filled {
    /// Fills what is not there.
    pub(crate) fn fill(
        &self,
        id: &mut Option<String>,
        model: &mut Option<String>,
        created: &mut Option<u64>,
    ) {
        id.get_or_insert_with(|| self.id.clone());
        model.get_or_insert_with(|| self.model.clone());
        created.get_or_insert(self.created);
    }
}

/// How an answer comes back.
#[derive(Debug, Clone)]
pub(crate) enum Lane {
    /// As it is.
    Verbatim {
        /// The client's dialect.
        inbound: Inbound,
        /// Whether usage was asked for on the gateway's own account.
        usage_added: bool,
    },
    /// In the client's dialect.
    Translate {
        /// The client's dialect.
        inbound: Inbound,
        /// What is to be taken back in the answer.
        undo: Undo,
        /// The tools that go by other names there.
        renamed: Renamed,
        /// Whether the client asked for usage at the end of its stream.
        wants_usage: bool,
        /// What the answer must say.
        filled: Filled,
        /// What the client has seen already of the answer that this one goes on with.
        seen: Vec<Event>,
    },
}

impl Lane {
    pub(crate) fn inbound(&self) -> Inbound {
        match self {
            Self::Verbatim { inbound, .. } | Self::Translate { inbound, .. } => *inbound,
        }
    }
}

/// A request made for one target.
pub(crate) struct Ready<'t> {
    pub(crate) spoken: &'t Spoken,
    pub(crate) origin: Origin,
    pub(crate) bytes: Vec<u8>,
    pub(crate) lane: Lane,
    pub(crate) losses: Vec<Loss>,
    /// Whether the target speaks the client's dialect, so that its headers are understood there.
    pub(crate) native: bool,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(
        head: Head<'a>,
        received: &'a Received,
        told: Option<&'a Told>,
        filled: Filled,
    ) -> Self {
        let sight = head.look();
        Self { head, received, told, filled, sight, request: None }
    }

    /// Returns the client's headers.
    pub(crate) fn headers(&self) -> &'a HeaderMap {
        &self.received.parts.headers
    }

    /// Makes the request for a target, verbatim where the target speaks the client's dialect.
    pub(crate) fn ready<'t>(&mut self, target: &'t Found, id: Id) -> Result<Ready<'t>, Failure> {
        let inbound = self.head.inbound;
        let all = target.spoken();
        let same = all.iter().find(|spoken| spoken.dialect == inbound.dialect());
        let Some(spoken) = same.or(all.first()).copied() else {
            let said = "the provider speaks no dialect of this gateway";
            return Err(Failure::new(Kind::NoTarget, said));
        };
        let native = spoken.dialect == inbound.dialect();
        if native && !self.sight.enveloped {
            let quirks = target.quirks(spoken);
            let Sent { bytes, usage_added } = self.head.send(&target.model.id, quirks);
            let lane = Lane::Verbatim { inbound, usage_added };
            let origin = origin(target, spoken, id);
            return Ok(Ready { spoken, origin, bytes, lane, losses: Vec::new(), native });
        }
        let back = self.back();
        let request = self.request()?;
        request.model.clone_from(&target.model.id);
        Ok(Ready { native, ..back.ready(request, target, spoken, id)? })
    }

    /// Returns how an answer in another dialect comes back to the client.
    pub(crate) fn back(&self) -> Back {
        Back {
            inbound: self.head.inbound,
            wants_usage: self.head.wants_usage,
            on_loss: self.received.on_loss,
            filled: self.filled.clone(),
        }
    }

    /// Reads the whole request, for whoever holds its answer against it.
    pub(crate) fn read_request(&mut self) -> Result<Request, Failure> {
        self.request().map(|request| request.clone())
    }

    /// Reads the whole request, once; what is wrong with it is the caller's to mend.
    fn request(&mut self) -> Result<&mut Request, Failure> {
        let read = match self.request.take() {
            Some(read) => read,
            None => self.read(),
        };
        self.request.insert(read).as_mut().map_err(|failure| failure.clone())
    }

    fn read(&self) -> Result<Request, Failure> {
        let inbound = self.head.inbound;
        let read = match self.head.task {
            // The task is said to this gateway alone.
            Some(_) => {
                let untold = self.head.send(&self.head.model, Quirks::default());
                wire::read_request(inbound, &untold.bytes)
            }
            None => self.head.request(),
        };
        let mut request = read.map_err(|error| undecodable(&error))?;
        if let Some(told) = self.told {
            request.model.clone_from(&told.model);
            if told.stream {
                request.mode = Mode::Stream { usage: true, extras: ir::Extras::default() };
            }
        }
        wire::check(&request).map_err(|error| undecodable(&error))?;
        Ok(request)
    }
}

/// How an answer in another dialect comes back to a client.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub(crate) inbound: Inbound,
    wants_usage: bool,
    on_loss: OnLoss,
    filled: Filled,
}

impl Back {
    /// Makes the request for a target in one of the dialects it speaks.
    pub(crate) fn ready<'t>(
        &self,
        request: &Request,
        target: &'t Found,
        spoken: &'t Spoken,
        id: Id,
    ) -> Result<Ready<'t>, Failure> {
        let (request, unsaid) = suited(request, target, spoken.dialect);
        let Written { bytes, mut losses, undo, renamed } =
            wire::write_request(spoken.dialect, &request, target.quirks(spoken));
        losses.extend(unsaid);
        if self.on_loss == OnLoss::Reject && !losses.is_empty() {
            return Err(refused(&losses));
        }
        let (inbound, wants_usage) = (self.inbound, self.wants_usage);
        let filled = Filled { model: target.name(), ..self.filled.clone() };
        let seen = Vec::new();
        let lane = Lane::Translate { inbound, undo, renamed, wants_usage, filled, seen };
        let origin = origin(target, spoken, id);
        Ok(Ready { spoken, origin, bytes, lane, losses, native: false })
    }
}

fn origin(target: &Found, spoken: &Spoken, id: Id) -> Origin {
    Origin { dialect: spoken.dialect, family: target.provider.family.clone(), seed: seed(id) }
}

/// The longest answer that is asked for where the caller set no cap and the dialect demands one.
const LONGEST: u64 = 32_000;

/// Suits a conversation to what the catalogue knows of a model: one that does not think is not told
/// how, and a dialect that demands a cap gets the model's own.
fn suited<'r>(
    request: &'r Request,
    target: &Found,
    dialect: Dialect,
) -> (Cow<'r, Request>, Option<Loss>) {
    let model = &target.model;
    let mut suited = Cow::Borrowed(request);
    let mut loss = None;
    let thinks = model.can.as_ref().is_none_or(|can| can.contains(&Ability::Reasoning));
    if request.thinking.is_some() && !thinks {
        suited.to_mut().thinking = None;
        let (path, why) = ("thinking".to_owned(), "the model does not think".to_owned());
        loss = Some(Loss { path, why });
    }
    if let (None, Dialect::AnthropicMessages, Some(most)) = (request.cap, dialect, model.output) {
        suited.to_mut().cap = Some(Cap(most.0.min(LONGEST)));
    }
    (suited, loss)
}

pub(crate) fn refused(losses: &[Loss]) -> Failure {
    let told = losses.iter().map(|loss| format!("{} ({})", loss.path, loss.why));
    let told = told.collect::<Vec<_>>().join(", ");
    let said = format!("the key allows no losses, and this target would lose {told}");
    Failure::new(Kind::Unsupported, said)
}

fn seed(id: Id) -> Seed {
    let mut low = [0; 8];
    low.copy_from_slice(&id.0[8..]);
    Seed(u64::from_be_bytes(low))
}
