//! Circuit breaker: decides whether an attempt may start. Does not retry, does not time.
//!
//! *Closed*, everything passes and failures are counted. *Open*, nothing passes for a while that
//! grows from opening to opening. Then it is *half-open*: a few probes pass, and the first of them
//! to be judged closes or opens it. An answer is judged at its end, which may be minutes after it
//! began; so a ticket knows its generation, and one from before the last opening or closing
//! changes nothing.
//!
//! At no time are more than `probes` probes out, counting those that are neither told nor older
//! than `probe_lease`. Forced tickets are not probes: they hold no slot, and none of their failures
//! is news, but a good answer to one closes the circuit as a probe's would.

use std::time::Duration;

use crate::slide::Slices;

/// When a circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// How far back failures are counted.
    pub window: Duration,
    /// Below so many judged attempts in the window their ratio means nothing.
    pub minimum: u32,
    /// The share of failures in the window that opens.
    pub ratio_percent: u8,
    /// So many failures without a good answer in between open at any volume.
    pub consecutive: u32,
    /// How long the first opening lasts; each that follows on it lasts twice as long.
    pub open: Duration,
    /// How long an opening lasts at most, and how long it must have been closed for the next to
    /// be a first one again.
    pub longest: Duration,
    /// How many probes are out at once when half-open; at least one is.
    pub probes: u32,
    /// After how long a probe that was not judged no longer holds its slot.
    pub probe_lease: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            // Half a minute holds ten attempts of a target that is asked every three seconds.
            window: Duration::from_secs(30),
            minimum: 10,
            ratio_percent: 50,
            // A busy target that fails altogether opens within a few answers.
            consecutive: 5,
            // Most troubles of hosts are over in seconds; a minute of lateness is the most an
            // operator should see after a long one.
            open: Duration::from_secs(5),
            longest: Duration::from_secs(60),
            // A probe is a caller's request, and that one caller waits for it to fail.
            probes: 1,
            // Longer than a first token takes where it comes at all.
            probe_lease: Duration::from_secs(30),
        }
    }
}

impl BreakerPolicy {
    /// Returns how long the nth opening in a row lasts.
    fn open_for(&self, nth: u32) -> Duration {
        let doubled = 1_u32.checked_shl(nth.saturating_sub(1)).unwrap_or(u32::MAX);
        self.open.saturating_mul(doubled).min(self.longest)
    }
}

/// What an attempt says about its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It works.
    Well,
    /// It does not.
    Ill,
    /// Nothing: the client went away, or the request was at fault.
    Void,
}

/// What a circuit is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// Everything passes.
    Closed,
    /// Nothing passes.
    Open,
    /// Probes pass.
    HalfOpen,
}

impl Circuit {
    /// Returns the word used on pages and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The leave to make one attempt; to be told back.
#[derive(Debug)]
#[must_use = "a ticket that is not told holds its probe's slot until the lease ends"]
pub struct Ticket {
    generation: u64,
    role: Role,
}

impl Ticket {
    /// Returns whether the attempt is a probe.
    pub fn is_probe(&self) -> bool {
        matches!(self.role, Role::Probe(_))
    }
}

#[derive(Debug, Clone, Copy)]
enum Role {
    Ordinary,
    Probe(u64),
    Forced,
}

/// The circuit does not let the attempt pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// After how long it lets one pass at the latest.
    pub again: Duration,
}

/// The circuit of one target.
#[derive(Debug, Clone)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: State,
    /// Grows with each opening and each closing.
    generation: u64,
    /// How many openings followed on one another.
    streak: u32,
    /// How many openings there were at all.
    opened: u64,
    window: Slices<Tally, 10>,
    /// Failures since the last good answer, and when the last of them was.
    run: u32,
    last_ill: Duration,
    next_probe: u64,
}

#[derive(Debug, Clone)]
enum State {
    Closed { since: Duration },
    Open { until: Duration },
    HalfOpen { out: Vec<Probe> },
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    id: u64,
    until: Duration,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    well: u32,
    ill: u32,
}

