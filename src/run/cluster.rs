//! The kind cluster.

use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::{Either, join_all, select};
use serde_json::json;
use tokio::time::timeout;

use super::wait::{Look, until};
use super::{Context, Run, audit, images};
use crate::components::{KIND_LABEL, REGISTRY_ALIAS};
use crate::config::{Cni, Lab};
use crate::event::Outcome;
use crate::exec::host;
use crate::exec::shared::{self, Shared};
use crate::fault::{Fault, Kind};
use crate::ports::{self, ClusterSpec, Clusters as _, Container, Docker as _, Kube as _, Ports};

/// The load balancer's image: kind has its name compiled in.
const LOAD_BALANCER: &str = "docker.io/envoyproxy/envoy:v1.36.2";

/// Asks the API server of a control plane, as the administrator, for what not everybody may see.
const ASK: [&str; 6] = [
    "kubectl",
    "--kubeconfig=/etc/kubernetes/admin.conf",
    "--server=https://127.0.0.1:6443",
    "--request-timeout=3s",
    "get",
    "--raw=/api/v1/namespaces/default",
];

/// How long the API servers that come late are waited for.
const STRAGGLERS: Duration = Duration::from_mins(1);

/// Where containerd looks for the mirror of any registry.
const MIRROR_FILE: &str = "/etc/containerd/certs.d/_default/hosts.toml";

/// The token by which kind's nodes join: the same in every cluster, known to everybody, and good for a day.
const BOOTSTRAP_TOKEN: &str = "bootstrap-token-abcdef";

/// A file in every container that says that `kind create` came to its end.
pub const FINISHED: &str = "/kind/lab-finished";

/// The lab's containers that kind made. Somebody else's cluster of the same name was made for another network.
pub async fn containers<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Container>> {
    let mut found = run.ports.docker().containers(&format!("{KIND_LABEL}={}", run.lab.name)).await?;
    found.retain(|container| container.home == run.lab.name);
    Ok(found)
}

/// Name of the container through which clients reach the API, where there is more than one control plane.
pub fn load_balancer(lab: &Lab) -> String {
    format!("{}-external-load-balancer", lab.name)
}

/// kind's load balancer is no node.
pub fn is_load_balancer(container: &Container) -> bool {
    container.name.ends_with("external-load-balancer")
}

/// The address of a container on the lab's network, pinned or, before that, the one it has.
pub fn address<P: Ports>(run: &Run<'_, P>, containers: &[Container], name: &str) -> Result<Ipv4Addr> {
    let container = containers.iter().find(|container| container.name == name);
    let address = container.and_then(|container| container.addresses.get(&run.lab.name));
    let known = address.and_then(|address| address.pinned.or(address.current));
    known.with_context(|| format!("{name} has no address on network {}", run.lab.name))
}

/// Names that kind gives to the nodes of a role.
pub fn nodes(run: &Run<'_, impl Ports>, role: &str, count: u8) -> Vec<String> {
    numbered(run.lab, role, count)
}

/// The first has no number.
fn numbered(lab: &Lab, role: &str, count: u8) -> Vec<String> {
    let name = &lab.name;
    (1..=count)
        .map(|number| if number == 1 { format!("{name}-{role}") } else { format!("{name}-{role}{number}") })
        .collect()
}

/// Names of the containers that the cluster consists of.
pub fn expected(run: &Run<'_, impl Ports>) -> Vec<String> {
    names(run.lab)
}

/// As [`expected`], before there is a run.
pub fn names(lab: &Lab) -> Vec<String> {
    let cluster = &lab.cluster;
    let mut names = numbered(lab, "control-plane", cluster.control_planes);
    names.extend(numbered(lab, "worker", cluster.workers));
    names.extend(cluster.has_load_balancer().then(|| load_balancer(lab)));
    names.sort();
    names
}

