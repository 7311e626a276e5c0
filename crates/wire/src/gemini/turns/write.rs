//! Turns to contents.

use std::collections::HashMap;

use ir::{
    AssistantPart, AssistantTurn, CacheMark, Extras, Image, Opaque, Source, Text, ToolResult, Turn,
    UserPart,
};

use super::super::{HERE, call, part};
use super::silent;
use crate::ids;
use crate::json::{self, Object};
use crate::losses::Losses;

/// A content being gathered.
struct Content<'r> {
    role: &'static str,
    parts: Vec<Vec<u8>>,
    /// What stands beside function responses: it follows after all of them.
    beside: Vec<Vec<u8>>,
    results: bool,
    extras: Option<&'r Extras>,
}

enum Item<'r> {
    Content(Content<'r>),
    Own(&'r Opaque),
}

/// Everything a walk over the turns gathers.
struct Walk<'r, 'l> {
    losses: &'l mut Losses,
    names: HashMap<&'r str, &'r str>,
    items: Vec<Item<'r>>,
}

/// Writes the instruction and the contents; `words` are the gateway's own instructions.
pub(in super::super) fn write(
    body: &mut Object<'_>,
    turns: &[Turn],
    words: Option<&str>,
    losses: &mut Losses,
) {
    let mut walk = Walk { losses, names: names(turns), items: Vec::new() };
    let leading = turns.iter().take_while(|turn| matches!(turn, Turn::Instruct { .. })).count();
    let leading = walk.one_at_least(turns, leading);
    let mut system = Vec::new();
    let mut beside = None;
    for (at, turn) in turns.iter().take(leading).enumerate() {
        if let Turn::Instruct { parts, extras, .. } = turn {
            system.extend(walk.user_parts(parts, at));
            beside = walk.losses.extras(&format!("turns[{at}]"), extras).or(beside);
        }
    }
    for (at, turn) in turns.iter().enumerate().skip(leading) {
        walk.turn(turn, at);
    }
    let said = leading > 0 && (walk.losses.home() || !system.is_empty());
    system.extend(words.map(|words| part::write_text(words, false, None, None)));
    if said || words.is_some() {
        body.nest("systemInstruction", |content| {
            content.with("parts", |out| part::write_all(out, &system));
            if let Some(extras) = beside {
                content.extras(extras);
            }
        });
    }
    let home = walk.losses.home();
    // Google refuses a content without parts.
    let kept = walk.items.into_iter().filter(|item| match item {
        Item::Content(content) => home || !content.parts.is_empty() || !content.beside.is_empty(),
        Item::Own(_) => true,
    });
    body.with("contents", |out| json::list(out, kept, write_item));
}

/// Returns the name of the tool that each call is for.
fn names(turns: &[Turn]) -> HashMap<&str, &str> {
    let mut names = HashMap::new();
    for turn in turns {
        let Turn::Assistant(turn) = turn else { continue };
        for part in &turn.parts {
            if let AssistantPart::ToolCall(call) = part {
                names.insert(call.id.as_str(), call.name.as_str());
            }
        }
    }
    names
}

fn write_item(out: &mut Vec<u8>, item: Item<'_>) {
    match item {
        Item::Own(opaque) => out.extend_from_slice(opaque.raw.text().as_bytes()),
        Item::Content(Content { role, mut parts, beside, extras, .. }) => {
            parts.extend(beside);
            json::object(out, |content| {
                content.with("parts", |out| part::write_all(out, &parts));
                content.field("role", role);
                if let Some(extras) = extras {
                    content.extras(extras);
                }
            });
        }
    }
}

impl<'r> Walk<'r, '_> {
    /// Returns how many leading turns go into the instruction. There must be contents besides it, so
    /// from another dialect the last of nothing but instructions is said as the user's.
    fn one_at_least(&self, turns: &[Turn], leading: usize) -> usize {
        let all = leading == turns.len() && !self.losses.home();
        if all { leading.saturating_sub(1) } else { leading }
    }

    fn turn(&mut self, turn: &'r Turn, at: usize) {
        match turn {
            Turn::Instruct { parts, extras, .. } => {
                let why = format!(
                    "{} takes instructions before the conversation alone; said as the user's",
                    HERE.name()
                );
                self.losses.because(format!("turns[{at}]"), why);
                self.said("user", parts, at, extras);
            }
            Turn::User { parts, extras } => self.said("user", parts, at, extras),
            Turn::Assistant(turn) => self.assistant(turn, at),
            Turn::Result(result) => self.result(result, at),
            Turn::Other(opaque) => {
                if let Some(own) = self.losses.opaque(&format!("turns[{at}]"), opaque) {
                    self.items.push(Item::Own(own));
                }
            }
        }
    }

    fn said(&mut self, role: &'static str, parts: &'r [UserPart], at: usize, extras: &'r Extras) {
        let parts = self.user_parts(parts, at);
        let extras = self.losses.extras(&format!("turns[{at}]"), extras);
        self.content(role, parts, extras);
    }

    fn content(&mut self, role: &'static str, parts: Vec<Vec<u8>>, extras: Option<&'r Extras>) {
        let beside = Vec::new();
        self.items.push(Item::Content(Content { role, parts, beside, results: false, extras }));
    }

    fn user_parts(&mut self, parts: &[UserPart], turn: usize) -> Vec<Vec<u8>> {
        let mut written = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            written.extend(self.user_part(part, &format!("turns[{turn}].parts[{at}]")));
        }
        written
    }

    fn user_part(&mut self, said: &UserPart, path: &str) -> Option<Vec<u8>> {
        match said {
            // Google refuses an empty text.
            part if silent(part) && !self.losses.home() => None,
            UserPart::Text(Text { text, cache, extras }) => {
                self.unmarked(cache.as_ref(), path);
                let extras = self.losses.extras(path, extras);
                Some(part::write_text(text, false, None, extras))
            }
            UserPart::Image(image) => {
                if image.detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.losses.lose(format!("{path}.detail"));
                }
                self.media(&image.source, image.cache.as_ref(), &image.extras, path)
            }
            UserPart::File(file) => {
                if file.name.is_some() {
                    self.losses.lose(format!("{path}.name"));
                }
                self.media(&file.source, file.cache.as_ref(), &file.extras, path)
            }
            UserPart::Other(opaque) => self.own(opaque, path),
        }
    }

    fn media(
        &mut self,
        source: &Source,
        cache: Option<&CacheMark>,
        extras: &Extras,
        path: &str,
    ) -> Option<Vec<u8>> {
        self.unmarked(cache, path);
        if matches!(source, Source::Uploaded(_)) && !self.losses.home() {
            self.losses.because(path, "it was uploaded to another provider");
            return None;
        }
        let extras = self.losses.extras(path, extras);
        Some(part::write_media(source, extras))
    }

    fn own(&mut self, opaque: &Opaque, path: &str) -> Option<Vec<u8>> {
        let own = self.losses.opaque(path, opaque)?;
        Some(own.raw.text().as_bytes().to_vec())
    }

    fn unmarked(&mut self, cache: Option<&CacheMark>, path: &str) {
        if cache.is_some() {
            self.losses.lose(format!("{path}.cache"));
        }
    }

    fn assistant(&mut self, turn: &'r AssistantTurn, at: usize) {
        let mut written = Vec::with_capacity(turn.parts.len());
        for (part, said) in turn.parts.iter().enumerate() {
            written.extend(self.assistant_part(said, &format!("turns[{at}].parts[{part}]")));
        }
        let extras = self.losses.extras(&format!("turns[{at}]"), &turn.extras);
        self.content("model", written, extras);
    }

    fn assistant_part(&mut self, said: &AssistantPart, path: &str) -> Option<Vec<u8>> {
        let home = self.losses.home();
        match said {
            AssistantPart::Text(said) => {
                self.unmarked(said.cache.as_ref(), path);
                if !said.citations.is_empty() {
                    self.losses.lose(format!("{path}.citations"));
                }
                let carrier = self.carrier(said.carrier.as_ref(), path);
                let extras = self.losses.extras(path, &said.extras);
                let nothing = said.text.is_empty() && carrier.is_none() && !home;
                (!nothing).then(|| {
                    part::write_text(&said.text, false, carrier.map(|own| &own.raw), extras)
                })
            }
            AssistantPart::Reasoning(thoughts) => {
                let carrier = self.carrier(thoughts.carrier.as_ref(), path);
                let nothing = thoughts.text.is_empty() && carrier.is_none() && !home;
                (!nothing).then(|| {
                    part::write_text(&thoughts.text, true, carrier.map(|own| &own.raw), None)
                })
            }
            AssistantPart::Refusal(text) => {
                let why = format!("{} has no refusals; said as text", HERE.name());
                self.losses.because(path, why);
                Some(part::write_text(text, false, None, None))
            }
            AssistantPart::ToolCall(call) => {
                self.unmarked(call.cache.as_ref(), path);
                if !call::takes(call) {
                    let why = "the arguments are no JSON object; they stand in one as a text";
                    self.losses.because(format!("{path}.arguments"), why);
                }
                let carrier = self.carrier(call.carrier.as_ref(), path);
                let extras = self.losses.extras(path, &call.extras);
                Some(call::write_call(call, carrier.map(|own| &own.raw), extras))
            }
            AssistantPart::Image(Image { source, cache, extras, .. }) => {
                self.media(source, cache.as_ref(), extras, path)
            }
            AssistantPart::Other(opaque) => self.own(opaque, path),
        }
    }

    fn carrier<'c>(&mut self, carrier: Option<&'c Opaque>, path: &str) -> Option<&'c Opaque> {
        self.losses.opaque(&format!("{path}.carrier"), carrier?)
    }

    /// Writes a result into the content of the results before it. Pictures and files stand inside it
    /// at home; from elsewhere they stand beside it, where every model takes them.
    fn result(&mut self, result: &'r ToolResult, at: usize) {
        let path = format!("turns[{at}]");
        self.unmarked(result.cache.as_ref(), &path);
        let home = self.losses.home();
        let mut media = Vec::new();
        for (part, said) in result.parts.iter().enumerate() {
            let path = format!("{path}.parts[{part}]");
            match said {
                UserPart::Text(text) => {
                    self.unmarked(text.cache.as_ref(), &path);
                    self.losses.extras(&path, &text.extras);
                }
                said => media.extend(self.user_part(said, &path)),
            }
        }
        let extras = self.losses.extras(&path, &result.extras);
        let found = self.names.get(result.call.as_str()).map(|name| (*name).to_owned());
        let name = result.name.clone().or(found).unwrap_or_else(|| {
            self.losses.because(format!("{path}.call"), "no call before it has this id");
            ids::fit(&result.call, 64)
        });
        let inside = if home { media.as_slice() } else { &[] };
        let written = call::write_result(result, &name, inside, extras);
        let beside = if home { Vec::new() } else { media };
        match self.items.last_mut() {
            Some(Item::Content(content)) if content.results => {
                content.parts.push(written);
                content.beside.extend(beside);
            }
            _ => self.items.push(Item::Content(Content {
                role: "user",
                parts: vec![written],
                beside,
                results: true,
                extras: None,
            })),
        }
    }
}
