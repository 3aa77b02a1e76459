//! An IPv4 range such as `172.29.0.0/24`.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::problem::Complaint;
use super::rules::Rule;
use super::tree::Value;

const PRIVATE: [Subnet; 3] =
    [Subnet::new([10, 0, 0, 0], 8), Subnet::new([172, 16, 0, 0], 12), Subnet::new([192, 168, 0, 0], 16)];

/// A range of addresses; `address` is the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    pub address: Ipv4Addr,
    pub prefix: u8,
}

impl Subnet {
    pub const fn new([a, b, c, d]: [u8; 4], prefix: u8) -> Self {
        Self { address: Ipv4Addr::new(a, b, c, d), prefix }
    }

    pub fn contains(self, address: Ipv4Addr) -> bool {
        self.address == first_of(address, self.prefix)
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// How many addresses can be given out: all but the first and the last.
    pub fn hosts(self) -> u32 {
        u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0).saturating_sub(1)
    }

    /// The address number `index`, counted from one, if it can be given out.
    pub fn host(self, index: u32) -> Option<Ipv4Addr> {
        (1..=self.hosts()).contains(&index).then(|| Ipv4Addr::from(u32::from(self.address) + index))
    }

    /// The host's own address in the range: by Docker's custom the first that can be given out.
    pub fn gateway(self) -> Ipv4Addr {
        self.host(1).unwrap_or(self.address)
    }

    fn is_private(self) -> bool {
        PRIVATE.iter().any(|private| self.prefix >= private.prefix && private.contains(self.address))
    }
}

/// A private range of a size between two prefixes.
pub fn private(prefixes: RangeInclusive<u8>) -> Rule<Subnet> {
    let (largest, smallest) = (*prefixes.start(), *prefixes.end());
    let expected = format!("a private range from /{largest} to /{smallest}");
    Rule::new(expected, json!({ "type": "string", "pattern": pattern(&prefixes) }), move |value| {
        let subnet: Subnet = value.text()?.parse()?;
        if !subnet.is_private() {
            let [a, b, c] = PRIVATE;
            return Err(value.must_be(format!("a private range within {a}, {b} or {c}")));
        }
        if !prefixes.contains(&subnet.prefix) {
            return Err(value.must_be(format!("a range from /{largest} to /{smallest}")));
        }
        Ok(Some(subnet))
    })
}

/// The private ranges of these sizes; that the address is the first of its range is not for a pattern.
fn pattern(prefixes: &RangeInclusive<u8>) -> String {
    let [ten, hundred, two] = PRIVATE.map(|private| {
        let sizes = prefixes.clone().filter(|prefix| *prefix >= private.prefix).map(|prefix| prefix.to_string());
        sizes.collect::<Vec<_>>().join("|")
    });
    let octet = "\\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    format!(
        "^(10({octet}){{3}}/({ten})|172\\.(1[6-9]|2[0-9]|3[01])({octet}){{2}}/({hundred})|192\\.168({octet}){{2}}/({two}))$"
    )
}

impl FromStr for Subnet {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let value = || Value::Text(text.to_owned());
        let (address, prefix) = text
            .split_once('/')
            .and_then(|(address, prefix)| Some((address.parse().ok()?, prefix_length(prefix)?)))
            .ok_or_else(|| value().must_be("an IPv4 range such as 172.29.0.0/24"))?;
        let subnet = Self { address: first_of(address, prefix), prefix };
        if subnet.address != address {
            return Err(value().must_be("the first address of the range").hint(format!("write {subnet}")));
        }
        Ok(subnet)
    }
}

