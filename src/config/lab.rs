//! The resolved configuration: every default filled in, every rule checked.

use serde::Serialize;

use super::subnet::Subnet;

/// A lab as it shall be. Stored in the cluster and compared on the next run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lab {
    pub name: String,
    pub cluster: Cluster,
    pub registry: Registry,
    pub spark_operator: SparkOperator,
    pub object_store: ObjectStore,
    pub smoke: Smoke,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    pub control_planes: u8,
    pub workers: u8,
    pub cni: Cni,
    /// The Docker network of the nodes.
    pub subnet: Subnet,
    pub pod_subnet: Subnet,
    pub service_subnet: Subnet,
    /// On loopback.
    pub api_port: u16,
}

impl Cluster {
    pub fn nodes(&self) -> u8 {
        self.control_planes + self.workers
    }

    /// One control plane needs none: its own address is the API's.
    pub fn has_load_balancer(&self) -> bool {
        self.control_planes > 1
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cni {
    KubeRouter,
    Kindnet,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registry {
    /// On loopback.
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SparkOperator {
    pub enabled: bool,
    /// How long a finished job stays before it is deleted.
    pub keep_finished_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStore {
    pub enabled: bool,
    /// A Kubernetes quantity.
    pub storage: String,
    pub bucket: String,
}

/// The job that proves the lab; it always has three executors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Smoke {
    pub enabled: bool,
    pub pages: u32,
    pub iterations: u32,
    pub driver: Size,
    pub executor: Size,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// A Kubernetes quantity.
    pub cpu_request: String,
    /// A JVM size such as `512m`.
    pub memory: String,
}
