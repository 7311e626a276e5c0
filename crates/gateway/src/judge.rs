//! What must hold of an answer: the checks of its task against what its request asked for.

use std::sync::Arc;

use check::{Answer, Checks, Mode, Prefix, Verdict, Wanted};
use ir::{AssistantPart, Failure, Kind, Request, Response};

use crate::open::Open;

/// Judges answers to one request.
#[derive(Debug)]
pub(crate) struct Judge {
    /// None where only the beginning is looked at.
    checks: Option<Arc<Checks>>,
    request: Request,
}

/// The beginning of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning<'b> {
    /// The text so far.
    pub(crate) text: &'b str,
    /// The tool that is called.
    pub(crate) tool: Option<&'b str>,
}

impl Judge {
    pub(crate) fn new(checks: Option<Arc<Checks>>, request: Request) -> Self {
        Self { checks, request }
    }

    /// Returns whether an answer is held until it has passed.
    pub(crate) fn holds(&self) -> bool {
        self.checks.as_ref().is_some_and(|checks| checks.mode() == Mode::Enforce)
    }

    /// Returns whether whole answers are looked at.
    pub(crate) fn reads(&self) -> bool {
        self.checks.is_some()
    }

    /// Judges a beginning.
    pub(crate) fn prefix(&self, beginning: Beginning<'_>) -> Prefix {
        check::prefix(&Wanted::of(&self.request), beginning.text, beginning.tool)
    }

    /// Judges an answer that has gone out already.
    pub(crate) fn observe(&self, response: &Response) -> Option<Verdict> {
        let checks = self.checks.as_ref()?;
        let mut verdict = check::check(checks, &Wanted::of(&self.request), &Answer::of(response));
        if !self.holds() {
            // What is only observed goes out as it came, also where it could be mended.
            verdict.repaired = None;
        }
        Some(verdict)
    }

    /// Judges an answer before it goes out, and notes the verdict on its attempt. Text that had to
    /// be mended is put in the place of the answer's own; says whether it was.
    pub(crate) fn answer(&self, response: &mut Response, open: &mut Open) -> Result<bool, Failure> {
        let Some(verdict) = self.observe(response) else { return Ok(false) };
        let passed = verdict.passed();
        let failed = verdict.findings.iter().filter(|finding| !finding.passed);
        let failed: Vec<String> =
            failed.map(|finding| format!("{} ({})", finding.check, finding.why)).collect();
        let repaired = verdict.repaired.clone();
        open.judged(verdict);
        if !self.holds() {
            return Ok(false);
        }
        if !passed {
            let said = format!("the answer did not pass {}", failed.join(", "));
            return Err(Failure::new(Kind::Rejected, said));
        }
        let Some(repaired) = repaired else { return Ok(false) };
        mend(response, repaired);
        Ok(true)
    }
}

/// Puts a text in the place of all texts of the first candidate.
fn mend(response: &mut Response, repaired: String) {
    let Some(candidate) = response.candidates.first_mut() else { return };
    let mut repaired = Some(repaired);
    candidate.turn.parts.retain_mut(|part| match part {
        AssistantPart::Text(text) => match repaired.take() {
            Some(repaired) => {
                text.text = repaired;
                true
            }
            None => false,
        },
        _ => true,
    });
}
