//! Services on which others depend and behind which nobody answers: admission webhooks and cluster DNS.

use serde_json::Value;

use super::{Rank, Suspect};
use crate::run::diagnose::object::{condition, name, namespace, number, selected, text};
use crate::run::diagnose::pods;
use crate::run::diagnose::scene::Scene;

pub fn suspects(scene: &Scene) -> Vec<Suspect> {
    let mut found = Vec::new();
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        for webhook in scene.of(kind).iter().filter_map(|one| one["webhooks"].as_array()).flatten() {
            let service = &webhook["clientConfig"]["service"];
            if webhook["failurePolicy"] != "Ignore" && service.is_object() {
                let what = format!("nobody answers webhook {}", text(webhook, "/name"));
                let id = (text(service, "/namespace"), text(service, "/name"));
                found.extend(unanswered(scene, Rank::Webhook, id, &what));
            }
        }
    }
    // Where there are no nodes, there is no DNS yet.
    if !scene.of("Node").is_empty() {
        found.extend(unanswered(scene, Rank::Dns, ("kube-system", "kube-dns"), "nobody answers cluster DNS"));
    }
    found
}

/// Who should answer a Service: its pods in trouble, else the workload that has none.
fn unanswered(scene: &Scene, rank: Rank, (space, service): (&str, &str), what: &str) -> Vec<Suspect> {
    let here = |object: &&Value| namespace(object) == space;
    let Some(found) = scene.of("Service").iter().filter(here).find(|one| name(one) == service) else {
        return Vec::new();
    };
    let selector = &found["spec"]["selector"];
    let behind =
        |object: &&Value, labels: &str| object.pointer(labels).is_some_and(|labels| selected(labels, selector));
    // One that is on its way out still says that it is ready.
    let stays = |pod: &&Value| text(pod, "/metadata/deletionTimestamp").is_empty();
    let pods = scene.of("Pod").iter().filter(here).filter(stays);
    let all: Vec<&Value> = pods.filter(|pod| behind(pod, "/metadata/labels")).collect();
    let ready = |pod: &&&Value| condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True");
    let workloads = ["Deployment", "StatefulSet", "DaemonSet"].into_iter().flat_map(|kind| scene.of(kind));
    let workload = workloads.filter(here).find(|one| behind(one, "/spec/template/metadata/labels"));
    // A workload says it earlier than its pods, which may be on their way.
    let answers = workload.and_then(|one| number(one, "/status/readyReplicas")) > Some(0);
    if answers || all.iter().any(|pod| ready(&pod)) {
        return Vec::new();
    }
    let mut suspects: Vec<Suspect> = all
        .iter()
        .filter_map(|pod| Some(Suspect::new(scene, rank, pod, format!("{}; {what}", pods::reason(pod)?))))
        .collect();
    if suspects.is_empty() {
        let reason =
            |one: &Value| format!("{} replicas wanted, none ready; {what}", number(one, "/spec/replicas").unwrap_or(1));
        suspects.push(match workload {
            Some(workload) => Suspect::new(scene, rank, workload, reason(workload)),
            None => Suspect::new(scene, rank, found, format!("no pod is behind it; {what}")),
        });
    }
    suspects
}
