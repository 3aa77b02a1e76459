//! YAML text → a tree that knows where each value stands.
//!
//! A configuration needs little of YAML: one document of mappings and scalars.
//! Anchors, aliases and tags are refused, so no text grows while it is read.

use std::fmt;

use serde_json::Value as Json;
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, StrInput, options};

use super::problem::{Complaint, Place, Position, Problem};

/// A configuration has some thirty lines; more than this is some other file.
pub const MAX_BYTES: usize = 256 * 1024;
/// The schema is five levels deep; the limit keeps the recursion small.
const MAX_DEPTH: usize = 16;

#[derive(Debug, Clone)]
pub struct Node {
    pub value: Value,
    pub position: Position,
}

#[derive(Debug, Clone)]
pub enum Value {
    Null,
    Bool(bool),
    /// As written: what notation and size is right is for the field to say.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Value {
    pub fn text(&self) -> Result<&str, Complaint> {
        match self {
            Value::Text(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => Err(self.must_be("text").hint("put it in quotes")),
            _ => Err(self.must_be("text")),
        }
    }

    /// The same as JSON; a number that JSON would write otherwise is text, as other YAML readers may take it otherwise.
    pub fn json(&self) -> Json {
        match self {
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(text) => {
                let number = serde_json::from_str(text).unwrap_or(Json::Null);
                let written = number.to_string();
                if written == *text { number } else { Json::String(text.clone()) }
            }
            Self::Text(text) => Json::String(text.clone()),
            Self::List(items) => items.iter().map(|item| item.value.json()).collect(),
            Self::Map(entries) => {
                let keyed = |(key, node): &(Node, Node)| Some((key.value.text().ok()?.to_owned(), node.value.json()));
                Json::Object(entries.iter().filter_map(keyed).collect())
            }
            Self::Null => Json::Null,
        }
    }

    pub fn must_be(&self, expected: impl fmt::Display) -> Complaint {
        Complaint::new(format!("must be {expected}, got {self}"))
    }
}

/// A value as it is shown in a message: short, on one line, control characters escaped.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 60;
        let short = |text: &str| match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        match self {
            Value::Null => f.write_str("nothing"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(text) => f.write_str(&short(text)),
            Value::Text(text) => write!(f, "{:?}", short(text)),
            Value::List(_) => f.write_str("a list"),
            Value::Map(_) => f.write_str("a mapping"),
        }
    }
}

pub fn too_large() -> String {
    format!("is larger than {} KiB and can be no lab configuration", MAX_BYTES / 1024)
}

/// Reads the one document of a text.
pub fn parse(text: &str) -> Result<Node, Problem> {
    if text.len() > MAX_BYTES {
        return Err(Problem::of_file(too_large()));
    }
    let parser =
        Parser::new_from_str_with_options(text, options! { emit_comments: false, emit_unresolved_aliases: true });
    let mut tree = Tree { parser };
    let mut root = None;
    loop {
        match tree.next()? {
            (Event::StreamEnd, _) => break,
            (Event::DocumentStart(..), position) if root.is_some() => {
                let message = "a second document starts here, but a file holds one lab; write one file for each";
                return Err(at(position, Complaint::new(message)));
            }
            (event, position) if event.is_node() => root = Some(tree.node(event, position, 0)?),
            _ => {}
        }
    }
    root.filter(|root| !matches!(root.value, Value::Null)).ok_or_else(|| Problem::of_file("is empty"))
}

