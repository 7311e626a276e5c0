//! The table of scenarios: what goes wrong at the provider, and what a client may then expect. A
//! scenario is a row here and nothing anywhere else.

use std::ops::RangeInclusive;

/// Something that goes wrong at a provider.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What happens, for people.
    pub(crate) about: &'static str,
    /// The fault of an unstreamed answer, as `testkit::Fault::parse` reads it; none when empty.
    pub(crate) whole: &'static str,
    /// The fault of a stream before its first content.
    pub(crate) before: &'static str,
    /// The fault of a stream after its first content.
    pub(crate) after: &'static str,
    /// How the provider is reached.
    pub(crate) reached: Reached,
    /// What it says where it says something.
    pub(crate) says: Says,
    /// How the client goes about it.
    pub(crate) play: Play,
    /// What the client may expect.
    pub(crate) want: Want,
    /// The requests that one request of a client may cost at the faulty model.
    pub(crate) attempts: usize,
    /// The seconds an answer may take.
    pub(crate) bound: u64,
    /// Whether it is also asked through Anthropic's messages.
    pub(crate) messages: bool,
}

/// How a provider is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It is the wall.
    Wall,
    /// Nothing listens on its port.
    DeadPort,
    /// TLS is spoken to a port that does not.
    PlainPort,
    /// Its host has no address.
    NoHost,
}

/// What a provider says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// A text.
    Text,
    /// A text, and the client asks to be told what was used.
    TextAndUsage,
    /// A call of a tool.
    Call,
}

/// How the client goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Play {
    /// It asks once and waits for the end.
    Once,
    /// It hangs up before anything came.
    LeavesEarly,
    /// It hangs up when content has come.
    LeavesLate,
    /// It asks again until the provider that has recovered answers.
    UntilRecovered,
    /// It asks a few times, one after the other.
    Several,
}

