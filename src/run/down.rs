//! Taking a lab down: only what carries its label or sits on its network.

use anyhow::Result;

use super::{Run, cluster, registry};
use crate::components::LABEL;
use crate::fault::{Fault, Kind};
use crate::ports::{Docker as _, Ports};

/// Removes the cluster; with `all` also the registry, its volume and the network.
/// Returns what was removed, in words.
///
/// # Errors
/// [`Kind::Cleanup`] when something could not be removed; all the rest is removed nevertheless.
pub async fn down<P: Ports>(run: &Run<'_, P>, all: bool) -> Result<Vec<String>> {
    let docker = run.ports.docker();
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    let mut note = |what: String, result: Result<()>| match result {
        Ok(()) => removed.push(what),
        Err(error) => failed.push(format!("{what}: {error:#}")),
    };
    for container in cluster::containers(run).await? {
        note(format!("container {}", container.name), docker.remove_container(&container.name).await);
    }
    if run.kubeconfig().is_file() {
        note("kubeconfig".to_owned(), fs_err::remove_file(run.kubeconfig()).map_err(Into::into));
    }
    if all {
        let label = format!("{LABEL}={}", run.lab.name);
        for container in docker.containers(&label).await? {
            note(format!("container {}", container.name), docker.remove_container(&container.name).await);
        }
        for volume in docker.volumes(&label).await? {
            note(format!("volume {volume}"), docker.remove_volume(&volume).await);
        }
        for network in docker.networks().await? {
            if network.labels.get(LABEL) == Some(&run.lab.name) {
                note(format!("network {}", network.name), docker.remove_network(&network.name).await);
            }
        }
    }
    if failed.is_empty() {
        return Ok(removed);
    }
    let what = format!("lab {} is not gone: {}", run.lab.name, failed.join("; "));
    let next = format!("lab down{}{}   (tries again)", if all { " --all" } else { "" }, run.flags);
    Err(Fault::new(Kind::Cleanup, what).next(next).error())
}

/// What stays after a plain `down`, in words.
pub fn kept(run: &Run<'_, impl Ports>) -> String {
    format!("registry {} and its volume", registry::name(run.lab))
}