pub async fn have<P: Ports>(context: &Context<'_, P>, config: &str) -> Result<Outcome> {
    let run = context.run;
    if containers(run).await?.is_empty() {
        create(context, config).await?;
        return Ok(Outcome::Changed(format!("{} containers", expected(run).len())));
    }
    // kind takes as long to answer as all API servers.
    let (nodes, answers) = (pin!(nodes_of_administrator(context)), pin!(every_api_server(context)));
    let nodes = match select(nodes, answers).await {
        Either::Left((nodes, answers)) => {
            let nodes = nodes?;
            // One that is broken for good is no reason to give up: the others do its work.
            if let Ok(answered) = timeout(STRAGGLERS, answers).await {
                answered?;
            }
            nodes
        }
        Either::Right((answered, nodes)) => {
            answered?;
            nodes.await?
        }
    };
    Ok(Outcome::Unchanged(format!("{nodes} nodes")))
}

/// How many nodes the API knows, asked with the kubeconfig of kind, which is made again where it is broken.
async fn nodes_of_administrator<P: Ports>(context: &Context<'_, P>) -> Result<usize> {
    let run = context.run;
    // What a kill or a full disk left of the file is no reason to wait for an API that cannot be asked.
    let path = run.kubeconfig();
    match run.ports.clusters().kubeconfig(&run.lab.name).await {
        Ok(text) if fs_err::read_to_string(&path).is_ok_and(|found| found == text) => {}
        Ok(text) => write_private(&path, &text)?,
        // kind asks one control plane; the API may well have another.
        Err(error) if path.is_file() => tracing::debug!("kind does not know the kubeconfig: {error:#}"),
        Err(error) => return Err(error),
    }
    until(context, async || {
        Ok(match run.ports.kube().list(&ports::Kind::NODE, None, "").await {
            Ok(list) => Look::Done(list.len()),
            Err(error) => Look::Pending(format!("the API does not answer yet: {error:#}")),
        })
    })
    .await
}

/// Waits until each control plane that runs knows what the administrator may do. After a restart each learns that by
/// itself, and the load balancer asks any of them.
async fn every_api_server<P: Ports>(context: &Context<'_, P>) -> Result<()> {
    let docker = context.run.ports.docker();
    until(context, async || {
        let mut asked = containers(context.run).await?;
        asked.retain(|container| container.running && container.name.contains("-control-plane"));
        let answers = join_all(asked.iter().map(|container| docker.exec(&container.name, &ASK))).await;
        for (container, answer) in asked.iter().zip(answers) {
            let answer = answer?;
            if answer.code != 0 {
                let why = answer.quoted();
                return Ok(Look::Pending(format!("the API of {} does not answer yet: {why}", container.name)));
            }
        }
        Ok(Look::Done(()))
    })
    .await
}

/// Writes the kubeconfig as kind makes it.
pub async fn fetch_kubeconfig<P: Ports>(run: &Run<'_, P>) -> Result<()> {
    write_private(&run.kubeconfig(), &run.ports.clusters().kubeconfig(&run.lab.name).await?)
}

async fn create<P: Ports>(context: &Context<'_, P>, config: &str) -> Result<()> {
    let run = context.run;
    let docker = run.ports.docker();
    let image = images::engine_reference(run, "node").await?;
    if run.lab.cluster.cni == Cni::Kindnet && images::is_ours(docker, &image).await? {
        let what = "spec.cluster.cni: kindnet comes only inside kind's own node image, and this one is of our own make";
        let next = "cni: kube-router in the configuration; or lab up --images registry";
        return Err(Fault::new(Kind::Config, what).next(next).error());
    }
    // kind wants the upstream's name. The tag stays only while kind needs it, and a user's own is left alone.
    let lent = if run.lab.cluster.has_load_balancer() { lend_load_balancer(run).await? } else { None };
    let kubeconfig = run.kubeconfig();
    forget(&kubeconfig)?;
    let cluster = &run.lab.cluster;
    let ranges = [cluster.subnet, cluster.pod_subnet, cluster.service_subnet].map(|range| range.to_string());
    let direct: Vec<String> = [REGISTRY_ALIAS.to_owned()].into_iter().chain(ranges).collect();
    let spec = ClusterSpec {
        name: &run.lab.name,
        config,
        image: &image,
        network: &run.lab.name,
        kubeconfig: &kubeconfig,
        direct: &direct,
    };
    let mut note = |line| context.note(line);
    let result = tokio::select! {
        biased;
        result = run.ports.clusters().create(&spec, &mut note) => result,
        never = audit::keep_handing_out(run) => match never {},
    };
    if let Some(lent) = lent {
        lent.leave(async || docker.remove_tag(LOAD_BALANCER).await).await?;
    }
    if let Err(error) = result {
        return Err(explain(run, error).await);
    }
    restrict(&kubeconfig)?;
    audit::hand_out(run).await?;
    mirror(context).await?;
    until(context, async || Ok(forget_token(run).await)).await?;
    for container in containers(run).await? {
        docker.write_file(&container.name, FINISHED, b"").await?;
    }
    Ok(())
}

