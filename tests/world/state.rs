//! What there is in the world. Tests plant and look at everything.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::airflow;
use super::spark::Jobs;
use lab::access::Access;
use lab::components::KIND_LABEL;
use lab::fingerprint::Fingerprint;
use lab::ports::{Address, Container, Engine, Image, Network, Output};

pub struct State {
    pub engine: Engine,
    pub networks: Vec<Network>,
    pub containers: Vec<Container>,
    /// Containers that end as soon as they are started.
    pub dying: BTreeSet<String>,
    /// Volume → label value, empty where it has none.
    pub volumes: BTreeMap<String, String>,
    /// Container → its volume.
    pub mounts: BTreeMap<String, String>,
    pub images: BTreeMap<String, Image>,
    /// References that can be pulled.
    pub upstream: BTreeSet<String>,
    /// They were made by our recipes.
    pub upstream_is_ours: bool,
    /// Reference in a registry → digest.
    pub remote: BTreeMap<String, String>,
    /// Container and path → content.
    pub files: BTreeMap<(String, String), Vec<u8>>,
    /// Container → the rules of its table mangle.
    pub packet_rules: BTreeMap<String, Vec<String>>,
    /// Container and reference in its image store.
    pub pulled: BTreeSet<(String, String)>,
    /// `path:tag` → digest.
    pub registry: BTreeMap<String, String>,
    pub kind: String,
    pub buildx: String,
    /// What kind writes and prints.
    pub kubeconfig: String,
    /// Kind, namespace and name → object.
    pub objects: BTreeMap<[String; 3], Value>,
    /// The same → what was applied last.
    pub applied: BTreeMap<[String; 3], Value>,
    /// Roles and bindings as they were last looked at, and what they grant.
    pub rights: (Vec<Value>, Access),
    /// Workloads that never become ready.
    pub stuck: BTreeSet<String>,
    /// Pod or container → log.
    pub logs: BTreeMap<String, String>,
    /// Pod and port on which it answers.
    pub listening: BTreeSet<(String, u16)>,
    /// Container → what stands in its environment.
    pub environment: BTreeMap<String, Vec<String>>,
    pub buckets: BTreeSet<String>,
    /// User → policy, empty where none is attached.
    pub users: BTreeMap<String, String>,
    /// MinIO's policies, by name.
    pub policies: BTreeMap<String, Value>,
    /// User → secret key.
    pub keys: BTreeMap<String, String>,
    /// Bucket and path → content.
    pub store: BTreeMap<String, Vec<u8>>,
    /// Control plane → how often its API server has to be asked before it knows who may do what.
    pub late_api_servers: BTreeMap<String, u32>,
    /// Airflow does not look at its buckets.
    pub dags_are_late: bool,
    pub jobs: Jobs,
    pub airflow: airflow::Shared,
    /// How many lines more everything prints that prints lines.
    pub flood: usize,
    /// The scripted answer of the exec that runs now.
    pub answer: Option<Output>,
    /// How many parts of the call that runs now are done before its caller is killed.
    pub halfway: Option<usize>,
    /// Numbers handed out as uids.
    pub numbers: u64,
}

/// As kind writes it, in short.
const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters:
- name: kind-lab
  cluster:
    server: https://127.0.0.1:16443
    certificate-authority-data: YXV0aG9yaXR5
";

impl Default for State {
    fn default() -> Self {
        let engine = Engine {
            version: "28.5.2+dfsg4".to_owned(),
            cgroup: "2".to_owned(),
            cpus: 2,
            memory: 64 << 30,
            root: "/var/lib/docker".to_owned(),
            kernel: "6.1.0".to_owned(),
            security: Vec::new(),
            local: true,
            proxied: false,
        };
        Self {
            engine,
            kind: "0.33.0".to_owned(),
            buildx: "0.29.1".to_owned(),
            kubeconfig: KUBECONFIG.to_owned(),
            networks: Vec::new(),
            containers: Vec::new(),
            dying: BTreeSet::new(),
            volumes: BTreeMap::new(),
            mounts: BTreeMap::new(),
            images: BTreeMap::new(),
            upstream: BTreeSet::new(),
            upstream_is_ours: false,
            remote: BTreeMap::new(),
            files: BTreeMap::new(),
            packet_rules: BTreeMap::new(),
            pulled: BTreeSet::new(),
            registry: BTreeMap::new(),
            objects: BTreeMap::new(),
            applied: BTreeMap::new(),
            rights: (Vec::new(), Access::default()),
            stuck: BTreeSet::new(),
            logs: BTreeMap::new(),
            listening: BTreeSet::new(),
            environment: BTreeMap::new(),
            buckets: BTreeSet::new(),
            users: BTreeMap::new(),
            policies: BTreeMap::new(),
            keys: BTreeMap::new(),
            store: BTreeMap::new(),
            late_api_servers: BTreeMap::new(),
            dags_are_late: false,
            jobs: Jobs::default(),
            airflow: airflow::Shared::default(),
            flood: 0,
            answer: None,
            halfway: None,
            numbers: 0,
        }
    }
}

impl State {
    /// # Panics
    /// When a test names one that is not there.
    pub fn container(&mut self, name: &str) -> &mut Container {
        self.existing(name).expect("a container of this name")
    }

    pub fn existing(&mut self, name: &str) -> Result<&mut Container> {
        let found = self.containers.iter_mut().find(|container| container.name == name);
        found.ok_or_else(|| anyhow!("No such container: {name}"))
    }

    /// Prints many lines, where a test wants that.
    pub fn flood(&self, line: &mut dyn FnMut(String)) {
        (0..self.flood).for_each(|number| line(format!("line {number} of a flood")));
    }

    /// True where the caller is killed after so many parts of the call that runs now.
    pub fn ends_after(&self, parts: usize) -> bool {
        self.halfway == Some(parts)
    }

    /// Names of all containers, in the order of the engine.
    pub fn container_names(&self) -> Vec<&str> {
        self.containers.iter().map(|container| container.name.as_str()).collect()
    }

    pub fn stop_all(&mut self) {
        self.containers.iter_mut().for_each(|container| container.running = false);
    }

    /// What etcd and the volumes held is gone with the nodes.
    pub fn forget_cluster(&mut self) {
        self.objects.clear();
        // With its database.
        *airflow::lock(&self.airflow) = airflow::Airflow::default();
        self.applied.clear();
        self.buckets.clear();
        self.users.clear();
        self.policies.clear();
        self.keys.clear();
        self.store.clear();
    }

    pub fn add_image(&mut self, reference: &str) {
        let mut print = Fingerprint::default();
        print.add(reference);
        let image = Image { id: format!("sha256:{}", print.hex()), size: 1_000_000, ..Image::default() };
        self.images.insert(reference.to_owned(), image);
    }

    pub fn object(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&[kind, namespace, name].map(str::to_owned))
    }
}

/// A node of a kind cluster on a network.
pub fn container(cluster: &str, name: &str, network: &str, number: u8) -> Container {
    let address = Address { current: Some([172, 29, 0, number].into()), pinned: None };
    Container {
        id: format!("id of {name}"),
        name: name.to_owned(),
        running: true,
        image: String::new(),
        labels: BTreeMap::from([(KIND_LABEL.to_owned(), cluster.to_owned())]),
        home: network.to_owned(),
        addresses: BTreeMap::from([(network.to_owned(), address)]),
        ports: BTreeMap::new(),
    }
}
