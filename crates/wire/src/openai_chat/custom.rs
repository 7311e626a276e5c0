//! Tools of free text, and choices among a few tools, as OpenAI's two dialects and nobody else spell
//! them.
//!
//! A grammar is nested in one dialect and flat in the other:
//!
//! ```text
//! chat       {"type":"grammar","grammar":{"syntax":"lark","definition":…}}
//! responses  {"type":"grammar","syntax":"lark","definition":…}
//! ```

use ir::dialect::CustomTools;
use ir::{CallKind, Choice, Dialect, Extras, Quirks, RawJson, Tool, ToolCall, Toolbox};
use serde_json::{Value, json};

use crate::arguments;
use crate::losses::Losses;

/// The field of a grammar among the extras of a tool of free text.
pub(crate) const FORMAT: &str = "format";

/// Returns whether tools of free text are told as functions: at home they are what they are.
pub(crate) fn as_functions(quirks: Quirks, home: bool) -> bool {
    !home && quirks.custom_tools == CustomTools::AsFunction
}

/// Returns the grammar of a tool of another dialect as this one spells it; anything else that is said
/// of the tool is a loss.
pub(crate) fn format(
    extras: &Extras,
    to: Dialect,
    path: &str,
    losses: &mut Losses,
) -> Option<RawJson> {
    let spelled = extras.get(FORMAT).and_then(|format| respelled(format, to));
    for (name, raw) in extras.iter().filter(|(name, _)| *name != FORMAT || spelled.is_none()) {
        // Free text without a grammar is what there is anyway.
        if name != FORMAT || !is_text(raw) {
            losses.lose(format!("{path}.{name}"));
        }
    }
    spelled
}

/// Notes what is said of a tool of free text beyond its description, when it becomes a function.
pub(crate) fn lose(extras: &Extras, path: &str, losses: &mut Losses) {
    for (name, raw) in extras.iter() {
        if name != FORMAT || !is_text(raw) {
            losses.because(format!("{path}.{name}"), "this host takes functions alone");
        }
    }
}

fn is_text(format: &RawJson) -> bool {
    format.value()["type"] == "text"
}

fn respelled(format: &RawJson, to: Dialect) -> Option<RawJson> {
    let format = format.value();
    if format["type"] != "grammar" {
        return None;
    }
    let place = format.get("grammar").unwrap_or(&format);
    let (syntax, definition) = (place["syntax"].as_str()?, place["definition"].as_str()?);
    let grammar = json!({ "syntax": syntax, "definition": definition });
    let written = match to {
        Dialect::OpenaiChat => json!({ "type": "grammar", "grammar": grammar }),
        _ => json!({ "type": "grammar", "syntax": syntax, "definition": definition }),
    };
    Some(RawJson::parse(written.to_string()).expect("invariant: a Value prints as JSON"))
}

/// Returns the kind and the arguments an earlier call is written with.
pub(crate) fn said(call: &ToolCall, as_functions: bool, home: bool) -> (CallKind, String) {
    if as_functions && call.kind == CallKind::Custom {
        return (CallKind::Function, arguments::wrapped(&call.arguments.0));
    }
    (call.kind, arguments::said(call, home).to_owned())
}

/// Returns the toolbox of a choice among a few tools (`allowed_tools`) for a dialect without one:
/// these tools alone, and the choice that is left. Nothing is lost by it, since the model may not call
/// the others; `None` is any other toolbox, and one of whose tools none is named.
pub(crate) fn allowed(toolbox: &Toolbox) -> Option<Toolbox> {
    let Some(Choice::Other(other)) = &toolbox.choice else { return None };
    let choice = other.raw.value();
    if choice["type"] != "allowed_tools" {
        return None;
    }
    // Chat nests what Responses says beside the type.
    let place = choice.get("allowed_tools").unwrap_or(&choice);
    let named = place["tools"].as_array()?;
    let tools: Vec<Tool> =
        toolbox.tools.iter().filter(|tool| is_named(tool, named)).cloned().collect();
    let required = place["mode"] == "required";
    let choice = Some(if required { Choice::Required } else { Choice::Auto });
    (!tools.is_empty()).then(|| Toolbox { tools, choice, ..toolbox.clone() })
}

fn is_named(tool: &Tool, named: &[Value]) -> bool {
    let (name, kind) = match tool {
        Tool::Function { name, .. } => (name, "function"),
        Tool::Custom { name, .. } => (name, "custom"),
        Tool::Hosted(hosted) => {
            let hosted = hosted.raw.value();
            let same = |field: &str, named: &Value| named.get(field) == hosted.get(field);
            return named.iter().any(|named| {
                ["type", "name", "server_label"].into_iter().all(|field| same(field, named))
            });
        }
    };
    named.iter().any(|named| {
        let said = named.get("name").or_else(|| named[kind].get("name"));
        named["type"] == kind && said.and_then(Value::as_str) == Some(name)
    })
}
