//! The limits of a request: its clocks, its budget of attempts, time and money, and what must hold
//! of an answer before it goes out. As they are written at a task, and as they are used.

use std::sync::Arc;
use std::time::Duration;

use catalog::{Clocks, SENSELESS, WrittenClocks, length};
use check::Checks;
use ir::Money;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use yaml::{Document, Path, Problem};

/// Declares a struct with fields of its own and all that may be said of limits, and how to take the
/// limits out of it: what a task says of itself is what `defaults` says of all of them.
macro_rules! with_limits {
    ($(#[$about:meta])* struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// How long a connection to a provider may take to come about, TLS included.
            #[schemars(with = "Option<String>")]
            pub connect: Option<SignedDuration>,
            /// How long an attempt may take until the head of its answer is there; without it,
            /// `timeout`.
            #[schemars(with = "Option<String>")]
            pub first_byte: Option<SignedDuration>,
            /// How long one attempt may take until its answer has begun with its first token (a
            /// stream) or is there (whole), such as `30s`.
            #[schemars(with = "Option<String>")]
            pub timeout: Option<SignedDuration>,
            /// How long a stream may be silent between two events once it has begun.
            #[schemars(with = "Option<String>")]
            pub silence: Option<SignedDuration>,
            /// How long the whole request may take, every attempt and the stream to its end.
            #[schemars(with = "Option<String>")]
            pub total: Option<SignedDuration>,
            /// When the answer may begin to go out.
            pub commit: Option<Commit>,
            /// How often a target is tried again before the next one is, after failures that pass.
            #[schemars(range(max = 10))]
            pub retries: Option<u32>,
            /// The most attempts of a request, all targets and retries together.
            #[schemars(range(min = 1, max = 100))]
            pub attempts: Option<u32>,
            /// The longest pause before a target is tried again while another one is left.
            #[schemars(with = "Option<String>")]
            pub patience: Option<SignedDuration>,
            /// What the attempts of a request may have cost, in dollars, before another is begun;
            /// `0` sets no bound where `defaults` sets one.
            pub spend: Option<catalog::Decimal>,
            /// Send a second attempt when the first token is later than it is for 95 of 100
            /// requests; at most this share of extra requests, in percent. The first to answer
            /// wins, both are billed. `0` sends none where `defaults` allows it.
            #[schemars(range(min = 0, max = 50))]
            pub hedge_percent: Option<u8>,
            /// Whether a plain text that breaks off after it has begun is gone on with by the next
            /// target, where that takes the beginning of an answer. Off where nothing is said.
            pub continue_after_cut: Option<bool>,
            /// What must hold of an answer; `{}` asks nothing where `defaults` asks something.
            pub check: Option<check::Written>,
        }

        impl $name {
            /// Returns what is said of limits.
            pub(crate) fn limits(&self) -> WrittenLimits {
                WrittenLimits {
                    connect: self.connect,
                    first_byte: self.first_byte,
                    timeout: self.timeout,
                    silence: self.silence,
                    total: self.total,
                    commit: self.commit,
                    retries: self.retries,
                    attempts: self.attempts,
                    patience: self.patience,
                    spend: self.spend.clone(),
                    hedge_percent: self.hedge_percent,
                    continue_after_cut: self.continue_after_cut,
                    check: self.check.clone(),
                }
            }
        }
    };
}

with_limits! {
    /// The limits of a request.
    struct WrittenLimits {}
}

with_limits! {
    /// A task: the models for it.
    struct WrittenCell {
        /// What the task is, for people.
        about: Option<String>,
        /// The model that gets it.
        primary: String,
        /// The models that get it when that one fails, in order.
        #[serde(default)]
        fallbacks: Vec<String>,
    }
}

/// When an answer may begin to go out. Until then a failure falls back; after it, it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Commit {
    /// With its first token.
    #[default]
    FirstToken,
    /// When its beginning is valid: JSON, where it was asked for, with its first key; a call with
    /// the name of a tool that was offered; a text as soon as it does not begin like a refusal,
    /// such as "I'm sorry, but I can't help with that". An answer whose beginning is not valid is
    /// rejected, and the next target is asked; so is JSON that ends before it has begun. A text
    /// that might still become a refusal is held for at most 80 characters, or to its end, and
    /// goes out then.
    Prefix,
    /// When it is whole and has ended as it should.
    Checked,
}

impl Commit {
    /// Returns the word of the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstToken => "first_token",
            Self::Prefix => "prefix",
            Self::Checked => "checked",
        }
    }
}

/// The limits of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The clocks of an attempt that the task sets itself; they go over its target's.
    pub own: Clocks,
    /// How long a connection may take.
    pub connect: Duration,
    /// How long the head of an answer may take, where that is not `timeout`.
    pub first_byte: Option<Duration>,
    /// How long one attempt may take until its answer has begun, or is there.
    pub timeout: Duration,
    /// How long a stream may be silent.
    pub silence: Duration,
    /// How long the whole request may take.
    pub total: Duration,
    /// When the answer may begin to go out.
    pub commit: Commit,
    /// How often a target is tried again.
    pub retries: u32,
    /// The most attempts.
    pub attempts: u32,
    /// The longest pause while another target is left.
    pub patience: Duration,
    /// What may have been spent before another attempt is begun.
    pub spend: Option<Money>,
    /// The share of extra requests that hedging may cause, in percent.
    pub hedge_percent: Option<u8>,
    /// Whether another target goes on with a text that broke off.
    pub continue_after_cut: bool,
    /// What must hold of an answer.
    pub check: Option<Arc<Checks>>,
}

