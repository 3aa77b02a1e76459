//! The firewall of the nodes: no network policy binds what listens on the network of a node.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::config::Lab;
use crate::render;
use crate::step::{Action, Step};

/// Where a node keeps its rules.
pub const RULES: &str = "/kind/lab-firewall.rules";
/// What loads them when the node starts, before anything listens.
pub const UNIT: &str = "lab-firewall.service";
/// The chain that holds them.
pub const CHAIN: &str = "LAB-NODE";

/// Addresses of the lab's containers, which Docker gives out.
#[derive(Debug, Clone)]
pub struct Addresses {
    pub control_planes: Vec<Ipv4Addr>,
    pub workers: Vec<Ipv4Addr>,
    /// None where there is one control plane.
    pub load_balancer: Option<Ipv4Addr>,
}

impl Addresses {
    /// As Docker gives them out to a new cluster: one after the other, behind the gateway.
    pub fn of_a_new_cluster(lab: &Lab) -> Self {
        let cluster = &lab.cluster;
        let mut free = (2..).filter_map(|number| cluster.subnet.host(number));
        let control_planes = free.by_ref().take(cluster.control_planes.into()).collect();
        let workers = free.by_ref().take(cluster.workers.into()).collect();
        let load_balancer = free.next().filter(|_| cluster.has_load_balancer());
        Self { control_planes, workers, load_balancer }
    }
}

/// After the addresses, since its rules are made of them.
pub fn step() -> Step {
    Step {
        id: "firewall",
        title: "nodes closed but for what the cluster needs".to_owned(),
        needs: vec!["addresses"],
        deadline: Duration::from_mins(1),
        action: Action::Firewall,
    }
}

/// The rules of every node of a role, `control-plane` or `worker`.
///
/// # Errors
/// When the template is malformed, which tests rule out.
pub fn rules(lab: &Lab, role: &str, addresses: &Addresses) -> Result<String> {
    let Addresses { control_planes, workers, load_balancer } = addresses;
    let values = json!({
        "control_plane": role == "control-plane",
        "control_planes": control_planes,
        "nodes": control_planes.iter().chain(workers).collect::<Vec<_>>(),
        "load_balancer": load_balancer,
        "gateway": lab.cluster.subnet.gateway(),
        "subnet": lab.cluster.subnet,
        "pods": lab.cluster.pod_subnet,
    });
    render::text(render::FIREWALL, &values)
}

/// The text of [`UNIT`].
///
/// # Errors
/// As [`rules`].
pub fn unit() -> Result<String> {
    render::text(render::FIREWALL_UNIT, &json!({ "rules": RULES }))
}

#[cfg(test)]
mod tests;
