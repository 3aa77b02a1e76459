//! Fields → the text of a file in the current version.

use serde_json::Value as Json;

use super::tree::{Value, plain};
use super::version::CURRENT;

/// A field, with what stands behind it as a comment.
pub struct Line<'a> {
    pub path: &'a str,
    pub value: &'a Json,
    pub comment: Option<String>,
}

/// A whole document; the fields of a section must follow each other.
pub fn document<'a>(fields: impl IntoIterator<Item = Line<'a>>) -> String {
    let mut lines = vec![(format!("apiVersion: {}", CURRENT.name), None), ("kind: Lab".to_owned(), None)];
    let mut open: Vec<&str> = Vec::new();
    for Line { path, value, comment } in fields {
        let mut sections: Vec<&str> = path.split('.').collect();
        let key = sections.pop().unwrap_or_default();
        let same = open.iter().zip(&sections).take_while(|(one, other)| one == other).count();
        for (depth, section) in sections.iter().enumerate().skip(same) {
            lines.push((format!("{:1$}{section}:", "", depth * 2), None));
        }
        lines.push((format!("{:2$}{key}: {}", "", value_of(value), sections.len() * 2), comment));
        open = sections;
    }
    let width = lines.iter().filter(|(_, comment)| comment.is_some()).map(|(line, _)| line.len()).max();
    let mut text = String::new();
    for (line, comment) in lines {
        text.push_str(&match comment {
            Some(comment) => format!("{line:0$}  # {comment}\n", width.unwrap_or_default()),
            None => format!("{line}\n"),
        });
    }
    text
}

/// On one line, without quotes where it is safe.
fn value_of(value: &Json) -> String {
    let safe = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.chars().all(|character| character.is_ascii_alphanumeric() || "-./".contains(character))
            && matches!(plain(text), Value::Text(_))
    };
    match value {
        Json::String(text) if safe(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(value_of).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let entry =
                |(key, value): (&String, &Json)| format!("{}: {}", value_of(&key.as_str().into()), value_of(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}
