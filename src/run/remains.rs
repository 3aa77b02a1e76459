//! What earlier runs left: a finished cluster is kept and started, an unfinished one is removed.

use anyhow::Result;

use super::Context;
use super::cluster::{FINISHED, containers, expected};
use super::{addresses, diagnose};
use crate::event::Outcome;
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::ports::{Container, Docker, Ports};

pub async fn settle<P: Ports>(context: &Context<'_, P>) -> Result<Outcome> {
    let run = context.run;
    let existing = containers(run).await?;
    if existing.is_empty() {
        return Ok(Outcome::Unchanged("no cluster yet".to_owned()));
    }
    let unmarked = unmarked(run.ports.docker(), &existing).await?;
    if unmarked.len() == existing.len() {
        context.note(format!("removing {} containers of a cluster that was never finished", existing.len()));
        // What is removed cannot be asked any more why it was not finished.
        let diagnosis = diagnose::diagnose(run, &Plan { lab: run.lab.name.clone(), steps: Vec::new() }, "").await;
        if let Some(folder) = diagnosis.folder {
            context.note(format!("what they had to say is kept in {}", folder.display()));
        }
        for container in &existing {
            run.ports.docker().remove_container(&container.name).await?;
        }
        return Ok(Outcome::Changed(format!("{} containers of an unfinished cluster removed", existing.len())));
    }
    let names: Vec<&str> = existing.iter().map(|container| container.name.as_str()).collect();
    if names != expected(run) {
        let what = format!("cluster {} has other nodes than the configuration: {}", run.lab.name, names.join(", "));
        let next = format!("lab down{0}, then lab up{0}; or another --name", run.flags);
        return Err(Fault::new(Kind::Config, what).next(next).error());
    }
    // What follows is the end of what a run began that was cut short.
    for container in unmarked {
        run.ports.docker().write_file(&container.name, FINISHED, b"").await?;
    }
    let cut_off = existing.iter().filter(|container| !container.addresses.contains_key(&run.lab.name));
    for container in cut_off {
        context.note(format!("bringing {} back onto its network", container.name));
        addresses::restore(run, container).await?;
    }
    let stopped: Vec<&Container> = existing.iter().filter(|container| !container.running).collect();
    for container in &stopped {
        context.note(format!("starting {}", container.name));
        run.ports.docker().start_container(&container.name).await?;
    }
    Ok(match stopped.len() {
        0 => Outcome::Unchanged("a finished cluster, running".to_owned()),
        count => Outcome::Changed(format!("{count} containers started again")),
    })
}

/// True where `kind create` once came to its end. Only a cluster without this mark is ever removed by `up`,
/// so every container has it, in case one is lost, and reading it needs no running container.
pub async fn finished<D: Docker>(docker: &D, existing: &[Container]) -> Result<bool> {
    Ok(unmarked(docker, existing).await?.len() < existing.len())
}

/// The containers without the mark: a run that was cut short may have marked only some.
async fn unmarked<'a, D: Docker>(docker: &D, existing: &'a [Container]) -> Result<Vec<&'a Container>> {
    let mut unmarked = Vec::new();
    for container in existing {
        if !docker.has_file(&container.name, FINISHED).await? {
            unmarked.push(container);
        }
    }
    Ok(unmarked)
}
