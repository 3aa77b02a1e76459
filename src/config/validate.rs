//! Rules that tie several fields together.

use super::destination::Destination;
use super::lab::{Cluster, DAGS_BUCKET, LOGS_BUCKET, Lab, SAMPLE_DAGS_BUCKET};
use super::problem::Complaint;
use super::reading::Reading;
use super::subnet::Subnet;

const CONTROL_PLANES: &str = "spec.cluster.controlPlanes";
const WORKERS: &str = "spec.cluster.workers";
const SUBNET: &str = "spec.cluster.subnet";
const POD_SUBNET: &str = "spec.cluster.podSubnet";
const SERVICE_SUBNET: &str = "spec.cluster.serviceSubnet";
const API_PORT: &str = "spec.ports.api";
const REGISTRY_PORT: &str = "spec.ports.registry";
const EGRESS: &str = "spec.network.egress";
const BUCKET: &str = "spec.objectStore.bucket";
const OBJECT_STORE: &str = "spec.objectStore.enabled";
const AIRFLOW: &str = "spec.airflow.enabled";
const GIT_URL: &str = "spec.airflow.dags.git.url";
const GIT_SECRET: &str = "spec.airflow.dags.git.secret";
const SMOKE: &str = "spec.smoke.enabled";

pub fn check(lab: &Lab, reading: &mut Reading) {
    let cluster = &lab.cluster;
    apart(reading, (SUBNET, cluster.subnet), (POD_SUBNET, cluster.pod_subnet));
    apart(reading, (SUBNET, cluster.subnet), (SERVICE_SUBNET, cluster.service_subnet));
    apart(reading, (POD_SUBNET, cluster.pod_subnet), (SERVICE_SUBNET, cluster.service_subnet));
    room_for_containers(reading, cluster);
    room_for_pods(reading, cluster);
    if cluster.api_port == lab.registry.port {
        let message =
            format!("{} and {} are both {}", reading.name(API_PORT), reading.name(REGISTRY_PORT), cluster.api_port);
        reading.conflict(&[API_PORT, REGISTRY_PORT], Complaint::new(message).hint("choose two different ports"));
    }
    if lab.airflow.enabled && !lab.object_store.enabled {
        let message = format!("Airflow keeps DAGs and logs in the object store: it needs {OBJECT_STORE}: true");
        reading
            .conflict(&[AIRFLOW, OBJECT_STORE], Complaint::new(message).hint(format!("set that or {AIRFLOW}: false")));
    }
    opened(reading, lab);
    let bucket = lab.object_store.bucket.as_str();
    if lab.airflow.enabled && [DAGS_BUCKET, SAMPLE_DAGS_BUCKET, LOGS_BUCKET].contains(&bucket) {
        let message = format!("bucket {bucket} is Airflow's own: who writes there may do whatever Airflow may");
        reading.conflict(&[BUCKET, AIRFLOW], Complaint::new(message).hint("choose another name"));
    }
    let git = &lab.airflow.dags.git;
    if git.url.is_empty() && !git.secret.is_empty() {
        let message = format!("a login for no repository: {GIT_URL} is empty");
        reading.conflict(&[GIT_SECRET, GIT_URL], Complaint::new(message).hint("set the address, or leave it out"));
    }
    if lab.smoke.enabled {
        needed_by_smoke(reading, "spec.sparkOperator.enabled", lab.spark_operator.enabled);
        needed_by_smoke(reading, OBJECT_STORE, lab.object_store.enabled);
    }
}

/// What is opened lies outside the cluster; and what lies there has to be opened.
fn opened(reading: &mut Reading, lab: &Lab) {
    let cluster = &lab.cluster;
    for Destination { range, port } in &lab.network.egress.0 {
        let own =
            [(SUBNET, cluster.subnet), (POD_SUBNET, cluster.pod_subnet), (SERVICE_SUBNET, cluster.service_subnet)];
        let within = own.into_iter().find(|(_, own)| own.prefix <= range.prefix && own.contains(range.address));
        // Beside the nodes stand this machine and containers of others.
        let beside_nodes = range.prefix == 32 && cluster.subnet.contains(range.address);
        if let Some((path, own)) = within.filter(|_| !beside_nodes) {
            let message = format!("{range}:{port} lies in {path} {own}: the cluster's own network stays closed");
            let hint =
                format!("single addresses of {SUBNET} can be opened; {}/32 is this machine", cluster.subnet.gateway());
            reading.conflict(&[EGRESS, path], Complaint::new(message).hint(hint));
        }
    }
    let git = &lab.airflow.dags.git.url;
    if lab.airflow.enabled && !git.is_empty() && lab.network.egress.0.is_empty() {
        let message = format!("Airflow cannot reach {git}: nothing outside the cluster is open");
        let hint = format!("set {EGRESS} to the addresses and the port of its host, such as 140.82.112.0/20:443");
        reading.conflict(&[GIT_URL, EGRESS], Complaint::new(message).hint(hint));
    }
}

fn apart(reading: &mut Reading, (one, first): (&str, Subnet), (other, second): (&str, Subnet)) {
    if first.overlaps(second) {
        let message = format!("{one} {first} and {other} {second} overlap");
        reading.conflict(&[one, other], Complaint::new(message).hint("choose another range"));
    }
}

fn room_for_containers(reading: &mut Reading, cluster: &Cluster) {
    let nodes = u32::from(cluster.nodes());
    let (others, count) = if cluster.has_load_balancer() {
        ("load balancer, registry and gateway", 3)
    } else {
        ("registry and gateway", 2)
    };
    let needed = nodes + count;
    let hosts = cluster.subnet.hosts();
    if hosts < needed {
        let message = format!("{} holds {hosts} addresses, but {nodes} nodes, {others} need {needed}", cluster.subnet);
        let complaint = Complaint::new(message).hint("choose a larger range or fewer nodes");
        reading.conflict(&[SUBNET, WORKERS, CONTROL_PLANES], complaint);
    }
}

fn room_for_pods(reading: &mut Reading, cluster: &Cluster) {
    let nodes = u32::from(cluster.nodes());
    let parts = 1_u32 << 24_u8.saturating_sub(cluster.pod_subnet.prefix);
    if parts < nodes {
        let message =
            format!("{} holds {parts} ranges of /24, but each of {nodes} nodes needs one", cluster.pod_subnet);
        let complaint = Complaint::new(message).hint("choose a larger range or fewer nodes");
        reading.conflict(&[POD_SUBNET, WORKERS, CONTROL_PLANES], complaint);
    }
}

fn needed_by_smoke(reading: &mut Reading, path: &str, enabled: bool) {
    if !enabled {
        let message = format!("the smoke job needs {path}: true");
        reading.conflict(&[SMOKE, path], Complaint::new(message).hint(format!("set that or {SMOKE}: false")));
    }
}
