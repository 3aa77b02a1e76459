//! What a single value may be: numbers, switches and choices.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::problem::Complaint;
use super::tree::Value;

/// A whole number in plain decimal digits.
///
/// Other notations are refused: `010` is eight to one reader and ten to the next.
pub fn number<T>(range: RangeInclusive<T>) -> impl Fn(&Value) -> Result<T, Complaint>
where
    T: FromStr + PartialOrd + Display + Copy,
{
    move |value| {
        decimal(value).filter(|number| range.contains(number)).ok_or_else(|| {
            let complaint = value.must_be(format!("a whole number from {} to {}", range.start(), range.end()));
            unquoted(value, complaint)
        })
    }
}

/// One of a few numbers.
pub fn number_of(choices: [u8; 3]) -> impl Fn(&Value) -> Result<u8, Complaint> {
    move |value| {
        decimal(value).filter(|number| choices.contains(number)).ok_or_else(|| {
            let [first, second, third] = choices;
            unquoted(value, value.must_be(format!("{first}, {second} or {third}")))
        })
    }
}

pub fn switch(value: &Value) -> Result<bool, Complaint> {
    match value {
        Value::Bool(value) => Ok(*value),
        _ => Err(value.must_be("true or false")),
    }
}

/// The path of a file, or nothing.
pub fn path(value: &Value) -> Result<String, Complaint> {
    let path = value.text()?;
    if path.contains(char::is_control) {
        return Err(value.must_be("the path of a file"));
    }
    Ok(path.to_owned())
}

/// One of a few words, each of which stands for something.
pub fn one_of<T: Copy>(choices: &[(&str, T)]) -> impl Fn(&Value) -> Result<T, Complaint> {
    move |value| {
        let choice = choices.iter().find(|(word, _)| matches!(value, Value::Text(text) if text == word));
        choice.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            value.must_be(words.join(" or "))
        })
    }
}

fn decimal<T: FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Number(text) if text.starts_with('0') && text != "0" => None,
        Value::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

fn unquoted(value: &Value, complaint: Complaint) -> Complaint {
    match value {
        Value::Text(text) if text.parse::<i128>().is_ok() => complaint.hint("remove the quotes"),
        _ => complaint,
    }
}
