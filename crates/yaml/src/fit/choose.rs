//! Alternatives: which branch of an enum was meant. Decides by type, then by the key or the text
//! that names a branch, and only then by trying, so that the problems told are those of the
//! branch that was meant and never "matches no variant".

use serde_json::Value as Json;

use super::schemas::Tag;
use super::{Fit, leaf};
use crate::node::{Entry, Node, Scalar, Value};
use crate::path::Path;
use crate::scalar::Kind;
use crate::words;

/// The alternatives at one value.
struct Choice<'a, 's> {
    node: &'a Node,
    path: &'a Path,
    all: Vec<&'s Json>,
    /// Those that allow a value of this type.
    fitting: Vec<&'s Json>,
}

impl<'s> Fit<'s> {
    /// Returns the branch that was meant; a problem and nothing when none can be told.
    pub(super) fn choose(
        &mut self,
        branches: &'s [Json],
        node: &Node,
        path: &Path,
    ) -> Option<&'s Json> {
        let all = self.schemas.spread(branches);
        let kinds = node.kinds();
        let admits = |branch: &&'s Json| {
            let types = self.schemas.types(branch);
            types.is_empty() || types.iter().any(|name| kinds.iter().any(|kind| kind.is(name)))
        };
        let fitting = all.iter().copied().filter(admits).collect();
        let choice = Choice { node, path, all, fitting };
        match &node.value {
            Value::Map(_) => self.choose_map(&choice),
            Value::Scalar(scalar) if self.is_about_text(&choice) => {
                self.choose_text(&choice, scalar)
            }
            Value::Scalar(_) | Value::List(_) => self.choose_fitting(&choice, &choice.fitting),
        }
    }

    /// Returns whether a value can only be meant as text here.
    fn is_about_text(&self, choice: &Choice<'_, 's>) -> bool {
        choice.node.kinds().contains(&Kind::Text)
            && choice.fitting.iter().all(|branch| {
                let types = self.schemas.types(branch);
                types.is_empty() || types.iter().any(|name| Kind::Text.is(name))
            })
    }

    /// Chooses the branch with the fewest problems, the first of equals as serde does.
    fn choose_fitting(
        &mut self,
        choice: &Choice<'_, 's>,
        fitting: &[&'s Json],
    ) -> Option<&'s Json> {
        if fitting.is_empty() {
            let mut types: Vec<&str> = Vec::new();
            for name in choice.all.iter().flat_map(|branch| self.schemas.types(branch)) {
                if !types.contains(&name) {
                    types.push(name);
                }
            }
            let (mut known, names) = (self.all_texts(&choice.all), self.names(&choice.all));
            // A single map among other things is told by its type, not by its one key.
            if !known.is_empty() || names.len() > 1 {
                known.extend(names);
            }
            self.wrong_type(choice.node, &types, &known, choice.path);
        }
        let mut best: Option<(usize, &'s Json)> = None;
        for branch in fitting {
            let tried = if fitting.len() == 1 { 0 } else { self.problems_of(choice, branch) };
            if best.is_none_or(|(fewest, _)| tried < fewest) {
                best = Some((tried, branch));
            }
            if tried == 0 {
                break;
            }
        }
        best.map(|(_, branch)| branch)
    }

    /// Counts the problems a branch would have.
    fn problems_of(&mut self, choice: &Choice<'_, 's>, branch: &'s Json) -> usize {
        // Trying inside of trying grows without end: out of patience, the first branch is taken.
        if self.patience == 0 {
            return 0;
        }
        let told = std::mem::take(&mut self.problems);
        self.value(choice.node, &[branch], choice.path);
        std::mem::replace(&mut self.problems, told).len()
    }

    fn choose_text(&mut self, choice: &Choice<'_, 's>, scalar: &Scalar) -> Option<&'s Json> {
        let mut known: Vec<&str> = Vec::new();
        for branch in &choice.fitting {
            // A branch that takes any text is as good as the others.
            let Some(texts) = self.schemas.texts(branch) else {
                return self.choose_fitting(choice, &choice.fitting);
            };
            if texts.contains(&scalar.text()) {
                return Some(branch);
            }
            known.extend(texts);
        }
        let names = self.names(&choice.all);
        // What a variable names is not told, not even by its being a name.
        if names.contains(&scalar.written()) {
            let key = scalar.written();
            let message = format!("{} needs a value", words::shown(key));
            let help = format!("write it as a key: {}", words::shown(&format!("{key}: …")));
            self.refuse(choice.node.at, choice.path, message, Some(help));
            return None;
        }
        if known.is_empty() {
            return self.choose_fitting(choice, &choice.fitting);
        }
        known.extend(names);
        let misfit = leaf::unknown(scalar, &known);
        self.refuse(choice.node.at, choice.path, misfit.message, misfit.help);
        None
    }

    fn choose_map(&mut self, choice: &Choice<'_, 's>) -> Option<&'s Json> {
        for branch in &choice.fitting {
            match self.schemas.tag(branch) {
                Some(Tag::Field { key, .. }) => return self.choose_by_field(choice, key),
                Some(Tag::Name { .. }) => return self.choose_by_name(choice),
                None => {}
            }
        }
        self.choose_fitting(choice, &choice.fitting)
    }

    /// Chooses among `{kind: a, …}` and `{kind: b, …}`.
    fn choose_by_field(&mut self, choice: &Choice<'_, 's>, key: &'s str) -> Option<&'s Json> {
        let mut known: Vec<&str> = Vec::new();
        let mut others: Vec<&'s Json> = Vec::new();
        let entry = choice.node.entry(key);
        let given = entry.and_then(|entry| entry.value.scalar());
        for branch in &choice.fitting {
            match self.schemas.tag(branch) {
                Some(Tag::Field { key: same, value }) if same == key => {
                    if given.is_some_and(|given| given.text() == value) {
                        return Some(branch);
                    }
                    known.push(value);
                }
                _ => others.push(branch),
            }
        }
        if !others.is_empty() {
            return self.choose_fitting(choice, &others);
        }
        let path = choice.path.key(key);
        match (entry, given) {
            (None, _) => {
                let help = words::list(&known);
                self.refuse(choice.node.at, &path, "missing key".to_owned(), help);
            }
            (Some(entry), None) => self.wrong_type(&entry.value, &["string"], &known, &path),
            (Some(entry), Some(given)) => {
                let misfit = leaf::unknown(given, &known);
                self.refuse(entry.value.at, &path, misfit.message, misfit.help);
            }
        }
        None
    }

    /// Chooses among `{a: …}` and `{b: …}`.
    fn choose_by_name(&mut self, choice: &Choice<'_, 's>) -> Option<&'s Json> {
        let mut named: Vec<(&Entry, &'s Json)> = Vec::new();
        let mut others: Vec<&'s Json> = Vec::new();
        let mut all_closed = true;
        for branch in &choice.fitting {
            match self.schemas.tag(branch) {
                Some(Tag::Name { name, closed }) => {
                    all_closed &= closed;
                    named.extend(choice.node.entry(name).map(|entry| (entry, *branch)));
                }
                _ => others.push(branch),
            }
        }
        // An optional choice among the keys of a map can also be made by none of them.
        if !named.is_empty() {
            others.retain(|branch| branch.as_object().is_none_or(|layer| !layer.is_empty()));
        }
        match (&named[..], &others[..]) {
            ([(_, branch)], []) => return Some(branch),
            ([], []) => self.refuse_names(choice, all_closed),
            ([(first, _), (second, _), ..], []) if all_closed => {
                self.refuse_both(choice, first, second);
            }
            _ => {
                let candidates: Vec<&Json> = named.iter().map(|(_, branch)| *branch).collect();
                return self.choose_fitting(choice, &[candidates, others].concat());
            }
        }
        None
    }

    fn refuse_both(&mut self, choice: &Choice<'_, 's>, a: &Entry, b: &Entry) {
        let (first, second) = if a.at <= b.at { (a, b) } else { (b, a) };
        let message = format!("cannot stand beside {}", words::shown(&first.key));
        let help = words::list(&self.names(&choice.all));
        self.refuse(second.at, &choice.path.key(&second.key), message, help);
    }

    /// Refuses a map that has no key that names a branch.
    fn refuse_names(&mut self, choice: &Choice<'_, 's>, all_closed: bool) {
        let names = self.names(&choice.all);
        let first = choice.node.entries().first().filter(|_| all_closed);
        let Some(entry) = first else {
            let help = words::list(&names);
            let message = "a key is missing that says which kind it is".to_owned();
            return self.refuse(choice.node.at, choice.path, message, help);
        };
        let path = choice.path.key(&entry.key);
        let texts = self.all_texts(&choice.all);
        let key = entry.key.as_str();
        let (message, help) = match texts.contains(&key) {
            true => {
                ("takes no value".to_owned(), Some(format!("write {} as text", words::shown(key))))
            }
            false => ("unknown key".to_owned(), words::suggest(key, &[names, texts].concat())),
        };
        self.refuse(entry.at, &path, message, help);
    }

    /// Returns the texts that stand for branches.
    fn all_texts(&self, branches: &[&'s Json]) -> Vec<&'s str> {
        branches.iter().filter_map(|branch| self.schemas.texts(branch)).flatten().collect()
    }

    /// Returns the keys that name branches.
    fn names(&self, branches: &[&'s Json]) -> Vec<&'s str> {
        let tags = branches.iter().filter_map(|branch| self.schemas.tag(branch));
        tags.filter_map(|tag| match tag {
            Tag::Name { name, .. } => Some(name),
            Tag::Field { .. } => None,
        })
        .collect()
    }
}
