//! The table by hand: text → cells.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Transport protocol, as Kubernetes writes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    #[default]
    #[serde(rename = "TCP")]
    Tcp,
    #[serde(rename = "UDP")]
    Udp,
}

/// Where a target may listen: `9000/TCP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    pub number: u16,
    pub protocol: Protocol,
}

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Allowed,
    /// By each side that is a pod of the lab.
    Refused,
    /// Neither side is a pod of the lab.
    Unruled,
}

/// One connection of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub source: String,
    pub target: String,
    pub port: Port,
    pub mark: Mark,
}

/// Every connection, with what is to become of it.
#[derive(Debug, Clone)]
pub struct Table {
    pub cells: Vec<Cell>,
}

impl Table {
    /// The table of the lab.
    ///
    /// # Errors
    /// When its text is malformed, which a test rules out.
    pub fn of_the_lab() -> Result<Self> {
        Self::parse(include_str!("table.txt")).context("src/flows/table.txt")
    }

    /// The table of the nodes: who may connect to what listens on the network of a node.
    ///
    /// # Errors
    /// As [`Self::of_the_lab`].
    pub fn of_the_nodes() -> Result<Self> {
        Self::parse(include_str!("nodes.txt")).context("src/flows/nodes.txt")
    }

    /// Reads a table: a head that names the sources, then a line for each target and port.
    ///
    /// # Errors
    /// The first line that is malformed, with its number.
    pub fn parse(text: &str) -> Result<Self> {
        let mut sources: Vec<&str> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut cells = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            let row = || format!("line {}", index + 1);
            match words.as_slice() {
                [] => {}
                ["to", "port", names @ ..] if sources.is_empty() => {
                    sources = head(names).with_context(row)?;
                }
                _ if sources.is_empty() => bail!("{}: expected the head: to port SOURCE…", row()),
                [target, port, marks @ ..] => {
                    let port: Port = port.parse().with_context(row)?;
                    ensure!(seen.insert((*target, port)), "{}: {target} {port} stands here a second time", row());
                    let (named, marked) = (sources.len(), marks.len());
                    ensure!(named == marked, "{}: {marked} marks for {named} sources", row());
                    for (source, mark) in sources.iter().zip(marks) {
                        let mark = mark.parse().with_context(|| format!("{}, source {source}", row()))?;
                        cells.push(Cell { source: (*source).to_owned(), target: (*target).to_owned(), port, mark });
                    }
                }
                [word] => bail!("{}: {word} has no port", row()),
            }
        }
        ensure!(!cells.is_empty(), "there is no line that names a target");
        Ok(Self { cells })
    }
}

fn head<'a>(names: &[&'a str]) -> Result<Vec<&'a str>> {
    ensure!(!names.is_empty(), "the head names no source");
    let mut seen = BTreeSet::new();
    for name in names {
        ensure!(seen.insert(name), "source {name} stands here a second time");
    }
    Ok(names.to_vec())
}

impl FromStr for Mark {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self> {
        Ok(match word {
            "yes" => Self::Allowed,
            "-" => Self::Refused,
            "." => Self::Unruled,
            other => bail!("a mark is yes, - or ., not {other:?}"),
        })
    }
}

impl FromStr for Port {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self> {
        let (number, protocol) = word.split_once('/').with_context(|| format!("{word:?} is no port such as 53/UDP"))?;
        let number = number.parse().ok().filter(|number| *number != 0 && number_is_plain(*number, word));
        let number = number.with_context(|| format!("{word:?}: a port is a number from 1 to 65535"))?;
        let protocol = match protocol {
            "TCP" => Protocol::Tcp,
            "UDP" => Protocol::Udp,
            other => bail!("a protocol is TCP or UDP, not {other:?}"),
        };
        Ok(Self { number, protocol })
    }
}

/// The number parser alone would take `+53` and `053`.
fn number_is_plain(number: u16, word: &str) -> bool {
    word.starts_with(&format!("{number}/"))
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// `driver → minio 9000/TCP`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} {}", self.source, self.target, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Table};

    #[test]
    fn every_mark_becomes_a_cell() {
        let table = Table::parse("# head\nto port a b\n\nx 53/UDP yes -  # why\ny 9/TCP . yes\n").unwrap();
        let cells: Vec<String> = table.cells.iter().map(|cell| format!("{cell} {:?}", cell.mark)).collect();
        let expected = ["a → x 53/UDP Allowed", "b → x 53/UDP Refused", "a → y 9/TCP Unruled", "b → y 9/TCP Allowed"];
        assert_eq!(cells, expected);
    }

    #[test]
    fn what_is_malformed_is_named_with_its_line() {
        let cases = [
            ("", "no line that names a target"),
            ("x 9/TCP -", "line 1: expected the head"),
            ("to port", "line 1: the head names no source"),
            ("to port a a", "line 1: source a stands here a second time"),
            ("to port a\nx", "line 2: x has no port"),
            ("to port a\nx 9 -", "line 2: \"9\" is no port such as 53/UDP"),
            ("to port a\nx 0/TCP -", "line 2: \"0/TCP\": a port is a number from 1 to 65535"),
            ("to port a\nx +9/TCP -", "line 2: \"+9/TCP\": a port is a number from 1 to 65535"),
            ("to port a\nx 9/SCTP -", "line 2: a protocol is TCP or UDP, not \"SCTP\""),
            ("to port a b\nx 9/TCP -", "line 2: 1 marks for 2 sources"),
            ("to port a\nx 9/TCP no", "line 2, source a: a mark is yes, - or ., not \"no\""),
            ("to port a\nx 9/TCP -\nx 9/TCP -", "line 3: x 9/TCP stands here a second time"),
        ];
        for (text, expected) in cases {
            let error = format!("{:#}", Table::parse(text).unwrap_err());
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_table_of_the_lab_holds_every_pair() {
        let table = Table::of_the_lab().unwrap();
        let allowed = table.cells.iter().filter(|cell| cell.mark == Mark::Allowed).count();
        assert!(table.cells.len() > 500 && allowed > 40, "{allowed} of {} cells", table.cells.len());
    }

    #[test]
    fn the_table_of_the_nodes_says_something_of_every_cell() {
        let table = Table::of_the_nodes().unwrap();
        let unruled: Vec<String> =
            table.cells.iter().filter(|cell| cell.mark == Mark::Unruled).map(ToString::to_string).collect();
        assert!(unruled.is_empty(), "{unruled:?}");
        for role in ["control-plane", "worker"] {
            assert!(table.cells.iter().any(|cell| cell.target == role), "{role} is no target");
        }
    }
}
