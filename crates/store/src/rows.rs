//! What is recorded: ids, attempts, and everything about one request.

use std::fmt;

use ir::{Money, Tokens};

/// The id of a decision: a UUIDv7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// Reads the id from its text, with or without its prefix and dashes.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("dec_").or_else(|| text.strip_prefix("req_")).unwrap_or(text);
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }

    /// Returns the smallest id of a moment, for ranges of time.
    pub fn from_ms(ms: i64) -> Self {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&ms.max(0).to_be_bytes()[2..]);
        Self(id)
    }

    /// Returns the moment the id was made, in milliseconds since 1970 UTC.
    pub fn ms(self) -> i64 {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&self.0[..6]);
        i64::from_be_bytes(ms)
    }
}

/// Thirty-two hexadecimal digits.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its answer went to the client, whole.
    Answered,
    /// It failed, before or after its first byte.
    Failed,
    /// It was given up: the client hung up.
    Cancelled,
}

impl Outcome {
    /// Returns the word used in the ledger and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Finds an outcome by its word.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Answered, Self::Failed, Self::Cancelled].into_iter().find(|o| o.name() == name)
    }
}

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The decision it belongs to.
    pub decision: Id,
    /// Its number within the decision, from 1.
    pub attempt: u32,
    /// When it began, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The name of the caller's key.
    pub key: Option<String>,
    /// The task.
    pub task: String,
    /// The model as the caller named it.
    pub asked: String,
    /// The provider it went to.
    pub provider: String,
    /// The model it went to.
    pub model: String,
    /// Whether the answer came as a stream.
    pub streamed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The failure's code.
    pub failure: Option<String>,
    /// The failure's fault.
    pub fault: Option<String>,
    /// The status the provider answered with.
    pub status: Option<u16>,
    /// What it used; `None` where nobody knows.
    pub used: Option<Used>,
    /// What it cost; `None` where unpriced or unknown, which is not zero.
    pub cost: Option<Money>,
    /// The version of the price list.
    pub prices: Option<String>,
    /// Microseconds from sending to the first content.
    pub first_byte_us: Option<i64>,
    /// Microseconds from beginning to end.
    pub total_us: i64,
    /// The provider's id of the answer, where a later request may go on from it; not read back
    /// with the row.
    pub answer: Option<String>,
}

/// The tokens of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Everything read.
    pub input: Tokens,
    /// Of it, from a cache.
    pub cached_input: Tokens,
    /// Of it, written to a cache.
    pub cache_write: Tokens,
    /// Everything written.
    pub output: Tokens,
    /// Of it, reasoning.
    pub reasoning: Tokens,
    /// Who counted: `reported` or `estimated`.
    pub counted: String,
}

/// Everything about one request, recorded in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The decision's id.
    pub id: Id,
    /// The decision's record, as JSON.
    pub decision: String,
    /// Its attempts.
    pub attempts: Vec<Attempt>,
}
