//! What a judge gets to know of a stream: the answer as its client gets it, with taken back what was
//! said in another way and the tools by their callers' own names.

use std::sync::Arc;

use check::{Prefix, Verdict};
use ir::event::{PartKind, Spot};
use ir::response::Substance;
use ir::{Dialect, Event, Failure, Fold, Kind, Response};

use crate::attempt::ANSWER_LIMIT;
use crate::judge::{Beginning, Judge};
use crate::open::Open;

/// The longest beginning of a text that is kept for judging it.
const BEGINNING: usize = 4 << 10;

/// Hears a stream for its judge.
#[derive(Debug)]
pub(crate) struct Witness {
    judge: Arc<Judge>,
    /// The whole of it so far, where it is judged whole and is not too large for it.
    fold: Option<Fold>,
    /// How many bytes of it have come.
    size: usize,
    /// The beginning of the first candidate's text, and the first tool it calls.
    text: String,
    tool: Option<String>,
    /// Its texts that are open.
    texts: Vec<Spot>,
}

impl Witness {
    pub(crate) fn new(judge: Arc<Judge>, dialect: Dialect) -> Self {
        let fold = judge.reads().then(|| Fold::new(dialect));
        Self { judge, fold, size: 0, text: String::new(), tool: None, texts: Vec::new() }
    }

    /// Returns the judge.
    pub(crate) fn judge(&self) -> Arc<Judge> {
        Arc::clone(&self.judge)
    }

    /// Notes that so many bytes have come. A stream that flows has no end that must come: what is
    /// kept of it for its judge has.
    pub(crate) fn grow(&mut self, bytes: usize) {
        self.size += bytes;
        if self.size > ANSWER_LIMIT {
            self.fold = None;
        }
    }

    /// Hears an event.
    pub(crate) fn hear(&mut self, event: &Event) {
        if let Some(fold) = &mut self.fold {
            fold.push(event.clone());
        }
        match event {
            Event::Open(spot, PartKind::Text) if spot.candidate == 0 => self.texts.push(*spot),
            Event::Open(spot, PartKind::ToolCall { name, .. }) if spot.candidate == 0 => {
                self.tool.get_or_insert_with(|| name.clone());
            }
            Event::Delta(spot, text)
                if self.text.len() < BEGINNING && self.texts.contains(spot) =>
            {
                self.text.push_str(text);
            }
            Event::Close(spot) => self.texts.retain(|open| open != spot),
            _ => {}
        }
    }

    /// Returns whether the answer is held until it has passed.
    pub(crate) fn holds(&self) -> bool {
        self.judge.holds()
    }

    /// Has its beginning judged, as far as that has come.
    pub(crate) fn prefix(&self) -> Prefix {
        self.judge.prefix(Beginning { text: &self.text, tool: self.tool.as_deref() })
    }

    /// Has an answer judged that was held to its end; returns the one that goes out in its place
    /// where it had to be mended.
    pub(crate) fn judged(
        self,
        substance: Substance,
        open: &mut Open,
    ) -> Result<Option<Response>, Failure> {
        let Self { judge, fold, text, tool, .. } = self;
        let holds = judge.holds();
        let mut response = match fold.map(Fold::finish) {
            Some(Ok(response)) => response,
            Some(Err(failure)) if holds => return Err(failure),
            None if holds => {
                let said = format!("the answer to be checked is larger than {ANSWER_LIMIT} bytes");
                return Err(Failure::new(Kind::MalformedReply, said));
            }
            // What nothing is made of needs no verdict.
            Some(Err(_)) | None => {
                let beginning = Beginning { text: &text, tool: tool.as_deref() };
                judge.begun(beginning, substance)?;
                return Ok(None);
            }
        };
        Ok(judge.answer(&mut response, open)?.then_some(response))
    }

    /// Has an answer judged that has gone out.
    pub(crate) fn observed(self) -> Option<Verdict> {
        self.judge.observe(&self.fold?.finish().ok()?)
    }
}

#[cfg(test)]
mod tests;