struct Tree<'a> {
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Tree<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Position), Problem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, position(span.start))),
            Some(Err(error)) => {
                let message = format!("is not valid YAML: {}", error.info());
                Err(at(position(*error.marker()), Complaint::new(message)))
            }
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    /// The node that begins with this event, with all that is below it.
    fn node(&mut self, event: Event<'a>, position: Position, depth: usize) -> Result<Node, Problem> {
        let refused = if depth > MAX_DEPTH {
            Some("is nested too deeply for a lab configuration")
        } else if event.anchor_id().is_some() || event.is_alias() {
            Some("anchors and aliases (& and *) are not supported; write the value out")
        } else if event.tag().is_some() {
            Some("tags (!) are not supported; write the value without one")
        } else {
            None
        };
        if let Some(message) = refused {
            return Err(at(position, Complaint::new(message)));
        }
        let value = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) => plain(&text),
            Event::Scalar(text, ..) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                while let Some(item) = self.child(depth)? {
                    items.push(item);
                }
                Value::List(items)
            }
            _ => {
                let mut entries = Vec::new();
                while let Some(key) = self.child(depth)? {
                    let Some(value) = self.child(depth)? else { break };
                    entries.push((key, value));
                }
                Value::Map(entries)
            }
        };
        Ok(Node { value, position })
    }

    /// The next node inside a list or mapping, or nothing at its end.
    fn child(&mut self, depth: usize) -> Result<Option<Node>, Problem> {
        let (event, position) = self.next()?;
        if event.is_node() { self.node(event, position, depth + 1).map(Some) } else { Ok(None) }
    }
}

/// What a word without quotes means in YAML 1.2.
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return hexadecimal.chars().all(|digit| digit.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return octal.chars().all(|digit| digit.is_digit(8));
    }
    match digits.to_ascii_lowercase().as_str() {
        ".inf" | ".nan" => true,
        // Rust alone would also take the words "inf" and "nan".
        _ => digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') && digits.parse::<f64>().is_ok(),
    }
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

fn at(position: Position, complaint: Complaint) -> Problem {
    Problem { path: String::new(), place: Place::At(position), complaint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        let problem = parse(text).expect_err("was accepted");
        format!("{:?} {}", problem.place, problem.complaint)
    }

    #[test]
    fn every_value_knows_where_it_stands() {
        let root = parse("# comment\na: 1\nb: {c: \"2\"}\n").unwrap();
        let Value::Map(entries) = root.value else { panic!("no mapping") };
        let places: Vec<_> = entries.iter().map(|(key, value)| (key.position, value.position)).collect();
        let position = |line, column| Position { line, column };
        assert_eq!(places, [(position(2, 1), position(2, 4)), (position(3, 1), position(3, 4))]);
    }

    #[test]
    fn columns_count_characters() {
        let problem = parse("käse: &anchor 1\n").unwrap_err();
        assert_eq!(problem.place, Place::At(Position { line: 1, column: 15 }));
    }

    #[test]
    fn words_without_quotes_have_the_types_of_yaml_1_2() {
        for text in ["0", "-1", "+1", "007", "0x1F", "0o17", "1.5", ".5", "1.", "1e3", "-.inf", ".NaN", "1e999"] {
            assert!(matches!(plain(text), Value::Number(_)), "{text}");
        }
        for text in ["yes", "off", "nan", "inf", "1_000", "1:30", "0b1", "0xg", "-", ".", "100m", "1.2.3", "10.0.0.0/8"]
        {
            assert!(matches!(plain(text), Value::Text(_)), "{text}");
        }
    }

    #[test]
    fn limits_end_in_a_message() {
        for (nesting, limit) in [("- ", "nested too deeply"), ("? ", "nested too deeply"), ("[", "recursion limit")] {
            assert!(message(&nesting.repeat(10_000)).contains(limit), "{nesting}");
        }
        let deep: String = (0..300).flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()]).collect();
        assert!(message(&deep).contains("nested too deeply"));
        assert!(parse(&"#".repeat(MAX_BYTES)).unwrap_err().complaint.message.contains("is empty"));
        assert!(message(&"#".repeat(MAX_BYTES + 1)).contains("larger than 256 KiB"));
    }

    #[test]
    fn long_values_are_cut_in_messages() {
        let shown = Value::Text("ü".repeat(1000)).to_string();
        assert_eq!(shown, format!("\"{}…\"", "ü".repeat(60)));
    }
}
