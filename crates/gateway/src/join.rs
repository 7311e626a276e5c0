//! A joint: the events of an answer that another target gives, as events of the answer that they go
//! on with. Only its text is taken; what it calls or shows has no place in the middle of a text.

use ir::event::{PartKind, Spot};
use ir::{Event, Failure, Kind};

/// The most that is kept of what a client has seen, in bytes.
const MOST_SEEN: usize = 4 << 20;

/// What a client has seen of an answer: no more of it than going on with it takes.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    events: Vec<Event>,
    size: usize,
}

impl Seen {
    /// Takes up what was seen of an answer before.
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut seen = Self::default();
        events.iter().for_each(|event| seen.push(event));
        seen
    }

    /// Takes up an event.
    pub(crate) fn push(&mut self, event: &Event) {
        let text = match event {
            Event::Delta(_, text) => text.len(),
            Event::Start { .. } | Event::Open(..) | Event::Close(_) | Event::Stop { .. } => 0,
            _ => return,
        };
        self.size += size_of::<Event>() + text;
        if self.size <= MOST_SEEN {
            self.events.push(event.clone());
        }
    }

    /// Returns it, unless it was too much to be kept.
    pub(crate) fn events(&self) -> Option<&[Event]> {
        (self.size <= MOST_SEEN).then_some(&self.events)
    }
}

/// Where a text is gone on with.
#[derive(Debug)]
pub(crate) struct Joint {
    /// The part of the client's stream that grows.
    spot: Spot,
    /// Whether that part is open.
    open: bool,
    /// The white space that the text broke off with. Targets were not told it, and may say it again.
    tail: String,
    /// The parts of the going on that are text.
    texts: Vec<Spot>,
}

/// A text that broke off.
#[derive(Debug)]
pub(crate) struct Broken {
    /// What was said, without white space at its end: some hosts refuse that.
    pub(crate) text: String,
    pub(crate) joint: Joint,
}

impl Broken {
    /// Looks at what the client has seen. Nothing can be gone on with but one plain text that has
    /// begun and not ended; thoughts before it are left as they are.
    pub(crate) fn of(seen: &[Event]) -> Option<Self> {
        let mut said = String::new();
        let (mut texts, mut open, mut parts) = (Vec::new(), Vec::new(), 0);
        for event in seen {
            match event {
                Event::Open(spot, kind) => {
                    parts = parts.max(spot.part + 1);
                    open.push(*spot);
                    match kind {
                        _ if spot.candidate != 0 => return None,
                        PartKind::Text => texts.push(*spot),
                        PartKind::Reasoning => {}
                        _ => return None,
                    }
                }
                Event::Delta(spot, text) if texts.contains(spot) => said.push_str(text),
                Event::Close(spot) => open.retain(|open| open != spot),
                Event::Stop { .. } | Event::Finish | Event::Fail(_) => return None,
                _ => {}
            }
        }
        let growing = match open[..] {
            [] => None,
            [spot] if texts.contains(&spot) => Some(spot),
            _ => return None,
        };
        let text = said.trim_end();
        if text.is_empty() {
            return None;
        }
        let tail = said[text.len()..].to_owned();
        let spot = growing.unwrap_or(Spot { candidate: 0, part: parts });
        let joint = Joint { spot, open: growing.is_some(), tail, texts: Vec::new() };
        Some(Self { text: text.to_owned(), joint })
    }
}

impl Joint {
    /// Turns an event of the target that goes on into those of the answer gone on with.
    pub(crate) fn event(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            Event::Open(spot, PartKind::Text) if spot.candidate == 0 => self.texts.push(spot),
            Event::Open(_, PartKind::Text | PartKind::Reasoning) => {}
            Event::Open(..) => {
                let said = "the answer broke off, and what goes on with it is no text";
                out.push(Event::Fail(Failure::new(Kind::Rejected, said)));
            }
            Event::Delta(spot, text) if self.texts.contains(&spot) => self.say(text, out),
            Event::Stop { candidate: 0, finish } => {
                if std::mem::take(&mut self.open) {
                    out.push(Event::Close(self.spot));
                }
                out.push(Event::Stop { candidate: 0, finish });
            }
            Event::Usage(_) | Event::Finish | Event::Fail(_) => out.push(event),
            _ => {}
        }
    }

    fn say(&mut self, mut text: String, out: &mut Vec<Event>) {
        while let (Some(before), Some(now)) = (self.tail.chars().next(), text.chars().next()) {
            if before != now {
                self.tail.clear();
                break;
            }
            self.tail.drain(..before.len_utf8());
            text.drain(..now.len_utf8());
        }
        if text.is_empty() {
            return;
        }
        self.tail.clear();
        if !std::mem::replace(&mut self.open, true) {
            out.push(Event::Open(self.spot, PartKind::Text));
        }
        out.push(Event::Delta(self.spot, text));
    }
}

