//! What the demo asks, and what the scripted providers answer.

use testkit::{Answer, Fault, Script, When};

/// A request of the demo.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The model as the client names it.
    pub(crate) model: &'static str,
    /// The task, when it is named in the header.
    pub(crate) header: Option<&'static str>,
    /// Whether the answer is to be streamed.
    pub(crate) stream: bool,
    /// What the user says.
    pub(crate) prompt: &'static str,
}

impl Asked {
    /// Returns how the client named what it wants.
    pub(crate) fn shown(&self) -> String {
        self.header.map_or_else(|| self.model.to_owned(), |task| format!("header: {task}"))
    }
}

fn task(model: &'static str, stream: bool, prompt: &'static str) -> Asked {
    Asked { model, header: None, stream, prompt }
}

/// The requests of the scripted demo: each task of the shipped table, and what happens at its edges.
pub(crate) fn requests() -> Vec<Asked> {
    vec![
        task("task/chat", true, CHAT),
        task("task/code_generation", false, CODE),
        task("task/summarization", false, SUMMARY),
        task("task/translation", true, TRANSLATION),
        task("task/classification", false, LABEL),
        task("task/creative_writing", true, STORY),
        task("task/agent_chain", false, AGENT),
        task("task/rag", false, PASSAGES),
        // The flash model is made to fail on this one.
        task("task/summarization", true, FAILING),
        // A client that cannot change its model names the task in a header.
        Asked { model: "gpt-4o", header: Some("classification"), stream: false, prompt: LABEL },
        task("task/haiku", false, "Write a haiku about railway points."),
        task("auto", false, "Hello!"),
    ]
}

/// The requests of the demo on a real model: few and short, since it runs on a CPU.
pub(crate) fn local() -> Vec<Asked> {
    let mut asked = requests();
    asked.retain(|asked| asked.prompt != FAILING && asked.header.is_none());
    asked.iter_mut().for_each(|asked| {
        asked.model = if asked.model == "task/haiku" { "auto" } else { asked.model }
    });
    asked.dedup_by(|a, b| a.model == b.model);
    asked
}

const CHAT: &str = "Why do railway points need a lock?";
const CODE: &str = "Write a Python function that parses an ISO 8601 date.";
const SUMMARY: &str = "Summarize in one sentence: The signal box at Aldermere closed on Friday after \
ninety years. Its levers, which set the points for eleven sidings, were oiled every morning by the \
same family for three generations. The line will be run from a control centre forty miles away.";
const TRANSLATION: &str = "Translate to Spanish: The train to the coast leaves from platform four.";
const LABEL: &str = "Label the mood as positive, negative or neutral: 'The train was late again.'";
const STORY: &str = "Begin a short story about a robot that learns to garden.";
const AGENT: &str = "Find the next train to Aldermere, check for delays, then draft a message.";
const PASSAGES: &str = "From these passages, how many levers has the box? [1] Aldermere box: 32 \
levers. [2] Brookfield box: 18 levers. Question: Aldermere?";
const FAILING: &str =
    "Summarize in five words: The depot was rebuilt after the fire of last winter.";

/// The scripted providers by the id of the host they stand in for.
pub(crate) fn providers() -> Vec<(&'static str, Script)> {
    let deepseek = Script::of(Answer::text("A pointsman sets the points so that each train takes its track."))
        .when(When::model("deepseek-v4-flash").and(When::said("Summarize in five words")), down())
        .when(When::said("Summarize in five words"), Answer::text("Depot rebuilt after winter fire."))
        .when(When::said("Summarize"), Answer::text("Aldermere's signal box closed after ninety years; its line is now run from afar."))
        .when(When::said("Label the mood"), Answer::text("negative"))
        .when(When::said("ISO 8601"), Answer::text("from datetime import datetime\n\ndef parse(text):\n    return datetime.fromisoformat(text.replace('Z', '+00:00'))"))
        .when(When::said("how many levers"), Answer::text("32 levers [1]."))
        .when(When::said("need a lock"), Answer::text("A lock keeps the blades from moving under a train, which would set its wheels on two tracks."));
    let qwen = Script::of(Answer::text("El tren a la costa sale del andén cuatro."));
    let openai = Script::of(Answer::text("Hello! Tell me the task and I will set the points."))
        .when(When::said("haiku"), Answer::text("Steel tongues shift at dawn\nthe long freight leans to the left\nsilence takes the main"))
        .when(When::said("draft a message"), Answer::text("The 14:05 runs on time. Draft: I will arrive at Aldermere at 15:20."));
    let anthropic = Script::of(Answer::text(
        "The robot had counted every leaf before it understood that counting was not the point.",
    ));
    vec![("deepseek", deepseek), ("qwen", qwen), ("openai", openai), ("anthropic", anthropic)]
}

fn down() -> Answer {
    Answer::text("").failing(Fault::status(503))
}
