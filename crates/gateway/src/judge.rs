//! What must hold of an answer: the checks of its task against what its request asked for.

use std::sync::Arc;

use check::{Answer, Checks, Mode, Prefix, Verdict, Wanted};
use ir::response::Substance;
use ir::{AssistantPart, Failure, Kind, Request, Response};
use router::{Commit, Limits};

use crate::lane::Asked;
use crate::open::Open;

/// Judges answers to one request.
#[derive(Debug)]
pub(crate) struct Judge {
    /// None where only the beginning is looked at.
    checks: Option<Arc<Checks>>,
    /// When an answer may begin to go out.
    commit: Commit,
    wanted: Wanted,
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
    /// Returns the judge of a request's answers, where its task wants one. A request that cannot be
    /// read is its caller's to mend only where its answer must pass: elsewhere it goes out unjudged.
    pub(crate) fn of(limits: &Limits, asked: &mut Asked<'_>) -> Result<Option<Arc<Self>>, Failure> {
        let (checks, commit) = (limits.check.clone(), limits.commit);
        if checks.is_none() && commit != Commit::Prefix {
            return Ok(None);
        }
        let enforced = checks.as_ref().is_some_and(|checks| checks.mode() == Mode::Enforce);
        match asked.read_request() {
            Ok(request) => Ok(Some(Arc::new(Self::for_request(checks, commit, request)))),
            Err(failure) if enforced => Err(failure),
            Err(_) => Ok(None),
        }
    }

    pub(crate) fn for_request(
        checks: Option<Arc<Checks>>,
        commit: Commit,
        request: &Request,
    ) -> Self {
        Self { checks, commit, wanted: Wanted::of(request) }
    }

    /// Returns whether an answer is held until it has passed.
    pub(crate) fn holds(&self) -> bool {
        self.checks.as_ref().is_some_and(|checks| checks.mode() == Mode::Enforce)
    }

    /// Returns whether whole answers are looked at.
    pub(crate) fn reads(&self) -> bool {
        self.checks.is_some()
    }

    /// Judges a beginning of which more may come.
    pub(crate) fn prefix(&self, beginning: Beginning<'_>) -> Prefix {
        check::prefix(&self.wanted, beginning.text, beginning.tool)
    }

    /// Judges the beginning of an answer that has ended, where it must be valid. A refusal is none
    /// of an answer: another model is asked for one.
    pub(crate) fn begun(
        &self,
        beginning: Beginning<'_>,
        substance: Substance,
    ) -> Result<(), Failure> {
        if self.commit != Commit::Prefix || substance == Substance::Refusal {
            return Ok(());
        }
        match check::prefix_at_end(&self.wanted, beginning.text, beginning.tool) {
            Prefix::Invalid(why) => Err(begins_badly(&why)),
            Prefix::Valid | Prefix::Undecided => Ok(()),
        }
    }

    /// Judges an answer that has gone out already.
    pub(crate) fn observe(&self, response: &Response) -> Option<Verdict> {
        let checks = self.checks.as_ref()?;
        let mut verdict = check::check(checks, &self.wanted, &Answer::of(response));
        if !self.holds() {
            // What is only observed goes out as it came, also where it could be mended.
            verdict.repaired = None;
        }
        Some(verdict)
    }

    /// Judges an answer before it goes out, and notes the verdict on its attempt. Text that had to
    /// be mended is put in the place of the answer's own; says whether it was.
    pub(crate) fn answer(&self, response: &mut Response, open: &mut Open) -> Result<bool, Failure> {
        let mended = self.checked(response, open)?;
        let answer = Answer::of(response);
        let tool = answer.calls.first().map(|call| call.name);
        self.begun(Beginning { text: &answer.text, tool }, response.substance())?;
        Ok(mended)
    }

    fn checked(&self, response: &mut Response, open: &mut Open) -> Result<bool, Failure> {
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

/// States that an answer begins as it must not.
pub(crate) fn begins_badly(why: &str) -> Failure {
    Failure::new(Kind::Rejected, format!("the answer begins as it must not: {why}"))
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
