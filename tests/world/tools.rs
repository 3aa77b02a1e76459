//! kind, the image builder and the machine of the world in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::registry::listens;
use super::{State, World, container};
use lab::components::KIND_LABEL;
use lab::images::RECIPE;
use lab::ports::{Build, Builder, ClusterSpec, Clusters, Container, Host};

impl Clusters for World {
    async fn version(&self) -> Result<String> {
        self.read("kind version".to_owned(), |state| Ok(state.kind.clone())).await
    }

    async fn create(&self, cluster: &ClusterSpec<'_>, progress: &mut dyn FnMut(String)) -> Result<()> {
        progress("Preparing nodes".to_owned());
        self.state().flood(progress);
        self.change(format!("create cluster {}", cluster.name), |state| create(state, cluster)).await
    }

    async fn kubeconfig(&self, name: &str) -> Result<String> {
        self.read(format!("kubeconfig {name}"), |state| kubeconfig(state, name)).await
    }
}

/// As kind does: it asks the first control plane.
fn kubeconfig(state: &State, name: &str) -> Result<String> {
    let of_cluster = |one: &&Container| one.labels.get(KIND_LABEL).is_some_and(|cluster| cluster == name);
    let nodes = state.containers.iter().filter(of_cluster);
    let mut planes: Vec<&Container> = nodes.filter(|one| one.name.contains("-control-plane")).collect();
    planes.sort_by(|one, other| one.name.cmp(&other.name));
    match planes.first() {
        None => bail!("could not locate any control plane nodes for cluster named '{name}'"),
        Some(first) if !first.running => bail!("container {} is not running", first.name),
        Some(_) => Ok(state.kubeconfig.clone()),
    }
}

fn create(state: &mut State, cluster: &ClusterSpec<'_>) -> Result<()> {
    if state.containers.iter().any(|one| one.labels.get(KIND_LABEL).is_some_and(|name| name == cluster.name)) {
        bail!("node(s) already exist for a cluster with the name {:?}", cluster.name);
    }
    if !state.networks.iter().any(|network| network.name == cluster.network) {
        bail!("no network {}", cluster.network);
    }
    let Some(image) = state.images.get(cluster.image) else {
        listens(state, cluster.image)?;
        bail!("no image {}", cluster.image);
    };
    let ours = cluster.image.starts_with("lab/") || image.labels.contains_key(RECIPE);
    let mut names = Vec::new();
    for role in ["control-plane", "worker"] {
        let count = cluster.config.lines().filter(|line| *line == format!("- role: {role}")).count();
        names.extend((1..=count).map(|number| match number {
            1 => format!("{}-{role}", cluster.name),
            _ => format!("{}-{role}{number}", cluster.name),
        }));
    }
    if names.iter().any(|name| name.ends_with("control-plane2")) {
        if !state.images.contains_key("docker.io/envoyproxy/envoy:v1.36.2") {
            bail!("kind pulls envoy from an image registry, and there is none");
        }
        names.push(format!("{}-external-load-balancer", cluster.name));
    }
    let ready = if cluster.config.contains("disableDefaultCNI: true") { "False" } else { "True" };
    let api_port = cluster.config.lines().find_map(|line| line.trim().strip_prefix("apiServerPort: "));
    let api_port = api_port.context("no apiServerPort")?.parse()?;
    furnish(state)?;
    let balanced = names.iter().find(|name| name.ends_with("load-balancer"));
    let front = balanced.unwrap_or(&names[0]).clone();
    for (number, name) in (2..).zip(&names) {
        if state.ends_after(usize::from(number) - 2) {
            return Ok(());
        }
        let mut node = container(cluster.name, name, cluster.network, number);
        node.running = !state.dying.contains(name);
        if *name == front {
            node.ports.insert(6443, api_port);
        }
        state.containers.push(node);
        if name.ends_with("load-balancer") {
            continue;
        }
        if ours {
            // Our own node image is born with it.
            state.files.insert((name.clone(), "/etc/containerd/certs.d/_default/hosts.toml".to_owned()), Vec::new());
        }
        let node = json!({
            "kind": "Node", "metadata": { "name": name },
            "status": {
                "conditions": [{ "type": "Ready", "status": ready, "message": "network plugin not ready" }],
                "nodeInfo": { "kubeletVersion": "v1.36.4" },
            },
        });
        state.objects.insert(["Node".to_owned(), String::new(), name.clone()], node);
    }
    leave_token(state);
    write_kubeconfig(state, cluster.kubeconfig, state.ends_after(names.len()))
}

