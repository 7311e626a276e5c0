//! What the user reads: data on stdout, everything else on stderr, colours where they are wanted.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};

/// Prints a line of data.
pub(crate) fn line(text: &str) {
    // A closed pipe is the reader's choice, not an error.
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Prints a line about the work.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints JSON for scripts.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Asks a question that is answered with y or n; off a terminal the answer is no.
pub(crate) fn confirm(question: &str) -> bool {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let _ = write!(anstream::stderr(), "{question} [y/N] ");
    let _ = anstream::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Begins a table that fits the terminal.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    table
}

fn style(color: Option<AnsiColor>) -> Style {
    color.map_or_else(Style::new, |color| color.on_default())
}

fn paint(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// Marks what went well.
pub(crate) fn good(text: &str) -> String {
    paint(text, style(Some(AnsiColor::Green)))
}

/// Marks what deserves a look.
pub(crate) fn warn(text: &str) -> String {
    paint(text, style(Some(AnsiColor::Yellow)))
}

/// Marks what went wrong.
pub(crate) fn bad(text: &str) -> String {
    paint(text, style(Some(AnsiColor::Red)).bold())
}

/// Marks a name.
pub(crate) fn strong(text: &str) -> String {
    paint(text, style(None).bold())
}

/// Marks what is beside the point.
pub(crate) fn dim(text: &str) -> String {
    paint(text, style(None).dimmed())
}

/// Prints dollars, or a dash where nobody knows.
pub(crate) fn dollars(money: Option<ir::Money>) -> String {
    match money {
        None => "—".to_owned(),
        Some(money) if money.0 < 0 => format!("-${}", ir::Money(-money.0)),
        Some(money) => format!("${money}"),
    }
}
