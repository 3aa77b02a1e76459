//! Memory sizes as the JVM and Spark write them: `512m` are mebibytes, which Kubernetes writes `512Mi`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::measure::whole;
use super::problem::Complaint;
use super::rules::Rule;
use super::tree::Value;

const UNITS: [(&str, u64); 3] = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];

/// A memory size of the JVM, kept as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JvmSize {
    text: String,
    bytes: u64,
}

impl JvmSize {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl FromStr for JvmSize {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let bytes = whole(text, &UNITS).ok_or_else(|| Complaint::new(format!("{text:?} is no JVM memory size")))?;
        Ok(Self { text: text.to_owned(), bytes })
    }
}

impl fmt::Display for JvmSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for JvmSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A size between two others, all in the same notation.
pub fn jvm_size(least: &'static str, most: &'static str) -> Rule<JvmSize> {
    let expected = format!("a JVM memory size from {least} to {most}, such as 512m or 1g");
    let rule = Rule::new(expected, json!({ "type": "string", "pattern": "^[0-9]+[kmg]$" }), move |value| {
        let size: Option<JvmSize> = match value {
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        Ok(size.filter(|size| (whole(least, &UNITS)..=whole(most, &UNITS)).contains(&Some(size.bytes))))
    });
    rule.hint(|value| {
        let Value::Text(text) = value else { return None };
        let meant = text.trim_end_matches('i').to_lowercase();
        (meant != *text && whole(&meant, &UNITS).is_some()).then(|| format!("write {meant}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_small_letter() {
        let right = [("512m", Some(536_870_912)), ("1g", Some(1_073_741_824)), ("3k", Some(3072))];
        let wrong = [("1G", None), ("512Mi", None), ("0.5g", None), ("512", None), ("m", None), ("", None)];
        for (text, expected) in right.into_iter().chain(wrong) {
            assert_eq!(text.parse::<JvmSize>().ok().map(|size| size.bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn the_notation_of_kubernetes_is_translated() {
        let hint = |text: &str| jvm_size("450m", "64g").read(&Value::Text(text.to_owned())).unwrap_err().hint;
        assert_eq!(hint("512Mi").as_deref(), Some("write 512m"));
        assert_eq!(hint("1G").as_deref(), Some("write 1g"));
        assert_eq!([hint("512"), hint("1m"), hint("plenty"), hint("1Ti")], [None, None, None, None]);
    }
}
