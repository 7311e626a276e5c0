//! From the parser's events to the tree. Refuses here what no configuration needs: duplicate and
//! composite keys, merge keys, tags, several documents. Counts what aliases expand to, so that a
//! document of a few lines cannot become gigabytes.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StructureStyle};

use crate::node::{Entry, Node, Scalar, Value};
use crate::path::Path;
use crate::problem::{Place, Problem, Problems};
use crate::vars::{Replaced, Vars};

mod limits;
mod refusals;

use limits::{Size, TEXT};

/// Builds the tree of a text, or tells everything that keeps it from being one.
pub(crate) fn build(name: &str, text: &str, vars: Vars<'_>) -> Result<Node, Problems> {
    let mut tree = Tree::new(name, vars);
    if text.len() > TEXT {
        tree.refuse(START, &Path::root(), "is too long for a configuration".to_owned(), None);
        return Err(tree.problems.into());
    }
    let options = granit_parser::options! { emit_comments: false, emit_unresolved_aliases: true };
    for event in Parser::new_from_str_with_options(text, options) {
        let taken = match event {
            Ok((event, span)) => tree.take(event, span),
            Err(error) => tree.unreadable(&error),
        };
        if taken.is_err() {
            break;
        }
    }
    Problems::none(tree.problems)?;
    // An empty document is a map without keys: every default holds.
    let empty = || Node { at: START, value: Value::Map(Arc::default()) };
    Ok(tree.root.filter(|root| !is_empty(root)).unwrap_or_else(empty))
}

const START: Place = Place { line: 1, column: 1 };

fn is_empty(root: &Node) -> bool {
    matches!(root.scalar(), Some(Scalar::Plain(text)) if text.is_empty())
}

/// The tree so far.
struct Tree<'a> {
    name: &'a str,
    vars: Vars<'a>,
    problems: Vec<Problem>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, Size)>,
    total: Size,
    documents: usize,
    root: Option<Node>,
}

/// A map or list whose end has not come yet.
struct Open {
    at: Place,
    anchor: usize,
    style: StructureStyle,
    size: Size,
    holds: Holds,
}

enum Holds {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, lines: HashMap<String, usize>, key: Option<Key> },
}

/// A key waiting for its value.
struct Key {
    text: String,
    at: Place,
    /// Whether the value has a home; if not, its key was refused already.
    kept: bool,
}

/// The rest of the document is not worth reading: the reason is among the problems.
struct Hopeless;

/// How a value was written, which decides where it is said to stand.
#[derive(PartialEq)]
enum Written {
    Inline,
    /// A block below its key, or nothing at all: it stands where its key stands.
    Below,
}

