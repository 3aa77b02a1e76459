//! All checks: id, reason and judge of each.

use super::facts::{Facts, Held};
use super::finding::{Finding, Fix, Level};
use super::{engine, neighbours, plumbing, room};
use crate::config::ImageSource;
use crate::config::Lab;

/// What a judge looks at.
pub struct Case<'a> {
    pub lab: &'a Lab,
    pub flags: &'a str,
    pub source: ImageSource,
    pub facts: &'a Facts,
}

impl Case<'_> {
    /// `lab up` with these flags and this one as well.
    pub fn up_with(&self, flag: &str, value: &str) -> String {
        let typed = self.flags.split(" --").skip(1).map(|pair| format!("--{pair}"));
        let others = typed.filter(|pair| pair.split(' ').next() != Some(flag));
        let words: Vec<String> = others.chain([format!("{flag} {value}")]).collect();
        format!("lab up {}", words.join(" "))
    }
}

/// What a judge says.
pub struct Verdict {
    level: Level,
    title: String,
    measured: Option<String>,
    needed: String,
    fix: Option<Fix>,
}

impl Verdict {
    pub fn new(level: Level, title: impl Into<String>) -> Self {
        Self { level, title: title.into(), measured: None, needed: String::new(), fix: None }
    }

    pub fn measured(mut self, measured: impl ToString) -> Self {
        self.measured = Some(measured.to_string());
        self
    }

    pub fn needed(mut self, needed: impl ToString) -> Self {
        self.needed = needed.to_string();
        self
    }

    /// What a person may type.
    pub fn fix(self, command: impl Into<String>) -> Self {
        self.mend(command.into(), false)
    }

    /// What `lab doctor --fix` does as well.
    pub fn safe_fix(self, command: impl Into<String>) -> Self {
        self.mend(command.into(), true)
    }

    /// What is as it should be needs no fix.
    fn mend(mut self, command: String, safe: bool) -> Self {
        self.fix = matches!(self.level, Level::Warning | Level::Error).then_some(Fix { command, safe });
        self
    }
}

enum Judge {
    Always(fn(&Case) -> Verdict),
    /// Needs what the engine says.
    Engine(fn(&Case, &Held) -> Verdict),
    /// Needs a Docker engine on this machine's own kernel.
    Kernel(fn(&Case) -> Verdict),
}

pub struct Check {
    pub id: &'static str,
    why: &'static str,
    judge: Judge,
}

impl Check {
    const fn new(id: &'static str, judge: Judge, why: &'static str) -> Self {
        Self { id, why, judge }
    }

    pub fn finding(&self, case: &Case) -> Finding {
        let untold = |why: &str| Verdict::new(Level::NotChecked, why);
        let verdict = match (&self.judge, &case.facts.held) {
            (Judge::Always(judge), _) => judge(case),
            (Judge::Engine(judge), Ok(held)) => judge(case, held),
            (Judge::Engine(_), Err(_)) => untold("the Docker engine cannot be asked"),
            (Judge::Kernel(judge), _) if case.facts.is_of_its_kernel(self.id) => judge(case),
            (Judge::Kernel(_), _) => untold("Docker runs on another kernel than this program"),
        };
        let Verdict { level, title, measured, needed, fix } = verdict;
        Finding { id: self.id, level, title, measured, needed, why: self.why, fix }
    }
}

/// In the order in which they are said.
pub const CHECKS: [Check; 26] = [
    Check::new("docker-engine", Judge::Always(engine::reachable), "everything of a lab is a container of this engine"),
    Check::new(
        "docker-version",
        Judge::Engine(engine::version),
        "older engines ask for capabilities that restricted machines do not have: no node would start",
    ),
    Check::new(
        "privileged-containers",
        Judge::Engine(engine::privileged),
        "a node is a container with an init system, which mounts and sets kernel parameters",
    ),
    Check::new("cgroup", Judge::Engine(engine::cgroup), "systemd and kubelet in the nodes must know this version"),
    Check::new(
        "cpus",
        Judge::Engine(room::cpus),
        "Kubernetes asks for two; with fewer, waits run into their deadlines",
    ),
    Check::new(
        "memory",
        Judge::Engine(room::memory),
        "the kernel ends processes of the nodes when there is too little",
    ),
    Check::new(
        "memory-free",
        Judge::Kernel(room::memory_free),
        "what other programs hold is missing when the smoke job runs",
    ),
    Check::new("disk", Judge::Engine(room::disk), "every node has its own store of images; a full disk stops etcd"),
    Check::new("inotify-instances", Judge::Kernel(room::inotify_instances), INOTIFY),
    Check::new("inotify-watches", Judge::Kernel(room::inotify_watches), INOTIFY),
    Check::new(
        "kernel-features",
        Judge::Kernel(engine::kernel_features),
        "nodes and network plugin write packet filter rules, which fail as a whole when one feature is missing",
    ),
    Check::new(
        "ip-forward",
        Judge::Kernel(engine::ip_forward),
        "without it, containers reach nothing outside: builds and pulls of nodes fail",
    ),
    Check::new("port-api", Judge::Always(neighbours::port_api), "the Kubernetes API listens there, on loopback"),
    Check::new("port-registry", Judge::Always(neighbours::port_registry), "images are pushed there, on loopback"),
    Check::new("subnet", Judge::Engine(neighbours::subnet), "two networks cannot have the same addresses"),
    Check::new(
        "route",
        Judge::Kernel(neighbours::route),
        "packets for the nodes would go elsewhere, or the lab would hide machines that you reach now",
    ),
    Check::new(
        "kind",
        Judge::Always(plumbing::kind),
        "kind makes the cluster; node images belong to one version of it",
    ),
    Check::new("buildx", Judge::Engine(plumbing::buildx), "images that cannot be pulled are built with it"),
    Check::new("proxy", Judge::Always(plumbing::proxy), "builds and pulls take the way that these variables say"),
    Check::new(
        "ca-bundle",
        Judge::Always(plumbing::ca_bundle),
        "builds trust the certificates of this machine, which they need behind an inspecting proxy",
    ),
    Check::new(
        "foreign-cluster",
        Judge::Engine(neighbours::foreign_cluster),
        "kind knows its clusters by name, and what is not of this lab is left alone",
    ),
    Check::new(
        "foreign-containers",
        Judge::Engine(neighbours::foreign_containers),
        "a name can be given once, and what is not of this lab is left alone",
    ),
    Check::new("foreign-network", Judge::Engine(neighbours::foreign_network), "what is not of this lab is left alone"),
    Check::new(
        "foreign-volume",
        Judge::Engine(neighbours::foreign_volume),
        "the registry would write into somebody else's volume",
    ),
    Check::new(
        "unfinished-cluster",
        Judge::Engine(neighbours::unfinished_cluster),
        "a run was cut off while it made the cluster; it cannot be finished, only made again",
    ),
    Check::new("state-folder", Judge::Always(plumbing::state_folder), "kubeconfig and lock are kept there"),
];

const INOTIFY: &str = "systemd, containerd and kubelet of every node watch files; without room they die without a word";
