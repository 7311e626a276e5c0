//! Requests, written.

use std::collections::HashMap;

use ir::dialect::{SchemaBy, made};
use ir::{
    AssistantPart, AssistantTurn, Budget, CacheMark, Cap, Choice, Dialect, Image, Mode, Opaque,
    Output, Quirks, RawJson, Request, Source, Text, Tool, ToolCall, ToolResult, Toolbox, Turn,
    UserPart,
};

use crate::json::{self, Object};
use crate::losses::Losses;
use crate::undo::{ANSWER_TOOL, free_text_schema, schema_in_words};
use crate::{Undo, Written, arguments};

const HERE: Dialect = Dialect::Ollama;

/// Writes a request.
pub fn write(request: &Request, quirks: Quirks) -> Written {
    let mut losses = Losses::new(HERE, request.spoken);
    let mut undo = Undo::default();
    let messages = Messages::gather(request, quirks, &mut losses);
    let tools = tools(request, quirks, &mut undo, &mut losses);
    unsaid(request, &mut losses);
    let mut bytes = Vec::with_capacity(1024);
    json::object(&mut bytes, |body| {
        body.field("model", &request.model);
        body.with("messages", |out| {
            json::list(out, messages, |out, message| out.extend(message));
        });
        // A stream unless it is told otherwise.
        body.field("stream", &matches!(request.mode, Mode::Stream { .. }));
        if !tools.is_empty() {
            body.with("tools", |out| json::list(out, tools, |out, tool| out.extend(tool)));
        }
        match (&request.output, quirks.schema) {
            (Output::Text, _) | (Output::Schema(_), SchemaBy::Tool) => {}
            (Output::Schema(schema), SchemaBy::Native) if schema.schema.is_some() => {
                schema.schema.iter().for_each(|schema| body.raw("format", schema));
            }
            (Output::Json | Output::Schema(_), _) => body.field("format", "json"),
        }
        options(body, request);
        think(body, request, &mut losses);
        if request.logprobs.is_some() {
            body.field("logprobs", &true);
            body.optional("top_logprobs", request.logprobs.and_then(|wanted| wanted.top).as_ref());
        }
        if let Some(extras) = losses.extras("", &request.extras) {
            body.extras(extras);
        }
    });
    Written { bytes, losses: losses.done(), undo, renamed: crate::Renamed::default() }
}

/// The conversation, each message written already.
struct Messages<'l> {
    losses: &'l mut Losses,
    messages: Vec<Vec<u8>>,
    /// The tool's name of each call so far, by the call's id: results name the tool.
    called: HashMap<String, String>,
}

impl<'l> Messages<'l> {
    fn gather(request: &Request, quirks: Quirks, losses: &'l mut Losses) -> Vec<Vec<u8>> {
        let mut gathering = Self { losses, messages: Vec::new(), called: HashMap::new() };
        if let (Output::Schema(schema), SchemaBy::Prompt) = (&request.output, quirks.schema) {
            gathering.message("system", &schema_in_words(schema), &[], |_| {});
        }
        for (at, turn) in request.turns.iter().enumerate() {
            gathering.turn(turn, &format!("turns[{at}]"));
        }
        gathering.messages
    }

    fn message(
        &mut self,
        role: &str,
        content: &str,
        images: &[String],
        more: impl FnOnce(&mut Object<'_>),
    ) {
        let mut out = Vec::new();
        json::object(&mut out, |message| {
            message.field("role", role);
            message.field("content", content);
            if !images.is_empty() {
                message.field("images", images);
            }
            more(message);
        });
        self.messages.push(out);
    }

    fn turn(&mut self, turn: &Turn, path: &str) {
        match turn {
            Turn::Instruct { parts, extras, .. } => {
                self.losses.extras(path, extras);
                let (content, images) = self.content(parts, path);
                self.message("system", &content, &images, |_| {});
            }
            Turn::User { parts, extras } => {
                self.losses.extras(path, extras);
                let (content, images) = self.content(parts, path);
                self.message("user", &content, &images, |_| {});
            }
            Turn::Assistant(turn) => self.assistant(turn, path),
            Turn::Result(result) => self.result(result, path),
            // No turn of this dialect's own is read that has no other name.
            Turn::Other(opaque) => drop(self.losses.opaque(path, opaque)),
        }
    }

    fn result(&mut self, result: &ToolResult, path: &str) {
        self.losses.extras(path, &result.extras);
        self.mark(result.cache.as_ref(), path);
        if result.failed == Some(true) {
            self.losses.lose(format!("{path}.failed"));
        }
        let name = result.name.clone().or_else(|| self.called.get(&result.call).cloned());
        let (content, images) = self.content(&result.parts, path);
        let id = (!made(&result.call)).then_some(&result.call);
        self.message("tool", &content, &images, |message| {
            message.optional("tool_name", name.as_ref());
            message.optional("tool_call_id", id);
        });
    }

    /// Joins the texts and gathers the pictures.
    fn content(&mut self, parts: &[UserPart], path: &str) -> (String, Vec<String>) {
        let (mut texts, mut images) = (Vec::new(), Vec::new());
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            match part {
                UserPart::Text(Text { text, cache, extras }) => {
                    self.losses.extras(&path, extras);
                    self.mark(cache.as_ref(), &path);
                    texts.push(text.as_str());
                }
                UserPart::Image(image) => images.extend(self.image(image, &path)),
                UserPart::File(file) => {
                    self.losses.extras(&path, &file.extras);
                    self.losses.because(&path, "ollama takes no files but pictures");
                }
                // A text and a list of pictures have no place for it.
                UserPart::Other(opaque) => drop(self.losses.opaque(&path, opaque)),
            }
        }
        (texts.join("\n"), images)
    }

