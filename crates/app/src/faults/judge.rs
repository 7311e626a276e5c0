//! What the client saw, judged. Verdicts follow from what OpenAI and Anthropic document of their
//! APIs and from what their clients make of an answer, never from a gateway's own headers.

use std::ops::RangeInclusive;
use std::time::Duration;

use testkit::{Fault, Seen};

use super::client::{End, Saw};
use super::content::{Content, content, spliced};
use super::heard::{Heard, Told};
use super::row::{Client, Route, Row, Shape, When};
use super::scenario::{Play, Says, Want};
use super::trace;
use super::wall::Address;

/// A verdict, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should be.
    Pass(String),
    /// Not as it should be.
    Fail(String),
    /// The row does not show it.
    NotApplicable,
}

/// What is judged.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    /// The row.
    pub(crate) row: &'a Row,
    /// Where the wall is.
    pub(crate) address: Address,
    /// What the client saw, request by request, and what it heard.
    pub(crate) answers: &'a [(Saw, Heard)],
    /// What came to the wall.
    pub(crate) tried: &'a [Seen],
}

/// A judge: its name, what it looks at for people, and how it judges.
pub(crate) struct Judge {
    /// Its name.
    pub(crate) name: &'static str,
    /// What a pass means.
    pub(crate) about: &'static str,
    judge: fn(&Case<'_>) -> Verdict,
}

/// Every judge, in the order of the columns.
pub(crate) static JUDGES: [Judge; 6] = [
    Judge {
        name: "status_and_kind",
        about: "An answer has status 200. An error has a status of the right class and, in the \
                envelope of the client's dialect, a message and a type or code that does not blame \
                the client for the provider; of a rate limit it says so. After content it is a frame \
                of the stream. A provider that recovered answers again within 12 s.",
        judge: |case| match recovered(case) {
            true => each(case, status_and_kind),
            false => Verdict::Fail("the provider that recovered did not answer again".to_owned()),
        },
    },
    Judge {
        name: "ended_properly",
        about: "The HTTP message is complete and every frame can be read. A good stream has one \
                finish and then, once, the dialect's last frame (`[DONE]`, `message_stop`) and \
                nothing after it but what was used. What was cut never looks finished.",
        judge: |case| each(case, ended_properly),
    },
    Judge {
        name: "fallback_reached",
        about: "Where a fallback is configured and no content had come, the client gets the \
                fallback's text: whole, once, and without a piece of the other model's. Two models' \
                words in one answer never pass, nor does one word twice.",
        judge: |case| each(case, fallback_reached),
    },
    Judge {
        name: "time_bound",
        about: "Each answer ends within the seconds of its scenario; the client waits 15. A stream \
                that comes slowly is passed on as it comes.",
        judge: |case| each(case, time_bound),
    },
    Judge {
        name: "attempts_bounded",
        about: "The wall counts: no more requests than the scenario allows for one of the client, \
                none sooner than a told time to wait, none later than a second after the client hung \
                up, and none to the fallback of an answer that is good.",
        judge: trace::attempts_bounded,
    },
    Judge {
        name: "nothing_leaked",
        about: "No credential, stack trace or inner machine is in headers or body, and no address \
                of the provider in the body. A second after the answer ended, or the client hung up, \
                no request is still open at the wall.",
        judge: trace::nothing_leaked,
    },
];

/// Returns the verdicts of every judge, in their order.
pub(crate) fn judge(case: &Case<'_>) -> Vec<Verdict> {
    JUDGES.iter().map(|judge| (judge.judge)(case)).collect()
}

/// Judges the answers one by one; the first that fails is the verdict.
fn each(case: &Case<'_>, judge: fn(&Row, &Saw, &Heard) -> Verdict) -> Verdict {
    if case.row.scenario.want == Want::Nothing {
        return Verdict::NotApplicable;
    }
    let mut verdict = Verdict::NotApplicable;
    for (saw, heard) in case.answers {
        match judge(case.row, saw, heard) {
            Verdict::Fail(why) => return Verdict::Fail(why),
            Verdict::Pass(why) => verdict = Verdict::Pass(why),
            Verdict::NotApplicable => {}
        }
    }
    verdict
}

impl Row {
    pub(super) fn may_be_good(&self) -> bool {
        matches!(self.scenario.want, Want::Good | Want::GoodOrElsewhere(_))
    }

