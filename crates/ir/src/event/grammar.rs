//! The checker of the grammar in [`super`]. Tests run every stream through it; it keeps a few
//! numbers a stream and copies no text.

use std::collections::BTreeMap;
use std::fmt;

use super::{Event, Scope, Spot};

/// How far a stream has come.
#[derive(Debug, Default)]
pub struct Grammar {
    started: bool,
    ended: bool,
    open: Vec<Spot>,
    candidates: BTreeMap<u32, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    parts: u32,
    stopped: bool,
}

/// The rule a stream broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ungrammatical(pub &'static str);

impl fmt::Display for Ungrammatical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Ungrammatical {}

impl Grammar {
    /// Takes the next event, or says which rule it breaks.
    pub fn step(&mut self, event: &Event) -> Result<(), Ungrammatical> {
        let rule = |holds, broken| if holds { Ok(()) } else { Err(Ungrammatical(broken)) };
        rule(!self.ended, "nothing follows the end")?;
        let opening = matches!(event, Event::Start { .. } | Event::Fail(_));
        rule(self.started || opening, "a stream begins with Start")?;
        match event {
            Event::Start { .. } => {
                rule(!self.started, "a stream starts once")?;
                self.started = true;
            }
            Event::Open(spot, _) => {
                let seen = self.candidates.entry(spot.candidate).or_default();
                rule(!seen.stopped, "a stopped candidate says nothing more")?;
                rule(spot.part == seen.parts, "parts are numbered in the order they open")?;
                seen.parts += 1;
                self.open.push(*spot);
            }
            Event::Delta(spot, _) | Event::Cite(spot, _) | Event::Carry(spot, _) => {
                rule(self.open.contains(spot), "only an open part grows")?;
            }
            Event::Close(spot) => {
                let at = self.open.iter().position(|open| open == spot);
                let at = at.ok_or(Ungrammatical("only an open part closes"))?;
                self.open.swap_remove(at);
            }
            Event::Note(Scope::Turn(of), ..) => {
                let seen = self.candidates.entry(*of).or_default();
                rule(!seen.stopped, "a stopped candidate says nothing more")?;
            }
            Event::Note(..) | Event::Usage(_) => {}
            Event::Stop { candidate, .. } => {
                let talking = self.open.iter().any(|open| open.candidate == *candidate);
                rule(!talking, "a candidate stops when its parts are closed")?;
                let seen = self.candidates.entry(*candidate).or_default();
                rule(!seen.stopped, "a candidate stops once")?;
                seen.stopped = true;
            }
            Event::Finish => {
                rule(self.open.is_empty(), "Finish comes when every part is closed")?;
                let all = self.candidates.values().all(|seen| seen.stopped);
                rule(all, "Finish comes when every candidate has stopped")?;
                self.ended = true;
            }
            Event::Fail(_) => self.ended = true,
        }
        Ok(())
    }

    /// Returns whether the stream has come to one of its two ends.
    pub fn ended(&self) -> bool {
        self.ended
    }
}
