//! The verdict on one answer: what each check found.

use ir::Finish;

use crate::{Answer, Checks, Wanted};
use crate::{contains, json, label, language, length, refusal, tools};

/// What the checks say of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What each check found, in the order of the configuration's fields.
    pub findings: Vec<Finding>,
    /// The answer's text mended to JSON, where it had to be and could be.
    pub repaired: Option<String>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check, by its field in the configuration.
    pub check: &'static str,
    /// Whether the answer passed.
    pub passed: bool,
    /// Why, without a word of the answer or the prompt.
    pub why: String,
}

impl Verdict {
    /// Returns whether every check passed.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.passed)
    }
}

impl Finding {
    pub(crate) fn pass(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, passed: true, why: why.into() }
    }

    pub(crate) fn fail(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, passed: false, why: why.into() }
    }
}

/// Checks an answer.
pub fn check(checks: &Checks, wanted: &Wanted, answer: &Answer<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    if checks.non_empty {
        verdict.findings.push(non_empty(answer));
    }
    if checks.finish {
        verdict.findings.push(finish(answer));
    }
    let mut of_text = of_text(checks, wanted, answer);
    if answer.only_calls() {
        for finding in &mut of_text.findings {
            *finding = Finding::pass(finding.check, "calls tools and says nothing yet");
        }
    }
    verdict.findings.append(&mut of_text.findings);
    verdict.repaired = of_text.repaired;
    if checks.tools {
        verdict.findings.push(tools::check(wanted, answer));
    }
    verdict
}

fn of_text(checks: &Checks, wanted: &Wanted, answer: &Answer<'_>) -> Verdict {
    let mut findings = Vec::new();
    let mut repaired = None;
    if let Some(json) = checks.json {
        let judged = json::check(json, wanted, answer);
        findings.push(judged.finding);
        repaired = judged.repaired;
    }
    // What goes out is what is judged from here on.
    let text = repaired.as_deref().unwrap_or(&answer.text);
    if let Some(labels) = &checks.labels {
        findings.push(label::check(labels, text));
    }
    if let Some(language) = checks.language {
        findings.push(language::check(language, text));
    }
    if let Some(script) = &checks.script {
        findings.push(language::check_script(script, text));
    }
    if let Some(length) = &checks.length {
        findings.push(length::check(length, &wanted.prompt, text));
    }
    if checks.refusal {
        findings.push(refusal::check(answer));
    }
    if let Some(pattern) = &checks.matches {
        findings.push(contains::matches(pattern, text));
    }
    if !checks.must_contain.is_empty() {
        findings.push(contains::must(&checks.must_contain, text));
    }
    if !checks.must_not_contain.is_empty() {
        findings.push(contains::must_not(&checks.must_not_contain, text));
    }
    Verdict { findings, repaired }
}

fn non_empty(answer: &Answer<'_>) -> Finding {
    let check = "non_empty";
    let size = answer.text.trim().len();
    if size > 0 || !answer.calls.is_empty() || answer.other {
        return Finding::pass(check, format!("{size} bytes, {} calls", answer.calls.len()));
    }
    if answer.only_thoughts {
        return Finding::fail(check, "thoughts and no answer");
    }
    match answer.refusal {
        Some(_) => Finding::fail(check, "a refusal and no answer"),
        None => Finding::fail(check, "no text and no call"),
    }
}

fn finish(answer: &Answer<'_>) -> Finding {
    let check = "finish";
    match answer.finish {
        Some(Finish::Stop) => Finding::pass(check, "done"),
        Some(Finish::StopSequence(_)) => Finding::pass(check, "met a stop sequence"),
        Some(Finish::ToolCalls) => Finding::pass(check, "wants tools to be run"),
        Some(Finish::Pause) => Finding::pass(check, "paused, to be gone on with"),
        Some(Finish::Other(_)) => Finding::pass(check, "a reason of the provider's own"),
        None => Finding::pass(check, "the provider does not say why"),
        Some(Finish::Length) => Finding::fail(check, "cut at the cap on its length"),
        Some(Finish::ContentFilter) => Finding::fail(check, "ended by a filter"),
        Some(Finish::Refusal) => Finding::fail(check, "the model would not answer"),
    }
}