    fn may_be_fallback(&self) -> bool {
        self.route == Route::Fallback && self.scenario.want != Want::Good
    }

    fn may_break(&self) -> bool {
        self.when == When::After && self.scenario.want != Want::Good
    }

    /// Returns the statuses that an error may have.
    fn statuses(&self) -> &'static [RangeInclusive<u16>] {
        match self.scenario.want {
            Want::Elsewhere(allowed) | Want::Refusal(allowed) | Want::GoodOrElsewhere(allowed) => {
                allowed
            }
            Want::Good | Want::Nothing => &[],
        }
    }

    fn allows(&self, status: u16) -> bool {
        self.statuses().iter().any(|range| range.contains(&status))
    }

    /// Says whether a gateway may have begun its stream when things went wrong: the provider had,
    /// or kept it waiting.
    fn may_have_begun(&self) -> bool {
        let refused = ["status", "throttle", "quoted_key", "stack_trace", "html_503", "refuse"];
        let name = self.fault().split(':').next().unwrap_or_default();
        self.shape == Shape::Stream && !refused.contains(&name)
    }
}

/// Says whether the faulty model had the last word, where it had recovered.
fn recovered(case: &Case<'_>) -> bool {
    let last = case.answers.last().map(|(_, heard)| content(case.row, heard));
    case.row.scenario.play != Play::UntilRecovered || last == Some(Content::Primary)
}

fn status_and_kind(row: &Row, saw: &Saw, heard: &Heard) -> Verdict {
    let Some(status) = saw.status() else {
        return Verdict::Fail(match &saw.end {
            End::Broken(why) => format!("no answer: {why}"),
            _ => "no answer in 15 s".to_owned(),
        });
    };
    if status >= 400 {
        return error_status(row, status, heard);
    }
    if status != 200 {
        return Verdict::Fail(format!("status {status}"));
    }
    if let Some(told) = heard.errors.first() {
        let allowed = heard.streamed && (row.may_break() || row.may_have_begun());
        if !allowed || row.statuses().is_empty() {
            return Verdict::Fail("an error in an answer with status 200".to_owned());
        }
        return kind(row, told);
    }
    match content(row, heard) {
        Content::Primary if row.may_be_good() => Verdict::Pass("200".to_owned()),
        Content::Fallback if row.may_be_fallback() => Verdict::Pass("200".to_owned()),
        Content::Nothing => {
            Verdict::Fail("status 200 that says nothing and tells no error".to_owned())
        }
        Content::Part | Content::Primary => {
            Verdict::Fail("no error was told of an answer that broke off".to_owned())
        }
        Content::Fallback | Content::Mixed => {
            let said: String = heard.text.chars().take(60).collect();
            Verdict::Fail(format!("says what nobody answered: “{said}”"))
        }
    }
}

fn error_status(row: &Row, status: u16, heard: &Heard) -> Verdict {
    if row.statuses().is_empty() {
        return Verdict::Fail(format!("status {status} for an answer that is good"));
    }
    if !row.allows(status) {
        return Verdict::Fail(format!("status {status} says something else"));
    }
    match heard.errors.first() {
        Some(told) => kind(row, told),
        None => Verdict::Fail(format!("status {status} without an error in the client's dialect")),
    }
}

/// Types and codes that say the request or the caller's key is wrong.
const BLAMES: [&str; 5] = [
    "invalid_request_error",
    "authentication_error",
    "invalid_api_key",
    "permission_error",
    "not_found_error",
];

/// Words in a code that say what it was, whatever the type says.
const SAYS_WHAT: [&str; 4] = ["timeout", "408", "50", "unavailable"];

/// Words of which one is in the type or code of a rate limit.
const RATE_WORDS: [&str; 5] = ["rate", "throttl", "429", "quota", "too_many"];

fn kind(row: &Row, told: &Told) -> Verdict {
    let named = format!("{} {}", told.kind, told.code).to_lowercase();
    let shown = named.trim();
    if !told.shaped {
        return Verdict::Fail("an error without type, code or message in the dialect".to_owned());
    }
    let theirs = !row.allows(400) && !row.allows(401);
    let said = SAYS_WHAT.iter().any(|word| told.code.to_lowercase().contains(word));
    if theirs && !said && BLAMES.iter().any(|blame| named.contains(blame)) {
        return Verdict::Fail(format!("`{shown}` blames the client for the provider"));
    }
    let limited = row.allows(429) && !row.allows(500);
    if limited && !RATE_WORDS.iter().any(|word| named.contains(word)) {
        return Verdict::Fail(format!("`{shown}` does not say that it is a rate limit"));
    }
    Verdict::Pass(shown.to_owned())
}

