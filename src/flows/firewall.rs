//! What a node's firewall does with packets, from its rules as `iptables-restore` reads them. What is not known here is
//! an error, not overlooked.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Error, Result, bail, ensure};

use super::table::{Mark, Protocol, Table};
use crate::config::Subnet;

/// Rules in their order, of all chains.
#[derive(Debug, Clone)]
pub struct Firewall {
    pub rules: Vec<Rule>,
}

/// What is not said matches everything.
#[derive(Debug, Clone)]
pub struct Rule {
    pub chain: String,
    /// A `+` at its end stands for any that begin so.
    pub interface: Option<String>,
    pub source: Option<Source>,
    /// `tcp`, `udp` or `icmp`.
    pub protocol: Option<String>,
    pub port: Option<u16>,
    /// Only what belongs to a connection that stands.
    pub established: bool,
    pub target: Target,
}

#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// All but the range.
    pub not: bool,
    pub range: Subnet,
}

#[derive(Debug, Clone)]
pub enum Target {
    Accept,
    Drop,
    Chain(String),
}

/// A packet to the node itself.
#[derive(Debug, Clone, Copy)]
struct Packet {
    interface: &'static str,
    source: Ipv4Addr,
    protocol: &'static str,
    port: u16,
    established: bool,
}

/// Where a source may stand.
pub type Sources = Vec<(&'static str, Vec<Ipv4Addr>)>;

impl Firewall {
    /// # Errors
    /// The first line that is not known.
    pub fn read(text: &str) -> Result<Self> {
        let mut rules = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                [] | ["*mangle" | "COMMIT"] | ["-F", "INPUT"] => {}
                [first, ..] if first.starts_with(['#', ':']) => {}
                ["-A", chain, ref options @ ..] => {
                    rules.push(Rule::read(chain, options).with_context(|| format!("line {number}, {line}"))?);
                }
                _ => bail!("line {number}, {line}: not known"),
            }
        }
        Ok(Self { rules })
    }

    /// What the firewall of a node of this role does otherwise than the table says, and otherwise than every firewall
    /// is to do: replies and ICMP come in from everywhere, and so does what comes by another way than Docker's network.
    pub fn wrong(&self, table: &Table, role: &str, sources: &Sources) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |packet: Packet, passes: bool, what: &str| {
            if self.accepts(&packet) != passes {
                let meant = if passes { "accepted" } else { "dropped" };
                wrong.push(format!("{what} from {}: meant to be {meant}", packet.source));
            }
        };
        for (name, addresses) in sources {
            for source in addresses {
                let new =
                    |protocol, port| Packet { interface: "eth0", source: *source, protocol, port, established: false };
                for cell in table.cells.iter().filter(|cell| cell.target == role && cell.source == *name) {
                    let protocol = match cell.port.protocol {
                        Protocol::Tcp => "tcp",
                        Protocol::Udp => "udp",
                    };
                    expect(new(protocol, cell.port.number), cell.mark == Mark::Allowed, &cell.to_string());
                }
                for protocol in ["tcp", "udp"] {
                    let reply = Packet { established: true, ..new(protocol, 40_000) };
                    expect(reply, true, "a reply");
                    expect(Packet { interface: "kube-bridge", ..new(protocol, 9) }, true, "by another interface");
                }
                expect(new("icmp", 0), true, "ICMP");
            }
        }
        wrong
    }

    fn accepts(&self, packet: &Packet) -> bool {
        self.verdict("INPUT", packet).unwrap_or(true)
    }

    /// None where no rule of the chain decides.
    fn verdict(&self, chain: &str, packet: &Packet) -> Option<bool> {
        let mut matching = self.rules.iter().filter(|rule| rule.chain == chain && rule.matches(packet));
        matching.find_map(|rule| match &rule.target {
            Target::Accept => Some(true),
            Target::Drop => Some(false),
            Target::Chain(chain) => self.verdict(chain, packet),
        })
    }
}

