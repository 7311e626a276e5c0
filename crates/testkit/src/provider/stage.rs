//! What a provider keeps while it runs: its script and how much of it is used, what it was sent,
//! and how many clients hung up. The one place with locks; none is held across an await.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Seen;
use super::ask::Ask;
use super::exchange::Act;
use super::play::{Heard, aside, play};
use super::seen::{Ended, Ending};

use crate::{Answer, Fault, Script, Trouble, When};

/// The requests that are remembered: more than a run of the fault suite makes.
pub(super) const REMEMBERED: usize = 4_096;

/// The state of a provider.
#[derive(Debug)]
pub(super) struct Stage {
    cue: Mutex<Cue>,
    seen: Mutex<VecDeque<Seen>>,
    asked: watch::Sender<u64>,
    hung_up: Arc<watch::Sender<u64>>,
}

impl Stage {
    pub(super) fn new(script: Script) -> Self {
        Self {
            cue: Mutex::new(Cue::new(script)),
            seen: Mutex::default(),
            asked: watch::Sender::new(0),
            hung_up: Arc::new(watch::Sender::new(0)),
        }
    }

    pub(super) fn set(&self, script: Script) {
        *lock(&self.cue) = Cue::new(script);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).iter().cloned().collect()
    }

    pub(super) fn asked(&self) -> u64 {
        *self.asked.borrow()
    }

    pub(super) fn hung_up(&self) -> u64 {
        *self.hung_up.borrow()
    }

    pub(super) async fn until_asked(&self, times: u64) {
        at_least(times, &self.asked).await;
    }

    pub(super) async fn until_hung_up(&self, times: u64) {
        at_least(times, &self.hung_up).await;
    }

    pub(super) fn clear(&self) {
        lock(&self.seen).clear();
        self.asked.send_replace(0);
        self.hung_up.send_replace(0);
    }

    /// Says whether a new connection is to be reset unread; that uses the fault up once.
    pub(super) fn refuses(&self) -> bool {
        let refused = lock(&self.cue).refuse();
        if refused {
            self.count();
        }
        refused
    }

    /// Takes a request in, and returns what happens to it and after how long.
    pub(super) fn hear(&self, seen: &Seen) -> (Act, Duration) {
        let number = self.remember(seen);
        let ask = Ask::read(&seen.body);
        let mut cue = lock(&self.cue);
        let place = cue.place(seen, &ask);
        let heard = Heard { number, seen, ask: &ask, place };
        let answer = cue.answer_at(place);
        if let Some(act) = aside(&heard, &answer.reply, &cue.script.models()) {
            return (act, answer.delay);
        }
        // Counted only now: a fault is used up by the requests that it shows to.
        let fault = cue.fault_at(place);
        let answer = cue.answer_at(place);
        (play(&heard, &answer.reply, fault.as_ref()), answer.delay)
    }

    fn remember(&self, seen: &Seen) -> u64 {
        let mut kept = lock(&self.seen);
        if kept.len() == REMEMBERED {
            kept.pop_front();
        }
        kept.push_back(seen.clone());
        self.count()
    }

    /// Returns the number of this request, from one.
    fn count(&self) -> u64 {
        let mut number = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            number = *asked;
        });
        number
    }

    /// Returns the remembered requests whose body holds this.
    pub(super) fn seen_saying(&self, part: &str) -> Vec<Seen> {
        let seen = lock(&self.seen);
        seen.iter().filter(|seen| seen.says(part)).cloned().collect()
    }

    /// Watches one answer: dropped before it is complete, it counts as a client that hung up.
    pub(super) fn watch(&self, seen: &Seen) -> Watch {
        Watch { hung_up: Some(Arc::clone(&self.hung_up)), ending: seen.ending() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is whole after every statement, so a panic elsewhere has not spoilt it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn at_least(times: u64, counted: &watch::Sender<u64>) {
    // The sender is borrowed for as long as this waits, so the channel cannot close.
    let _ = counted.subscribe().wait_for(|count| *count >= times).await;
}

/// Holds one answer until it is complete.
#[derive(Debug)]
pub(super) struct Watch {
    hung_up: Option<Arc<watch::Sender<u64>>>,
    ending: Ending,
}

impl Watch {
    /// Ends the watch: all that was meant to be sent is sent.
    pub(super) fn complete(mut self) {
        self.ending.end(Ended::Complete);
        self.hung_up = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(hung_up) = &self.hung_up {
            self.ending.end(Ended::HungUp);
            hung_up.send_modify(|count| *count += 1);
        }
    }
}

/// Where in a script an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the rule of this index.
    Rule(usize),
    /// At the default.
    Default,
}

/// A script, and how often each fault has shown.
#[derive(Debug)]
struct Cue {
    script: Script,
    asked_by_rule: Vec<u32>,
    asked_of_default: u32,
}

impl Cue {
    fn new(script: Script) -> Self {
        Self { asked_by_rule: vec![0; script.answers.len()], asked_of_default: 0, script }
    }

    fn place(&self, seen: &Seen, ask: &Ask) -> Place {
        let found = self.script.answers.iter().position(|rule| fits(&rule.when, seen, ask));
        found.map_or(Place::Default, Place::Rule)
    }

    fn answer_at(&self, place: Place) -> &Answer {
        match place {
            Place::Rule(index) => &self.script.answers[index].answer,
            Place::Default => &self.script.default,
        }
    }

    /// Returns the fault that shows this time, and counts the request.
    fn fault_at(&mut self, place: Place) -> Option<Fault> {
        let fault = self.due_at(place);
        let asked = match place {
            Place::Rule(index) => &mut self.asked_by_rule[index],
            Place::Default => &mut self.asked_of_default,
        };
        *asked = asked.saturating_add(1);
        fault
    }

    /// Returns the fault that the next request meets.
    fn due_at(&self, place: Place) -> Option<Fault> {
        let asked = match place {
            Place::Rule(index) => self.asked_by_rule[index],
            Place::Default => self.asked_of_default,
        };
        let Trouble { fault, shows } = self.answer_at(place).trouble.as_ref()?;
        shows.at(asked).then(|| fault.clone())
    }

    /// A connection can be refused unread only where no rule could have spared the request.
    fn refuse(&mut self) -> bool {
        let default = &self.script.default;
        let alone = self.script.answers.is_empty() && default.delay.is_zero();
        let refuses = alone && self.due_at(Place::Default) == Some(Fault::Refuse);
        if refuses {
            self.fault_at(Place::Default);
        }
        refuses
    }
}

fn fits(when: &When, seen: &Seen, ask: &Ask) -> bool {
    let has =
        |text: &Option<String>, part: &str| text.as_deref().is_some_and(|text| text.contains(part));
    let header = |(name, part): &(String, String)| {
        seen.header(&name.to_ascii_lowercase()).is_some_and(|value| value.contains(part.as_str()))
    };
    when.model.as_ref().is_none_or(|_| when.model == ask.model)
        && when.said.as_ref().is_none_or(|part| has(&ask.said, part))
        && when.last_role.as_ref().is_none_or(|_| when.last_role == ask.last_role)
        && when.header.as_ref().is_none_or(header)
        && when.path.as_ref().is_none_or(|part| seen.path.contains(part.as_str()))
}
