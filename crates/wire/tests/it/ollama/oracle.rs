//! A second reading of Ollama's answers, written without the codecs: line by line.

use ir::{AssistantPart, Finish, Response};
use serde_json::Value;

/// What an answer said, with the parts of one kind joined.
#[derive(Debug, Default, PartialEq, Clone)]
pub(crate) struct Told {
    pub(crate) thinking: String,
    pub(crate) text: String,
    /// Id where there is one, name and arguments of each call.
    pub(crate) calls: Vec<(Option<String>, String, Value)>,
    pub(crate) finish: String,
}

/// Says what an answer said that the codec read.
pub(crate) fn told(response: &Response) -> Told {
    let mut told = Told::default();
    let [candidate] = response.candidates.as_slice() else { panic!("one candidate") };
    for part in &candidate.turn.parts {
        match part {
            AssistantPart::Text(said) => told.text += &said.text,
            AssistantPart::Reasoning(thoughts) => told.thinking += &thoughts.text,
            AssistantPart::ToolCall(call) => {
                let id = Some(call.id.clone()).filter(|id| !ir::dialect::made(id));
                told.calls.push((id, call.name.clone(), call.arguments.object().unwrap()));
            }
            part => panic!("{part:?}"),
        }
    }
    told.finish = match candidate.finish.as_ref().unwrap() {
        Finish::Stop => "stop",
        Finish::ToolCalls => "tool calls",
        Finish::Length => "length",
        Finish::Other(word) => word,
        finish => panic!("{finish:?}"),
    }
    .to_owned();
    told
}

/// Reads an answer: one line, or many.
pub(crate) fn read(body: &str) -> (Told, Option<[u64; 4]>) {
    let (mut told, mut used) = (Told::default(), None);
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = &line["message"];
        told.thinking += message["thinking"].as_str().unwrap_or_default();
        told.text += message["content"].as_str().unwrap_or_default();
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().map(str::to_owned);
            let function = &call["function"];
            let name = function["name"].as_str().unwrap().to_owned();
            told.calls.push((id, name, function["arguments"].clone()));
        }
        if line["done"] == true {
            let word = line["done_reason"].as_str().unwrap();
            let called = word == "stop" && !told.calls.is_empty();
            told.finish = if called { "tool calls" } else { word }.to_owned();
            let count = |name: &str| line[name].as_u64();
            let (input, output) = (count("prompt_eval_count"), count("eval_count"));
            used = (input.is_some() || output.is_some())
                .then(|| [input.unwrap_or(0), 0, output.unwrap_or(0), 0]);
        }
    }
    (told, used)
}
