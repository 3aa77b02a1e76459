//! Large images on the workers, pulled while the control planes still join.

use anyhow::{Context as _, Result, bail};
use futures::future::try_join_all;

use super::wait::{Look, until};
use super::{Context, Run, cluster};
use crate::event::Outcome;
use crate::ports::{Docker as _, Ports};

/// Asks containerd for an image the way the kubelet would: through the mirror configuration.
const PULL: &str = "ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d \"$0\"";

pub async fn have<P: Ports>(context: &Context<'_, P>, references: &[String]) -> Result<Outcome> {
    let lab = context.run.lab;
    let workers = cluster::nodes(context.run, "worker", lab.cluster.workers);
    let pulled = try_join_all(workers.iter().map(|worker| one(context, worker, references))).await?;
    Ok(match pulled.iter().sum::<usize>() {
        0 => Outcome::Unchanged("all there".to_owned()),
        count => Outcome::Changed(format!("{count} pulled")),
    })
}

/// The references that a node's image store has.
pub async fn list<P: Ports>(run: &Run<'_, P>, node: &str) -> Result<Vec<String>> {
    let output = run.ports.docker().exec(node, &["ctr", "--namespace", "k8s.io", "images", "ls", "-q"]).await;
    let output = output.with_context(|| format!("{node} is not there yet"))?;
    if output.code != 0 {
        bail!("{node}: containerd is not ready: {}", output.quoted());
    }
    Ok(output.text().lines().map(str::to_owned).collect())
}

/// Makes one worker pull what it lacks, again and again until it has it; the engine's deadline ends that.
async fn one<P: Ports>(context: &Context<'_, P>, worker: &str, references: &[String]) -> Result<usize> {
    let docker = context.run.ports.docker();
    let mut pulled = 0;
    until(context, async || {
        let list = match list(context.run, worker).await {
            Ok(list) => list,
            Err(error) => return Ok(Look::Pending(format!("{error:#}"))),
        };
        let Some(missing) = references.iter().find(|reference| !list.contains(reference)) else {
            return Ok(Look::Done(()));
        };
        context.note(format!("{worker}: pulling {missing}"));
        Ok(match docker.exec(worker, &["sh", "-c", PULL, missing]).await {
            Ok(output) if output.code == 0 => {
                pulled += 1;
                Look::Pending(format!("{worker} has {missing}"))
            }
            Ok(output) => Look::Pending(format!("{worker} cannot pull {missing}: {}", output.quoted())),
            Err(error) => Look::Pending(format!("{worker} cannot pull {missing}: {error}")),
        })
    })
    .await?;
    Ok(pulled)
}