impl<'a> Tree<'a> {
    fn new(name: &'a str, vars: Vars<'a>) -> Self {
        Self {
            name,
            vars,
            problems: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            total: Size::default(),
            documents: 0,
            root: None,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Hopeless> {
        let at = place(span.start);
        if let Some(tag) = event.tag() {
            self.tag(&tag.original(), at);
        }
        match event {
            Event::DocumentStart(..) => self.document(at),
            Event::Scalar(text, style, anchor, _) => {
                let text = if span.is_empty() { "" } else { &*text };
                self.scalar(text, style, anchor, at)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.enter(at, anchor, style, Holds::List(Vec::new()))
            }
            Event::MappingStart(style, anchor, _) => {
                let holds = Holds::Map { entries: Vec::new(), lines: HashMap::new(), key: None };
                self.enter(at, anchor, style, holds)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, at),
            _ => Ok(()),
        }
    }

    fn document(&mut self, at: Place) -> Result<(), Hopeless> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let help = "keep one document in a file".to_owned();
        self.refuse(at, &Path::root(), "a second document starts here".to_owned(), Some(help));
        Err(Hopeless)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        at: Place,
    ) -> Result<(), Hopeless> {
        let plain = style == ScalarStyle::Plain;
        // Keys are names: they are kept as written.
        let filled = if self.awaits_key() { None } else { self.filled(text, at) };
        let scalar = match filled {
            Some(filled) => filled,
            None if plain => Scalar::Plain(text.to_owned()),
            None => Scalar::Quoted(text.to_owned()),
        };
        let written = if plain && text.is_empty() { Written::Below } else { Written::Inline };
        let size = Size::scalar(scalar.text().len());
        let node = Node { at, value: Value::Scalar(Arc::new(scalar)) };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.count(size, at)?;
        self.add(node, size, &written);
        Ok(())
    }

    /// Replaces the variables of a text; nothing when it has none.
    fn filled(&mut self, text: &str, at: Place) -> Option<Scalar> {
        if !text.contains('$') {
            return None;
        }
        match self.vars.replace(text) {
            Ok(Replaced::Filled(filled)) => {
                Some(Scalar::Filled { written: text.to_owned(), text: filled })
            }
            // What holds a dollar can only be text.
            Ok(Replaced::Literal(text)) => Some(Scalar::Quoted(text)),
            Err(faults) => {
                let path = self.path();
                for fault in faults {
                    self.refuse(at, &path, fault.message, Some(fault.help));
                }
                None
            }
        }
    }

    fn enter(
        &mut self,
        at: Place,
        anchor: usize,
        style: StructureStyle,
        holds: Holds,
    ) -> Result<(), Hopeless> {
        self.count(Size::COLLECTION, at)?;
        self.open.push(Open { at, anchor, style, size: Size::COLLECTION, holds });
        self.depth(0, at)
    }

    fn leave(&mut self) -> Result<(), Hopeless> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.holds {
            Holds::List(items) => Value::List(Arc::new(items)),
            Holds::Map { entries, .. } => Value::Map(Arc::new(entries)),
        };
        let node = Node { at: open.at, value };
        if open.anchor != 0 {
            self.anchors.insert(open.anchor, (node.clone(), open.size));
        }
        let block = open.style == StructureStyle::Block;
        self.add(node, open.size, if block { &Written::Below } else { &Written::Inline });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Result<(), Hopeless> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            let path = self.path();
            self.refuse(at, &path, "an alias inside of what it stands for".to_owned(), None);
            return Err(Hopeless);
        };
        let (node, size) = (Node { at, value: node.value.clone() }, *size);
        self.count(size, at)?;
        self.depth(size.depth, at)?;
        self.add(node, size, &Written::Inline);
        Ok(())
    }

    /// Puts a finished value where it belongs: into the list, behind its key, or it is the key.
    fn add(&mut self, mut node: Node, size: Size, written: &Written) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.size.hold(size);
        match &mut open.holds {
            Holds::List(items) => items.push(node),
            Holds::Map { key: key @ None, .. } => {
                // An alias can make a filled text a key: paths show keys, so it stays as written.
                let (text, at) = (node.scalar().map(|scalar| scalar.written().to_owned()), node.at);
                *key = Some(Key { text: text.unwrap_or_default(), at, kept: true });
                self.check_key(&node);
            }
            Holds::Map { entries, lines, key: waiting } => {
                let Some(key) = waiting.take() else { return };
                if *written == Written::Below {
                    node.at = key.at;
                }
                if key.kept {
                    lines.insert(key.text.clone(), key.at.line);
                    entries.push(Entry { key: key.text, at: key.at, value: node });
                }
            }
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { holds: Holds::Map { key: None, .. }, .. }))
    }

    /// Returns where in the tree the next value goes.
    fn path(&self) -> Path {
        self.open.iter().fold(Path::root(), |path, open| match &open.holds {
            Holds::List(items) => path.index(items.len()),
            Holds::Map { key: Some(key), .. } if !key.text.is_empty() => path.key(&key.text),
            Holds::Map { .. } => path,
        })
    }

    fn refuse(&mut self, at: Place, path: &Path, message: String, help: Option<String>) {
        let (file, path) = (self.name.to_owned(), path.to_string());
        self.problems.push(Problem { file, at, path, message, help });
    }
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}
