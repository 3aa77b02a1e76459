//! Amounts as Kubernetes writes them: `100m` is a tenth, `512Mi` are mebibytes.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::measure::{split, unit_of};
use super::problem::Complaint;
use super::rules::Rule;
use super::tree::Value;

const KIBI: u64 = 1024;
const MEBI: u64 = KIBI * 1024;
const GIBI: u64 = MEBI * 1024;
const TEBI: u64 = GIBI * 1024;

/// Each unit in thousandths.
const UNITS: [(&str, u64); 10] = [
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

/// A Kubernetes quantity, kept as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quantity {
    text: String,
    milli: u64,
}

impl Quantity {
    /// In thousandths: of a core, where it is one of CPU.
    pub fn milli(&self) -> u64 {
        self.milli
    }

    /// In bytes, where it is one of memory or storage; what is less than a byte counts as one.
    pub fn bytes(&self) -> u64 {
        self.milli.div_ceil(1000)
    }
}

impl FromStr for Quantity {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let milli = milli(text).ok_or_else(|| Complaint::new(format!("{text:?} is no Kubernetes quantity")))?;
        Ok(Self { text: text.to_owned(), milli })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An amount of CPU; a bare number needs no quotes.
pub fn cores(least: &'static str, most: &'static str) -> Rule<Quantity> {
    quantity(least, most, "(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
}

/// An amount of storage; thousandths of a byte are a slip.
pub fn bytes(least: &'static str, most: &'static str) -> Rule<Quantity> {
    quantity(least, most, "(k|M|G|T|Ki|Mi|Gi|Ti)?").hint(|value| {
        let Value::Text(text) = value else { return None };
        let number = text.strip_suffix('m').filter(|_| milli(text).is_some())?;
        let thousandths = milli(text)?;
        let (whole, rest) = (thousandths / 1000, thousandths % 1000);
        Some(format!("{text} is {whole}.{rest:03} bytes: write {number}Mi"))
    })
}

/// The bounds are in the notation of the field, so that messages show them the way they have to be written.
fn quantity(least: &'static str, most: &'static str, units: &str) -> Rule<Quantity> {
    let schema = json!({
        "type": ["string", "number"],
        "pattern": format!("^[0-9]+(\\.[0-9]+)?{units}$"),
        "minimum": bound(least),
        "maximum": bound(most),
    });
    Rule::new(format!("a Kubernetes quantity from {least} to {most}"), schema, move |value| {
        let quantity: Option<Quantity> = match value {
            Value::Number(text) | Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        Ok(quantity.filter(|quantity| (milli(least)..=milli(most)).contains(&Some(quantity.milli))))
    })
}

/// A bound for those who write a bare number.
fn bound(text: &str) -> Json {
    match milli(text) {
        Some(milli) if milli.is_multiple_of(1000) => json!(milli / 1000),
        Some(milli) => u32::try_from(milli).map_or(Json::Null, |milli| json!(f64::from(milli) / 1000.0)),
        None => Json::Null,
    }
}

/// A quantity in thousandths; finer ones are refused, as Kubernetes would round them up.
fn milli(text: &str) -> Option<u64> {
    let (number, unit) = split(text, |character| character.is_ascii_digit() || character == '.');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let one = unit_of(&UNITS, unit)?;
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let parts = fraction.parse::<u64>().ok()?.checked_mul(one)?;
    let rest = parts.is_multiple_of(scale).then_some(parts / scale)?;
    whole.parse::<u64>().ok()?.checked_mul(one)?.checked_add(rest)
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
    fn bytes_are_whole() {
        let bytes = |text: &str| text.parse::<Quantity>().unwrap().bytes();
        assert_eq!([bytes("512Mi"), bytes("512m"), bytes("1500m"), bytes("2k")], [512 * MEBI, 1, 2, 2000]);
    }

    #[test]
    fn storage_in_thousandths_of_a_byte_is_a_slip() {
        let complaint = |text: &str| bytes("100Mi", "1Ti").read(&Value::Text(text.to_owned())).unwrap_err();
        assert_eq!(complaint("512m").hint.unwrap(), "512m is 0.512 bytes: write 512Mi");
        assert_eq!(complaint("1500m").hint.unwrap(), "1500m is 1.500 bytes: write 1500Mi");
        assert_eq!([complaint("m").hint, complaint("512k").hint, complaint("x m").hint], [None, None, None]);
    }
}
