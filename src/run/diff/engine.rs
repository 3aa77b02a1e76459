//! What the Docker engine has against what is wanted.

use anyhow::Result;
use serde_json::json;

use super::{Difference, State};
use crate::components::LABEL;
use crate::ports::{Container, Docker as _, Ports};
use crate::run::fits::Field;
use crate::run::images::{ImageState, NODE, needed, state};
use crate::run::{Run, cluster, push, registry, remains};
use crate::step::Action;

/// What of an action is not done yet.
pub async fn differences<P: Ports>(run: &Run<'_, P>, action: &Action) -> Result<Vec<Difference>> {
    match action {
        Action::Images { names } => images(run, names).await,
        Action::Network => network(run).await,
        Action::Registry => the_registry(run).await,
        Action::Push { names } => pushed(run, names).await,
        Action::Remains => containers(run).await,
        Action::Addresses => addresses(run).await,
        _ => Ok(Vec::new()),
    }
}

/// The images that count; without a node image nobody knows which of them the nodes bring along.
async fn counted<P: Ports>(run: &Run<'_, P>, names: &[String]) -> Result<Vec<String>> {
    match state(run.ports.docker(), run.catalogue, NODE, run.supply).await? {
        ImageState::Missing => Ok(names.to_vec()),
        _ => needed(run, names).await,
    }
}

async fn images<P: Ports>(run: &Run<'_, P>, names: &[String]) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for name in counted(run, names).await? {
        if state(run.ports.docker(), run.catalogue, &name, run.supply).await? == ImageState::Missing {
            found.push(Difference::new(format!("image {name}"), State::Missing));
        }
    }
    Ok(found)
}

async fn network<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let (name, wanted) = (&run.lab.name, run.lab.cluster.subnet.to_string());
    let networks = run.ports.docker().networks().await?;
    let subject = format!("network {name}");
    Ok(match networks.into_iter().find(|network| network.name == *name) {
        None => vec![Difference::new(subject, State::Missing)],
        Some(network) if network.labels.get(LABEL) != Some(name) => {
            vec![Difference::new(subject, State::Different).because("it is not of this lab")]
        }
        Some(network) if network.subnet != wanted => {
            let field = Field { path: "subnet".to_owned(), wanted: json!(wanted), live: json!(network.subnet) };
            vec![Difference { fields: vec![field], ..Difference::new(subject, State::Different) }]
        }
        Some(_) => Vec::new(),
    })
}

/// The registry's container, none where there is none.
async fn registry_runs<P: Ports>(run: &Run<'_, P>) -> Result<Option<bool>> {
    let own = run.ports.docker().containers(&format!("{LABEL}={}", run.lab.name)).await?;
    let name = registry::name(run.lab);
    Ok(own.iter().find(|container| container.name == name).map(|container| container.running))
}

async fn the_registry<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let subject = format!("container {}", registry::name(run.lab));
    Ok(match registry_runs(run).await? {
        None => vec![Difference::new(subject, State::Missing)],
        Some(false) => vec![Difference::new(subject, State::Stopped)],
        Some(true) => Vec::new(),
    })
}

/// Images that the registry lacks, or has in another form; a registry that is not there was named already.
async fn pushed<P: Ports>(run: &Run<'_, P>, names: &[String]) -> Result<Vec<Difference>> {
    if registry_runs(run).await? != Some(true) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for name in counted(run, names).await? {
        if state(run.ports.docker(), run.catalogue, &name, run.supply).await? == ImageState::Missing {
            continue;
        }
        match push::stale(run, &name).await {
            Ok(stale) => found.extend(
                stale
                    .into_iter()
                    .map(|image| Difference::new(format!("image {} in the registry", image.reference), State::Missing)),
            ),
            Err(error) => {
                let unseen = Difference::new(registry::name(run.lab), State::Unknown);
                return Ok(vec![unseen.because(format!("{error:#}"))]);
            }
        }
    }
    Ok(found)
}

/// Containers of a cluster that was made: those that are missing, stopped, or too many.
async fn containers<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let existing = cluster::containers(run).await?;
    if existing.is_empty() {
        return Ok(Vec::new());
    }
    if !remains::finished(run.ports.docker(), &existing).await? {
        let half = Difference::new(format!("cluster {}", run.lab.name), State::Different);
        return Ok(vec![half.because("its making never came to the end")]);
    }
    let expected = cluster::expected(run);
    let mut found: Vec<Difference> = expected
        .iter()
        .filter(|name| existing.iter().all(|container| container.name != **name))
        .map(|name| Difference::new(format!("container {name}"), State::Missing))
        .collect();
    for container in &existing {
        let subject = format!("container {}", container.name);
        if !expected.contains(&container.name) {
            found.push(Difference::new(subject, State::Unwanted));
        } else if !container.running {
            found.push(Difference::new(subject, State::Stopped));
        }
    }
    Ok(found)
}

async fn addresses<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Difference>> {
    let expected = cluster::expected(run);
    let unpinned = |container: &&Container| {
        if !container.running || !expected.contains(&container.name) {
            return false;
        }
        let address = container.addresses.get(&run.lab.name);
        address.is_some_and(|address| address.pinned.is_none() || address.pinned != address.current)
    };
    let named = |container: &Container| {
        let subject = format!("container {}", container.name);
        Difference::new(subject, State::Different).because("its address is not pinned")
    };
    Ok(cluster::containers(run).await?.iter().filter(unpinned).map(named).collect())
}
