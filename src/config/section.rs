//! Reads mappings key by key and collects what is wrong on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::{Complaint, Place, Position, Problem, Problems};
use super::tree::{Node, Value};

/// A value from the command line in place of the one in the file.
pub struct Override {
    pub path: &'static str,
    pub flag: &'static str,
    pub value: Value,
}

/// What a walk through the tree found out besides the values.
#[derive(Default)]
pub struct Reading {
    /// Where each field was written; one that is not here has its default.
    written: BTreeMap<String, Place>,
    /// The fields that are wrong by themselves; they have their default meanwhile.
    wrong: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Reading {
    /// Complains about fields that don't fit each other, at one that somebody wrote.
    pub fn conflict(&mut self, paths: &[&str], complaint: Complaint) {
        if paths.iter().any(|path| self.wrong.contains(*path)) {
            return;
        }
        let written = paths.iter().filter_map(|path| Some((*path, *self.written.get(*path)?)));
        // A flag is the latest decision, so it comes before anything in the file.
        let (path, place) = written.min_by_key(|(_, place)| matches!(place, Place::At(_))).unwrap_or(("", Place::File));
        self.complain(path.to_owned(), place, complaint);
    }

    pub fn finish(self, file: &str) -> Result<(), Problems> {
        if self.problems.is_empty() { Ok(()) } else { Err(Problems::new(file, self.problems)) }
    }

    fn complain(&mut self, path: String, place: Place, complaint: Complaint) {
        self.problems.push(Problem { path, place, complaint });
    }
}

/// Reads a whole document; `schema` asks for all that it knows.
pub fn read<T>(root: &Node, overrides: &[Override], schema: impl FnOnce(&mut Section<'_>) -> T) -> (T, Reading) {
    let mut reading = Reading::default();
    let start = Position { line: 1, column: 1 };
    let outside = Section::new(String::new(), start, overrides, &mut reading);
    let value = outside.enter(Some(root), schema);
    (value, reading)
}

/// One mapping of the file. A key that is never asked for is unknown.
pub struct Section<'a> {
    path: String,
    /// Where a missing key would have to be added.
    position: Position,
    entries: &'a [(Node, Node)],
    /// It is no mapping at all: what is missing in it is no news.
    broken: bool,
    known: Vec<&'static str>,
    overrides: &'a [Override],
    reading: &'a mut Reading,
}

impl<'a> Section<'a> {
    fn new(path: String, position: Position, overrides: &'a [Override], reading: &'a mut Reading) -> Self {
        Self { path, position, entries: &[], broken: false, known: Vec::new(), overrides, reading }
    }

    /// Reads the mapping below a key; without one, every field in it has its default.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        self.known.push(key);
        let node = entry(self.entries, key);
        let mut section = Section::new(self.path_of(key), self.position, self.overrides, self.reading);
        section.broken = self.broken;
        section.enter(node, read)
    }

    /// Reads a field that may be left out.
    pub fn field<T>(&mut self, key: &'static str, default: T, rule: impl Fn(&Value) -> Result<T, Complaint>) -> T {
        self.value(key, rule).unwrap_or(default)
    }

    /// Reads a field that has no default.
    pub fn required<T: Default>(
        &mut self,
        key: &'static str,
        example: &str,
        rule: impl Fn(&Value) -> Result<T, Complaint>,
    ) -> T {
        let value = self.value(key, rule);
        let path = self.path_of(key);
        if !self.broken && !self.reading.written.contains_key(&path) {
            let complaint = Complaint::new("is missing").hint(format!("add {key}: {example}"));
            self.reading.complain(path, Place::At(self.position), complaint);
        }
        value.unwrap_or_default()
    }

    fn value<T>(&mut self, key: &'static str, rule: impl Fn(&Value) -> Result<T, Complaint>) -> Option<T> {
        self.known.push(key);
        let path = self.path_of(key);
        let from_flag = self.overrides.iter().find(|flag| flag.path == path);
        let from_file = entry(self.entries, key);
        let (value, place) = match (from_flag, from_file) {
            (Some(flag), _) => (&flag.value, Place::Flag(flag.flag)),
            (None, Some(node)) => (&node.value, Place::At(node.position)),
            (None, None) => return None,
        };
        self.reading.written.insert(path.clone(), place);
        let result = match value {
            Value::Null => Err(Complaint::new("has no value").hint("write one")),
            value => rule(value),
        };
        result
            .map_err(|complaint| {
                self.reading.wrong.insert(path.clone());
                self.reading.complain(path, place, complaint);
            })
            .ok()
    }

    fn enter<T>(mut self, node: Option<&'a Node>, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        match node.map(|node| (&node.value, node.position)) {
            // A key whose lines are all commented out has no value: the same as no key.
            None | Some((Value::Null, _)) => {}
            Some((Value::Map(entries), position)) => {
                self.entries = entries;
                self.position = position;
            }
            Some((other, position)) => {
                self.broken = true;
                self.reading.complain(self.path.clone(), Place::At(position), other.must_be("a mapping"));
            }
        }
        let result = read(&mut self);
        self.check_keys();
        result
    }

    fn check_keys(&mut self) {
        for (index, (key, _)) in self.entries.iter().enumerate() {
            let place = Place::At(key.position);
            match self.known.iter().find(|known| is(key, known)) {
                None => {
                    let complaint = Complaint::new(format!("unknown key {}", key.value)).hint(self.suggestion(key));
                    self.reading.complain(self.path.clone(), place, complaint);
                }
                Some(known) if self.entries[..index].iter().any(|(earlier, _)| is(earlier, known)) => {
                    let complaint = Complaint::new("is given twice").hint("delete one of the two");
                    self.reading.complain(self.path_of(known), place, complaint);
                }
                Some(_) => {}
            }
        }
    }

    fn suggestion(&self, key: &Node) -> String {
        let written = key.value.text().unwrap_or_default();
        let distance = |known: &&&str| strsim::damerau_levenshtein(written, known);
        match self.known.iter().min_by_key(distance) {
            // One slip in three letters is a slip; more is another word.
            Some(nearest) if distance(&nearest) * 3 <= nearest.len() => format!("did you mean {nearest}?"),
            _ => format!("known here: {}", self.known.join(", ")),
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn entry<'a>(entries: &'a [(Node, Node)], key: &str) -> Option<&'a Node> {
    entries.iter().find(|(name, _)| is(name, key)).map(|(_, node)| node)
}

fn is(node: &Node, key: &str) -> bool {
    matches!(&node.value, Value::Text(text) if text == key)
}
