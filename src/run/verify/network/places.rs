//! Where everybody of the table is: pods with the process that holds their network, nodes, and what is outside.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use serde_json::Value;

use super::canary;
use super::cast::{self, Cast};
use super::probe::Stand;
use crate::components::{Site, policies};
use crate::flows::{Pod, among};
use crate::plan::Plan;
use crate::ports::{Container, Docker as _, Kind, Kube as _, Ports};
use crate::run::{Run, cluster, registry};
use crate::step::Action;

/// One pod, node or container.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name in the table.
    pub party: String,
    /// Its own name.
    pub name: String,
    pub address: Ipv4Addr,
    /// The node it is or is on, none outside.
    pub node: Option<String>,
    /// From where it connects.
    pub stand: Stand,
    /// From where it is shown to listen: its own network, or one that is let in.
    pub witness: Stand,
    /// True of pods of the lab.
    pub closed: bool,
}

/// Everybody.
pub struct Places {
    pub all: Vec<Place>,
    pub canaries: Vec<Place>,
    /// Address of the cluster's DNS.
    pub dns: Ipv4Addr,
    outside: Place,
}

impl Places {
    pub async fn find<P: Ports>(run: &Run<'_, P>, plan: &Plan, cast: &Cast) -> Result<Self> {
        let containers = cluster::containers(run).await?;
        let nodes: Vec<&Container> = containers.iter().filter(|one| !cluster::is_load_balancer(one)).collect();
        let tasks = try_join_all(nodes.iter().map(|node| tasks(run, &node.name))).await?;
        let tasks: BTreeMap<String, u32> = tasks.into_iter().flatten().collect();
        let pods = run.ports.kube().list(&Kind::POD, None, "").await?;
        let pods: Vec<&Value> = pods.iter().filter(|pod| cast::runs(pod)).collect();
        let mut all = Vec::new();
        for (party, wanted, closed) in parties(run, plan, cast) {
            for pod in pods.iter().filter(|pod| is(pod, &wanted)) {
                all.push(place(&party, pod, &tasks, closed)?);
            }
        }
        let canary = |pod: &&&Value| pod.pointer("/metadata/labels").is_some_and(|it| it[canary::LABEL] == "canary");
        let canaries =
            pods.iter().filter(canary).map(|pod| place("canary", pod, &tasks, true)).collect::<Result<_>>()?;
        for node in nodes {
            let party = if node.name.contains("-control-plane") { "control-plane" } else { "worker" };
            all.push(machine(party, node, Some(&node.name), &run.lab.name)?);
        }
        let own = run.ports.docker().all_containers().await?;
        let container = |name: String| {
            own.iter().find(|one| one.name == name).with_context(|| format!("container {name} is not there"))
        };
        let mut registry = machine("registry", container(registry::name(run.lab))?, None, &run.lab.name)?;
        // Its image may have no Perl; nodes pull from it.
        registry.witness = Stand { container: cast::nodes(run).remove(0), process: None };
        all.push(registry);
        let outside = machine("outside", container(cast::outside(run))?, None, &run.lab.name)?;
        debug_assert_eq!(outside.address, cast.outside);
        all.push(outside.clone());
        let dns = run.lab.cluster.service_subnet.host(10).context("the Service subnet has a tenth address")?;
        Ok(Self { all, canaries, dns, outside })
    }

    /// Nodes and a machine outside alone.
    #[cfg(test)]
    pub fn of_nodes(all: Vec<Place>, outside: Place) -> Self {
        Self { all, canaries: Vec::new(), dns: Ipv4Addr::UNSPECIFIED, outside }
    }

    pub fn outside(&self) -> &Place {
        &self.outside
    }

    pub fn nodes(&self) -> impl Iterator<Item = &Place> {
        self.all.iter().filter(|place| place.party == "control-plane" || place.party == "worker")
    }

    pub fn of<'a>(&'a self, party: &'a str) -> impl Iterator<Item = &'a Place> {
        self.all.iter().filter(move |place| place.party == party)
    }
}

