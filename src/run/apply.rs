//! Objects in the cluster, and workloads that are ready.

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::fits::fits;
use super::wait::{Look, until};
use super::{Context, diagnose};
use crate::event::Outcome;
use crate::ports::{Kube as _, Ports};
use crate::step::Workload;

pub async fn have<P: Ports>(context: &Context<'_, P>, objects: &[Value], workloads: &[Workload]) -> Result<Outcome> {
    let kube = context.run.ports.kube();
    let live = try_join_all(objects.iter().map(|object| kube.get(object))).await?;
    let differs = |live: &Option<Value>, object: &Value| !live.as_ref().is_some_and(|live| fits(object, live));
    let stale: Vec<&Value> =
        objects.iter().zip(&live).filter(|(object, live)| differs(live, object)).map(|(object, _)| object).collect();
    // Those of one kind do not need each other.
    for alike in stale.chunk_by(|one, other| one["kind"] == other["kind"]) {
        try_join_all(alike.iter().map(|object| kube.apply(object))).await?;
    }
    for object in objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition") {
        until(context, async || Ok(established(kube.get(object).await?.as_ref()))).await?;
    }
    for workload in workloads {
        until(context, async || look(context, workload).await).await?;
    }
    Ok(match stale.len() {
        0 => Outcome::Unchanged(format!("{} objects fit", objects.len())),
        count => Outcome::Changed(format!("{count} of {} objects applied", objects.len())),
    })
}

fn established(live: Option<&Value>) -> Look<()> {
    let conditions = live.and_then(|live| live.pointer("/status/conditions")?.as_array());
    let found = |list: &Vec<Value>| list.iter().any(|item| item["type"] == "Established" && item["status"] == "True");
    if conditions.is_some_and(found) {
        Look::Done(())
    } else {
        Look::Pending("definition not established yet".to_owned())
    }
}

/// Looks whether all replicas of a workload are ready, and says which pod holds it up.
async fn look<P: Ports>(context: &Context<'_, P>, workload: &Workload) -> Result<Look<()>> {
    let kube = context.run.ports.kube();
    let (namespace, name) = (&workload.object.namespace, &workload.object.name);
    let live = match kube.get(&id(workload)).await {
        Ok(Some(live)) => live,
        Ok(None) => return Ok(Look::Pending(format!("{} {namespace}/{name} is not there", workload.kind))),
        Err(error) => return Ok(Look::Pending(format!("{error:#}"))),
    };
    if is_ready(&live) {
        return Ok(Look::Done(()));
    }
    if is_webhook(workload) {
        return Ok(Look::Pending(format!("{} {name} has no CA yet", workload.kind)));
    }
    let selector = live.pointer("/spec/selector/matchLabels").and_then(Value::as_object).cloned().unwrap_or_default();
    let labels: Vec<String> =
        selector.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    let why = diagnose::why_not_ready(kube, namespace, &labels.join(",")).await;
    Ok(Look::Pending(format!("{} {namespace}/{name} not ready: {why}", workload.kind)))
}

fn is_webhook(workload: &Workload) -> bool {
    workload.kind.ends_with("WebhookConfiguration")
}

/// What a workload is found by.
pub fn id(workload: &Workload) -> Value {
    json!({
        "apiVersion": if is_webhook(workload) { "admissionregistration.k8s.io/v1" } else { "apps/v1" },
        "kind": workload.kind,
        "metadata": { "namespace": workload.object.namespace, "name": workload.object.name },
    })
}

/// True where the controller has seen the newest form, all replicas of it are ready, and none of an older one is left:
/// while a rollout begins, it is the old ones that are ready.
pub fn is_ready(live: &Value) -> bool {
    if let Some(webhooks) = live["webhooks"].as_array() {
        return webhooks.iter().all(|webhook| webhook["clientConfig"]["caBundle"].is_string());
    }
    let number = |pointer: &str| live.pointer(pointer).and_then(Value::as_i64);
    if number("/status/observedGeneration") < number("/metadata/generation") {
        return false;
    }
    if live["kind"] == "DaemonSet" {
        let wanted = number("/status/desiredNumberScheduled").unwrap_or(0);
        let updated = number("/status/updatedNumberScheduled").unwrap_or(0);
        return wanted > 0 && updated == wanted && number("/status/numberReady") == Some(wanted);
    }
    let wanted = number("/spec/replicas").unwrap_or(1);
    ["/status/replicas", "/status/updatedReplicas", "/status/readyReplicas"]
        .iter()
        .all(|count| number(count) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::is_ready;
    use serde_json::json;

    fn deployment(observed: i64, ready: i64) -> serde_json::Value {
        json!({
            "kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2},
            "status": {
                "observedGeneration": observed, "replicas": 2, "updatedReplicas": 2, "readyReplicas": ready,
            },
        })
    }

    #[test]
    fn a_workload_is_ready_when_all_replicas_of_the_newest_form_are() {
        assert!(is_ready(&deployment(2, 2)));
        assert!(!is_ready(&deployment(1, 2)));
        assert!(!is_ready(&deployment(2, 1)));
        let mut with_an_old_one = deployment(2, 2);
        with_an_old_one["status"]["replicas"] = json!(3);
        assert!(!is_ready(&with_an_old_one));
    }

    #[test]
    fn a_webhook_configuration_is_ready_when_every_webhook_has_its_ca() {
        let with = |second: serde_json::Value| json!({"webhooks": [{"clientConfig": {"caBundle": "x"}}, {"clientConfig": second}]});
        assert!(is_ready(&with(json!({"caBundle": "x"}))));
        assert!(!is_ready(&with(json!({}))));
    }

    #[test]
    fn a_daemon_set_that_nobody_has_looked_at_is_not_ready() {
        let fresh = json!({"kind": "DaemonSet", "metadata": {"generation": 1}, "status": {"observedGeneration": 1}});
        assert!(!is_ready(&fresh));
    }
}
