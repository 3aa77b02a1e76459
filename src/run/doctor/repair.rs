//! The safe fixes: those that touch nothing but a limit that is too low, or what is this lab's own.

use anyhow::{Result, anyhow};

use super::facts::own_cluster;
use super::values::Values;
use super::{Examination, Finding, room};
use crate::ports::{Docker as _, Host, Ports};
use crate::run::remains;

/// Applies the safe fix of every finding that has one; returns what was done and what could not be, in words.
pub async fn apply<P: Ports, H: Host>(exam: &Examination<'_, P, H>, findings: &[Finding]) -> Vec<String> {
    let mut said = Vec::new();
    for finding in findings {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safe) else { continue };
        said.push(match mend(exam, finding).await {
            Ok(done) => format!("{}: {done}", finding.id),
            Err(error) => format!("{}: not done ({error:#}); by hand: {}", finding.id, fix.command),
        });
    }
    said
}

async fn mend<P: Ports, H: Host>(exam: &Examination<'_, P, H>, finding: &Finding) -> Result<String> {
    match finding.id {
        "inotify-instances" => raise(exam, 0),
        "inotify-watches" => raise(exam, 1),
        "unfinished-cluster" => remove_unfinished(exam).await,
        other => Err(anyhow!("nobody knows how to mend {other}")),
    }
}

fn raise<P: Ports, H: Host>(exam: &Examination<'_, P, H>, index: usize) -> Result<String> {
    if Values::read(exam.host)?.are_there() {
        return Err(anyhow!("values are injected"));
    }
    if !exam.host.is_root() {
        return Err(anyhow!("only root may"));
    }
    let (setting, value) = room::inotify_needed(exam.lab)[index];
    exam.host.raise(setting, value)?;
    Ok(format!("{setting} is {value} now, and after a restart"))
}

/// Looks again: a run in between may have finished it.
async fn remove_unfinished<P: Ports, H: Host>(exam: &Examination<'_, P, H>) -> Result<String> {
    let docker = exam.docker.map_err(|error| anyhow!("{error:#}"))?;
    let cluster = own_cluster(&docker.all_containers().await?, exam.lab);
    if remains::finished(docker, &cluster).await? {
        return Ok("it is finished by now, and stays".to_owned());
    }
    for container in &cluster {
        docker.remove_container(&container.name).await?;
    }
    Ok(format!("{} containers of an unfinished cluster removed", cluster.len()))
}
