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
pub fn sorted(labels: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
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

#[cfg(test)]
mod tests {
    use super::split_tag;

    #[test]
    fn the_colon_of_a_port_is_no_tag() {
        assert_eq!(split_tag("127.0.0.1:15000/a/b:1"), ("127.0.0.1:15000/a/b", "1"));
        assert_eq!(split_tag("127.0.0.1:15000/a/b"), ("127.0.0.1:15000/a/b", "latest"));
    }
}
