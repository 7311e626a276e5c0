//! The records against recorded traffic: every host that was recorded has one, the paths are the
//! recorded paths, and every quirk names what shows it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use catalog::{Catalog, Provider};
use testkit::corpus::{self, Case};

/// Recorded hosts without a record, by the provider they were recorded as, and why.
const NONE_OF_OURS: [(&str, &str, &str); 12] = [
    ("gateway-proxy", "0.0.0.0:4000", "a gateway on somebody's machine"),
    ("gateway-proxy", "localhost:8787", "a gateway on somebody's machine"),
    ("gateway-proxy", "mytestingproxy.local", "a gateway on somebody's machine"),
    ("gateway-proxy", "api.portkey.ai", "a gateway that passes requests on"),
    ("gateway-proxy", "gateway.pydantic.dev", "a gateway that passes requests on"),
    ("other", "idealab.alibaba-inc.com", "a company's own"),
    ("other", "localhost:8000", "a server on somebody's machine; which, nobody said"),
    ("other", "demo-endpoints.pydantic.workers.dev", "an echo for tests"),
    ("replicate", "api.replicate.com", "speaks no dialect of ours"),
    ("cohere", "api.cohere.ai", "its older address, recorded with an older dialect"),
    ("together", "api.together.xyz", "its older address, which serves the same"),
    ("vertex", "firebasevertexai.googleapis.com", "Vertex for apps, with an app's token"),
];

/// What the corpus calls a provider, where our record has another name.
const CALLED: [(&str, &str); 3] =
    [("gemini", "google"), ("gemini-openai", "google"), ("azure-openai", "azure")];

/// Recorded endpoints that belong to a dialect, and the dialect's name.
const DIALECTS: [(&str, &str); 7] = [
    ("chat", "openai_chat"),
    ("responses", "openai_responses"),
    ("messages", "anthropic_messages"),
    ("generateContent", "gemini"),
    ("converse", "bedrock_converse"),
    ("cohere-chat", "cohere_v2"),
    ("ollama-chat", "ollama"),
];

#[test]
fn every_recorded_host_has_a_record() {
    if corpus::require("the hosts of the records").is_none() {
        return;
    }
    let catalog = Catalog::shipped();
    let mut hosts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for case in corpus::cases(&|_| true) {
        *hosts.entry((case.provider, case.host)).or_default() += 1;
    }
    let (mut known, mut left_out) = (0, 0);
    for ((provider, host), exchanges) in hosts {
        if none_of_ours(&provider, &host) {
            left_out += exchanges;
            continue;
        }
        let named = candidates(&catalog, &provider);
        let found = named.iter().any(|record| reaches(record, &host));
        assert!(found, "{provider} at {host}: {exchanges} exchanges and no record");
        known += exchanges;
    }
    println!("hosts: {known} exchanges have a record, {left_out} are with none of ours");
    assert!(known > 3_400, "{known}");
}

#[test]
fn the_paths_are_the_recorded_ones() {
    if corpus::require("the paths of the records").is_none() {
        return;
    }
    let catalog = Catalog::shipped();
    let mut strange: BTreeMap<String, usize> = BTreeMap::new();
    let (mut right, mut wrong) = (0, 0);
    for case in corpus::cases(&|case| !none_of_ours(&case.provider, &case.host)) {
        let Some(dialect) = dialect(&case) else { continue };
        let address = format!("{}{}", case.host, case.path);
        let named = candidates(&catalog, &case.provider);
        let mut patterns = named.iter().flat_map(|record| addresses(record, dialect));
        if patterns.any(|pattern| fits(&pattern, &address)) {
            right += 1;
        } else {
            wrong += 1;
            let path = case.path.split(['?', '{']).next().unwrap_or_default();
            *strange.entry(format!("{} {} {path}", case.provider, case.api)).or_default() += 1;
        }
    }
    println!("paths: {right} as recorded, {wrong} otherwise: {strange:#?}");
    assert!(right > 2_800 && wrong * 20 < right, "{right} {wrong}");
}

