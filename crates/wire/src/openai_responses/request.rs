//! Requests: bytes to the canonical conversation and back.

use ir::dialect::SchemaBy;
use ir::{Authority, Cap, Dialect, Extras, Output, Quirks, Request, Text, Turn, UserPart};

use super::content::string;
use super::{input, settings, tools};
use crate::Written;
use crate::decode::DecodeError;
use crate::fields::Fields;
use crate::json;
use crate::losses::Losses;
use crate::undo::{self, Undo};

const HERE: Dialect = Dialect::OpenaiResponses;

/// The extras that are written among the fields they belong to.
const PLACED: [&str; 2] = ["text", "include"];

/// What may be among the extras when there are no tools.
const TOOLS: [&str; 2] = ["tools", "tool_choice"];

/// Reads a request.
pub(crate) fn read(mut fields: Fields<'_, '_>) -> Result<Request, DecodeError> {
    let model = read_model(&mut fields)?;
    let mut turns: Vec<Turn> =
        string(&mut fields, "instructions")?.map(instruct).into_iter().collect();
    turns.extend(fields.take("input", input::read)?.unwrap_or_default());
    let toolbox = tools::read(&mut fields)?;
    let (output, text) = settings::read_output(&mut fields)?;
    let mode = settings::read_mode(&mut fields)?;
    let thinking = settings::read_thinking(&mut fields)?;
    let (logprobs, include) = settings::read_logprobs(&mut fields)?;
    Ok(Request {
        spoken: HERE,
        model,
        turns,
        toolbox,
        output,
        mode,
        cap: fields.take("max_output_tokens", |cap| cap.count())?.map(Cap),
        temperature: fields.take("temperature", |number| number.number())?,
        top_p: fields.take("top_p", |number| number.number())?,
        top_k: None,
        frequency_penalty: None,
        presence_penalty: None,
        seed: None,
        stop: Vec::new(),
        candidates: None,
        thinking,
        logprobs,
        user: string(&mut fields, "user")?,
        extras: {
            let mut extras = fields.rest();
            // Where the writer puts them, so that they stand there again.
            for (name, left) in [("text", text), ("include", include)] {
                let at = extras.0.iter().position(|(known, _)| known == name);
                let kept = at.map(|at| extras.0.remove(at).1);
                extras.0.extend(left.or(kept).map(|raw| (name.to_owned(), raw)));
            }
            extras
        },
    })
}

/// Reads the model; a stored prompt names its own.
fn read_model(fields: &mut Fields<'_, '_>) -> Result<String, DecodeError> {
    if fields.peek("prompt").is_some_and(|prompt| prompt.get() != "null") {
        return Ok(fields.take("model", |model| model.string())?.unwrap_or_default());
    }
    fields.need("model", |model| model.string())
}

fn instruct(text: String) -> Turn {
    let parts = vec![UserPart::Text(Text { text, ..Text::default() })];
    Turn::Instruct { authority: Authority::System, parts, extras: Extras::default() }
}

/// Writes a request.
pub fn write(request: &Request, quirks: Quirks) -> Written {
    let mut losses = Losses::new(HERE, request.spoken);
    let mut undo = Undo::default();
    let mut bytes = Vec::with_capacity(1024);
    let instructions = input::instructions(&request.turns)
        .filter(|_| request.extras.get("instructions").is_none());
    let words = match &request.output {
        Output::Schema(schema) if quirks.schema == SchemaBy::Prompt => {
            Some(undo::schema_in_words(schema))
        }
        _ => None,
    };
    json::object(&mut bytes, |body| {
        if !request.model.is_empty() {
            body.field("model", &request.model);
        }
        match (instructions, &words) {
            (Some(text), Some(words)) => {
                body.field("instructions", &format!("{}\n\n{words}", text.text));
            }
            (Some(text), None) => body.field("instructions", &text.text),
            (None, Some(words)) => body.field("instructions", words),
            (None, None) => {}
        }
        let gathered = usize::from(instructions.is_some());
        let mut writing = input::Writing::new(&mut losses, quirks);
        for (at, turn) in request.turns.iter().enumerate().skip(gathered) {
            writing.turn(at, turn);
        }
        let items = writing.items;
        if !items.is_empty() {
            body.with("input", |out| {
                json::list(out, items, |out, item| out.extend_from_slice(&item));
            });
        }
        tools::write(body, &mut losses, request, quirks, &mut undo);
        settings::write(body, &mut losses, request, quirks);
        if let Some(extras) = losses.extras("", &request.extras) {
            for (name, raw) in extras.iter() {
                let placed =
                    PLACED.contains(&name) && (name == "include" || raw.text().starts_with('{'));
                // The answer's tool stands where no tools were.
                let replaced = undo.answer && TOOLS.contains(&name);
                if !placed && !replaced {
                    body.raw(name, raw);
                }
            }
        }
    });
    Written { bytes, losses: losses.done(), undo, renamed: crate::Renamed::default() }
}