/// The pods of the table: name, what they are known by, and whether they are the lab's. Of Spark's those of the cast:
/// others may end at any time.
fn parties<P: Ports>(run: &Run<'_, P>, plan: &Plan, cast: &Cast) -> Vec<(String, Pod, bool)> {
    let objects = |action: &Action| match action {
        Action::Apply { objects, .. } => objects.clone(),
        _ => Vec::new(),
    };
    let workloads: Vec<Value> = plan.steps.iter().flat_map(|step| objects(&step.action)).collect();
    let namespaces = Site { lab: run.lab, catalogue: run.catalogue }.namespace_names();
    let mut guests = policies::guests(run.lab);
    for (_, pod) in guests.iter_mut().filter(|(_, pod)| pod.labels.contains_key("spark-role")) {
        pod.labels.extend(cast.label());
    }
    let closed = among(&workloads, &namespaces).into_iter().chain(guests);
    let dns = Pod::new("kube-system", &[("k8s-app", "kube-dns")]);
    closed.map(|(name, pod)| (name, pod, true)).chain([("dns".to_owned(), dns, false)]).collect()
}

/// True where a live pod is known by this.
fn is(pod: &Value, wanted: &Pod) -> bool {
    let labels = &pod["metadata"]["labels"];
    // A bystander is known by what it has not.
    let bystander = wanted.labels.is_empty();
    let role = labels.get("spark-role").is_some();
    pod["metadata"]["namespace"] == wanted.namespace.as_str()
        && wanted.labels.iter().all(|(key, value)| labels[key] == value.as_str())
        && !(bystander && role)
}

fn place(party: &str, pod: &Value, tasks: &BTreeMap<String, u32>, closed: bool) -> Result<Place> {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").unwrap_or("?");
    let unknown = || format!("pod {name} has no address, node or process yet");
    let id = text("/status/containerStatuses/0/containerID").and_then(|id| id.strip_prefix("containerd://"));
    let node = text("/spec/nodeName").with_context(unknown)?;
    let process = id.and_then(|id| tasks.get(id)).copied().with_context(unknown)?;
    let stand = Stand { container: node.to_owned(), process: Some(process) };
    Ok(Place {
        party: party.to_owned(),
        name: name.to_owned(),
        address: text("/status/podIP").and_then(|address| address.parse().ok()).with_context(unknown)?,
        node: Some(node.to_owned()),
        witness: stand.clone(),
        stand,
        closed,
    })
}

fn machine(party: &str, container: &Container, node: Option<&str>, network: &str) -> Result<Place> {
    let address = container.addresses.get(network).and_then(|address| address.current);
    let stand = Stand { container: container.name.clone(), process: None };
    Ok(Place {
        party: party.to_owned(),
        name: container.name.clone(),
        address: address.with_context(|| format!("container {} has no address", container.name))?,
        node: node.map(str::to_owned),
        witness: stand.clone(),
        stand,
        closed: false,
    })
}

/// Containers of a node's pods, each with its first process.
async fn tasks<P: Ports>(run: &Run<'_, P>, node: &str) -> Result<Vec<(String, u32)>> {
    let output = run.ports.docker().exec(node, &["ctr", "--namespace", "k8s.io", "tasks", "ls"]).await?;
    anyhow::ensure!(output.code == 0, "{node}: ctr: {}", output.quoted());
    Ok(running(&output.text()))
}

fn running(text: &str) -> Vec<(String, u32)> {
    let task = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    };
    text.lines().filter_map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_head_of_the_list_is_no_task() {
        assert_eq!(running("TASK    PID    STATUS\nabc    12    RUNNING\n"), [("abc".to_owned(), 12)]);
    }

    #[test]
    fn a_bystander_has_no_role() {
        let pod = |labels: Value| json!({ "metadata": { "namespace": "spark-jobs", "labels": labels } });
        let bystander = Pod::new("spark-jobs", &[]);
        assert!(is(&pod(json!({ "a": "b" })), &bystander));
        assert!(!is(&pod(json!({ "spark-role": "driver" })), &bystander));
        assert!(is(&pod(json!({ "spark-role": "driver" })), &Pod::new("spark-jobs", &[("spark-role", "driver")])));
    }
}
