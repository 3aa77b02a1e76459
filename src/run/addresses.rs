//! Addresses that outlive a restart of Docker: etcd's members know each other by address.

use anyhow::{Context as _, Result, bail};

use super::{Context, Run, cluster};
use crate::event::Outcome;
use crate::ports::{Container, Docker as _, Ports};

/// Where a container keeps its address while it is off the network: Docker pins none without taking it off.
const ADDRESS: &str = "/kind/lab-address";

pub async fn pin<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let run = context.run;
    let network = &run.lab.name;
    let mut pinned = 0;
    for container in cluster::containers(run).await? {
        let Some(address) = container.addresses.get(network) else {
            bail!("container {} is not on network {network}", container.name);
        };
        let Some(current) = address.current else {
            bail!("container {} has no address on network {network}", container.name);
        };
        if address.pinned == Some(current) {
            continue;
        }
        context.note(format!("{} keeps {current}", container.name));
        run.ports.docker().write_file(&container.name, ADDRESS, current.to_string().as_bytes()).await?;
        run.ports.docker().pin_address(&container.name, network, current, &[]).await?;
        pinned += 1;
    }
    Ok(match pinned {
        0 => Outcome::Unchanged("all pinned".to_owned()),
        count => Outcome::Changed(format!("{count} containers")),
    })
}

/// Brings a container back that was taken off its network and not put on it again.
pub async fn restore<P: Ports>(run: &Run<'_, P>, container: &Container) -> Result<()> {
    let docker = run.ports.docker();
    if !container.running {
        docker.start_container(&container.name).await?;
    }
    let kept = docker.exec(&container.name, &["cat", ADDRESS]).await?;
    let text = kept.text();
    let address = text.trim().parse().with_context(|| format!("{} was cut off from its network", container.name))?;
    docker.pin_address(&container.name, &run.lab.name, address, &[]).await
}