fn ended_properly(row: &Row, saw: &Saw, heard: &Heard) -> Verdict {
    match &saw.end {
        End::Broken(why) => return Verdict::Fail(format!("the connection broke: {why}")),
        End::Hung => return Verdict::Fail("nothing ended it in 15 s".to_owned()),
        End::Left => return Verdict::NotApplicable,
        End::Complete => {}
    }
    if let Some(unreadable) = &heard.unreadable {
        return Verdict::Fail(unreadable.clone());
    }
    let good = match content(row, heard) {
        Content::Primary => row.may_be_good(),
        Content::Fallback => true,
        Content::Nothing | Content::Part | Content::Mixed => false,
    };
    if heard.looks_finished() && !good {
        return Verdict::Fail("looks finished and is not".to_owned());
    }
    if !heard.streamed {
        return Verdict::Pass("one body".to_owned());
    }
    match (heard.errors.is_empty(), row.client) {
        (true, _) => good_end(row, heard),
        (false, Client::Anthropic) if heard.ends > 0 => {
            Verdict::Fail("`message_stop` after an error".to_owned())
        }
        (false, _) if heard.ends > 0 && !heard.finishes.is_empty() => {
            Verdict::Fail("a finish and the last frame around an error".to_owned())
        }
        (false, _) => Verdict::Pass("an error and no end".to_owned()),
    }
}

fn good_end(row: &Row, heard: &Heard) -> Verdict {
    let fail = |why: &str| Verdict::Fail(why.to_owned());
    if heard.after_end {
        return fail("frames after the last one");
    }
    match (heard.finishes.len(), heard.ends) {
        (0, 0) => return fail("stops without an end and without an error"),
        (0, _) => return fail("the last frame without a finish"),
        (_, 0) => return fail("a finish without the last frame"),
        (1, 1) => {}
        _ => return fail("ends more than once"),
    }
    if row.client == Client::Anthropic && heard.starts != 1 {
        return Verdict::Fail(format!("begins {} times", heard.starts));
    }
    if row.scenario.says == Says::TextAndUsage && heard.usages != 1 {
        return Verdict::Fail(format!("usage was asked for and came {} times", heard.usages));
    }
    Verdict::Pass("one end".to_owned())
}

fn fallback_reached(row: &Row, _: &Saw, heard: &Heard) -> Verdict {
    if spliced(heard) {
        return Verdict::Fail("pieces of two answers, or one twice".to_owned());
    }
    let content = content(row, heard);
    let expected = matches!(row.scenario.want, Want::Elsewhere(_) | Want::GoodOrElsewhere(_));
    if row.route == Route::Alone || row.when == When::After || !expected {
        return Verdict::NotApplicable;
    }
    match content {
        Content::Fallback => Verdict::Pass("the fallback's text".to_owned()),
        Content::Primary if row.may_be_good() => Verdict::Pass("not needed".to_owned()),
        _ => Verdict::Fail("the fallback's answer did not come".to_owned()),
    }
}

/// The time by which a stream that comes slowly must have begun before it ends.
const SPREAD: Duration = Duration::from_secs(2);

fn time_bound(row: &Row, saw: &Saw, _: &Heard) -> Verdict {
    let bound = Duration::from_secs(row.scenario.bound);
    let took = format!("{:.1} s", saw.took().as_secs_f64());
    let slow = matches!(Fault::parse(row.fault()), Ok(Fault::SlowChunks(_)));
    let began = saw.first_byte.unwrap_or(saw.ended);
    match &saw.end {
        End::Hung => Verdict::Fail("not ended after 15 s".to_owned()),
        _ if saw.took() > bound => {
            Verdict::Fail(format!("{took}, where {} s are enough", bound.as_secs()))
        }
        _ if slow && saw.ended.duration_since(began) < SPREAD => {
            Verdict::Fail("a stream that came all at once, at its end".to_owned())
        }
        _ => Verdict::Pass(took),
    }
}
