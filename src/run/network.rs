//! The lab's own Docker network.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Context;
use crate::components::LABEL;
use crate::event::Outcome;
use crate::fault::{Fault, Kind};
use crate::ports::{Docker as _, Network, Ports};

pub async fn have<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let lab = context.run.lab;
    let docker = context.run.ports.docker();
    let subnet = lab.cluster.subnet.to_string();
    if let Some(network) = docker.networks().await?.into_iter().find(|network| network.name == lab.name) {
        if network.labels.get(LABEL) != Some(&lab.name) {
            let fault = Fault::new(Kind::Host, format!("Docker network {} exists and is not of this lab", lab.name));
            return Err(fault.next("choose another name: lab up --name NAME").error());
        }
        if network.subnet != subnet {
            let what =
                format!("Docker network {} has subnet {}, the configuration says {subnet}", lab.name, network.subnet);
            let next = format!("lab down --all{0}, then lab up{0}", context.run.flags);
            return Err(Fault::new(Kind::Config, what).next(next).error());
        }
        return Ok(Outcome::Unchanged(subnet));
    }
    let labels = BTreeMap::from([(LABEL.to_owned(), lab.name.clone())]);
    docker.create_network(&Network { name: lab.name.clone(), subnet: subnet.clone(), labels }).await?;
    Ok(Outcome::Changed(subnet))
}
