//! Results of calls to function responses.

use std::collections::HashMap;

use ir::{AssistantPart, ToolResult, Turn, UserPart};

use super::super::call;
use super::write::{Content, Item, Walk};
use crate::ids;

/// A call that was made.
pub(super) struct Made<'r> {
    /// The tool's name.
    name: &'r str,
    /// Which call of the conversation it is.
    place: usize,
}

/// Returns the calls of a conversation by their ids.
pub(super) fn made(turns: &[Turn]) -> HashMap<&str, Made<'_>> {
    let (mut made, mut place) = (HashMap::new(), 0);
    for turn in turns {
        let Turn::Assistant(turn) = turn else { continue };
        for part in &turn.parts {
            if let AssistantPart::ToolCall(call) = part {
                made.insert(call.id.as_str(), Made { name: &call.name, place });
                place += 1;
            }
        }
    }
    made
}

impl<'r> Walk<'r, '_> {
    /// Writes a result into the content of the results before it. Pictures and files stand inside it
    /// at home; from elsewhere they stand beside it, where every model takes them, and the results in
    /// the order of their calls, which is what tells them apart where the calls have no ids.
    pub(super) fn result(&mut self, result: &'r ToolResult, at: usize) {
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
        let made = self.made.get(result.call.as_str());
        let place = made.map_or(usize::MAX, |made| made.place);
        let found = made.map(|made| made.name.to_owned());
        let name = result.name.clone().or(found).unwrap_or_else(|| {
            self.losses.because(format!("{path}.call"), "no call before it has this id");
            ids::fit(&result.call, 64)
        });
        let inside = if home { media.as_slice() } else { &[] };
        let written = call::write_result(result, &name, inside, extras);
        let beside = if home { Vec::new() } else { media };
        match self.items.last_mut() {
            Some(Item::Content(Content { results: Some(places), parts, beside: all, .. })) => {
                let after = places.partition_point(|before| *before <= place);
                let at = if home { places.len() } else { after };
                places.insert(at, place);
                parts.insert(at, written);
                all.extend(beside);
            }
            _ => self.items.push(Item::Content(Content {
                role: "user",
                parts: vec![written],
                beside,
                results: Some(vec![place]),
                extras: None,
            })),
        }
    }
}
