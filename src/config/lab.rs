//! The resolved configuration: every default filled in, every rule checked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::destination::Destinations;
use super::jvm_size::JvmSize;
use super::quantity::Quantity;
use super::subnet::Subnet;

/// A lab as it shall be. Stored in the cluster and compared on the next run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lab {
    pub name: String,
    pub cluster: Cluster,
    pub network: Network,
    pub images: Images,
    pub registry: Registry,
    pub spark_operator: SparkOperator,
    pub object_store: ObjectStore,
    pub airflow: Airflow,
    pub smoke: Smoke,
    pub people: People,
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

/// What the closed network of the lab's pods is opened for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Where jobs and Airflow may connect to outside the cluster, empty for nowhere.
    pub egress: Destinations,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cni {
    #[default]
    KubeRouter,
    Kindnet,
}

/// Where images come from; what nodes run is the same whatever the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    pub source: ImageSource,
    /// `HOST[:PORT][/PATH]` of the registry that stands in for all upstream ones, empty for none.
    pub mirror: String,
    /// A file of digests that replace those of the catalogue, empty for none.
    pub lock: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSource {
    /// What is here already, else the registry, else built from package registries.
    #[default]
    Auto,
    /// Image registries only.
    Registry,
    /// Built from package registries only.
    Build,
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
    pub storage: Quantity,
    pub bucket: String,
}

/// Bucket that `lab dags push` fills; who may write it may do whatever Airflow may.
pub const DAGS_BUCKET: &str = "dags";
/// Bucket of the sample DAGs.
pub const SAMPLE_DAGS_BUCKET: &str = "sample-dags";
/// Bucket of the logs of Airflow's tasks.
pub const LOGS_BUCKET: &str = "airflow-logs";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Airflow {
    pub enabled: bool,
    pub executor: Executor,
    /// How many tasks run at a time.
    pub parallelism: u16,
    /// Size of the database's volume.
    pub storage: Quantity,
    pub replicas: Replicas,
    pub dags: Dags,
}

/// Where Airflow's tasks run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Executor {
    /// In the scheduler's pod.
    #[default]
    Local,
    /// Each in a pod of its own.
    Kubernetes,
}

/// How many there are of each of Airflow's processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replicas {
    pub api_server: u8,
    pub scheduler: u8,
    pub dag_processor: u8,
    pub triggerer: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dags {
    /// Whether the sample DAGs are there.
    pub samples: bool,
    pub git: Git,
}

/// A repository of DAGs beside the bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Git {
    /// Address of the repository, empty for none.
    pub url: String,
    /// Branch, tag or commit.
    pub reference: String,
    /// The folder in it that holds DAGs, empty for its root.
    pub folder: String,
    /// Secret in Airflow's namespace with the keys `username` and `password`, empty for a public repository.
    pub secret: String,
}

/// Who works with the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct People {
    /// How long a client certificate is good for.
    pub certificate_seconds: u32,
    /// Besides `admin`, `edit` and `view`, which every lab has.
    pub users: BTreeMap<String, Role>,
    /// Besides that of Spark jobs.
    pub namespaces: Vec<String>,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Admin,
    Edit,
    View,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Admin, Self::Edit, Self::View];

    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Edit => "edit",
            Self::View => "view",
        }
    }
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

impl Smoke {
    /// What the driver and three executors ask of the nodes, in bytes.
    pub fn memory(&self) -> u64 {
        self.driver.memory_with_overhead() + 3 * self.executor.memory_with_overhead()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    pub cpu_request: Quantity,
    pub memory: JvmSize,
}

impl Size {
    /// The heap and what Spark adds to it for Python: 40 %, at least 384 MiB
    /// (`spark.kubernetes.memoryOverheadFactor`), in bytes.
    fn memory_with_overhead(&self) -> u64 {
        let heap = self.memory.bytes();
        heap + (heap * 2 / 5).max(384 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn small_heaps_get_the_least_overhead_and_large_ones_their_share() {
        let of = |memory: &str| {
            Size { cpu_request: Default::default(), memory: memory.parse().unwrap() }.memory_with_overhead()
        };
        assert_eq!(of("512m"), (512 + 384) << 20);
        assert_eq!(of("10g"), 14 << 30);
    }
}
