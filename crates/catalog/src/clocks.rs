//! How long a target may take, clock by clock: as it is written, and as it is used.

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

/// How long a target may take before an attempt at it is given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenClocks {
    /// Until a connection stands, TLS included, such as `10s`.
    #[schemars(with = "Option<String>")]
    pub connect: Option<SignedDuration>,
    /// Until the head of the answer is there; `timeout` where nothing is said.
    #[schemars(with = "Option<String>")]
    pub first_byte: Option<SignedDuration>,
    /// Until the answer has begun with its first token (a stream) or is there (whole), such as
    /// `30s`.
    #[schemars(with = "Option<String>")]
    pub timeout: Option<SignedDuration>,
    /// Between one event of a stream and the next, such as `60s`.
    #[schemars(with = "Option<String>")]
    pub silence: Option<SignedDuration>,
}

/// The clocks of an attempt; `None` where nobody said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Until a connection stands.
    pub connect: Option<Duration>,
    /// Until the head of the answer is there.
    pub first_byte: Option<Duration>,
    /// Until the first token, or the whole answer.
    pub timeout: Option<Duration>,
    /// Between two events.
    pub silence: Option<Duration>,
}

impl Clocks {
    /// Returns these clocks, with the others' where these say nothing.
    #[must_use]
    pub fn or(self, under: Self) -> Self {
        Self {
            connect: self.connect.or(under.connect),
            first_byte: self.first_byte.or(under.first_byte),
            timeout: self.timeout.or(under.timeout),
            silence: self.silence.or(under.silence),
        }
    }
}

impl WrittenClocks {
    /// Lowers the clocks; `wrong` is told the key of each that makes no sense.
    pub fn lower(&self, wrong: &mut dyn FnMut(&'static str)) -> Clocks {
        let mut clock = |key, written: Option<SignedDuration>| {
            let length = written.map(length)?;
            if length.is_none() {
                wrong(key);
            }
            length
        };
        Clocks {
            connect: clock("connect", self.connect),
            first_byte: clock("first_byte", self.first_byte),
            timeout: clock("timeout", self.timeout),
            silence: clock("silence", self.silence),
        }
    }
}

/// What is said of a length of time that makes no sense, and what to write instead.
pub const SENSELESS: (&str, &str) =
    ("must be longer than nothing and at most a day", "write a length of time such as 30s or 2m");

/// The longest time that makes sense of a request.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Returns a length of time that is longer than nothing and at most a day.
pub fn length(written: SignedDuration) -> Option<Duration> {
    let length = Duration::try_from(written).ok()?;
    (!length.is_zero() && length <= LONGEST).then_some(length)
}