/// What Kubernetes and kubeadm bring along.
fn furnish(state: &mut State) -> Result<()> {
    let namespaces = ["default", "kube-node-lease", "kube-public", "kube-system"];
    let namespace = |name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let mut objects: Vec<Value> = namespaces.map(namespace).to_vec();
    objects.push(json!({ "kind": "ConfigMap", "metadata": { "namespace": "kube-public", "name": "cluster-info" } }));
    objects.extend(lab::access::upstream()?);
    for object in objects {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key = [text("/kind"), text("/metadata/namespace"), text("/metadata/name")];
        state.objects.insert(key, object);
    }
    Ok(())
}

/// By this nodes join, and so may anybody else.
fn leave_token(state: &mut State) {
    let token = ["Secret", "kube-system", "bootstrap-token-abcdef"];
    let metadata = json!({ "namespace": token[1], "name": token[2] });
    state.objects.insert(token.map(str::to_owned), json!({ "kind": token[0], "metadata": metadata }));
}

/// As kind does: under a lock that is a file, and by merging with what is there.
fn write_kubeconfig(state: &State, path: &Path, killed: bool) -> Result<()> {
    let lock = path.with_extension("lock");
    if lock.exists() {
        bail!("failed to lock config file: {}: file exists", lock.display());
    }
    if path.exists() && fs_err::read_to_string(path)? != state.kubeconfig {
        bail!("failed to parse {}", path.display());
    }
    if killed {
        fs_err::write(&lock, "")?;
        fs_err::write(path, &state.kubeconfig[..20])?;
        return Ok(());
    }
    fs_err::write(path, &state.kubeconfig)?;
    // Whatever kind writes, nobody else may read it afterwards.
    fs_err::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    Ok(())
}

impl Builder for World {
    async fn version(&self) -> Result<String> {
        self.read("buildx version".to_owned(), |state| Ok(state.buildx.clone())).await
    }

    async fn bootstrap(&self, script: &Path, tag: &str) -> Result<()> {
        let add = |state: &mut State| {
            if fs_err::read_to_string(script)?.contains("exit 3") {
                bail!("the script ended with 3");
            }
            state.add_image(tag);
            Ok(())
        };
        self.change(format!("bootstrap {tag}"), add).await
    }

    async fn build(&self, build: &Build, progress: &mut dyn FnMut(String)) -> Result<()> {
        progress("[1/2] FROM".to_owned());
        self.state().flood(progress);
        let add = |state: &mut State| {
            if let Some((name, image)) = build.contexts.iter().find(|(_, image)| !state.images.contains_key(image)) {
                listens(state, image)?;
                bail!("context {name}: no image {image}");
            }
            if !build.folder.join("Dockerfile").is_file() {
                bail!("failed to read dockerfile: no such file or directory");
            }
            state.add_image(&build.tag);
            let labels = build.labels.iter().cloned().collect();
            state.images.entry(build.tag.clone()).and_modify(|image| image.labels = labels);
            Ok(())
        };
        self.change(format!("build {}", build.name), add).await
    }
}

/// The machine `lab` runs on; good enough unless a test says otherwise.
pub struct Machine {
    pub taken: Vec<u16>,
    pub settings: RefCell<BTreeMap<String, u64>>,
    pub disk: Option<u64>,
    pub variables: BTreeMap<&'static str, String>,
    /// Path → text.
    pub files: BTreeMap<String, String>,
    /// False where the folder of state is another's.
    pub writable: bool,
    pub root: bool,
}

impl Default for Machine {
    fn default() -> Self {
        let bundle = "/etc/ssl/certs/ca-certificates.crt";
        let files = [(bundle, ""), ("/", ""), ("/proc/sys/kernel/osrelease", "6.1.0\n")];
        let settings = [("fs.inotify.max_user_instances", 1024), ("fs.inotify.max_user_watches", 1 << 20)];
        Self {
            taken: Vec::new(),
            settings: RefCell::new(settings.map(|(name, value)| (name.to_owned(), value)).into()),
            disk: Some(100 << 30),
            variables: BTreeMap::new(),
            files: files.map(|(path, text)| (path.to_owned(), text.to_owned())).into(),
            writable: true,
            root: true,
        }
    }
}

impl Host for Machine {
    fn port_is_free(&self, port: u16) -> bool {
        !self.taken.contains(&port)
    }

    fn kernel_setting(&self, name: &str) -> Option<u64> {
        self.settings.borrow().get(name).copied()
    }

    fn free_disk(&self, _: &Path) -> Option<u64> {
        self.disk
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn text(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.contains_key(&*path.to_string_lossy())
    }

    fn may_write(&self, _: &Path) -> bool {
        self.writable
    }

    fn ca_bundle(&self) -> Option<PathBuf> {
        let path = Path::new("/etc/ssl/certs/ca-certificates.crt");
        self.exists(path).then(|| path.to_owned())
    }

    fn is_root(&self) -> bool {
        self.root
    }

    fn raise(&self, setting: &str, value: u64) -> Result<()> {
        self.settings.borrow_mut().insert(setting.to_owned(), value);
        Ok(())
    }
}
