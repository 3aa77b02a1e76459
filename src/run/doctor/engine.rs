//! The Docker engine and its kernel.

use super::checks::{Case, Verdict};
use super::facts::{Held, NoEngine, Trial};
use super::features::{self, Support};
use super::finding::Level;
use crate::config::Cni;
use crate::run::Source;
use crate::run::images::ImageState;

/// Engines before this one ask runc for capabilities that restricted machines do not have.
const OLDEST_ENGINE: u32 = 23;

pub fn reachable(case: &Case) -> Verdict {
    let verdict = match &case.facts.held {
        Ok(held) => Verdict::new(Level::Ok, "the Docker engine answers").measured(&held.engine.version),
        Err(NoEngine::Denied(why)) => Verdict::new(Level::Error, "no permission to use the Docker engine")
            .measured(why)
            .fix("sudo usermod -aG docker $USER   (then log in again)"),
        Err(NoEngine::Missing(why)) => {
            Verdict::new(Level::Error, "no Docker engine answers").measured(why).fix("make setup")
        }
        Err(NoEngine::Refuses(why)) => {
            Verdict::new(Level::Error, format!("the Docker engine refuses: {why}")).measured(why).fix("docker info")
        }
    };
    verdict.needed("an engine that answers")
}

pub fn version(_: &Case, held: &Held) -> Verdict {
    let version = &held.engine.version;
    let fits = numbers(version).first().is_some_and(|major| *major >= OLDEST_ENGINE);
    let level = if fits { Level::Ok } else { Level::Error };
    Verdict::new(level, format!("Docker engine is {version}, {OLDEST_ENGINE} or newer is needed"))
        .measured(version)
        .needed(format!("{OLDEST_ENGINE} or newer"))
        .fix("make setup")
}

pub fn privileged(case: &Case, held: &Held) -> Verdict {
    let rootless = held.engine.security.iter().any(|option| option.contains("rootless"));
    let verdict = match &case.facts.trial {
        Trial::Refused(why) => Verdict::new(Level::Error, format!("Docker refuses a privileged container ({why})"))
            .measured("refused")
            .fix("make setup   (brings an engine that may; in a container, start that with --privileged)"),
        // Reported as able to run kind, but no lab has been seen on it.
        _ if rootless => Verdict::new(Level::Warning, "the Docker engine is rootless, which is not tested")
            .measured("rootless")
            .fix("docker context use default   (the engine of root)"),
        Trial::Granted => Verdict::new(Level::Ok, "a privileged container ran").measured("granted"),
        Trial::Untried(_) if held.cluster.iter().any(|node| node.running) => {
            Verdict::new(Level::Ok, "the nodes of this lab run").measured("granted")
        }
        Trial::Untried(why) => Verdict::new(Level::NotChecked, *why),
    };
    verdict.needed("granted")
}

/// Ours runs on both. Of pulled ones, kubelet is told `failCgroupV1: false`, but systemd cannot be told.
pub fn cgroup(case: &Case, held: &Held) -> Verdict {
    let version = &held.engine.cgroup;
    let pulled = match held.node_image {
        ImageState::Built { .. } => false,
        ImageState::Pulled { .. } => true,
        ImageState::Missing => case.source != Source::Build,
    };
    let verdict = match version.as_str() {
        "" => return Verdict::new(Level::NotChecked, "the engine does not say which cgroup version it has"),
        "1" if pulled => {
            let what = "cgroup v1: a node image that is pulled may have systemd 258 or newer, which dropped it";
            Verdict::new(Level::Warning, what).fix(case.up_with("--images", "build"))
        }
        "1" | "2" => Verdict::new(Level::Ok, format!("cgroup v{version}")),
        _ => Verdict::new(Level::Warning, format!("cgroup v{version} is not known to this program"))
            .fix("boot with systemd.unified_cgroup_hierarchy=1"),
    };
    verdict.measured(version).needed("2, or 1 with a built node image")
}

pub fn kernel_features(case: &Case) -> Verdict {
    let kindnet = case.lab.cluster.cni == Cni::Kindnet;
    let wanted = || features::FEATURES.iter().filter(|feature| feature.wanted(kindnet));
    let of = |support: Support| -> Vec<&str> {
        wanted().map(|feature| feature.name).filter(|name| case.facts.features.get(name) == Some(&support)).collect()
    };
    let (lacks, unknown) = (of(Support::Lacks), of(Support::Unknown));
    let count = wanted().count();
    let verdict = if !lacks.is_empty() {
        // Without queues kindnet does not filter, but all else works.
        let level = if lacks == [features::QUEUE] { Level::Warning } else { Level::Error };
        let what = format!("kernel {} lacks {}", case.facts.kernel, lacks.join(", "));
        Verdict::new(level, what).measured(format!("lacks {}", lacks.join(", "))).fix(more_modules(case))
    } else if unknown.len() == count {
        return Verdict::new(Level::NotChecked, "this kernel does not say what it can");
    } else if unknown.is_empty() {
        Verdict::new(Level::Ok, format!("kernel {} has all {count} features", case.facts.kernel)).measured(count)
    } else {
        let (known, unknown) = (count - unknown.len(), unknown.join(", "));
        let what = format!("kernel {} has {known} features of {count}; it does not say: {unknown}", case.facts.kernel);
        Verdict::new(Level::Ok, what).measured(known)
    };
    verdict.needed(wanted().map(|feature| feature.name).collect::<Vec<_>>().join(", "))
}

/// What distributions leave out of their base kernels stands in packages of its own.
fn more_modules(case: &Case) -> String {
    let kernel = &case.facts.kernel;
    let id = case.facts.distribution.lines().find_map(|line| line.strip_prefix("ID="));
    match id.map(|id| id.trim_matches('"')) {
        Some("ubuntu") => format!("sudo apt-get install linux-modules-extra-{kernel}"),
        Some("fedora" | "rhel" | "centos" | "rocky" | "almalinux") => {
            format!("sudo dnf install kernel-modules-extra-{kernel}")
        }
        Some("debian") => "sudo apt-get install linux-image-amd64   (and restart)".to_owned(),
        _ => "start a kernel of your distribution that has them".to_owned(),
    }
}

pub fn ip_forward(case: &Case) -> Verdict {
    let Some(value) = case.facts.ip_forward else {
        return Verdict::new(Level::NotChecked, "net.ipv4.ip_forward cannot be read");
    };
    let level = if value == 0 { Level::Warning } else { Level::Ok };
    Verdict::new(level, format!("net.ipv4.ip_forward is {value}"))
        .measured(value)
        .needed(1)
        .fix("sudo sysctl -w net.ipv4.ip_forward=1")
}

/// The leading numbers of a version: `28.5.2+dfsg1` is 28, 5, 2.
pub fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(['.', '+', '-']);
    parts.map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_of_distributions_are_understood() {
        assert_eq!(numbers("28.5.2+dfsg4"), [28, 5, 2]);
        assert_eq!(numbers("0.33.0-alpha+abc"), [0, 33, 0]);
        assert!(numbers("unknown").is_empty());
    }
}
