//! How a stream comes to its client: as it is, or written anew in the client's dialect.

use ir::event::unfold;
use ir::{Dialect, Event, Failure, Inbound, Response};
use wire::failures::Context;
use wire::{EventWriter, Renamed, Undoing};

use crate::lane::{Filled, Lane};

/// How a stream comes to the client.
#[derive(Debug)]
pub(crate) enum Flow {
    /// As it is.
    Verbatim {
        /// Whether the chunk of usage is taken out again.
        usage_added: bool,
    },
    /// In its own dialect.
    Translate(Box<Translate>),
}

/// What a stream goes through on its way into another dialect.
#[derive(Debug)]
pub(crate) struct Translate {
    undoing: Undoing,
    undone: Vec<Event>,
    renamed: Renamed,
    writer: EventWriter,
    wants_usage: bool,
    filled: Filled,
}

impl Flow {
    /// Begins a stream from a provider of a dialect.
    pub(crate) fn new(lane: Lane, dialect: Dialect) -> Self {
        match lane {
            Lane::Verbatim { usage_added, .. } => Self::Verbatim { usage_added },
            Lane::Translate { inbound, undo, renamed, wants_usage, filled, seen } => {
                let mut writer = EventWriter::new(inbound, dialect, wants_usage);
                // It writes on where the answer that is gone on with left off.
                for event in &seen {
                    writer.write(event, &Context::default(), &mut Vec::new());
                }
                let (undoing, undone) = (Undoing::new(undo), Vec::new());
                Self::Translate(Box::new(Translate {
                    undoing,
                    undone,
                    renamed,
                    writer,
                    wants_usage,
                    filled,
                }))
            }
        }
    }

    /// Takes an event; returns what the client gets of it where its frames are written anew.
    /// `hear` is told what becomes of it.
    pub(crate) fn take(&mut self, event: Event, mut hear: impl FnMut(&Event)) -> Vec<u8> {
        let mut out = Vec::new();
        let Self::Translate(translate) = self else {
            hear(&event);
            return out;
        };
        let Translate { undoing, undone, renamed, writer, filled, .. } = &mut **translate;
        undoing.event(event, undone);
        for mut event in undone.drain(..) {
            renamed.event(&mut event);
            if let Event::Start { id, model, created } = &mut event {
                filled.fill(id, model, created);
            }
            hear(&event);
            writer.write(&event, &Context::default(), &mut out);
        }
        out
    }

    /// Writes an answer that goes out in the place of all that was taken; what was taken back in
    /// that is not in it.
    pub(crate) fn instead(&self, inbound: Inbound, response: &Response) -> Vec<u8> {
        let wants_usage = match self {
            // Usage that nobody added is the client's wish, or the host's way.
            Self::Verbatim { usage_added } => !usage_added,
            Self::Translate(translate) => translate.wants_usage,
        };
        let mut writer = EventWriter::new(inbound, response.spoken, wants_usage);
        let mut out = Vec::new();
        for event in unfold(response) {
            writer.write(&event, &Context::default(), &mut out);
        }
        out
    }

    /// Writes the frame that ends the client's stream badly.
    pub(crate) fn failure_frame(
        &mut self,
        inbound: Inbound,
        failure: &Failure,
        context: &Context,
    ) -> Vec<u8> {
        match self {
            Self::Verbatim { .. } => wire::write_failure_frame(inbound, failure, context),
            Self::Translate(translate) => {
                let mut out = Vec::new();
                translate.writer.write(&Event::Fail(failure.clone()), context, &mut out);
                out
            }
        }
    }
}
