//! What a single value may be, said twice: to a reader of values and as JSON Schema.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Value as Json, json};

use super::problem::Complaint;
use super::tree::{self, Value};

/// How a value becomes what the program works with.
pub struct Rule<T> {
    /// What a value must be, in words.
    pub expected: String,
    /// The same, as far as JSON Schema can say it.
    pub schema: Json,
    read: Reader<T>,
    hint: fn(&Value) -> Option<String>,
}

/// None is a value that is not as expected; a complaint says more than that.
type Reader<T> = Box<dyn Fn(&Value) -> Result<Option<T>, Complaint>>;

impl<T> Rule<T> {
    pub fn new(
        expected: impl Into<String>,
        schema: Json,
        read: impl Fn(&Value) -> Result<Option<T>, Complaint> + 'static,
    ) -> Self {
        Self { expected: expected.into(), schema, read: Box::new(read), hint: |_| None }
    }

    /// What to write instead of a value that is not as expected.
    pub fn hint(self, hint: fn(&Value) -> Option<String>) -> Self {
        Self { hint, ..self }
    }

    pub fn read(&self, value: &Value) -> Result<T, Complaint> {
        (self.read)(value)?.ok_or_else(|| {
            let complaint = value.must_be(&self.expected);
            match (self.hint)(value) {
                Some(hint) => complaint.hint(hint),
                None => complaint,
            }
        })
    }

    /// The value that a word from outside of a file stands for: what is text needs no quotes there, and a list or
    /// mapping stands on one line, as in `{anna: edit}`.
    pub fn value(&self, word: &str) -> Value {
        match self.schema["type"].as_str() {
            Some("string") => Value::Text(word.to_owned()),
            Some("array" | "object") => tree::parse(word).map_or_else(|_| tree::plain(word), |node| node.value),
            _ => tree::plain(word),
        }
    }
}

/// A whole number in plain decimal digits.
///
/// Other notations are refused: `010` is eight to one reader and ten to the next.
pub fn number<T>(range: RangeInclusive<T>) -> Rule<T>
where
    T: FromStr + PartialOrd + Display + Copy + Into<u64> + 'static,
{
    let (least, most) = (*range.start(), *range.end());
    let schema = json!({ "type": "integer", "minimum": least.into(), "maximum": most.into() });
    let read = move |value: &Value| Ok(decimal(value).filter(|number| range.contains(number)));
    Rule::new(format!("a whole number from {least} to {most}"), schema, read).hint(unquoted)
}

/// One of a few numbers.
pub fn number_of(choices: [u8; 3]) -> Rule<u8> {
    let [first, second, third] = choices;
    let read = move |value: &Value| Ok(decimal(value).filter(|number| choices.contains(number)));
    let schema = json!({ "type": "integer", "enum": choices });
    Rule::new(format!("{first}, {second} or {third}"), schema, read).hint(unquoted)
}

pub fn switch() -> Rule<bool> {
    Rule::new("true or false", json!({ "type": "boolean" }), |value| match value {
        Value::Bool(value) => Ok(Some(*value)),
        _ => Ok(None),
    })
}

/// The path of a file, or nothing.
pub fn path() -> Rule<String> {
    let schema = json!({ "type": "string", "pattern": r"^[^\x00-\x1f\x7f]*$" });
    Rule::new("the path of a file", schema, |value| {
        let path = value.text()?;
        Ok((!path.contains(char::is_control)).then(|| path.to_owned()))
    })
}

/// One of a few words, each of which stands for something.
pub fn one_of<T: Copy + 'static>(choices: &'static [(&'static str, T)]) -> Rule<T> {
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    Rule::new(words.join(" or "), json!({ "type": "string", "enum": words }), |value| {
        let choice = choices.iter().find(|(word, _)| matches!(value, Value::Text(text) if text == word));
        Ok(choice.map(|(_, meaning)| *meaning))
    })
}

fn decimal<T: FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Number(text) if text.starts_with('0') && text != "0" => None,
        Value::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

fn unquoted(value: &Value) -> Option<String> {
    matches!(value, Value::Text(text) if text.parse::<i128>().is_ok()).then(|| "remove the quotes".to_owned())
}