/// What a client may expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// The provider is at fault: the fallback's answer, or an error of these statuses.
    Elsewhere(&'static [RangeInclusive<u16>]),
    /// The request is at fault: an error of these statuses; a fallback's answer will do.
    Refusal(&'static [RangeInclusive<u16>]),
    /// The answer, in spite of it.
    Good,
    /// The answer, or what [`Want::Elsewhere`] says.
    GoodOrElsewhere(&'static [RangeInclusive<u16>]),
    /// Nothing: it has hung up.
    Nothing,
}

/// The statuses that say a gateway or a provider failed.
const SERVER: &[RangeInclusive<u16>] = &[500..=599];
/// The same, and the status that says something took too long.
const SLOW: &[RangeInclusive<u16>] = &[408..=408, 500..=599];
/// A refused credential or account is not the client's, but many pass its status on.
const ACCOUNT: &[RangeInclusive<u16>] = &[401..=404, 429..=429, 500..=599];
const RATE: &[RangeInclusive<u16>] = &[429..=429];
const BUSY: &[RangeInclusive<u16>] = &[429..=429, 500..=599];
const BAD: &[RangeInclusive<u16>] = &[400..=400, 422..=422];
const LARGE: &[RangeInclusive<u16>] = &[400..=400, 413..=413];

/// The seconds that are enough where nothing makes anybody wait but retries.
const SOON: u64 = 6;
/// The seconds that are enough where clocks must run out: a gateway's total is 8.
const LATE: u64 = 11;

/// What holds for most faults: one try and three more are plenty.
const FAULT: Scenario = Scenario {
    name: "",
    about: "",
    whole: "",
    before: "",
    after: "",
    reached: Reached::Wall,
    says: Says::Text,
    play: Play::Once,
    want: Want::Elsewhere(SERVER),
    attempts: 4,
    bound: SOON,
    messages: true,
};

/// A status with a usual error, whole and streamed.
const fn status(
    name: &'static str,
    about: &'static str,
    fault: &'static str,
    want: Want,
) -> Scenario {
    Scenario { name, about, whole: fault, before: fault, want, messages: false, ..FAULT }
}

/// A request that is wrong stays wrong when it is sent again.
const fn refusal(
    name: &'static str,
    about: &'static str,
    fault: &'static str,
    statuses: &'static [RangeInclusive<u16>],
) -> Scenario {
    Scenario { attempts: 1, ..status(name, about, fault, Want::Refusal(statuses)) }
}

const fn throttled(name: &'static str, about: &'static str, fault: &'static str) -> Scenario {
    Scenario { bound: LATE, ..status(name, about, fault, Want::Elsewhere(RATE)) }
}

/// An answer that is good in spite of how it comes.
const fn harmless(name: &'static str, about: &'static str, fault: &'static str) -> Scenario {
    let want = Want::Good;
    Scenario { name, about, whole: fault, after: fault, want, attempts: 1, ..FAULT }
}

/// Every scenario.
pub(crate) static SCENARIOS: &[Scenario] = &[
    // No connection comes about.
    Scenario {
        reached: Reached::DeadPort,
        ..status(
            "refused",
            "nothing listens on the provider's port",
            "status:500",
            Want::Elsewhere(SERVER),
        )
    },
    Scenario {
        reached: Reached::PlainPort,
        ..status(
            "tls-failure",
            "the provider's https port speaks no TLS",
            "status:500",
            Want::Elsewhere(SERVER),
        )
    },
    Scenario {
        reached: Reached::NoHost,
        bound: LATE,
        ..status(
            "dns-failure",
            "the provider's host has no address",
            "status:500",
            // A gateway's clock may run out before its resolver gives up.
            Want::Elsewhere(SLOW),
        )
    },
    Scenario {
        name: "reset",
        about: "the connection is reset before a byte of the answer",
        whole: "refuse",
        before: "refuse",
        ..FAULT
    },
    // Silence.
    Scenario {
        name: "silent-accept",
        about: "the request is taken and nothing ever comes",
        whole: "never_answer",
        before: "never_answer",
        want: Want::Elsewhere(SLOW),
        bound: LATE,
        ..FAULT
    },
    Scenario {
        name: "headers-then-silence",
        about: "the head comes and nothing after it",
        whole: "headers_then_silence",
        before: "headers_then_silence",
        want: Want::Elsewhere(SLOW),
        bound: LATE,
        ..FAULT
    },
    Scenario {
        name: "silence",
        about: "a stream begins and then says nothing more",
        before: "silence_after:0",
        after: "silence_after:3",
        want: Want::Elsewhere(SLOW),
        bound: LATE,
        ..FAULT
    },
    Scenario {
        name: "slow-drip",
        about: "a byte every 100 ms, and no frame is ever complete",
        whole: "drip_after:0",
        before: "drip_after:0",
        after: "drip_after:3",
        want: Want::Elsewhere(SLOW),
        bound: LATE,
        ..FAULT
    },
    Scenario {
        name: "slow-frames",
        about: "a frame every 500 ms: slow, but alive to its end",
        after: "slow_chunks:500",
        want: Want::Good,
        attempts: 1,
        bound: LATE,
        ..FAULT
    },
    // Cuts.
    Scenario {
        name: "cut",
        about: "the connection drops inside the answer",
        whole: "cut_after:0",
        before: "cut_before_first_token",
        after: "cut_after:3",
        ..FAULT
    },
    Scenario {
        name: "cut-in-tool-json",
        about: "the connection drops inside the arguments of a tool",
        whole: "cut_after:0",
        after: "cut_after:3",
        says: Says::Call,
        ..FAULT
    },
    Scenario {
        name: "ends-too-early",
        about: "the bytes end in order, inside the answer",
        whole: "broken_json",
        before: "end_after:0",
        after: "end_after:3",
        ..FAULT
    },
    Scenario {
        name: "no-finish",
        about: "the text is whole, and nobody says that it is",
        after: "no_finish",
        ..FAULT
    },
    Scenario {
        name: "no-done",
        about: "the end is told, and its last frame is missing",
        after: "no_done",
        want: Want::GoodOrElsewhere(SERVER),
        attempts: 1,
        ..FAULT
    },
    // Bytes that are wrong.
    Scenario {
        name: "malformed-frame",
        about: "the JSON of one frame breaks off and the stream goes on",
        before: "malformed_after:0",
        after: "malformed_after:3",
        ..FAULT
    },
    Scenario {
        name: "garbage",
        about: "bytes that are no text, under the right type",
        whole: "garbage",
        before: "garbage",
        after: "garbage_after:3",
        ..FAULT
    },
    Scenario {
        name: "oversized-frame",
        about: "48 MiB without a line end",
        before: "oversized_after:0",
        after: "oversized_after:3",
        want: Want::Elsewhere(SLOW),
        bound: LATE,
        messages: false,
        ..FAULT
    },
    Scenario {
        name: "wrong-type",
        about: "a good answer that says it is plain text",
        whole: "wrong_type",
        before: "wrong_type",
        want: Want::GoodOrElsewhere(SERVER),
        ..FAULT
    },
    Scenario {
        name: "html-200",
        about: "a log-in page with status 200",
        whole: "html_200",
        before: "html_200",
        ..FAULT
    },
    Scenario {
        name: "empty-200",
        about: "status 200 and not a byte of body",
        whole: "empty_body",
        before: "empty_body",
        ..FAULT
    },
    Scenario {
        name: "error-in-200",
        about: "status 200 with an error for a body",
        whole: "error_in_200",
        before: "error_in_200",
        want: Want::Elsewhere(BUSY),
        ..FAULT
    },
    Scenario {
        name: "error-frame",
        about: "a frame of the stream is an error",
        before: "error_after:0",
        after: "error_after:3",
        want: Want::Elsewhere(BUSY),
        ..FAULT
    },
    Scenario {
        name: "rate-limit-frame",
        about: "a frame of the stream says that the rate limit is met",
        before: "rate_limit_after:0",
        after: "rate_limit_after:3",
        want: Want::Elsewhere(BUSY),
        ..FAULT
    },
    Scenario {
        name: "overloaded-frame",
        about: "a frame of the stream says that the provider is overloaded",
        before: "overloaded_after:0",
        after: "overloaded_after:3",
        want: Want::Elsewhere(BUSY),
        ..FAULT
    },
    // Statuses: the request's fault, the account's, the provider's.
    refusal("400", "the request is not acceptable", "status:400", BAD),
    refusal("413", "the request is too large", "status:413", LARGE),
    refusal("422", "the request cannot be processed", "status:422", BAD),
    Scenario {
        attempts: 2,
        messages: true,
        ..status(
            "401",
            "the credential is refused, and quoted in full",
            "quoted_key",
            Want::Elsewhere(ACCOUNT),
        )
    },
    Scenario {
        attempts: 2,
        ..status("402", "the account has no credit", "status:402", Want::Elsewhere(ACCOUNT))
    },
    Scenario {
        attempts: 2,
        ..status("403", "the account may not use the model", "status:403", Want::Elsewhere(ACCOUNT))
    },
    Scenario {
        attempts: 2,
        ..status(
            "404",
            "the provider does not have the model",
            "status:404",
            Want::Elsewhere(ACCOUNT),
        )
    },
    status("408", "the provider gave up waiting", "status:408", Want::Elsewhere(SLOW)),
    status("500", "an error of the server", "status:500", Want::Elsewhere(SERVER)),
    Scenario {
        messages: true,
        ..status(
            "500-stack-trace",
            "an error with a stack trace and the name of a machine",
            "stack_trace",
            Want::Elsewhere(SERVER),
        )
    },
    status("502", "a bad gateway before the provider", "status:502", Want::Elsewhere(SERVER)),
    status("503", "the provider is not available", "status:503", Want::Elsewhere(SERVER)),
    status(
        "503-html",
        "a proxy's page of HTML with status 503",
        "html_503",
        Want::Elsewhere(SERVER),
    ),
    status("504", "a gateway before the provider gave up", "status:504", Want::Elsewhere(SERVER)),
    Scenario {
        messages: true,
        ..status("529", "the provider is overloaded", "status:529", Want::Elsewhere(BUSY))
    },
    // Rate limits, by how they spell the time to wait.
    Scenario {
        messages: true,
        ..throttled("429", "the rate limit is met, and no time is told", "throttle:none")
    },
    Scenario { messages: true, ..throttled("429-seconds", "`retry-after: 2`", "throttle:seconds") },
    throttled("429-fraction", "`retry-after: 1.2`", "throttle:fraction"),
    throttled("429-http-date", "`retry-after` as a date", "throttle:http_date"),
    throttled("429-ms", "`retry-after-ms: 1200`", "throttle:ms"),
    throttled("429-x-ms", "`x-ms-retry-after-ms: 1200`", "throttle:x_ms"),
    throttled("429-reset", "`x-ratelimit-reset-requests: 1.2s`", "throttle:reset"),
    throttled("429-retry-info", "`google.rpc.RetryInfo` in the body", "throttle:retry_info"),
    throttled("429-prose", "`Please try again in 1.2s.`", "throttle:prose"),
    // Good answers that come oddly.
    Scenario {
        whole: "",
        ..harmless("duplicate-start", "the first frame comes twice", "duplicate_start")
    },
    harmless("no-usage", "nothing is said of what was used", "no_usage"),
    Scenario {
        whole: "",
        says: Says::TextAndUsage,
        messages: false,
        ..harmless("usage-last", "what was used is told in a frame of its own, the last", "crlf")
    },
    Scenario {
        whole: "",
        ..harmless("usage-after-end", "what was used is told after the end", "usage_after_end")
    },
    harmless("keep-alive", "comments and blank lines between the frames", "keep_alive_comments"),
    harmless("crlf", "lines end in CR LF", "crlf"),
    harmless("byte-by-byte", "every byte comes alone", "one_byte_at_a_time"),
    // Clients that leave.
    Scenario {
        name: "client-leaves-early",
        about: "the client hangs up before anything came",
        whole: "never_answer",
        before: "never_answer",
        play: Play::LeavesEarly,
        want: Want::Nothing,
        ..FAULT
    },
    Scenario {
        name: "client-leaves-late",
        about: "the client hangs up inside the answer",
        after: "silence_after:3",
        play: Play::LeavesLate,
        want: Want::Nothing,
        attempts: 1,
        ..FAULT
    },
    // Providers that change.
    Scenario {
        play: Play::UntilRecovered,
        ..status(
            "recovers",
            "two requests fail, and then the provider is well again",
            "status:503",
            Want::GoodOrElsewhere(SERVER),
        )
    },
    Scenario {
        play: Play::Several,
        ..status("flaps", "every other request fails", "status:503", Want::GoodOrElsewhere(SERVER))
    },
];

/// What a client may expect of a scenario, in words.
#[derive(Debug)]
pub(crate) struct Expected {
    /// Where there is a fallback.
    pub(crate) with: String,
    /// Where there is none.
    pub(crate) alone: String,
}

/// Says what a client may expect.
pub(crate) fn expected(scenario: &Scenario) -> Expected {
    let errors = |statuses: &[RangeInclusive<u16>]| {
        let shown = statuses.iter().map(|range| match (range.start(), range.end()) {
            (500, 599) => "5xx".to_owned(),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}–{last}"),
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let (with, alone) = match scenario.want {
        Want::Elsewhere(statuses) => ("the fallback".to_owned(), errors(statuses)),
        Want::Refusal(statuses) => {
            (format!("{} or the fallback", errors(statuses)), errors(statuses))
        }
        Want::Good => ("the answer".to_owned(), "the answer".to_owned()),
        Want::GoodOrElsewhere(statuses) => {
            let alone = format!("the answer or {}", errors(statuses));
            ("the answer or the fallback".to_owned(), alone)
        }
        Want::Nothing => ("—".to_owned(), "—".to_owned()),
    };
    Expected { with, alone }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_one_of_the_scripted_providers() {
        for scenario in SCENARIOS {
            let faults = [scenario.whole, scenario.before, scenario.after];
            for fault in faults.iter().filter(|fault| !fault.is_empty()) {
                assert!(testkit::Fault::parse(fault).is_ok(), "{}: {fault}", scenario.name);
            }
            assert!(faults.iter().any(|fault| !fault.is_empty()), "{}", scenario.name);
        }
    }

    #[test]
    fn names_are_each_once_and_can_be_ids() {
        for (at, scenario) in SCENARIOS.iter().enumerate() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(scenario.name.chars().all(plain), "{}", scenario.name);
            assert!(SCENARIOS[..at].iter().all(|other| other.name != scenario.name));
        }
    }
}
