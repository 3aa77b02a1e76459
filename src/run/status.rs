//! What is there: nodes, components, addresses, certificates of people, the last smoke verdict.

use std::time::Duration;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::nodes::why_not_ready;
use super::people::CertificateStatus;
use super::{Record, Run, apply, cluster, people, registry};
use crate::components::people::{home, people as everybody};
use crate::components::{AIRFLOW_NAMESPACE, LABEL, OPERATOR_NAMESPACE, STORE_NAMESPACE, Site, airflow};
use crate::ports::{Clusters as _, Container, Docker as _, Kind, Kube as _, Ports};

/// How long the Kubernetes API may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The port on which the API listens inside its container.
const API: u16 = 6443;

/// A lab as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status {
    pub name: String,
    /// True where everything that is configured is there and ready.
    pub healthy: bool,
    /// Loopback address of the Kubernetes API, none where no container serves it.
    pub api: Option<String>,
    /// Loopback address of the registry, none where it does not run.
    pub registry: Option<String>,
    /// Path of the kubeconfig file.
    pub kubeconfig: Option<String>,
    pub versions: Versions,
    /// What could not be seen, one sentence each.
    pub unseen: Vec<String>,
    pub nodes: Vec<Node>,
    pub components: Vec<Component>,
    /// The certificate of each person; none where there is no cluster.
    pub people: Vec<CertificateStatus>,
    /// The last smoke job, none where none has come to its end or it cannot be seen.
    pub smoke: Option<Record>,
}

