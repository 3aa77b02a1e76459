//! Where the lab's components write their logs.

use crate::components::{AIRFLOW_NAMESPACE, OPERATOR_NAMESPACE, STORE_NAMESPACE};
use crate::config::{Cni, Lab};

/// Where a component's log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Pods with these labels.
    Pods { namespace: &'static str, labels: &'static str },
    /// A container of the Docker engine.
    Container(String),
    /// The audit log on every control plane.
    Audit,
}

const SYSTEM: &str = "kube-system";

/// Names of all components that any lab can have, for completions.
pub const NAMES: [&str; 20] = [
    "minio",
    "postgres",
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "spark-operator",
    "webhook",
    "coredns",
    "local-path",
    "kube-router",
    "kindnet",
    "kube-proxy",
    "kube-apiserver",
    "kube-scheduler",
    "kube-controller-manager",
    "etcd",
    "audit",
    "load-balancer",
    "registry",
];

/// The components of this lab, in the order of [`NAMES`].
pub fn components(lab: &Lab) -> Vec<(&'static str, Place)> {
    NAMES.into_iter().filter_map(|name| Some((name, component(lab, name)?))).collect()
}

/// Where a component's log is; none where this lab has no such component.
fn component(lab: &Lab, name: &str) -> Option<Place> {
    let pods = |namespace, labels| Some(Place::Pods { namespace, labels });
    let container = |role: &str| Some(Place::Container(format!("{}-{role}", lab.name)));
    match name {
        "minio" if lab.object_store.enabled => pods(STORE_NAMESPACE, "app.kubernetes.io/name=minio"),
        "postgres" if lab.airflow.enabled => pods(AIRFLOW_NAMESPACE, "app.kubernetes.io/name=postgres"),
        "airflow-api-server" if lab.airflow.enabled => {
            pods(AIRFLOW_NAMESPACE, "app.kubernetes.io/name=airflow,app.kubernetes.io/component=api-server")
        }
        "airflow-scheduler" if lab.airflow.enabled => {
            pods(AIRFLOW_NAMESPACE, "app.kubernetes.io/name=airflow,app.kubernetes.io/component=scheduler")
        }
        "airflow-dag-processor" if lab.airflow.enabled => {
            pods(AIRFLOW_NAMESPACE, "app.kubernetes.io/name=airflow,app.kubernetes.io/component=dag-processor")
        }
        "airflow-triggerer" if lab.airflow.enabled && lab.airflow.replicas.triggerer > 0 => {
            pods(AIRFLOW_NAMESPACE, "app.kubernetes.io/name=airflow,app.kubernetes.io/component=triggerer")
        }
        "spark-operator" if lab.spark_operator.enabled => {
            pods(OPERATOR_NAMESPACE, "app.kubernetes.io/name=spark-operator-controller")
        }
        "webhook" if lab.spark_operator.enabled => {
            pods(OPERATOR_NAMESPACE, "app.kubernetes.io/name=spark-operator-webhook")
        }
        "coredns" => pods(SYSTEM, "k8s-app=kube-dns"),
        "local-path" => pods("local-path-storage", "app=local-path-provisioner"),
        "kube-router" if lab.cluster.cni == Cni::KubeRouter => pods(SYSTEM, "k8s-app=kube-router"),
        "kindnet" if lab.cluster.cni == Cni::Kindnet => pods(SYSTEM, "app=kindnet"),
        "kube-proxy" => pods(SYSTEM, "k8s-app=kube-proxy"),
        "kube-apiserver" => pods(SYSTEM, "component=kube-apiserver"),
        "kube-scheduler" => pods(SYSTEM, "component=kube-scheduler"),
        "kube-controller-manager" => pods(SYSTEM, "component=kube-controller-manager"),
        "etcd" => pods(SYSTEM, "component=etcd"),
        "audit" => Some(Place::Audit),
        "load-balancer" if lab.cluster.has_load_balancer() => container("external-load-balancer"),
        "registry" => container("registry"),
        _ => None,
    }
}
