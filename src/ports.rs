//! The narrow doors to the outside. `exec` implements them for real; the tests
//! implement them with fakes that fail on demand.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

/// The Docker engine.
#[expect(async_fn_in_trait, reason = "crate-internal; the engine drives all futures on one task")]
pub trait Docker {
    async fn engine(&self) -> Result<Engine>;
    async fn networks(&self) -> Result<Vec<Network>>;
    async fn create_network(&self, network: &Network) -> Result<()>;
    async fn remove_network(&self, name: &str) -> Result<()>;
    /// Containers of any state that carry this label (`key=value`).
    async fn containers(&self, label: &str) -> Result<Vec<Container>>;
    /// Every container of the engine, whoever made it.
    async fn all_containers(&self) -> Result<Vec<Container>>;
    async fn run_container(&self, container: &ContainerSpec) -> Result<()>;
    /// Runs a command in a privileged container without a network, waits for its end and removes the container.
    async fn try_privileged(&self, name: &str, image: &str, label: (&str, &str), argv: &[&str]) -> Result<Output>;
    async fn start_container(&self, name: &str) -> Result<()>;
    async fn remove_container(&self, name: &str) -> Result<()>;
    /// Volumes that carry this label.
    async fn volumes(&self, label: &str) -> Result<Vec<String>>;
    /// Labels of a volume, none where there is no such volume.
    async fn volume_labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>>;
    async fn create_volume(&self, name: &str, label: (&str, &str)) -> Result<()>;
    async fn remove_volume(&self, name: &str) -> Result<()>;
    /// Reconnects a running container to a network under a fixed address.
    async fn pin_address(&self, container: &str, network: &str, address: Ipv4Addr, aliases: &[String]) -> Result<()>;
    /// Runs a command in a container; `stdin` is closed.
    async fn exec(&self, container: &str, argv: &[&str]) -> Result<Output>;
    /// True where a container, running or not, has this file.
    async fn has_file(&self, container: &str, path: &str) -> Result<bool>;
    async fn write_file(&self, container: &str, path: &str, content: &[u8]) -> Result<()>;
    async fn image(&self, reference: &str) -> Result<Option<Image>>;
    async fn tag(&self, from: &str, reference: &str) -> Result<()>;
    async fn remove_tag(&self, reference: &str) -> Result<()>;
    async fn push(&self, reference: &str) -> Result<()>;
    /// With the credentials that Docker keeps for the registry.
    async fn pull(&self, reference: &str, progress: &mut dyn FnMut(String)) -> Result<()>;
    /// The digest that a registry has under a name, none where it has no such image.
    async fn remote_digest(&self, reference: &str) -> Result<Option<String>>;
    /// The last lines a container printed.
    async fn logs(&self, container: &str, lines: usize) -> Result<String>;
    /// Hands a container's log over, line by line, to its end.
    async fn read_log(&self, container: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()>;
    /// Everything the engine knows of a container, in the engine's own form.
    async fn inspect(&self, container: &str) -> Result<Value>;
}

/// The kind program.
#[expect(async_fn_in_trait, reason = "crate-internal; the engine drives all futures on one task")]
pub trait Clusters {
    async fn version(&self) -> Result<String>;
    async fn create(&self, cluster: &ClusterSpec<'_>, progress: &mut dyn FnMut(String)) -> Result<()>;
    /// The administrator's kubeconfig, as text.
    async fn kubeconfig(&self, name: &str) -> Result<String>;
}

/// The Kubernetes API of the lab's cluster, and of no other.
#[expect(async_fn_in_trait, reason = "crate-internal; the engine drives all futures on one task")]
pub trait Kube {
    /// The live form of an object, found by its apiVersion, kind, namespace and name.
    async fn get(&self, object: &Value) -> Result<Option<Value>>;
    /// Server-side apply. The API server merges; conflicting fields become ours.
    async fn apply(&self, object: &Value) -> Result<Value>;
    async fn delete(&self, object: &Value) -> Result<()>;
    /// Approves a request for a certificate, by its name.
    async fn approve(&self, request: &str, reason: &str) -> Result<()>;
    /// Objects of a kind; `namespace` none means all.
    async fn list(&self, kind: &Kind, namespace: Option<&str>, labels: &str) -> Result<Vec<Value>>;
    async fn logs(&self, namespace: &str, pod: &str, container: Option<&str>, lines: i64) -> Result<String>;
    /// Hands a pod's log over, line by line, to its end.
    async fn read_log(&self, namespace: &str, pod: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()>;
    /// A new connection to a port of a pod.
    async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Forward>;
    async fn exec(&self, namespace: &str, pod: &str, argv: &[&str], stdin: &[u8]) -> Result<Output>;
    /// Sends a request as whom a kubeconfig's text names. A refusal is an answer as any other.
    async fn send(&self, kubeconfig: &str, request: &Request) -> Result<Answer>;
}

/// The lab's registry, over HTTP on loopback.
#[expect(async_fn_in_trait, reason = "crate-internal; the engine drives all futures on one task")]
pub trait Registry {
    /// Digest of a tag, none where there is no such tag.
    async fn digest(&self, port: u16, repository: &str, tag: &str) -> Result<Option<String>>;
}

/// Builds images from recipes.
#[expect(async_fn_in_trait, reason = "crate-internal; the engine drives all futures on one task")]
pub trait Builder {
    async fn version(&self) -> Result<String>;
    /// Makes the Debian that all images stand on, where it cannot be pulled.
    async fn bootstrap(&self, script: &Path, tag: &str) -> Result<()>;
    async fn build(&self, build: &Build, progress: &mut dyn FnMut(String)) -> Result<()>;
}

/// The machine that `lab` runs on.
pub trait Host {
    /// True where nobody listens on this loopback port.
    fn port_is_free(&self, port: u16) -> bool;
    /// A kernel setting, none where it cannot be read (not Linux, or Docker is elsewhere).
    fn kernel_setting(&self, name: &str) -> Option<u64>;
    /// Free bytes below a folder, none where it is not on this machine.
    fn free_disk(&self, path: &Path) -> Option<u64>;
    /// An environment variable, none where it is unset or empty.
    fn variable(&self, name: &str) -> Option<String>;
    /// A file's text, unpacked where its name ends in `.gz`; none where it cannot be read.
    fn text(&self, path: &str) -> Option<String>;
    fn exists(&self, path: &Path) -> bool;
    /// True where this is a folder in which files can be made.
    fn may_write(&self, folder: &Path) -> bool;
    /// The certificates that this machine trusts.
    fn ca_bundle(&self) -> Option<PathBuf>;
    fn is_root(&self) -> bool;
    /// Raises a kernel setting, now and for the next start of the machine; one that is higher already stays.
    fn raise(&self, setting: &str, value: u64) -> Result<()>;
}

/// All doors together.
pub trait Ports {
    type Docker: Docker;
    type Clusters: Clusters;
    type Kube: Kube;
    type Registry: Registry;
    type Builder: Builder;
    fn docker(&self) -> &Self::Docker;
    fn clusters(&self) -> &Self::Clusters;
    fn kube(&self) -> &Self::Kube;
    fn registry(&self) -> &Self::Registry;
    fn builder(&self) -> &Self::Builder;
}

/// The engine as it describes itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engine {
    pub version: String,
    /// `1` or `2`.
    pub cgroup: String,
    pub cpus: u64,
    /// Bytes.
    pub memory: u64,
    pub root: String,
    /// Release of the kernel that its containers run on.
    pub kernel: String,
    /// What it does for security, such as `name=rootless`.
    pub security: Vec<String>,
    /// True where it is reached through a socket file, not over a network.
    pub local: bool,
    /// True where it pulls through a proxy.
    pub proxied: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    pub name: String,
    /// First IPv4 subnet in CIDR form, empty where there is none.
    pub subnet: String,
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub running: bool,
    pub image: String,
    pub labels: BTreeMap<String, String>,
    /// The network it was made for, also while it is cut off from it.
    pub home: String,
    /// Network name → address; pinned where the address was asked for.
    pub addresses: BTreeMap<String, Address>,
    /// Port inside → port on loopback; empty where it does not run.
    pub ports: BTreeMap<u16, u16>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    pub current: Option<Ipv4Addr>,
    pub pinned: Option<Ipv4Addr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    pub name: String,
    pub image: String,
    pub network: String,
    pub aliases: Vec<String>,
    pub address: Ipv4Addr,
    pub labels: BTreeMap<String, String>,
    /// Volume name and the path it is mounted at.
    pub volume: Option<(String, String)>,
    /// Port on loopback and the port inside.
    pub port: Option<(u16, u16)>,
    /// What runs instead of the image's own program, for once; empty for that, which is started again whenever it ends.
    pub command: Vec<String>,
    /// Capabilities beyond those that Docker gives.
    pub capabilities: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    pub id: String,
    pub labels: BTreeMap<String, String>,
    /// Bytes.
    pub size: u64,
}

/// What a command left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    pub code: i64,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Output {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What it said at last, short enough to be quoted.
    pub fn quoted(&self) -> String {
        const LONGEST: usize = 2000;
        let text = String::from_utf8_lossy(&self.stdout[self.stdout.len().saturating_sub(LONGEST)..]);
        let all = format!("{} {}", self.stderr.trim(), text.trim());
        let skipped = all.chars().count().saturating_sub(LONGEST);
        all.chars().skip(skipped).collect::<String>().trim().to_owned()
    }
}

pub struct ClusterSpec<'a> {
    pub name: &'a str,
    pub config: &'a str,
    pub image: &'a str,
    pub network: &'a str,
    pub kubeconfig: &'a Path,
    /// Hosts and ranges that nodes reach directly, whatever proxy this machine has.
    pub direct: &'a [String],
}

