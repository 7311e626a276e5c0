//! Names of tools, which one dialect takes longer or with other signs than another. A name that does
//! not fit is replaced in the tools, the choice and the history, and told by its own in the answer.

use std::collections::BTreeMap;

use ir::{AssistantPart, Choice, Dialect, Event, PartKind, Request, Response, Tool, Turn};

use super::Fitted;
use crate::ids;

/// The names that were replaced: what a provider calls a tool, and what its caller does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Renamed(BTreeMap<String, String>);

impl Renamed {
    /// Gives the calls of a whole answer their tools' own names.
    pub fn response(&self, response: &mut Response) {
        if self.0.is_empty() {
            return;
        }
        for candidate in &mut response.candidates {
            for part in &mut candidate.turn.parts {
                if let AssistantPart::ToolCall(call) = part {
                    self.restore(&mut call.name);
                }
            }
        }
    }

    /// Gives a call in a stream its tool's own name.
    pub fn event(&self, event: &mut Event) {
        if let Event::Open(_, PartKind::ToolCall { name, .. }) = event {
            self.restore(name);
        }
    }

    fn restore(&self, name: &mut String) {
        if let Some(own) = self.0.get(name) {
            name.clone_from(own);
        }
    }
}

/// The longest name: Anthropic takes 128 letters, the others 64; Ollama asks nothing.
fn longest(dialect: Dialect) -> usize {
    match dialect {
        Dialect::AnthropicMessages => 128,
        Dialect::Ollama => usize::MAX,
        _ => 64,
    }
}

fn fits(dialect: Dialect, name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    dialect == Dialect::Ollama
        || (name.len() <= longest(dialect) && name.bytes().all(plain) && !name.is_empty())
}

/// Replaces the names that do not fit.
pub(super) fn fit(dialect: Dialect, fitted: &mut Fitted<'_>) {
    let mut replaced: BTreeMap<String, String> = BTreeMap::new();
    each(&fitted.request, &mut |name| {
        if !fits(dialect, name) && !replaced.contains_key(name) {
            replaced.insert(name.to_owned(), replacement(name));
        }
    });
    if replaced.is_empty() {
        return;
    }
    let request = fitted.request.to_mut();
    let replace = |name: &mut String| {
        if let Some(fitting) = replaced.get(name) {
            name.clone_from(fitting);
        }
    };
    for turn in &mut request.turns {
        match turn {
            Turn::Assistant(turn) => {
                for part in &mut turn.parts {
                    if let AssistantPart::ToolCall(call) = part {
                        replace(&mut call.name);
                    }
                }
            }
            Turn::Result(result) => result.name.iter_mut().for_each(replace),
            _ => {}
        }
    }
    if let Some(toolbox) = &mut request.toolbox {
        for tool in &mut toolbox.tools {
            if let Tool::Function { name, .. } | Tool::Custom { name, .. } = tool {
                replace(name);
            }
        }
        if let Some(Choice::Tool(name)) = &mut toolbox.choice {
            replace(name);
        }
    }
    fitted.renamed = Renamed(replaced.into_iter().map(|(own, fitting)| (fitting, own)).collect());
}

/// Visits the names of tools, offered and called.
fn each(request: &Request, visit: &mut dyn FnMut(&str)) {
    for tool in request.toolbox.iter().flat_map(|toolbox| &toolbox.tools) {
        if let Tool::Function { name, .. } | Tool::Custom { name, .. } = tool {
            visit(name);
        }
    }
    for turn in &request.turns {
        let Turn::Assistant(turn) = turn else { continue };
        for part in &turn.parts {
            if let AssistantPart::ToolCall(call) = part {
                visit(&call.name);
            }
        }
    }
}

/// Keeps what can be kept of a name, and tells it apart from others that begin alike.
fn replacement(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let kept: String = name.chars().take(46).map(plain).collect();
    format!("{kept}_{:016x}", ids::digest(name))
}
