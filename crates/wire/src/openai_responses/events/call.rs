//! A call while it is written.

use ir::{Arguments, CallKind, Extras, Opaque, ToolCall};

use super::super::item;
use super::super::output::{self, Standing};
use super::desk::{Desk, Named};
use super::frames::Place;
use crate::arguments;

/// A call while it is written.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) part: u32,
    call: ToolCall,
    /// Its place and its id, once it is announced.
    begun: Option<(usize, Named)>,
    /// What came before it was announced.
    held: Option<String>,
}

impl Calling {
    /// Opens a call. Unless its id is known it is announced with its second piece, because what
    /// must stand before it may come with the first.
    pub(super) fn open(
        part: u32,
        (id, name, kind): (&str, &str, CallKind),
        desk: &mut Desk,
        out: &mut Vec<u8>,
    ) -> Self {
        let call = ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            arguments: Arguments::default(),
            carrier: None,
            cache: None,
            extras: Extras::default(),
        };
        let mut calling = Self { part, call, begun: None, held: None };
        if desk.shells.contains_key(&part) {
            calling.begin(desk, out);
        }
        calling
    }

    fn begin(&mut self, desk: &mut Desk, out: &mut Vec<u8>) {
        if self.begun.is_some() {
            return;
        }
        let shell = desk.shell(self.part, item::called(self.call.kind)).rest;
        let index = desk.place();
        let prefix = output::call_prefix(self.call.kind);
        let named = Named::of(&shell, prefix, index, desk.maker);
        let standing = Standing { id: Some(named.id.clone()), status: Some("in_progress") };
        let item = output::call(&standing, &self.call, "", &Extras::default());
        desk.frames.item(out, "response.output_item.added", index, &item);
        self.begun = Some((index, named));
        if let Some(held) = self.held.take() {
            self.delta(&held, desk, out);
        }
    }

    /// Takes a carrier of another dialect, which must stand before the call.
    pub(super) fn carry(&mut self, carrier: &Opaque, desk: &mut Desk, out: &mut Vec<u8>) {
        if self.begun.is_none() {
            desk.sealed(carrier, out);
            self.begin(desk, out);
        }
    }

    /// Says more of the arguments.
    pub(super) fn say(&mut self, text: &str, desk: &mut Desk, out: &mut Vec<u8>) {
        self.call.arguments.0.push_str(text);
        if self.begun.is_none() && self.held.is_none() {
            self.held = Some(text.to_owned());
            return;
        }
        self.begin(desk, out);
        self.delta(text, desk, out);
    }

    fn place(&self) -> Option<Place<'_>> {
        let (index, named) = self.begun.as_ref()?;
        Some(Place { item: &named.id, index: *index, piece: None })
    }

    fn delta(&self, text: &str, desk: &mut Desk, out: &mut Vec<u8>) {
        let Some(place) = self.place() else { return };
        let kind = match self.call.kind {
            CallKind::Function => "response.function_call_arguments.delta",
            CallKind::Custom => "response.custom_tool_call_input.delta",
        };
        desk.frames.of(out, kind, &place, |frame| frame.field("delta", text));
    }

    /// Ends the call. Of another dialect's, no arguments are an empty object.
    pub(super) fn close(mut self, home: bool, desk: &mut Desk, out: &mut Vec<u8>) {
        self.begin(desk, out);
        let said = arguments::said(&self.call, home);
        if said != self.call.arguments.0 {
            let said = said.to_owned();
            self.delta(&said, desk, out);
            self.call.arguments.0.push_str(&said);
        }
        let Some(place) = self.place() else { return };
        match self.call.kind {
            CallKind::Function => {
                let kind = "response.function_call_arguments.done";
                desk.frames.of(out, kind, &place, |frame| {
                    frame.field("name", &self.call.name);
                    frame.field("arguments", &self.call.arguments.0);
                });
            }
            CallKind::Custom => {
                let kind = "response.custom_tool_call_input.done";
                let input = &self.call.arguments.0;
                desk.frames.of(out, kind, &place, |frame| frame.field("input", input));
            }
        }
        let mut shell = desk.shell(self.part, item::called(self.call.kind)).rest;
        let Some((index, named)) = &self.begun else { return };
        let standing = named.settle(&mut shell);
        let arguments = &self.call.arguments.0;
        desk.done(*index, output::call(&standing, &self.call, arguments, &shell), out);
    }
}
