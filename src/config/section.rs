//! Walks a declaration: reads mappings key by key, collects what is wrong on the way, and describes every field.

use super::overrides::Overrides;
use super::problem::{Complaint, Place, Position};
use super::reading::{Field, Reading};
use super::rules::Rule;
use super::schema::Object;
use super::tree::{Node, Value};
use super::version::Version;

/// Reads a whole document.
pub fn read<T>(
    root: &Node,
    overrides: &Overrides,
    version: &Version,
    declaration: impl FnOnce(&mut Section<'_>) -> T,
) -> (T, Reading) {
    let mut reading = Reading::default();
    let start = Position { line: 1, column: 1 };
    let context = Context { overrides, version };
    let outside = Section::new(String::new(), start, &context, &mut reading);
    let (value, object) = outside.enter(Some(root), declaration);
    reading.schema = object.root();
    (value, reading)
}

/// What is the same in every section.
struct Context<'a> {
    overrides: &'a Overrides,
    version: &'a Version,
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
    object: Object,
    context: &'a Context<'a>,
    reading: &'a mut Reading,
}

impl<'a> Section<'a> {
    fn new(path: String, position: Position, context: &'a Context<'a>, reading: &'a mut Reading) -> Self {
        let object = Object::default();
        Self { path, position, entries: &[], broken: false, known: Vec::new(), object, context, reading }
    }

    /// Reads the mapping below a key; without one, every field in it has its default.
    pub fn section<T>(&mut self, key: &'static str, description: &str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        self.known.push(key);
        let node = entry(self.entries, key);
        let mut section = Section::new(self.path_of(key), self.position, self.context, self.reading);
        section.broken = self.broken;
        let (value, object) = section.enter(node, read);
        self.object.section(key, description, object);
        value
    }

    /// Reads a field that may be left out; its default is in the notation of the file.
    pub fn field<T: Default>(&mut self, key: &'static str, default: &str, rule: &Rule<T>, description: &str) -> T {
        let default = rule.value(default);
        self.object.field(key, rule, Some(default.json()), description);
        let (value, _) = self.value(key, rule, default.json());
        value.unwrap_or_else(|| {
            rule.read(&default).unwrap_or_else(|complaint| {
                self.reading.complain(format!("default of {}", self.path_of(key)), Place::File, complaint);
                T::default()
            })
        })
    }

    /// Reads a field that has no default.
    pub fn required<T: Default>(&mut self, key: &'static str, example: &str, rule: &Rule<T>, description: &str) -> T {
        self.object.field(key, rule, None, description);
        let (value, given) = self.value(key, rule, serde_json::Value::Null);
        if !self.broken && !given {
            let complaint = Complaint::new("is missing").hint(format!("add {key}: {example}"));
            self.reading.complain(self.path_of(key), Place::At(self.position), complaint);
        }
        value.unwrap_or_default()
    }

    /// The value of a field, and whether somebody gave one, right or wrong.
    fn value<T>(&mut self, key: &'static str, rule: &Rule<T>, default: serde_json::Value) -> (Option<T>, bool) {
        self.known.push(key);
        let name = self.path_of(key);
        let path = self.context.version.path_now(&name).to_owned();
        let given = match (self.context.overrides.find(&path), entry(self.entries, key)) {
            (Some((place, word)), _) => Some((rule.value(&word), place)),
            (None, Some(node)) => Some((node.value.clone(), Place::At(node.position))),
            (None, None) => None,
        };
        let mut field = Field { path, name, value: default, place: None, wrong: false };
        let Some((value, place)) = given else {
            self.reading.fields.push(field);
            return (None, false);
        };
        field.place = Some(place.clone());
        field.value = value.json();
        let result = match &value {
            Value::Null => Err(Complaint::new("has no value").hint("write one")),
            value => rule.read(value),
        };
        field.wrong = result.is_err();
        let name = field.name.clone();
        self.reading.fields.push(field);
        (result.map_err(|complaint| self.reading.complain(name, place, complaint)).ok(), true)
    }

    fn enter<T>(mut self, node: Option<&'a Node>, read: impl FnOnce(&mut Section<'_>) -> T) -> (T, Object) {
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
        (result, self.object)
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
        if let Some(moved) = self.context.version.moved_here(&self.path_of(written)) {
            return moved;
        }
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

/// The value below a key.
pub fn entry<'a>(entries: &'a [(Node, Node)], key: &str) -> Option<&'a Node> {
    entries.iter().find(|(name, _)| is(name, key)).map(|(_, node)| node)
}

fn is(node: &Node, key: &str) -> bool {
    matches!(&node.value, Value::Text(text) if text == key)
}
