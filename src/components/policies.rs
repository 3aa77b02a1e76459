//! Network policies: every namespace closed, every flow opened on both of its sides.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::{AIRFLOW_NAMESPACE, JOBS_NAMESPACE, OPERATOR_NAMESPACE, STORE_NAMESPACE, Site};
use crate::config::{Destination, Lab, Subnet};
use crate::flows::{self, Party, Pod};
use crate::render;
use crate::step::{Action, Step};

/// Before any pod: a connection that stands is not cut by a policy that comes later.
pub fn step(site: &Site<'_>) -> Result<Step> {
    Ok(Step {
        id: "policies",
        title: "network closed but for what the lab needs".to_owned(),
        needs: vec!["namespaces"],
        deadline: Duration::from_mins(1),
        action: Action::Policies { objects: objects(site)? },
    })
}

/// The policies, with a stand-in for the addresses of the control planes.
pub fn objects(site: &Site<'_>) -> Result<Vec<Value>> {
    let lab = site.lab;
    let values = json!({
        "namespaces": site.namespace_names(),
        "spark_operator": lab.spark_operator.enabled,
        "object_store": lab.object_store.enabled,
        "airflow": lab.airflow.enabled,
        "operator": OPERATOR_NAMESPACE,
        "jobs": JOBS_NAMESPACE,
        "store": STORE_NAMESPACE,
        "airflow_namespace": AIRFLOW_NAMESPACE,
        "egress": egress(lab),
        "opened": opened(lab),
    });
    render::objects(render::POLICIES, &values)
}

/// What the configuration opens. A range that holds one of the lab's own leaves that out: it is opened flow by flow.
fn egress(lab: &Lab) -> Vec<Value> {
    let cluster = &lab.cluster;
    let own = [cluster.subnet, cluster.pod_subnet, cluster.service_subnet];
    let block = |range: Subnet| {
        let except: Vec<Subnet> =
            own.into_iter().filter(|own| range.prefix < own.prefix && range.contains(own.address)).collect();
        if except.is_empty() { json!({ "cidr": range }) } else { json!({ "cidr": range, "except": except }) }
    };
    let opening =
        |Destination { range, port }: &Destination| json!({ "block": block(*range).to_string(), "port": port });
    lab.network.egress.0.iter().map(opening).collect()
}

/// Whom it is opened for: all pods beside jobs, and Airflow without its database.
fn opened(lab: &Lab) -> Vec<Value> {
    let mut opened = Vec::new();
    if !lab.network.egress.0.is_empty() {
        let jobs = lab.spark_operator.enabled || lab.object_store.enabled;
        opened.extend(jobs.then(|| json!({ "namespace": JOBS_NAMESPACE, "selector": "{}" })));
        let airflow = r#"{"matchLabels": {"app.kubernetes.io/name": "airflow"}}"#;
        opened.extend(lab.airflow.enabled.then(|| json!({ "namespace": AIRFLOW_NAMESPACE, "selector": airflow })));
    }
    opened
}

/// Pods that no workload of the lab makes: Spark, Airflow or people do.
pub fn guests(lab: &Lab) -> Vec<(String, Pod)> {
    let mut guests = Vec::new();
    let mut add = |name: &str, pod| guests.push((name.to_owned(), pod));
    if lab.spark_operator.enabled {
        add("driver", Pod::new(JOBS_NAMESPACE, &[("spark-role", "driver")]));
        add("executor", Pod::new(JOBS_NAMESPACE, &[("spark-role", "executor")]));
        add("bystander", Pod::new(JOBS_NAMESPACE, &[]));
    }
    if lab.airflow.enabled {
        let labels = [("app.kubernetes.io/name", "airflow"), ("app.kubernetes.io/component", "task")];
        add("task", Pod::new(AIRFLOW_NAMESPACE, &labels));
    }
    guests
}

/// Everybody in the table, with addresses as a cluster would have them, from the workloads among these objects.
pub fn parties(site: &Site<'_>, workloads: &[Value]) -> Vec<Party> {
    let cluster = &site.lab.cluster;
    let closed = flows::among(workloads, &site.namespace_names()).into_iter().chain(guests(site.lab));
    let dns = ("dns".to_owned(), Pod::new("kube-system", &[("k8s-app", "kube-dns")]));
    let pods = closed.map(|pod| (pod, true)).chain([(dns, false)]).zip(1..);
    let nowhere = Ipv4Addr::UNSPECIFIED;
    let pod = |(((name, pod), closed), index): (((String, Pod), bool), u32)| {
        let address = cluster.pod_subnet.host(index).unwrap_or(nowhere);
        Party { name, address, pod: Some(pod), closed }
    };
    let host = |(name, index): (&str, u32)| {
        let address = cluster.subnet.host(index).unwrap_or(nowhere);
        Party { name: name.to_owned(), address, pod: None, closed: false }
    };
    let hosts = [("control-plane", 2), ("worker", 3), ("registry", 4), ("outside", 5)];
    pods.map(pod).chain(hosts.map(host)).collect()
}

#[cfg(test)]
mod tests;
