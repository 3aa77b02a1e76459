//! The engine's answers in our own words.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use anyhow::{Result, anyhow};
use bollard::errors::Error;
use bollard::models::ContainerSummary;

use crate::ports::{Address, Container};

/// None where the engine answers 404.
pub fn found<T>(result: Result<T, Error>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the engine says about a registry, without what the client adds.
pub fn own_words(error: Error) -> anyhow::Error {
    match error {
        Error::DockerResponseServerError { message, .. } => anyhow!(message),
        Error::DockerStreamError { error } => anyhow!(error),
        error => error.into(),
    }
}

/// Labels in a fixed order.
pub(super) fn sorted(labels: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    labels.unwrap_or_default().into_iter().collect()
}

/// One line of the engine's list of containers.
pub fn container(summary: ContainerSummary) -> Container {
    let networks = summary.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    let addresses = networks.into_iter().map(|(name, endpoint)| {
        let parse = |text: Option<String>| text.and_then(|text| text.parse::<Ipv4Addr>().ok());
        let pinned = parse(endpoint.ipam_config.and_then(|config| config.ipv4_address));
        (name, Address { current: parse(endpoint.ip_address), pinned })
    });
    let ports = summary.ports.unwrap_or_default().into_iter();
    Container {
        id: summary.id.unwrap_or_default(),
        name: summary
            .names
            .unwrap_or_default()
            .first()
            .map(|name| name.trim_start_matches('/').to_owned())
            .unwrap_or_default(),
        running: summary.state.is_some_and(|state| state.to_string() == "running"),
        image: summary.image.unwrap_or_default(),
        labels: sorted(summary.labels),
        home: summary.host_config.and_then(|config| config.network_mode).unwrap_or_default(),
        addresses: addresses.collect(),
        ports: ports.filter_map(|port| Some((port.private_port, port.public_port?))).collect(),
    }
}

/// `name:tag` in two; the colon of a port belongs to the name.
pub fn split_tag(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

/// Puts lines together: the engine sends a log in pieces of any size.
#[derive(Default)]
pub struct Lines(Vec<u8>);

impl Lines {
    /// Hands over the lines that this piece completes.
    pub fn add(&mut self, piece: &[u8], line: &mut dyn FnMut(String)) {
        self.0.extend_from_slice(piece);
        while let Some(end) = self.0.iter().position(|byte| *byte == b'\n') {
            let bytes: Vec<u8> = self.0.drain(..=end).collect();
            line(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned());
        }
    }

    /// Hands over the last line, where it has no end.
    pub fn end(self, line: &mut dyn FnMut(String)) {
        if !self.0.is_empty() {
            line(String::from_utf8_lossy(&self.0).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, split_tag};

    #[test]
    fn lines_are_put_together_from_pieces() {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in ["one\r\ntw", "o\n\nth", "r", "ee \u{e9}"] {
            lines.add(piece.as_bytes(), &mut |line| seen.push(line));
        }
        lines.end(&mut |line| seen.push(line));
        assert_eq!(seen, ["one", "two", "", "three \u{e9}"]);
    }

    proptest::proptest! {
        #[test]
        fn a_name_and_its_tag_are_told_apart(
            name in "(localhost:[0-9]{4}/|[a-z.]{1,9}/)?[a-z]{1,9}(/[a-z]{1,9})?", tag in "[a-zA-Z0-9._-]{1,20}",
        ) {
            let whole = format!("{name}:{tag}");
            proptest::prop_assert_eq!(split_tag(&whole), (name.as_str(), tag.as_str()));
            proptest::prop_assert_eq!(split_tag(&name), (name.as_str(), "latest"));
        }
    }

    #[test]
    fn the_colon_of_a_port_is_no_tag() {
        assert_eq!(split_tag("127.0.0.1:15000/a/b:1"), ("127.0.0.1:15000/a/b", "1"));
        assert_eq!(split_tag("127.0.0.1:15000/a/b"), ("127.0.0.1:15000/a/b", "latest"));
    }
}
