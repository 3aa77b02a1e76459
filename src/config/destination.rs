//! Where pods may connect to outside the cluster: `140.82.112.0/20:443, 172.29.0.1/32:8080`.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::problem::Complaint;
use super::rules::Rule;
use super::subnet::Subnet;
use super::tree::Value;

/// A range of addresses and a TCP port. Names have no place in a network policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    pub range: Subnet,
    pub port: u16,
}

/// Several, in the order in which they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations(pub Vec<Destination>);

/// Destinations with commas between, or nothing.
pub fn destinations() -> Rule<Destinations> {
    let one = r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}:[0-9]{1,5}";
    let schema = json!({ "type": "string", "pattern": format!("^({one}( *, *{one})*)?$") });
    Rule::new("ranges with ports, such as 140.82.112.0/20:443, 172.29.0.1/32:8080", schema, |value| {
        let text = value.text()?;
        if text.is_empty() {
            return Ok(Some(Destinations::default()));
        }
        let destinations: Result<Vec<Destination>, Complaint> =
            text.split(',').map(|part| part.trim_matches(' ').parse()).collect();
        Ok(Some(Destinations(destinations?)))
    })
}

impl FromStr for Destination {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let value = || Value::Text(text.to_owned());
        let Some((range, port)) = text.rsplit_once(':') else {
            let complaint = value().must_be("a range and a port such as 140.82.112.0/20:443");
            return Err(complaint.hint("a network policy knows addresses, not names"));
        };
        let number = port.parse().ok().filter(|number: &u16| *number != 0 && number.to_string() == port);
        let port = number.ok_or_else(|| value().must_be("a range and a port from 1 to 65535"))?;
        if let Ok(address) = range.parse::<Ipv4Addr>() {
            let complaint = value().must_be("a range and a port");
            return Err(complaint.hint(format!("write {address}/32:{port} for this one address")));
        }
        if !range.contains('/') {
            let complaint = value().must_be("a range and a port");
            return Err(complaint.hint("a network policy knows addresses, not names"));
        }
        Ok(Self { range: range.parse()?, port })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.range, self.port)
    }
}

impl Serialize for Destinations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        serializer.serialize_str(&texts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, destinations};

    #[test]
    fn reads_ranges_with_ports() {
        let read = |text: &str| destinations().read(&Value::Text(text.to_owned()));
        for text in ["", "0.0.0.0/0:443", "140.82.112.0/20:443, 172.29.0.1/32:8080"] {
            assert_eq!(serde_json::to_value(read(text).unwrap()).unwrap(), text);
        }
        for (text, expected) in [
            ("github.com:443", "addresses, not names"),
            ("github.com", "addresses, not names"),
            ("10.0.0.1:443", "10.0.0.1/32:443"),
            ("10.0.0.1/8:443", "10.0.0.0/8"),
            ("10.0.0.0/8:0", "from 1 to 65535"),
            ("10.0.0.0/8:0443", "from 1 to 65535"),
            ("10.0.0.0/8:443,", "a range and a port"),
        ] {
            let complaint = read(text).unwrap_err();
            let said = format!("{} {}", complaint.message, complaint.hint.unwrap_or_default());
            assert!(said.contains(expected), "{text}: {said}");
        }
    }
}
