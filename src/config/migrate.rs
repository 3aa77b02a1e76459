//! A file of an older version → the same lab in the current one.
//!
//! Lines are moved whole, so comments and the order of all others stay. What
//! comes out is read again: where it is not the same lab, or where the lines
//! cannot be moved, the file is written anew instead.

use super::overrides::Overrides;
use super::problem::{Complaint, Place, Position, Problem, Problems};
use super::section::entry;
use super::source::Source;
use super::tree::{self, Node, Value};
use super::version::{self, CURRENT};
use super::yaml::{self, Line};
use super::{resolve, v1alpha1};

/// A file in the current version.
#[derive(Debug)]
pub enum Migration {
    /// It was already.
    Current,
    /// Its lines moved; comments and order are kept.
    Moved(String),
    /// Written anew: comments are lost.
    Anew(String),
}

/// # Errors
/// When the file is of an unknown version, or has problems in its own.
pub fn migrate(source: &Source) -> Result<Migration, Problems> {
    let root = tree::parse(&source.text).map_err(|problem| Problems::new(&source.file, vec![problem]))?;
    match version::said(&root) {
        None => return Err(unknown(&root, source)),
        Some(version) if version.is_current() => return Ok(Migration::Current),
        Some(_) => {}
    }
    let old = resolve(source, &Overrides::default())?;
    if let Some(text) = moved(&source.text, &root) {
        let moved = Source { file: source.file.clone(), text };
        if resolve(&moved, &Overrides::default()).is_ok_and(|new| new.lab == old.lab) {
            return Ok(Migration::Moved(moved.text));
        }
    }
    let written = old.fields.iter().filter(|field| field.place.is_some() && field.path.contains('.'));
    let lines = written.map(|field| Line { path: &field.path, value: &field.value, comment: None });
    Ok(Migration::Anew(yaml::document(lines)))
}

fn unknown(root: &Node, source: &Source) -> Problems {
    let path = "apiVersion".to_owned();
    let wrong = find(root, "apiVersion").and_then(|(_, value)| {
        let complaint = version::rule().read(&value.value).err()?;
        Some((Place::At(value.position), complaint))
    });
    let (place, complaint) = wrong.unwrap_or((Place::File, Complaint::new("is missing")));
    Problems::new(&source.file, vec![Problem { path, place, complaint }])
}

/// The text with its lines moved; none where that would be guesswork.
fn moved(text: &str, root: &Node) -> Option<String> {
    let (mark, text) = text.strip_prefix('\u{feff}').map_or(("", text), |rest| ("\u{feff}", rest));
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let (_, version) = find(root, "apiVersion")?;
    let mut renamed = vec![(version.position, v1alpha1::NAME, CURRENT.name)];
    let registry = find(root, "spec.registry");
    renamed.extend(registry.map(|(key, _)| (key.position, "registry", "ports")));
    renamed.extend(find(root, "spec.registry.port").map(|(key, _)| (key.position, "port", "registry")));
    let api = find(root, "spec.cluster.apiPort");
    renamed.extend(api.map(|(key, _)| (key.position, "apiPort", "api")));
    // From the end, because each one may shift what stands behind it.
    renamed.sort_by_key(|(position, ..)| std::cmp::Reverse(*position));
    for (position, from, to) in renamed {
        rename(&mut lines, position, from, to)?;
    }
    if let Some((key, value)) = api {
        let (place, indent, head) = match registry {
            Some((section, Node { value: Value::Map(entries), .. })) => {
                (section, column(block(section, entries)?), None)
            }
            Some(_) => return None,
            None => {
                let (spec, Node { value: Value::Map(entries), .. }) = find(root, "spec")? else { return None };
                let indent = column(block(spec, entries)?);
                (spec, indent + 2, Some(format!("{:indent$}ports:", "")))
            }
        };
        let port = take(&mut lines, key, value, indent)?;
        let after = place.position.line;
        let after = if after > key.position.line { after - port.len() } else { after };
        let end = if lines.iter().any(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push_str(end);
        }
        let new = head.into_iter().chain(port).map(|line| line.trim_end().to_owned() + end);
        lines.splice(after..after, new);
    }
    Some(mark.to_owned() + &lines.concat())
}

/// Takes a field out that stands alone on its line, with the comments right above it, and indents it anew.
fn take(lines: &mut Vec<String>, key: &Node, value: &Node, indent: usize) -> Option<Vec<String>> {
    let index = key.position.line - 1;
    let is_comment = |line: &String| line.trim_start().starts_with('#') && width(line) == column(key);
    let start = index - lines[..index].iter().rev().take_while(|line| is_comment(line)).count();
    let field = lines[index].split('#').next()?;
    let alone = width(&lines[index]) == column(key)
        && value.position.line == key.position.line
        && !field.contains([',', '{', '}']);
    let taken = alone.then(|| lines.drain(start..=index))?;
    Some(taken.map(|line| format!("{:indent$}{}", "", line.trim_start())).collect())
}

/// The first key of a section in block style: below the section's own line.
fn block<'a>(section: &Node, entries: &'a [(Node, Node)]) -> Option<&'a Node> {
    let (first, _) = entries.first()?;
    (first.position.line > section.position.line).then_some(first)
}

fn rename(lines: &mut [String], position: Position, from: &str, to: &str) -> Option<()> {
    let line = lines.get_mut(position.line - 1)?;
    let start = line.char_indices().nth(position.column - 1)?.0;
    let start = start + line[start..].find(from).filter(|quote| *quote <= 1)?;
    line.replace_range(start..start + from.len(), to);
    Some(())
}

/// Key and value of a field or section.
fn find<'a>(root: &'a Node, path: &str) -> Option<(&'a Node, &'a Node)> {
    let (parent, key) = match path.rsplit_once('.') {
        Some((parent, key)) => (find(root, parent)?.1, key),
        None => (root, path),
    };
    let Value::Map(entries) = &parent.value else { return None };
    let value = entry(entries, key)?;
    let (key, _) = entries.iter().find(|(_, other)| std::ptr::eq(other, value))?;
    Some((key, value))
}

fn column(node: &Node) -> usize {
    node.position.column - 1
}

/// How far a line is indented.
fn width(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
