//! What is there: nodes, components, addresses, the last smoke verdict.

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use super::nodes::why_not_ready;
use super::{Record, Run, apply, cluster};
use crate::components::{LABEL, OPERATOR_NAMESPACE, STORE_NAMESPACE};
use crate::ports::{Docker as _, Kind, Kube as _, Ports};

/// A lab as it is now.
#[derive(Debug, Serialize)]
pub struct Status {
    pub name: String,
    /// Loopback address of the Kubernetes API, none where there is no cluster.
    pub api: Option<String>,
    pub registry: Option<String>,
    pub kubeconfig: Option<String>,
    pub nodes: Vec<Node>,
    pub components: Vec<Component>,
    pub smoke: Option<Record>,
}

#[derive(Debug, Serialize)]
pub struct Node {
    pub name: String,
    pub address: Option<String>,
    pub ready: bool,
    /// Kubelet version, or why it is not ready.
    pub detail: String,
}

#[derive(Debug, Serialize)]
pub struct Component {
    pub name: String,
    pub ready: bool,
}

impl Status {
    /// True where everything that is configured is there and ready.
    pub fn healthy(&self) -> bool {
        !self.nodes.is_empty()
            && self.nodes.iter().all(|node| node.ready)
            && self.components.iter().all(|part| part.ready)
    }
}

/// Looks; changes nothing.
pub async fn status<P: Ports>(run: &Run<'_, P>) -> Result<Status> {
    let lab = run.lab;
    let containers = cluster::containers(run).await?;
    let own = run.ports.docker().containers(&format!("{LABEL}={}", lab.name)).await?;
    let kubeconfig = run.kubeconfig();
    let mut status = Status {
        name: lab.name.clone(),
        api: (!containers.is_empty()).then(|| format!("https://127.0.0.1:{}", lab.cluster.api_port)),
        registry: own.iter().any(|one| one.running).then(|| format!("http://127.0.0.1:{}", lab.registry.port)),
        kubeconfig: kubeconfig.is_file().then(|| kubeconfig.display().to_string()),
        nodes: Vec::new(),
        components: Vec::new(),
        smoke: None,
    };
    let seen = if status.kubeconfig.is_some() {
        run.ports.kube().list(&Kind::NODE, None, "").await.unwrap_or_default()
    } else {
        Vec::new()
    };
    for container in containers.iter().filter(|container| !container.name.ends_with("external-load-balancer")) {
        let live = seen.iter().find(|node| node["metadata"]["name"] == container.name.as_str());
        let address = container.addresses.get(&lab.name).and_then(|address| address.current);
        let why = match live {
            _ if !container.running => Some("container is stopped".to_owned()),
            Some(node) => why_not_ready(node),
            None => Some("unknown to the API, or the API does not answer".to_owned()),
        };
        let version =
            live.and_then(|node| node.pointer("/status/nodeInfo/kubeletVersion")?.as_str()).unwrap_or_default();
        status.nodes.push(Node {
            name: container.name.clone(),
            address: address.map(|address| address.to_string()),
            ready: why.is_none(),
            detail: why.unwrap_or_else(|| version.to_owned()),
        });
    }
    if seen.is_empty() {
        return Ok(status);
    }
    if lab.spark_operator.enabled {
        for name in ["controller", "webhook"] {
            let ready = ready(run, "Deployment", OPERATOR_NAMESPACE, name).await;
            status.components.push(Component { name: format!("Spark Operator, {name}"), ready });
        }
    }
    if lab.object_store.enabled {
        let ready = ready(run, "StatefulSet", STORE_NAMESPACE, "minio").await;
        status.components.push(Component { name: "MinIO".to_owned(), ready });
    }
    status.smoke = Record::read(run.ports.kube()).await?;
    Ok(status)
}

async fn ready<P: Ports>(run: &Run<'_, P>, kind: &str, namespace: &str, name: &str) -> bool {
    let id: Value =
        json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "namespace": namespace, "name": name } });
    run.ports.kube().get(&id).await.ok().flatten().is_some_and(|live| apply::is_ready(&live))
}
