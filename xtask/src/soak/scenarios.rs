//! What goes wrong in a soak, and how often: a table. The client names the scenario in its
//! question, and the provider plays it.

use std::time::Duration;

use testkit::{Answer, Fault, Script, When};

/// What happens to a request.
#[derive(Debug)]
pub(super) struct Scenario {
    /// Its name: for what a provider does, the fault as the fault table writes it.
    pub(super) name: &'static str,
    /// How often it happens, against the others.
    weight: u32,
    /// The task that is asked for, which says which providers are tried.
    pub(super) task: &'static str,
    /// When the client hangs up.
    pub(super) leaves: Leaves,
}

/// When a client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    Never,
    /// At some moment before the answer has begun.
    Early,
    /// With the first bytes of the answer.
    Late,
}

const fn played(name: &'static str, weight: u32) -> Scenario {
    Scenario { name, weight, task: WORK, leaves: Leaves::Never }
}

/// The task that goes to the provider that misbehaves, and from there to one that does not.
const WORK: &str = "work";

/// The task of clients that leave before the answer begins: alone at its provider, since whether
/// such a request reached it is nobody's to know.
pub(super) const LEAVE: &str = "leave";

/// The task whose first provider refuses connections.
const DEAD: &str = "dead";

pub(super) const SCENARIOS: &[Scenario] = &[
    played("slow_chunks:15", 30),
    played("none", 12),
    played("keep_alive_comments", 2),
    played("crlf", 2),
    played("one_byte_at_a_time", 1),
    played("no_done", 2),
    played("no_finish", 2),
    played("empty", 2),
    played("status:429", 3),
    played("status:500", 2),
    played("status:503", 3),
    played("status:529", 3),
    played("html_503", 2),
    played("error_in_200", 2),
    played("broken_json", 2),
    played("garbage", 2),
    played("refuse", 3),
    played("never_answer", 1),
    played("headers_then_silence", 1),
    played("cut_before_first_token", 2),
    played("cut_after:5", 3),
    played("silence_after:5", 1),
    played("error_after:5", 3),
    Scenario { name: "nobody listens", weight: 2, task: DEAD, leaves: Leaves::Never },
    Scenario { name: "client leaves early", weight: 3, task: LEAVE, leaves: Leaves::Early },
    Scenario { name: "client leaves late", weight: 3, task: WORK, leaves: Leaves::Late },
];

/// Picks a scenario by a random number.
pub(super) fn pick(roll: u64) -> &'static Scenario {
    let all: u32 = SCENARIOS.iter().map(|scenario| scenario.weight).sum();
    let mut left = u32::try_from(roll % u64::from(all)).unwrap_or(0);
    let found = SCENARIOS.iter().find(|scenario| {
        let here = left < scenario.weight;
        left = left.saturating_sub(scenario.weight);
        here
    });
    found.unwrap_or(&SCENARIOS[0])
}

impl Scenario {
    /// Returns what the client asks; no question is a part of another.
    pub(super) fn question(&self) -> String {
        format!("Name the parts of a railway junction, and play: {};", self.name)
    }
}

/// The provider that plays the scenarios.
pub(super) fn shaky() -> Script {
    let mut script = Script::of(slow());
    for scenario in SCENARIOS {
        // A scenario that is no fault is not the provider's.
        let answer = match Fault::parse(scenario.name) {
            Ok(fault) => good().failing(fault),
            Err(_) if scenario.name == "none" => good(),
            Err(_) => continue,
        };
        script = script.when(When::said(&scenario.question()), answer);
    }
    script
}

/// The provider that always answers.
pub(super) fn steady() -> Script {
    Script::of(slow())
}

/// The provider of clients that do not wait.
pub(super) fn late() -> Script {
    Script::of(good().after(Duration::from_millis(150)))
}

fn slow() -> Answer {
    good().failing(Fault::SlowChunks(Duration::from_millis(15)))
}

fn good() -> Answer {
    let words = "points locks levers signals and tracks".split(' ').cycle().take(40);
    Answer::text(&words.collect::<Vec<_>>().join(" "))
}

/// The routing table: short clocks, so that what is silent does not stay long.
pub(super) const TABLE: &str = "\
version: soak
default_model: steady/m
defaults: { timeout: 1s, total: 4s, commit: first_token }
tasks:
  work: { primary: shaky/m, fallbacks: [steady/m] }
  dead: { primary: dead/m, fallbacks: [steady/m] }
  leave: { primary: late/m }
";

/// The longest that an answer may take: `total`, two seconds for the ledger, and a machine that
/// does other things.
pub(super) const DEADLINE: Duration = Duration::from_secs(12);
