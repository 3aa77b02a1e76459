//! Why a pod is not ready.

use serde_json::Value;

use super::object::{condition, list, name, number, text};
use crate::ports::{Kind, Kube};

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

/// Why a pod is not ready; none for one that is, or that has done its work.
pub fn reason(pod: &Value) -> Option<String> {
    let phase = Some(text(pod, "/status/phase")).filter(|phase| !phase.is_empty()).unwrap_or("Unknown");
    if phase == "Succeeded" {
        return None;
    }
    if !text(pod, "/status/reason").is_empty() {
        return Some(said(&pod["status"]));
    }
    let containers = [list(pod, "/status/initContainerStatuses"), list(pod, "/status/containerStatuses")].concat();
    for container in &containers {
        for state in ["waiting", "terminated"] {
            let found = &container["state"][state];
            if found.is_object() && found["exitCode"] != 0 {
                let code = number(found, "/exitCode").map(|code| format!(", exit code {code}")).unwrap_or_default();
                let last = text(container, "/lastState/terminated/reason");
                let last = if last.is_empty() { String::new() } else { format!(", ended before with {last}") };
                return Some(format!("{}{code}{last}", said(found)));
            }
        }
    }
    let failed = |kind: &str| condition(pod, kind).filter(|condition| condition["status"] == "False");
    if let Some(condition) = failed("PodScheduled").or_else(|| failed("Ready")) {
        return Some(format!("{phase}: {}", said(condition)).trim().to_owned());
    }
    (phase != "Running").then(|| phase.to_owned())
}

/// Reason and message.
fn said(state: &Value) -> String {
    format!("{} {}", text(state, "/reason"), text(state, "/message").trim()).trim().to_owned()
}

/// True for a pod that has not run yet and names no reason but that it starts.
pub fn is_starting(pod: &Value) -> bool {
    let starts = |one: &Value| {
        let why = text(one, "/state/waiting/reason");
        why == "ContainerCreating" || why == "PodInitializing" || one["state"]["running"].is_object()
    };
    let statuses = [list(pod, "/status/initContainerStatuses"), list(pod, "/status/containerStatuses")].concat();
    let unscheduled = condition(pod, "PodScheduled").is_some_and(|condition| condition["status"] == "False");
    text(pod, "/status/phase") != "Failed" && !unscheduled && statuses.iter().all(starts)
}

/// When a pod's containers began to run, empty where none has; of one that is started again and again, the last time.
pub fn started(pod: &Value) -> &str {
    let times = ["/state/running/startedAt", "/state/terminated/startedAt", "/lastState/terminated/startedAt"];
    let containers = list(pod, "/status/containerStatuses").iter();
    let time = |one| times.iter().map(|pointer| text(one, pointer)).find(|time| !time.is_empty());
    containers.filter_map(time).min().unwrap_or_default()
}

/// How a pod's containers ended before they were started again, for one that runs at this moment.
pub fn ended_before(pod: &Value) -> Option<String> {
    let again = |one: &&Value| {
        let code = number(one, "/lastState/terminated/exitCode");
        code.is_some_and(|code| code != 0) && one["state"]["running"].is_object()
    };
    let container = list(pod, "/status/containerStatuses").iter().find(again)?;
    let last = &container["lastState"]["terminated"];
    let times = match number(container, "/restartCount").unwrap_or_default() {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    Some(format!("restarted {times}, ended before with {}, exit code {}", said(last), last["exitCode"]))
}

#[cfg(test)]
mod tests {
    use super::{ended_before, reason};
    use serde_json::json;

    #[test]
    fn a_ready_pod_has_no_reason() {
        let pod = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"state": {"running": {}}}]}});
        assert_eq!(reason(&pod), None);
        assert_eq!(ended_before(&pod), None);
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
        assert_eq!(reason(&pod).unwrap(), "CrashLoopBackOff, ended before with OOMKilled");
    }

    #[test]
    fn a_container_that_ended_names_its_exit_code() {
        let pod = json!({"status": {"phase": "Failed", "containerStatuses": [
            {"state": {"terminated": {"reason": "Error", "exitCode": 3}}}]}});
        assert_eq!(reason(&pod).unwrap(), "Error, exit code 3");
    }

    #[test]
    fn an_unschedulable_pod_says_what_is_missing() {
        let pod = json!({"status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient memory"}]}});
        assert_eq!(reason(&pod).unwrap(), "Pending: Unschedulable Insufficient memory");
    }

    #[test]
    fn an_evicted_pod_says_so() {
        let pod =
            json!({"status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource"}});
        assert_eq!(reason(&pod).unwrap(), "Evicted The node was low on resource");
    }

    #[test]
    fn a_finished_pod_has_no_reason() {
        assert_eq!(reason(&json!({"status": {"phase": "Succeeded"}})), None);
    }

    #[test]
    fn a_pod_between_two_crashes_says_how_it_ended() {
        let pod = json!({"status": {"phase": "Running", "containerStatuses": [{"restartCount": 4,
            "state": {"running": {}}, "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}]}});
        assert_eq!(reason(&pod), None);
        assert_eq!(ended_before(&pod).unwrap(), "restarted 4 times, ended before with Error, exit code 1");
        let mut pod = pod;
        pod["status"]["containerStatuses"][0]["restartCount"] = json!(1);
        assert_eq!(ended_before(&pod).unwrap(), "restarted once, ended before with Error, exit code 1");
    }
}
