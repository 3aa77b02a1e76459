//! Addresses that outlive a restart of Docker: etcd's members know each other by address.

use anyhow::{Result, bail};

use super::{Context, cluster};
use crate::event::Outcome;
use crate::ports::{Docker as _, Ports};

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
        run.ports.docker().pin_address(&container.name, network, current, &[]).await?;
        pinned += 1;
    }
    Ok(match pinned {
        0 => Outcome::Unchanged("all pinned".to_owned()),
        count => Outcome::Changed(format!("{count} containers")),
    })
}
