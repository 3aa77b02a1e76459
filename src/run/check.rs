//! The gates: what must hold before anything is made. Every problem at once.

use std::path::Path;

use anyhow::Result;

use super::images::{ImageState, state};
use super::{Run, cluster};
use crate::components::{KIND_LABEL, LABEL, Site};
use crate::config::Subnet;
use crate::fault::{Fault, Kind};
use crate::ports::{Clusters as _, Docker as _, Engine, Host, Ports};

/// Engines before this one ask runc for capabilities that restricted machines do not have.
const OLDEST_ENGINE: u32 = 23;
/// Versions of kind whose node images and load balancer fit.
const KIND: (u32, u32) = (0, 33);
/// Six nodes with systemd, containerd and kubelet need about 400 instances.
const INOTIFY: [(&str, u64); 2] = [("fs.inotify.max_user_instances", 512), ("fs.inotify.max_user_watches", 524_288)];
/// Measured with all components idle; bytes.
const MEMORY_PER_NODE: u64 = 500 << 20;
/// Volumes of six nodes with Spark's image on three of them; bytes.
const DISK: u64 = 12 << 30;
/// Images and caches of a first build; bytes.
const BUILD: u64 = 9 << 30;

/// Checks the machine and what is already on it.
///
/// # Errors
/// [`Kind::Host`], listing everything that is in the way.
pub async fn check_host<P: Ports>(run: &Run<'_, P>, host: &impl Host) -> Result<()> {
    let docker = run.ports.docker();
    let engine = docker.engine().await?;
    let ours = cluster::containers(run).await?;
    let mut problems = tools(run, &engine).await;
    // A lab that stands has its disk already.
    let disk = if ours.is_empty() { DISK + to_build(run).await? } else { 0 };
    problems.extend(room(run, &engine, host, disk));
    problems.extend(neighbours(run, host).await?);
    if problems.is_empty() {
        return Ok(());
    }
    let what = format!("not fit for lab {}:\n  {}", run.lab.name, problems.join("\n  "));
    Err(Fault::new(Kind::Host, what).next("make setup   (brings what is missing), or as said above").error())
}

/// What the images that are not there yet will take.
async fn to_build<P: Ports>(run: &Run<'_, P>) -> Result<u64> {
    let site = Site { lab: run.lab, catalogue: run.catalogue };
    for name in site.engine_images().into_iter().chain(site.node_images()) {
        if state(run.ports.docker(), run.catalogue, &name, run.origin).await? == ImageState::Missing {
            return Ok(BUILD);
        }
    }
    Ok(0)
}

async fn tools<P: Ports>(run: &Run<'_, P>, engine: &Engine) -> Vec<String> {
    let mut problems = Vec::new();
    if numbers(&engine.version).first().is_none_or(|major| *major < OLDEST_ENGINE) {
        problems.push(format!("Docker engine is {}, {OLDEST_ENGINE} or newer is needed: make setup", engine.version));
    }
    match run.ports.clusters().version().await {
        Ok(version) if numbers(&version).starts_with(&[KIND.0, KIND.1]) => {}
        Ok(version) if numbers(&version) > vec![KIND.0, KIND.1] => {
            tracing::warn!("kind is {version}; tested with {}.{}", KIND.0, KIND.1);
        }
        Ok(version) => problems.push(format!("kind is {version}, {}.{} is needed: make setup", KIND.0, KIND.1)),
        Err(error) => problems.push(format!("kind cannot be run ({error:#}): make setup")),
    }
    problems
}

fn room<P: Ports>(run: &Run<'_, P>, engine: &Engine, host: &impl Host, disk: u64) -> Vec<String> {
    let mut problems = Vec::new();
    let need = MEMORY_PER_NODE * u64::from(run.lab.cluster.nodes())
        + if run.lab.smoke.enabled { run.lab.smoke.memory() } else { 0 };
    if engine.memory < need {
        problems.push(format!(
            "Docker has {} of memory, this lab needs {}: give Docker more, or lab up --config lab-configs/small.yaml",
            gibibytes(engine.memory),
            gibibytes(need)
        ));
    }
    for (setting, need) in INOTIFY {
        if let Some(value) = host.kernel_setting(setting)
            && value < need
        {
            problems.push(format!("{setting} is {value}, {need} is needed: sudo sysctl -w {setting}={need}"));
        }
    }
    if let Some(free) = host.free_disk(Path::new(&engine.root))
        && free < disk
    {
        let (free, need) = (gibibytes(free), gibibytes(disk));
        problems.push(format!("{free} of disk free at {}, {need} are needed: docker system df", engine.root));
    }
    problems
}

/// Ports, subnets and names that somebody else holds. What this lab holds itself counts as free.
async fn neighbours<P: Ports>(run: &Run<'_, P>, host: &impl Host) -> Result<Vec<String>> {
    let lab = run.lab;
    let docker = run.ports.docker();
    let mut problems = Vec::new();
    let nodes = docker.containers(&format!("{KIND_LABEL}={}", lab.name)).await?;
    let foreign = nodes.iter().find(|container| !container.addresses.contains_key(&lab.name));
    if let Some(container) = foreign {
        problems.push(format!("{} belongs to another kind cluster called {}: choose --name", container.name, lab.name));
    }
    let registry = docker.containers(&format!("{LABEL}={}", lab.name)).await?;
    if nodes.iter().all(|container| !container.running) && !host.port_is_free(lab.cluster.api_port) {
        problems.push(format!("port {} for the API is taken: choose --api-port", lab.cluster.api_port));
    }
    if registry.iter().all(|container| !container.running) && !host.port_is_free(lab.registry.port) {
        problems.push(format!("port {} for the registry is taken: choose --registry-port", lab.registry.port));
    }
    for network in docker.networks().await?.iter().filter(|network| network.name != lab.name) {
        if let Ok(subnet) = network.subnet.parse::<Subnet>()
            && subnet.overlaps(lab.cluster.subnet)
        {
            let (name, ours) = (&network.name, lab.cluster.subnet);
            problems.push(format!("subnet {ours} overlaps Docker network {name} ({subnet}): choose --subnet"));
        }
    }
    Ok(problems)
}

/// The leading numbers of a version: `28.5.2+dfsg1` is 28, 5, 2.
fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(['.', '+', '-']);
    parts.map_while(|part| part.parse().ok()).collect()
}

fn gibibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal for people")]
    let value = bytes as f64 / f64::from(1 << 30);
    format!("{value:.1} GiB")
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_of_distributions_are_understood() {
        assert_eq!(numbers("28.5.2+dfsg4"), [28, 5, 2]);
        assert_eq!(numbers("0.33.0-alpha+abc"), [0, 33, 0]);
        assert!(numbers("unknown").is_empty());
    }
}
