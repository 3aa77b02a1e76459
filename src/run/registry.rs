//! The lab's registry container.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::wait::{Look, until};
use super::{Context, images};
use crate::components::{LABEL, REGISTRY_ALIAS};
use crate::config::Lab;
use crate::event::Outcome;
use crate::ports::{ContainerSpec, Docker as _, Ports, Registry as _};

/// The port on which the registry listens inside its container.
pub const INSIDE: u16 = 5000;

/// Name of the registry container and of its volume.
pub fn name(lab: &Lab) -> String {
    format!("{}-registry", lab.name)
}

pub async fn have<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let lab = context.run.lab;
    let docker = context.run.ports.docker();
    let name = name(lab);
    let existing = docker.containers(&format!("{LABEL}={}", lab.name)).await?;
    let outcome = match existing.into_iter().find(|container| container.name == name) {
        Some(container) if container.running => Outcome::Unchanged(format!("127.0.0.1:{}", lab.registry.port)),
        Some(_) => {
            docker.start_container(&name).await?;
            Outcome::Changed("started again".to_owned())
        }
        None => {
            if !docker.volumes(&format!("{LABEL}={}", lab.name)).await?.contains(&name) {
                docker.create_volume(&name, (LABEL, &lab.name)).await?;
            }
            docker
                .run_container(&ContainerSpec {
                    name: name.clone(),
                    image: images::engine_reference(context.run, "registry").await?,
                    network: lab.name.clone(),
                    aliases: vec![REGISTRY_ALIAS.to_owned()],
                    // The highest, since Docker gives the nodes the lowest.
                    address: lab.cluster.subnet.host(lab.cluster.subnet.hosts()).context("the subnet has hosts")?,
                    labels: BTreeMap::from([(LABEL.to_owned(), lab.name.clone())]),
                    volume: Some((name.clone(), "/var/lib/registry".to_owned())),
                    port: Some((lab.registry.port, INSIDE)),
                    command: vec![],
                    capabilities: vec![],
                })
                .await?;
            Outcome::Changed(format!("127.0.0.1:{}", lab.registry.port))
        }
    };
    until(context, async || {
        let answer = context.run.ports.registry().digest(lab.registry.port, "lab/none", "none").await;
        Ok(match answer {
            Ok(_) => Look::Done(()),
            Err(error) => Look::Pending(format!("{name} does not answer yet: {error:#}")),
        })
    })
    .await?;
    Ok(outcome)
}
