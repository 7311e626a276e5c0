//! How providers spell the time to wait that goes with a status 429: a table, a spelling a row,
//! each with who sends it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// A spelling of the time to wait.
#[derive(Debug, Clone, Copy)]
pub struct Spelling(&'static Row);

/// A row of the table: its name, who sends it, and the header or the body that tells.
#[derive(Debug)]
struct Row {
    name: &'static str,
    about: &'static str,
    least: Duration,
    tells: Tells,
}

/// Where the time is told.
#[derive(Debug)]
enum Tells {
    /// Nowhere.
    Nowhere,
    /// In a header of this name.
    Header(&'static str, fn(Timestamp) -> String),
    /// In the error's message.
    Message(&'static str),
    /// In a member of the body beside the message.
    Details,
}

static ROWS: [Row; 9] = [
    row("none", "Says nothing of a time.", 0, Tells::Nowhere),
    row("seconds", "`retry-after` in whole seconds: RFC 9110, most.", 2_000, SECONDS),
    row("fraction", "`retry-after` with a fraction: Groq and proxies.", 1_200, FRACTION),
    row("http_date", "`retry-after` as a date: RFC 9110, CDNs.", 2_000, DATE),
    row("ms", "`retry-after-ms`: Azure, OpenAI.", 1_200, MS),
    row("x_ms", "`x-ms-retry-after-ms`: Azure.", 1_200, X_MS),
    row("reset", "`x-ratelimit-reset-requests` as a length of time: OpenAI, Groq.", 1_200, RESET),
    row("retry_info", "`google.rpc.RetryInfo` in the body: Gemini, Vertex.", 1_200, Tells::Details),
    row("prose", "In the words of the message: OpenAI.", 1_200, PROSE),
];

const SECONDS: Tells = Tells::Header("retry-after", |_| "2".to_owned());
const FRACTION: Tells = Tells::Header("retry-after", |_| "1.2".to_owned());
const DATE: Tells = Tells::Header("retry-after", date);
const MS: Tells = Tells::Header("retry-after-ms", |_| "1200".to_owned());
const X_MS: Tells = Tells::Header("x-ms-retry-after-ms", |_| "1200".to_owned());
const RESET: Tells = Tells::Header("x-ratelimit-reset-requests", |_| "1.2s".to_owned());
const PROSE: Tells = Tells::Message(" Please try again in 1.2s.");

const fn row(name: &'static str, about: &'static str, least_ms: u64, tells: Tells) -> Row {
    Row { name, about, least: Duration::from_millis(least_ms), tells }
}

impl PartialEq for Spelling {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Spelling {}

impl Spelling {
    /// Returns every spelling.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(Self)
    }

    /// Finds a spelling by name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|spelling| spelling.name() == name)
    }

    /// Returns its name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Returns who spells it so.
    pub fn about(&self) -> &'static str {
        self.0.about
    }

    /// Returns the time that is told, or a little less where the spelling is of whole seconds.
    pub fn wait(&self) -> Duration {
        self.0.least
    }

    /// Returns the header that tells the time, counted from now.
    pub(crate) fn header(&self, now: Timestamp) -> Option<(String, String)> {
        let Tells::Header(name, value) = &self.0.tells else { return None };
        Some(((*name).to_owned(), value(now)))
    }

    /// Returns the words that tell the time.
    pub(crate) fn words(&self) -> &'static str {
        if let Tells::Message(words) = self.0.tells { words } else { "" }
    }

    /// Returns the members that tell the time beside the message, as JSON.
    pub(crate) fn details(&self) -> Option<serde_json::Value> {
        let told = serde_json::json!([{
            "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.2s",
        }]);
        matches!(self.0.tells, Tells::Details).then_some(told)
    }
}

/// A date has whole seconds, so this one is two to three seconds off.
fn date(now: Timestamp) -> String {
    let then = now.as_second().saturating_add(3);
    let then = Timestamp::from_second(then).unwrap_or(now);
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_names_its_spelling() {
        for spelling in Spelling::all() {
            assert_eq!(Spelling::parse(spelling.name()), Some(spelling));
            assert!(spelling.about().ends_with('.'), "{}", spelling.name());
        }
        assert_eq!(Spelling::parse("hours"), None);
    }

    #[test]
    fn a_date_is_told_in_whole_seconds_of_greenwich() {
        let header =
            Spelling::parse("http_date").and_then(|date| date.header(Timestamp::UNIX_EPOCH));
        assert_eq!(header.map(|(_, date)| date).as_deref(), Some("Thu, 01 Jan 1970 00:00:03 GMT"));
    }
}
