//! The likeliest culprit: the pod that holds a step up, with its reason, events and last lines.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::components::{JOBS_NAMESPACE, OPERATOR_NAMESPACE, STORE_NAMESPACE};
use crate::ports::{Kind, Kube};

/// How long the search for a culprit may take: the failure itself must not wait for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why the pods with these labels are not ready, in one line.
pub async fn why_not_ready<K: Kube>(kube: &K, namespace: &str, labels: &str) -> String {
    let pods = match kube.list(&Kind::POD, Some(namespace), labels).await {
        Ok(pods) => pods,
        Err(error) => return format!("{error:#}"),
    };
    if pods.is_empty() {
        return "no pods yet".to_owned();
    }
    let waiting = pods.iter().find_map(|pod| reason(pod).map(|reason| format!("pod {}: {reason}", name(pod))));
    waiting.unwrap_or_else(|| "pods are ready, their controller has not noticed yet".to_owned())
}

/// Kind, name, reason, last events and last log lines of the first pod that is in trouble.
pub async fn culprit<K: Kube>(kube: &K) -> Option<String> {
    let search = async {
        for namespace in ["kube-system", "local-path-storage", STORE_NAMESPACE, OPERATOR_NAMESPACE, JOBS_NAMESPACE] {
            for pod in kube.list(&Kind::POD, Some(namespace), "").await? {
                if let Some(reason) = reason(&pod) {
                    return Ok(Some(report(kube, namespace, &pod, &reason).await));
                }
            }
        }
        anyhow::Ok(None)
    };
    tokio::time::timeout(PATIENCE, search).await.ok()?.ok()?
}

async fn report<K: Kube>(kube: &K, namespace: &str, pod: &Value, reason: &str) -> String {
    let name = name(pod);
    let mut text = format!("Pod {namespace}/{name}: {reason}");
    for event in events(kube, namespace, name).await.unwrap_or_default() {
        text.push_str(&format!("\n  event: {event}"));
    }
    let log = kube.logs(namespace, name, None, 5).await.unwrap_or_default();
    log.lines().for_each(|line| text.push_str(&format!("\n  log: {line}")));
    text
}

/// The last three warnings about an object.
async fn events<K: Kube>(kube: &K, namespace: &str, name: &str) -> Result<Vec<String>> {
    let mut events = kube.list(&Kind::EVENT, Some(namespace), "").await?;
    events.retain(|event| event["involvedObject"]["name"] == name && event["type"] == "Warning");
    events.sort_by_key(|event| event["lastTimestamp"].as_str().unwrap_or_default().to_owned());
    let line = |event: &Value| {
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", text("reason"), text("message"))
    };
    Ok(events.iter().rev().take(3).map(line).collect())
}

fn name(pod: &Value) -> &str {
    pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("?")
}

/// Why a pod is not ready; none for one that is, or that has done its work.
pub fn reason(pod: &Value) -> Option<String> {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or("Unknown");
    if phase == "Succeeded" {
        return None;
    }
    let list = |pointer: &str| pod.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let containers = [list("/status/initContainerStatuses"), list("/status/containerStatuses")].concat();
    for container in &containers {
        for state in ["/state/waiting", "/state/terminated"] {
            if let Some(found) = container.pointer(state)
                && found["exitCode"] != 0
            {
                let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
                let last = container.pointer("/lastState/terminated/reason").and_then(Value::as_str);
                let last = last.map(|last| format!(", ended before with {last}")).unwrap_or_default();
                return Some(format!("{} {}{last}", text("reason"), text("message")).trim().to_owned());
            }
        }
    }
    let conditions = list("/status/conditions");
    let failed = |kind: &str| conditions.iter().find(|item| item["type"] == kind && item["status"] == "False");
    if let Some(condition) = failed("PodScheduled").or_else(|| failed("Ready")) {
        let text = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
        return Some(format!("{phase}: {} {}", text("reason"), text("message")).trim().to_owned());
    }
    (phase != "Running").then(|| phase.to_owned())
}

#[cfg(test)]
mod tests {
    use super::reason;
    use serde_json::json;

    #[test]
    fn a_ready_pod_has_no_reason() {
        let pod = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"state": {"running": {}}}]}});
        assert_eq!(reason(&pod), None);
    }

    #[test]
    fn a_waiting_container_names_its_reason() {
        let pod = json!({"status": {"phase": "Pending", "containerStatuses": [
            {"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]}});
        assert_eq!(reason(&pod).unwrap(), "ErrImagePull not found");
    }

    #[test]
    fn a_crash_loop_names_how_it_ended() {
        let pod = json!({"status": {"phase": "Running", "containerStatuses": [
            {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"reason": "OOMKilled"}}}]}});
        assert_eq!(reason(&pod).unwrap(), "CrashLoopBackOff , ended before with OOMKilled");
    }

    #[test]
    fn an_unschedulable_pod_says_what_is_missing() {
        let pod = json!({"status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient memory"}]}});
        assert_eq!(reason(&pod).unwrap(), "Pending: Unschedulable Insufficient memory");
    }

    #[test]
    fn a_finished_pod_has_no_reason() {
        assert_eq!(reason(&json!({"status": {"phase": "Succeeded"}})), None);
    }
}
