//! What a lab is made of: one file an installed thing, each a pure function
//! from the resolved lab to steps.

pub mod airflow;
pub mod cluster;
pub mod firewall;
pub mod network;
pub mod object_store;
pub mod people;
pub mod policies;
pub mod postgres;
pub mod registry;
pub mod smoke;
pub mod spark_operator;

use anyhow::Result;
use serde_json::Value;

use crate::config::Lab;
pub use crate::config::{DAGS_BUCKET, LOGS_BUCKET, SAMPLE_DAGS_BUCKET};
use crate::images::Catalogue;
use crate::render;

/// Namespace of Spark Operator; no person has rights there.
pub const OPERATOR_NAMESPACE: &str = "spark-operator";
/// Namespace of the object store.
pub const STORE_NAMESPACE: &str = "object-store";
/// Namespace of Airflow and its database.
pub const AIRFLOW_NAMESPACE: &str = "airflow";
/// Namespace in which people's Spark jobs run.
pub const JOBS_NAMESPACE: &str = "spark-jobs";
/// Namespace in which the lab keeps its own records; no pod runs there.
pub const SYSTEM_NAMESPACE: &str = "lab-system";
/// Service account of Spark drivers.
pub const DRIVER_ACCOUNT: &str = "spark";
/// Secret with `MinIO`'s root user.
pub const ROOT_SECRET: &str = "minio-root";
/// Secret with the S3 keys of Spark jobs.
pub const JOBS_SECRET: &str = "object-store";
/// Secret with the S3 keys of Airflow.
pub const AIRFLOW_STORE_SECRET: &str = "object-store";
/// Secret with the passwords of Airflow's users.
pub const AIRFLOW_USERS_SECRET: &str = "users";
/// The object store as pods reach it.
pub const STORE_ENDPOINT: &str = "http://minio.object-store.svc:9000";
/// Airflow as pods reach it.
pub const AIRFLOW_ENDPOINT: &str = "http://api-server.airflow.svc:8080";
/// The `ConfigMap` in [`SYSTEM_NAMESPACE`] that records the lab and its last smoke verdict.
pub const RECORD: &str = "lab";

/// Docker label on everything of a lab; its value is the lab's name.
pub const LABEL: &str = "dev.lab.name";
/// The label that kind puts on its containers.
pub const KIND_LABEL: &str = "io.x-k8s.kind.cluster";
/// Name under which nodes reach the lab's registry; the node image's configuration names it.
pub const REGISTRY_ALIAS: &str = "registry.lab";

/// Everything a component may look at.
pub struct Site<'a> {
    pub lab: &'a Lab,
    pub catalogue: &'a Catalogue,
}

impl<'a> Site<'a> {
    /// The namespaces of the components that are enabled, and those for people.
    pub fn namespaces(&self) -> Result<Vec<Value>> {
        render::objects(render::NAMESPACES, &serde_json::json!({ "namespaces": self.namespace_names() }))
    }

    /// Their names.
    pub fn namespace_names(&self) -> Vec<&'a str> {
        let lab = self.lab;
        let mut names = vec![SYSTEM_NAMESPACE];
        names.extend(lab.spark_operator.enabled.then_some(OPERATOR_NAMESPACE));
        names.extend(lab.object_store.enabled.then_some(STORE_NAMESPACE));
        names.extend(lab.airflow.enabled.then_some(AIRFLOW_NAMESPACE));
        names.extend(self.has_jobs().then_some(JOBS_NAMESPACE));
        names.extend(lab.people.namespaces.iter().map(String::as_str));
        names
    }

    /// Whether there is a namespace for Spark jobs.
    pub fn has_jobs(&self) -> bool {
        self.lab.spark_operator.enabled || self.lab.object_store.enabled
    }

    /// Names of the images that nodes pull, in the order in which they are needed.
    pub fn node_images(&self) -> Vec<String> {
        let lab = self.lab;
        let mut names = vec!["pause", "kube", "etcd", "coredns", "local-path", "probe"];
        names.extend((lab.cluster.cni == crate::config::Cni::KubeRouter).then_some("kube-router"));
        names.extend(lab.object_store.enabled.then_some("minio"));
        names.extend(lab.spark_operator.enabled.then_some("spark-operator"));
        names.extend(lab.spark_operator.enabled.then_some("spark"));
        names.extend(lab.airflow.enabled.then_some("postgres"));
        names.extend(lab.airflow.enabled.then_some("airflow"));
        names.into_iter().map(str::to_owned).collect()
    }

    /// Names of the images that Docker itself runs.
    pub fn engine_images(&self) -> Vec<String> {
        let mut names = vec!["node", "registry"];
        names.extend((self.lab.cluster.control_planes > 1).then_some("load-balancer"));
        names.into_iter().map(str::to_owned).collect()
    }
}