/// The range of nothing, in the place of one that cannot be used.
impl Default for Subnet {
    fn default() -> Self {
        Self::new([0, 0, 0, 0], 32)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for Subnet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Digits only: the number parser alone would take `+24` and `024`.
fn prefix_length(text: &str) -> Option<u8> {
    text.parse().ok().filter(|prefix: &u8| *prefix <= 32 && prefix.to_string() == text)
}

fn first_of(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
    Ipv4Addr::from(u32::from(address) & mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().expect(text)
    }

    #[test]
    fn reads_and_prints_ranges() {
        for text in ["172.29.0.0/24", "10.0.0.0/8", "0.0.0.0/0", "192.168.1.1/32"] {
            assert_eq!(subnet(text).to_string(), text);
        }
        let wrong =
            ["", "/", "172.29.0.0", "172.29.0.0/", "172.29.0.0/33", "172.29.0.0/+24", "172.29.0.0/024", "fd00::/64"];
        for text in wrong {
            assert!(text.parse::<Subnet>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_printed_the_same(address: u32, prefix in 0_u8..=32) {
            let text = format!("{}/{prefix}", first_of(address.into(), prefix));
            prop_assert_eq!(text.parse::<Subnet>().expect("a range").to_string(), text);
        }

        #[test]
        fn any_other_text_is_refused_and_not_more(text in "[0-9./+ a-f:]{0,20}|\\PC{0,20}") {
            if let Ok(range) = text.parse::<Subnet>() {
                prop_assert_eq!(range.to_string(), text);
            }
        }

        #[test]
        fn two_ranges_overlap_where_they_share_an_address(one: (u32, u8), other: (u32, u8), near: bool) {
            let range = |(address, prefix): (u32, u8)| {
                let prefix = prefix % 33;
                Subnet { address: first_of(address.into(), prefix), prefix }
            };
            let one = range(one);
            let other = if near { range((u32::from(one.address), other.1)) } else { range(other) };
            let last = |range: Subnet| u64::from(u32::from(range.address)) + (1_u64 << (32 - range.prefix)) - 1;
            let first = |range: Subnet| u64::from(u32::from(range.address));
            let share = first(one) <= last(other) && first(other) <= last(one);
            prop_assert_eq!((one.overlaps(other), other.overlaps(one)), (share, share));
        }

        #[test]
        fn an_address_that_is_given_out_lies_within(address: u32, prefix in 0_u8..=32, index: u32) {
            let range = Subnet { address: first_of(address.into(), prefix), prefix };
            if let Some(host) = range.host(index) {
                prop_assert!(range.contains(host) && host != range.address);
            }
        }
    }

    #[test]
    fn names_the_range_that_an_inner_address_belongs_to() {
        let complaint = "172.29.0.5/24".parse::<Subnet>().unwrap_err();
        assert_eq!(complaint.hint.as_deref(), Some("write 172.29.0.0/24"));
    }

    #[test]
    fn gives_out_addresses() {
        let small = subnet("10.1.2.0/28");
        assert_eq!(small.gateway(), Ipv4Addr::new(10, 1, 2, 1));
        assert_eq!(small.hosts(), 14);
        assert_eq!(small.host(14), Some(Ipv4Addr::new(10, 1, 2, 14)));
        assert_eq!(small.host(0), None);
        assert_eq!(small.host(15), None);
        assert_eq!(subnet("0.0.0.0/0").hosts(), u32::MAX - 1);
        assert_eq!(subnet("10.0.0.0/31").hosts(), 0);
        assert_eq!(subnet("10.0.0.0/32").hosts(), 0);
    }

    #[test]
    fn knows_what_lies_within() {
        let range = subnet("172.29.0.0/24");
        assert!(range.contains(Ipv4Addr::new(172, 29, 0, 255)));
        assert!(!range.contains(Ipv4Addr::new(172, 29, 1, 0)));
        assert!(range.overlaps(range));
        assert!(range.overlaps(subnet("172.16.0.0/12")));
        assert!(subnet("172.16.0.0/12").overlaps(range));
        assert!(!range.overlaps(subnet("172.29.1.0/24")));
    }

    #[test]
    fn only_whole_private_ranges_are_private() {
        for text in ["10.0.0.0/8", "172.31.255.0/24", "192.168.0.0/16"] {
            assert!(subnet(text).is_private(), "{text}");
        }
        for text in [
            "10.0.0.0/7",
            "192.168.0.0/13",
            "0.0.0.0/0",
            "172.0.0.0/8",
            "172.32.0.0/16",
            "192.169.0.0/16",
            "127.0.0.0/8",
            "100.64.0.0/10",
        ] {
            assert!(!subnet(text).is_private(), "{text}");
        }
    }
}
