//! Taking a lab down: only what carries its label or sits on its network.

use std::fmt;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Run, cluster};
use crate::components::LABEL;
use crate::fault::{Fault, Kind};
use crate::ports::{Docker as _, Ports};

/// What became of everything of a lab.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Down {
    pub lab: String,
    pub removed: Vec<Thing>,
    /// What a plain `down` leaves for a quick next `up`.
    pub kept: Vec<Thing>,
    /// What could not be removed.
    pub left: Vec<Left>,
}

/// Something of a lab on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Thing {
    pub kind: ThingKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThingKind {
    Container,
    Volume,
    Network,
    Kubeconfig,
    /// The lab's folder of state.
    State,
}

/// Something that resisted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Left {
    #[serde(flatten)]
    pub thing: Thing,
    pub why: String,
}

impl Thing {
    pub fn new(kind: ThingKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ThingKind::Container => "container",
            ThingKind::Volume => "volume",
            ThingKind::Network => "network",
            ThingKind::Kubeconfig => "kubeconfig",
            ThingKind::State => "state in",
        };
        write!(f, "{kind} {}", self.name)
    }
}

impl Down {
    /// Notes how the removal of one thing ended.
    pub fn note(&mut self, kind: ThingKind, name: &str, result: Result<()>) {
        let thing = Thing::new(kind, name);
        match result {
            Ok(()) => self.removed.push(thing),
            Err(error) => self.left.push(Left { thing, why: format!("{error:#}") }),
        }
    }

    /// # Errors
    /// [`Kind::Cleanup`] where something could not be removed.
    pub fn check(&self, all: bool, flags: &str) -> Result<()> {
        if self.left.is_empty() {
            return Ok(());
        }
        let left: Vec<String> = self.left.iter().map(|left| format!("{}: {}", left.thing, left.why)).collect();
        let what = format!("lab {} is not gone: {}", self.lab, left.join("; "));
        let next = format!("lab down{}{flags}   (tries again)", if all { " --all" } else { "" });
        Err(Fault::new(Kind::Cleanup, what).next(next).error())
    }
}

/// Removes the cluster; with `all` also the registry, its volume and the network. What resists holds up nothing.
///
/// # Errors
/// When the engine does not say what there is.
pub async fn down<P: Ports>(run: &Run<'_, P>, all: bool) -> Result<Down> {
    use ThingKind::{Container, Kubeconfig, Network, Volume};
    let docker = run.ports.docker();
    let mut down = Down { lab: run.lab.name.clone(), ..Down::default() };
    for container in cluster::containers(run).await? {
        down.note(Container, &container.name, docker.remove_container(&container.name).await);
    }
    let kubeconfig = run.kubeconfig();
    if kubeconfig.is_file() {
        let removed = fs_err::remove_file(&kubeconfig).map_err(Into::into);
        down.note(Kubeconfig, &kubeconfig.display().to_string(), removed);
    }
    let people = run.people();
    if people.is_dir() {
        let removed = fs_err::remove_dir_all(&people).map_err(Into::into);
        down.note(Kubeconfig, &people.display().to_string(), removed);
    }
    let label = format!("{LABEL}={}", run.lab.name);
    let (own, volumes) = (docker.containers(&label).await?, docker.volumes(&label).await?);
    let mut networks = docker.networks().await?;
    networks.retain(|network| network.labels.get(LABEL) == Some(&run.lab.name));
    if !all {
        down.kept.extend(own.iter().map(|container| Thing::new(Container, &container.name)));
        down.kept.extend(volumes.into_iter().map(|volume| Thing::new(Volume, volume)));
        down.kept.extend(networks.into_iter().map(|network| Thing::new(Network, network.name)));
        return Ok(down);
    }
    for container in own {
        down.note(Container, &container.name, docker.remove_container(&container.name).await);
    }
    for volume in volumes {
        down.note(Volume, &volume, docker.remove_volume(&volume).await);
    }
    for network in networks {
        down.note(Network, &network.name, docker.remove_network(&network.name).await);
    }
    Ok(down)
}
