//! A script: who is answered what, after how long, and with which fault. Plain data; what has
//! been used of it is counted by the provider that plays it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::{Case, Cut, Fault};

/// What a provider answers: the first rule that fits, or else the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Rules, tried in order.
    pub answers: Vec<Rule>,
    /// The answer where no rule fits.
    pub default: Answer,
}

impl Script {
    /// Returns the script that gives everybody the same answer.
    pub fn of(default: Answer) -> Self {
        Self { answers: Vec::new(), default }
    }

    /// Returns the script that says the same text to everybody.
    pub fn saying(text: &str) -> Self {
        Self::of(Answer::text(text))
    }

    /// Adds a rule after those that are there.
    #[must_use]
    pub fn when(mut self, when: When, answer: Answer) -> Self {
        self.answers.push(Rule { when, answer });
        self
    }

    /// Returns the models that rules name, each once: what `GET …/models` lists.
    pub fn models(&self) -> Vec<&str> {
        let mut models = Vec::new();
        for model in self.answers.iter().filter_map(|rule| rule.when.model.as_deref()) {
            if !models.contains(&model) {
                models.push(model);
            }
        }
        models
    }
}

/// An answer for the requests that fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Which requests it answers.
    pub when: When,
    /// The answer.
    pub answer: Answer,
}

/// What a request must show; every condition that is there must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct When {
    /// The model it names, exactly.
    pub model: Option<String>,
    /// A part of the last user message.
    pub said: Option<String>,
    /// Who spoke last, such as `tool`: after a tool's result the last user message is still the
    /// question, and a rule on it alone would call the tool for ever.
    pub last_role: Option<String>,
    /// A header and a part of its value.
    pub header: Option<(String, String)>,
    /// A part of the path.
    pub path: Option<String>,
}

impl When {
    /// Fits requests for this model.
    pub fn model(model: &str) -> Self {
        Self { model: Some(model.to_owned()), ..Self::default() }
    }

    /// Fits requests whose last user message contains this.
    pub fn said(part: &str) -> Self {
        Self { said: Some(part.to_owned()), ..Self::default() }
    }

    /// Fits requests whose last message has this role.
    pub fn last_role(role: &str) -> Self {
        Self { last_role: Some(role.to_owned()), ..Self::default() }
    }

    /// Fits requests with this header, whatever the case of its name, whose value contains this.
    pub fn header(name: &str, part: &str) -> Self {
        Self { header: Some((name.to_ascii_lowercase(), part.to_owned())), ..Self::default() }
    }

    /// Fits requests whose path contains this.
    pub fn path(part: &str) -> Self {
        Self { path: Some(part.to_owned()), ..Self::default() }
    }

    /// Adds the other's conditions; where both set one, the other's holds.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            model: other.model.or(self.model),
            said: other.said.or(self.said),
            last_role: other.last_role.or(self.last_role),
            header: other.header.or(self.header),
            path: other.path.or(self.path),
        }
    }
}

/// What is answered, and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The answer when nothing is wrong.
    pub reply: Reply,
    /// What goes wrong, and how often.
    pub trouble: Option<Trouble>,
    /// How long the provider thinks before it does anything.
    pub delay: Duration,
}

impl Answer {
    /// Answers well and at once.
    pub fn of(reply: Reply) -> Self {
        Self { reply, trouble: None, delay: Duration::ZERO }
    }

    /// Says a text.
    pub fn text(text: &str) -> Self {
        Self::of(Reply::Text { text: text.to_owned(), usage: None })
    }

    /// Calls a tool; the arguments are JSON text.
    pub fn tool_call(name: &str, arguments: &str) -> Self {
        Self::of(Reply::ToolCall { name: name.to_owned(), arguments: arguments.to_owned() })
    }

    /// Plays a recorded exchange, cut as it was on the wire.
    pub fn recorded(case: Case) -> Self {
        let cut = Cut::usual(&case);
        Self::of(Reply::Recorded { case: Arc::new(case), cut })
    }

    /// Answers every request with this fault.
    #[must_use]
    pub fn failing(self, fault: Fault) -> Self {
        Self { trouble: Some(Trouble { fault, shows: Shows::Always }), ..self }
    }

    /// Answers the first requests with this fault and the later ones well.
    #[must_use]
    pub fn failing_first(self, times: u32, fault: Fault) -> Self {
        Self { trouble: Some(Trouble { fault, shows: Shows::First(times) }), ..self }
    }

    /// Answers every other request with this fault, beginning with the first.
    #[must_use]
    pub fn flapping(self, fault: Fault) -> Self {
        Self { trouble: Some(Trouble { fault, shows: Shows::EveryOther }), ..self }
    }

    /// Waits this long before doing anything, misbehaving included.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// A fault, and how often it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What goes wrong.
    pub fault: Fault,
    /// Which requests it hits.
    pub shows: Shows,
}

/// Which of the requests that get an answer a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// All of them.
    Always,
    /// The first so many; then the provider has recovered.
    First(u32),
    /// The first, the third and so on.
    EveryOther,
}

impl Shows {
    /// Says whether the request with this number, from zero, is hit.
    pub fn at(self, number: u32) -> bool {
        match self {
            Self::Always => true,
            Self::First(times) => number < times,
            Self::EveryOther => number.is_multiple_of(2),
        }
    }
}

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The model says this text, whole or streamed as the request asks. A request for JSON gets
    /// it as it is.
    Text {
        /// What it says.
        text: String,
        /// What it reports as used; estimated from the sizes, when absent.
        usage: Option<Usage>,
    },
    /// The model calls one tool.
    ToolCall {
        /// The tool's name.
        name: String,
        /// The arguments, as JSON text.
        arguments: String,
    },
    /// A recorded answer, at whatever path it is asked for.
    Recorded {
        /// The recorded exchange.
        case: Arc<Case>,
        /// How its body is cut; a fault replaces the cut.
        cut: Cut,
    },
    /// These bytes, at whatever path they are asked for.
    Raw {
        /// The status.
        status: u16,
        /// Names and values; the body's framing is the server's.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
}

/// The tokens a provider reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Everything the model read.
    pub input: u64,
    /// Of `input`: read from a prompt cache.
    pub cached_input: u64,
    /// Everything the model wrote.
    pub output: u64,
}