#[test]
fn every_quirk_names_what_shows_it() {
    let catalog = Catalog::shipped();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/providers");
    let mut named: Vec<(String, String)> = Vec::new();
    let (mut recorded, mut otherwise) = (0, 0);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let id = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(catalog.provider(&id).is_some(), "{} holds another record", path.display());
        for line in quirk_lines(&text) {
            let shown = line.split_once('#').map_or("", |(_, comment)| comment.trim());
            if let Some(rest) = shown.strip_prefix("recorded: ") {
                recorded += 1;
                let case = rest.split(' ').next().unwrap_or_default();
                named.push((id.clone(), case.to_owned()));
            } else {
                let said = ["documented: https://", "assumed: "];
                assert!(said.iter().any(|said| shown.starts_with(said)), "{id}: {line}");
                otherwise += 1;
            }
        }
    }
    println!("quirks: {recorded} recorded, {otherwise} documented or assumed");
    assert!(recorded > 40, "{recorded}");
    if corpus::require("the cases that quirks name").is_none() {
        return;
    }
    let cases = corpus::cases(&|case| named.iter().any(|(_, id)| *id == case.id));
    for (id, named) in named {
        let case = cases.iter().find(|case| case.id == named);
        let case = case.unwrap_or_else(|| panic!("{id}: there is no case {named}"));
        let record = catalog.provider(&id).unwrap();
        let means = candidates(&catalog, &case.provider).iter().any(|record| record.id == id);
        let there = case.provider != "other" || reaches(record, &case.host);
        assert!(means && there, "{id}: {named} is of {} at {}", case.provider, case.host);
    }
}

/// Returns the lines that set quirks: those below a `quirks:` that stand further in.
fn quirk_lines(text: &str) -> Vec<&str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut below = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        assert!(!line.contains("quirks: {"), "one quirk a line, each with what shows it: {line}");
        if below.is_some_and(|outer| depth(line) > outer) {
            lines.push(line);
            continue;
        }
        below = (line.trim() == "quirks:").then(|| depth(line));
    }
    lines
}

fn none_of_ours(provider: &str, host: &str) -> bool {
    NONE_OF_OURS.iter().any(|(as_provider, at, _)| (*as_provider, *at) == (provider, host))
}

/// Returns the records that a recorded provider may mean.
fn candidates<'c>(catalog: &'c Catalog, provider: &str) -> Vec<&'c Provider> {
    // The corpus keeps the hosts it has little of under one name; only a record that names its
    // host can be meant.
    if provider == "other" {
        let all = catalog.providers.iter().map(AsRef::as_ref);
        return all.filter(|record| record.base_url.starts_with("https://")).collect();
    }
    let called = CALLED.iter().find(|(name, _)| *name == provider);
    let id = called.map_or(provider, |(_, id)| *id);
    let means = |record: &&Provider| record.id == id || *record.family == *id;
    catalog.providers.iter().map(AsRef::as_ref).filter(means).collect()
}

/// Returns whether a host is the one that a record names, with whatever its variables may be.
fn reaches(record: &Provider, host: &str) -> bool {
    let base = pattern(&record.base_url);
    fits(base.split('/').next().unwrap_or_default(), host)
}

/// Returns the addresses that a record gives for a dialect, or for embeddings, as patterns.
fn addresses(record: &Provider, dialect: &str) -> Vec<String> {
    let embeddings = record.embeddings.iter().filter(|_| dialect == "embeddings");
    let spoken = record.speaks.iter().filter(|spoken| spoken.dialect.name() == dialect);
    let paths = spoken
        .flat_map(|spoken| [Some(&spoken.path), spoken.stream_path.as_ref()].into_iter().flatten());
    let paths = paths.chain(embeddings.map(|embeddings| &embeddings.path));
    paths.map(|path| pattern(&format!("{}{path}", record.base_url))).collect()
}

/// Returns the dialect of a recorded endpoint.
fn dialect(case: &Case) -> Option<&'static str> {
    if case.api == "embeddings" {
        return Some("embeddings");
    }
    DIALECTS.iter().find(|(api, _)| *api == case.api).map(|(_, dialect)| *dialect)
}

/// Makes a pattern of an address: no scheme, a `*` for every variable and the model, no query.
fn pattern(address: &str) -> String {
    let address = address.split_once("://").map_or(address, |(scheme, rest)| {
        // The address of a server on one's own machine is the default of a variable.
        if scheme.starts_with("${") { address } else { rest }
    });
    let address = address.split('?').next().unwrap_or_default();
    let mut pattern = String::new();
    let mut rest = address;
    while let Some((before, after)) = rest.split_once('{') {
        pattern.push_str(before.trim_end_matches('$'));
        pattern.push('*');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    pattern + rest
}

/// Returns whether a text is the pattern with something, or nothing, for every `*`.
fn fits(pattern: &str, text: &str) -> bool {
    let text = text.split('?').next().unwrap_or_default();
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}