/// Which part of a log is wanted; nothing said is all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Goes on until the log's owner ends.
    pub follow: bool,
    /// Only so many of the last lines.
    pub tail: Option<u32>,
    /// Only what is no older.
    pub since: Option<Duration>,
    /// Of the container's life before its last restart; pods only.
    pub previous: bool,
    /// Of a pod with several.
    pub container: Option<String>,
}

impl LogQuery {
    pub fn following() -> Self {
        Self { follow: true, ..Self::default() }
    }
}

/// Bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection to a port of a pod.
pub struct Forward {
    pub stream: Box<dyn Stream>,
    /// Comes to an end when the port cannot be used, with the reason, or with none when the connection ends.
    pub refused: BoxFuture<'static, Option<String>>,
}

/// Group, version and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
}

impl Kind {
    pub const POD: Kind = Kind::new("", "v1", "Pod");
    pub const NODE: Kind = Kind::new("", "v1", "Node");
    pub const EVENT: Kind = Kind::new("", "v1", "Event");
    pub const CERTIFICATE_REQUEST: Kind = Kind::new("certificates.k8s.io", "v1", "CertificateSigningRequest");
    pub const fn new(group: &'static str, version: &'static str, kind: &'static str) -> Self {
        Self { group, version, kind }
    }
}

/// A request to the Kubernetes API in HTTP's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: Method,
    /// With the query.
    pub path: String,
    pub body: Option<Value>,
}

/// What the Kubernetes API has an idea of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    /// With a JSON merge patch (RFC 7396).
    Patch,
    Delete,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP's.
    pub status: u16,
    /// A string where it is no JSON.
    pub body: Value,
}

/// One image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    pub name: String,
    pub folder: std::path::PathBuf,
    /// The tag it gets in the engine.
    pub tag: String,
    /// Name of a build context → image it stands for.
    pub contexts: Vec<(String, String)>,
    pub labels: Vec<(String, String)>,
}
