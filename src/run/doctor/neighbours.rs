//! Ports, addresses and names that somebody else holds. What this lab holds itself counts as free.

use super::checks::{Case, Verdict};
use super::facts::{Held, Port, of_kind};
use super::finding::Level;
use crate::components::{KIND_LABEL, LABEL};
use crate::config::{Lab, Subnet};
use crate::ports::{Container, Network};
use crate::run::{cluster, registry};

pub fn port_api(case: &Case) -> Verdict {
    let running = case.facts.cluster().iter().any(|node| node.running);
    port(case, 0, case.lab.cluster.api_port, "the API", "--api-port", running)
}

pub fn port_registry(case: &Case) -> Verdict {
    let name = registry::name(case.lab);
    let containers = case.facts.held.as_ref().map_or(&[][..], |held| &held.containers);
    let running = containers.iter().any(|one| one.name == name && one.running && is_ours(one, case.lab));
    port(case, 1, case.lab.registry.port, "the registry", "--registry-port", running)
}

fn port(case: &Case, index: usize, port: u16, whose: &str, flag: &str, ours: bool) -> Verdict {
    let Port { free, other } = case.facts.ports[index];
    let verdict = match (ours, free) {
        (true, _) => Verdict::new(Level::Ok, format!("port {port} for {whose} is this lab's")).measured("ours"),
        (false, true) => Verdict::new(Level::Ok, format!("port {port} for {whose} is free")).measured("free"),
        (false, false) => {
            Verdict::new(Level::Error, format!("port {port} for {whose} is taken")).measured("taken").fix(match other {
                Some(other) => case.up_with(flag, &other.to_string()),
                None => format!("choose {flag}"),
            })
        }
    };
    verdict.needed("free")
}

pub fn subnet(case: &Case, held: &Held) -> Verdict {
    let lab = case.lab;
    let own = lab.cluster.subnet;
    let others = held.networks.iter().filter(|network| network.name != lab.name);
    let overlaps: Vec<String> = others
        .filter(|network| range(network).is_some_and(|other| other.overlaps(own)))
        .map(|network| format!("Docker network {} ({})", network.name, network.subnet))
        .collect();
    let verdict = if overlaps.is_empty() {
        Verdict::new(Level::Ok, format!("subnet {own} overlaps no other Docker network")).measured("free")
    } else {
        let overlaps = overlaps.join(", ");
        Verdict::new(Level::Error, format!("subnet {own} overlaps {overlaps}"))
            .measured(overlaps)
            .fix(other_subnet(case))
    };
    verdict.needed("free")
}

/// A route within the subnet takes packets away from the nodes; the lab takes them from a wider one.
pub fn route(case: &Case) -> Verdict {
    let own = case.lab.cluster.subnet;
    let networks = case.facts.held.as_ref().map_or(&[][..], |held| &held.networks);
    let of_docker = |to: Subnet| networks.iter().any(|network| range(network) == Some(to));
    let overlaps = || case.facts.routes.iter().filter(|route| route.to.overlaps(own) && !of_docker(route.to));
    let found: Vec<String> =
        overlaps().map(|route| format!("the route to {} by {}", route.to, route.interface)).collect();
    if found.is_empty() {
        let what = format!("no route of this machine overlaps {own}");
        return Verdict::new(Level::Ok, what).measured("free").needed("free");
    }
    let within = overlaps().any(|route| route.to.prefix >= own.prefix);
    let level = if within { Level::Error } else { Level::Warning };
    Verdict::new(level, format!("subnet {own} overlaps {}", found.join(", ")))
        .measured(found.join(", "))
        .needed("free")
        .fix(other_subnet(case))
}

fn other_subnet(case: &Case) -> String {
    let networks = case.facts.held.as_ref().map_or(&[][..], |held| &held.networks);
    let taken = || networks.iter().filter_map(range).chain(case.facts.routes.iter().map(|route| route.to));
    let candidates = (16..32).rev().map(|second| Subnet::new([172, second, 0, 0], 24));
    let more = (0..=255).map(|third| Subnet::new([192, 168, third, 0], 24));
    let free = candidates.chain(more).find(|candidate| !taken().any(|other| other.overlaps(*candidate)));
    match free {
        Some(free) => case.up_with("--subnet", &free.to_string()),
        None => "choose --subnet".to_owned(),
    }
}

fn range(network: &Network) -> Option<Subnet> {
    network.subnet.parse().ok()
}

pub fn foreign_cluster(case: &Case, held: &Held) -> Verdict {
    let name = &case.lab.name;
    let foreign = of_kind(&held.containers, case.lab).find(|container| container.home != *name);
    match foreign {
        None => none(format!("no other kind cluster is called {name}")),
        Some(container) => {
            taken(case, format!("{} belongs to another kind cluster called {name}", container.name), &container.name)
        }
    }
}

pub fn foreign_containers(case: &Case, held: &Held) -> Verdict {
    let lab = case.lab;
    let mut wanted = cluster::names(lab);
    wanted.push(registry::name(lab));
    let foreign: Vec<&str> = held
        .containers
        .iter()
        .filter(|one| wanted.contains(&one.name) && !is_ours(one, lab) && !one.labels.contains_key(KIND_LABEL))
        .map(|one| one.name.as_str())
        .collect();
    if foreign.is_empty() {
        return none("no name that this lab needs is another container's".to_owned());
    }
    let names = foreign.join(", ");
    taken(case, format!("container {names} exists and is not of this lab"), &names)
}

pub fn foreign_network(case: &Case, held: &Held) -> Verdict {
    let lab = case.lab;
    let (name, own) = (&lab.name, lab.cluster.subnet.to_string());
    match held.networks.iter().find(|network| network.name == *name) {
        Some(network) if network.labels.get(LABEL) != Some(name) => {
            taken(case, format!("Docker network {name} exists and is not of this lab"), name)
        }
        Some(network) if network.subnet != own => {
            let what = format!("Docker network {name} has subnet {}, the configuration says {own}", network.subnet);
            let fix = format!("lab down --all{0}, then lab up{0}", case.flags);
            Verdict::new(Level::Error, what).measured(&network.subnet).needed(own).fix(fix)
        }
        _ => none(format!("no other Docker network is called {name}")),
    }
}

pub fn foreign_volume(case: &Case, held: &Held) -> Verdict {
    let name = registry::name(case.lab);
    match &held.volume {
        Some(labels) if labels.get(LABEL) != Some(&case.lab.name) => {
            taken(case, format!("Docker volume {name} exists and is not of this lab"), &name)
        }
        _ => none(format!("no other Docker volume is called {name}")),
    }
}

pub fn unfinished_cluster(case: &Case, held: &Held) -> Verdict {
    if held.cluster.is_empty() || held.finished {
        return none("no unfinished cluster is left".to_owned());
    }
    let count = held.cluster.len();
    let what = format!("{count} containers of an unfinished cluster; lab up removes them");
    let fix = format!("lab down{}", case.flags);
    Verdict::new(Level::Warning, what).measured(count).needed("none").safe_fix(fix)
}

fn none(what: String) -> Verdict {
    Verdict::new(Level::Ok, what).measured("none").needed("none")
}

fn taken(case: &Case, what: String, by: &str) -> Verdict {
    let other = format!("{}-2", case.lab.name);
    Verdict::new(Level::Error, what).measured(by).needed("none").fix(case.up_with("--name", &other))
}

fn is_ours(container: &Container, lab: &Lab) -> bool {
    container.labels.get(LABEL) == Some(&lab.name)
}