/// The article's thirty seconds, and ten minutes for all of it.
impl Default for Limits {
    fn default() -> Self {
        Self {
            own: Clocks::default(),
            connect: Duration::from_secs(10),
            first_byte: None,
            timeout: Duration::from_secs(30),
            silence: Duration::from_secs(60),
            total: Duration::from_secs(600),
            commit: Commit::FirstToken,
            retries: 1,
            attempts: 6,
            patience: Duration::from_secs(1),
            spend: None,
            hedge_percent: None,
            continue_after_cut: false,
            check: None,
        }
    }
}

/// The clocks of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptClocks {
    /// How long the connection may take.
    pub connect: Duration,
    /// How long the head of the answer may take.
    pub first_byte: Duration,
    /// How long the first token, or the whole answer, may take.
    pub timeout: Duration,
    /// How long a stream may be silent.
    pub silence: Duration,
}

impl Limits {
    /// Returns the clocks of an attempt at a target: what the task says itself, or else what the
    /// target's record says, or else the defaults.
    pub fn clocks(&self, target: Clocks) -> AttemptClocks {
        let said = self.own.or(target);
        let timeout = said.timeout.unwrap_or(self.timeout);
        AttemptClocks {
            connect: said.connect.unwrap_or(self.connect),
            first_byte: said.first_byte.or(self.first_byte).unwrap_or(timeout).min(timeout),
            timeout,
            silence: said.silence.unwrap_or(self.silence),
        }
    }
}

/// Whose clocks are read: a task's own go over its targets', everybody's do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Everybody,
    Task,
}

/// Lowers limits over others.
pub(crate) fn lower(
    whose: Whose,
    written: &WrittenLimits,
    under: &Limits,
    path: &Path,
    document: &Document,
    problems: &mut Vec<Problem>,
) -> Limits {
    let mut wrong = |key: &'static str, (message, help): (&str, &str)| {
        problems.push(document.problem(&path.key(key), message.to_owned()).help(help.to_owned()));
    };
    let WrittenLimits { connect, first_byte, timeout, silence, .. } = *written;
    let clocks = WrittenClocks { connect, first_byte, timeout, silence };
    let clocks = clocks.lower(&mut |key| wrong(key, SENSELESS));
    let mut time = |key, written: Option<SignedDuration>, under| match written.map(length) {
        None => under,
        Some(Some(length)) => length,
        Some(None) => {
            wrong(key, SENSELESS);
            under
        }
    };
    let total = time("total", written.total, under.total);
    let patience = time("patience", written.patience, under.patience);
    let spend = match written.spend.as_ref().map(|spend| spend.0.parse::<Money>()) {
        None => under.spend,
        Some(Ok(spend)) if spend >= Money::ZERO => Some(spend).filter(|spend| *spend > Money::ZERO),
        Some(_) => {
            wrong("spend", ("not an amount of dollars", "write a number such as 0.05"));
            under.spend
        }
    };
    if let (Some(first_byte), Some(timeout)) = (clocks.first_byte, clocks.timeout)
        && first_byte > timeout
    {
        wrong("first_byte", ("longer than `timeout`", "an attempt ends with its `timeout`"));
    }
    if clocks.timeout.is_some_and(|timeout| written.total.is_some() && timeout > total) {
        wrong("timeout", ("longer than `total`", "a request ends with its `total`"));
    }
    // Where something is asked already, whoever writes down that nothing is means it.
    let nothing = written.check == Some(check::Written::default()) && under.check.is_some();
    let check = match written.check.as_ref().filter(|_| !nothing).map(Checks::compile) {
        None if nothing => None,
        None => under.check.clone(),
        Some(Ok(checks)) => Some(Arc::new(checks)),
        Some(Err(found)) => {
            for bad in found {
                let steps = bad.field.split('.');
                let field = steps.fold(path.key("check"), |path, step| path.key(step));
                let problem = document.problem(&field, bad.why);
                problems.push(match bad.help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
            }
            None
        }
    };
    Limits {
        own: if whose == Whose::Task { clocks } else { Clocks::default() },
        connect: clocks.connect.unwrap_or(under.connect),
        first_byte: clocks.first_byte.or(under.first_byte),
        timeout: clocks.timeout.unwrap_or(under.timeout),
        silence: clocks.silence.unwrap_or(under.silence),
        total,
        commit: written.commit.unwrap_or(under.commit),
        retries: written.retries.unwrap_or(under.retries),
        attempts: written.attempts.unwrap_or(under.attempts),
        patience,
        spend,
        hedge_percent: written.hedge_percent.or(under.hedge_percent).filter(|share| *share > 0),
        continue_after_cut: written.continue_after_cut.unwrap_or(under.continue_after_cut),
        check,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use crate::Table;

    #[test]
    fn a_task_switches_off_what_defaults_set() {
        let text = "version: t\ndefault_model: a/m\n\
                    defaults: { hedge_percent: 5, spend: 0.1, check: { json: true } }\n\
                    tasks:\n  kept: { primary: a/m }\n  \
                    off: { primary: a/m, hedge_percent: 0, spend: 0, check: {} }\n";
        let (table, _) = Table::parse("t", text, yaml::Vars::Keep).unwrap();
        let said = |task: &str| {
            let limits = &table.tasks[task].limits;
            (limits.hedge_percent, limits.spend.is_some(), limits.check.is_some())
        };
        assert_eq!(said("kept"), (Some(5), true, true));
        assert_eq!(said("off"), (None, false, false));
    }
}
