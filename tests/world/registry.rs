//! The lab's registry of the world in memory.

use anyhow::{Result, bail};

use super::{State, World};
use lab::images::path_and_tag;
use lab::ports::Registry;

impl Registry for World {
    async fn digest(&self, port: u16, repository: &str, tag: &str) -> Result<Option<String>> {
        let name = format!("{repository}:{tag}");
        self.read(format!("digest {name}"), |state| {
            if !state.containers.iter().any(|one| one.running && one.ports.get(&5000) == Some(&port)) {
                bail!("connection refused");
            }
            Ok(state.registry.get(&name).cloned())
        })
        .await
    }
}

/// The port of a registry on loopback that a reference names.
pub fn loopback(reference: &str) -> Option<u16> {
    reference.strip_prefix("127.0.0.1:")?.split_once('/')?.0.parse().ok()
}

/// An error where a reference names a port on loopback at which no registry listens.
pub fn listens(state: &State, reference: &str) -> Result<()> {
    let Some(port) = loopback(reference) else { return Ok(()) };
    if !state.containers.iter().any(|one| one.running && one.ports.values().any(|own| *own == port)) {
        bail!("connection refused");
    }
    Ok(())
}

/// The digest of a reference that names the lab's registry, none where it names another.
pub fn held(state: &State, reference: &str) -> Result<Option<String>> {
    listens(state, reference)?;
    let (path, tag) = path_and_tag(reference);
    Ok(loopback(reference).and_then(|_| state.registry.get(&format!("{path}:{tag}")).cloned()))
}