impl Breaker {
    /// Makes a closed circuit.
    pub fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            state: State::Closed { since: Duration::ZERO },
            generation: 0,
            streak: 0,
            opened: 0,
            window: Slices::new(policy.window),
            run: 0,
            last_ill: Duration::ZERO,
            next_probe: 0,
        }
    }

    /// Says whether `ask` would be granted, and changes nothing.
    pub fn peek(&self, now: Duration) -> Result<(), Refused> {
        let until = match &self.state {
            State::Closed { .. } => return Ok(()),
            State::Open { until } => *until,
            State::HalfOpen { out } if out.len() < self.policy.probes.max(1) as usize => {
                return Ok(());
            }
            // The first to fall free, be that now.
            State::HalfOpen { out } => out.iter().map(|probe| probe.until).min().unwrap_or(now),
        };
        if now >= until { Ok(()) } else { Err(Refused { again: until - now }) }
    }

    /// Asks for leave to make an attempt.
    pub fn ask(&mut self, now: Duration) -> Result<Ticket, Refused> {
        self.peek(now)?;
        let until = now.saturating_add(self.policy.probe_lease);
        let probe = Probe { id: self.next_probe, until };
        match &mut self.state {
            State::Closed { .. } => return Ok(self.ticket(Role::Ordinary)),
            State::Open { .. } => self.state = State::HalfOpen { out: vec![probe] },
            State::HalfOpen { out } => {
                out.retain(|probe| probe.until > now);
                out.push(probe);
            }
        }
        self.next_probe += 1;
        Ok(self.ticket(Role::Probe(probe.id)))
    }

    /// Takes leave for an attempt whatever the circuit says, for when all targets refuse.
    pub fn force(&mut self, now: Duration) -> Ticket {
        self.ask(now).unwrap_or_else(|_| self.ticket(Role::Forced))
    }

    fn ticket(&self, role: Role) -> Ticket {
        Ticket { generation: self.generation, role }
    }

    /// Hears that an answer began. A probe is judged by that: whether the host is back is said by
    /// its first token, and a long answer must not keep everybody else waiting for its end.
    pub fn first(&mut self, now: Duration, ticket: &Ticket) {
        let half_open = matches!(self.state, State::HalfOpen { .. });
        if half_open && ticket.is_probe() && ticket.generation == self.generation {
            self.close(now);
        }
    }

    /// Hears how an attempt ended.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is told once")]
    pub fn told(&mut self, now: Duration, ticket: Ticket, judged: Judged) {
        if ticket.generation != self.generation {
            return;
        }
        match (&mut self.state, ticket.role) {
            (State::Closed { .. }, _) => self.count(now, judged),
            (State::HalfOpen { out }, Role::Probe(id)) => {
                out.retain(|probe| probe.id != id);
                match judged {
                    Judged::Well => self.close(now),
                    Judged::Ill => self.open(now),
                    Judged::Void => {}
                }
            }
            (State::Open { .. } | State::HalfOpen { .. }, _) => {
                if judged == Judged::Well {
                    self.close(now);
                }
            }
        }
    }

    /// Counts in the closed circuit, which may open it.
    fn count(&mut self, now: Duration, judged: Judged) {
        match judged {
            Judged::Void => return,
            Judged::Well => {
                self.window.at(now).well += 1;
                self.run = 0;
                return;
            }
            Judged::Ill => self.window.at(now).ill += 1,
        }
        // Failures an hour apart are not in a row, whatever a quiet target did not do in between.
        if now.saturating_sub(self.last_ill) > self.policy.window {
            self.run = 0;
        }
        self.run += 1;
        self.last_ill = now;
        let (judged, ill) = self.counted(now);
        let often = judged >= self.policy.minimum.max(1)
            && u64::from(ill) * 100 >= u64::from(judged) * u64::from(self.policy.ratio_percent);
        if often || self.run >= self.policy.consecutive {
            self.open(now);
        }
    }

    fn open(&mut self, now: Duration) {
        let steady = matches!(self.state, State::Closed { since }
            if now.saturating_sub(since) >= self.policy.longest);
        self.streak = if steady { 1 } else { self.streak.saturating_add(1) };
        let until = now.saturating_add(self.policy.open_for(self.streak));
        self.state = State::Open { until };
        self.generation += 1;
        self.opened += 1;
    }

    fn close(&mut self, now: Duration) {
        self.state = State::Closed { since: now };
        self.generation += 1;
        self.window = Slices::new(self.policy.window);
        self.run = 0;
    }

    /// Returns what the circuit is; an open one whose time is over counts as half-open.
    pub fn circuit(&self, now: Duration) -> Circuit {
        match self.state {
            State::Closed { .. } => Circuit::Closed,
            State::Open { until } if now < until => Circuit::Open,
            State::Open { .. } | State::HalfOpen { .. } => Circuit::HalfOpen,
        }
    }

    /// Returns how many attempts were judged in the window, and how many of them were ill.
    pub fn counted(&self, now: Duration) -> (u32, u32) {
        let (well, ill) = self
            .window
            .recent(now)
            .fold((0_u32, 0_u32), |(well, ill), tally| (well + tally.well, ill + tally.ill));
        (well + ill, ill)
    }

    /// Returns how often it opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }
}
