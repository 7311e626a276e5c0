//! Thoughts while they are written.

use ir::{Dialect, Opaque, RawJson, Reasoning};

use super::super::{item, output};
use super::desk::{Desk, Named};
use super::frames::Place;

const HERE: Dialect = Dialect::OpenaiResponses;

/// Thoughts while they are written.
#[derive(Debug)]
pub(super) struct Thinking {
    pub(super) part: u32,
    thoughts: Reasoning,
    begun: Option<(usize, String)>,
    /// Whether the one part of the summary was announced.
    summed: bool,
}

impl Thinking {
    /// Opens thoughts. Unless their id is known they are announced with the first that is said.
    pub(super) fn open(part: u32, desk: &mut Desk, out: &mut Vec<u8>) -> Self {
        let mut open = Self { part, thoughts: Reasoning::default(), begun: None, summed: false };
        if desk.shell(part, item::THOUGHTS).rest.get("id").is_some() {
            open.begin(desk, out);
        }
        open
    }

    fn begin(&mut self, desk: &mut Desk, out: &mut Vec<u8>) {
        if self.begun.is_some() {
            return;
        }
        let index = desk.place();
        let shell = desk.shell(self.part, item::THOUGHTS).rest;
        let own = self.thoughts.carrier.as_ref().filter(|carrier| carrier.dialect == HERE);
        let id = match own.and_then(|own| output::id_of(&own.raw)) {
            Some(id) => id,
            None => Named::of(&shell, "rs", index, desk.maker).id,
        };
        let item = output::thoughts(&id, &Reasoning::default());
        desk.frames.item(out, "response.output_item.added", index, &item);
        self.begun = Some((index, id));
    }

    /// Takes what must go back with the thoughts and is written when they end; a later one replaces
    /// it.
    pub(super) fn carry(&mut self, carrier: &Opaque) {
        self.thoughts.carrier = Some(carrier.clone());
    }

    /// Says more thoughts.
    pub(super) fn say(&mut self, text: &str, desk: &mut Desk, out: &mut Vec<u8>) {
        self.begin(desk, out);
        if !self.summed {
            self.summed = true;
            self.frame("response.reasoning_summary_part.added", Some(""), desk, out);
        }
        self.thoughts.text.push_str(text);
        let Some(place) = self.place() else { return };
        let kind = "response.reasoning_summary_text.delta";
        desk.frames.of(out, kind, &place, |frame| frame.field("delta", text));
    }

    fn place(&self) -> Option<Place<'_>> {
        let (index, id) = self.begun.as_ref()?;
        Some(Place { item: id, index: *index, piece: Some(("summary_index", 0)) })
    }

    /// Writes a frame about the summary's part: with the part, or with its text alone.
    fn frame(&self, kind: &str, part: Option<&str>, desk: &mut Desk, out: &mut Vec<u8>) {
        let Some(place) = self.place() else { return };
        desk.frames.of(out, kind, &place, |frame| match part {
            Some(text) => frame.with("part", |out| output::summary_part(out, text)),
            None => frame.field("text", &self.thoughts.text),
        });
    }

    /// Ends the thoughts.
    pub(super) fn close(mut self, desk: &mut Desk, out: &mut Vec<u8>) {
        self.begin(desk, out);
        if self.summed {
            self.frame("response.reasoning_summary_text.done", None, desk, out);
            let text = Some(self.thoughts.text.as_str());
            self.frame("response.reasoning_summary_part.done", text, desk, out);
        }
        let Some((index, id)) = &self.begun else { return };
        desk.done(*index, named(output::thoughts(id, &self.thoughts), id), out);
    }
}

/// Makes an item say the id it was announced under.
fn named(item: Vec<u8>, id: &str) -> Vec<u8> {
    let raw = String::from_utf8(item).ok().and_then(|text| RawJson::parse(text).ok());
    let Some(raw) = raw else { return Vec::new() };
    if output::id_of(&raw).as_deref() == Some(id) {
        return raw.text().as_bytes().to_vec();
    }
    let mut value = raw.value();
    value["id"] = id.into();
    value.to_string().into_bytes()
}