    fn image(&mut self, image: &Image, path: &str) -> Option<String> {
        self.losses.extras(path, &image.extras);
        self.mark(image.cache.as_ref(), path);
        if image.detail.is_some() {
            self.losses.lose(format!("{path}.detail"));
        }
        match &image.source {
            Source::Inline { base64, .. } => Some(base64.clone()),
            Source::Url { .. } => {
                self.losses.because(path, "ollama takes pictures as bytes, and fetches no address");
                None
            }
            Source::Uploaded(_) => {
                self.losses.because(path, "only the provider it was uploaded to has it");
                None
            }
        }
    }

    fn assistant(&mut self, turn: &AssistantTurn, path: &str) {
        self.losses.extras(path, &turn.extras);
        let (mut text, mut thoughts) = (String::new(), String::new());
        let (mut images, mut calls) = (Vec::new(), Vec::new());
        for (at, part) in turn.parts.iter().enumerate() {
            let path = format!("{path}.parts[{at}]");
            match part {
                AssistantPart::Text(said) => {
                    self.losses.extras(&path, &said.extras);
                    self.carrier(said.carrier.as_ref(), &path);
                    self.mark(said.cache.as_ref(), &path);
                    if !said.citations.is_empty() {
                        self.losses.lose(format!("{path}.citations"));
                    }
                    text.push_str(&said.text);
                }
                AssistantPart::Refusal(said) => text.push_str(said),
                AssistantPart::Reasoning(reasoning) => {
                    self.carrier(reasoning.carrier.as_ref(), &path);
                    thoughts.push_str(&reasoning.text);
                }
                AssistantPart::ToolCall(call) => calls.push(self.call(call, &path)),
                AssistantPart::Image(image) => images.extend(self.image(image, &path)),
                AssistantPart::Other(opaque) => drop(self.losses.opaque(&path, opaque)),
            }
        }
        self.message("assistant", &text, &images, |message| {
            if !thoughts.is_empty() {
                message.field("thinking", &thoughts);
            }
            if !calls.is_empty() {
                message
                    .with("tool_calls", |out| json::list(out, calls, |out, call| out.extend(call)));
            }
        });
    }

    fn call(&mut self, call: &ToolCall, path: &str) -> Vec<u8> {
        self.losses.extras(path, &call.extras);
        self.carrier(call.carrier.as_ref(), path);
        self.mark(call.cache.as_ref(), path);
        self.called.insert(call.id.clone(), call.name.clone());
        let arguments = arguments::object(call, &format!("{path}.arguments"), self.losses);
        let mut out = Vec::new();
        json::object(&mut out, |written| {
            if !made(&call.id) {
                written.field("id", &call.id);
            }
            written.nest("function", |function| {
                function.field("name", &call.name);
                function.with("arguments", |out| out.extend_from_slice(arguments.as_bytes()));
            });
        });
        out
    }

    fn carrier(&mut self, carrier: Option<&Opaque>, path: &str) {
        if let Some(carrier) = carrier {
            self.losses.opaque(&format!("{path}.carrier"), carrier);
        }
    }

    fn mark(&mut self, cache: Option<&CacheMark>, path: &str) {
        if cache.is_some() {
            self.losses.lose(format!("{path}.cache"));
        }
    }
}

