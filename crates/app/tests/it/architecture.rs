//! The shape of the code, as ARCHITECTURE.md promises it.

use std::fs;
use std::path::{Path, PathBuf};

/// The crates by floor: a crate uses only floors below its own, never a sibling.
const FLOORS: [(&str, u32); 13] = [
    ("ir", 0),
    ("yaml", 0),
    ("wire", 1),
    ("catalog", 1),
    ("check", 1),
    ("store", 1),
    ("health", 1),
    ("learn", 1),
    ("router", 2),
    ("gateway", 3),
    ("testkit", 3),
    ("app", 5),
    ("xtask", 6),
];

/// The crates that know no time, no environment, no files, no network.
const PURE: [&str; 8] = ["ir", "yaml", "wire", "catalog", "check", "health", "learn", "router"];

/// Files with more lines than this hide two; tests and flat tables in files of their own may.
const LONGEST_FILE: usize = 600;

/// Functions with more lines than this hide two.
const LONGEST_FUNCTION: usize = 80;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder(name: &str) -> PathBuf {
    if name == "xtask" { root().join(name) } else { root().join("crates").join(name) }
}

/// Returns the Rust files below a folder, with their text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// Returns every source of every crate that ships, without tests.
fn shipped() -> Vec<(PathBuf, String)> {
    let all = FLOORS.iter().flat_map(|(name, _)| sources(&folder(name).join("src")));
    all.filter(|(path, _)| !path.ends_with("tests.rs")).collect()
}

/// Returns a file without its inline tests and its comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let line = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(line).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_crate_stands_on_its_floor() {
    let crates = fs::read_dir(root().join("crates")).unwrap().count();
    assert_eq!(crates + 1, FLOORS.len(), "every crate has a floor");
    for (name, floor) in FLOORS {
        let manifest = fs::read_to_string(folder(name).join("Cargo.toml")).unwrap();
        let (_, uses) = manifest.split_once("[dependencies]").unwrap();
        let uses = uses.split("[dev-dependencies]").next().unwrap();
        for (other, below) in FLOORS {
            let used = uses.lines().any(|line| {
                line.starts_with(&format!("{other}.workspace"))
                    || line.starts_with(&format!("{other} ="))
            });
            assert!(!used || below < floor, "{name} (floor {floor}) uses {other} (floor {below})");
        }
    }
}

#[test]
fn pure_crates_do_no_io() {
    let impure = [
        "std::fs",
        "std::env",
        "std::net",
        "std::thread",
        "Instant",
        "SystemTime",
        "tokio",
        "async fn",
    ];
    for name in PURE {
        for (path, text) in sources(&folder(name).join("src")) {
            let code = code(&text);
            for word in impure {
                assert!(!code.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn files_and_functions_fit_the_head_that_reads_them() {
    for (path, text) in shipped() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines", path.display());
        for (name, lines) in functions(&text) {
            assert!(lines <= LONGEST_FUNCTION, "{}: {name} has {lines} lines", path.display());
        }
    }
}

/// Returns the functions of a formatted file with their lines: a function ends at the closing brace
/// with its own indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let head = line.trim_start();
        let begins = [
            "fn ",
            "pub fn ",
            "pub(crate) fn ",
            "pub(super) fn ",
            "async fn ",
            "pub async fn ",
            "pub(crate) async fn ",
        ];
        if begins.iter().any(|begin| head.starts_with(begin)) {
            let closes = |line: &&&str| {
                indent(line) == indent(lines[at]) && line.trim_start().starts_with('}')
            };
            let length = lines[at..].iter().position(|line| closes(&line)).unwrap_or(0);
            found.push((head.to_owned(), length));
        }
    }
    found
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in shipped() {
        assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
    }
}

#[test]
fn no_file_is_named_for_what_nobody_decided() {
    let vague = ["utils", "util", "helpers", "helper", "common", "misc", "types", "manager", "mod"];
    for (path, _) in shipped() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!vague.contains(&stem.as_str()), "{}", path.display());
    }
}

/// Hosts and models are data: no code asks which one it has before it. (The demo's script plays
/// hosts by name, and a name is all it uses.)
#[test]
fn no_provider_and_no_model_is_compared_in_code() {
    let catalog = catalog::Catalog::shipped();
    let families =
        ["gpt", "claude", "gemini", "deepseek", "qwen", "mistral", "llama", "grok", "o1", "o3"];
    for (path, text) in shipped() {
        let code = code(&text);
        for family in families {
            for asks in ["starts_with", "contains", "ends_with"] {
                let asked = format!("{asks}(\"{family}");
                assert!(!code.contains(&asked), "{}: {asked}", path.display());
            }
        }
        for provider in &catalog.providers {
            for asked in [format!("== \"{}\"", provider.id), format!("\"{}\" =>", provider.id)] {
                assert!(!code.contains(&asked), "{}: {asked}", path.display());
            }
        }
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, after) = manifest.split_once("[workspace.dependencies]").unwrap();
    let section = after.split("\n[").next().unwrap();
    let mut reason = false;
    for line in section.lines() {
        match line.chars().next() {
            Some('#') => reason = true,
            Some(_) if line.contains("path = ") => {}
            Some(_) => assert!(reason, "no reason for {line}"),
            None => reason = false,
        }
    }
}
