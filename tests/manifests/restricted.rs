//! Pod Security *restricted*, as the Kubernetes documentation lists it.

use serde_json::{Value, json};

const VOLUMES: [&str; 8] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

/// What a pod's specification violates, one sentence each.
pub fn violations(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod[key] == true {
            found.push(format!("{key} is true"));
        }
    }
    for volume in list(pod, "volumes") {
        let kinds = volume.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).filter(|key| *key != "name");
        found.extend(kinds.filter(|kind| !VOLUMES.contains(kind)).map(|kind| format!("volume of kind {kind}")));
    }
    if pod["securityContext"]["sysctls"].as_array().is_some_and(|list| !list.is_empty()) {
        found.push("sysctls are set".to_owned());
    }
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for container in list(pod, key) {
            let name = container["name"].as_str().unwrap_or("?");
            let problems = of_container(&pod["securityContext"], container);
            found.extend(problems.into_iter().map(|problem| format!("container {name}: {problem}")));
        }
    }
    found
}

fn of_container(pod: &Value, container: &Value) -> Vec<String> {
    let own = &container["securityContext"];
    // A container's own setting wins over its pod's.
    let either = |key: &str| if own[key].is_null() { pod[key].clone() } else { own[key].clone() };
    let profile = either("seccompProfile")["type"].clone();
    let dropped = list(&own["capabilities"], "drop").contains(&json!("ALL"));
    let added = list(&own["capabilities"], "add").iter().any(|capability| capability != "NET_BIND_SERVICE");
    let rules = [
        (own["privileged"] == true, "is privileged"),
        (own["allowPrivilegeEscalation"] != false, "allowPrivilegeEscalation is not false"),
        (!dropped, "does not drop ALL capabilities"),
        (added, "adds capabilities"),
        (either("runAsNonRoot") != true, "runAsNonRoot is not true"),
        (either("runAsUser") == 0, "runs as root"),
        (profile != "RuntimeDefault" && profile != "Localhost", "has no seccomp profile"),
        (!own["procMount"].is_null() && own["procMount"] != "Default", "has another procMount"),
        (list(container, "ports").iter().any(|port| port["hostPort"].as_u64().unwrap_or(0) > 0), "has a hostPort"),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, problem)| problem.to_owned()).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn fitting() -> Value {
    json!({
        "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [{
            "name": "main",
            "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
        }],
        "volumes": [{ "name": "scratch", "emptyDir": {} }],
    })
}

#[test]
fn a_restricted_pod_violates_nothing() {
    assert_eq!(violations(&fitting()), Vec::<String>::new());
}

#[test]
fn every_planted_violation_is_found() {
    let planted = [
        ("/hostNetwork", json!(true)),
        ("/volumes/0/hostPath", json!({ "path": "/" })),
        ("/securityContext/sysctls", json!([{ "name": "net.core.somaxconn", "value": "1" }])),
        ("/securityContext/runAsNonRoot", json!(false)),
        ("/securityContext/runAsUser", json!(0)),
        ("/securityContext/seccompProfile", json!({ "type": "Unconfined" })),
        ("/containers/0/securityContext/seccompProfile", json!({ "type": "Unconfined" })),
        ("/containers/0/securityContext/privileged", json!(true)),
        ("/containers/0/securityContext/allowPrivilegeEscalation", Value::Null),
        ("/containers/0/securityContext/capabilities/drop", json!([])),
        ("/containers/0/securityContext/capabilities/add", json!(["SYS_ADMIN"])),
        ("/containers/0/securityContext/procMount", json!("Unmasked")),
        ("/containers/0/ports", json!([{ "hostPort": 80 }])),
        ("/initContainers", json!([{ "name": "first" }])),
    ];
    for (pointer, value) in planted {
        let mut pod = fitting();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[key] = value;
        assert!(!violations(&pod).is_empty(), "{pointer} was not found");
    }
}
