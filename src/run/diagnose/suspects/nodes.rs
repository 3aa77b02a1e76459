//! Nodes that are not Ready, that lack something, or whose container is stopped; the network plugin that they wait for.

use serde_json::Value;

use super::{Rank, Suspect};
use crate::components::KIND_LABEL;
use crate::run::diagnose::object::{condition, name, text};
use crate::run::diagnose::pods;
use crate::run::diagnose::scene::Scene;

/// Beginnings of the names of the pods that make nodes Ready.
const NETWORK_PLUGINS: [&str; 2] = ["kube-router", "kindnet"];

pub fn suspects(scene: &Scene) -> Vec<Suspect> {
    let mut found = Vec::new();
    for container in scene.containers.iter().filter(|container| !container.running) {
        let node = container.labels.contains_key(KIND_LABEL) && !container.name.ends_with("external-load-balancer");
        let kind = if node { "Node" } else { "Container" };
        found.push(Suspect::named(scene, Rank::Node, [kind, "", &container.name], "its container is stopped"));
    }
    for node in scene.of("Node") {
        if let Some(reason) = trouble(node) {
            if reason.to_lowercase().contains("network") {
                found.extend(network_plugin(scene));
            }
            found.push(Suspect::new(scene, Rank::Node, node, reason));
        }
    }
    // All nodes run, and yet nobody answers: the first control plane is where to look.
    let first = scene.containers.iter().find(|container| container.name.ends_with("-control-plane"));
    if let (Some(silence), Some(first), true) = (&scene.silence, first, found.is_empty()) {
        let reason = format!("the Kubernetes API does not answer: {silence}");
        found.push(Suspect::named(scene, Rank::Node, ["Node", "", &first.name], reason));
    }
    found
}

fn trouble(node: &Value) -> Option<String> {
    let said = |condition: &Value| format!("{} {}", text(condition, "/reason"), text(condition, "/message"));
    match condition(node, "Ready") {
        None => return Some("not Ready: no report yet".to_owned()),
        Some(ready) if ready["status"] != "True" => return Some(format!("not Ready: {}", said(ready))),
        Some(_) => {}
    }
    let lacks = ["DiskPressure", "MemoryPressure", "PIDPressure", "NetworkUnavailable"];
    let found = lacks.iter().filter_map(|kind| condition(node, kind)).find(|condition| condition["status"] == "True");
    found.map(|condition| format!("{}: {}", text(condition, "/type"), said(condition)))
}

fn network_plugin(scene: &Scene) -> Vec<Suspect> {
    let plugin = |pod: &&Value| NETWORK_PLUGINS.iter().any(|start| name(pod).starts_with(start));
    let mut found = Vec::new();
    for pod in scene.of("Pod").iter().filter(plugin) {
        if let Some(reason) = pods::reason(pod).filter(|_| !pods::is_starting(pod)) {
            found.push(Suspect::new(scene, Rank::NetworkPlugin, pod, reason));
        }
    }
    found
}
