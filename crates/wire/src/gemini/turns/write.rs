//! Turns to contents.

use std::collections::HashMap;

use ir::dialect::Signatures;
use ir::{
    AssistantPart, AssistantTurn, CacheMark, Extras, Image, Opaque, Source, Text, ToolCall, Turn,
    UserPart,
};

use super::super::{HERE, call, part, signature};
use super::results::{Made, made};
use super::silent;
use crate::json::{self, Object};
use crate::losses::Losses;

/// A content being gathered.
pub(super) struct Content<'r> {
    pub(super) role: &'static str,
    pub(super) parts: Vec<Vec<u8>>,
    /// What stands beside function responses: it follows after all of them.
    pub(super) beside: Vec<Vec<u8>>,
    /// The places of the calls that are answered, where the parts are function responses.
    pub(super) results: Option<Vec<usize>>,
    pub(super) extras: Option<&'r Extras>,
}

pub(super) enum Item<'r> {
    Content(Content<'r>),
    Own(&'r Opaque),
}

/// Everything a walk over the turns gathers.
pub(super) struct Walk<'r, 'l> {
    pub(super) losses: &'l mut Losses,
    pub(super) made: HashMap<&'r str, Made<'r>>,
    pub(super) items: Vec<Item<'r>>,
    /// From which turn on a call needs a signature, its own or the dummy.
    signed_from: Option<usize>,
}

/// Writes the instruction and the contents; `words` are the gateway's own instructions.
pub(in super::super) fn write(
    body: &mut Object<'_>,
    turns: &[Turn],
    words: Option<&str>,
    signatures: Signatures,
    losses: &mut Losses,
) {
    // Google looks at the turn that is under way: what follows the last words of the user's.
    let asks = |turn: &Turn| matches!(turn, Turn::User { parts, .. } if !parts.iter().all(silent));
    let under_way = turns.iter().rposition(asks).unwrap_or(0);
    let signed_from = (signatures == Signatures::Dummy && !losses.home()).then_some(under_way);
    let mut walk = Walk { losses, made: made(turns), items: Vec::new(), signed_from };
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
        // As many results must follow a content of the model's as it has calls.
        if let Some(Item::Content(last)) = self.items.last_mut()
            && last.role == role
            && role == "model"
            && !self.losses.home()
        {
            return last.parts.extend(parts);
        }
        let (beside, results) = (Vec::new(), None);
        self.items.push(Item::Content(Content { role, parts, beside, results, extras }));
    }

    fn user_parts(&mut self, parts: &[UserPart], turn: usize) -> Vec<Vec<u8>> {
        let mut written = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            written.extend(self.user_part(part, &format!("turns[{turn}].parts[{at}]")));
        }
        written
    }

    pub(super) fn user_part(&mut self, said: &UserPart, path: &str) -> Option<Vec<u8>> {
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

    pub(super) fn unmarked(&mut self, cache: Option<&CacheMark>, path: &str) {
        if cache.is_some() {
            self.losses.lose(format!("{path}.cache"));
        }
    }

    fn assistant(&mut self, turn: &'r AssistantTurn, at: usize) {
        let mut written = Vec::with_capacity(turn.parts.len());
        let mut signed = self.signed_from.is_none_or(|from| at < from);
        for (part, said) in turn.parts.iter().enumerate() {
            let path = format!("turns[{at}].parts[{part}]");
            if let AssistantPart::ToolCall(call) = said {
                // Of calls side by side Google signs the first alone.
                written.push(self.call(call, &path, !signed));
                signed = true;
            } else {
                written.extend(self.assistant_part(said, &path));
            }
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
                    // What came back without a text may have been a text's as well as a thought's.
                    let thought = home || !thoughts.text.is_empty();
                    part::write_text(&thoughts.text, thought, carrier.map(|own| &own.raw), None)
                })
            }
            AssistantPart::Refusal(text) => {
                let why = format!("{} has no refusals; said as text", HERE.name());
                self.losses.because(path, why);
                Some(part::write_text(text, false, None, None))
            }
            AssistantPart::ToolCall(call) => Some(self.call(call, path, false)),
            AssistantPart::Image(Image { source, cache, extras, .. }) => {
                self.media(source, cache.as_ref(), extras, path)
            }
            AssistantPart::Other(opaque) => self.own(opaque, path),
        }
    }

    fn call(&mut self, call: &ToolCall, path: &str, needs_signature: bool) -> Vec<u8> {
        self.unmarked(call.cache.as_ref(), path);
        if !call::takes(call) {
            let why = "the arguments are no JSON object; they stand in one as a text";
            self.losses.because(format!("{path}.arguments"), why);
        }
        let own = self.carrier(call.carrier.as_ref(), path).map(|own| own.raw.clone());
        let signature = own.or_else(|| needs_signature.then(signature::dummy));
        let extras = self.losses.extras(path, &call.extras);
        call::write_call(call, signature.as_ref(), extras)
    }

    fn carrier<'c>(&mut self, carrier: Option<&'c Opaque>, path: &str) -> Option<&'c Opaque> {
        self.losses.opaque(&format!("{path}.carrier"), carrier?)
    }
}