impl Rule {
    fn read(chain: &str, options: &[&str]) -> Result<Self> {
        let (mut interface, mut source, mut protocol, mut port) = (None, None, None, None);
        let (mut established, mut target) = (false, None);
        let mut words = options.iter().copied();
        while let Some(word) = words.next() {
            let not = word == "!";
            let option = if not { words.next().unwrap_or_default() } else { word };
            let value = words.next().with_context(|| format!("{option} has no value"))?;
            match (option, not) {
                ("-i", false) => interface = Some(value.to_owned()),
                ("-s", _) => {
                    let range = value.parse().map_err(|_| Error::msg(format!("{value} is no IPv4 range")))?;
                    source = Some(Source { not, range });
                }
                ("-p", false) => {
                    ensure!(["tcp", "udp", "icmp"].contains(&value), "protocol {value} is not known");
                    protocol = Some(value.to_owned());
                }
                ("--dport", false) => port = Some(value.parse().with_context(|| format!("port {value}"))?),
                ("--ctstate", false) if value == "RELATED,ESTABLISHED" => established = true,
                // Their options say what they do.
                ("-m", false) if ["conntrack", "tcp", "udp"].contains(&value) => {}
                ("-j", false) => {
                    target = Some(match value {
                        "ACCEPT" => Target::Accept,
                        "DROP" => Target::Drop,
                        chain => Target::Chain(chain.to_owned()),
                    });
                }
                _ => bail!("{option} {value} is not known"),
            }
        }
        let target = target.context("it does nothing")?;
        Ok(Self { chain: chain.to_owned(), interface, source, protocol, port, established, target })
    }

    fn matches(&self, packet: &Packet) -> bool {
        let by = |interface: &String| match interface.strip_suffix('+') {
            Some(begin) => packet.interface.starts_with(begin),
            None => packet.interface == interface,
        };
        self.interface.as_ref().is_none_or(by)
            && self.source.is_none_or(|source| source.range.contains(packet.source) != source.not)
            && self.protocol.as_ref().is_none_or(|protocol| protocol == packet.protocol)
            && self.port.is_none_or(|port| port == packet.port)
            && (!self.established || packet.established)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Packet =
        Packet { interface: "eth0", source: Ipv4Addr::new(10, 0, 0, 1), protocol: "tcp", port: 80, established: false };

    fn accepts(rules: &str, packet: Packet) -> bool {
        Firewall::read(rules).unwrap().accepts(&packet)
    }

    #[test]
    fn the_first_rule_that_decides_decides() {
        assert!(accepts("", NEW));
        assert!(!accepts("-A INPUT -j DROP", NEW));
        assert!(accepts("-A INPUT -j C\n-A C -j ACCEPT\n-A INPUT -j DROP", NEW));
        // A chain that decides nothing goes back.
        assert!(!accepts("-A INPUT -j C\n-A C -p udp -j ACCEPT\n-A INPUT -j DROP", NEW));
        assert!(accepts("-A C -j DROP", NEW), "nothing leads there");
    }

    #[test]
    fn a_rule_matches_what_it_says() {
        let drops = |options: &str, packet| !accepts(&format!("-A INPUT {options} -j DROP"), packet);
        for (options, expected) in [
            ("-i eth0", true),
            ("-i eth+", true),
            ("-i eth1", false),
            ("-i veth+", false),
            ("-s 10.0.0.1/32", true),
            ("-s 10.0.0.2/32", false),
            ("! -s 10.0.0.2/32", true),
            ("! -s 10.0.0.0/8", false),
            ("-p tcp -m tcp --dport 80", true),
            ("-p tcp -m tcp --dport 81", false),
            ("-p udp -m udp --dport 80", false),
            ("-m conntrack --ctstate RELATED,ESTABLISHED", false),
        ] {
            assert_eq!(drops(options, NEW), expected, "{options}");
        }
        let reply = Packet { established: true, ..NEW };
        assert!(drops("-m conntrack --ctstate RELATED,ESTABLISHED", reply));
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for (line, expected) in [
            ("-I INPUT -j DROP", "line 1, -I INPUT -j DROP: not known"),
            ("-A INPUT -d 10.0.0.1/32 -j DROP", "-d 10.0.0.1/32 is not known"),
            ("-A INPUT ! -p tcp -j DROP", "-p tcp is not known"),
            ("-A INPUT -p gre -j DROP", "protocol gre is not known"),
            ("-A INPUT -s here -j DROP", "here is no IPv4 range"),
            ("-A INPUT -m state --state NEW -j DROP", "-m state is not known"),
            ("-A INPUT -m conntrack --ctstate NEW -j DROP", "--ctstate NEW is not known"),
            ("-A INPUT -s 10.0.0.1/32", "it does nothing"),
            ("-A INPUT -j", "-j has no value"),
        ] {
            let error = format!("{:#}", Firewall::read(line).unwrap_err());
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
