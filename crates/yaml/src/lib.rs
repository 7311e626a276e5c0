//! YAML as people write it: with places, strictly, and every problem at once.
//!
//! A text becomes a [`Document`]; a document is read as a type; what is wrong comes as
//! [`Problems`], each with its file, line, column and path, and mostly with what to write instead.
//! What a type allows is known from the JSON Schema that `schemars` derives for it, the same that
//! [`schema`] hands to editors. Pure: files and the environment are the caller's.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//! use yaml::{Document, Path, Vars};
//!
//! #[derive(Debug, Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     listen: String,
//!     tasks: BTreeMap<String, Task>,
//! }
//!
//! #[derive(Debug, Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Task {
//!     models: Vec<String>,
//!     /// Dollars; the exact text, quoted in the file or not.
//!     #[serde(default)]
//!     #[schemars(extend("format" = "decimal"))]
//!     budget: Option<String>,
//! }
//!
//! // What is wrong is told all at once, and what the file says is quoted.
//! let text = "listen: 4000\ntasks:\n  chat: {model: [gpt-4o], budget: 1e3}\n";
//! let document = Document::parse("pointsman.yaml", text, Vars::Keep)?;
//! let problems = document.read::<Config>().unwrap_err();
//! assert_eq!(problems.to_string(), "\
//! pointsman.yaml:1:9: listen: expected text, found the number `4000`
//!   help: quote it: \"4000\"
//! pointsman.yaml:3:10: tasks.chat.model: unknown key
//!   help: did you mean `models`?
//! pointsman.yaml:3:35: tasks.chat.budget: expected a decimal number, found `1e3`
//!   help: write digits with a point, such as 0.59");
//!
//! // Variables are looked up by the caller; their values never show in problems.
//! let text = "listen: localhost:${PORT:-40}\ntasks:\n  chat: {models: [gpt-4o], budget: 0.10}\n";
//! let document = Document::parse("pointsman.yaml", text, Vars::Lookup(&|_| None))?;
//! let config: Config = document.read()?;
//! assert_eq!(config.listen, "localhost:40");
//! assert_eq!(config.tasks["chat"].budget.as_deref(), Some("0.10"));
//!
//! // Later checks say where in the file their finding is.
//! let path = Path::root().key("tasks").key("chat").key("models").index(0);
//! let known = ["openai/gpt-4o", "mistral/mistral-large"];
//! let meant = yaml::closest(&config.tasks["chat"].models[0], known, 1);
//! let problem = document.problem(&path, "unknown model".into()).help(format!("{meant:?}"));
//! assert_eq!(problem.to_string(), "\
//! pointsman.yaml:3:19: tasks.chat.models[0]: unknown model
//!   help: [\"openai/gpt-4o\"]");
//! # Ok::<(), yaml::Problems>(())
//! ```
//!
//! # For those who write the types
//!
//! * Keys are checked where the type says `deny_unknown_fields`; without it any key passes.
//! * A schema with `"format": "decimal"` gets the exact text of a plain decimal number, written
//!   quoted or not; name the types `["string", "number"]` as well to please editors.
//! * A variable takes the type that its place asks for, quoted or not: `port: ${PORT}` is a number.
//! * A type that refuses in its own `Deserialize` is told at its path. Inside of untagged and
//!   internally tagged enums and of flattened structs serde loses the path: there it is told at the
//!   place of the whole.

mod build;
mod closest;
mod convert;
mod document;
mod fit;
mod node;
mod path;
mod problem;
mod scalar;
mod schema;
mod vars;
mod words;

pub use closest::closest;
pub use document::Document;
pub use path::Path;
pub use problem::{Place, Problem, Problems};
pub use schema::schema;
pub use vars::{Vars, fill};