#[cfg(test)]
mod tests {
    use ir::event::Grammar;
    use ir::{Finish, Usage};

    use super::*;

    const fn at(part: u32) -> Spot {
        Spot { candidate: 0, part }
    }

    fn start() -> Event {
        Event::Start { id: None, model: None, created: None }
    }

    fn delta(part: u32, text: &str) -> Event {
        Event::Delta(at(part), text.to_owned())
    }

    fn text(part: u32, said: &str) -> Vec<Event> {
        vec![Event::Open(at(part), PartKind::Text), delta(part, said)]
    }

    /// Joins a whole second stream to what was seen, and returns the text of both.
    fn joined(seen: &[Event], second: Vec<Event>) -> String {
        let mut joint = Broken::of(seen).unwrap().joint;
        let mut all = seen.to_vec();
        for event in second {
            joint.event(event, &mut all);
        }
        let mut grammar = Grammar::default();
        for event in &all {
            grammar.step(event).unwrap();
        }
        let said = all.iter().filter_map(|event| match event {
            Event::Delta(spot, text) if spot.part > 0 || seen.len() == 3 => Some(text.as_str()),
            _ => None,
        });
        said.collect()
    }

    fn ending(part: u32) -> Vec<Event> {
        let stop = Event::Stop { candidate: 0, finish: Some(Finish::Stop) };
        vec![Event::Close(at(part)), stop, Event::Usage(Usage::default()), Event::Finish]
    }

    #[test]
    fn the_text_grows_on_and_white_space_comes_once() {
        let seen = [vec![start()], text(0, "The sky is \n")].concat();
        let second = |said| [vec![start()], text(0, said), ending(0)].concat();
        assert_eq!(joined(&seen, second(" blue.")), "The sky is \nblue.");
        assert_eq!(joined(&seen, second(" \nblue.")), "The sky is \nblue.");
        assert_eq!(joined(&seen, second("blue.")), "The sky is \nblue.");
    }

    #[test]
    fn thoughts_of_the_second_are_left_out_and_a_closed_text_is_opened_anew() {
        let thoughts = |part| {
            vec![
                Event::Open(at(part), PartKind::Reasoning),
                delta(part, "Hm."),
                Event::Close(at(part)),
            ]
        };
        let seen = [vec![start()], thoughts(0), text(1, "One"), vec![Event::Close(at(1))]].concat();
        let second = [vec![start()], thoughts(0), text(1, ", two"), ending(1)].concat();
        assert_eq!(joined(&seen, second), "One, two");
    }

    #[test]
    fn what_is_no_plain_text_is_not_gone_on_with() {
        let call = PartKind::ToolCall {
            id: "a".to_owned(),
            name: "look".to_owned(),
            kind: ir::CallKind::Function,
        };
        let stop = Event::Stop { candidate: 0, finish: None };
        let begun = || [vec![start()], text(0, "One")].concat();
        assert!(Broken::of(&[start()]).is_none());
        assert!(Broken::of(&[vec![start()], text(0, " ")].concat()).is_none());
        assert!(Broken::of(&[begun(), vec![Event::Close(at(0)), stop]].concat()).is_none());
        assert!(Broken::of(&[begun(), vec![Event::Open(at(1), call.clone())]].concat()).is_none());
        let mut out = Vec::new();
        Broken::of(&begun()).unwrap().joint.event(Event::Open(at(0), call), &mut out);
        assert!(matches!(&out[..], [Event::Fail(_)]), "{out:?}");
    }
}
