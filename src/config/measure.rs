//! Amounts with a unit: Kubernetes quantities, JVM memory sizes, durations.
//!
//! Each rule takes its bounds in the notation of the field, so that the
//! message shows them the way they have to be written.

use super::problem::Complaint;
use super::tree::Value;

const KIBI: u64 = 1024;
const MEBI: u64 = KIBI * 1024;
const GIBI: u64 = MEBI * 1024;
const TEBI: u64 = GIBI * 1024;

/// A Kubernetes quantity, kept as written; a bare number needs no quotes.
pub fn quantity(least: &'static str, most: &'static str) -> impl Fn(&Value) -> Result<String, Complaint> {
    move |value| {
        let text = match value {
            Value::Number(text) | Value::Text(text) => Some(text),
            _ => None,
        };
        // None, which is no quantity, is less than any bound.
        text.filter(|text| (milli(least)..=milli(most)).contains(&milli(text)))
            .cloned()
            .ok_or_else(|| value.must_be(format!("a Kubernetes quantity from {least} to {most}")))
    }
}

/// A memory size as the JVM and Spark take it, kept as written.
pub fn jvm_memory(least: &'static str, most: &'static str) -> impl Fn(&Value) -> Result<String, Complaint> {
    move |value| match value {
        Value::Text(text) if (jvm_bytes(least)..=jvm_bytes(most)).contains(&jvm_bytes(text)) => Ok(text.clone()),
        _ => Err(value.must_be(format!("a JVM memory size from {least} to {most}, such as 512m or 1g"))),
    }
}

/// A duration, in seconds.
pub fn duration(least: &'static str, most: &'static str) -> impl Fn(&Value) -> Result<u32, Complaint> {
    move |value| {
        let length = match value {
            Value::Text(text) => seconds(text),
            _ => None,
        };
        length
            .filter(|_| (seconds(least)..=seconds(most)).contains(&length))
            .and_then(|length| u32::try_from(length).ok())
            .ok_or_else(|| value.must_be(format!("a duration from {least} to {most}, such as 90s, 10m, 1h or 2d")))
    }
}

/// A quantity in thousandths; finer ones are refused, as Kubernetes would round them up.
fn milli(text: &str) -> Option<u64> {
    let units = [
        ("m", 1),
        ("", 1000),
        ("k", 1000_u64.pow(2)),
        ("M", 1000_u64.pow(3)),
        ("G", 1000_u64.pow(4)),
        ("T", 1000_u64.pow(5)),
        ("Ki", 1000 * KIBI),
        ("Mi", 1000 * MEBI),
        ("Gi", 1000 * GIBI),
        ("Ti", 1000 * TEBI),
    ];
    let (number, unit) = split(text, |character| character.is_ascii_digit() || character == '.');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let one = unit_of(&units, unit)?;
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = fraction.parse::<u64>().ok()?.checked_mul(one)?;
    let rest = parts.is_multiple_of(scale).then_some(parts / scale)?;
    whole.parse::<u64>().ok()?.checked_mul(one)?.checked_add(rest)
}

fn jvm_bytes(text: &str) -> Option<u64> {
    times(text, &[("k", KIBI), ("m", MEBI), ("g", GIBI)])
}

fn seconds(text: &str) -> Option<u64> {
    times(text, &[("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)])
}

fn times(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = split(text, |character| character.is_ascii_digit());
    number.parse::<u64>().ok()?.checked_mul(unit_of(units, unit)?)
}

fn split(text: &str, of_number: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|character| !of_number(character)).unwrap_or(text.len()))
}

fn unit_of(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, one)| *one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        let cases = [
            ("100m", Some(100)),
            ("1", Some(1_000)),
            ("0.5", Some(500)),
            ("1.5k", Some(1_500_000)),
            ("2M", Some(2_000_000_000)),
            ("2G", Some(2_000_000_000_000)),
            ("2T", Some(2_000_000_000_000_000)),
            ("2Ki", Some(2_048_000)),
            ("2Mi", Some(2_097_152_000)),
            ("2Gi", Some(2_147_483_648_000)),
            ("2Ti", Some(2_199_023_255_552_000)),
            ("0.0005", None),
            ("", None),
            ("m", None),
            (".5", None),
            ("1.", None),
            ("1.2.3", None),
            ("-1", None),
            ("1 Gi", None),
            ("1gi", None),
            ("99999999999999999999", None),
            ("99999999999Ti", None),
            ("0.00000000000000000000001", None),
        ];
        for (text, expected) in cases {
            assert_eq!(milli(text), expected, "{text:?}");
        }
    }

    #[test]
    fn jvm_sizes_have_one_small_letter() {
        let right = [("512m", Some(536_870_912)), ("1g", Some(1_073_741_824)), ("3k", Some(3072))];
        let wrong = [("1G", None), ("512Mi", None), ("0.5g", None), ("512", None), ("m", None), ("", None)];
        let cases = right.into_iter().chain(wrong);
        for (text, expected) in cases {
            assert_eq!(jvm_bytes(text), expected, "{text:?}");
        }
    }

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
