//! What is seen of the machine and of what is on it, before it is judged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::Examination;
use super::features::{self, Support};
use super::values::Values;
use crate::components::{KIND_LABEL, Site};
use crate::config::{Lab, Subnet};
use crate::images::Catalogue;
use crate::images::Supply;
use crate::ports::{Builder as _, Clusters as _, Container, Docker, Engine, Host, Network, Ports};
use crate::run::images::{ImageState, state};
use crate::run::{registry, remains};

/// How long the engine, kind and buildx may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Before anything was tried.
pub const NOT_YET: &str = "not tried: lab doctor does, and lab up before it makes a cluster";

pub struct Facts {
    /// Why not, where the engine cannot be asked.
    pub held: Result<Held, NoEngine>,
    pub trial: Trial,
    /// Version, or why it cannot be told.
    pub kind: Result<String, String>,
    /// As `kind`; none where nothing is to be built.
    pub buildx: Option<Result<String, String>>,
    /// True where containers run on the kernel that this program runs on.
    pub shares_kernel: bool,
    /// Checks whose values a test gave: they are judged whatever the kernel.
    pub injected: Vec<String>,
    /// Bytes that are there for the asking.
    pub memory_free: Option<u64>,
    pub inotify: [Option<u64>; 2],
    pub ip_forward: Option<u64>,
    pub features: BTreeMap<&'static str, Support>,
    /// What the kernel's release is called, and the distribution it is of.
    pub kernel: String,
    pub distribution: String,
    pub ports: [Port; 2],
    pub routes: Vec<Route>,
    /// Variables that are set.
    pub proxies: Vec<(&'static str, String)>,
    pub no_proxies: Vec<(&'static str, String)>,
    pub ca: Ca,
    pub state: Folder,
}

/// What the engine says: of itself, and of what is on it.
pub struct Held {
    pub engine: Engine,
    /// Bytes free where it keeps its data.
    pub disk: Option<u64>,
    pub containers: Vec<Container>,
    /// The lab's own containers that kind made.
    pub cluster: Vec<Container>,
    pub finished: bool,
    pub networks: Vec<Network>,
    /// Labels of the volume with the name of the registry's.
    pub volume: Option<BTreeMap<String, String>>,
    pub node_image: ImageState,
    pub missing_images: usize,
    pub images: usize,
}

/// Why the engine cannot be asked.
pub enum NoEngine {
    Missing(String),
    Denied(String),
    Refuses(String),
}

/// Of a privileged container.
#[derive(Debug, PartialEq, Eq)]
pub enum Trial {
    Untried(&'static str),
    Granted,
    Refused(String),
}

pub struct Port {
    pub free: bool,
    /// A free one nearby.
    pub other: Option<u16>,
}

pub struct Route {
    pub interface: String,
    pub to: Subnet,
}

pub enum Ca {
    Found(PathBuf),
    /// `SSL_CERT_FILE` names a file that is not there.
    Gone(String),
    None,
}

pub struct Folder {
    pub path: PathBuf,
    /// What must be writable: the folder, or the nearest above it that exists.
    pub above: PathBuf,
    pub writable: bool,
}

impl Facts {
    /// True where what was seen for this check tells something about the nodes.
    pub fn is_of_its_kernel(&self, id: &str) -> bool {
        self.shares_kernel || self.injected.iter().any(|key| key == id)
    }

    /// The lab's own containers that kind made.
    pub fn cluster(&self) -> &[Container] {
        self.held.as_ref().map_or(&[], |held| &held.cluster)
    }
}

/// Name of the container in which privileges are tried.
pub fn trial_container(lab: &Lab) -> String {
    format!("{}-privileged-trial", lab.name)
}

pub async fn look<P: Ports, H: Host>(exam: &Examination<'_, P, H>, values: &Values) -> Facts {
    let host = exam.host;
    let kind = in_time(exam.clusters.version());
    let (held, kind) = tokio::join!(held(exam), kind);
    let to_build = held.as_ref().is_ok_and(|held| held.missing_images > 0) && !values.names("buildx");
    let buildx = if to_build { Some(in_time(exam.builder.version()).await.map_err(words)) } else { None };
    let text = |path: &str| host.text(path).unwrap_or_default();
    let kernel = text("/proc/sys/kernel/osrelease").trim().to_owned();
    let shares_kernel = held.as_ref().map_or(true, |held| held.engine.local && held.engine.kernel == kernel);
    let variables = |names: [&'static str; 2]| names.into_iter().filter_map(|name| Some((name, host.variable(name)?)));
    let proxies = [["HTTP_PROXY", "http_proxy"], ["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];
    Facts {
        held,
        trial: Trial::Untried(NOT_YET),
        kind: kind.map_err(words),
        buildx,
        shares_kernel,
        injected: Vec::new(),
        memory_free: available(&text("/proc/meminfo")),
        inotify: ["instances", "watches"].map(|what| host.kernel_setting(&format!("fs.inotify.max_user_{what}"))),
        ip_forward: host.kernel_setting("net.ipv4.ip_forward"),
        features: features::look(host, &kernel),
        kernel,
        distribution: text("/etc/os-release"),
        ports: ports(host, exam.lab),
        routes: routes(&text("/proc/net/route")),
        proxies: proxies.into_iter().flat_map(variables).collect(),
        no_proxies: variables(["NO_PROXY", "no_proxy"]).collect(),
        ca: ca(host),
        state: folder(host, exam.state),
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| anyhow!("no answer within {} s", PATIENCE.as_secs());
    tokio::time::timeout(PATIENCE, work).await.map_err(late)?
}

/// As much of an error as a table has room for.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn words(error: anyhow::Error) -> String {
    format!("{error:#}").chars().take(500).collect()
}

async fn held<P: Ports, H: Host>(exam: &Examination<'_, P, H>) -> Result<Held, NoEngine> {
    let docker = exam.docker.map_err(|error| {
        let denied = format!("{error:#}").to_lowercase().contains("permission");
        let why = error.root_cause().to_string();
        if denied { NoEngine::Denied(why) } else { NoEngine::Missing(why) }
    })?;
    let asked = in_time(ask(docker, exam.lab, exam.catalogue, exam.supply));
    let mut held = asked.await.map_err(|error| NoEngine::Refuses(words(error)))?;
    held.disk = exam.host.free_disk(Path::new(&held.engine.root));
    Ok(held)
}

async fn ask<D: Docker>(docker: &D, lab: &Lab, catalogue: &Catalogue, supply: &Supply) -> Result<Held> {
    let engine = docker.engine().await?;
    let containers = docker.all_containers().await?;
    let cluster = own_cluster(&containers, lab);
    let finished = remains::finished(docker, &cluster).await?;
    let site = Site { lab, catalogue };
    let names: Vec<String> = site.engine_images().into_iter().chain(site.node_images()).collect();
    let (mut missing_images, mut node_image) = (0, ImageState::Missing);
    for name in &names {
        let found = state(docker, catalogue, name, supply).await?;
        missing_images += usize::from(found == ImageState::Missing);
        if name == "node" {
            node_image = found;
        }
    }
    Ok(Held {
        engine,
        disk: None,
        containers,
        cluster,
        finished,
        networks: docker.networks().await?,
        volume: docker.volume_labels(&registry::name(lab)).await?,
        node_image,
        missing_images,
        images: names.len(),
    })
}

/// Containers of any kind cluster of the lab's name.
pub fn of_kind<'a>(containers: &'a [Container], lab: &'a Lab) -> impl Iterator<Item = &'a Container> {
    containers.iter().filter(|container| container.labels.get(KIND_LABEL) == Some(&lab.name))
}

/// Those of them that are this lab's: somebody else's are on another network.
pub fn own_cluster(containers: &[Container], lab: &Lab) -> Vec<Container> {
    of_kind(containers, lab).filter(|container| container.home == lab.name).cloned().collect()
}

/// Bytes that `/proc/meminfo` calls available.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Of the API and of the registry.
fn ports(host: &impl Host, lab: &Lab) -> [Port; 2] {
    let own = [lab.cluster.api_port, lab.registry.port];
    own.map(|port| {
        let mut nearby = (1..100).filter_map(|step| port.checked_add(step)).filter(|other| !own.contains(other));
        Port { free: host.port_is_free(port), other: nearby.find(|&other| host.port_is_free(other)) }
    })
}

/// The lines of `/proc/net/route` but the default route; numbers there are in hexadecimal, lowest byte first.
pub fn routes(text: &str) -> Vec<Route> {
    let route = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |index: usize| u32::from_str_radix(fields.get(index)?, 16).ok().map(u32::swap_bytes);
        let (address, mask) = (number(1)?, number(7)?);
        let is_whole = mask.leading_ones() + mask.trailing_zeros() == u32::BITS;
        let prefix = u8::try_from(mask.leading_ones()).ok().filter(|prefix| is_whole && *prefix > 0)?;
        let to = Subnet::new((address & mask).to_be_bytes(), prefix);
        Some(Route { interface: (*fields.first()?).to_owned(), to })
    };
    text.lines().skip(1).filter_map(route).collect()
}

fn ca(host: &impl Host) -> Ca {
    match host.variable("SSL_CERT_FILE") {
        Some(path) if !host.exists(Path::new(&path)) => Ca::Gone(path),
        _ => host.ca_bundle().map_or(Ca::None, Ca::Found),
    }
}

fn folder(host: &impl Host, path: &Path) -> Folder {
    let above = path.ancestors().find(|folder| host.exists(folder)).unwrap_or(path).to_owned();
    Folder { path: path.to_owned(), writable: host.may_write(&above), above }
}

#[cfg(test)]
mod tests {
    use super::{available, routes};

    #[test]
    fn routes_are_read_as_the_kernel_writes_them() {
        let text = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
            eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n\
            br-1\t00071EAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
            tun0\t0100000A\t00000000\t0001\t0\t0\t0\t000000FF\n\
            none\t0100000A\t00000000\t0001\t0\t0\t0\t00FF00FF\nbroken\n";
        let found: Vec<String> = routes(text).iter().map(|route| format!("{} {}", route.interface, route.to)).collect();
        assert_eq!(found, ["br-1 172.30.7.0/24", "tun0 10.0.0.0/8"]);
    }

    #[test]
    fn available_memory_is_read_in_bytes() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:    2 kB\n"), Some(2048));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
    }
}
