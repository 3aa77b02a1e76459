//! Pods that were never made: quotas, Pod Security, service accounts. What is in the way is named where it has a
//! name, else the workload that asks for the pods.

use serde_json::Value;

use super::{Rank, Suspect};
use crate::run::diagnose::object::{list, name, namespace, number, text};
use crate::run::diagnose::scene::Scene;

pub fn suspects(scene: &Scene) -> Vec<Suspect> {
    let mut found = Vec::new();
    for kind in ["ReplicaSet", "StatefulSet", "DaemonSet", "Job"] {
        for owner in scene.of(kind).iter().filter(|owner| lacks_pods(owner)) {
            let warnings = scene.warnings(kind, namespace(owner), name(owner));
            if let Some(event) = warnings.iter().find(|event| text(event, "/reason") == "FailedCreate") {
                found.extend(refused(scene, top(scene, owner), namespace(owner), text(event, "/message")));
            }
        }
    }
    for application in scene.of("SparkApplication") {
        let state = text(application, "/status/applicationState/state");
        let message = text(application, "/status/applicationState/errorMessage");
        if ["SUBMISSION_FAILED", "FAILED"].contains(&state) && !has_driver(scene, application) {
            let said = format!("{state} {message}");
            found.extend(refused(scene, application, namespace(application), &said));
        }
    }
    found
}

/// A webhook that does not answer is found by itself, see `services`.
fn refused(scene: &Scene, owner: &Value, space: &str, message: &str) -> Option<Suspect> {
    if message.contains("failed calling webhook") {
        return None;
    }
    let quota = message.split_once("exceeded quota: ").and_then(|(_, rest)| rest.split([',', ' ']).next());
    Some(match quota {
        Some(quota) => Suspect::named(scene, Rank::Quota, ["ResourceQuota", space, quota], message),
        None => Suspect::new(scene, Rank::Owner, owner, message),
    })
}

fn lacks_pods(owner: &Value) -> bool {
    let has = |pointer: &str| number(owner, pointer).unwrap_or_default();
    match text(owner, "/kind") {
        "DaemonSet" => has("/status/currentNumberScheduled") < has("/status/desiredNumberScheduled"),
        "Job" => has("/status/active") + has("/status/succeeded") + has("/status/failed") == 0,
        _ => has("/status/replicas") < number(owner, "/spec/replicas").unwrap_or(1),
    }
}

/// The Deployment of a ReplicaSet, anything else itself.
fn top<'a>(scene: &'a Scene, owner: &'a Value) -> &'a Value {
    let deployment = list(owner, "/metadata/ownerReferences").iter().find(|one| one["kind"] == "Deployment");
    let same = |one: &&Value| {
        deployment.is_some_and(|wanted| wanted["name"] == name(one)) && namespace(one) == namespace(owner)
    };
    scene.of("Deployment").iter().find(same).unwrap_or(owner)
}

fn has_driver(scene: &Scene, application: &Value) -> bool {
    let driver = format!("{}-driver", name(application));
    scene.of("Pod").iter().any(|pod| name(pod) == driver && namespace(pod) == namespace(application))
}
