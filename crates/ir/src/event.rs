//! A streamed answer, piece by piece, and the grammar every stream obeys:
//!
//! ```text
//! stream    = Start (Open (Delta | Cite | Carry)* Close | Note | Stop | Usage)* end
//! end       = Finish | Fail
//! ```
//!
//! A part is opened once, grows while it is open and never after; parts of one candidate are
//! numbered from 0 in the order they open; a candidate stops at most once and says nothing after;
//! `Finish` comes only when every part is closed and every candidate that spoke has stopped;
//! `Fail` may come at any time, and nothing follows either.

mod fold;
mod grammar;
mod unfold;

pub use fold::Fold;
pub use grammar::{Grammar, Ungrammatical};
pub use unfold::unfold;

use crate::{CallKind, Citation, Failure, Finish, Opaque, RawJson, Usage};

/// Where a part stands: which candidate, which part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    /// The candidate, from 0.
    pub candidate: u32,
    /// The part of the candidate, from 0.
    pub part: u32,
}

/// A piece of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer begins.
    Start {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The model as the provider names it.
        model: Option<String>,
        /// Seconds since 1970, as the provider says.
        created: Option<u64>,
    },
    /// A part begins.
    Open(Spot, PartKind),
    /// The open part grows: its text, or the text of its arguments.
    Delta(Spot, String),
    /// The open text rests on this.
    Cite(Spot, Citation),
    /// The open part carries what must go back untouched; a later one replaces it.
    Carry(Spot, Opaque),
    /// The part is complete.
    Close(Spot),
    /// A field the reader has no name for.
    Note(Scope, String, RawJson),
    /// A candidate is complete.
    Stop {
        /// Which.
        candidate: u32,
        /// Why, when the provider said so.
        finish: Option<Finish>,
    },
    /// What the answer used; the last one counts.
    Usage(Usage),
    /// The stream ended as it should.
    Finish,
    /// The stream ended badly.
    Fail(Failure),
}

/// What kind of part was opened.
#[derive(Debug, Clone, PartialEq)]
pub enum PartKind {
    /// Text.
    Text,
    /// A refusal.
    Refusal,
    /// Thoughts before the answer.
    Reasoning,
    /// A call of a tool; its deltas are the text of its arguments.
    ToolCall {
        /// The id the result refers to.
        id: String,
        /// The tool's name.
        name: String,
        /// What kind of tool it is.
        kind: CallKind,
    },
    /// A picture the model made; its deltas are its bytes in base64.
    Image {
        /// Its media type.
        media_type: String,
    },
    /// A part only its dialect understands, whole from the start.
    Other(Opaque),
}

/// What an unnamed field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole answer.
    Answer,
    /// A candidate.
    Candidate(u32),
    /// A candidate's turn.
    Turn(u32),
}