/// Gathers the tools. There is no choice among them but to leave them out.
fn tools(request: &Request, quirks: Quirks, undo: &mut Undo, losses: &mut Losses) -> Vec<Vec<u8>> {
    let mut tools =
        request.toolbox.as_ref().map(|own| offered(own, undo, losses)).unwrap_or_default();
    if let (Output::Schema(schema), SchemaBy::Tool) = (&request.output, quirks.schema) {
        undo.answer = true;
        losses.because("output", "ollama cannot demand that a tool is called");
        let description = schema.description.as_deref().unwrap_or("Gives the answer.");
        tools.push(function(ANSWER_TOOL, Some(description), schema.schema.as_ref()));
    }
    tools
}

fn offered(toolbox: &Toolbox, undo: &mut Undo, losses: &mut Losses) -> Vec<Vec<u8>> {
    if toolbox.parallel == Some(false) {
        losses.lose("toolbox.parallel");
    }
    match &toolbox.choice {
        None | Some(Choice::Auto) => {}
        Some(Choice::Never) => return Vec::new(),
        Some(Choice::Required | Choice::Tool(_)) => {
            losses.because("toolbox.choice", "ollama cannot demand that a tool is called");
        }
        Some(Choice::Other(opaque)) => drop(losses.opaque("toolbox.choice", opaque)),
    }
    let mut tools = Vec::new();
    for (at, tool) in toolbox.tools.iter().enumerate() {
        let path = format!("toolbox.tools[{at}]");
        match tool {
            Tool::Function { name, description, parameters, strict, cache, extras, around } => {
                losses.extras(&path, extras);
                losses.extras(&path, around);
                if *strict == Some(true) {
                    losses.lose(format!("{path}.strict"));
                }
                if cache.is_some() {
                    losses.lose(format!("{path}.cache"));
                }
                tools.push(function(name, description.as_deref(), parameters.as_ref()));
            }
            Tool::Custom { name, description, extras } => {
                losses.extras(&path, extras);
                undo.customs.push(name.clone());
                tools.push(function(name, description.as_deref(), Some(&free_text_schema())));
            }
            Tool::Hosted(opaque) => {
                let opaque = losses.opaque(&path, opaque);
                tools.extend(opaque.map(|opaque| opaque.raw.text().into()));
            }
        }
    }
    tools
}

fn function(name: &str, description: Option<&str>, parameters: Option<&RawJson>) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, |tool| {
        tool.field("type", "function");
        tool.nest("function", |function| {
            function.field("name", name);
            function.optional("description", description);
            match parameters {
                Some(parameters) => function.raw("parameters", parameters),
                None => function.nest("parameters", |schema| {
                    schema.field("type", "object");
                    schema.nest("properties", |_| {});
                }),
            }
        });
    });
    out
}

fn options(body: &mut Object<'_>, request: &Request) {
    let numbers = [
        ("temperature", &request.temperature),
        ("top_p", &request.top_p),
        ("top_k", &request.top_k),
        ("seed", &request.seed),
        ("frequency_penalty", &request.frequency_penalty),
        ("presence_penalty", &request.presence_penalty),
    ];
    let said = numbers.iter().any(|(_, number)| number.is_some());
    if !said && request.cap.is_none() && request.stop.is_empty() {
        return;
    }
    body.nest("options", |options| {
        if let Some(Cap(cap)) = request.cap {
            options.field("num_predict", &cap);
        }
        for (name, number) in numbers {
            options.optional(name, number.as_ref());
        }
        if !request.stop.is_empty() {
            options.field("stop", &request.stop);
        }
    });
}

/// Writes whether to think: as a word where the caller said one that is known, else yes or no.
fn think(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let Some(thinking) = &request.thinking else { return };
    losses.extras("thinking", &thinking.extras);
    if thinking.shown == Some(false) {
        losses.lose("thinking.shown");
    }
    match (thinking.effort.as_deref(), thinking.budget()) {
        (None, None) => {}
        (_, Some(Budget::Off)) => body.field("think", &false),
        (Some(word @ ("low" | "medium" | "high")), _) => body.field("think", word),
        (effort, budget) => {
            if effort.is_some() {
                losses.because("thinking.effort", "ollama knows no such effort");
            }
            if let Some(Budget::Tokens(_)) = budget
                && effort.is_none()
            {
                losses.because("thinking.budget", "ollama counts no tokens of thoughts");
            }
            body.field("think", &true);
        }
    }
}

/// Notes the settings that have no field.
fn unsaid(request: &Request, losses: &mut Losses) {
    let said = [
        ("candidates", request.candidates.is_some_and(|candidates| candidates > 1)),
        ("user", request.user.is_some()),
    ];
    said.into_iter().filter(|(_, said)| *said).for_each(|(name, _)| losses.lose(name));
    if let Output::Schema(schema) = &request.output {
        losses.extras("output", &schema.extras);
    }
    if let Mode::Stream { extras, .. } = &request.mode {
        losses.extras("mode", extras);
    }
}
