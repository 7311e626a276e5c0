//! Thinking, and how many likely tokens to sample from: what converse has no fields for and passes
//! on to the model in the words of the model's maker.

use ir::dialect::AdditionalFields;
use ir::{Budget, Cap, Quirks, Request, Thinking};

use crate::json::Object;
use crate::losses::Losses;
use crate::thoughts;

/// The least tokens that Claude takes for thinking.
const LEAST: u64 = 1_024;

/// What is written in the words of the model's maker.
pub(super) struct Additional<'r> {
    fields: AdditionalFields,
    thinks: Option<Thinks<'r>>,
    top_k: Option<&'r serde_json::Number>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Thinks<'r> {
    Not,
    Adaptive(Option<&'r str>),
    Tokens(u64),
    Hard(&'r str),
}

/// What else decides whether a model may think.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Whether it must call a tool.
    pub(super) forced: bool,
    /// Whether it is to go on from a call of which the thoughts are missing.
    pub(super) thoughtless_call: bool,
}

/// Finds what is to be said.
pub(super) fn gather<'r>(
    request: &'r Request,
    quirks: Quirks,
    bounds: Bounds,
    losses: &mut Losses,
) -> Additional<'r> {
    let fields = quirks.additional;
    let thinks = request.thinking.as_ref().and_then(|thinking| {
        losses.extras("thinking", &thinking.extras);
        if thinking.shown == Some(false) {
            losses.lose("thinking.shown");
        }
        thinks(thinking, fields, bounds, request.cap, losses)
    });
    let mut additional = Additional { fields, thinks, top_k: request.top_k.as_ref() };
    if request.top_k.is_some()
        && (fields == AdditionalFields::ReasoningEffort || additional.steady())
    {
        additional.top_k = None;
        losses.because("top_k", "the model does not take it, or not while it thinks");
    }
    additional
}

fn thinks<'r>(
    thinking: &'r Thinking,
    fields: AdditionalFields,
    bounds: Bounds,
    cap: Option<Cap>,
    losses: &mut Losses,
) -> Option<Thinks<'r>> {
    let off = thinking.budget() == Some(Budget::Off);
    let claude = matches!(fields, AdditionalFields::Thinking | AdditionalFields::Adaptive);
    if claude && !off && bounds.forced {
        losses.because("thinking", "the model does not think while it must call a tool");
        return None;
    }
    match fields {
        AdditionalFields::Thinking => match thoughts::in_tokens(thinking)? {
            Budget::Off | Budget::Auto => Some(Thinks::Not),
            Budget::Tokens(_) if bounds.thoughtless_call => {
                losses.because("thinking", "the thoughts behind the last call are missing");
                None
            }
            Budget::Tokens(tokens) => {
                // Thoughts count against the cap, and a quarter of it stays for the answer.
                let most = cap.map_or(u64::MAX, |Cap(cap)| cap - cap / 4);
                if cap.is_some_and(|Cap(cap)| cap <= LEAST) {
                    losses.because("thinking", "the cap leaves no room for it");
                    return None;
                }
                Some(Thinks::Tokens(tokens.min(most).max(LEAST)))
            }
        },
        AdditionalFields::Adaptive if off => Some(Thinks::Not),
        AdditionalFields::Adaptive => Some(Thinks::Adaptive(
            thinking.effort().map(|word| if word == "minimal" { "low" } else { word }),
        )),
        AdditionalFields::ReasoningEffort if off => {
            losses.because("thinking", "the model cannot be kept from thinking");
            None
        }
        AdditionalFields::ReasoningConfig if off => Some(Thinks::Not),
        AdditionalFields::ReasoningEffort => thinking.effort().map(plain).map(Thinks::Hard),
        AdditionalFields::ReasoningConfig => {
            Some(Thinks::Hard(thinking.effort().map_or("medium", plain)))
        }
    }
}

/// Returns the nearest of the three words that every model knows.
fn plain(word: &str) -> &str {
    match word {
        "minimal" => "low",
        "xhigh" | "max" => "high",
        word => word,
    }
}

impl Additional<'_> {
    /// Returns whether sampling must be left as it is: so it must while Claude thinks.
    pub(super) fn steady(&self) -> bool {
        matches!(self.thinks, Some(Thinks::Tokens(_) | Thinks::Adaptive(_)))
    }

    /// Writes the fields, where there are any.
    pub(super) fn write(&self, body: &mut Object<'_>) {
        if self.thinks.is_none() && self.top_k.is_none() {
            return;
        }
        body.nest("additionalModelRequestFields", |body| {
            if let Some(thinks) = self.thinks {
                self.thinking(thinks, body);
            }
            let Some(top_k) = self.top_k else { return };
            match self.fields {
                AdditionalFields::ReasoningConfig => {
                    body.nest("inferenceConfig", |config| config.field("topK", top_k));
                }
                _ => body.field("top_k", top_k),
            }
        });
    }

    fn thinking(&self, thinks: Thinks<'_>, body: &mut Object<'_>) {
        match (thinks, self.fields) {
            (Thinks::Not, AdditionalFields::ReasoningConfig) => {
                body.nest("reasoningConfig", |config| config.field("type", "disabled"));
            }
            (Thinks::Not, _) => body.nest("thinking", |config| config.field("type", "disabled")),
            (Thinks::Tokens(tokens), _) => body.nest("thinking", |config| {
                config.field("type", "enabled");
                config.field("budget_tokens", &tokens);
            }),
            (Thinks::Adaptive(effort), _) => {
                body.nest("thinking", |config| config.field("type", "adaptive"));
                if let Some(effort) = effort {
                    body.nest("output_config", |config| config.field("effort", effort));
                }
            }
            (Thinks::Hard(effort), AdditionalFields::ReasoningConfig) => {
                body.nest("reasoningConfig", |config| {
                    config.field("type", "enabled");
                    config.field("maxReasoningEffort", effort);
                });
            }
            (Thinks::Hard(effort), _) => body.field("reasoning_effort", effort),
        }
    }
}
