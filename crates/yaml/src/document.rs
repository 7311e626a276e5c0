//! A document: parsed once, then read as a type, then asked for the places of what later checks
//! find. Pure: no file is opened and no environment read here.

use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::build::build;
use crate::convert::convert;
use crate::fit::fit;
use crate::node::Node;
use crate::path::Path;
use crate::problem::{Place, Problem, Problems};
use crate::schema::schema;
use crate::vars::Vars;

/// A YAML document that is well-formed; whether it fits a type is only known by `read`.
pub struct Document {
    name: String,
    root: Node,
}

impl Document {
    /// Parses a text; `name` stands in front of its problems. An empty text is an empty map.
    pub fn parse(name: &str, text: &str, vars: Vars<'_>) -> Result<Self, Problems> {
        let root = build(name, text, vars)?;
        Ok(Self { name: name.to_owned(), root })
    }

    /// Reads the document as a type, or tells everything that keeps it from being one.
    pub fn read<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, Problems> {
        let schema = schema::<T>();
        let json = fit(&self.name, &self.root, &schema)?;
        convert(json).map_err(|(path, message)| {
            let refused = || Some((path.to_string(), message.clone()));
            let told = !self.root.deepest(&path).is_filled() || {
                // What the type says of the text in the file is safe to repeat.
                let unfilled = fit(&self.name, &self.root.unfilled(), &schema).ok();
                let again = unfilled.and_then(|json| convert::<T>(json).err());
                again.map(|(path, message)| (path.to_string(), message)) == refused()
            };
            let message = if told { message } else { SILENT.to_owned() };
            self.problem(&path, message).into()
        })
    }

    /// Returns where a value stands, or the deepest value on the way that exists.
    pub fn place(&self, path: &Path) -> Place {
        self.root.deepest(path).at
    }

    /// Makes a problem of what a later check found.
    pub fn problem(&self, path: &Path, message: String) -> Problem {
        let (file, at) = (self.name.clone(), self.place(path));
        Problem { file, at, path: path.to_string(), message, help: None }
    }
}

/// Said instead of a reason that might quote the value of a variable.
const SILENT: &str = "is not accepted; why is not shown, as it may quote the value of a variable";

/// Shows the name alone: texts may be secrets.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("name", &self.name).finish_non_exhaustive()
    }
}
