//! Settings: whose request it is, how hard to think, how to sample, and the word that JSON mode wants to
//! hear.

use ir::dialect::Sampling;
use ir::{Authority, Budget, Dialect, Extras, Output, Quirks, Request, Text, Turn, UserPart};

use super::Fitted;
use crate::ids;

/// The longest name of a user that OpenAI takes.
const LONGEST_USER: usize = 64;

/// The efforts that every model of OpenAI's that thinks knows.
const COMMON_EFFORTS: [&str; 3] = ["low", "medium", "high"];

/// Fits the settings.
pub(super) fn fit(dialect: Dialect, quirks: Quirks, fitted: &mut Fitted<'_>) {
    user(fitted);
    if matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiResponses) {
        effort(fitted);
        json(fitted);
    }
    sampling(dialect, quirks, fitted);
}

/// Names of users that are long, or look like somebody's address, are refused here and there: a digest
/// still tells them apart.
fn user(fitted: &mut Fitted<'_>) {
    let Some(user) = &fitted.request.user else { return };
    let digits = user.bytes().filter(u8::is_ascii_digit).count();
    let address = user.contains('@') || (user.starts_with('+') && digits > 6);
    if user.len() <= LONGEST_USER && !address {
        return;
    }
    let digest = format!("user_{:016x}", ids::digest(user));
    fitted.request.to_mut().user = Some(digest);
    fitted.lose("user", "too long, or somebody's address: a digest goes in its place");
}

/// Brings an effort to the words that every model knows. Thinking that is switched off is left to the
/// model: few know the word for it, and those that cannot stop refuse it.
fn effort(fitted: &mut Fitted<'_>) {
    let Some(thinking) = &fitted.request.thinking else { return };
    let word = thinking.effort().map(str::to_owned);
    let off = word.as_deref() == Some("none") || thinking.budget == Some(Budget::Off);
    if off {
        fitted.request.to_mut().thinking = None;
        fitted.lose("thinking", "not every model here can be told not to think");
        return;
    }
    let Some(word) = word.filter(|word| !COMMON_EFFORTS.contains(&word.as_str())) else { return };
    let fitting = match word.as_str() {
        "minimal" => "low",
        "xhigh" | "max" => "high",
        _ => return,
    };
    if let Some(thinking) = &mut fitted.request.to_mut().thinking {
        thinking.effort = Some(fitting.to_owned());
        thinking.budget = None;
    }
    fitted.lose("thinking.effort", "not every model here knows the word");
}

/// JSON mode is refused where nobody says "JSON".
fn json(fitted: &mut Fitted<'_>) {
    if fitted.request.output != Output::Json || says_json(&fitted.request) {
        return;
    }
    let text = "Answer with one JSON object, and with nothing before or after it.".to_owned();
    let instruction = Turn::Instruct {
        authority: Authority::System,
        parts: vec![UserPart::Text(Text { text, ..Text::default() })],
        extras: Extras::default(),
    };
    fitted.request.to_mut().turns.insert(0, instruction);
}

fn says_json(request: &Request) -> bool {
    let says = |part: &UserPart| matches!(part, UserPart::Text(text) if text.text.to_ascii_lowercase().contains("json"));
    request.turns.iter().any(|turn| match turn {
        Turn::Instruct { parts, .. } | Turn::User { parts, .. } => parts.iter().any(says),
        _ => false,
    })
}

/// Leaves out how to sample where a model refuses to be told: by its quirk, and at OpenAI while it
/// thinks.
fn sampling(dialect: Dialect, quirks: Quirks, fitted: &mut Fitted<'_>) {
    let request = &fitted.request;
    let openai = matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiResponses);
    let thinks =
        openai && request.thinking.as_ref().is_some_and(|thinking| thinking.effort().is_some());
    let said = [
        ("temperature", request.temperature.is_some()),
        ("top_p", request.top_p.is_some()),
        ("top_k", request.top_k.is_some()),
    ];
    let dropped: Vec<&str> = match quirks.sampling {
        Sampling::None => vec!["temperature", "top_p", "top_k"],
        _ if thinks => vec!["temperature", "top_p"],
        Sampling::One if request.temperature.is_some() => vec!["top_p"],
        Sampling::One | Sampling::Any => return,
    };
    for (name, _) in said.into_iter().filter(|(name, said)| *said && dropped.contains(name)) {
        let request = fitted.request.to_mut();
        match name {
            "temperature" => request.temperature = None,
            "top_p" => request.top_p = None,
            _ => request.top_k = None,
        }
        fitted.lose(name, "the model does not take it, or not while it thinks");
    }
}
