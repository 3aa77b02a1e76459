//! A step of a plan: what is to be true afterwards, as data.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::config::{Git, Role};
use crate::dags::{Folder, Order};
use crate::jobs::Job;

/// One step. Steps whose `needs` are met run at the same time.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Short unique name, used in `needs` and on the screen.
    pub id: &'static str,
    /// What will be true when the step is done.
    pub title: String,
    /// Ids of the steps that must be done before.
    pub needs: Vec<&'static str>,
    /// The longest it may take, waiting included.
    #[serde(rename = "deadlineSeconds", serialize_with = "seconds")]
    #[schemars(with = "u64")]
    pub deadline: Duration,
    pub action: Action,
}

fn seconds<S: Serializer>(deadline: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(deadline.as_secs())
}

/// Everything a step can do. A new component is a new list of these;
/// only a new primitive adds a variant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Action {
    /// Have these images (names of `images.toml`) in the Docker engine.
    Images { names: Vec<String> },
    /// Have no half-made cluster, and a finished one running.
    Remains,
    /// Have the lab's own Docker network.
    Network,
    /// Have the lab's registry container running.
    Registry,
    /// Have these images in the lab's registry.
    Push { names: Vec<String> },
    /// Have the kind cluster, made from this configuration.
    Cluster { config: String },
    /// Have these references in the workers' image stores before pods ask for them.
    Prefetch { references: Vec<String> },
    /// Have the containers' addresses pinned, so that they outlive a restart of Docker.
    Addresses,
    /// Have on each node a firewall that lets in what the cluster needs, and have it again whenever the node starts.
    Firewall,
    /// Have all nodes Ready and cluster DNS answering on each.
    NodesReady,
    /// Have credentials: random, made once, never changed.
    Credentials { secrets: Vec<SecretSpec> },
    /// Have these objects in the cluster, and these workloads ready.
    Apply { objects: Vec<Value>, ready: Vec<Workload> },
    /// Have these network policies, with the addresses of the control planes where they stand for them.
    Policies { objects: Vec<Value> },
    /// Have a client certificate and a kubeconfig of each, and of nobody else.
    #[serde(rename_all = "camelCase")]
    People {
        people: Vec<Person>,
        lifetime_seconds: u32,
        /// The one in which they begin.
        namespace: Option<String>,
    },
    /// Have these buckets, and a user who may use them, each as it is said, and no other.
    Buckets { grants: Vec<Grant>, secret: ObjectName },
    /// Have this Secret with these keys, which a person has to make.
    Secret { secret: ObjectName, keys: Vec<String> },
    /// Have a Git repository that Airflow can read, with this reference.
    GitRepository { repository: Git },
    /// Have the sample DAGs in their bucket, and nothing else.
    SampleDags,
    /// Have seen a job with three executors give the right answer.
    Smoke,
    /// Have run this job to its end.
    Job(Job),
    /// Have these files in the bucket of DAGs, and Airflow know them; others go where that is wished.
    PushDags { folder: Folder, delete: bool },
    /// Have begun a run of a DAG, and seen its end where somebody waits for it.
    RunDag { order: Order, wait: bool },
}

impl Action {
    /// True where a pod can be what holds the action up.
    pub fn uses_pods(&self) -> bool {
        matches!(
            self,
            Action::NodesReady
                | Action::Apply { .. }
                | Action::Buckets { .. }
                | Action::Smoke
                | Action::Job(_)
                | Action::RunDag { .. }
        )
    }
}

/// A Secret with random values. The values are never part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecretSpec {
    pub object: ObjectName,
    /// Keys with a fixed, public value, such as a user name.
    #[serde(serialize_with = "map")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub fixed: Vec<(String, String)>,
    /// Keys whose value is made at random.
    #[serde(serialize_with = "map")]
    #[schemars(with = "BTreeMap<String, Random>")]
    pub random: Vec<(String, Random)>,
}

/// What a random value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Random {
    /// 128 bits in hexadecimal.
    Password,
    /// 512 bits in hexadecimal, as HMAC with SHA-512 wants them (RFC 7518, 3.2).
    SigningKey,
    /// 256 bits in the base64 of URLs, as the Fernet specification says.
    FernetKey,
}

fn map<S: Serializer>(pairs: &[(String, impl Serialize)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

/// Somebody who works with the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Person {
    pub name: String,
    pub role: Role,
    /// What the certificate says and the role bindings name.
    pub group: String,
}

/// What a user may do in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Grant {
    pub bucket: String,
    pub access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    Read,
    ReadWrite,
}

/// Namespace and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ObjectName {
    pub namespace: String,
    pub name: String,
}

impl ObjectName {
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// Something that is not ready as soon as it exists: a workload when all its replicas are, a
/// webhook configuration when its CA has been written into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Workload {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, or one of the two webhook configurations.
    pub kind: String,
    pub object: ObjectName,
}
