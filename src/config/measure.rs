//! Whole numbers with a unit, and durations.

use serde_json::json;

use super::rules::Rule;
use super::tree::Value;

/// A duration, in seconds; the bounds are in the notation of the field.
pub fn duration(least: &'static str, most: &'static str) -> Rule<u32> {
    let expected = format!("a duration from {least} to {most}, such as 90s, 10m, 1h or 2d");
    Rule::new(expected, json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }), move |value| {
        let length = match value {
            Value::Text(text) => seconds(text),
            _ => None,
        };
        let length = length.filter(|_| (seconds(least)..=seconds(most)).contains(&length));
        Ok(length.and_then(|length| u32::try_from(length).ok()))
    })
}

fn seconds(text: &str) -> Option<u64> {
    whole(text, &[("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)])
}

/// A whole number of a unit.
pub fn whole(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = split(text, |character| character.is_ascii_digit());
    number.parse::<u64>().ok()?.checked_mul(unit_of(units, unit)?)
}

/// Number and unit.
pub fn split(text: &str, of_number: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|character| !of_number(character)).unwrap_or(text.len()))
}

pub fn unit_of(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, one)| *one)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_have_one_unit() {
        let cases = [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("1h", Some(3600)),
            ("2d", Some(172_800)),
            ("1h30m", None),
            ("60", None),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }
}