/// All nodes have joined: whoever reaches the API could become one.
async fn forget_token<P: Ports>(run: &Run<'_, P>) -> Look<()> {
    let metadata = json!({ "namespace": "kube-system", "name": BOOTSTRAP_TOKEN });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata });
    match run.ports.kube().delete(&secret).await {
        Ok(()) => Look::Done(()),
        Err(error) => Look::Pending(format!("the API does not answer yet: {error:#}")),
    }
}

/// Gives the load balancer the name that kind wants; none where it is not to be taken away again. Labs that are made
/// at the same time share it.
async fn lend_load_balancer<P: Ports>(run: &Run<'_, P>) -> Result<Option<Shared>> {
    let docker = run.ports.docker();
    let held = images::engine_reference(run, "load-balancer").await?;
    if held == LOAD_BALANCER {
        return Ok(None);
    }
    // Beside the folders of all labs, whose names have no dot.
    let share = shared::join(&run.state.with_file_name("load-balancer.lock")).await?;
    let id = |image: Option<ports::Image>| image.map(|image| image.id);
    let there = id(docker.image(LOAD_BALANCER).await?);
    if there.is_none() {
        docker.tag(&held, LOAD_BALANCER).await?;
    }
    // A run that was cut short may have left it.
    let ours = there.is_none() || there == id(docker.image(&held).await?);
    Ok(ours.then_some(share))
}

/// Adds the last log lines of a node that died to kind's own words.
async fn explain<P: Ports>(run: &Run<'_, P>, error: anyhow::Error) -> anyhow::Error {
    let dead = containers(run).await.unwrap_or_default().into_iter().find(|container| !container.running);
    let Some(container) = dead else { return error };
    let log = run.ports.docker().logs(&container.name, 10).await.unwrap_or_default();
    error.context(format!("node {} died; its last lines:\n{}", container.name, log.trim_end()))
}

/// Points a node of the upstream image at the lab's registry; ours are born with it.
async fn mirror<P: Ports>(context: &Context<'_, P>) -> Result<()> {
    let run = context.run;
    let content = format!("[host.\"http://{REGISTRY_ALIAS}:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n");
    for container in containers(run).await? {
        if container.name.ends_with("external-load-balancer") {
            continue;
        }
        if !run.ports.docker().has_file(&container.name, MIRROR_FILE).await? {
            run.ports.docker().write_file(&container.name, MIRROR_FILE, content.as_bytes()).await?;
        }
    }
    Ok(())
}

/// kind writes 0600 already; this holds whatever the umask and the version of kind.
fn restrict(path: &std::path::Path) -> Result<()> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs_err::set_permissions(path, permissions).context("protecting the kubeconfig")
}

/// kind merges with what is there, even with half a file, and a kind that was killed leaves its lock, which is a file.
fn forget(kubeconfig: &std::path::Path) -> Result<()> {
    for path in [kubeconfig.to_owned(), kubeconfig.with_extension("lock")] {
        match fs_err::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &std::path::Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut file = host::open_private(path)?;
    // One that was there before has the mode that somebody gave it.
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
