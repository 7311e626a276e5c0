//! The reference pages in `docs/`, made from what the program itself says, and kept fresh.
//!
//! A page that differs from what would be made fails here; `BLESS=1 cargo test -p pointsman
//! reference` writes it, and the diff is the review.

mod prose;
mod schema;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use catalog::{Auth, Catalog, Model, Provider};
use ir::Next;

use crate::support::pointsman;

const BLESS: &str = "BLESS=1 cargo test -p pointsman reference";

/// Compares a page with what it should be, or writes it.
pub(crate) fn check(page: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = format!("<!-- generated: {BLESS} -->\n\n{}\n", text.trim_end());
    if std::env::var("BLESS").is_ok_and(|bless| bless == "1") {
        fs::write(&file, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let mut lines = kept.lines().zip(text.lines()).zip(1..);
    let differs = lines.find(|((kept, new), _)| kept != new);
    let place = differs.map_or_else(
        || "it is longer or shorter, or not there".to_owned(),
        |((kept, new), line)| format!("line {line}\n  is        {kept}\n  should be {new}"),
    );
    assert!(kept == text, "docs/{page} is stale: {place}\nwrite it with: {BLESS}");
}

/// Runs the program and returns what it prints.
fn said(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = pointsman(home.path()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_page_of_the_configuration_is_fresh() {
    let keys = schema::keys(&said(&["schema", "config"]));
    check("config.md", &format!("{}\n{keys}", prose::CONFIG));
}

#[test]
fn the_page_of_the_routing_table_is_fresh() {
    let keys = schema::keys(&said(&["schema", "routing"]));
    let limits = router::Limits::default();
    let defaults = format!(
        "Where neither a task nor `defaults` says otherwise, `timeout` is {:?}, `total` is {:?} and \
         `commit` is `{}`.",
        limits.timeout,
        limits.total,
        limits.commit.name()
    );
    let shipped = router::Table::shipped_text().trim_end();
    let shipped = format!("## The table that ships\n\n```yaml\n{shipped}\n```");
    check("routing.md", &format!("{}\n{defaults}\n\n{keys}\n{shipped}", prose::ROUTING));
}

#[test]
fn the_page_of_provider_records_is_fresh() {
    let keys = schema::keys(&said(&["schema", "provider"]));
    check("provider-record.md", &format!("{}\n{keys}", prose::RECORD));
}

#[test]
fn the_page_of_errors_is_fresh() {
    let mut page = format!("{}\n", prose::ERRORS);
    page += "| code | status | fault | then | what it means | what to do |\n|---|---|---|---|---|---|\n";
    for kind in ir::Kind::ALL {
        let next = match kind.next() {
            Next::Stop => "stop",
            Next::Elsewhere => "next target",
            Next::Here => "again, or next target",
        };
        let (code, status, fault) = (kind.code(), kind.status(), kind.fault().name());
        let (what, help) = (kind.what(), kind.help());
        writeln!(page, "| `{code}` | {status} | {fault} | {next} | {what} | {help} |").unwrap();
    }
    page += &rules();
    check("errors.md", &page);
}

/// How providers' errors are read: the table that decides, row by row.
fn rules() -> String {
    let mut page = format!("\n{}\n", prose::RULES);
    page += "| providers | statuses | words | read as | met in |\n|---|---|---|---|---|\n";
    for rule in wire::failures::table() {
        let listed = |words: Vec<String>| {
            if words.is_empty() { "any".to_owned() } else { words.join(", ") }
        };
        let families = listed(rule.families.iter().map(|family| format!("`{family}`")).collect());
        let statuses = listed(rule.statuses.iter().map(u16::to_string).collect());
        let words: Vec<String> = rule.says.iter().map(|says| format!("`{says}`")).collect();
        let (words, code) = (words.join(", "), rule.kind.code());
        let proof = match rule.proof {
            wire::failures::Proof::Met => "recorded or reported".to_owned(),
            wire::failures::Proof::Page(page) => format!("<{page}>"),
        };
        writeln!(page, "| {families} | {statuses} | {words} | `{code}` | {proof} |").unwrap();
    }
    page += "\nWhere no row fits, the status decides:\n\n| status | read as |\n|---|---|\n";
    for status in (400..600).filter(|status| shown(*status)) {
        let code = wire::failures::Rule::by_status(status).code();
        writeln!(page, "| {status} | `{code}` |").unwrap();
    }
    page
}

/// The statuses that providers answer with.
fn shown(status: u16) -> bool {
    matches!(
        status,
        400..=405 | 408 | 410 | 413 | 422 | 424 | 429 | 498..=504 | 522 | 524 | 529
    )
}

#[test]
fn the_page_of_providers_is_fresh() {
    let catalog = Catalog::shipped();
    let mut page = format!("{}\nPrice list: `{}`.\n", prose::PROVIDERS, catalog.prices);
    for provider in &catalog.providers {
        page += &of_provider(provider);
    }
    check("providers.md", &page);
}

fn of_provider(provider: &Provider) -> String {
    let Provider { id, name, base_url, .. } = provider;
    let credential = match &provider.auth {
        Auth::Bearer(secret) => format!("`{}` as `Authorization: Bearer`", variable(secret)),
        Auth::Header(named) => format!("`{}` as `{}`", variable(&named.value), named.name),
        Auth::Query(named) => {
            format!("`{}` as the parameter `{}`", variable(&named.value), named.name)
        }
        Auth::Sigv4(signing) => format!(
            "`{}` and `{}`, which sign each request (AWS Signature Version 4)",
            variable(&signing.key_id),
            variable(&signing.secret)
        ),
        Auth::GoogleServiceAccount(secret) => {
            format!("`{}`, the key of a Google service account or its file", variable(secret))
        }
        Auth::None(_) => "none".to_owned(),
    };
    let spoken: Vec<_> = provider.speaks.iter().map(|spoken| spoken.dialect.name()).collect();
    let mut page = format!(
        "\n## {name}\n\n- id `{id}`, address `{base_url}`, speaks `{}`\n",
        spoken.join("`, `")
    );
    writeln!(page, "- credential: {credential}").unwrap();
    if provider.qualified_only {
        writeln!(page, "- its models are named `{id}/<model>` alone").unwrap();
    }
    if provider.discover {
        writeln!(page, "- is asked for its models when `serve` starts or reloads").unwrap();
    }
    if let Some(price) = &provider.every_model {
        let (input, output) =
            (price.base.input.to_per_million(), price.base.output.to_per_million());
        writeln!(page, "- every model it names costs ${input} in, ${output} out").unwrap();
    }
    let listed: Vec<_> = provider.models.iter().filter(|model| model.listed).collect();
    if !listed.is_empty() {
        page += "\n| model | also | context | most output | $ in | $ out | prices |\n|---|---|---|---|---|---|---|\n";
    }
    listed.iter().for_each(|model| page += &of_model(model));
    page
}

/// Returns the environment variable of a secret's reference, or the reference.
fn variable(secret: &str) -> &str {
    secret.strip_prefix("env:").unwrap_or(secret)
}

fn of_model(model: &Model) -> String {
    let tokens =
        |tokens: Option<ir::Tokens>| tokens.map_or_else(|| "—".to_owned(), |n| n.to_string());
    let also: Vec<_> = model.aliases.iter().map(|alias| format!("`{alias}`")).collect();
    let [input, output, version] = match &model.price {
        None => ["—", "—", "unpriced"].map(str::to_owned),
        Some(price) => {
            let mark = match (price.tiers.is_empty(), price.hours.is_empty()) {
                (true, true) => "",
                (false, _) => " (long input costs more)",
                (true, false) => " (other prices at some hours)",
            };
            let per_million = |rate: ir::Rate| rate.to_per_million();
            let version = format!("`{}`{mark}", price.version);
            [per_million(price.base.input), per_million(price.base.output), version]
        }
    };
    let (context, most) = (tokens(model.context), tokens(model.output));
    format!(
        "| `{}` | {} | {context} | {most} | {input} | {output} | {version} |\n",
        model.id,
        also.join(", ")
    )
}

#[test]
fn the_page_of_the_commands_is_fresh() {
    let mut page = prose::CLI.to_owned();
    let mut waiting = vec![Vec::new()];
    while let Some(command) = waiting.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = said(&[words.as_slice(), &["--help"]].concat());
        let name =
            ["pointsman"].into_iter().chain(words.iter().copied()).collect::<Vec<_>>().join(" ");
        let help_text = help.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        writeln!(page, "\n## {name}\n\n```text\n{help_text}\n```").unwrap();
        let below = commands(&help).into_iter().rev();
        waiting.extend(below.map(|word| [command.as_slice(), &[word]].concat()));
    }
    check("cli.md", &page);
}

/// Returns the commands that a help text lists, without `help` itself.
fn commands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = list.take_while(|line| !line.trim().is_empty());
    let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let words = named.filter_map(|line| line.split_whitespace().next());
    words.filter(|word| *word != "help").map(str::to_owned).collect()
}