/// What the lab is made of and with.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Versions {
    /// This program.
    pub lab: String,
    /// The kind program on this machine, none where there is none.
    pub kind: Option<String>,
    /// The first node's kubelet, none where the API does not answer.
    pub kubernetes: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Node {
    pub name: String,
    /// On the lab's network.
    pub address: Option<String>,
    pub ready: bool,
    /// Kubelet version, or why it is not ready.
    pub detail: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Component {
    pub name: String,
    pub ready: bool,
}

/// Looks; changes nothing. An API that does not answer is part of the picture, not an error.
///
/// # Errors
/// When the Docker engine fails.
pub async fn status<P: Ports>(run: &Run<'_, P>) -> Result<Status> {
    let lab = run.lab;
    let containers = cluster::containers(run).await?;
    let own = run.ports.docker().containers(&format!("{LABEL}={}", lab.name)).await?;
    let kubeconfig = run.kubeconfig();
    let mut status = Status {
        name: lab.name.clone(),
        healthy: false,
        api: api_port(run, &containers).map(|port| format!("https://127.0.0.1:{port}")),
        registry: port(&own, &registry::name(lab), registry::INSIDE).map(|port| format!("http://127.0.0.1:{port}")),
        kubeconfig: kubeconfig.is_file().then(|| kubeconfig.display().to_string()),
        versions: Versions {
            lab: env!("CARGO_PKG_VERSION").to_owned(),
            kind: run.ports.clusters().version().await.ok(),
            kubernetes: None,
        },
        unseen: Vec::new(),
        nodes: Vec::new(),
        components: Vec::new(),
        people: Vec::new(),
        smoke: None,
    };
    if status.kubeconfig.is_some() {
        status.people = certificates(run, &mut status.unseen);
    }
    let seen = if status.kubeconfig.is_some() && !containers.is_empty() {
        patiently(run.ports.kube().list(&Kind::NODE, None, ""), &mut status.unseen).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let version = |node: &Value| Some(node.pointer("/status/nodeInfo/kubeletVersion")?.as_str()?.to_owned());
    status.versions.kubernetes = seen.iter().find_map(version);
    for container in containers.iter().filter(|container| !cluster::is_load_balancer(container)) {
        let live = seen.iter().find(|node| node["metadata"]["name"] == container.name.as_str());
        let address = container.addresses.get(&lab.name).and_then(|address| address.current);
        let why = match live {
            _ if !container.running => Some("container is stopped".to_owned()),
            Some(node) => why_not_ready(node),
            None => Some("unknown to the API, or the API does not answer".to_owned()),
        };
        status.nodes.push(Node {
            name: container.name.clone(),
            address: address.map(|address| address.to_string()),
            ready: why.is_none(),
            detail: why.unwrap_or_else(|| live.and_then(version).unwrap_or_default()),
        });
    }
    if !seen.is_empty() {
        let inside = async { Ok((components(run).await, Record::read(run.ports.kube()).await?)) };
        if let Some((components, smoke)) = patiently(inside, &mut status.unseen).await {
            (status.components, status.smoke) = (components, smoke);
        }
    }
    status.healthy = status.unseen.is_empty()
        && !status.nodes.is_empty()
        && status.nodes.iter().all(|node| node.ready)
        && status.components.iter().all(|part| part.ready);
    Ok(status)
}

/// As the files say; none, and a sentence about it, where it cannot be told of which cluster they are to be.
fn certificates<P: Ports>(run: &Run<'_, P>, unseen: &mut Vec<String>) -> Vec<CertificateStatus> {
    let site = Site { lab: run.lab, catalogue: run.catalogue };
    let lifetime = run.lab.people.certificate_seconds;
    let found = people::certificates(run, &everybody(&site), lifetime, home(&site).as_deref());
    found.unwrap_or_else(|error| {
        unseen.push(format!("the certificates of people cannot be looked at: {error:#}"));
        Vec::new()
    })
}

/// What the API answers in time; otherwise none, and a sentence about it.
async fn patiently<T>(answer: impl Future<Output = Result<T>>, unseen: &mut Vec<String>) -> Option<T> {
    let why = match timeout(PATIENCE, answer).await {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => format!("the Kubernetes API does not answer: {error:#}"),
        Err(_) => format!("the Kubernetes API does not answer within {} s", PATIENCE.as_secs()),
    };
    unseen.push(why);
    None
}

/// Every control plane has a port of its own; with a load balancer, that one's counts.
fn api_port(run: &Run<'_, impl Ports>, containers: &[Container]) -> Option<u16> {
    let front = containers.iter().find(|container| cluster::is_load_balancer(container));
    let name = front.map_or_else(|| format!("{}-control-plane", run.lab.name), |container| container.name.clone());
    port(containers, &name, API)
}

/// The loopback port under which a container's port is reached, none where it does not run.
fn port(containers: &[Container], name: &str, inside: u16) -> Option<u16> {
    let container = containers.iter().find(|container| container.name == name && container.running)?;
    container.ports.get(&inside).copied()
}

async fn components<P: Ports>(run: &Run<'_, P>) -> Vec<Component> {
    let mut components = Vec::new();
    if run.lab.spark_operator.enabled {
        for name in ["controller", "webhook"] {
            let ready = ready(run, "Deployment", OPERATOR_NAMESPACE, name).await;
            components.push(Component { name: format!("Spark Operator, {name}"), ready });
        }
    }
    if run.lab.object_store.enabled {
        let ready = ready(run, "StatefulSet", STORE_NAMESPACE, "minio").await;
        components.push(Component { name: "MinIO".to_owned(), ready });
    }
    if run.lab.airflow.enabled {
        let ready = ready(run, "StatefulSet", AIRFLOW_NAMESPACE, "postgres").await;
        components.push(Component { name: "PostgreSQL".to_owned(), ready });
        for name in airflow::processes(&run.lab.airflow) {
            let ready = self::ready(run, "Deployment", AIRFLOW_NAMESPACE, name).await;
            components.push(Component { name: format!("Airflow, {name}"), ready });
        }
    }
    components
}

async fn ready<P: Ports>(run: &Run<'_, P>, kind: &str, namespace: &str, name: &str) -> bool {
    let id: Value =
        json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "namespace": namespace, "name": name } });
    run.ports.kube().get(&id).await.ok().flatten().is_some_and(|live| apply::is_ready(&live))
}
