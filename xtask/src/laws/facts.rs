//! What a conversation says, as a list of facts, and which of them a translation may lose.
//!
//! Law 3, losses are honest: what is written in another dialect and read again says the same, but
//! for what was declared lost. A fact is named by where it stood, as losses are.

use ir::{
    AssistantPart, CallKind, Cap, Choice, File, Image, Loss, Output, Request, Source, Tool,
    ToolCall, Turn, UserPart,
};
use serde_json::Value;

/// Something a conversation says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    /// Where it stands: `turns[1].parts[0]`, `temperature`.
    pub(crate) place: String,
    /// What it is: `text`, `call`.
    pub(crate) kind: &'static str,
    /// What it says, brought to one spelling.
    pub(crate) says: String,
}

/// Returns what a conversation says.
pub(crate) fn facts(request: &Request) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    for (at, turn) in request.turns.iter().enumerate() {
        facts.turn(at, turn);
    }
    facts.settings(request);
    facts.0
}

/// Returns the first fact that got lost without being declared.
pub(crate) fn silently_lost(before: &Request, after: &Request, losses: &[Loss]) -> Option<Fact> {
    let mut there: Vec<Fact> = facts(after);
    let all: String = there
        .iter()
        .filter(|fact| fact.kind == "text")
        .fold(String::new(), |all, fact| all + &fact.says + "\n");
    facts(before).into_iter().find(|fact| {
        // Several texts of a turn may have become one.
        if fact.kind == "text" && all.contains(&fact.says) {
            return false;
        }
        let same = |other: &Fact| other.kind == fact.kind && other.says == fact.says;
        if let Some(at) = there.iter().position(same) {
            there.swap_remove(at);
            return false;
        }
        !losses.iter().any(|loss| covers(&loss.path, &fact.place))
    })
}

/// A loss covers what stands at its place, below it, or above it.
fn covers(loss: &str, place: &str) -> bool {
    let below = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    below(loss, place) || below(place, loss)
}

struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, place: impl Into<String>, kind: &'static str, says: impl Into<String>) {
        let says = says.into();
        self.0.push(Fact { place: place.into(), kind, says });
    }

    /// Empty texts say nothing, and several dialects refuse them.
    fn text(&mut self, place: String, kind: &'static str, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.add(place, kind, text);
        }
    }

    fn turn(&mut self, at: usize, turn: &Turn) {
        let part = |of: usize| format!("turns[{at}].parts[{of}]");
        match turn {
            Turn::Instruct { parts, .. } | Turn::User { parts, .. } => {
                for (of, said) in parts.iter().enumerate() {
                    self.user(part(of), said);
                }
            }
            Turn::Result(result) => {
                let texts = result.parts.iter().filter_map(|part| match part {
                    UserPart::Text(text) => Some(text.text.as_str()),
                    _ => None,
                });
                // How the pieces are joined is each dialect's own.
                let text: String = texts.collect();
                let text: String = spelled(&text).split_whitespace().collect();
                self.add(format!("turns[{at}]"), "result", text);
                for (of, said) in result.parts.iter().enumerate() {
                    if !matches!(said, UserPart::Text(_)) {
                        self.user(part(of), said);
                    }
                }
            }
            Turn::Assistant(turn) => {
                for (of, said) in turn.parts.iter().enumerate() {
                    self.assistant(part(of), said);
                }
            }
            Turn::Other(_) => self.add(format!("turns[{at}]"), "turn", "unknown"),
        }
    }

    fn user(&mut self, place: String, part: &UserPart) {
        match part {
            UserPart::Text(text) => self.text(place, "text", &text.text),
            UserPart::Image(Image { source, .. }) => self.add(place, "media", source_of(source)),
            UserPart::File(File { source, .. }) => self.add(place, "media", source_of(source)),
            UserPart::Other(_) => self.add(place, "part", "unknown"),
        }
    }

    fn assistant(&mut self, place: String, part: &AssistantPart) {
        match part {
            AssistantPart::Text(said) => self.text(place, "text", &said.text),
            AssistantPart::Refusal(text) => self.text(place, "text", text),
            AssistantPart::ToolCall(call) => {
                self.add(place, "call", format!("{} {}", call.name, arguments(call)));
            }
            AssistantPart::Image(image) => self.add(place, "media", source_of(&image.source)),
            // Thoughts are not the conversation: whether they go back is each dialect's own rule.
            AssistantPart::Reasoning(_) => {}
            AssistantPart::Other(_) => self.add(place, "part", "unknown"),
        }
    }

    fn settings(&mut self, request: &Request) {
        if let Some(toolbox) = &request.toolbox {
            for (at, tool) in toolbox.tools.iter().enumerate() {
                let place = format!("toolbox.tools[{at}]");
                match tool {
                    Tool::Function { name, .. } | Tool::Custom { name, .. } => {
                        self.add(place, "tool", name);
                    }
                    Tool::Hosted(_) => self.add(place, "hosted tool", "unknown"),
                }
            }
            match &toolbox.choice {
                None | Some(Choice::Auto) => {}
                Some(Choice::Never) => self.add("toolbox.choice", "choice", "never"),
                Some(Choice::Required) => self.add("toolbox.choice", "choice", "required"),
                Some(Choice::Tool(name)) => self.add("toolbox.choice", "choice", name),
                Some(Choice::Other(_)) => self.add("toolbox.choice", "choice", "unknown"),
            }
        }
        if let Some(Cap(cap)) = request.cap {
            self.add("cap", "cap", cap.to_string());
        }
        let numbers = [
            ("temperature", &request.temperature),
            ("top_p", &request.top_p),
            ("top_k", &request.top_k),
            ("seed", &request.seed),
            ("frequency_penalty", &request.frequency_penalty),
            ("presence_penalty", &request.presence_penalty),
        ];
        for (name, number) in numbers {
            // A model that thinks has this temperature, and some dialects refuse to be told so.
            let thinks = name == "temperature" && request.thinking.is_some();
            let number = number.as_ref().filter(|number| !thinks || number.as_f64() != Some(1.0));
            if let Some(number) = number.and_then(serde_json::Number::as_f64) {
                self.add(name, name, number.to_string());
            }
        }
        for stop in &request.stop {
            self.add("stop", "stop", stop);
        }
        match &request.output {
            Output::Text => {}
            Output::Json => self.add("output", "output", "json"),
            Output::Schema(_) => self.add("output", "output", "schema"),
        }
    }
}

fn source_of(source: &Source) -> String {
    match source {
        Source::Url { url, .. } => url.clone(),
        // Two alphabets, with and without padding.
        Source::Inline { base64, .. } => {
            base64.trim_end_matches('=').replace('-', "+").replace('_', "/")
        }
        Source::Uploaded(id) => id.clone(),
    }
}

/// Returns a call's arguments in one spelling; free text may travel as the one argument of a
/// function.
pub(super) fn arguments(call: &ToolCall) -> String {
    let text = &call.arguments.0;
    if call.kind == CallKind::Custom {
        return spelled(&serde_json::json!({ "input": text }).to_string());
    }
    spelled(text)
}

/// Brings JSON to one spelling, so that arguments written as an object and as a text are the same.
pub(super) fn spelled(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect()).to_string()
        }
        Ok(value) => value.to_string(),
        Err(_) if text.trim().is_empty() => "{}".to_owned(),
        Err(_) => text.trim().to_owned(),
    }
}
